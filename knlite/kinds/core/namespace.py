"""Namespace: the first part of every address.

Source: Kubernetes core/v1 Namespace.
"""

import msgspec

from knlite.kinds.config.bundle import Config
from knlite.kinds.fielderror import Errors
from knlite.kinds.meta import Fields, Object
from knlite.kinds.names import label_1123_problems
from knlite.kinds.objectname import name_errors

NAME_LABEL = "kubernetes.io/metadata.name"
"""Label of every Namespace: its own name, for selectors."""
LIFECYCLE = "kubernetes"
"""Finalizer of a namespace whose contents are still to go (``FinalizerKubernetes``)."""


class NamespaceStatus(Fields):
    phase: str = ""


class Namespace(Object):
    """Names inside one namespace are unique per kind."""

    spec: Fields = Fields()
    status: NamespaceStatus = NamespaceStatus()


def defaulted(obj: Namespace, old: Namespace | None, config: Config) -> Namespace:
    """*obj* with the label that carries its name; it is active as soon as it exists."""
    labels = {**obj.metadata.labels, NAME_LABEL: obj.metadata.name}
    return msgspec.structs.replace(
        obj,
        metadata=msgspec.structs.replace(obj.metadata, labels=labels),
        status=NamespaceStatus(phase=obj.status.phase or "Active"),
    )


def validated(obj: Namespace, old: Namespace | None, config: Config) -> Errors:
    """What is wrong with *obj*."""
    return name_errors(obj, label_1123_problems)
