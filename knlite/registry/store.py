"""The objects themselves, with the indexes that reconcilers read by.

Not here: what may be stored (``kinds/admission.py``), who is told (``registry.py``).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar, cast

from knlite.kinds.config.bundle import Config
from knlite.kinds.labels import routes_of
from knlite.kinds.meta import Object, controller_of
from knlite.reconcile import Key, key_of

T = TypeVar("T", bound=Object)

Index = tuple[object, ...]
"""Names one list of objects: all of a kind, those of a namespace, a label, an owner, a route."""


def all_of(kind: type[Object]) -> Index:
    """Every object of *kind*."""
    return ("kind", kind)


def in_namespace(kind: type[Object], namespace: str) -> Index:
    """Those of *kind* in *namespace*."""
    return ("namespace", kind, namespace)


def with_label(kind: type[Object], namespace: str, label: str, value: str) -> Index:
    """Those of *kind* in *namespace* that carry a label."""
    return ("label", kind, namespace, label, value)


def owned_by(kind: type[Object], owner_uid: str) -> Index:
    """Those of *kind* whose controller has *owner_uid*."""
    return ("owner", kind, owner_uid)


def with_mark(kind: type[Object], namespace: str, route: str) -> Index:
    """Those of *kind* in *namespace* that say *route* refers to them."""
    return ("route", kind, namespace, route)


def children_of(owner_uid: str) -> Index:
    """Everything that any owner reference ties to *owner_uid*, of all kinds."""
    return ("child", owner_uid)


def inside(namespace: str) -> Index:
    """Everything in *namespace*, of all kinds."""
    return ("inside", namespace)


def listed_alike(one: Object, other: Object) -> bool:
    """Whether two states of an object stand in the same lists, as all of its statuses do."""
    if one.metadata is other.metadata:
        return True
    mine, its = one.metadata, other.metadata
    return (
        mine.labels == its.labels
        and mine.annotations == its.annotations
        and mine.owner_references == its.owner_references
    )


class Store:
    """All objects of one run; implements ``reconcile.View``."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._objects: dict[Key, Object] = {}
        self._lists: defaultdict[Index, dict[Key, None]] = defaultdict(dict)
        self._labels: defaultdict[type[Object], set[str]] = defaultdict(set)
        """Labels by which a kind has been read. Nobody reads by most, so only these have lists."""

    def put(self, obj: Object) -> None:
        """Store *obj* in the place of what has its key."""
        key = key_of(obj)
        old = self._objects.get(key)
        if old is not None and listed_alike(old, obj):
            self._objects[key] = obj
            return
        self.remove(key)
        self._objects[key] = obj
        for index in self.lists_of(obj):
            self._lists[index][key] = None

    def remove(self, key: Key) -> None:
        """Forget the object at *key*, if there is one."""
        old = self._objects.pop(key, None)
        if old is None:
            return
        for index in self.lists_of(old):
            keys = self._lists[index]
            del keys[key]
            if not keys:
                del self._lists[index]

    def lists_of(self, obj: Object) -> Iterator[Index]:
        """Every list that *obj* stands in."""
        kind, meta = type(obj), obj.metadata
        yield all_of(kind)
        yield in_namespace(kind, meta.namespace)
        if meta.namespace:
            yield inside(meta.namespace)
        for label in self._labels.get(kind, ()):
            value = meta.labels.get(label)
            if value is not None:
                yield with_label(kind, meta.namespace, label, value)
        for route in routes_of(meta.annotations):
            yield with_mark(kind, meta.namespace, route)
        owner = controller_of(obj)
        if owner is not None:
            yield owned_by(kind, owner.uid)
        for reference in meta.owner_references:
            yield children_of(reference.uid)

    def at(self, key: Key) -> Object | None:
        """The object at *key*."""
        return self._objects.get(key)

    def get(self, kind: type[T], namespace: str, name: str) -> T | None:
        """The object of that name, or None."""
        return cast("T | None", self._objects.get(Key(kind, namespace, name)))

    def listed(self, kind: type[T], namespace: str) -> Sequence[T]:
        """All of *kind* in *namespace* ("" means in all), sorted by namespace and name."""
        return self._of(kind, in_namespace(kind, namespace) if namespace else all_of(kind))

    def labelled(self, kind: type[T], namespace: str, label: str, value: str) -> Sequence[T]:
        """Those of *kind* in *namespace* whose label *label* is *value*, sorted by name."""
        if label not in self._labels[kind]:
            self._list_by(kind, label)
        return self._of(kind, with_label(kind, namespace, label, value))

    def owned(self, kind: type[T], owner: Object) -> Sequence[T]:
        """Those of *kind* whose controller is *owner*, sorted by name."""
        return self._of(kind, owned_by(kind, owner.metadata.uid))

    def marked(self, kind: type[T], namespace: str, route: str) -> Sequence[T]:
        """Those of *kind* in *namespace* that say *route* refers to them, sorted by name."""
        return self._of(kind, with_mark(kind, namespace, route))

    def children(self, uid: str) -> Sequence[Object]:
        """Everything that any owner reference ties to *uid*, whatever its kind."""
        return self._of(Object, children_of(uid))

    def inside(self, namespace: str) -> Sequence[Object]:
        """Everything in *namespace*, whatever its kind."""
        return self._of(Object, inside(namespace))

    def anything_inside(self, namespace: str) -> bool:
        """Whether there is something in *namespace*."""
        return inside(namespace) in self._lists

    def everything(self) -> Sequence[Object]:
        """All objects, sorted by kind, namespace and name."""
        return self._sorted(self._objects.values())

    def _list_by(self, kind: type[Object], label: str) -> None:
        """Keep lists of *kind* by *label* from now on."""
        self._labels[kind].add(label)
        for key in self._lists.get(all_of(kind), ()):
            meta = self._objects[key].metadata
            value = meta.labels.get(label)
            if value is not None:
                self._lists[with_label(kind, meta.namespace, label, value)][key] = None

    def _of(self, kind: type[T], index: Index) -> Sequence[T]:
        keys = self._lists.get(index, {})
        return cast("Sequence[T]", self._sorted(self._objects[key] for key in keys))

    @staticmethod
    def _sorted(objects: Iterable[Object]) -> Sequence[Object]:
        found = list(objects)
        if len(found) < 2:
            return found
        return sorted(
            found,
            key=lambda obj: (type(obj).__name__, obj.metadata.namespace, obj.metadata.name),
        )
