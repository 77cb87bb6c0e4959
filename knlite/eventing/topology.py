"""Resources that take events, and the egresses that deliver them, as the data plane sees them.

The words are those of Knative's contract between control plane and data plane: a resource (a
Broker, an InMemoryChannel) takes events, its egresses (Triggers, Subscriptions) deliver them.

Source: Eventing data plane reference §3.3 (which delivery applies), §4.1 (which dead letter sink),
§7 (order, parallelism); knative-extensions/eventing-kafka-broker ``proto/contract.proto``.
Differs: order and parallelism, annotations of the Kafka and the RabbitMQ broker, hold for every
class here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from knlite.eventing.authorization import Guard, guard_of
from knlite.eventing.channels import channel_host, channel_namespace, names_channel
from knlite.eventing.delivery import DeliveryPolicy, policy_of
from knlite.eventing.destinations import broker_url
from knlite.eventing.filters.build import EVERYTHING, filter_of, filter_text
from knlite.eventing.filters.filter import Filter
from knlite.eventing.identities import account_in
from knlite.kinds.conditions import is_false, is_true
from knlite.kinds.eventing import flow
from knlite.kinds.eventing.broker import Broker, class_of
from knlite.kinds.eventing.brokerclass import SQLITE_CLASS
from knlite.kinds.eventing.delivery import DEAD_LETTER_SINK_RESOLVED, DeliveryStatus
from knlite.kinds.eventing.trigger import (
    SUBSCRIBER_RESOLVED,
    Trigger,
    broker_of,
)
from knlite.kinds.messaging.channelable import SubscriberSpec
from knlite.kinds.messaging.inmemorychannel import InMemoryChannel
from knlite.kinds.messaging.subscription import REFERENCES_RESOLVED, Subscription
from knlite.reconcile import View

ResourceKind = Literal["Broker", "InMemoryChannel"]


class ResourceKey(NamedTuple):
    """Which resource."""

    kind: ResourceKind
    namespace: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Egress:
    """One reader of a resource's events, and where it brings them."""

    kind: Literal["Trigger", "Subscription"]
    namespace: str
    name: str
    uid: str
    filter: Filter = EVERYTHING
    filter_spec: str = "{}"
    """``spec.filter`` and ``spec.filters`` as JSON, to be read by ``filter_from``."""
    subscriber: str | None = None
    """None: not known yet, or its dead letter sink is not; its events are kept."""
    has_subscriber: bool = True
    """False: a Subscription that only replies."""
    reply: str | None = None
    """Where an event goes that the subscriber answers; None: nowhere."""
    policy: DeliveryPolicy = DeliveryPolicy()
    dead_letter_sink: str | None = None
    ordered: bool = False
    """One at a time: the next only after success, dead letter or giving up."""
    parallelism: int = flow.DEFAULT_PARALLELISM
    """How many may be on their way at once, waits for the next attempt included."""
    subscriber_ca_certs: str = ""
    """PEM; empty: those that the machine trusts. So are the next two."""
    reply_ca_certs: str = ""
    dead_letter_ca_certs: str = ""
    account: str = ""
    """The ServiceAccount in whose name it sends; empty: it sends without tokens."""
    subscriber_audience: str = ""
    """To whom a token for the subscriber is addressed; empty: it gets none. So are the next two."""
    reply_audience: str = ""
    dead_letter_audience: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One inbox of events."""

    kind: ResourceKind
    namespace: str
    name: str
    uid: str
    engine: str = "memory"
    """What keeps its events."""
    hosts: tuple[str, ...] = ()
    """Names by which it alone is asked, from inside the cluster."""
    egresses: tuple[Egress, ...] = ()
    guard: Guard | None = None
    """What it asks of its senders; None: nothing."""

    @property
    def key(self) -> ResourceKey:
        return ResourceKey(self.kind, self.namespace, self.name)


@dataclass(frozen=True, slots=True)
class Topology:
    """All resources."""

    resources: Mapping[ResourceKey, Resource] = field(default_factory=dict)


def topology(view: View) -> Topology:
    """Brokers and channels that have an address, with Triggers in the order of their names."""
    brokers = {
        (broker.metadata.namespace, broker.metadata.name): broker
        for broker in view.listed(Broker, "")
        if broker.status.address is not None
    }
    triggers: dict[tuple[str, str], list[Egress]] = {}
    for trigger in view.listed(Trigger, ""):
        key = broker_of(trigger)
        broker = brokers.get(key)
        if broker is not None:
            triggers.setdefault(key, []).append(_of_trigger(trigger, broker))
    resources = (
        Resource(
            kind="Broker",
            namespace=key[0],
            name=key[1],
            uid=broker.metadata.uid,
            engine="sqlite" if class_of(broker) == SQLITE_CLASS else "memory",
            egresses=tuple(triggers.get(key, ())),
            guard=guard_of(broker, view),
        )
        for key, broker in brokers.items()
    )
    subscriptions = _subscriptions(view)
    channels = (
        _of_channel(
            channel,
            subscriptions.get((channel.metadata.namespace, channel.metadata.name), {}),
            guard_of(channel, view),
        )
        for channel in view.listed(InMemoryChannel, "")
        if channel.status.address is not None
    )
    return Topology({resource.key: resource for resource in (*resources, *channels)})


def _of_trigger(trigger: Trigger, broker: Broker) -> Egress:
    own = trigger.spec.delivery
    status = trigger.status
    # An event that fails while the dead letter sink is not there would be lost, so it waits for
    # both. On a cluster such a Trigger has no Subscription yet.
    resolved = is_true(status.conditions, SUBSCRIBER_RESOLVED) and not is_false(
        status.conditions, DEAD_LETTER_SINK_RESOLVED
    )
    if status.dead_letter_sink_uri:
        sinks: DeliveryStatus = status
    else:
        sinks = broker.status
    annotations = trigger.metadata.annotations
    account = account_in(status.auth)
    return Egress(
        kind="Trigger",
        namespace=trigger.metadata.namespace,
        name=trigger.metadata.name,
        uid=trigger.metadata.uid,
        filter=filter_of(trigger.spec),
        filter_spec=filter_text(trigger.spec),
        subscriber=(status.subscriber_uri or None) if resolved else None,
        reply=broker_url(broker.metadata.namespace, broker.metadata.name),
        policy=policy_of(own if own is not None else broker.spec.delivery),
        dead_letter_sink=sinks.dead_letter_sink_uri or None,
        ordered=flow.ordered(annotations),
        parallelism=flow.parallelism(annotations),
        subscriber_ca_certs=status.subscriber_ca_certs or "",
        dead_letter_ca_certs=sinks.dead_letter_sink_ca_certs or "",
        account=account,
        subscriber_audience=_asked(account, status.subscriber_audience),
        dead_letter_audience=_asked(account, sinks.dead_letter_sink_audience),
    )


def _subscriptions(view: View) -> Mapping[tuple[str, str], Mapping[str, Subscription]]:
    """By channel and uid: the Subscriptions that there are, whether it knows them or not."""
    found: dict[tuple[str, str], dict[str, Subscription]] = {}
    for each in view.listed(Subscription, ""):
        if each.metadata.deletion_timestamp is None and names_channel(each.spec.channel):
            channel = (channel_namespace(each, view), each.spec.channel.name)
            found.setdefault(channel, {})[each.metadata.uid] = each
    return found


def _of_channel(
    channel: InMemoryChannel, subscriptions: Mapping[str, Subscription], guard: Guard | None
) -> Resource:
    """*channel* with its subscribers, and with the Subscriptions that it does not know yet.

    Differs: upstream's channels deliver to whom they know and where they know, and what cannot be
    delivered there is lost. Here events wait for a Subscription from the moment it exists, until
    all that it refers to exists, as they do for a Trigger.
    """
    namespace, name = channel.metadata.namespace, channel.metadata.name
    known = {each.uid for each in channel.spec.subscribers}
    return Resource(
        kind="InMemoryChannel",
        namespace=namespace,
        name=name,
        uid=channel.metadata.uid,
        # Differs: upstream keeps the events of such a channel in memory at best.
        engine="sqlite",
        hosts=(channel_host(namespace, name),),
        egresses=(
            *(
                _of_subscriber(each, channel, subscriptions.get(each.uid))
                for each in channel.spec.subscribers
            ),
            *(_unknown(each) for uid, each in subscriptions.items() if uid not in known),
        ),
        guard=guard,
    )


def _unknown(subscription: Subscription) -> Egress:
    """One that its channel does not know, since something that it refers to does not exist."""
    meta = subscription.metadata
    return Egress(kind="Subscription", namespace=meta.namespace, name=meta.name, uid=meta.uid)


def _of_subscriber(
    subscriber: SubscriberSpec, channel: InMemoryChannel, subscription: Subscription | None
) -> Egress:
    """*subscription* is None for one that a person has written into the channel."""
    dangling = subscription is not None and is_false(
        subscription.status.conditions, REFERENCES_RESOLVED
    )
    own = subscriber.delivery
    inherited = channel.spec.delivery
    sink = None if own is None else own.dead_letter_sink
    status = channel.status
    account = account_in(subscriber.auth)
    return Egress(
        kind="Subscription",
        namespace=(subscription or channel).metadata.namespace,
        name=subscriber.name or subscriber.uid,
        # What a person has written may have no uid.
        uid=subscriber.uid or f"{subscriber.subscriber_uri} {subscriber.reply_uri}",
        subscriber=None if dangling else subscriber.subscriber_uri or None,
        has_subscriber=dangling or bool(subscriber.subscriber_uri),
        reply=subscriber.reply_uri or None,
        policy=replace(policy_of(own if own is not None else inherited), structured=False),
        dead_letter_sink=(sink.uri if sink is not None else status.dead_letter_sink_uri) or None,
        subscriber_ca_certs=subscriber.subscriber_ca_certs or "",
        reply_ca_certs=subscriber.reply_ca_certs or "",
        dead_letter_ca_certs=(
            sink.ca_certs if sink is not None else status.dead_letter_sink_ca_certs
        )
        or "",
        account=account,
        subscriber_audience=_asked(account, subscriber.subscriber_audience),
        reply_audience=_asked(account, subscriber.reply_audience),
        dead_letter_audience=_asked(
            account, sink.audience if sink is not None else status.dead_letter_sink_audience
        ),
    )


def _asked(account: str, audience: str | None) -> str:
    """The audience of tokens for a target that has said one, for who has an identity."""
    return (audience or "") if account else ""
