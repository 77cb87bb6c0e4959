"""Namespace: every one has the ServiceAccount that pods get which name none.

Source: Kubernetes' serviceaccount controller.
"""

from datetime import datetime

from knlite.kinds.core.namespace import Namespace
from knlite.kinds.core.serviceaccount import ServiceAccount
from knlite.kinds.meta import ObjectMeta
from knlite.reconcile import Create, Key, Outcome, View

DEFAULT = "default"


def reconcile(key: Key, view: View, now: datetime) -> Outcome:
    """The ServiceAccount of the Namespace at *key*."""
    namespace = view.get(Namespace, "", key.name)
    if namespace is None or namespace.metadata.deletion_timestamp is not None:
        return Outcome()
    if view.get(ServiceAccount, key.name, DEFAULT) is not None:
        return Outcome()
    account = ServiceAccount(metadata=ObjectMeta(name=DEFAULT, namespace=key.name))
    return Outcome((Create(account),))
