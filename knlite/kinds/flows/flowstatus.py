"""What the statuses of flows say of the channels and subscriptions that they have made.

Source: knative/eventing ``pkg/apis/flows/v1/{sequence,parallel}_types.go``; Eventing reference §7.
"""

import msgspec

from knlite.kinds.addressable import Addressable
from knlite.kinds.auth import AuthStatus
from knlite.kinds.conditions import Condition, Conditions
from knlite.kinds.core.objectreference import ObjectReference
from knlite.kinds.eventing.appliedpolicy import AppliedPolicy
from knlite.kinds.meta import Fields

CHANNELS_READY = "ChannelsReady"
SUBSCRIPTIONS_READY = "SubscriptionsReady"
ADDRESSABLE = "Addressable"


class FlowChannelStatus(Fields):
    """A channel and its readiness."""

    channel: ObjectReference = ObjectReference()
    ready: Condition | None = None


class FlowSubscriptionStatus(Fields):
    """A Subscription and its Ready condition."""

    subscription: ObjectReference = ObjectReference()
    ready: Condition | None = None


class FlowStatus(Fields):
    observed_generation: int = 0
    conditions: Conditions = ()
    annotations: dict[str, str] = msgspec.field(default_factory=dict)
    address: Addressable | None = None
    auth: AuthStatus | None = None
    policies: tuple[AppliedPolicy, ...] = ()
