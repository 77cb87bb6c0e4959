"""Streams of the live feed whose items are made only of the few that fit into a message.

What happens twenty thousand times a second costs a count here; of those that came since the last
message the newest are made into rows.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from knlite.facts import Fact
from knlite.telemetry.bus import Bus
from knlite.telemetry.live.deltas import MOST_ITEMS, Delta, Items
from knlite.telemetry.live.hub import Hub


class Newest:
    """Tells the topic *name* of *hub* what *rows* makes of the last n things, the newest last."""

    def __init__(self, hub: Hub, name: str, rows: Callable[[int], Sequence[object]]) -> None:
        self._hub = hub
        self._name = name
        self._rows = rows
        self._count = 0
        hub.topic(name, self._snapshot)

    @contextmanager
    def counting(self, bus: Bus, kind: type[Fact]) -> Iterator[None]:
        """Take note of the facts of *kind* while somebody looks."""
        self._count = 0
        with bus.reading(self.read, kind):
            yield

    def read(self, _fact: Fact) -> None:
        """One more has come."""
        self._count += 1
        if self._count == 1:
            self._hub.later(self._name, self._gathered)

    def _gathered(self) -> Delta:
        count, self._count = self._count, 0
        rows = self._rows(min(count, MOST_ITEMS))
        return Items(rows, count - len(rows))

    def _snapshot(self) -> object:
        return {"items": self._rows(MOST_ITEMS), "skipped": 0}
