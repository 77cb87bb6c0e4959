"""Objects that nobody stores: they follow from stored ones and are computed when somebody reads.

Clients see them among all others. Reconcilers do not: what follows from an object cannot be a
reason to change it.

Source: ``docs/adr/0020-views-are-computed.md``.
Not here: what they say (``serving/views``), who watches them (``watch.py``).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar, cast

import msgspec

from knlite.kinds.config.bundle import Config
from knlite.kinds.meta import Object
from knlite.kinds.names import MAX_LABEL, child_name
from knlite.reconcile import Key, View, key_of
from knlite.registry.store import Store

T = TypeVar("T", bound=Object)


class Derivation(Protocol):
    """Knows all objects of one kind that are not stored."""

    @property
    def kind(self) -> type[Object]:
        """Their kind. Others of it may be stored; a stored one goes before one of that name."""
        ...

    def get(self, view: View, namespace: str, name: str) -> Object | None:
        """The one of that name, if it is among them."""
        ...

    def listed(self, view: View, namespace: str) -> Iterable[Object]:
        """Those of *namespace* ("" means of all)."""
        ...

    def following(self, obj: Object) -> Iterable[Key]:
        """Those that change when *obj* does, comes or goes."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildOf:
    """An object for each of kind *parent*, called as it is and *suffix*.

    *inputs* are the other kinds that it is made of, with what names the parent in each of them
    ("" if nothing does).
    """

    kind: type[Object]
    parent: type[Object]
    made: Callable[[Any, View], Object | None]
    """Gives None where that parent has none."""
    suffix: str = ""
    inputs: Mapping[type[Object], Callable[[Any], str]] = field(default_factory=dict)

    def get(self, view: View, namespace: str, name: str) -> Object | None:
        """The child of that name, if its parent is there."""
        parent = self._parent(view, namespace, name)
        return None if parent is None else self.made(parent, view)

    def listed(self, view: View, namespace: str) -> Iterable[Object]:
        """The children of all parents in *namespace*."""
        made = (self.made(parent, view) for parent in view.listed(self.parent, namespace))
        return (each for each in made if each is not None)

    def following(self, obj: Object) -> Iterable[Key]:
        """The child that is made of *obj*."""
        meta = obj.metadata
        if isinstance(obj, self.parent):
            parent = meta.name
        else:
            named = self.inputs.get(type(obj))
            parent = named(obj) if named is not None else ""
        if parent:
            yield Key(self.kind, meta.namespace, child_name(parent, self.suffix))

    def _parent(self, view: View, namespace: str, name: str) -> Object | None:
        if not name.endswith(self.suffix):
            return None
        direct = name.removesuffix(self.suffix)
        found = view.get(self.parent, namespace, direct)
        if found is not None and child_name(direct, self.suffix) == name:
            return found
        if len(name) < MAX_LABEL:
            return None
        # A long name holds a hash of its parent's, from which there is no way back.
        for parent in view.listed(self.parent, namespace):
            if child_name(parent.metadata.name, self.suffix) == name:
                return parent
        return None


@dataclass(frozen=True, slots=True)
class Fixed:
    """Objects that are there throughout the run, in the state they are given in."""

    kind: type[Object]
    objects: tuple[Object, ...]

    def get(self, view: View, namespace: str, name: str) -> Object | None:
        """The one of that name, if it is among them."""
        return next(
            (
                obj
                for obj in self.objects
                if (obj.metadata.namespace, obj.metadata.name) == (namespace, name)
            ),
            None,
        )

    def listed(self, view: View, namespace: str) -> Iterable[Object]:
        """Those of *namespace*."""
        return (obj for obj in self.objects if namespace in {"", obj.metadata.namespace})

    def following(self, obj: Object) -> Iterable[Key]:
        """They follow from nothing."""
        return ()


class Derived:
    """All derivations over one store."""

    def __init__(self, derivations: Iterable[Derivation]) -> None:
        self._of_kind: defaultdict[type[Object], list[Derivation]] = defaultdict(list)
        for derivation in derivations:
            self._of_kind[derivation.kind].append(derivation)
        self._floors: dict[Key, int] = {}
        """Versions at which something that an object is made of has gone: it is newer than that."""

    @property
    def kinds(self) -> frozenset[type[Object]]:
        """The kinds that have objects which are not stored."""
        return frozenset(self._of_kind)

    def get(self, view: View, key: Key) -> Object | None:
        """The object at *key*, which is not stored."""
        for derivation in self._of_kind.get(key.kind, ()):
            found = derivation.get(view, key.namespace, key.name)
            if found is not None:
                return self._raised(found)
        return None

    def listed(self, view: View, kind: type[Object], namespace: str) -> Iterator[Object]:
        """All of *kind* in *namespace* ("" means in all) that are not stored, in no order."""
        for derivation in self._of_kind.get(kind, ()):
            for obj in derivation.listed(view, namespace):
                yield self._raised(obj)

    def parents(self, kind: type[Object]) -> frozenset[type[Object]]:
        """The kinds with whose objects those of *kind* come and go."""
        found = (each for each in self._of_kind.get(kind, ()) if isinstance(each, ChildOf))
        return frozenset(each.parent for each in found)

    def following(self, obj: Object) -> Iterator[Key]:
        """What changes when *obj* does."""
        for derivations in self._of_kind.values():
            for derivation in derivations:
                yield from derivation.following(obj)

    def gone(self, view: View, obj: Object, version: int) -> None:
        """*obj* has been removed at *version*. What else follows from it has changed at that."""
        for key in self.following(obj):
            if self.get(view, key) is None:
                self._floors.pop(key, None)
            else:
                self._floors[key] = version

    def _raised(self, obj: Object) -> Object:
        floor = self._floors.get(key_of(obj)) if self._floors else None
        if floor is None or floor <= int(obj.metadata.resource_version):
            return obj
        metadata = msgspec.structs.replace(obj.metadata, resource_version=str(floor))
        return msgspec.structs.replace(obj, metadata=metadata)


class WholeView:
    """Everything that is stored and everything that follows from it; implements ``View``."""

    def __init__(self, store: Store, derived: Derived) -> None:
        self._store = store
        self._derived = derived
        self._kinds = derived.kinds

    @property
    def config(self) -> Config:
        """The ``config-*`` ConfigMaps, parsed."""
        return self._store.config

    def at(self, key: Key) -> Object | None:
        """The object at *key*."""
        found = self._store.at(key)
        if found is None and key.kind in self._kinds:
            return self._derived.get(self, key)
        return found

    def get(self, kind: type[T], namespace: str, name: str) -> T | None:
        """The object of that name, or None."""
        return cast("T | None", self.at(Key(kind, namespace, name)))

    def listed(self, kind: type[T], namespace: str) -> Sequence[T]:
        """All of *kind* in *namespace* ("" means in all), sorted by namespace and name."""
        stored = self._store.listed(kind, namespace)
        if kind not in self._kinds:
            return stored
        found = {key_of(obj): obj for obj in self._derived.listed(self, kind, namespace)}
        found.update((key_of(obj), obj) for obj in stored)
        order = sorted(found, key=lambda key: (key.namespace, key.name))
        return [cast("T", found[key]) for key in order]

    def labelled(self, kind: type[T], namespace: str, label: str, value: str) -> Sequence[T]:
        """Those of *kind* in *namespace* whose label *label* is *value*, sorted by name."""
        if kind not in self._kinds:
            return self._store.labelled(kind, namespace, label, value)
        found = self.listed(kind, namespace)
        return [obj for obj in found if obj.metadata.labels.get(label) == value]

    def owned(self, kind: type[T], owner: Object) -> Sequence[T]:
        """Those of *kind* that are stored and whose controller is *owner*, sorted by name."""
        return self._store.owned(kind, owner)

    def marked(self, kind: type[T], namespace: str, route: str) -> Sequence[T]:
        """Those of *kind* in *namespace* that say *route* refers to them, sorted by name."""
        return self._store.marked(kind, namespace, route)
