"""The end of a run, for answers that would go on for ever: they end whole, not cut off.

Source: ``docs/adr/0014-what-the-api-answers.md``.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio

T = TypeVar("T")


class Ending:
    """Lets streams that never end by themselves end with the run, cleanly."""

    def __init__(self) -> None:
        self.over = False
        self._waiting: set[anyio.CancelScope] = set()

    @property
    def waiting(self) -> int:
        """How many streams wait for something to happen."""
        return len(self._waiting)

    async def wait(self, get: Callable[[], Awaitable[T]], seconds: float) -> T | None:
        """What awaiting *get* gives; None after *seconds*, or when the run ends."""
        if self.over:
            return None
        with anyio.move_on_after(seconds) as scope:
            self._waiting.add(scope)
            try:
                return await get()
            finally:
                self._waiting.discard(scope)
        return None

    def end(self) -> None:
        """Whoever waits gets None, now and from now on."""
        self.over = True
        for scope in tuple(self._waiting):
            scope.cancel()
