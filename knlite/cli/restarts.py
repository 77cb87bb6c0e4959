"""What an instance says when it is started again and again, on the terminal: the first time only.

A program that cannot start says why, each time in the same words; ``knlite logs`` has them all.
"""

from dataclasses import dataclass, field

from knlite.facts import InstanceChanged, LogLine

MOST = 1000
"""Lines of one start that are known again."""


@dataclass(slots=True)
class _Starting:
    """One that is not ready yet."""

    told: frozenset[str] = frozenset()
    """What the start before has said."""
    now: set[str] = field(default_factory=set)
    """What this one says."""


class Restarts:
    """The instances that are on their way to ready."""

    def __init__(self) -> None:
        self._starting: dict[tuple[str, str], _Starting] = {}

    def see(self, fact: InstanceChanged) -> None:
        """What has become of an instance."""
        who = (fact.namespace, fact.instance)
        match fact.state:
            case "preparing" | "starting":
                self._starting.setdefault(who, _Starting())
            case "failed":
                starting = self._starting.get(who)
                if starting is not None:
                    starting.told, starting.now = frozenset(starting.now), set()
            case "ready" | "completed" | "gone":
                self._starting.pop(who, None)
            case _:
                pass

    def is_repeated(self, line: LogLine) -> bool:
        """Whether the start before of its instance has said the same."""
        starting = self._starting.get((line.namespace, line.instance))
        if starting is None:
            return False
        if len(starting.now) < MOST:
            starting.now.add(line.text)
        return line.text in starting.told
