"""What a program writes each time that it fails to start, which the terminal need not show again.

Not here: the same for what is said of it (``repeats.py``).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.text import Text

from knlite.facts import InstanceChanged, LogLine

MOST = 200
"""Lines of an attempt that are remembered; one that writes more is shown each time."""


@dataclass(slots=True)
class _Attempt:
    before: Sequence[str]
    """What the last attempt wrote."""
    written: list[str] = field(default_factory=list)
    held: list[Text] | None = field(default_factory=list)
    """The lines that are not shown as long as they are those of *before*; None: all are."""


class Attempts:
    """The starts of instances that are not ready yet."""

    def __init__(self) -> None:
        self._failed: dict[tuple[str, str], Sequence[str]] = {}
        """What the last attempt of each instance wrote, if it failed."""
        self._under_way: dict[tuple[str, str], _Attempt] = {}

    def line(self, fact: LogLine, line: Text) -> list[Text]:
        """What to show now that *fact* was written, whose *line* that is."""
        attempt = self._under_way.get((fact.namespace, fact.instance))
        if attempt is None:
            return [line]
        number = len(attempt.written)
        if number < MOST:
            attempt.written.append(fact.text)
        if attempt.held is None:
            return [line]
        attempt.held.append(line)
        if number < len(attempt.before) and attempt.before[number] == fact.text:
            return []
        return self._released(attempt)

    def changed(self, fact: InstanceChanged) -> list[Text]:
        """What to show of what was held back, now that an instance has changed."""
        who = fact.namespace, fact.instance
        if fact.state == "starting":
            self._under_way.setdefault(who, _Attempt(self._failed.get(who, ())))
        elif fact.state == "failed":
            attempt = self._under_way.pop(who, None)
            if attempt is not None and len(attempt.written) < MOST:
                self._failed[who] = attempt.written
        elif fact.state in ("ready", "completed", "stopped", "gone"):
            self._failed.pop(who, None)
            attempt = self._under_way.pop(who, None)
            if attempt is not None and fact.state == "ready":
                return self._released(attempt)
        return []

    @staticmethod
    def _released(attempt: _Attempt) -> list[Text]:
        held, attempt.held = attempt.held or [], None
        return held
