"""Trigger: which events of a Broker go to which subscriber.

Source: Eventing reference §4.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from knlite.kinds.conditions import Conditions, ConditionSet
from knlite.kinds.eventing.delivery import DeliverySpec, DeliveryStatus
from knlite.kinds.eventing.destination import Destination, KReference
from knlite.kinds.meta import Fields, Object

BROKER_READY = "BrokerReady"
SUBSCRIBER_RESOLVED = "SubscriberResolved"
SUBSCRIPTION_READY = "SubscriptionReady"
DEAD_LETTER_SINK_RESOLVED = "DeadLetterSinkResolved"
DEPENDENCY_READY = "DependencyReady"
OIDC_IDENTITY_CREATED = "OIDCIdentityCreated"

CONDITIONS = ConditionSet(
    (
        BROKER_READY,
        SUBSCRIPTION_READY,
        SUBSCRIBER_RESOLVED,
        DEAD_LETTER_SINK_RESOLVED,
        DEPENDENCY_READY,
        OIDC_IDENTITY_CREATED,
    )
)


class TriggerFilter(Fields):
    """Every entry must equal; an empty value asks for presence."""

    attributes: Mapping[str, str] = msgspec.field(default_factory=dict)


class TriggerSpec(Fields):
    broker: str = ""
    broker_ref: KReference | None = None
    filter: TriggerFilter | None = None
    filters: tuple[Any, ...] = ()
    subscriber: Destination = Destination()
    delivery: DeliverySpec | None = None


class TriggerStatus(DeliveryStatus):
    observed_generation: int = 0
    conditions: Conditions = ()
    annotations: Mapping[str, str] = msgspec.field(default_factory=dict)
    subscriber_uri: str = ""
    subscriber_ca_certs: str | None = msgspec.field(default=None, name="subscriberCACerts")
    subscriber_audience: str | None = None
    auth: Any = None


class Trigger(Object):
    """A filtered subscription to a Broker."""

    spec: TriggerSpec = TriggerSpec()
    status: TriggerStatus = TriggerStatus()
