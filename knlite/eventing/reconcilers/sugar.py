"""Makes Brokers that are missing, for the Namespaces and Triggers that config-sugar selects.

None is ever deleted. Differs: one that a person deletes comes back at once, and not at the next
change of what selects it.

Source: knative/eventing ``pkg/reconciler/sugar``; Eventing reference §15.
"""

from datetime import datetime

from knlite.kinds.core.namespace import Namespace
from knlite.kinds.eventing.broker import Broker
from knlite.kinds.eventing.trigger import Trigger
from knlite.kinds.labels import INJECTED
from knlite.kinds.meta import Object, ObjectMeta
from knlite.kinds.selectors import LabelSelector, matches
from knlite.reconcile import Create, Key, Outcome, View

DEFAULT_BROKER = "default"


def reconcile_namespace(key: Key, view: View, now: datetime) -> Outcome:
    """The Broker ``default`` of the Namespace at *key*."""
    found = view.get(Namespace, "", key.name)
    if not _selected(found, view.config.sugar.namespaces):
        return Outcome()
    return _broker(key.name, DEFAULT_BROKER, view)


def reconcile_trigger(key: Key, view: View, now: datetime) -> Outcome:
    """The Broker that the Trigger at *key* names in its own namespace."""
    found = view.get(Trigger, key.namespace, key.name)
    if found is None or not found.spec.broker or not _selected(found, view.config.sugar.triggers):
        return Outcome()
    return _broker(key.namespace, found.spec.broker, view)


def _selected(obj: Object | None, selector: LabelSelector | None) -> bool:
    if obj is None or selector is None or obj.metadata.deletion_timestamp is not None:
        return False
    return matches(selector, obj.metadata.labels)


def _broker(namespace: str, name: str, view: View) -> Outcome:
    if view.get(Broker, namespace, name) is not None:
        return Outcome()
    metadata = ObjectMeta(namespace=namespace, name=name, labels={INJECTED: "true"})
    return Outcome((Create(Broker(metadata=metadata)),))
