"""The shape shared by all reconcilers: what they see, and what they answer.

A reconciler is a pure function of one object's key, a view of all objects, and the time. It does
not say what it depends on: the controller records what it reads through the view, and runs it
again when any of that changes.

Source: Knative's and Kubernetes' level-triggered reconciling; ``docs/adr/0003``.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol, TypeVar

import msgspec

from knlite.kinds.conditions import ConditionEditor
from knlite.kinds.config.bundle import Config
from knlite.kinds.meta import Object

T = TypeVar("T", bound=Object)


class Key(NamedTuple):
    """Names one object: its kind as a type, its namespace ("" for the cluster), its name.

    A tuple, as the whole control plane looks up by it.
    """

    kind: type[Object]
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind.__name__} {self.namespace}/{self.name}".replace(" /", " ")


def key_of(obj: Object) -> Key:
    """The key under which *obj* is stored."""
    return Key(type(obj), obj.metadata.namespace, obj.metadata.name)


class View(Protocol):
    """All objects as they are now. Reading is what makes a reconciler depend on them."""

    @property
    def config(self) -> Config:
        """The ``config-*`` ConfigMaps, parsed."""
        ...

    def get(self, kind: type[T], namespace: str, name: str) -> T | None:
        """The object of that name, or None."""
        ...

    def listed(self, kind: type[T], namespace: str) -> Sequence[T]:
        """All objects of *kind* in *namespace* ("" means in all), sorted by namespace and name."""
        ...

    def labelled(self, kind: type[T], namespace: str, label: str, value: str) -> Sequence[T]:
        """Those of *kind* in *namespace* whose label *label* is *value*, sorted by name."""
        ...

    def owned(self, kind: type[T], owner: Object) -> Sequence[T]:
        """Those of *kind* whose controller is *owner*, sorted by name."""
        ...

    def marked(self, kind: type[T], namespace: str, route: str) -> Sequence[T]:
        """Those of *kind* in *namespace* that say *route* refers to them, sorted by name."""
        ...


@dataclass(frozen=True, slots=True)
class Create:
    """Make *obj*; it goes through defaulting and validation as any other."""

    obj: Object


@dataclass(frozen=True, slots=True)
class Update:
    """Replace spec and metadata of the stored object; its status stays."""

    obj: Object


@dataclass(frozen=True, slots=True)
class UpdateStatus:
    """Replace the status of the stored object; its spec and metadata stay."""

    obj: Object


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete the object and, by ownership, its children."""

    key: Key


Change = Create | Update | UpdateStatus | Delete


@dataclass(frozen=True, slots=True)
class Outcome:
    """What must change, and when to look again even if nothing happens (seconds from now)."""

    changes: tuple[Change, ...] = ()
    requeue_after: float | None = None


def concluded(
    obj: Object,
    status: msgspec.Struct,
    conditions: ConditionEditor,
    changes: Iterable[Change] = (),
) -> Outcome:
    """*changes*, and *obj* with *status* and *conditions*, observed as it is, if that is new."""
    status = msgspec.structs.replace(
        status, observed_generation=obj.metadata.generation, conditions=conditions.result()
    )
    if status == getattr(obj, "status", None):
        return Outcome(tuple(changes))
    return Outcome((*changes, UpdateStatus(msgspec.structs.replace(obj, status=status))))


Reconciler = Callable[[Key, View, datetime], Outcome]
