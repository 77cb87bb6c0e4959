"""What repeats, on the terminal.

While a server is lost every sender hears of it each time, and what cannot start is tried again and
again; the terminal need not say so each time.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta

from rich.text import Text


@dataclass(slots=True)
class _Told:
    at: datetime
    why: Hashable
    untold: int = 0


class Repeats:
    """What has been told last of each thing, and for *quiet* is not told again but counted."""

    def __init__(self, quiet: timedelta) -> None:
        self._quiet = quiet
        self._told: dict[Hashable, _Told] = {}

    def line(self, who: Hashable, why: Hashable, at: datetime, line: Text) -> Text | None:
        """*line*, with how many like it have not been told; None: not now."""
        last = self._told.get(who)
        if last is not None and last.why == why and at - last.at < self._quiet:
            last.untold += 1
            return None
        untold = last.untold if last is not None else 0
        self._told[who] = _Told(at, why)
        return line.append(f" ({untold} more before)") if untold else line

    def over(self, who: Hashable) -> None:
        """It is well: what comes next is news."""
        self._told.pop(who, None)
