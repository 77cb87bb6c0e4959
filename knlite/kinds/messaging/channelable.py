"""What all kinds of channels share: subscribers, a delivery, and their status.

Source: knative/eventing ``pkg/apis/duck/v1/{channelable,subscribable}_types.go``; Eventing
reference §5.
"""

from typing import Final, TypeVar

import msgspec

from knlite.kinds.addressable import Addressable
from knlite.kinds.auth import AuthStatus
from knlite.kinds.conditions import Conditions, Status
from knlite.kinds.eventing.appliedpolicy import AppliedPolicy
from knlite.kinds.eventing.delivery import DeliverySpec, DeliveryStatus
from knlite.kinds.labels import SUBSCRIBABLE
from knlite.kinds.meta import Fields, Object

T = TypeVar("T", bound=Object)

DUCK_VERSION: Final = "v1"
"""The form of subscribers that channels here understand."""


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
