"""InMemoryChannel: takes events in and offers each to all of its subscribers.

Subscriptions write its subscribers; people may give it some when they create it.

Source: knative/eventing ``pkg/apis/messaging/v1/in_memory_channel_*.go``; Eventing reference §5.
"""

from typing import Final

import msgspec

from knlite.kinds.conditions import ConditionSet
from knlite.kinds.config.bundle import Config
from knlite.kinds.eventing import delivery
from knlite.kinds.eventing.appliedpolicy import EVENT_POLICIES_READY
from knlite.kinds.eventing.delivery import DEAD_LETTER_SINK_RESOLVED
from knlite.kinds.eventing.immutable import differences
from knlite.kinds.fielderror import Errors, FieldError, generic, invalid, missing
from knlite.kinds.labels import SCOPE
from knlite.kinds.messaging.channelable import ChannelableSpec, ChannelableStatus, subscribable
from knlite.kinds.meta import Object
from knlite.kinds.objectname import name_errors
from knlite.kinds.users import EVENTING_CONTROLLER

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

_SCOPES: Final = ("cluster", "namespace")


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
    errors: list[FieldError] = list(name_errors(obj))
    errors.extend(
        missing(
            f"spec.subscribable.subscriber[{index}].replyURI",
            f"spec.subscribable.subscriber[{index}].subscriberURI",
            details="expected at least one of, got none",
        )
        for index, subscriber in enumerate(obj.spec.subscribers)
        if not subscriber.subscriber_uri and not subscriber.reply_uri
    )
    scope = obj.metadata.annotations.get(SCOPE)
    if scope is not None and scope not in _SCOPES:
        # The dot before the key is upstream's.
        path = f"metadata.annotations.[{SCOPE}]"
        errors.append(invalid(scope, path, "expected either 'cluster' or 'namespace'"))
    return tuple(errors)


def adopted(obj: InMemoryChannel, old: InMemoryChannel) -> InMemoryChannel:
    """*obj* with the subscribers of *old*, unless it brings its own."""
    if obj.spec.subscribers:
        return obj
    spec = msgspec.structs.replace(obj.spec, subscribers=old.spec.subscribers)
    return msgspec.structs.replace(obj, spec=spec)


def permitted(obj: InMemoryChannel, old: InMemoryChannel | None, user: str) -> Errors:
    """Why *user* may not turn *old* into *obj*: subscribers belong to the subscriptions."""
    if old is None or user == EVENTING_CONTROLLER:
        return ()
    difference = differences("{[]v1.SubscriberSpec}", old.spec.subscribers, obj.spec.subscribers)
    if not difference:
        return ()
    text = (
        f"Channel.Spec.Subscribers changed by user {user} which was not the"
        f" {EVENTING_CONTROLLER} service account"
    )
    return (generic(text, "spec.subscribers", details=difference),)
