"""Tasks for requests that are answered by a coroutine, used again from one request to the next.

Making a task costs more than reading a small event; waking one costs little.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from anyio.abc import TaskGroup

SPARE = 64
"""Tasks that wait for the next request at most."""

T = TypeVar("T")


class Handling(Generic[T]):
    """Calls *handle* for each thing it is given, as many at once as there are."""

    def __init__(self, group: TaskGroup, handle: Callable[[T], Awaitable[None]]) -> None:
        """The tasks are *group*'s."""
        self._group = group
        self._handle = handle
        self._loop = asyncio.get_running_loop()
        self._waiting: list[asyncio.Future[T]] = []

    def begin(self, given: T) -> None:
        """Handle *given*, beginning soon."""
        if self._waiting:
            self._waiting.pop().set_result(given)
        else:
            self._group.start_soon(self._work, given, name="request")

    async def _work(self, given: T) -> None:
        while True:
            await self._handle(given)
            if len(self._waiting) == SPARE:
                return
            following: asyncio.Future[T] = self._loop.create_future()
            self._waiting.append(following)
            try:
                given = await following
            except asyncio.CancelledError:
                if following in self._waiting:
                    self._waiting.remove(following)
                raise
