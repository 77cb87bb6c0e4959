"""Trigger: its Broker, where its events go, where those that fail go, and what it waits for.

Each step that fails ends the reconcile and leaves the later conditions as they were. A Trigger
recovers by itself when its Broker, its subscriber or its dependency appears. The class of its
Broker says how it finds its targets (``eventing/triggers``).

On a server its consumer group or its queue is what it depends on, and the engine says in
DependencyReady how that stands.

Differs: there is no Subscription behind a Trigger, the dispatcher reads the Trigger itself; so
SubscriptionReady follows from the steps before it. Triggers of a Broker class that does not exist
here are not left alone, they show their Broker's reason.

Source: knative/eventing ``pkg/reconciler/broker/trigger/trigger.go``,
``pkg/apis/eventing/v1/trigger_lifecycle.go``; Eventing reference §4, §1.7.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

import msgspec

from knlite.eventing.identities import identified
from knlite.eventing.triggers import rabbitmq, standard
from knlite.eventing.triggers.dependency import check_dependency, copied
from knlite.kinds.conditions import ConditionEditor, find
from knlite.kinds.eventing.broker import Broker, class_of
from knlite.kinds.eventing.brokerclass import RABBITMQ_CLASS
from knlite.kinds.eventing.trigger import (
    BROKER_READY,
    CONDITIONS,
    OIDC_IDENTITY_CREATED,
    SUBSCRIPTION_READY,
    Trigger,
    TriggerStatus,
    broker_of,
)
from knlite.reconcile import Create, Key, Outcome, View, concluded

WithTargets = Callable[[Trigger, Broker, ConditionEditor, View], tuple[TriggerStatus, bool]]
"""The status with the URLs that are known, and whether events can be delivered there."""

_TARGETS: Final[Mapping[str, WithTargets]] = {RABBITMQ_CLASS: rabbitmq.with_targets}
"""By the class of the Broker; the others do as Knative's own."""
_OIDC_NOT_REACHED = "authentication-oidc feature not yet supported for this Broker class"


def reconcile(key: Key, view: View, now: datetime) -> Outcome:
    """The status of the Trigger at *key*."""
    trigger = view.get(Trigger, key.namespace, key.name)
    if trigger is None or trigger.metadata.deletion_timestamp is not None:
        return Outcome()
    conditions = CONDITIONS.edit(trigger.status.conditions, now)
    status = trigger.status
    broker = _ready_broker(trigger, conditions, view)
    delivering = False
    accounts: tuple[Create, ...] = ()
    if broker is not None:
        with_targets = _TARGETS.get(class_of(broker), standard.with_targets)
        status, delivering = with_targets(trigger, broker, conditions, view)
    if delivering:
        auth, accounts = identified(trigger, OIDC_IDENTITY_CREATED, conditions, view)
        status = msgspec.structs.replace(status, auth=auth)
        delivering = conditions.is_true(OIDC_IDENTITY_CREATED)
    else:
        conditions.true(OIDC_IDENTITY_CREATED, _OIDC_NOT_REACHED)
    if delivering and broker is not None:
        conditions.true(SUBSCRIPTION_READY)
        check_dependency(trigger, broker, conditions, view)
    return concluded(trigger, status, conditions, accounts)


def _ready_broker(trigger: Trigger, conditions: ConditionEditor, view: View) -> Broker | None:
    namespace, name = broker_of(trigger)
    broker = view.get(Broker, namespace, name)
    if broker is None:
        conditions.false(BROKER_READY, "BrokerDoesNotExist", f'Broker "{name}" does not exist')
        return None
    ready = find(broker.status.conditions)
    copied(
        conditions,
        BROKER_READY,
        ready,
        ("BrokerNotConfigured", "Broker has not yet been reconciled."),
    )
    current = broker.status.observed_generation == broker.metadata.generation
    return broker if ready is not None and ready.status == "True" and current else None
