"""Writes of shells to the registry, a moment later and the newest only.

A cold start makes no write to the registry before its first byte: whoever has something to report
says so here, and it is stored when the moment is over.
"""

from collections.abc import Callable, Hashable

from knlite.clock import Clock, Timer

DELAY = 0.05
"""Seconds; longer than the warm start of a process, shorter than a person notices."""


class Reporter:
    """Runs the newest write of every key, at most once per ``DELAY``."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._writes: dict[Hashable, Callable[[], None]] = {}
        self._timer: Timer | None = None

    @property
    def settled(self) -> bool:
        """Whether nothing waits to be written."""
        return not self._writes

    def report(self, key: Hashable, write: Callable[[], None]) -> None:
        """Run *write* soon, unless a newer one for *key* takes its place."""
        self._writes[key] = write
        if self._timer is None:
            self._timer = self._clock.call_at(self._clock.now() + DELAY, self.flush)

    def flush(self) -> None:
        """Run all that wait, now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        writes, self._writes = self._writes, {}
        try:
            for key in tuple(writes):
                writes.pop(key)()
        finally:
            # One that raised takes no others along.
            for key, write in writes.items():
                if key not in self._writes:
                    self.report(key, write)
