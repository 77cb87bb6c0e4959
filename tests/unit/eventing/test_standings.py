"""Standings on a server as conditions (Eventing reference §17)."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from knlite.eventing.standings import DEAD_LETTERS, Standing, condition_of, with_standing, worst
from knlite.kinds.conditions import find
from knlite.kinds.eventing.broker import Broker, BrokerSpec
from knlite.kinds.eventing.delivery import DeliverySpec
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.eventing.kafkasink import KafkaSink
from knlite.kinds.eventing.trigger import Trigger
from knlite.kinds.messaging.kafkachannel import KafkaChannel
from knlite.kinds.meta import Object, ObjectMeta
from knlite.kinds.sources.kafkasource import KafkaSource
from knlite.kinds.sources.rabbitmqsource import RabbitmqSource

NOW = datetime(2026, 1, 2, tzinfo=UTC)
LOST = Standing(False, "ServerLost", "connection refused")


def meta(**annotations: str) -> ObjectMeta:
    return ObjectMeta(name="a", namespace="n", annotations=annotations)


def broker(broker_class: str, *, sink: bool = False) -> Broker:
    delivery = DeliverySpec(dead_letter_sink=Destination(uri="http://x")) if sink else None
    return Broker(
        metadata=meta(**{"eventing.knative.dev/broker.class": broker_class}),
        spec=BrokerSpec(delivery=delivery),
    )


@pytest.mark.parametrize(
    ("obj", "name"),
    [
        (broker("Kafka"), "TopicReady"),
        (broker("KafkaNamespaced"), "TopicReady"),
        (broker("RabbitMQBroker"), "ExchangeReady"),
        (KafkaSink(metadata=meta()), "TopicReady"),
        (KafkaChannel(metadata=meta()), "TopicReady"),
        (KafkaSource(metadata=meta()), "ConsumerGroup"),
        (RabbitmqSource(metadata=meta()), "ExchangeReady"),
        (Trigger(metadata=meta()), "DependencyReady"),
    ],
)
def test_a_server_that_is_lost_makes_what_is_there_unready(obj: Object, name: str) -> None:
    told = with_standing(obj, "", LOST, NOW)
    conditions = told.status.conditions  # type: ignore[attr-defined]
    for each in (name, "Ready"):
        condition = find(conditions, each)
        assert condition is not None
        assert (condition.status, condition.reason, condition.message) == (
            "False",
            "ServerLost",
            "connection refused",
        )
    assert with_standing(told, "", LOST, NOW) is told
    back = with_standing(told, "", Standing(True), NOW)
    assert find(back.status.conditions, name).status == "True"  # type: ignore[attr-defined, union-attr]


@pytest.mark.parametrize(
    ("obj", "name", "reason"),
    [
        (KafkaSink(metadata=meta()), "TopicReady", "Topic t (owner external)"),
        (KafkaSource(metadata=meta()), "ConsumerGroup", ""),
    ],
)
def test_whose_a_topic_is_stands_where_topics_are_spoken_of(
    obj: Object, name: str, reason: str
) -> None:
    told = with_standing(obj, "", Standing(True, "Topic t (owner external)"), NOW)
    condition = find(told.status.conditions, name)  # type: ignore[attr-defined]
    assert condition is not None
    assert (condition.status, condition.reason) == ("True", reason)


@pytest.mark.parametrize(
    "obj",
    [
        broker("MTChannelBasedBroker"),
        Trigger(metadata=meta(**{"knative.dev/dependency": '{"kind":"X","name":"x"}'})),
        Trigger(metadata=meta(**{"knative.dev/dependency": "no JSON"})),
    ],
)
def test_where_something_else_is_said_by_it_nothing_is_written(obj: Object) -> None:
    assert with_standing(obj, "", LOST, NOW) is obj


def test_a_queue_of_dead_letters_has_a_condition_if_there_is_one() -> None:
    with_sink = broker("RabbitMQBroker", sink=True)
    told = with_standing(with_sink, DEAD_LETTERS, LOST, NOW)
    assert find(told.status.conditions, "DLXReady").reason == "ServerLost"  # type: ignore[attr-defined, union-attr]
    assert condition_of(broker("RabbitMQBroker"), DEAD_LETTERS) is None


def test_of_several_the_worst_counts() -> None:
    good, coming = Standing(True), Standing(None)
    assert worst([good]) == good
    assert worst([good, coming]) == coming
    assert worst([good, coming, LOST]) == LOST


def test_other_conditions_stay_as_they_are() -> None:
    told = with_standing(broker("Kafka"), "", Standing(True), NOW)
    assert isinstance(told, Broker)
    again = replace(told, metadata=meta())
    assert find(again.status.conditions, "Addressable").status == "Unknown"  # type: ignore[union-attr]
