"""Condition sets: several facts about an object rolled up into one ``Ready``.

Source: knative/pkg ``apis/condition_set.go``; Knative reference §1.11 (Serving), §1.2 (Eventing).
The roll-up: the first ``False`` among the dependents, most recent change first, else the first
``Unknown``, else ``True``. A condition's ``lastTransitionTime`` moves only when something else in
it changed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal

from knlite.kinds.meta import Fields

Status = Literal["True", "False", "Unknown"]
READY = "Ready"


class Condition(Fields):
    """One condition as the API shows it. An empty severity means that it takes part in Ready."""

    type: str
    status: Status
    severity: str = ""
    last_transition_time: str | None = None
    reason: str = ""
    message: str = ""


Conditions = tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class ConditionSet:
    """The happy condition of a kind and the ones it depends on."""

    dependents: tuple[str, ...] = ()
    happy: str = READY

    def edit(self, conditions: Iterable[Condition], now: datetime) -> "ConditionEditor":
        """Begin to change *conditions*; absent ones start as Unknown (True if Ready was True)."""
        return ConditionEditor(self, conditions, now)


class ConditionEditor:
    """Marks conditions of one object during one reconcile, then gives the new list.

    Every mark rolls ``Ready`` up again, so the order of marks does not matter.
    """

    def __init__(self, kind: ConditionSet, conditions: Iterable[Condition], now: datetime) -> None:
        self._set = kind
        self._now = now
        self._current = {condition.type: condition for condition in conditions}
        first: Status = "True" if self._status(kind.happy) == "True" else "Unknown"
        for name in kind.dependents:
            if name not in self._current:
                self._put(name, first, "", "", "")
        if kind.happy not in self._current:
            self._put(kind.happy, "Unknown", "", "", "")

    def true(self, name: str, reason: str = "", message: str = "") -> None:
        """Mark *name* as True."""
        self._mark(name, "True", reason, message)

    def false(self, name: str, reason: str, message: str = "") -> None:
        """Mark *name* as False; *reason* is one CamelCase word."""
        self._mark(name, "False", reason, message)

    def unknown(self, name: str, reason: str = "", message: str = "") -> None:
        """Mark *name* as not known yet."""
        self._mark(name, "Unknown", reason, message)

    def copy(self, name: str, source: Condition) -> None:
        """Mark *name* with the status, reason and message of *source*."""
        self._mark(name, source.status, source.reason, source.message)

    def get(self, name: str) -> Condition | None:
        """The condition *name* as it stands now."""
        return self._current.get(name)

    def is_true(self, name: str = READY) -> bool:
        """Whether *name* is True now."""
        return self._status(name) == "True"

    def is_false(self, name: str = READY) -> bool:
        """Whether *name* is False now."""
        return self._status(name) == "False"

    def result(self) -> Conditions:
        """All conditions, sorted by type as upstream stores them."""
        return tuple(self._current[name] for name in sorted(self._current))

    def _mark(self, name: str, status: Status, reason: str, message: str) -> None:
        terminal = name == self._set.happy or name in self._set.dependents
        self._put(name, status, "" if terminal else "Info", reason, message)
        if name != self._set.happy:
            self._roll_up()

    def _roll_up(self) -> None:
        dependents = [self._current[name] for name in self._set.dependents]
        # Stable sort: among equal times the declared order decides, so the result is repeatable.
        dependents.sort(key=lambda condition: condition.last_transition_time or "", reverse=True)
        for status in ("False", "Unknown"):
            for condition in dependents:
                if condition.status == status:
                    self._put(
                        self._set.happy, condition.status, "", condition.reason, condition.message
                    )
                    return
        self._put(self._set.happy, "True", "", "", "")

    def _put(self, name: str, status: Status, severity: str, reason: str, message: str) -> None:
        old = self._current.get(name)
        said = (status, severity, reason, message)
        if old is not None and said == (old.status, old.severity, old.reason, old.message):
            return
        self._current[name] = Condition(
            type=name,
            status=status,
            severity=severity,
            last_transition_time=timestamp(self._now),
            reason=reason,
            message=message,
        )

    def _status(self, name: str) -> Status | None:
        condition = self._current.get(name)
        return None if condition is None else condition.status


def find(conditions: Iterable[Condition], name: str = READY) -> Condition | None:
    """The condition *name* in *conditions*."""
    for condition in conditions:
        if condition.type == name:
            return condition
    return None


def is_true(conditions: Iterable[Condition], name: str = READY) -> bool:
    """Whether the condition *name* is True."""
    condition = find(conditions, name)
    return condition is not None and condition.status == "True"


def is_false(conditions: Iterable[Condition], name: str = READY) -> bool:
    """Whether the condition *name* is False."""
    condition = find(conditions, name)
    return condition is not None and condition.status == "False"


def since(conditions: Conditions, before: Conditions, now: str) -> Conditions:
    """*conditions* with the moments at which each came to its status, as Kubernetes' own kinds."""
    old = {each.type: each for each in before}
    result = []
    for each in conditions:
        was = old.get(each.type)
        same = was is not None and was.status == each.status
        moment = was.last_transition_time if was is not None and same else now
        result.append(
            Condition(
                type=each.type,
                status=each.status,
                reason=each.reason,
                message=each.message,
                last_transition_time=moment,
            )
        )
    return tuple(result)


def timestamp(moment: datetime) -> str:
    """*moment* as the API writes times: RFC 3339, UTC, whole seconds."""
    return _written(moment.astimezone(UTC).replace(microsecond=0, tzinfo=None))


@lru_cache(maxsize=8)
def _written(second: datetime) -> str:
    """One text for all who were there in that second: every object holds some, of every start."""
    return second.isoformat() + "Z"
