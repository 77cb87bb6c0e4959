"""Subscription: finds out where events, answers and dead letters go, and tells its channel.

Each step that fails ends the reconcile and leaves the later conditions, and what the channel knows,
as they were: events go on to where they went. It recovers by itself when what was missing appears.

Differs: one that is deleted leaves its channel also while that is not ready. Upstream waits for the
channel, and the Subscription stays until then. In other namespaces nobody's permission is asked.

Source: knative/eventing ``pkg/reconciler/subscription/subscription.go``; Eventing reference §6.
"""

from datetime import datetime

import msgspec

from knlite.eventing.channels import BackingChannel, backing_of, channel_at, channel_namespace
from knlite.eventing.destinations import Resolved, resolve
from knlite.eventing.finalizers import held, released
from knlite.eventing.identities import identified
from knlite.eventing.references import not_found
from knlite.kinds.conditions import ConditionEditor, is_true
from knlite.kinds.eventing.delivery import DeliverySpec
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.kreference import group_of
from knlite.kinds.messaging.channel import Channel
from knlite.kinds.messaging.channelable import SubscriberSpec
from knlite.kinds.messaging.kafkachannel import KafkaChannel
from knlite.kinds.messaging.subscription import (
    ADDED_TO_CHANNEL,
    CHANNEL_READY,
    CONDITIONS,
    FINALIZER,
    OIDC_IDENTITY_CREATED,
    REFERENCES_RESOLVED,
    PhysicalSubscription,
    Subscription,
    said,
)
from knlite.reconcile import Change, Key, Outcome, Update, UpdateStatus, View

_NOT_MARKED = "SubscriptionNotMarkedReadyByChannel"


def reconcile(key: Key, view: View, now: datetime) -> Outcome:
    """The finalizer, the entry in the channel, and the status of the Subscription at *key*."""
    subscription = view.get(Subscription, key.namespace, key.name)
    if subscription is None:
        return Outcome()
    if subscription.metadata.deletion_timestamp is not None:
        return _removed(subscription, view)
    changes: list[Change] = []
    if (holding := held(subscription, FINALIZER)) is not subscription:
        changes.append(Update(holding))
    before = subscription.status
    conditions = CONDITIONS.edit(before.conditions, now)
    auth, accounts = identified(subscription, OIDC_IDENTITY_CREATED, conditions, view)
    changes += accounts
    subscription = msgspec.structs.replace(
        subscription, status=msgspec.structs.replace(subscription.status, auth=auth)
    )
    physical = subscription.status.physical_subscription
    channel = _channel(subscription, conditions, view)
    if channel is not None:
        physical = _resolved(subscription, channel, conditions, view)
        if conditions.is_true(REFERENCES_RESOLVED):
            changes += _synchronized(subscription, physical, channel, conditions)
    status = msgspec.structs.replace(
        subscription.status,
        observed_generation=subscription.metadata.generation,
        physical_subscription=physical,
        conditions=conditions.result(),
    )
    if status != before:
        changes.append(UpdateStatus(msgspec.structs.replace(subscription, status=status)))
    return Outcome(tuple(changes))


def _removed(subscription: Subscription, view: View) -> Outcome:
    """Take the entry out of the channel, if that is still there, and let go."""
    if (free := released(subscription, FINALIZER)) is subscription:
        return Outcome()
    changes: list[Change] = []
    reference = subscription.spec.channel
    # Also where links to other namespaces are not allowed any more.
    namespace = reference.namespace or subscription.metadata.namespace
    channel = channel_at(reference, namespace, view)
    if isinstance(channel, Channel):
        channel = backing_of(channel, view)
    if channel is not None:
        uid = subscription.metadata.uid
        rest = tuple(each for each in channel.spec.subscribers if each.uid != uid)
        if rest != channel.spec.subscribers:
            changes.append(Update(_with_subscribers(channel, rest)))
    return Outcome((*changes, Update(free)))


def _channel(
    subscription: Subscription, conditions: ConditionEditor, view: View
) -> BackingChannel | None:
    """The channel that has the subscribers; None, and ReferencesResolved Unknown, without one."""
    reference = subscription.spec.channel
    namespace = channel_namespace(subscription, view)
    channel = channel_at(reference, namespace, view)
    problem = ""
    if isinstance(channel, Channel):
        ready = is_true(channel.status.conditions) and channel.status.channel is not None
        problem = "" if ready else "channel is not ready."
        template = channel.spec.channel_template
        kind = "InMemoryChannel" if template is None else template.kind
        channel = backing_of(channel, view) if ready else None
        missing = not_found("messaging.knative.dev", kind, reference.name)
    else:
        missing = not_found(group_of(reference), reference.kind, reference.name)
    if channel is None:
        text = f"Failed to get Spec.Channel or backing channel: {problem or missing}"
        conditions.unknown(REFERENCES_RESOLVED, "ChannelReferenceFailed", text)
    return channel


def _resolved(
    subscription: Subscription, channel: BackingChannel, conditions: ConditionEditor, view: View
) -> PhysicalSubscription:
    """Where everything goes; marks ReferencesResolved, False at the first that leads nowhere."""
    physical = subscription.status.physical_subscription
    namespace = subscription.metadata.namespace
    empty = Resolved("")
    subscriber, reply = said(subscription.spec.subscriber), said(subscription.spec.reply)
    found = empty if subscriber is None else resolve(subscriber, namespace, view)
    if not isinstance(found, Resolved):
        text = f"Failed to resolve spec.subscriber: {found.message}"
        conditions.false(REFERENCES_RESOLVED, "SubscriberResolveFailed", text)
        return physical
    physical = msgspec.structs.replace(
        physical,
        subscriber_uri=found.url,
        subscriber_ca_certs=found.ca_certs,
        subscriber_audience=found.audience,
    )
    found = empty if reply is None else resolve(reply, namespace, view)
    if not isinstance(found, Resolved):
        text = f"Failed to resolve spec.reply: {found.message}"
        conditions.false(REFERENCES_RESOLVED, "ReplyResolveFailed", text)
        return physical
    physical = msgspec.structs.replace(
        physical,
        reply_uri=found.url,
        reply_ca_certs=found.ca_certs,
        reply_audience=found.audience,
    )
    sink = _dead_letter_sink(subscription, channel, view)
    if isinstance(sink, str):
        conditions.false(REFERENCES_RESOLVED, "DeadLetterSinkResolveFailed", sink)
        sink = empty
    else:
        conditions.true(REFERENCES_RESOLVED)
    return msgspec.structs.replace(
        physical,
        dead_letter_sink_uri=sink.url,
        dead_letter_sink_ca_certs=sink.ca_certs,
        dead_letter_sink_audience=sink.audience,
    )


def _dead_letter_sink(
    subscription: Subscription, channel: BackingChannel, view: View
) -> Resolved | str:
    """The Subscription's own, else the channel's, empty if there is none; or what is wrong."""
    own, inherited = subscription.spec.delivery, channel.spec.delivery
    if own is not None and own.dead_letter_sink is not None:
        sink = resolve(own.dead_letter_sink, subscription.metadata.namespace, view)
        if isinstance(sink, Resolved):
            return sink
        return f"Failed to resolve spec.delivery.deadLetterSink: {sink.message}"
    if inherited is None or inherited.dead_letter_sink is None:
        return Resolved("")
    status = channel.status
    if not status.dead_letter_sink_uri:
        return f"channel {channel.metadata.name} didn't set status.deadLetterSinkURI"
    return Resolved(
        status.dead_letter_sink_uri,
        status.dead_letter_sink_ca_certs,
        status.dead_letter_sink_audience,
    )


def _synchronized(
    subscription: Subscription,
    physical: PhysicalSubscription,
    channel: BackingChannel,
    conditions: ConditionEditor,
) -> tuple[Update, ...]:
    """The change to *channel*, if it has to be told; else what it says of the Subscription."""
    entry = _entry(subscription, physical, channel)
    present = channel.spec.subscribers
    known = any(each.uid == entry.uid for each in present)
    wanted = tuple(entry if each.uid == entry.uid else each for each in present)
    if not known:
        wanted = (*wanted, entry)
    conditions.true(ADDED_TO_CHANNEL)
    if wanted != present:
        return (Update(_with_subscribers(channel, wanted)),)
    meta = subscription.metadata
    said_of_it = next(
        (
            each.ready
            for each in channel.status.subscribers
            if each.uid == meta.uid and each.observed_generation == meta.generation
        ),
        None,
    )
    match said_of_it:
        case "True":
            conditions.true(CHANNEL_READY)
        case "False":
            text = "Subscription marked by Channel as False"
            conditions.false(CHANNEL_READY, _NOT_MARKED, text)
        case "Unknown":
            text = "Subscription marked by Channel as Unknown"
            conditions.unknown(CHANNEL_READY, _NOT_MARKED, text)
        case None:
            text = (
                f'Failed to get subscription status: subscription "{meta.name}" not present in'
                f' channel "{channel.metadata.name}" subscriber\'s list'
            )
            conditions.unknown(CHANNEL_READY, _NOT_MARKED, text)
    return ()


def _entry(
    subscription: Subscription, physical: PhysicalSubscription, channel: BackingChannel
) -> SubscriberSpec:
    meta = subscription.metadata
    return SubscriberSpec(
        name=meta.name,
        uid=meta.uid,
        generation=meta.generation,
        subscriber_uri=physical.subscriber_uri,
        subscriber_ca_certs=physical.subscriber_ca_certs,
        subscriber_audience=physical.subscriber_audience,
        reply_uri=physical.reply_uri,
        reply_ca_certs=physical.reply_ca_certs,
        reply_audience=physical.reply_audience,
        delivery=_delivery(subscription.spec.delivery or channel.spec.delivery, physical),
        auth=subscription.status.auth,
    )


def _delivery(spec: DeliverySpec | None, physical: PhysicalSubscription) -> DeliverySpec | None:
    """What the channel is told: the sink as it was resolved, and all of *spec* but its format.

    A Subscription that has any delivery gets nothing of its channel's but the dead letter sink.
    """
    sink = None
    if physical.dead_letter_sink_uri:
        sink = Destination(
            uri=physical.dead_letter_sink_uri,
            ca_certs=physical.dead_letter_sink_ca_certs,
            audience=physical.dead_letter_sink_audience,
        )
    told = msgspec.structs.replace(spec or DeliverySpec(), dead_letter_sink=sink, format=None)
    return None if told == DeliverySpec() else told


def _with_subscribers(
    channel: BackingChannel, subscribers: tuple[SubscriberSpec, ...]
) -> BackingChannel:
    if isinstance(channel, KafkaChannel):
        on_kafka = msgspec.structs.replace(channel.spec, subscribers=subscribers)
        return msgspec.structs.replace(channel, spec=on_kafka)
    spec = msgspec.structs.replace(channel.spec, subscribers=subscribers)
    return msgspec.structs.replace(channel, spec=spec)
