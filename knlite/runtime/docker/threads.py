"""Worker threads for the blocking SDK.

Daemon threads, started for each call: the engine needs tens of milliseconds for what takes a
thread a tenth of one to start, and a call that hangs (a build step that prints nothing) must not
keep knlite from exiting, as a pool of the standard library would.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Threads:
    """Runs at most *limit* calls at a time, first come first served; the rest wait."""

    def __init__(self, name: str, limit: int) -> None:
        self._name = name
        self._limit = limit
        self._running = 0
        # The futures are of as many types as there are calls.
        self._waiting: deque[tuple[asyncio.Future[Any], Callable[[], Any]]] = deque()

    def submit(
        self, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
    ) -> asyncio.Future[T]:
        """Run *call* in a thread. Cancelling the future forgets a call that has not begun, and
        does not stop one that has."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((future, lambda: call(*args, **kwargs)))
        self._fill()
        return future

    def _fill(self) -> None:
        while self._waiting and self._running < self._limit:
            future, call = self._waiting.popleft()
            if future.cancelled():
                continue
            self._running += 1
            job = threading.Thread(
                target=self._run,
                args=(asyncio.get_running_loop(), future, call),
                name=self._name,
                daemon=True,
            )
            job.start()

    def _run(
        self, loop: asyncio.AbstractEventLoop, future: asyncio.Future[Any], call: Callable[[], Any]
    ) -> None:
        result, error = None, None
        try:
            result = call()
        except Exception as raised:  # noqa: BLE001 - carried to whoever awaits the future
            error = raised
        try:
            loop.call_soon_threadsafe(self._done, future, result, error)
        except RuntimeError:
            return  # The loop has been closed; nobody waits any more.

    def _done(self, future: asyncio.Future[Any], result: object, error: Exception | None) -> None:
        self._running -= 1
        if not future.done():
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)
        self._fill()
