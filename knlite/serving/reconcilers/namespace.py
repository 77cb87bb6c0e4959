"""Namespace: every one has the ServiceAccount that pods get which name none; and its end.

What a namespace holds goes some time after it has been deleted, as on a cluster: whoever deletes
the objects of a folder one after the other, as kubectl does, finds those that are in it.

Source: Kubernetes' serviceaccount and namespace controllers.
"""

from datetime import datetime, timedelta

import msgspec

from knlite.kinds.core.namespace import LIFECYCLE, Namespace
from knlite.kinds.core.serviceaccount import ServiceAccount
from knlite.kinds.meta import ObjectMeta
from knlite.reconcile import Create, Key, Outcome, Update, View

DEFAULT = "default"
LINGERING = timedelta(seconds=2)
"""From the deletion, whose time is told in whole seconds, to the end of the contents."""


def reconcile(key: Key, view: View, now: datetime) -> Outcome:
    """The ServiceAccount of the Namespace at *key*, or its end."""
    namespace = view.get(Namespace, "", key.name)
    if namespace is None:
        return Outcome()
    if namespace.metadata.deletion_timestamp is not None:
        return _ending(namespace, namespace.metadata.deletion_timestamp, now)
    if view.get(ServiceAccount, key.name, DEFAULT) is not None:
        return Outcome()
    account = ServiceAccount(metadata=ObjectMeta(name=DEFAULT, namespace=key.name))
    return Outcome((Create(account),))


def _ending(namespace: Namespace, deleted: str, now: datetime) -> Outcome:
    meta = namespace.metadata
    if LIFECYCLE not in meta.finalizers:
        return Outcome()
    left = datetime.fromisoformat(deleted) + LINGERING - now
    if left > timedelta():
        return Outcome(requeue_after=left.total_seconds())
    others = tuple(each for each in meta.finalizers if each != LIFECYCLE)
    released = msgspec.structs.replace(meta, finalizers=others)
    return Outcome((Update(msgspec.structs.replace(namespace, metadata=released)),))
