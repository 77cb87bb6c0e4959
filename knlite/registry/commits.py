"""Changes as they happen: each is counted, stored, put into the window, and told to all.

Source: Kubernetes API conventions (resourceVersion).
Not here: what may change (``registry.py``, ``admission.py``).
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import msgspec

from knlite.kinds.config.bundle import Config
from knlite.kinds.core.configmap import ConfigMap
from knlite.kinds.meta import Object
from knlite.reconcile import Key, key_of
from knlite.registry.configmaps import is_config
from knlite.registry.derived import Derivation, Derived, WholeView
from knlite.registry.derivedchanges import DerivedChanges
from knlite.registry.store import Store
from knlite.registry.watch import Change, Predicate, Watch, Window


@dataclass(frozen=True, slots=True)
class Notification:
    """What happened to one object. *old* is None for ``added``."""

    change: Literal["added", "modified", "deleted"]
    obj: Object
    old: Object | None


Listener = Callable[[Notification], None]


class Commits:
    """The only writer of *store*."""

    def __init__(
        self,
        store: Store,
        derivations: tuple[Derivation, ...],
        configured: Callable[[], Config],
        wall: Callable[[], datetime],
    ) -> None:
        """*configured* reads the ``config-*`` ConfigMaps that are stored."""
        self._store = store
        self._configured = configured
        self._wall = wall
        self._derived = Derived(derivations)
        self.view = WholeView(store, self._derived)
        """Everything that is stored and everything that follows from it."""
        self.version = 0
        """Counts the changes."""
        self._window = Window()
        self._derived_changes = DerivedChanges(self.view, self._derived, self._window, wall)
        self._listeners: list[Listener] = []
        self._restored: list[Key] = []

    @contextmanager
    def listening(self, listener: Listener) -> Iterator[None]:
        """Tell *listener* of every change while the context lasts."""
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)

    def restore(self, objects: Iterable[Object], version: int) -> None:
        """Begin with *objects* of an earlier run, whose last version was *version*."""
        for obj in objects:
            self._store.put(obj)
            self._restored.append(key_of(obj))
        self._store.config = self._configured()
        self.version = version
        self._window.forget(version)

    def announce(self) -> None:
        """Tell those who listen now of what has been restored, as if it were new."""
        restored, self._restored = self._restored, []
        for key in restored:
            obj = self._store.at(key)
            if obj is not None:
                self._tell(Notification("added", obj, None))

    def commit(self, obj: Object, old: Object | None) -> Object:
        """Store *obj* in the place of *old*, unless it says the same; returns what is stored."""
        if obj == old:
            return obj
        stored = self._versioned(obj)
        self._store.put(stored)
        self._note(Notification("added" if old is None else "modified", stored, old))
        return stored

    def remove(self, obj: Object) -> Object:
        """Forget *obj*; returns what everybody is told: it has the version of its end."""
        gone = self._versioned(obj)
        self._store.remove(key_of(obj))
        self._derived.gone(self.view, obj, self.version)
        self._note(Notification("deleted", gone, obj))
        return gone

    def next_version(self) -> int:
        """The version of something that is about to change and is not stored here."""
        self.version += 1
        return self.version

    def derived_changed(self, key: Key) -> None:
        """Tell those who watch that the computed object at *key* has changed, come or gone."""
        self._derived_changes.changed(key, self.version)

    def watch(
        self, kind: type[Object], namespace: str, since: int, predicate: Predicate | None
    ) -> Watch:
        """What happens after *since*, or from now on if that is 0. Raises ``Expired``."""
        if kind in self._derived.kinds:
            found = self._derived_changes.watch(
                kind,
                namespace,
                since=since,
                version=lambda: self.version,
                predicate=predicate,
            )
            if found is not None:
                return found
        return self._window.watch(
            kind,
            namespace,
            since=since,
            version=lambda: self.version,
            predicate=predicate,
            present=None if since else self.view.listed(kind, namespace),
        )

    def require_in_window(self, kind: type[Object], since: int) -> None:
        """Refuse a version from which *kind* cannot be watched. Raises ``Expired``."""
        self._window.require(kind, since, self.version)

    def _versioned(self, obj: Object) -> Object:
        self.version += 1
        metadata = msgspec.structs.replace(obj.metadata, resource_version=str(self.version))
        return msgspec.structs.replace(obj, metadata=metadata)

    def _note(self, notification: Notification) -> None:
        obj, old = notification.obj, notification.old
        new = None if notification.change == "deleted" else obj
        last = obj if new is None else None
        self._window.append(type(obj), Change(self.version, self._wall(), old, new, last))
        if isinstance(obj, ConfigMap) and is_config(obj):
            self._store.config = self._configured()
        self._derived_changes.note(obj, self.version)
        self._tell(notification)

    def _tell(self, notification: Notification) -> None:
        for listener in tuple(self._listeners):
            listener(notification)
