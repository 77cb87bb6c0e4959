"""The log of one resource in SQLite: who has to read what, and which events memory holds.

The queues of the readers are in memory, as short entries; of the events themselves memory holds
those that come next. The others are read from the file when their turn comes.

Not here: statements and transactions (``sqlite.py``).
"""

from collections import deque
from collections.abc import Collection, Hashable, Sequence
from contextlib import suppress
from typing import Literal, Protocol

from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.filters.filter import Filter
from knlite.eventing.filters.index import Index
from knlite.eventlog.bounds import OVERHEAD, Bounds
from knlite.eventlog.database import Row
from knlite.eventlog.encoding import encoded
from knlite.eventlog.port import Cursor, Reader, Record, Taken
from knlite.eventlog.waiting import Waiting

RESIDENT = 32 * 1024 * 1024
"""Bytes of events of one resource that memory holds; those on their way come on top."""
READ_EVENTS = 64
READ_BYTES = 4 * 1024 * 1024
"""How much of its queue a reader gets from the file at once, at least one event."""


class Journal(Protocol):
    """What writes for all logs (``sqlite.SqliteEngine``)."""

    def next_number(self) -> int: ...
    def next_position(self) -> int: ...
    def register(self, sql: str, row: Row) -> None: ...
    def unregister(self, sql: str, row: Row) -> None: ...
    async def append(self, kept: "Kept", body: bytes) -> None: ...
    def left(self, kept: "Kept") -> None: ...
    def gone(self, kept: "Kept") -> None: ...
    def read(self, wanted: "Sequence[Kept]", cursor: "SqliteCursor") -> None: ...


class Kept:
    """An event that some readers are not done with; its own position in ``Taken``."""

    __slots__ = ("again", "arrival", "in_left", "left", "log", "position", "record", "size")

    def __init__(
        self, log: "SqliteLog", position: int, record: Record | None, size: int, left: set[int]
    ) -> None:
        self.log = log
        self.position = position
        self.record = record
        """None while only the file has it."""
        self.arrival = 0 if record is None else record.arrival
        self.size = size
        self.left = left
        """Numbers of the readers that are not done with it."""
        self.again = record is None
        self.in_left = False
        """Whether ``log_left`` may have a row for it."""


class SqliteLog:
    """Implements ``port.EventLog``."""

    def __init__(self, journal: Journal, number: int, uid: str, bounds: Bounds) -> None:
        self.number = number
        self.uid = uid
        self._journal = journal
        self._bounds = bounds
        self._kept: dict[int, Kept] = {}
        """By position, in its order."""
        self._events = 0
        self._bytes = 0
        """With those that are being written."""
        self._resident = 0
        self._cursors: dict[str, SqliteCursor] = {}
        self._by_number: dict[int, SqliteCursor] = {}
        self._index: Index | None = None
        """Made when an event comes: readers are opened by the thousand."""

    def restore_reader(self, uid: str, number: int) -> None:
        """*uid* has read in an earlier run."""
        self._add(SqliteCursor(self, number, uid))

    def restore_event(self, position: int, size: int, left: set[int], in_left: bool) -> None:
        """An earlier run has left the event at *position* to some readers."""
        kept = Kept(self, position, None, size + OVERHEAD, left & self._by_number.keys())
        kept.in_left = in_left
        self._events += 1
        self._bytes += kept.size
        self.accepted(kept)

    def keep_only(self, readers: Collection[str]) -> None:
        """Nobody else is there any more."""
        for reader in self._cursors.keys() - set(readers):
            self.close(reader)

    async def append(self, record: Record) -> tuple[str, ...]:
        readers = self._readers_of(record)
        if not readers:
            return ()
        body = encoded(record)
        size = len(body) + OVERHEAD
        self._bounds.admit(size, self._events, self._bytes)
        left = {self._cursors[reader].number for reader in readers}
        kept = Kept(self, self._journal.next_position(), record, size, left)
        self._events += 1
        self._bytes += size
        self._resident += size
        await self._journal.append(kept, body)
        return readers

    def open(self, reader: Reader, at: Literal["start", "end"]) -> Cursor:
        filter_ = reader.filter
        cursor = self._cursors.get(reader.uid)
        if cursor is None:
            cursor = SqliteCursor(self, self._journal.next_number(), reader.uid)
            row = (cursor.number, self.number, reader.uid)
            self._journal.register("INSERT OR REPLACE INTO log_readers VALUES (?, ?, ?)", row)
            self._add(cursor)
            if at == "start":
                self._begin(cursor, filter_)
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
            del self._by_number[cursor.number]
            self._index = None
            cursor.drop()
            self._journal.unregister("DELETE FROM log_readers WHERE number = ?", (cursor.number,))

    def accepted(self, kept: Kept) -> None:
        """*kept* is on the disk: its readers have it."""
        self._kept[kept.position] = kept
        for number in tuple(kept.left):
            cursor = self._by_number.get(number)
            if cursor is None:
                # Closed while it was written.
                kept.left.discard(number)
            else:
                cursor.put(kept)
        if not kept.left:
            self._forget(kept)

    def refused(self, kept: Kept) -> None:
        """*kept* could not be written."""
        self._release(kept)

    def evict(self, kept: Kept) -> None:
        """Leave *kept* to the file, if memory holds enough."""
        if self._resident > RESIDENT and kept.record is not None:
            kept.record = None
            self._resident -= kept.size

    def read(self, wanted: Sequence[Kept], cursor: "SqliteCursor") -> None:
        """Have *wanted* read for *cursor*."""
        self._journal.read(wanted, cursor)

    def found(self, kept: Kept, record: Record) -> None:
        """The file has given *record*."""
        if kept.record is None and kept.left:
            kept.record = record
            self._resident += kept.size

    def lost(self, kept: Kept) -> None:
        """The file has nothing usable for *kept*."""
        for number in tuple(kept.left):
            cursor = self._by_number.get(number)
            if cursor is not None:
                cursor.skip(kept)
        kept.left.clear()
        self._forget(kept)

    def released(self, kept: Kept, number: int) -> None:
        """One reader less has something to do with *kept*."""
        kept.left.discard(number)
        if kept.left:
            self.evict(kept)
            self._journal.left(kept)
        else:
            self._forget(kept)

    def _readers_of(self, record: Record) -> tuple[str, ...]:
        if record.only:
            return tuple(reader for reader in self._cursors if reader in record.only)
        if self._index is None:
            filters = {
                reader: cursor.filter
                for reader, cursor in self._cursors.items()
                if cursor.filter is not None
            }
            self._index = Index(filters)
        return self._index.matching(record.event)

    def _begin(self, cursor: "SqliteCursor", filter_: Filter) -> None:
        """Give *cursor* what this run has taken so far, as far as memory holds it."""
        for kept in self._kept.values():
            record = kept.record
            if record is not None and not record.only and filter_.passes(record.event):
                kept.left.add(cursor.number)
                cursor.put(kept)
                self._journal.left(kept)

    def _add(self, cursor: "SqliteCursor") -> None:
        self._cursors[cursor.uid] = cursor
        self._by_number[cursor.number] = cursor

    def _forget(self, kept: Kept) -> None:
        if self._kept.pop(kept.position, None) is not None:
            self._release(kept)
            self._journal.gone(kept)

    def _release(self, kept: Kept) -> None:
        self._events -= 1
        self._bytes -= kept.size
        if kept.record is not None:
            self._resident -= kept.size


class SqliteCursor:
    """Implements ``port.Cursor``."""

    orders = 1

    def __init__(self, log: SqliteLog, number: int, uid: str) -> None:
        self.number = number
        self.uid = uid
        self.filter: Filter | None = None
        """None: an earlier run has opened it, and this one has not yet."""
        self._log = log
        self._queue: deque[Kept] = deque()
        self._taken: set[Hashable] = set()
        self._waiting = Waiting()
        self._reading = False

    def take(self) -> Taken | None:
        if not self._queue:
            return None
        kept = self._queue[0]
        if kept.record is None:
            self._read()
            return None
        del self._queue[0]
        self._taken.add(kept)
        return Taken(kept, kept.record, kept.again)

    def done(self, position: Hashable) -> None:
        if position in self._taken:
            assert isinstance(position, Kept)
            self._taken.discard(position)
            self._log.released(position, self.number)

    def failed(self, position: Hashable) -> None:
        self.done(position)

    async def wait(self) -> None:
        if self._queue and self._queue[0].record is not None:
            return
        await self._waiting.wait()

    async def bury(self, position: Hashable, dead_letter: CloudEvent) -> bool:
        return False

    def put(self, kept: Kept) -> None:
        """There is one more to take."""
        self._queue.append(kept)
        if self._waiting:
            self._waiting.wake()
        else:
            # It may be long until its turn.
            self._log.evict(kept)

    def skip(self, kept: Kept) -> None:
        """There will never be anything to take at *kept*."""
        with suppress(ValueError):
            self._queue.remove(kept)

    def read(self) -> None:
        """What was asked for has been read, or is lost."""
        self._reading = False
        there = 0
        for kept in self._queue:
            if kept.record is None or there == len(self._waiting):
                break
            there += 1
        # One at least: perhaps all of it was lost, and what follows must be asked for.
        self._waiting.wake(max(there, 1))

    def drop(self) -> None:
        """Nothing is to be done any more."""
        for position in (*self._queue, *self._taken):
            assert isinstance(position, Kept)
            self._log.released(position, self.number)
        self._queue.clear()
        self._taken.clear()

    def _read(self) -> None:
        if self._reading:
            return
        self._reading = True
        wanted, size = list[Kept](), 0
        for kept in self._queue:
            if kept.record is not None:
                break
            wanted.append(kept)
            size += kept.size
            if len(wanted) == READ_EVENTS or size > READ_BYTES:
                break
        self._log.read(wanted, self)
