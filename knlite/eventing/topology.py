"""Brokers and their triggers as the data plane sees them.

Source: Eventing data plane reference §3.3 (which delivery applies), §4.1 (which dead letter sink).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from knlite.eventing.delivery import DeliveryPolicy, policy_of
from knlite.kinds.conditions import is_true
from knlite.kinds.eventing.broker import Broker
from knlite.kinds.eventing.trigger import SUBSCRIBER_RESOLVED, Trigger, broker_of
from knlite.reconcile import View


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerPlan:
    """One trigger. *subscriber* None: not known yet, its events are kept."""

    namespace: str
    name: str
    uid: str
    attributes: Mapping[str, str]
    subscriber: str | None
    policy: DeliveryPolicy = DeliveryPolicy()
    dead_letter_sink: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerPlan:
    """One broker that takes events."""

    namespace: str
    name: str
    uid: str
    triggers: tuple[TriggerPlan, ...] = ()


@dataclass(frozen=True, slots=True)
class Topology:
    """All brokers by namespace and name."""

    brokers: Mapping[tuple[str, str], BrokerPlan] = field(default_factory=dict)


def topology(view: View) -> Topology:
    """The brokers that have an address, with their triggers in the order of their names."""
    brokers = {
        (broker.metadata.namespace, broker.metadata.name): broker
        for broker in view.listed(Broker, "")
        if broker.status.address is not None
    }
    triggers: dict[tuple[str, str], list[TriggerPlan]] = {}
    for trigger in view.listed(Trigger, ""):
        key = broker_of(trigger)
        broker = brokers.get(key)
        if broker is not None:
            triggers.setdefault(key, []).append(_plan(trigger, broker))
    return Topology(
        {
            key: BrokerPlan(
                namespace=key[0],
                name=key[1],
                uid=broker.metadata.uid,
                triggers=tuple(triggers.get(key, ())),
            )
            for key, broker in brokers.items()
        }
    )


def _plan(trigger: Trigger, broker: Broker) -> TriggerPlan:
    own = trigger.spec.delivery
    resolved = is_true(trigger.status.conditions, SUBSCRIBER_RESOLVED)
    dead_letter_sink = trigger.status.dead_letter_sink_uri or broker.status.dead_letter_sink_uri
    return TriggerPlan(
        namespace=trigger.metadata.namespace,
        name=trigger.metadata.name,
        uid=trigger.metadata.uid,
        attributes=trigger.spec.filter.attributes if trigger.spec.filter else {},
        subscriber=(trigger.status.subscriber_uri or None) if resolved else None,
        policy=policy_of(own if own is not None else broker.spec.delivery),
        dead_letter_sink=dead_letter_sink or None,
    )
