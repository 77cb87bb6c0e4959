"""A deadline that is moved far more often than it passes.

A connection gets a new deadline with every request. Cancelling and arming a loop timer each time
would cost more than parsing the request, so the timer is left alone: it fires once, sees that the
deadline has moved, and sleeps again. At most one timer per connection, none after ``cancel``.

Time here only guards sockets, hence the loop's own time and not the ``Clock``.
"""

import asyncio
from collections.abc import Callable


class Deadline:
    """Calls *passed* once when a set deadline is over."""

    __slots__ = ("_loop", "_passed", "_timer", "_when")

    def __init__(self, loop: asyncio.AbstractEventLoop, passed: Callable[[], None]) -> None:
        self._loop = loop
        self._passed = passed
        self._when: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def set(self, seconds: float) -> None:
        """Replace the deadline by one in *seconds*."""
        when = self._when = self._loop.time() + seconds
        timer = self._timer
        if timer is None or timer.when() > when:
            if timer is not None:
                timer.cancel()
            self._timer = self._loop.call_at(when, self._look)

    def clear(self) -> None:
        """Have no deadline; the timer stays for the next one."""
        self._when = None

    def cancel(self) -> None:
        """Have no deadline and no timer."""
        self._when = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        if self._when is None:
            return
        if self._loop.time() < self._when:
            self._timer = self._loop.call_at(self._when, self._look)
            return
        self._when = None
        self._passed()
