"""Trigger: its Broker, where its events go, where those that fail go, and what it waits for.

Each step that fails ends the reconcile and leaves the later conditions as they were. A Trigger
recovers by itself when its Broker, its subscriber or its dependency appears.

On a server its consumer group or its queue is what it depends on, and the engine says in
DependencyReady how that stands. A delivery of its own counts as a whole with Kafka: nothing of the
Broker's is used then, not even the dead letter sink.

Differs: there is no Subscription behind a Trigger, the dispatcher reads the Trigger itself; so
SubscriptionReady follows from the steps before it. Triggers of a Broker class that does not exist
here are not left alone, they show their Broker's reason.

Source: knative/eventing ``pkg/reconciler/broker/trigger/trigger.go``,
``pkg/apis/eventing/v1/trigger_lifecycle.go``; Eventing reference §4, §1.7.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from knlite.eventing.deadletters import (
    others_dead_letter_sink,
    own_dead_letter_sink,
    with_dead_letter_sink,
)
from knlite.eventing.destinations import Resolved, resolve
from knlite.eventing.identities import identified
from knlite.eventing.kafka.groups import kafka_reader_of
from knlite.eventing.references import group_in, kind_of, not_found
from knlite.kinds.conditions import Condition, ConditionEditor, find
from knlite.kinds.eventing.broker import Broker, class_of
from knlite.kinds.eventing.brokerclass import KAFKA_CLASSES, SERVER_CLASSES
from knlite.kinds.eventing.delivery import DEAD_LETTER_SINK_RESOLVED
from knlite.kinds.eventing.kafkaconditions import GROUP_ID
from knlite.kinds.eventing.trigger import (
    BROKER_READY,
    CONDITIONS,
    DEPENDENCY_READY,
    OIDC_IDENTITY_CREATED,
    SUBSCRIBER_RESOLVED,
    SUBSCRIPTION_READY,
    Dependency,
    NotAReference,
    Trigger,
    TriggerStatus,
    broker_of,
    dependency_of,
)
from knlite.kinds.meta import Object
from knlite.reconcile import Create, Key, Outcome, View, concluded

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
        status = _with_group(trigger, broker, view)
        status, delivering = _with_targets(trigger, status, broker, conditions, view)
    if delivering:
        auth, accounts = identified(trigger, OIDC_IDENTITY_CREATED, conditions, view)
        status = msgspec.structs.replace(status, auth=auth)
        delivering = conditions.is_true(OIDC_IDENTITY_CREATED)
    else:
        conditions.true(OIDC_IDENTITY_CREATED, _OIDC_NOT_REACHED)
    if delivering and broker is not None:
        conditions.true(SUBSCRIPTION_READY)
        _check_dependency(trigger, broker, conditions, view)
    return concluded(trigger, status, conditions, accounts)


def _ready_broker(trigger: Trigger, conditions: ConditionEditor, view: View) -> Broker | None:
    namespace, name = broker_of(trigger)
    broker = view.get(Broker, namespace, name)
    if broker is None:
        conditions.false(BROKER_READY, "BrokerDoesNotExist", f'Broker "{name}" does not exist')
        return None
    ready = find(broker.status.conditions)
    _copy(
        conditions,
        BROKER_READY,
        ready,
        ("BrokerNotConfigured", "Broker has not yet been reconciled."),
    )
    current = broker.status.observed_generation == broker.metadata.generation
    return broker if ready is not None and ready.status == "True" and current else None


def _with_group(trigger: Trigger, broker: Broker, view: View) -> TriggerStatus:
    """The status, which keeps the consumer group of who reads from Kafka for good."""
    status = trigger.status
    if class_of(broker) not in KAFKA_CLASSES or GROUP_ID in status.annotations:
        return status
    annotations = {**status.annotations, GROUP_ID: kafka_reader_of(trigger, view)}
    return msgspec.structs.replace(status, annotations=annotations)


def _with_targets(
    trigger: Trigger,
    status: TriggerStatus,
    broker: Broker,
    conditions: ConditionEditor,
    view: View,
) -> tuple[TriggerStatus, bool]:
    """*status* with the URLs that are known, and whether all of them are."""
    subscriber = resolve(trigger.spec.subscriber, trigger.metadata.namespace, view)
    if not isinstance(subscriber, Resolved):
        reason = "Unable to get the Subscriber's URI"
        conditions.false(SUBSCRIBER_RESOLVED, reason, subscriber.message)
        cleared = msgspec.structs.replace(
            status, subscriber_uri="", subscriber_ca_certs=None, subscriber_audience=None
        )
        return cleared, False
    conditions.true(SUBSCRIBER_RESOLVED)
    status = msgspec.structs.replace(
        status,
        subscriber_uri=subscriber.url,
        subscriber_ca_certs=subscriber.ca_certs,
        subscriber_audience=subscriber.audience,
    )
    sink = _dead_letter_sink(trigger, broker, conditions, view)
    resolved = conditions.is_true(DEAD_LETTER_SINK_RESOLVED)
    return with_dead_letter_sink(status, sink), resolved


def _dead_letter_sink(
    trigger: Trigger, broker: Broker, conditions: ConditionEditor, view: View
) -> Resolved | None:
    """The Trigger's own, else the Broker's; None if there is none or it does not resolve."""
    own, inherited = trigger.spec.delivery, broker.spec.delivery
    whole = own is not None and class_of(broker) in KAFKA_CLASSES
    if whole or (own is not None and own.dead_letter_sink is not None):
        unable = "Unable to get the dead letter sink's URI"
        return own_dead_letter_sink(own, trigger.metadata.namespace, unable, conditions, view)
    unable = f"Broker {broker.metadata.name} didn't set status.deadLetterSinkURI"
    return others_dead_letter_sink(inherited, broker.status, unable, conditions)


def _check_dependency(
    trigger: Trigger, broker: Broker, conditions: ConditionEditor, view: View
) -> None:
    """Of a Broker on a server it says how its queue or group stands, if there is no dependency.

    That is written by who knows it (``controlplane/logstandings.py``).
    """
    try:
        dependency = dependency_of(trigger)
    except NotAReference as exc:
        text = "Unable to unmarshal objectReference from dependency annotation of trigger"
        conditions.false(DEPENDENCY_READY, "ReferenceError", f"{text}: {exc}")
        return
    if dependency is None:
        if class_of(broker) not in SERVER_CLASSES:
            conditions.true(DEPENDENCY_READY)
        return
    found = _found(dependency, trigger.metadata.namespace, view)
    if found is None:
        group = group_in(dependency.api_version)
        text = f"Dependency does not exist: {not_found(group, dependency.kind, dependency.name)}"
        conditions.false(DEPENDENCY_READY, "DependencyDoesNotExist", text)
        return
    observed, ready = _readiness(found)
    generation = found.metadata.generation
    if generation != observed:
        text = (
            f'The dependency\'s metadata.generation, "{generation}", is not equal to its'
            f' status.observedGeneration, "{observed}".'
        )
        conditions.unknown(DEPENDENCY_READY, "GenerationNotEqual", text)
        return
    _copy(
        conditions,
        DEPENDENCY_READY,
        ready,
        ("DependencyNotConfigured", "Dependency has not yet been reconciled."),
    )


def _found(dependency: Dependency, namespace: str, view: View) -> Object | None:
    """A dependency lies in the namespace of its Trigger; admission has seen to that."""
    kind = kind_of(group_in(dependency.api_version), dependency.kind)
    return None if kind is None else view.get(kind, namespace, dependency.name)


def _readiness(obj: Object) -> tuple[int, Condition | None]:
    """The generation that *obj* has observed, and its Ready condition; of whatever kind it is."""
    status = getattr(obj, "status", None)
    observed: int = getattr(status, "observed_generation", obj.metadata.generation)
    conditions: Sequence[object] = getattr(status, "conditions", ())
    return observed, find(each for each in conditions if isinstance(each, Condition))


def _copy(
    conditions: ConditionEditor,
    name: str,
    ready: Condition | None,
    absent: tuple[str, str],
) -> None:
    """Mark *name* as *ready* is, or as not known for the reason and message of *absent*.

    What is well says no more than that: its reason stays behind.
    """
    if ready is None:
        conditions.unknown(name, *absent)
    elif ready.status == "True":
        conditions.true(name)
    else:
        conditions.copy(name, ready)
