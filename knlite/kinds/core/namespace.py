"""Namespace: the first part of every address."""

from knlite.kinds.meta import Fields, Object


class NamespaceStatus(Fields):
    phase: str = "Active"


class Namespace(Object):
    """Names inside one namespace are unique per kind."""

    spec: Fields = Fields()
    status: NamespaceStatus = NamespaceStatus()
