"""Sequence: steps in a row; the answer of each goes to the next.

Source: knative/eventing ``pkg/apis/flows/v1/sequence_*.go``; Eventing reference §7.
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
from knlite.kinds.kreference import Enabled
from knlite.kinds.messaging import channeltemplate
from knlite.kinds.messaging.channeltemplate import ChannelTemplate
from knlite.kinds.meta import Fields, Object
from knlite.kinds.objectname import name_errors

CONDITIONS = ConditionSet((CHANNELS_READY, SUBSCRIPTIONS_READY, ADDRESSABLE, EVENT_POLICIES_READY))


class SequenceStep(Destination):
    """Who works on the events of one step."""

    delivery: DeliverySpec | None = None


class SequenceSpec(Fields):
    steps: tuple[SequenceStep, ...] = ()
    channel_template: ChannelTemplate | None = None
    reply: Destination | None = None


class SequenceStatus(FlowStatus):
    subscription_statuses: tuple[FlowSubscriptionStatus, ...] = ()
    channel_statuses: tuple[FlowChannelStatus, ...] = ()


class Sequence(Object):
    """Subscribers in a row, with a channel before each."""

    spec: SequenceSpec = SequenceSpec()
    status: SequenceStatus = SequenceStatus()


def defaulted(obj: Sequence, old: Sequence | None, config: Config) -> Sequence:
    """*obj* with a channel template and its namespace in references.

    The template is the cluster's, whatever the namespace, and the deliveries of steps stay as they
    are; both as upstream.
    """
    spec, namespace = obj.spec, obj.metadata.namespace
    return msgspec.structs.replace(
        obj,
        spec=msgspec.structs.replace(
            spec,
            steps=tuple(destination.defaulted(step, namespace) for step in spec.steps),
            channel_template=spec.channel_template or config.channels.template_for(""),
            reply=spec.reply and destination.defaulted(spec.reply, namespace),
        ),
    )


def validated(obj: Sequence, old: Sequence | None, config: Config) -> Errors:
    """What is wrong with *obj*, which has its defaults; all of it may change at any time."""
    spec, enabled = obj.spec, config.eventing.enabled
    errors: list[FieldError] = list(name_errors(obj))
    if not spec.steps:
        errors.append(missing("spec.steps"))
    errors.extend(
        invalid(_shown(step), f"spec.steps[{index}]")
        for index, step in enumerate(spec.steps)
        if _step_validated(step, enabled)
    )
    errors.extend(under("spec", channeltemplate.validated(spec.channel_template)))
    if spec.reply is not None:
        errors.extend(under("spec.reply", destination.validated(spec.reply, enabled)))
    return tuple(errors)


def _step_validated(step: SequenceStep, enabled: Enabled) -> Errors:
    return (*destination.validated(step, enabled), *delivery.validated(step.delivery, enabled))


def _shown(step: SequenceStep) -> str:
    return f"{{{destination.in_go(step)} {delivery.in_go(step.delivery)}}}"
