"""Triggers and Subscriptions as egresses of their Broker or their channel.

Source: Eventing data plane reference §3.3 (which delivery applies), §4.1 (which dead letter sink),
§7 (order, parallelism).
Differs: order and parallelism, annotations of the Kafka and the RabbitMQ broker, hold for every
class here.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Protocol

from knlite.eventing.channels import channel_namespace, names_channel
from knlite.eventing.delivery import DeliveryPolicy, policy_of
from knlite.eventing.destinations import broker_url
from knlite.eventing.filters.build import filter_of, filter_text
from knlite.eventing.identities import account_in
from knlite.eventing.topology import Egress
from knlite.kinds.conditions import is_false, is_true
from knlite.kinds.eventing import flow
from knlite.kinds.eventing.broker import Broker, class_of
from knlite.kinds.eventing.delivery import DEAD_LETTER_SINK_RESOLVED, DeliverySpec
from knlite.kinds.eventing.trigger import SUBSCRIBER_RESOLVED, Trigger
from knlite.kinds.messaging.channelable import (
    ChannelableSpec,
    ChannelableStatus,
    SubscriberSpec,
)
from knlite.kinds.messaging.subscription import REFERENCES_RESOLVED, Subscription
from knlite.kinds.meta import ObjectMeta
from knlite.reconcile import View


class SubscribableChannel(Protocol):
    """A channel that delivers to those whom it knows, of whichever kind."""

    @property
    def metadata(self) -> ObjectMeta: ...
    @property
    def spec(self) -> ChannelableSpec: ...
    @property
    def status(self) -> ChannelableStatus: ...


def of_trigger(trigger: Trigger, broker: Broker) -> Egress:
    """*trigger* of *broker*, of whichever class that is."""
    own = trigger.spec.delivery
    status = trigger.status
    sinks: Trigger | Broker = trigger if status.dead_letter_sink_uri else broker
    # An event that fails while the dead letter sink is not there would be lost, so it waits for
    # both. On a cluster such a Trigger has no Subscription yet.
    resolved = is_true(status.conditions, SUBSCRIBER_RESOLVED) and not any(
        is_false(each.status.conditions, DEAD_LETTER_SINK_RESOLVED) for each in (trigger, sinks)
    )
    annotations = trigger.metadata.annotations
    account = account_in(status.auth)
    return Egress(
        kind="Trigger",
        namespace=trigger.metadata.namespace,
        name=trigger.metadata.name,
        uid=trigger.metadata.uid,
        filter=filter_of(trigger.spec),
        filter_spec=filter_text(trigger.spec),
        attributes=_attributes(trigger),
        subscriber=(status.subscriber_uri or None) if resolved else None,
        reply=broker_url(broker.metadata.namespace, broker.metadata.name),
        policy=policy_of(own if own is not None else broker.spec.delivery),
        dead_letter_sink=sinks.status.dead_letter_sink_uri or None,
        own_dead_letters=own is not None and own.dead_letter_sink is not None,
        ordered=flow.ordered(annotations),
        parallelism=flow.parallelism(annotations, class_of(broker)),
        prefetch=flow.prefetch(annotations),
        subscriber_ca_certs=status.subscriber_ca_certs or "",
        dead_letter_ca_certs=sinks.status.dead_letter_sink_ca_certs or "",
        account=account,
        subscriber_audience=_asked(account, status.subscriber_audience),
        dead_letter_audience=_asked(account, sinks.status.dead_letter_sink_audience),
    )


def of_trigger_on_server(
    trigger: Trigger,
    broker: Broker,
    reader: str,
    policy: Callable[[DeliverySpec | None], DeliveryPolicy],
) -> Egress:
    """The same of a *broker* on a server, where *reader* is its name, with retries by *policy*.

    With Kafka and RabbitMQ a delivery of the Trigger's own counts as a whole: who names no dead
    letter sink in it has none, even if the Broker has one.
    """
    own = trigger.spec.delivery
    retries = policy(own if own is not None else broker.spec.delivery)
    egress = replace(of_trigger(trigger, broker), reader=reader, policy=retries)
    if own is None or own.dead_letter_sink is not None:
        return egress
    return replace(egress, dead_letter_sink=None, dead_letter_ca_certs="", dead_letter_audience="")


def subscriptions(view: View, kind: str) -> Mapping[tuple[str, str], Mapping[str, Subscription]]:
    """By channel of *kind* and uid: the Subscriptions that there are, whether it knows them or not.

    Those of a Channel count for the channel of the same name behind it.
    """
    found: dict[tuple[str, str], dict[str, Subscription]] = {}
    for each in view.listed(Subscription, ""):
        ref = each.spec.channel
        mine = names_channel(ref) and ref.kind in {kind, "Channel"}
        if mine and each.metadata.deletion_timestamp is None:
            channel = (channel_namespace(each, view), each.spec.channel.name)
            found.setdefault(channel, {})[each.metadata.uid] = each
    return found


def of_channel(
    channel: SubscribableChannel,
    subscriptions: Mapping[str, Subscription],
    policy: Callable[[DeliverySpec | None, DeliverySpec | None], DeliveryPolicy],
) -> tuple[Egress, ...]:
    """Its subscribers, and the Subscriptions that it does not know yet.

    *policy* makes the retries of one of the delivery of its own and the channel's.

    Differs: upstream's channels deliver to whom they know and where they know, and what cannot be
    delivered there is lost. Here events wait for a Subscription from the moment it exists, until
    all that it refers to exists, as they do for a Trigger.
    """
    known = {each.uid for each in channel.spec.subscribers}
    return (
        *(
            _of_subscriber(each, channel, subscriptions.get(each.uid), policy)
            for each in channel.spec.subscribers
        ),
        *(_unknown(each) for uid, each in subscriptions.items() if uid not in known),
    )


def _attributes(trigger: Trigger) -> Mapping[str, str]:
    spec = trigger.spec
    return {} if spec.filters or spec.filter is None else spec.filter.attributes


def _unknown(subscription: Subscription) -> Egress:
    """One that its channel does not know, since something that it refers to does not exist."""
    meta = subscription.metadata
    return Egress(kind="Subscription", namespace=meta.namespace, name=meta.name, uid=meta.uid)


def _of_subscriber(
    subscriber: SubscriberSpec,
    channel: SubscribableChannel,
    subscription: Subscription | None,
    policy: Callable[[DeliverySpec | None, DeliverySpec | None], DeliveryPolicy],
) -> Egress:
    """*subscription* is None for one that a person has written into the channel."""
    dangling = subscription is not None and is_false(
        subscription.status.conditions, REFERENCES_RESOLVED
    )
    own = subscriber.delivery
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
        policy=policy(own, channel.spec.delivery),
        dead_letter_sink=(sink.uri if sink is not None else status.dead_letter_sink_uri) or None,
        own_dead_letters=sink is not None,
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
