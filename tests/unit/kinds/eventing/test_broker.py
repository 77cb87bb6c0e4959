"""Eventing reference §3: defaults, validation and immutability of a Broker."""

import pytest
from msgspec.structs import replace

from knlite.kinds.config.bundle import Config
from knlite.kinds.config.eventing import BrokerDefaults, EventingConfig
from knlite.kinds.eventing.broker import Broker, BrokerSpec, defaulted, validated
from knlite.kinds.eventing.delivery import DeliverySpec
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.fielderror import rendered
from knlite.kinds.kreference import KReference
from knlite.kinds.labels import BROKER_CLASS
from knlite.kinds.meta import ObjectMeta

CONFIG = Config()


def broker(broker_class: str = "", **spec: object) -> Broker:
    annotations = {BROKER_CLASS: broker_class} if broker_class else {}
    meta = ObjectMeta(name="default", namespace="shop", annotations=annotations)
    return Broker(metadata=meta, spec=replace(BrokerSpec(), **spec))


def stored(obj: Broker) -> Broker:
    return defaulted(obj, None, CONFIG)


def test_a_broker_gets_class_config_and_delivery() -> None:
    obj = stored(broker())
    assert obj.metadata.annotations == {BROKER_CLASS: "MTChannelBasedBroker"}
    assert obj.spec.config is not None
    assert obj.spec.config.name == "config-br-default-channel"
    assert obj.spec.delivery == DeliverySpec(
        retry=10, backoff_policy="exponential", backoff_delay="PT0.2S"
    )
    assert validated(obj, None, CONFIG) == ()


def test_an_update_that_names_no_class_keeps_the_one_that_is_there() -> None:
    old = stored(broker("knlite.dev/SQLite"))
    new = defaulted(broker(), old, CONFIG)
    assert new.metadata.annotations == {BROKER_CLASS: "knlite.dev/SQLite"}
    assert validated(new, old, CONFIG) == ()


def test_defaulting_twice_changes_nothing() -> None:
    assert stored(stored(broker())) == stored(broker())


def test_its_own_config_lies_in_its_namespace_and_its_own_delivery_is_not_filled_up() -> None:
    reference = KReference(api_version="v1", kind="ConfigMap", name="mine")
    obj = stored(broker(config=reference, delivery=DeliverySpec(retry=0)))
    assert obj.spec.config == replace(reference, namespace="shop")
    assert obj.spec.delivery == DeliverySpec(retry=0)


def test_timeout_and_format_of_the_configured_delivery_are_ignored() -> None:
    delivery = DeliverySpec(retry=1, timeout="PT1S", format="json")
    config = Config(eventing=EventingConfig(cluster=BrokerDefaults(delivery=delivery)))
    assert defaulted(broker(), None, config).spec.delivery == DeliverySpec(retry=1)


def test_a_class_is_required_when_nothing_gives_one() -> None:
    errors = validated(broker(), None, CONFIG)
    assert rendered(errors) == "missing field(s): eventing.knative.dev/broker.class"


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        pytest.param(
            broker("Kafka"),
            broker("Rabbit"),
            "Immutable annotations changed (-old +new): annotations\n"
            '{string}:\n\t-: "Kafka"\n\t+: "Rabbit"\n',
            id="class",
        ),
        pytest.param(
            broker("Kafka", config=KReference(api_version="v1", kind="ConfigMap", name="a")),
            broker("Kafka", config=KReference(api_version="v1", kind="ConfigMap", name="b")),
            "Immutable fields changed (-old +new): spec\n"
            '{v1.BrokerSpec}.Config.Name:\n\t-: "a"\n\t+: "b"\n',
            id="config",
        ),
        pytest.param(
            broker("Kafka", delivery=DeliverySpec(retry=1)),
            broker("Kafka", delivery=DeliverySpec(retry=2)),
            "",
            id="delivery-may-change",
        ),
    ],
)
def test_what_may_not_change(old: Broker, new: Broker, text: str) -> None:
    assert rendered(validated(new, old, CONFIG)) == text


def test_config_can_be_bound_to_the_namespace() -> None:
    defaults = BrokerDefaults(same_namespace_only=True)
    config = Config(eventing=EventingConfig(cluster=defaults))
    errors = validated(stored(broker()), None, config)
    assert rendered(errors) == (
        "mismatched namespaces: spec.config.namespace\n"
        'parent namespace: "shop" does not match ref: "knative-eventing"'
    )


@pytest.mark.parametrize(
    ("cluster", "namespace", "refused"),
    [(False, False, False), (True, False, True), (False, True, True), (True, True, True)],
)
def test_a_namespace_cannot_allow_what_the_cluster_forbids(
    cluster: bool, namespace: bool, refused: bool
) -> None:
    config = Config(
        eventing=EventingConfig(
            cluster=BrokerDefaults(same_namespace_only=cluster),
            namespaces={"shop": BrokerDefaults(same_namespace_only=namespace)},
        )
    )
    graveyard = KReference(api_version="v1", kind="Service", name="g", namespace="other")
    delivery = DeliverySpec(dead_letter_sink=Destination(ref=graveyard))
    text = rendered(validated(broker("Kafka", delivery=delivery), None, config))
    assert ("spec.delivery.deadLetterSink.ref.namespace" in text) is refused


def test_delivery_errors_have_the_whole_path() -> None:
    errors = validated(broker("Kafka", delivery=DeliverySpec(retry=-1)), None, CONFIG)
    assert rendered(errors) == "invalid value: -1: spec.delivery.retry"
