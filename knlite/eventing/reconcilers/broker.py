"""Broker: where it takes events in, and whether all that it needs is there.

What it needs depends on its class (``eventing/brokers``).

Source: Eventing reference §3, §17.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from knlite.eventing.brokers import embedded, kafka, rabbitmq
from knlite.kinds.conditions import ConditionEditor
from knlite.kinds.eventing.broker import Broker, BrokerStatus, class_of
from knlite.kinds.eventing.brokerclass import (
    KAFKA_CLASS,
    KAFKA_NAMESPACED_CLASS,
    MT_CLASS,
    RABBITMQ_CLASS,
    SQLITE_CLASS,
)
from knlite.kinds.eventing.brokerconditions import INGRESS_READY, conditions_of
from knlite.reconcile import Key, Outcome, View, concluded

Reconciled = Callable[[Broker, ConditionEditor, View], BrokerStatus]
"""The steps of one class: the status that follows; the conditions are edited."""

_CLASSES: Final[Mapping[str, Reconciled]] = {
    MT_CLASS: embedded.reconciled,
    SQLITE_CLASS: embedded.reconciled,
    KAFKA_CLASS: kafka.reconciled,
    KAFKA_NAMESPACED_CLASS: kafka.reconciled,
    RABBITMQ_CLASS: rabbitmq.reconciled,
}


def reconcile(key: Key, view: View, now: datetime) -> Outcome:
    """The status of the Broker at *key*."""
    broker = view.get(Broker, key.namespace, key.name)
    if broker is None or broker.metadata.deletion_timestamp is not None:
        return Outcome()
    broker_class = class_of(broker)
    conditions = conditions_of(broker_class).edit(broker.status.conditions, now)
    steps = _CLASSES.get(broker_class, _unsupported)
    return concluded(broker, steps(broker, conditions, view), conditions)


def _unsupported(broker: Broker, conditions: ConditionEditor, view: View) -> BrokerStatus:
    """Differs: on a cluster another controller may own the class, so the Broker is left alone.
    Here nobody else will come, and a Broker without any status is a riddle."""
    conditions.false(
        INGRESS_READY,
        "BrokerClassNotSupported",
        f'there is no Broker class "{class_of(broker)}" here, only "{MT_CLASS}" (keeps events'
        f' in memory), "{SQLITE_CLASS}" (keeps them in a file below --data-dir), "{KAFKA_CLASS}"'
        f' and "{RABBITMQ_CLASS}" (keep them on a server)',
    )
    return broker.status
