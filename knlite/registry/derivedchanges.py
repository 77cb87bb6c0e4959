"""Changes of computed objects, from the moment that somebody watches their kind.

Until then nobody computes them. A client that has listed first is told of everything that is newer
than its list, as if it were new; then the changes of the kind are put into the window like those
of any other.

Source: ``docs/adr/0020-views-are-computed.md``.
"""

from collections.abc import Callable
from datetime import datetime

import msgspec

from knlite.kinds.meta import Object
from knlite.reconcile import Key, key_of
from knlite.registry.derived import Derived, WholeView
from knlite.registry.watch import Change, Predicate, Watch, WatchEvent, Window


class DerivedChanges:
    """The computed kinds that somebody has watched."""

    def __init__(
        self, view: WholeView, derived: Derived, window: Window, wall: Callable[[], datetime]
    ) -> None:
        self._view = view
        self._derived = derived
        self._window = window
        self._wall = wall
        self._known: dict[type[Object], dict[Key, Object]] = {}
        self._begun: dict[type[Object], int] = {}

    def watch(
        self,
        kind: type[Object],
        namespace: str,
        *,
        since: int,
        version: Callable[[], int],
        predicate: Predicate | None,
    ) -> Watch | None:
        """A reader of *kind* from before its changes were noted; None if the window knows all."""
        if kind not in self._known:
            found = self._view.listed(kind, "")
            self._known[kind] = {key_of(obj): obj for obj in found}
            self._begun[kind] = version()
        if since == 0 or since >= self._begun[kind]:
            return None
        newer = [obj for obj in self._view.listed(kind, namespace) if _version(obj) > since]
        watch = self._window.watch(
            kind,
            namespace,
            since=version(),
            version=version,
            predicate=predicate,
            present=newer,
        )
        watch.initial = (*watch.initial, *self._ended(kind, namespace, since, predicate))
        return watch

    def note(self, obj: Object, version: int) -> None:
        """The stored *obj* has changed, come or gone at *version*."""
        if not self._known:
            return
        for key in self._derived.following(obj):
            self.changed(key, version)

    def changed(self, key: Key, version: int) -> None:
        """The computed object at *key* may be another one since *version*."""
        known = self._known.get(key.kind)
        if known is None:
            return
        old, new = known.get(key), self._view.at(key)
        if new is None:
            known.pop(key, None)
        else:
            known[key] = new
        if not _alike(old, new):
            self._window.append(key.kind, Change(version, self._wall(), old, new))

    def _ended(
        self, kind: type[Object], namespace: str, since: int, predicate: Predicate | None
    ) -> list[WatchEvent]:
        """The ends of those whose parents have gone since."""
        ended = []
        for parent in self._derived.parents(kind):
            for change in self._window.changes(parent, since):
                if change.new is not None or change.old is None:
                    continue
                for key in self._derived.following(change.old):
                    if key.kind is not kind or self._view.at(key) is not None:
                        continue
                    obj = _remains(change.old, key, change.version)
                    if namespace in {"", key.namespace} and (predicate is None or predicate(obj)):
                        ended.append(WatchEvent("DELETED", obj))
        return ended


def _remains(parent: Object, key: Key, version: int) -> Object:
    """What is left to say of a computed object whose parent is gone: its name and labels."""
    metadata = msgspec.structs.replace(
        parent.metadata, name=key.name, uid="", resource_version=str(version), owner_references=()
    )
    return key.kind(metadata=metadata)


def _alike(old: Object | None, new: Object | None) -> bool:
    """Whether both say the same; that they are computed of newer objects is no change."""
    if old is None or new is None:
        return old is new
    metadata = msgspec.structs.replace(new.metadata, resource_version=old.metadata.resource_version)
    return msgspec.structs.replace(new, metadata=metadata) == old


def _version(obj: Object) -> int:
    return int(obj.metadata.resource_version or 0)
