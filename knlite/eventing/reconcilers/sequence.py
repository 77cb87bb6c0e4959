"""Sequence: a channel before every step, and a Subscription that leads from it to the step.

The answer of a step goes to the next channel, that of the last to the reply. What is not ready
makes the conditions Unknown, not False (``parallel.py`` differs).

Source: knative/eventing ``pkg/reconciler/sequence``; Eventing reference §7, §20.1.
"""

from collections.abc import Sequence as Several
from datetime import datetime

import msgspec

from knlite.eventing.channels import Channelable, NoSuchChannel
from knlite.eventing.flows import (
    BadSubscription,
    Children,
    all_ready,
    auth_of,
    no_ready,
    reference_to,
    subscription_status,
)
from knlite.eventing.policies import applied_policies
from knlite.kinds.addressable import Addressable
from knlite.kinds.conditions import ConditionEditor, find, is_true
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.flows.flowstatus import (
    ADDRESSABLE,
    CHANNELS_READY,
    SUBSCRIPTIONS_READY,
    FlowChannelStatus,
)
from knlite.kinds.flows.sequence import CONDITIONS, Sequence, SequenceStatus
from knlite.kinds.messaging.channeltemplate import ChannelTemplate
from knlite.kinds.messaging.subscription import Subscription
from knlite.reconcile import Key, Outcome, View, concluded


def reconcile(key: Key, view: View, now: datetime) -> Outcome:
    """The channels, the Subscriptions and the status of the Sequence at *key*."""
    sequence = view.get(Sequence, key.namespace, key.name)
    if sequence is None or sequence.metadata.deletion_timestamp is not None:
        return Outcome()
    conditions = CONDITIONS.edit(sequence.status.conditions, now)
    template = sequence.spec.channel_template or ChannelTemplate()
    children = Children(sequence, template, view)
    status = _reconciled(sequence, children, conditions, view)
    return concluded(sequence, status, conditions, children.changes)


def child_name(sequence: str, step: int) -> str:
    """The channel before *step* (from 0), and the Subscription that leads to it."""
    return f"{sequence}-kn-sequence-{step}"


def _reconciled(
    sequence: Sequence, children: Children, conditions: ConditionEditor, view: View
) -> SequenceStatus:
    steps, name = sequence.spec.steps, sequence.metadata.name
    channels: list[Channelable] = []
    for index in range(len(steps)):
        wanted = child_name(name, index)
        try:
            channels.append(children.channel(wanted))
        except NoSuchChannel as exc:
            text = f"failed to reconcile channel {wanted} at step {index}: {exc}"
            conditions.unknown(CHANNELS_READY, "ChannelsNotReady", text)
            return sequence.status
    status = _with_channels(sequence.status, channels, conditions)
    subscriptions: list[Subscription] = []
    for index in range(len(steps)):
        try:
            subscriptions.append(_subscription(sequence, index, children))
        except BadSubscription as exc:
            text = f"failed to reconcile subscription resource for step: {index} : {exc}"
            conditions.unknown(SUBSCRIPTIONS_READY, "SubscriptionsNotReady", text)
            return status
    if all_ready(subscriptions):
        conditions.true(SUBSCRIPTIONS_READY)
    else:
        text = "Subscriptions are not ready yet, or there are none"
        conditions.unknown(SUBSCRIPTIONS_READY, "SubscriptionsNotReady", text)
    children.remove_surplus()
    absent = no_ready("Subscription")
    return msgspec.structs.replace(
        status,
        subscription_statuses=tuple(subscription_status(each, absent) for each in subscriptions),
        auth=auth_of(subscriptions),
        policies=applied_policies(sequence, conditions, view),
    )


def _with_channels(
    status: SequenceStatus, channels: Several[Channelable], conditions: ConditionEditor
) -> SequenceStatus:
    if channels and all(is_true(channel.status.conditions) for channel in channels):
        conditions.true(CHANNELS_READY)
    else:
        text = "Channels are not ready yet, or there are none"
        conditions.unknown(CHANNELS_READY, "ChannelsNotReady", text)
    first = channels[0].status.address if channels else None
    if first is None or not first.url:
        conditions.unknown(ADDRESSABLE, "emptyAddress", "addressable is nil")
        address = None
    else:
        conditions.true(ADDRESSABLE)
        # Its name is left out, as upstream.
        address = Addressable(url=first.url, ca_certs=first.ca_certs, audience=first.audience)
    absent = no_ready("Channel")
    return msgspec.structs.replace(
        status,
        address=address,
        channel_statuses=tuple(
            FlowChannelStatus(
                channel=reference_to(channel), ready=find(channel.status.conditions) or absent
            )
            for channel in channels
        ),
    )


def _subscription(sequence: Sequence, index: int, children: Children) -> Subscription:
    steps, name = sequence.spec.steps, sequence.metadata.name
    step, reply = steps[index], sequence.spec.reply
    if index + 1 < len(steps):
        reply = children.channel_target(child_name(name, index + 1))
    return children.subscription(
        child_name(name, index),
        channel=child_name(name, index),
        subscriber=Destination(
            ref=step.ref, uri=step.uri, ca_certs=step.ca_certs, audience=step.audience
        ),
        reply=reply,
        delivery=step.delivery,
    )
