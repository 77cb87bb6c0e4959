"""``--set``: what nothing reads is refused, with what was probably meant."""

import pytest

from knlite.errors import InvalidInput
from knlite.kinds.config.values import ConfigInvalid
from knlite.kinds.core.configmap import ConfigMap
from knlite.kinds.meta import ObjectMeta
from knlite.registry.configmaps import read_config, require_known
from knlite.settings import parse_overrides


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        pytest.param("config-autoscaler.stable-windw=6s", "did you mean stable-window?", id="key"),
        pytest.param(
            "config-autoscalr.stable-window=6s", "did you mean config-autoscaler?", id="map"
        ),
    ],
)
def test_a_typo_is_refused_with_what_was_meant(text: str, hint: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        require_known(parse_overrides((text,)))
    assert refused.value.fix == hint


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        pytest.param(
            "config-features.eventtype-auto-create=yes",
            'unknown feature flag value "yes"; known are: enabled, disabled, allowed',
            id="a word",
        ),
        pytest.param(
            "config-features.transport-encryption=strict",
            "has no effect: events stay on this machine, and are not encrypted",
            id="no effect",
        ),
    ],
)
def test_a_flag_that_sets_nothing_is_refused(text: str, cause: str) -> None:
    with pytest.raises(InvalidInput, match="sets nothing") as refused:
        require_known(parse_overrides((text,)))
    assert refused.value.cause == cause
    require_known(parse_overrides(("config-features.eventtype-auto-create=Enabled",)))


@pytest.mark.parametrize("text", ["stable-window=6s", "config-autoscaler.stable-window", "=", ".="])
def test_a_text_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        parse_overrides((text,))


def test_a_value_may_hold_equals_signs_and_dots() -> None:
    overrides = parse_overrides(("config-network.domain-template={{.Name}}.a=b",))
    assert overrides == {"config-network": {"domain-template": "{{.Name}}.a=b"}}


def test_an_invalid_value_names_its_config_map() -> None:
    with pytest.raises(ConfigInvalid, match=r"^config-autoscaler: "):
        read_config((), {"config-autoscaler": {"stable-window": "soon"}}, 8080, 8443)


def test_the_short_window_of_the_readme_is_accepted() -> None:
    config = read_config((), {"config-autoscaler": {"stable-window": "6s"}}, 8080, 8443)
    assert config.autoscaler.stable_window == 6


def test_broker_defaults_are_read_from_their_yaml() -> None:
    text = "clusterDefault:\n  delivery: {retry: 2}\n"
    config = read_config((), {"config-br-defaults": {"default-br-config": text}}, 8080, 8443)
    delivery = config.eventing.defaults_for("default").delivery
    assert delivery is not None
    assert delivery.retry == 2
    with pytest.raises(ConfigInvalid, match="default-br-config"):
        read_config((), {"config-br-defaults": {"default-br-config": "a: ["}}, 8080, 8443)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[a]", id="no-selector"),
        pytest.param("matchExpressions: [{key: a, operator: Like}]", id="no-operator"),
        pytest.param("{", id="no-yaml"),
    ],
)
def test_selectors_of_config_sugar_are_read_before_they_are_stored(text: str) -> None:
    obj = ConfigMap(
        metadata=ObjectMeta(namespace="knative-eventing", name="config-sugar"),
        data={"trigger-selector": text},
    )
    with pytest.raises(ConfigInvalid, match="trigger-selector"):
        read_config((obj,), {}, 8080, 8443)


def test_where_servers_are_may_be_set() -> None:
    overrides = parse_overrides(
        (
            "kafka-broker-config.bootstrap.servers=127.0.0.1:9192",
            "kafka-broker-config.default.topic.config.retention.ms=1000",
            "rabbitmq-broker-config.port=5673",
        )
    )
    require_known(overrides)
    assert read_config((), overrides, 8080, 8443).servers == overrides


def test_a_key_that_says_nothing_of_a_server_is_refused() -> None:
    with pytest.raises(InvalidInput) as refused:
        require_known(parse_overrides(("kafka-broker-config.bootstrap.server=x:1",)))
    assert refused.value.fix == "did you mean bootstrap.servers?"


def test_a_template_of_names_is_refused_that_cannot_be_filled_in() -> None:
    overrides = parse_overrides(("config-kafka-features.brokers-topic-template={{ .Nam }}",))
    require_known(overrides)
    with pytest.raises(ConfigInvalid, match=r"config-kafka-features: \{\{ .Nam \}\}"):
        read_config((), overrides, 8080, 8443)
