"""What the conditions of each object were, as far back as is kept.

Conditions say how things are; how they got there is what one wants to know when they are bad.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from knlite.kinds.conditions import timestamp
from knlite.reconcile import Key, key_of
from knlite.registry.commits import Notification

KEPT = 40
"""Changes of one object."""
OBJECTS = 1_000
"""Objects whose changes are kept; the one that has changed longest ago is forgotten first."""


class Change(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A condition took another status, reason or message; empty texts if it went."""

    at: str
    type: str
    status: str
    reason: str
    message: str


class ConditionHistory:
    """Takes note of every change; answers for one object."""

    def __init__(self, wall: Callable[[], datetime]) -> None:
        self._wall = wall
        self._changes: OrderedDict[Key, deque[Change]] = OrderedDict()

    def of(self, key: Key) -> Sequence[Change]:
        """The changes of the object at *key*, the newest first."""
        return tuple(reversed(self._changes.get(key, ())))

    def note(self, notification: Notification) -> None:
        """Remember in what the conditions differ from those before."""
        obj = notification.obj
        status = getattr(obj, "status", None)
        if notification.change == "deleted":
            if self._changes:
                self._changes.pop(key_of(obj), None)
            return
        conditions = getattr(status, "conditions", None)
        if not conditions:
            return
        before = getattr(getattr(notification.old, "status", None), "conditions", None) or ()
        if conditions == before:
            return
        old = {each.type: each for each in before}
        at = timestamp(self._wall())
        found = [
            Change(
                at=at,
                type=each.type,
                status=each.status,
                reason=each.reason,
                message=each.message,
            )
            for each in conditions
            if _said(each) != _said(old.get(each.type))
        ]
        if found:
            key = key_of(obj)
            changes = self._changes.setdefault(key, deque(maxlen=KEPT))
            self._changes.move_to_end(key)
            changes.extend(found)
            if len(self._changes) > OBJECTS:
                self._changes.popitem(last=False)


def _said(condition: object) -> tuple[str, ...]:
    """What a condition says; when it began to is no matter."""
    names = ("status", "reason", "message")
    return tuple(getattr(condition, name, "") for name in names) if condition else ()
