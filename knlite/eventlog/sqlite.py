"""The event log in SQLite: an append is on the disk before it returns, and a restart loses nothing.

One database serves all resources. An event is a row that is deleted once all of its readers are
done with it; who still has to read it stands in it, or in ``log_left`` once the first are done.

Source: ADR 0024; Eventing data plane reference §7. Not here: the log of one resource
(``sqlitelog.py``), the file and its writer (``database.py``).
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import anyio
import msgspec
from anyio.abc import TaskStatus

from knlite.errors import KnliteError, Overloaded
from knlite.eventlog.bounds import Bounds
from knlite.eventlog.database import Database, Row, Statement
from knlite.eventlog.encoding import Undecodable, decoded
from knlite.eventlog.port import EventLog, Owner
from knlite.eventlog.sqlitelog import Kept, SqliteCursor, SqliteLog

TABLES = (
    "CREATE TABLE IF NOT EXISTS log_resources"
    " (number INTEGER PRIMARY KEY, uid TEXT, kind TEXT, namespace TEXT, name TEXT)",
    "CREATE TABLE IF NOT EXISTS log_readers"
    " (number INTEGER PRIMARY KEY, resource INTEGER, uid TEXT)",
    "CREATE TABLE IF NOT EXISTS log_events (position INTEGER PRIMARY KEY, resource INTEGER,"
    " arrival INTEGER, readers BLOB, body BLOB)",
    "CREATE TABLE IF NOT EXISTS log_left (position INTEGER PRIMARY KEY, readers BLOB)",
)
DELAY = 0.05
"""Seconds after which it is written what readers are done with, if nothing else is."""
_RETRY = 1.0
"""Seconds after which what could not be written or read is tried again."""

_INSERT = "INSERT INTO log_events VALUES (?, ?, ?, ?, ?)"
_LEFT = "INSERT OR REPLACE INTO log_left VALUES (?, ?)"
_GONE = "DELETE FROM log_events WHERE position = ?"
_LEFT_GONE = "DELETE FROM log_left WHERE position = ?"
_KEPT = (
    "SELECT position, resource, arrival, length(body), events.readers,"
    " left.readers"
    " FROM log_events AS events LEFT JOIN log_left AS left USING (position) ORDER BY position"
)
_BODIES = (
    "SELECT position, body FROM log_events"
    " WHERE position IN (SELECT value FROM json_each(CAST(? AS TEXT)))"
)
_FORGET = (
    "DELETE FROM log_left WHERE position IN (SELECT position FROM log_events WHERE resource = ?)",
    "DELETE FROM log_events WHERE resource = ?",
    "DELETE FROM log_readers WHERE resource = ?",
    "DELETE FROM log_resources WHERE number = ?",
)

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(set[int]).decode


@asynccontextmanager
async def open_sqlite(
    database: Database, bounds: Bounds, complain: Callable[[str], None], live: Collection[str]
) -> AsyncIterator["SqliteEngine"]:
    """The engine over *database*, which has ``TABLES``; what is done is kept when it ends.

    *live* are the uids of the resources that there are: what is kept of others is forgotten.
    *complain* is told of events that cannot be read. Raises ``KnliteError``.
    """
    engine = SqliteEngine(database, bounds, complain)
    await engine.restore(live)
    try:
        yield engine
    finally:
        engine.flush()


@dataclass(slots=True)
class _Pending:
    """What the next transaction has to write."""

    first: list[Statement] = field(default_factory=list)
    """Resources and readers that are new: events name them."""
    appended: list[tuple[Kept, bytes, "asyncio.Future[None]"]] = field(default_factory=list)
    left: dict[int, Kept] = field(default_factory=dict)
    """Events that some are done with; written less often, since more may follow soon."""
    gone: list[Kept] = field(default_factory=list)
    """Events that all are done with."""
    last: list[Statement] = field(default_factory=list)
    """Resources and readers that are gone."""

    def added(self) -> list[Statement]:
        """In an order in which nothing names what is not there."""
        statements = [*self.first]
        if self.appended:
            rows: list[Row] = [
                (kept.position, kept.log.number, kept.arrival, _pack(kept.left), body)
                for kept, body, _ in self.appended
            ]
            statements.append((_INSERT, rows))
        if self.left:
            for kept in self.left.values():
                kept.in_left = True
            statements.append((_LEFT, [(k.position, _pack(k.left)) for k in self.left.values()]))
        return statements

    def deleted(self) -> list[Statement]:
        """Nothing but deletions."""
        statements = list[Statement]()
        if self.gone:
            statements.append((_GONE, [(kept.position,) for kept in self.gone]))
            left = [(kept.position,) for kept in self.gone if kept.in_left]
            if left:
                statements.append((_LEFT_GONE, left))
        return [*statements, *self.last]


class SqliteEngine:
    """Implements ``port.Engine``; made by ``open_sqlite``."""

    newest = 0

    def __init__(self, database: Database, bounds: Bounds, complain: Callable[[str], None]) -> None:
        self._database = database
        self._bounds = bounds
        self._complain = complain
        self._loop = asyncio.get_running_loop()
        self._logs: dict[str, SqliteLog] = {}
        self._pending = _Pending()
        self._soon: asyncio.Handle | None = None
        self._later: asyncio.TimerHandle | None = None
        self._last_position = 0
        self._last_number = 0

    async def restore(self, live: Collection[str]) -> None:
        """Go on with what an earlier run has kept for the resources *live*."""
        query = self._database.query
        logs = dict[int, SqliteLog]()
        for number, uid in await query("SELECT number, uid FROM log_resources"):
            log = logs[number] = SqliteLog(self, number, uid, self._bounds)
            self._last_number = max(self._last_number, number)
        for number, resource, uid in await query("SELECT number, resource, uid FROM log_readers"):
            if resource in logs:
                logs[resource].restore_reader(uid, number)
            self._last_number = max(self._last_number, number)
        for position, resource, arrival, size, readers, left in await query(_KEPT):
            self._last_position = position
            self.newest = max(self.newest, arrival)
            log_or_none = logs.get(resource)
            if log_or_none is not None:
                log_or_none.restore_event(
                    position, size, _unpack(left or readers), left is not None
                )
        for log in logs.values():
            self._logs[log.uid] = log
            if log.uid not in live:
                self.forget(log.uid)

    def log(self, resource: Owner, readers: Collection[str]) -> EventLog:
        log = self._logs.get(resource.uid)
        if log is None:
            number = self.next_number()
            log = self._logs[resource.uid] = SqliteLog(self, number, resource.uid, self._bounds)
            row = (number, resource.uid, resource.kind, resource.namespace, resource.name)
            self.register("INSERT OR REPLACE INTO log_resources VALUES (?, ?, ?, ?, ?)", row)
        log.keep_only(readers)
        return log

    def forget(self, uid: str) -> None:
        log = self._logs.pop(uid, None)
        if log is not None:
            self._pending.last.extend((sql, [(log.number,)]) for sql in _FORGET)
            self._write_later()

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        await self._database.run(task_status=task_status)

    def next_number(self) -> int:
        """Of a new resource or reader; never 0."""
        self._last_number += 1
        return self._last_number

    def next_position(self) -> int:
        """Of a new event."""
        self._last_position += 1
        return self._last_position

    def register(self, sql: str, row: Row) -> None:
        """Write *row* before any event that comes from now on."""
        self._pending.first.append((sql, [row]))
        self._write_later()

    def unregister(self, sql: str, row: Row) -> None:
        """Take out what no event names any more."""
        self._pending.last.append((sql, [row]))
        self._write_later()

    async def append(self, kept: Kept, body: bytes) -> None:
        """Return when *kept* is on the disk and its readers have it. Raises ``Overloaded``."""
        future = self._loop.create_future()
        self._pending.appended.append((kept, body, future))
        if self._soon is None:
            # With all others that come in this turn of the loop.
            self._soon = self._loop.call_soon(self._flush_soon)
        await future

    def left(self, kept: Kept) -> None:
        """Fewer readers, or more, have something to do with *kept*."""
        self._pending.left[kept.position] = kept
        self._write_later()

    def gone(self, kept: Kept) -> None:
        """All readers are done with *kept*."""
        self._pending.left.pop(kept.position, None)
        self._pending.gone.append(kept)
        self._write_later()

    def flush(self) -> None:
        """Write now all that waits to be written."""
        if self._later is not None:
            self._later.cancel()
            self._later = None
        self._submit(_Pending())

    def _flush_soon(self) -> None:
        self._soon = None
        self._submit(_Pending(left=self._pending.left))

    def _submit(self, rest: _Pending) -> None:
        pending, self._pending = self._pending, rest
        left = {} if rest.left is pending.left else pending.left
        # Two, though they go together: what makes room must not fail with what needs some.
        adding = _Pending(first=pending.first, appended=pending.appended, left=left)
        deleting = _Pending(gone=pending.gone, last=pending.last)
        for part, statements in ((adding, adding.added()), (deleting, deleting.deleted())):
            if statements:
                self._database.submit(statements, partial(self._settled, part))

    def read(self, wanted: Sequence[Kept], cursor: SqliteCursor) -> None:
        """Fetch the records of *wanted* from the file, then wake *cursor*."""
        positions = msgspec.json.encode([kept.position for kept in wanted])

        def found(rows: KnliteError | list[Row]) -> None:
            if isinstance(rows, KnliteError):
                self._loop.call_later(_RETRY, self.read, wanted, cursor)
                return
            bodies: dict[int, bytes] = dict(rows)
            for kept in wanted:
                self._fill(kept, bodies.get(kept.position))
            cursor.read()

        self._database.ask(_BODIES, (positions,), found)

    def _fill(self, kept: Kept, body: bytes | None) -> None:
        if kept.record is not None or not kept.left:
            # In the meantime somebody else has read it, or nobody wants it any more.
            return
        try:
            record = decoded(body or b"")
        except Undecodable as exc:
            self._complain(f"event {kept.position} in the log cannot be read and is lost: {exc}")
            kept.log.lost(kept)
        else:
            kept.log.found(kept, record)

    def _write_later(self) -> None:
        if self._later is None:
            self._later = self._loop.call_later(DELAY, self.flush)

    def _settled(self, pending: _Pending, error: KnliteError | None) -> None:
        if error is None:
            # Senders first: what is told of an acceptance comes before what is told of a delivery.
            for _, _, future in pending.appended:
                if not future.done():
                    future.set_result(None)
            for kept, _, _ in pending.appended:
                kept.log.accepted(kept)
            return
        for kept, _, future in pending.appended:
            kept.log.refused(kept)
            if not future.done():
                refusal = Overloaded(error.what, cause=error.cause, fix=error.fix)
                future.set_exception(refusal)
        self._again(pending)

    def _again(self, failed: _Pending) -> None:
        """Try once more to write what no sender waits for."""
        pending = self._pending
        gone = {kept.position for kept in pending.gone}
        pending.first = failed.first + pending.first
        pending.left = {
            position: kept
            for position, kept in (failed.left | pending.left).items()
            if kept.left and position not in gone
        }
        pending.gone = failed.gone + pending.gone
        pending.last = failed.last + pending.last
        if self._later is None and (pending.added() or pending.deleted()):
            self._later = self._loop.call_later(_RETRY, self.flush)
