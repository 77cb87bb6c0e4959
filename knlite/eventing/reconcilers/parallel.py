"""Parallel: one channel for all, from there a Subscription to each branch's filter and channel.

A branch without a filter gets its events straight from the first channel. What is not ready makes
the conditions False, not Unknown (``sequence.py`` differs). Of a channel only the address counts.

Source: knative/eventing ``pkg/reconciler/parallel``; Eventing reference §7, §20.1.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from knlite.eventing.channels import Channelable, NoSuchChannel
from knlite.eventing.flows import (
    BadSubscription,
    Children,
    all_ready,
    auth_of,
    reference_to,
    subscription_status,
)
from knlite.eventing.policies import applied_policies
from knlite.kinds.conditions import Condition, ConditionEditor
from knlite.kinds.flows.flowstatus import (
    ADDRESSABLE,
    CHANNELS_READY,
    SUBSCRIPTIONS_READY,
    FlowChannelStatus,
)
from knlite.kinds.flows.parallel import (
    CONDITIONS,
    Parallel,
    ParallelBranchStatus,
    ParallelStatus,
)
from knlite.kinds.messaging.channeltemplate import ChannelTemplate
from knlite.kinds.messaging.subscription import Subscription
from knlite.reconcile import Key, Outcome, View, concluded


def reconcile(key: Key, view: View, now: datetime) -> Outcome:
    """The channels, the Subscriptions and the status of the Parallel at *key*."""
    parallel = view.get(Parallel, key.namespace, key.name)
    if parallel is None or parallel.metadata.deletion_timestamp is not None:
        return Outcome()
    conditions = CONDITIONS.edit(parallel.status.conditions, now)
    template = parallel.spec.channel_template or ChannelTemplate()
    children = Children(parallel, template, view)
    status = _reconciled(parallel, children, conditions, view)
    return concluded(parallel, status, conditions, children.changes)


def ingress_name(parallel: str) -> str:
    """The channel that takes all events in."""
    return f"{parallel}-kn-parallel"


def branch_name(parallel: str, branch: int) -> str:
    """The channel of *branch* (from 0), and the Subscription that leads to its subscriber."""
    return f"{parallel}-kn-parallel-{branch}"


def filter_name(parallel: str, branch: int) -> str:
    """The Subscription that leads from the first channel to the filter of *branch*."""
    return f"{parallel}-kn-parallel-filter-{branch}"


def _reconciled(
    parallel: Parallel, children: Children, conditions: ConditionEditor, view: View
) -> ParallelStatus:
    name, count = parallel.metadata.name, len(parallel.spec.branches)
    channels: list[Channelable] = []
    for index in range(-1, count):
        wanted = ingress_name(name) if index < 0 else branch_name(name, index)
        try:
            channels.append(children.channel(wanted))
        except NoSuchChannel as exc:
            text = f"failed to reconcile channel {wanted} at step {index}: {exc}"
            conditions.false(CHANNELS_READY, "ChannelsNotReady", text)
            return parallel.status
    status = _with_channels(parallel.status, channels, conditions)
    filters: list[Subscription] = []
    subscriptions: list[Subscription] = []
    for index in range(count):
        try:
            filters.append(_filter_subscription(parallel, index, children))
            subscriptions.append(_subscription(parallel, index, children))
        except BadSubscription as exc:
            # Differs: upstream retries for ever, and the condition does not say why.
            text = f"failed to reconcile Subscription Objects for branch: {index} : {exc}"
            conditions.false(SUBSCRIPTIONS_READY, "SubscriptionsNotReady", text)
            return status
    if all_ready((*subscriptions, *filters)):
        conditions.true(SUBSCRIPTIONS_READY)
    else:
        text = "Subscriptions are not ready yet, or there are none"
        conditions.false(SUBSCRIPTIONS_READY, "SubscriptionsNotReady", text)
    children.remove_surplus()
    return msgspec.structs.replace(
        status,
        branch_statuses=tuple(
            ParallelBranchStatus(
                filter_subscription_status=subscription_status(filters[index], None),
                filter_channel_status=_channel_status(channels[index + 1]),
                subscriber_subscription_status=subscription_status(subscriptions[index], None),
            )
            for index in range(count)
        ),
        auth=auth_of((*filters, *subscriptions)),
        policies=applied_policies(parallel, conditions, view),
    )


def _with_channels(
    status: ParallelStatus, channels: Sequence[Channelable], conditions: ConditionEditor
) -> ParallelStatus:
    """*channels* begin with the one that takes all events in."""
    if all(channel.status.address is not None for channel in channels):
        conditions.true(CHANNELS_READY)
    else:
        text = "Channels are not ready yet, or there are none"
        conditions.false(CHANNELS_READY, "ChannelsNotReady", text)
    address = channels[0].status.address
    if address is None:
        conditions.false(ADDRESSABLE, "emptyAddress", "addressable is nil")
    else:
        conditions.true(ADDRESSABLE)
    return msgspec.structs.replace(
        status, address=address, ingress_channel_status=_channel_status(channels[0])
    )


def _channel_status(channel: Channelable) -> FlowChannelStatus:
    ready = Condition(type="Ready", status="True")
    if channel.status.address is None:
        text = "Channel is not addressable"
        ready = Condition(type="Ready", status="False", reason="NotAddressable", message=text)
    return FlowChannelStatus(channel=reference_to(channel), ready=ready)


def _filter_subscription(parallel: Parallel, index: int, children: Children) -> Subscription:
    name, branch = parallel.metadata.name, parallel.spec.branches[index]
    target = children.channel_target(branch_name(name, index))
    return children.subscription(
        filter_name(name, index),
        channel=ingress_name(name),
        subscriber=target if branch.filter is None else branch.filter,
        reply=None if branch.filter is None else target,
        delivery=None,
    )


def _subscription(parallel: Parallel, index: int, children: Children) -> Subscription:
    name, branch = parallel.metadata.name, parallel.spec.branches[index]
    return children.subscription(
        branch_name(name, index),
        channel=branch_name(name, index),
        subscriber=branch.subscriber,
        reply=parallel.spec.reply if branch.reply is None else branch.reply,
        delivery=branch.delivery,
    )
