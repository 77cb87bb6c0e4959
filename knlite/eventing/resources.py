"""All objects that take events, or bring those of a server, as the resources of a topology."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from knlite.eventing.authorization import guard_of
from knlite.eventing.channels import channel_host
from knlite.eventing.delivery import DeliveryPolicy, policy_of
from knlite.eventing.egresses import of_channel, of_trigger, subscriptions
from knlite.eventing.kafka.backings import kafka_backing_of
from knlite.eventing.kafka.resources import kafka_resources, of_kafka_trigger
from knlite.eventing.rabbitmq.resources import (
    of_rabbitmq_trigger,
    rabbitmq_backing_of,
    rabbitmq_broker_host,
    rabbitmq_resources,
)
from knlite.eventing.topology import Egress, Resource, Topology, placed
from knlite.kinds.eventing import brokerclass
from knlite.kinds.eventing.broker import Broker, class_of
from knlite.kinds.eventing.delivery import DeliverySpec
from knlite.kinds.eventing.trigger import Trigger, broker_of
from knlite.kinds.messaging.inmemorychannel import InMemoryChannel
from knlite.kinds.messaging.subscription import Subscription
from knlite.reconcile import View


def topology(view: View) -> Topology:
    """Brokers with Triggers in the order of their names, channels, and what is on servers.

    A Broker or a channel that is kept here is there when it has an address. What is kept on a
    server is there from the beginning: its status follows from what becomes of it on the server.
    """
    triggers: dict[tuple[str, str], list[Trigger]] = {}
    for trigger in view.listed(Trigger, ""):
        triggers.setdefault(broker_of(trigger), []).append(trigger)
    brokers = (
        _of_broker(each, triggers.get((each.metadata.namespace, each.metadata.name), ()), view)
        for each in view.listed(Broker, "")
    )
    known = subscriptions(view, "InMemoryChannel")
    channels = (
        _of_channel(each, known.get((each.metadata.namespace, each.metadata.name), {}), view)
        for each in view.listed(InMemoryChannel, "")
        if each.status.address is not None
    )
    resources = (
        *(each for each in brokers if each is not None),
        *channels,
        *kafka_resources(view),
        *rabbitmq_resources(view),
    )
    return Topology({resource.key: resource for resource in resources})


def _of_broker(broker: Broker, triggers: Sequence[Trigger], view: View) -> Resource | None:
    """None: it is kept here, and has no address yet, or nobody knows its class."""
    namespace, name = broker.metadata.namespace, broker.metadata.name
    resource = Resource(
        kind="Broker",
        namespace=namespace,
        name=name,
        uid=broker.metadata.uid,
        egresses=tuple(_egress(each, broker, view) for each in triggers),
        guard=guard_of(broker, view),
    )
    match class_of(broker):
        case brokerclass.KAFKA_CLASS | brokerclass.KAFKA_NAMESPACED_CLASS:
            return placed(replace(resource, engine="kafka"), kafka_backing_of(broker, view))
        case brokerclass.RABBITMQ_CLASS:
            hosts = (rabbitmq_broker_host(namespace, name),)
            resource = replace(resource, engine="rabbitmq", hosts=hosts)
            return placed(resource, rabbitmq_backing_of(broker, view))
        case brokerclass.SQLITE_CLASS:
            resource = replace(resource, engine="sqlite")
        case _:
            pass
    return None if broker.status.address is None else resource


def _egress(trigger: Trigger, broker: Broker, view: View) -> Egress:
    match class_of(broker):
        case brokerclass.KAFKA_CLASS | brokerclass.KAFKA_NAMESPACED_CLASS:
            return of_kafka_trigger(trigger, broker, view)
        case brokerclass.RABBITMQ_CLASS:
            return of_rabbitmq_trigger(trigger, broker, view)
        case _:
            return of_trigger(trigger, broker)


def _of_channel(
    channel: InMemoryChannel, subscriptions: Mapping[str, Subscription], view: View
) -> Resource:
    namespace, name = channel.metadata.namespace, channel.metadata.name
    return Resource(
        kind="InMemoryChannel",
        namespace=namespace,
        name=name,
        uid=channel.metadata.uid,
        # Differs: upstream keeps the events of such a channel in memory at best.
        engine="sqlite",
        hosts=(channel_host(namespace, name),),
        egresses=of_channel(channel, subscriptions, _retries),
        guard=guard_of(channel, view),
    )


def _retries(own: DeliverySpec | None, inherited: DeliverySpec | None) -> DeliveryPolicy:
    """A Subscription's own as a whole, else the channel's; always in binary mode."""
    return replace(policy_of(own if own is not None else inherited), structured=False)
