"""Happening: something that is worth an Event, before it is one.

Not here: what is told of what (``serving/happenings.py``, ``eventing/happenings.py``), counting and
keeping it (``controlplane/eventledger.py``).
"""

from dataclasses import dataclass
from typing import Literal

from knlite.kinds.meta import Object

EventType = Literal["Normal", "Warning"]


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened to the object *kind* (its class' name), *namespace*, *name*."""

    kind: str
    namespace: str
    name: str
    type: EventType
    reason: str
    message: str
    component: str
    """Who tells it: ``service-controller``, ``autoscaler``, ``kubelet``, …"""


def told_by_controller(obj: Object, type_: EventType, reason: str, message: str) -> Happening:
    """What the controller of *obj* has to tell of it."""
    kind, meta = type(obj).__name__, obj.metadata
    component = f"{kind.lower()}-controller"
    return Happening(kind, meta.namespace, meta.name, type_, reason, message, component)
