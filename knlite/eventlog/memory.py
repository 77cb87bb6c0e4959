"""The event log in memory: quick, bounded, and gone when the run ends.

Every reader has a queue of its own, into which events are put when they arrive.
"""

from collections import deque
from collections.abc import Collection, Hashable
from typing import Literal

import anyio
from anyio.abc import TaskStatus

from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.filters.filter import Filter
from knlite.eventing.filters.index import Index
from knlite.eventlog.bounds import OVERHEAD, Bounds, said
from knlite.eventlog.port import Cursor, EventLog, Owner, Reader, Record, Taken
from knlite.eventlog.waiting import Waiting


class MemoryEngine:
    """Implements ``port.Engine``."""

    newest = 0

    def __init__(self, bounds: Bounds | None = None) -> None:
        self._bounds = bounds or Bounds()
        self._logs: dict[str, MemoryLog] = {}

    def log(self, resource: Owner, readers: Collection[str]) -> EventLog:
        return self._logs.setdefault(resource.uid, MemoryLog(self._bounds))

    def forget(self, uid: str) -> None:
        self._logs.pop(uid, None)

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """There is nothing to do beside."""
        task_status.started()


class MemoryLog:
    """Implements ``port.EventLog``."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._kept: dict[_Kept, None] = {}
        """In the order of their arrival."""
        self._bytes = 0
        self._cursors: dict[str, _Cursor] = {}
        self._index: Index | None = None
        """Made when an event comes: readers are opened by the thousand."""

    def __len__(self) -> int:
        return len(self._kept)

    async def append(self, record: Record) -> tuple[str, ...]:
        event = record.event
        if record.only:
            readers = tuple(reader for reader in self._cursors if reader in record.only)
        else:
            if self._index is None:
                filters = {reader: cursor.filter for reader, cursor in self._cursors.items()}
                self._index = Index(filters)
            readers = self._index.matching(event)
        if not readers:
            return ()
        size = OVERHEAD + said(event.attributes, record.headers, event.data)
        self._bounds.admit(size, len(self._kept), self._bytes)
        kept = _Kept(record, len(readers), size)
        self._kept[kept] = None
        self._bytes += size
        for reader in readers:
            self._cursors[reader].put(kept)
        return readers

    def open(self, reader: Reader, at: Literal["start", "end"]) -> Cursor:
        filter_ = reader.filter
        cursor = self._cursors.get(reader.uid)
        if cursor is None:
            cursor = self._cursors[reader.uid] = _Cursor(self, filter_)
            if at == "start":
                for kept in self._kept:
                    if not kept.record.only and filter_.passes(kept.record.event):
                        kept.readers += 1
                        cursor.put(kept)
        elif cursor.filter is filter_:
            return cursor
        cursor.filter = filter_
        self._index = None
        return cursor

    def dead_letters(self, reader: Reader) -> None:
        """There are none: who has one on its way has it in hand until it has arrived."""

    def close(self, reader: str) -> None:
        cursor = self._cursors.pop(reader, None)
        if cursor is not None:
            self._index = None
            cursor.drop()

    def released(self, kept: "_Kept") -> None:
        """One reader less has something to do with *kept*."""
        kept.readers -= 1
        if not kept.readers:
            del self._kept[kept]
            self._bytes -= kept.size


class _Kept:
    """An event that some readers are not done with; its own position."""

    __slots__ = ("readers", "record", "size")

    def __init__(self, record: Record, readers: int, size: int) -> None:
        self.record = record
        self.readers = readers
        self.size = size


class _Cursor:
    orders = 1

    def __init__(self, log: MemoryLog, filter_: Filter) -> None:
        self.filter = filter_
        self._log = log
        self._queue: deque[_Kept] = deque()
        self._taken: set[Hashable] = set()
        self._waiting = Waiting()

    def take(self) -> Taken | None:
        if not self._queue:
            return None
        kept = self._queue.popleft()
        self._taken.add(kept)
        return Taken(kept, kept.record)

    def done(self, position: Hashable) -> None:
        if position in self._taken:
            assert isinstance(position, _Kept)
            self._taken.discard(position)
            self._log.released(position)

    def failed(self, position: Hashable) -> None:
        self.done(position)

    async def wait(self) -> None:
        if self._queue:
            return
        await self._waiting.wait()

    async def bury(self, position: Hashable, dead_letter: CloudEvent) -> bool:
        return False

    def put(self, kept: _Kept) -> None:
        """There is one more to take."""
        self._queue.append(kept)
        self._waiting.wake()

    def drop(self) -> None:
        """Nothing is to be done any more."""
        for position in (*self._queue, *self._taken):
            assert isinstance(position, _Kept)
            self._log.released(position)
        self._queue.clear()
        self._taken.clear()
