"""A view that notes what is read through it, so that a reconciler's reads become its triggers.

Source: ``docs/adr/0003-reading-is-depending.md``.
"""

from collections.abc import Sequence
from typing import TypeVar

from knlite.kinds.config.bundle import Config
from knlite.kinds.meta import Object
from knlite.reconcile import Key
from knlite.registry.store import (
    Index,
    Store,
    all_of,
    in_namespace,
    owned_by,
    with_label,
    with_mark,
)

T = TypeVar("T", bound=Object)

Dependency = Key | Index
"""One object by name (present or not), or one list."""


class RecordingView:
    """Reads of one reconcile; ``dependencies`` holds what they touched.

    Configuration is not noted: when it changes, everything is reconciled.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.dependencies: set[Dependency] = set()

    @property
    def config(self) -> Config:
        """The ``config-*`` ConfigMaps, parsed."""
        return self._store.config

    def get(self, kind: type[T], namespace: str, name: str) -> T | None:
        """The object of that name, or None."""
        self.dependencies.add(Key(kind, namespace, name))
        return self._store.get(kind, namespace, name)

    def listed(self, kind: type[T], namespace: str) -> Sequence[T]:
        """All of *kind* in *namespace* ("" means in all), sorted by namespace and name."""
        self.dependencies.add(in_namespace(kind, namespace) if namespace else all_of(kind))
        return self._store.listed(kind, namespace)

    def labelled(self, kind: type[T], namespace: str, label: str, value: str) -> Sequence[T]:
        """Those of *kind* in *namespace* whose label *label* is *value*, sorted by name."""
        self.dependencies.add(with_label(kind, namespace, label, value))
        return self._store.labelled(kind, namespace, label, value)

    def owned(self, kind: type[T], owner: Object) -> Sequence[T]:
        """Those of *kind* whose controller is *owner*, sorted by name."""
        self.dependencies.add(owned_by(kind, owner.metadata.uid))
        return self._store.owned(kind, owner)

    def marked(self, kind: type[T], namespace: str, route: str) -> Sequence[T]:
        """Those of *kind* in *namespace* that say *route* refers to them, sorted by name."""
        self.dependencies.add(with_mark(kind, namespace, route))
        return self._store.marked(kind, namespace, route)
