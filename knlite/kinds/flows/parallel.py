"""Parallel: every event goes to all branches; a branch may filter, and answer somewhere.

Source: knative/eventing ``pkg/apis/flows/v1/parallel_*.go``; Eventing reference §7.
"""

import msgspec

from knlite.kinds.conditions import ConditionSet
from knlite.kinds.config.bundle import Config
from knlite.kinds.eventing import delivery, destination
from knlite.kinds.eventing.appliedpolicy import EVENT_POLICIES_READY
from knlite.kinds.eventing.delivery import DeliverySpec
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.fielderror import Errors, FieldError, invalid, missing, under
from knlite.kinds.flows.flowstatus import (
    ADDRESSABLE,
    CHANNELS_READY,
    SUBSCRIPTIONS_READY,
    FlowChannelStatus,
    FlowStatus,
    FlowSubscriptionStatus,
)
from knlite.kinds.messaging import channeltemplate
from knlite.kinds.messaging.channeltemplate import ChannelTemplate
from knlite.kinds.meta import Fields, Object
from knlite.kinds.objectname import name_errors

CONDITIONS = ConditionSet((CHANNELS_READY, SUBSCRIPTIONS_READY, ADDRESSABLE, EVENT_POLICIES_READY))


class ParallelBranch(Fields):
    """One way for all events that pass its filter, which is an endpoint that answers them."""

    filter: Destination | None = None
    subscriber: Destination = Destination()
    reply: Destination | None = None
    delivery: DeliverySpec | None = None


class ParallelSpec(Fields):
    branches: tuple[ParallelBranch, ...] = ()
    channel_template: ChannelTemplate | None = None
    reply: Destination | None = None


class ParallelBranchStatus(Fields):
    """The parts of one branch."""

    filter_subscription_status: FlowSubscriptionStatus = FlowSubscriptionStatus()
    filter_channel_status: FlowChannelStatus = FlowChannelStatus()
    subscriber_subscription_status: FlowSubscriptionStatus = FlowSubscriptionStatus()


class ParallelStatus(FlowStatus):
    ingress_channel_status: FlowChannelStatus = FlowChannelStatus()
    branch_statuses: tuple[ParallelBranchStatus, ...] = ()


class Parallel(Object):
    """Branches side by side, with a channel before all and one in each."""

    spec: ParallelSpec = ParallelSpec()
    status: ParallelStatus = ParallelStatus()


def defaulted(obj: Parallel, old: Parallel | None, config: Config) -> Parallel:
    """*obj* with a channel template and its namespace in references.

    The template is the cluster's, whatever the namespace, as upstream.
    """
    spec, namespace = obj.spec, obj.metadata.namespace
    return msgspec.structs.replace(
        obj,
        spec=msgspec.structs.replace(
            spec,
            branches=tuple(_branch_defaulted(branch, namespace) for branch in spec.branches),
            channel_template=spec.channel_template or config.channels.template_for(""),
            reply=spec.reply and destination.defaulted(spec.reply, namespace),
        ),
    )


def validated(obj: Parallel, old: Parallel | None, config: Config) -> Errors:
    """What is wrong with *obj*; the deliveries of branches are not looked at, as upstream."""
    spec, enabled = obj.spec, config.eventing.enabled
    errors: list[FieldError] = list(name_errors(obj))
    if not spec.branches:
        errors.append(missing("spec.branches"))
    for index, branch in enumerate(spec.branches):
        errors.extend(
            invalid(_shown(branch), f"spec.branches.{part}[{index}]")
            for part, target in (
                ("filter", branch.filter),
                ("subscriber", branch.subscriber),
                ("reply", branch.reply),
            )
            if target is not None and destination.validated(target, enabled)
        )
    errors.extend(under("spec", channeltemplate.validated(spec.channel_template)))
    if spec.reply is not None:
        errors.extend(under("spec.reply", destination.validated(spec.reply, enabled)))
    return tuple(errors)


def _branch_defaulted(branch: ParallelBranch, namespace: str) -> ParallelBranch:
    return msgspec.structs.replace(
        branch,
        filter=branch.filter and destination.defaulted(branch.filter, namespace),
        subscriber=destination.defaulted(branch.subscriber, namespace),
        reply=branch.reply and destination.defaulted(branch.reply, namespace),
    )


def _shown(branch: ParallelBranch) -> str:
    parts = (
        _pointer(branch.filter),
        destination.in_go(branch.subscriber),
        _pointer(branch.reply),
        delivery.in_go(branch.delivery),
    )
    return f"{{{' '.join(parts)}}}"


def _pointer(target: Destination | None) -> str:
    return "<nil>" if target is None else f"&{destination.in_go(target)}"
