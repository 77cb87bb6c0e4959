"""EventType: whether who takes its events exists.

Source: knative/eventing ``pkg/reconciler/eventtype/eventtype.go``; Eventing reference §12.
"""

from datetime import datetime

from knlite.eventing.references import kind_of
from knlite.kinds.conditions import ConditionEditor
from knlite.kinds.core.k8sservice import KubernetesService
from knlite.kinds.eventing.eventtype import CONDITIONS, REFERENCE_EXISTS, EventType
from knlite.kinds.kreference import KReference, group_of
from knlite.kinds.meta import Object
from knlite.kinds.serving.route import Route
from knlite.reconcile import Key, Outcome, View, concluded


def reconcile(key: Key, view: View, now: datetime) -> Outcome:
    """The status of the EventType at *key*."""
    found = view.get(EventType, key.namespace, key.name)
    if found is None or found.metadata.deletion_timestamp is not None:
        return Outcome()
    conditions = CONDITIONS.edit(found.status.conditions, now)
    _judge(found, conditions, view)
    return concluded(found, found.status, conditions)


def _judge(obj: EventType, conditions: ConditionEditor, view: View) -> None:
    reference = obj.spec.reference
    if reference is None:
        conditions.true(REFERENCE_EXISTS, "ReferenceNotSet", "spec.reference is not set")
    elif _exists(reference, obj.metadata.namespace, view):
        conditions.true(REFERENCE_EXISTS)
    else:
        conditions.false(
            REFERENCE_EXISTS,
            "ResourceDoesNotExist",
            "Resource in spec.reference does not exist",
        )


def _exists(reference: KReference, namespace: str, view: View) -> bool:
    group, namespace = group_of(reference), reference.namespace or namespace
    if (group, reference.kind) == ("", "Service"):
        # A Route has one of its own name beside it.
        kinds: tuple[type[Object], ...] = (Route, KubernetesService)
    else:
        kind = kind_of(group, reference.kind)
        kinds = () if kind is None else (kind,)
    return any(view.get(each, namespace, reference.name) is not None for each in kinds)
