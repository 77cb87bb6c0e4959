"""Channel: stands for a channel of some kind, which it makes.

Source: knative/eventing ``pkg/apis/messaging/v1/channel_*.go``; Eventing reference §5.
"""

import msgspec

from knlite.kinds.conditions import ConditionSet
from knlite.kinds.config.bundle import Config
from knlite.kinds.eventing import delivery
from knlite.kinds.eventing.appliedpolicy import EVENT_POLICIES_READY
from knlite.kinds.eventing.delivery import DEAD_LETTER_SINK_RESOLVED
from knlite.kinds.eventing.immutable import IMMUTABLE_CHANGED, differences
from knlite.kinds.fielderror import Errors, FieldError, disallowed, generic, under
from knlite.kinds.kreference import KReference
from knlite.kinds.messaging import channeltemplate
from knlite.kinds.messaging.channelable import ChannelableSpec, ChannelableStatus, subscribable
from knlite.kinds.messaging.channeltemplate import ChannelTemplate
from knlite.kinds.meta import Object
from knlite.kinds.objectname import name_errors

BACKING_CHANNEL_READY = "BackingChannelReady"
ADDRESSABLE = "Addressable"

CONDITIONS = ConditionSet(
    (BACKING_CHANNEL_READY, ADDRESSABLE, DEAD_LETTER_SINK_RESOLVED, EVENT_POLICIES_READY)
)


class ChannelSpec(ChannelableSpec):
    channel_template: ChannelTemplate | None = None


class ChannelStatus(ChannelableStatus):
    channel: KReference | None = None


class Channel(Object):
    """A channel of the kind that the platform, or its template, says."""

    spec: ChannelSpec = ChannelSpec()
    status: ChannelStatus = ChannelStatus()


def defaulted(obj: Channel, old: Channel | None, config: Config) -> Channel:
    """*obj* with a template, and its namespace in the references of its delivery.

    One that brings a template gets no namespaces, as upstream.
    """
    obj = subscribable(obj)
    if obj.spec.channel_template is not None:
        return obj
    namespace = obj.metadata.namespace
    spec = msgspec.structs.replace(
        obj.spec,
        channel_template=config.channels.template_for(namespace),
        delivery=delivery.defaulted(obj.spec.delivery, namespace),
    )
    return msgspec.structs.replace(obj, spec=spec)


def validated(obj: Channel, old: Channel | None, config: Config) -> Errors:
    """What is wrong with *obj*, which has its defaults."""
    spec = obj.spec
    errors: list[FieldError] = list(name_errors(obj))
    errors.extend(under("spec", channeltemplate.validated(spec.channel_template)))
    if spec.subscribers:
        errors.append(disallowed("spec.subscribable.subscribers"))
    within = obj.metadata.namespace
    enabled = config.eventing.enabled
    errors.extend(under("spec.delivery", delivery.validated(spec.delivery, enabled, within)))
    if old is not None:
        before = msgspec.structs.replace(old.spec, subscribers=())
        after = msgspec.structs.replace(spec, subscribers=())
        difference = differences("{v1.ChannelSpec}", before, after)
        if difference:
            errors.append(generic(IMMUTABLE_CHANGED, "spec", details=difference))
    return tuple(errors)
