"""The timers of requests that begin with their arrival, one loop timer for all of a revision.

Every request of a revision has the same time from its arrival, so the one that came first is due
first, and the queue of running requests is a queue of deadlines. A request costs one entry in a
dictionary; the loop has at most one timer for each, and none while nothing runs.

Source: Knative reference §3.5.
"""

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from knlite.clock import Clock, Timer


class Arrived(Protocol):
    """What is timed."""

    @property
    def arrived(self) -> float:
        """When it began, on the clock."""
        ...


T = TypeVar("T", bound=Arrived)


class Timeouts(Generic[T]):
    """Calls *passed* with each request that still runs *seconds* after its arrival."""

    __slots__ = ("_clock", "_passed", "_running", "_seconds", "_timer")

    def __init__(self, clock: Clock, seconds: float, passed: Callable[[T], None]) -> None:
        self._clock = clock
        self._seconds = seconds
        self._passed = passed
        self._running: dict[T, None] = {}
        self._timer: Timer | None = None

    def begin(self, request: T) -> None:
        """*request* has arrived now."""
        self._running[request] = None
        if self._timer is None:
            self._timer = self._clock.call_at(request.arrived + self._seconds, self._look)

    def end(self, request: T) -> None:
        """*request* is over, or its timer does not matter any more."""
        self._running.pop(request, None)

    def cancel(self) -> None:
        """Forget all."""
        self._running.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        now = self._clock.now()
        while self._running:
            first = next(iter(self._running))
            due = first.arrived + self._seconds
            if due > now:
                self._timer = self._clock.call_at(due, self._look)
                return
            del self._running[first]
            self._passed(first)
