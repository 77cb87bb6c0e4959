"""What waits to be sent, a thread that sends it, and what a person is told when that fails.

The loop only notes what happened; the thread makes spans of it and speaks to the collector, one
batch at a time. A collector that is slow or gone costs what does not fit any more, which is
counted, and one sentence; nothing here ticks while nothing happens.

Differs from OpenTelemetry's own batching in that: its thread wakes every few seconds for nothing.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import SimpleQueue
from typing import Generic, Literal, TypeVar

import anyio

from knlite.clock import Clock, Timer

T = TypeVar("T")

MOST = 8192
"""As many wait at most …"""
MOST_BYTES = 32 * 1024 * 1024
"""… and so many bytes of what others have written, which may be megabytes in one event."""
BATCH = 512
"""So many are sent at once, as soon as there are as many."""
DELAY = 1.0
"""Seconds that others wait for more."""
LEAVE = 2.0
"""Seconds that what is left gets at the end of a run."""

Say = Callable[[Literal["info", "warning"], str], None]


class Outbox(Generic[T]):
    """Of one kind of telemetry, to one collector.

    *send* is called in the thread, and says why it has failed, empty if it has not. *what* and
    *where* are words of the sentences that *say* gets.
    """

    def __init__(
        self,
        clock: Clock,
        say: Say,
        send: Callable[[Sequence[T]], str],
        *,
        what: str,
        where: str,
        delay: float = DELAY,
    ) -> None:
        self._clock = clock
        self._say = say
        self._send = send
        self._what, self._where = what, where
        self._delay = delay
        self._items: deque[tuple[T, int]] = deque()
        """With their sizes."""
        self._bytes = 0
        self._busy = False
        self._timer: Timer | None = None
        self._lost = 0
        self._fails = False
        self._quiet = anyio.Event()
        self._loop = asyncio.get_running_loop()
        self._jobs: SimpleQueue[Sequence[T] | None] = SimpleQueue()
        # A collector that does not answer must not hold up the end of the run.
        self._thread = threading.Thread(target=self._work, name=f"{what} out", daemon=True)
        self._thread.start()

    @property
    def waits(self) -> bool:
        """Whether there is something that will be sent by and by."""
        return bool(self._items)

    def put(self, item: T, size: int = 0) -> None:
        """Have *item* sent soon, in which others have written *size* bytes."""
        items = self._items
        if len(items) >= MOST or self._bytes + size > MOST_BYTES:
            self._lost += 1
            return
        items.append((item, size))
        self._bytes += size
        if self._busy:
            return
        if len(items) >= BATCH:
            self._hand_over()
        elif self._timer is None:
            self._timer = self._clock.call_at(self._clock.now() + self._delay, self._hand_over)

    def close(self) -> None:
        """Send what is there if that can be done, without anybody who waits for it."""
        self._hand_over()
        self._jobs.put(None)

    async def aclose(self) -> None:
        """Send what is there, in ``LEAVE`` seconds at most."""
        if self._items and not self._busy:
            self._hand_over()
        with anyio.move_on_after(LEAVE):
            while self._busy:
                self._quiet = anyio.Event()
                await self._quiet.wait()
        if self._timer is not None:
            self._timer.cancel()
        self._jobs.put(None)

    def _hand_over(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._busy or not self._items:
            return
        self._busy = True
        taken = [self._items.popleft() for _ in range(min(BATCH, len(self._items)))]
        self._bytes -= sum(size for _, size in taken)
        self._jobs.put([item for item, _ in taken])

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                why = self._send(job)
            except Exception as exc:  # noqa: BLE001  telemetry must not stop the platform
                why = f"{type(exc).__name__}: {exc}"
            # The run may have ended meanwhile.
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._sent, why)

    def _sent(self, why: str) -> None:
        self._busy = False
        self._tell(why)
        if self._items:
            self._hand_over()
        else:
            self._quiet.set()

    def _tell(self, why: str) -> None:
        if why and not self._fails:
            text = (
                f"{self._what} cannot be sent to {self._where}: {why}; they are lost until it can"
            )
            self._say("warning", text)
        elif not why and self._fails:
            self._say("info", f"{self._what} are sent to {self._where} again")
        self._fails = bool(why)
        if self._lost and not why:
            self._say("warning", f"{self._lost} {self._what} were lost: {self._where} is too slow")
            self._lost = 0
