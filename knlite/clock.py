"""Time as a part that is handed in: real in production, jumping in tests, fast-forwarded at will.

Everything whose time a user can read in a manifest (windows, grace, backoff, timeouts) asks a
``Clock``. Time that only guards a socket may use the event loop directly.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

import anyio


def present() -> datetime:
    """The time of day in UTC, for what a person does beside a run."""
    return datetime.now(UTC)


class Timer(Protocol):
    """A call that is due later."""

    def cancel(self) -> None:
        """Forget the call; no effect when it has run."""
        ...


class Clock(Protocol):
    """What the shells know of time."""

    def now(self) -> float:
        """Monotonic seconds, for decisions and deadlines."""
        ...

    def wall(self) -> datetime:
        """The time of day in UTC, for stamps in objects, events and logs."""
        ...

    async def sleep_until(self, when: float) -> None:
        """Return at ``now() >= when``; a moment that has passed still yields once."""
        ...

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        """Run *callback* on the event loop at *when*, unless cancelled before."""
        ...


class SystemClock:
    """The machine's time.

    ``now`` is finer than the loop's own time, which uvloop keeps in whole milliseconds.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        # Without a frame in between: every request asks three times.
        self.now = time.monotonic

    def wall(self) -> datetime:
        return datetime.now(UTC)

    async def sleep_until(self, when: float) -> None:
        await anyio.sleep(max(0.0, when - time.monotonic()))

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        return self._loop.call_later(max(0.0, when - time.monotonic()), callback)


class LoopClock:
    """The running event loop's time, for tests on a loop whose time jumps.

    Wall time advances with it from *started*, so that both stay in step.
    """

    def __init__(self, started: datetime) -> None:
        self._loop = asyncio.get_running_loop()
        self._zero = self._loop.time()
        self._started = started

    def now(self) -> float:
        return self._loop.time()

    def wall(self) -> datetime:
        return self._started + timedelta(seconds=self._loop.time() - self._zero)

    async def sleep_until(self, when: float) -> None:
        await anyio.sleep(max(0.0, when - self._loop.time()))
        if self._loop.time() < when:
            # Such a loop counts in microseconds, and may wake a sleeper that much too early.
            await anyio.sleep(2e-6)

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        return self._loop.call_at(when, callback)
