"""InMemoryChannel: takes events in and offers each to all of its subscribers.

Subscriptions write its subscribers; people may give it some when they create it.

Source: knative/eventing ``pkg/apis/messaging/v1/in_memory_channel_*.go``; Eventing reference §5.
"""

import msgspec

from knlite.kinds.conditions import ConditionSet
from knlite.kinds.config.bundle import Config
from knlite.kinds.eventing import delivery
from knlite.kinds.eventing.appliedpolicy import EVENT_POLICIES_READY
from knlite.kinds.eventing.delivery import DEAD_LETTER_SINK_RESOLVED
from knlite.kinds.fielderror import Errors
from knlite.kinds.messaging.channelable import (
    ChannelableSpec,
    ChannelableStatus,
    scope_validated,
    subscribable,
    subscribers_kept,
    subscribers_permitted,
    subscribers_validated,
)
from knlite.kinds.meta import Object
from knlite.kinds.objectname import name_errors

SERVICE_READY = "ServiceReady"
ENDPOINTS_READY = "EndpointsReady"
ADDRESSABLE = "Addressable"
CHANNEL_SERVICE_READY = "ChannelServiceReady"
DISPATCHER_READY = "DispatcherReady"
"""Shown only: Ready does not depend on it."""

CONDITIONS = ConditionSet(
    (
        SERVICE_READY,
        ENDPOINTS_READY,
        ADDRESSABLE,
        CHANNEL_SERVICE_READY,
        DEAD_LETTER_SINK_RESOLVED,
        EVENT_POLICIES_READY,
    )
)


class InMemoryChannel(Object):
    """A channel that keeps its events itself."""

    spec: ChannelableSpec = ChannelableSpec()
    status: ChannelableStatus = ChannelableStatus()


def defaulted(obj: InMemoryChannel, old: InMemoryChannel | None, config: Config) -> InMemoryChannel:
    """*obj* with the annotation of its subscribers' form, and its namespace in references."""
    spec = msgspec.structs.replace(
        obj.spec, delivery=delivery.defaulted(obj.spec.delivery, obj.metadata.namespace)
    )
    return subscribable(msgspec.structs.replace(obj, spec=spec))


def validated(obj: InMemoryChannel, old: InMemoryChannel | None, config: Config) -> Errors:
    """What is wrong with *obj*; its delivery is not looked at, as upstream."""
    return (
        *name_errors(obj),
        *subscribers_validated(obj.spec.subscribers),
        *scope_validated(obj),
    )


def adopted(obj: InMemoryChannel, old: InMemoryChannel) -> InMemoryChannel:
    """*obj* with the subscribers of *old*, unless it brings its own."""
    spec = subscribers_kept(obj.spec, old.spec)
    return obj if spec is obj.spec else msgspec.structs.replace(obj, spec=spec)


def permitted(obj: InMemoryChannel, old: InMemoryChannel | None, user: str) -> Errors:
    """Why *user* may not turn *old* into *obj*: subscribers belong to the subscriptions."""
    if old is None:
        return ()
    return subscribers_permitted(old.spec.subscribers, obj.spec.subscribers, user)
