"""Objects as resources that are kept in Kafka."""

from collections.abc import Iterable

from knlite.eventing.backing import Problem
from knlite.eventing.kafka.backing import KafkaBacking
from knlite.eventing.topology import Resource
from knlite.kinds.eventing.broker import Broker
from knlite.kinds.eventing.trigger import Trigger
from knlite.reconcile import View


def kafka_backing_of(broker: Broker, view: View) -> KafkaBacking | Problem:
    """Where *broker*, which is of class Kafka, keeps its events."""
    return Problem("NotImplemented", "the class Kafka is not there yet")


def kafka_reader_of(trigger: Trigger, view: View) -> str:
    """The consumer group of *trigger*."""
    return f"knative-trigger-{trigger.metadata.namespace}-{trigger.metadata.name}"


def kafka_resources(view: View) -> Iterable[Resource]:
    """KafkaSources, KafkaSinks and KafkaChannels."""
    return ()
