"""The event log in memory: quick, bounded, and gone when the run ends."""

from collections import deque
from typing import Literal

import anyio

from knlite.errors import Overloaded
from knlite.eventlog.port import Cursor, Record

MAX_EVENTS = 100_000
MAX_BYTES = 256 * 1024 * 1024
"""Of one broker; what is kept beyond them would be taken from everything else on the machine."""
_OVERHEAD = 512
"""Bytes that an event takes beside its data, roughly."""


class MemoryLog:
    """Implements ``port.EventLog``."""

    def __init__(self, max_events: int = MAX_EVENTS, max_bytes: int = MAX_BYTES) -> None:
        self._records: deque[Record] = deque()
        self._first = 0
        """Position of the oldest that is kept."""
        self._bytes = 0
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._cursors: dict[str, _Cursor] = {}

    @property
    def end(self) -> int:
        """The position that the next event gets."""
        return self._first + len(self._records)

    def __len__(self) -> int:
        return len(self._records)

    async def append(self, record: Record) -> int:
        position = self.end
        if not self._cursors:
            # Nobody will ever read it.
            self._first += 1
            return position
        size = _size(record)
        if len(self._records) >= self._max_events or self._bytes + size > self._max_bytes:
            raise Overloaded(
                f"the broker holds {len(self._records)} events that no trigger is done with",
                fix="see what keeps its subscribers from answering: knlite get trigger",
            )
        self._records.append(record)
        self._bytes += size
        for cursor in self._cursors.values():
            cursor.wake()
        return position

    def open(self, reader: str, at: Literal["start", "end"]) -> Cursor:
        cursor = self._cursors.get(reader)
        if cursor is None:
            start = self._first if at == "start" else self.end
            cursor = self._cursors[reader] = _Cursor(self, start)
        return cursor

    def close(self, reader: str) -> None:
        if self._cursors.pop(reader, None) is not None:
            self.forget()

    def at(self, position: int) -> Record | None:
        """The event at *position*, if it is kept."""
        index = position - self._first
        return self._records[index] if 0 <= index < len(self._records) else None

    def forget(self) -> None:
        """Drop what all cursors have acknowledged."""
        low = min((cursor.acked for cursor in self._cursors.values()), default=self.end)
        while self._records and self._first < low:
            self._bytes -= _size(self._records.popleft())
            self._first += 1


class _Cursor:
    def __init__(self, log: MemoryLog, start: int) -> None:
        self._log = log
        self._next = start
        self.acked = start
        self._more = anyio.Event()

    def take(self) -> tuple[int, Record] | None:
        record = self._log.at(self._next)
        if record is None:
            return None
        position = self._next
        self._next += 1
        return position, record

    def ack(self, position: int) -> None:
        if position > self.acked:
            self.acked = position
            self._next = max(self._next, position)
            self._log.forget()

    async def wait(self) -> None:
        while self._log.at(self._next) is None:
            self._more = anyio.Event()
            await self._more.wait()

    def wake(self) -> None:
        """There is more to take."""
        self._more.set()


def _size(record: Record) -> int:
    return len(record.event.data or b"") + _OVERHEAD
