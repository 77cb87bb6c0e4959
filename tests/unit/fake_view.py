"""A View over objects in memory that can carry out what a reconciler decides."""

from collections.abc import Sequence
from typing import TypeVar, assert_never, cast

from msgspec.structs import replace

from knlite.kinds.config.bundle import Config
from knlite.kinds.labels import routes_of
from knlite.kinds.meta import Object, controller_of
from knlite.reconcile import Create, Delete, Key, Outcome, Update, UpdateStatus, key_of

T = TypeVar("T", bound=Object)


class FakeView:
    """Objects by key. What is stored counts its generations, as the registry does."""

    def __init__(self, *objects: Object, config: Config | None = None) -> None:
        self._config = config or Config()
        self._objects = {key_of(obj): obj for obj in objects}

    @property
    def config(self) -> Config:
        return self._config

    def get(self, kind: type[T], namespace: str, name: str) -> T | None:
        return cast("T | None", self._objects.get(Key(kind, namespace, name)))

    def listed(self, kind: type[T], namespace: str) -> Sequence[T]:
        found = [obj for obj in self._objects.values() if isinstance(obj, kind)]
        found.sort(key=lambda obj: (obj.metadata.namespace, obj.metadata.name))
        return [obj for obj in found if namespace in {"", obj.metadata.namespace}]

    def labelled(self, kind: type[T], namespace: str, label: str, value: str) -> Sequence[T]:
        found = self.listed(kind, namespace)
        return [obj for obj in found if obj.metadata.labels.get(label) == value]

    def owned(self, kind: type[T], owner: Object) -> Sequence[T]:
        def is_owned(obj: T) -> bool:
            controller = controller_of(obj)
            return controller is not None and controller.uid == owner.metadata.uid

        return [obj for obj in self.listed(kind, owner.metadata.namespace) if is_owned(obj)]

    def marked(self, kind: type[T], namespace: str, route: str) -> Sequence[T]:
        found = self.listed(kind, namespace)
        return [obj for obj in found if route in routes_of(obj.metadata.annotations)]

    def put(self, obj: Object) -> None:
        """Store *obj* exactly as it is."""
        self._objects[key_of(obj)] = obj

    def remove(self, obj: Object) -> None:
        """Forget the object of the same key."""
        del self._objects[key_of(obj)]

    def apply(self, outcome: Outcome) -> None:
        """Carry out the changes of *outcome*."""
        for change in outcome.changes:
            match change:
                case Create(obj):
                    assert key_of(obj) not in self._objects
                    self.put(obj)
                case Update(obj):
                    self._update(obj)
                case UpdateStatus(obj):
                    self.put(_with(self._objects[key_of(obj)], status=_field(obj, "status")))
                case Delete(key):
                    del self._objects[key]
                case _:
                    assert_never(change)

    def _update(self, obj: Object) -> None:
        old = self._objects[key_of(obj)]
        if obj.metadata.deletion_timestamp is not None and not obj.metadata.finalizers:
            self.remove(obj)
            return
        changed = _field(obj, "spec") != _field(old, "spec")
        generation = old.metadata.generation + changed
        obj = _with(obj, status=_field(old, "status"))
        self.put(replace(obj, metadata=replace(obj.metadata, generation=generation)))


def _field(obj: Object, name: str) -> object:
    return getattr(obj, name, None)


def _with(obj: Object, status: object) -> Object:
    return obj if status is None else replace(obj, status=status)
