"""Eventing reference §17: the filter of a Trigger on RabbitMQ is immutable."""

from msgspec.structs import replace

from knlite.eventing.triggers.immutable import filter_kept
from knlite.kinds.eventing.broker import Broker
from knlite.kinds.eventing.trigger import Trigger, TriggerFilter, TriggerSpec
from knlite.kinds.fielderror import rendered
from knlite.kinds.labels import BROKER_CLASS
from knlite.kinds.meta import ObjectMeta
from tests.unit.fake_view import FakeView


def broker(broker_class: str) -> Broker:
    annotations = {BROKER_CLASS: broker_class}
    return Broker(metadata=ObjectMeta(name="b", namespace="shop", annotations=annotations))


def trigger(event_type: str) -> Trigger:
    return Trigger(
        metadata=ObjectMeta(name="t", namespace="shop"),
        spec=TriggerSpec(broker="b", filter=TriggerFilter(attributes={"type": event_type})),
    )


def test_it_cannot_be_changed() -> None:
    text = rendered(filter_kept(trigger("b"), trigger("a"), FakeView(broker("RabbitMQBroker"))))
    assert text == (
        "Immutable fields changed (-old +new): filter, spec\n"
        '{v1.TriggerFilter}.Attributes.Type:\n\t-: "a"\n\t+: "b"\n'
    )


def test_everything_else_can_and_so_can_the_filters_of_other_classes() -> None:
    view = FakeView(broker("RabbitMQBroker"))
    changed = replace(trigger("a"), metadata=ObjectMeta(name="t", namespace="shop", uid="u"))
    assert filter_kept(changed, trigger("a"), view) == ()
    assert filter_kept(trigger("b"), None, view) == ()
    assert filter_kept(trigger("b"), trigger("a"), FakeView(broker("Kafka"))) == ()
    assert filter_kept(trigger("b"), trigger("a"), FakeView()) == ()
