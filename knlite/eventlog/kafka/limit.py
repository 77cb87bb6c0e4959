"""Until when a confirmation is waited for.

The library looks at its own limit between attempts only. There is one timer for all that wait, as
it would be one for each event otherwise.
"""

import asyncio
from typing import Any


class Limit:
    """Nobody waits longer than so many seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._waiting: dict[asyncio.Future[Any], float] = {}
        """Until when, in order."""
        self._timer: asyncio.TimerHandle | None = None

    async def wait(self, kept: "asyncio.Future[Any]") -> None:
        """Return when *kept* is done, as it is; raises ``TimeoutError`` when that takes long."""
        loop = kept.get_loop()
        self._waiting[kept] = loop.time() + self._seconds
        if self._timer is None:
            self._timer = loop.call_later(self._seconds, self._look, loop)
        try:
            await kept
        finally:
            del self._waiting[kept]

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        now, self._timer = loop.time(), None
        for kept, until in self._waiting.items():
            if until > now:
                self._timer = loop.call_at(until, self._look, loop)
                return
            if not kept.done():
                kept.set_exception(TimeoutError())
