"""What a Trigger waits for beside its Broker: the object that its dependency annotation names.

Source: knative/eventing ``pkg/reconciler/broker/trigger/trigger.go``; Eventing reference §4.
"""

from collections.abc import Sequence

from knlite.eventing.references import group_in, kind_of, not_found
from knlite.kinds.conditions import Condition, ConditionEditor, find
from knlite.kinds.eventing.broker import Broker, class_of
from knlite.kinds.eventing.brokerclass import SERVER_CLASSES
from knlite.kinds.eventing.trigger import (
    DEPENDENCY_READY,
    Dependency,
    NotAReference,
    Trigger,
    dependency_of,
)
from knlite.kinds.meta import Object
from knlite.reconcile import View


def check_dependency(
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
    copied(
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


def copied(
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
