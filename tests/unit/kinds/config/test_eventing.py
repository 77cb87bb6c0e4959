"""Eventing reference §3 (config-br-defaults) and §16 (config-features)."""

import pytest

from knlite.kinds.config.eventing import EventingConfig, parse
from knlite.kinds.config.values import ConfigInvalid
from knlite.kinds.eventing.delivery import DeliverySpec

DOCUMENT = {
    "clusterDefault": {
        "brokerClass": "MTChannelBasedBroker",
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "name": "cluster",
        "namespace": "knative-eventing",
        "delivery": {"retry": 3},
        "brokerClasses": {"Kafka": {"apiVersion": "v1", "kind": "ConfigMap", "name": "kafka"}},
    },
    "namespaceDefaults": {
        "team": {
            "brokerClass": "Kafka",
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "name": "team",
            "disallowDifferentNamespaceConfig": True,
            "brokerClasses": {"Own": {"apiVersion": "v1", "kind": "ConfigMap", "name": "own"}},
        },
        "classonly": {"brokerClass": "Kafka"},
    },
}


@pytest.mark.parametrize(
    ("namespace", "broker_class", "name", "given"),
    [
        pytest.param("default", "", "cluster", "MTChannelBasedBroker", id="cluster"),
        pytest.param("default", "Kafka", "kafka", "Kafka", id="cluster-by-class"),
        pytest.param("default", "Other", "cluster", "Other", id="cluster-for-unknown-class"),
        pytest.param("team", "", "team", "Kafka", id="namespace"),
        pytest.param("team", "Own", "own", "Own", id="namespace-by-class"),
        pytest.param("team", "MTChannelBasedBroker", "cluster", "MTChannelBasedBroker", id="other"),
        pytest.param("classonly", "", "kafka", "Kafka", id="namespace-with-a-class-alone"),
        pytest.param(
            "default", "RabbitMQBroker", "rabbitmq-broker-config", "RabbitMQBroker", id="server"
        ),
    ],
)
def test_finds_the_defaults_nearest_to_a_broker(
    namespace: str, broker_class: str, name: str, given: str
) -> None:
    defaults = parse(DOCUMENT, {}).defaults_for(namespace, broker_class)
    assert defaults.config is not None
    assert (defaults.config.name, defaults.broker_class) == (name, given)


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(None, id="shipped"),
        pytest.param({"clusterDefault": {"brokerClass": "RabbitMQBroker"}}, id="class-alone"),
        pytest.param(
            {
                "clusterDefault": {
                    "brokerClass": "RabbitMQBroker",
                    "apiVersion": "v1",
                    "kind": "ConfigMap",
                    "name": "config-br-default-channel",
                    "namespace": "knative-eventing",
                }
            },
            id="class-changed-and-nothing-else",
        ),
        pytest.param(
            {"clusterDefault": {"brokerClasses": {"RabbitMQBroker": {"delivery": {"retry": 1}}}}},
            id="delivery-alone",
        ),
    ],
)
def test_a_broker_on_a_server_never_gets_the_config_of_a_channel(document: object) -> None:
    defaults = parse(document, {}).defaults_for("default", "RabbitMQBroker")
    assert defaults.config is not None
    assert defaults.config.name == "rabbitmq-broker-config"


def test_without_a_document_the_shipped_defaults_hold() -> None:
    defaults = parse(None, {}).defaults_for("default")
    assert defaults.broker_class == "MTChannelBasedBroker"
    assert defaults.delivery == DeliverySpec(
        retry=10, backoff_policy="exponential", backoff_delay="PT0.2S"
    )


def test_a_namespace_may_bind_configs_to_itself() -> None:
    config = parse(DOCUMENT, {})
    assert config.same_namespace_only("team")
    assert not config.same_namespace_only("default")


def test_a_document_of_the_wrong_shape_is_refused_by_path() -> None:
    with pytest.raises(ConfigInvalid, match=r'"default-br-config".*clusterDefault.delivery.retry'):
        parse({"clusterDefault": {"delivery": {"retry": "many"}}}, {})


@pytest.mark.parametrize(
    ("features", "flag", "enabled"),
    [
        pytest.param({}, "delivery-timeout", True, id="on-by-default"),
        pytest.param({}, "delivery-retryafter", False, id="off-by-default"),
        pytest.param({"delivery-retryafter": "ENABLED"}, "delivery-retryafter", True, id="case"),
        pytest.param({"delivery-timeout": "disabled"}, "delivery-timeout", False, id="off"),
        pytest.param({"delivery-timeout": "maybe"}, "delivery-timeout", False, id="unknown-word"),
        pytest.param({"_example": "enabled"}, "_example", False, id="underscore"),
    ],
)
def test_flags(features: dict[str, str], flag: str, enabled: bool) -> None:
    assert parse(None, features).enabled(flag) is enabled


def test_the_default_value_is_what_no_configmap_means() -> None:
    assert parse(None, {}) == EventingConfig()


def test_where_events_can_be_kept_the_shipped_class_keeps_them_unless_a_configmap_says() -> None:
    assert parse(None, {}, durable=True).cluster.broker_class == "knlite.dev/SQLite"
    said = {"clusterDefault": {"brokerClass": "MTChannelBasedBroker"}}
    assert parse(said, {}, durable=True).cluster.broker_class == "MTChannelBasedBroker"
