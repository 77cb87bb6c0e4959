"""Streams of the live feed whose items are made only of the few that fit into a message.

What happens twenty thousand times a second costs a count here; of those that came since the last
message the newest are made into rows.
"""

from collections.abc import Callable, Sequence

from knlite.clock import Clock, Timer
from knlite.facts import Fact
from knlite.telemetry.live.deltas import MOST_ITEMS, Items
from knlite.telemetry.live.hub import Hub

PAUSE = 0.05
"""Seconds in which things are counted; the hub's own pause is longer."""


class Newest:
    """Tells the topic *name* of *hub* what *rows* makes of the last n things, the newest last."""

    def __init__(
        self, hub: Hub, name: str, clock: Clock, rows: Callable[[int], Sequence[object]]
    ) -> None:
        self._hub = hub
        self._name = name
        self._clock = clock
        self._rows = rows
        self._count = 0
        self._timer: Timer | None = None
        hub.topic(name, self._snapshot)

    def read(self, _fact: Fact) -> None:
        """One more has come."""
        self._count += 1
        if self._timer is None:
            self._timer = self._clock.call_at(self._clock.now() + PAUSE, self._tell)

    def _tell(self) -> None:
        count, self._count, self._timer = self._count, 0, None
        rows = self._rows(min(count, MOST_ITEMS))
        self._hub.tell(self._name, Items(rows, count - len(rows)))

    def _snapshot(self) -> object:
        return {"items": self._rows(MOST_ITEMS), "skipped": 0}
