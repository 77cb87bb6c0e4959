"""Objects as resources that are kept in RabbitMQ."""

from collections.abc import Iterable

from knlite.eventing.backing import Problem
from knlite.eventing.rabbitmq.backing import RabbitmqBacking
from knlite.eventing.topology import Resource
from knlite.kinds.eventing.broker import Broker
from knlite.kinds.eventing.trigger import Trigger
from knlite.reconcile import View


def rabbitmq_broker_host(namespace: str, name: str) -> str:
    """Where the Broker *name* takes events in; each of this class has a host of its own."""
    return f"{name}-broker-ingress.{namespace}.svc.cluster.local"


def rabbitmq_backing_of(broker: Broker, view: View) -> RabbitmqBacking | Problem:
    """Where *broker*, which is of class RabbitMQBroker, keeps its events."""
    return Problem("NotImplemented", "the class RabbitMQBroker is not there yet")


def rabbitmq_reader_of(trigger: Trigger, broker: Broker, view: View) -> str:
    """The queue of *trigger*, which reads from *broker*."""
    return f"{trigger.metadata.namespace}.{trigger.metadata.name}.{broker.metadata.uid}"


def rabbitmq_resources(view: View) -> Iterable[Resource]:
    """RabbitmqSources."""
    return ()
