"""Refusals that repeat, on the terminal.

While a server is lost every sender hears of it each time; the terminal need not.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from rich.text import Text

from knlite.facts import EventRefused

QUIET = timedelta(seconds=10)
"""For so long a refusal that has been told is not told again, but counted."""


@dataclass(slots=True)
class _Told:
    at: datetime
    why: tuple[int, str]
    untold: int = 0


class Repeats:
    """What has been told last of each resource."""

    def __init__(self) -> None:
        self._told: dict[tuple[str, str, str], _Told] = {}

    def line(self, fact: EventRefused, line: Text) -> Text | None:
        """*line* for *fact*, with how many like it have not been told; None: not now."""
        who, why = (fact.kind, fact.namespace, fact.name), (fact.status, fact.why)
        last = self._told.get(who)
        if last is not None and last.why == why and fact.at - last.at < QUIET:
            last.untold += 1
            return None
        untold = last.untold if last is not None else 0
        self._told[who] = _Told(fact.at, why)
        return line.append(f" ({untold} more before)") if untold else line
