"""Eventing reference §13: defaults and validation of a RequestReply."""

import pytest

from knlite.kinds.catalog import read
from knlite.kinds.config.bundle import Config
from knlite.kinds.config.eventing import EventingConfig
from knlite.kinds.eventing.requestreply import RequestReply, defaulted, validated
from knlite.kinds.fielderror import rendered

BROKER = {"apiVersion": "eventing.knative.dev/v1", "kind": "Broker", "name": "default"}


def stored(config: Config | None = None, **spec: object) -> RequestReply:
    config = config or Config()
    document = {
        "apiVersion": "eventing.knative.dev/v1alpha1",
        "kind": "RequestReply",
        "metadata": {"name": "ask", "namespace": "shop"},
        "spec": {"brokerRef": BROKER, **spec},
    }
    found = read(document)
    assert isinstance(found.value, RequestReply), found.problems
    return defaulted(found.value, None, config)


def wrong(obj: RequestReply) -> str:
    return rendered(validated(obj, None, Config()))


def test_attributes_timeout_and_label_have_defaults() -> None:
    obj = stored()
    assert obj.spec.correlation_attribute == "correlationid"
    assert obj.spec.reply_attribute == "replyid"
    assert obj.spec.timeout == "PT30S"
    assert obj.metadata.labels == {"eventing.knative.dev/broker": "default"}
    assert wrong(obj) == ""


def test_the_timeout_is_a_feature_flag() -> None:
    flags = {"requestreply-default-timeout": "PT5S"}
    assert stored(Config(eventing=EventingConfig(flags=flags))).spec.timeout == "PT5S"


_NAME = "attribute must be non-empty and cannot be a core cloudevent attribute"
_CORE = "(id, type, specversion, source)"


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        pytest.param(
            {"brokerRef": {**BROKER, "kind": "Channel"}},
            "invalid value: Channel: spec.brokerRef.kind\nbrokerRef kind must be Broker",
            id="kind",
        ),
        pytest.param({"brokerRef": {**BROKER, "kind": "broker"}}, "", id="kind in small letters"),
        pytest.param(
            {"replyAttribute": "in"},
            "invalid value: in: spec.replyattribute\n"
            "replyattribute must be a name that CESQL reads as an attribute",
            id="a keyword of the filter",
        ),
        pytest.param(
            {"replyAttribute": "42"},
            "invalid value: 42: spec.replyattribute\n"
            "replyattribute must be a name that CESQL reads as an attribute",
            id="a number in the filter",
        ),
        pytest.param({"correlationAttribute": "in"}, "", id="no filter asks for this one"),
        pytest.param(
            {"brokerRef": {**BROKER, "namespace": "shop"}},
            "must not set the field(s): spec.brokerRef.namespace",
            id="namespace",
        ),
        pytest.param(
            {"brokerRef": {"kind": "Broker"}},
            "missing field(s): spec.brokerRef.apiVersion, spec.brokerRef.name",
            id="half a reference",
        ),
        pytest.param(
            {"timeout": "PT0S"},
            "invalid value: PT0S: spec.timeout\ntimeout must be a positive duration",
            id="no time",
        ),
        pytest.param(
            {"correlationAttribute": "id"},
            f"invalid value: id: spec.correlationattribute\ncorrelation{_NAME} {_CORE}",
            id="correlation in the id",
        ),
        pytest.param(
            {"replyAttribute": "type"},
            f"invalid value: type: spec.replyattribute\nreply{_NAME} {_CORE}",
            id="reply in the type",
        ),
        pytest.param({"replyAttribute": "source"}, "", id="source gets through"),
        pytest.param(
            {"delivery": {"retry": -1}}, "invalid value: -1: spec.delivery.retry", id="delivery"
        ),
    ],
)
def test_what_is_wrong_is_said_in_upstreams_words(spec: dict[str, object], text: str) -> None:
    assert wrong(stored(**spec)) == text


def test_a_timeout_that_is_no_duration_is_refused() -> None:
    assert wrong(stored(timeout="30s")).startswith("invalid value: 30s: spec.timeout")
