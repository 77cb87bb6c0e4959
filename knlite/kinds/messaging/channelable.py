"""What all kinds of channels share: subscribers, a delivery, and their status.

Source: knative/eventing ``pkg/apis/duck/v1/{channelable,subscribable}_types.go``; Eventing
reference §5.
"""

from collections.abc import Iterable
from typing import Final, TypeVar

import msgspec

from knlite.kinds.addressable import Addressable
from knlite.kinds.auth import AuthStatus
from knlite.kinds.conditions import Conditions, Status
from knlite.kinds.eventing.appliedpolicy import AppliedPolicy
from knlite.kinds.eventing.delivery import DeliverySpec, DeliveryStatus
from knlite.kinds.eventing.immutable import differences
from knlite.kinds.fielderror import Errors, generic, invalid, missing
from knlite.kinds.labels import SCOPE, SUBSCRIBABLE
from knlite.kinds.meta import Fields, Object
from knlite.kinds.users import EVENTING_CONTROLLER

T = TypeVar("T", bound=Object)
S = TypeVar("S", bound="ChannelableSpec")

DUCK_VERSION: Final = "v1"
"""The form of subscribers that channels here understand."""
_SCOPES: Final = ("cluster", "namespace")


class SubscriberSpec(Fields):
    """One subscription as its channel knows it; URLs are cluster URLs, absent when empty."""

    name: str = ""
    uid: str = ""
    generation: int = 0
    subscriber_uri: str = ""
    subscriber_ca_certs: str | None = msgspec.field(default=None, name="subscriberCACerts")
    subscriber_audience: str | None = None
    reply_uri: str = ""
    reply_ca_certs: str | None = msgspec.field(default=None, name="replyCACerts")
    reply_audience: str | None = None
    delivery: DeliverySpec | None = None
    auth: AuthStatus | None = None


class SubscriberStatus(Fields):
    """Whether the channel delivers to a subscription, and which generation of it."""

    uid: str = ""
    observed_generation: int = 0
    ready: Status | None = None
    message: str = ""
    auth: AuthStatus | None = None


class ChannelableSpec(Fields):
    subscribers: tuple[SubscriberSpec, ...] = ()
    delivery: DeliverySpec | None = None


class ChannelableStatus(DeliveryStatus):
    observed_generation: int = 0
    conditions: Conditions = ()
    annotations: dict[str, str] = msgspec.field(default_factory=dict)
    address: Addressable | None = None
    addresses: tuple[Addressable, ...] = ()
    subscribers: tuple[SubscriberStatus, ...] = ()
    policies: tuple[AppliedPolicy, ...] = ()


def subscribable(obj: T) -> T:
    """*obj* with the annotation that says which form of subscribers it takes."""
    annotations = obj.metadata.annotations
    if SUBSCRIBABLE in annotations:
        return obj
    metadata = msgspec.structs.replace(
        obj.metadata, annotations={**annotations, SUBSCRIBABLE: DUCK_VERSION}
    )
    return msgspec.structs.replace(obj, metadata=metadata)


def subscribers_validated(subscribers: Iterable[SubscriberSpec]) -> Errors:
    """What is wrong with the *subscribers* of a channel that delivers itself."""
    return tuple(
        missing(
            f"spec.subscribable.subscriber[{index}].replyURI",
            f"spec.subscribable.subscriber[{index}].subscriberURI",
            details="expected at least one of, got none",
        )
        for index, subscriber in enumerate(subscribers)
        if not subscriber.subscriber_uri and not subscriber.reply_uri
    )


def scope_validated(obj: Object) -> Errors:
    """What is wrong with the annotation of *obj* that says where its dispatcher runs."""
    scope = obj.metadata.annotations.get(SCOPE)
    if scope is None or scope in _SCOPES:
        return ()
    # The dot before the key is upstream's.
    path = f"metadata.annotations.[{SCOPE}]"
    return (invalid(scope, path, "expected either 'cluster' or 'namespace'"),)


def subscribers_kept(spec: S, old: S) -> S:
    """*spec* with the subscribers of *old*, unless it brings its own."""
    if spec.subscribers:
        return spec
    return msgspec.structs.replace(spec, subscribers=old.subscribers)


def subscribers_permitted(
    old: tuple[SubscriberSpec, ...], new: tuple[SubscriberSpec, ...], user: str
) -> Errors:
    """Why *user* may not turn subscribers *old* into *new*: they belong to the subscriptions."""
    if user == EVENTING_CONTROLLER:
        return ()
    difference = differences("{[]v1.SubscriberSpec}", old, new)
    if not difference:
        return ()
    text = (
        f"Channel.Spec.Subscribers changed by user {user} which was not the"
        f" {EVENTING_CONTROLLER} service account"
    )
    return (generic(text, "spec.subscribers", details=difference),)
