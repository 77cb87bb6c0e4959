"""What is there in every run before anything is applied: namespaces, and the platform's settings.

Source: a cluster on which Knative has been installed.
"""

from knlite.kinds.config.shipped import shipped
from knlite.kinds.core.namespace import Namespace
from knlite.kinds.meta import ObjectMeta
from knlite.reconcile import key_of
from knlite.registry.registry import CONTROLLER, Registry

NAMESPACES = ("default", "knative-serving", "knative-eventing")


def lay_foundation(registry: Registry) -> None:
    """Create what is missing of it; what an earlier run has kept may have been changed."""
    namespaces = (Namespace(metadata=ObjectMeta(name=name)) for name in NAMESPACES)
    for obj in (*namespaces, *shipped().values()):
        if registry.at(key_of(obj)) is None:
            registry.create(obj, user=CONTROLLER)
