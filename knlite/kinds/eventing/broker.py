"""Broker: takes events in and offers them to Triggers.

Source: Eventing reference §3.
"""

from collections.abc import Mapping

import msgspec

from knlite.kinds.conditions import Conditions, ConditionSet
from knlite.kinds.eventing.delivery import DeliverySpec, DeliveryStatus
from knlite.kinds.eventing.destination import KReference
from knlite.kinds.meta import Fields, Object
from knlite.kinds.serving.route import Addressable

INGRESS_READY = "IngressReady"
TRIGGER_CHANNEL_READY = "TriggerChannelReady"
FILTER_READY = "FilterReady"
ADDRESSABLE = "Addressable"
DEAD_LETTER_SINK_RESOLVED = "DeadLetterSinkResolved"
EVENT_POLICIES_READY = "EventPoliciesReady"

CONDITIONS = ConditionSet(
    (
        INGRESS_READY,
        TRIGGER_CHANNEL_READY,
        FILTER_READY,
        ADDRESSABLE,
        DEAD_LETTER_SINK_RESOLVED,
        EVENT_POLICIES_READY,
    )
)


class BrokerSpec(Fields):
    config: KReference | None = None
    delivery: DeliverySpec | None = None


class BrokerStatus(DeliveryStatus):
    observed_generation: int = 0
    conditions: Conditions = ()
    annotations: Mapping[str, str] = msgspec.field(default_factory=dict)
    address: Addressable | None = None
    addresses: tuple[Addressable, ...] = ()


class Broker(Object):
    """One inbox; its class annotation chooses the engine behind it."""

    spec: BrokerSpec = BrokerSpec()
    status: BrokerStatus = BrokerStatus()
