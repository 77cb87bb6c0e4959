"""The history of events in SQLite: with the data folder, from run to run.

Facts go to the writer in the turn of the loop in which they come, so they are on the disk no later
than what the engine says about the same event afterwards: whatever is done with there has its story
here, also after a crash.

Implements ``history.History``. Source: ``docs/adr/0031-the-event-log.md``.
Not here: the tables (``historytables.py``), reading events (``historyreading.py``).
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import anyio
import msgspec
from anyio.abc import TaskStatus

from knlite.errors import KnliteError
from knlite.eventlog.history import (
    KEPT_ATTEMPTS,
    Bounds,
    Happened,
    Progress,
    Versions,
    Wanted,
)
from knlite.eventlog.historyreading import Reading
from knlite.eventlog.historytables import (
    ROW,
    SEARCH_SIZE,
    SIZE,
    Row,
    Statement,
    Store,
    mark,
    number,
    read,
    search_row,
    search_size,
    written,
)
from knlite.eventlog.searching import SEARCHED
from knlite.facts import DeliveryAttempted, EgressChanged, EventAccepted

_EVENT = "INSERT OR IGNORE INTO history VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_SEARCH = "INSERT OR IGNORE INTO history_search VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_ONE_MORE = (
    "UPDATE history_search SET wanting = wanting + 1, readers = readers || char(10) || ?2"
    " WHERE arrival = ?1 AND instr(readers, ?2) = 0"
)
"""An event that goes on may do so for one egress after the other."""
_ATTEMPT = "INSERT OR IGNORE INTO history_attempts VALUES (?, ?, ?, ?)"
_EGRESS = "INSERT INTO history_egresses VALUES (?, ?, ?)"
_NOTE = "INSERT OR REPLACE INTO history_notes VALUES (?, ?)"

MAX_BEHIND = 256 * 1024 * 1024
"""Bytes that may be on their way to a slow disk."""
_MICROSECONDS = 1_000_000
_AT_ONCE = 1000
"""Rows that are looked at by one statement."""
_LOOK = 50
"""Events that are looked at together when something is to be forgotten."""
_SLICE_ROWS, _SLICE_BYTES = 200, 1024 * 1024
"""What one transaction deletes at most, or a single event: senders wait for the same disk."""
_LOOKS = 512
"""Events between two looks at what is oldest."""
_ROOM = 0.95
"""What is left of what may be kept, after something was deleted."""
_MORE = 1.05
"""By how much it grows before it is looked at again."""
_ENDED = "ended"
"""The note that says up to which arrival all events have ended."""


@asynccontextmanager
async def open_history(
    store: Store, bounds: Bounds, complain: Callable[[str], None]
) -> AsyncIterator["SqliteHistory"]:
    """The history in *store*, which has ``TABLES``; all is kept when it ends.

    *complain* is told when something could not be. Raises ``KnliteError``.
    """
    history = SqliteHistory(store, bounds, complain)
    await history.load()
    try:
        yield history
    finally:
        history.close()


class SqliteHistory:
    """The newest events, of this run and of those before; made by ``open_history``."""

    def __init__(self, store: Store, bounds: Bounds, complain: Callable[[str], None]) -> None:
        self._store = store
        self._complain = complain
        self._bounds = bounds
        self._progress = Progress()
        self._reading = Reading(store, self._progress, self._flush)
        self._told: set[str] = set()
        """The egresses that this run has heard of: nobody else will end anything."""
        self._versions = Versions()
        self._counts: dict[tuple[int, str], int] = {}
        """Of deliveries that go on, how many attempts are kept."""
        self._events: list[Row] = []
        self._searches: list[Row] = []
        self._readers: list[Row] = []
        """Egresses of events that go on."""
        self._attempts: list[Row] = []
        self._egresses: list[Row] = []
        self._last_number = 0
        self._size = 0
        self._ceiling = bounds.history_bytes
        """The size at which something is to be deleted."""
        self.newest = 0
        self._oldest = 0
        """Arrivals, of what is kept."""
        self._taken = 0
        self._full = anyio.Event()
        self._noted = 0
        """Bytes of what the next flush sends."""
        self._behind = 0
        """Bytes that are on their way to the disk."""
        self._missing = 0
        """Rows that were left out."""

    async def load(self) -> None:
        """Go on with what is kept. Raises ``KnliteError``."""
        query = self._store.query
        ((size,),) = await query(
            f"SELECT (SELECT COALESCE(SUM({SIZE}), 0) FROM history)"
            f" + (SELECT COALESCE(SUM(LENGTH(body) + {ROW}), 0) FROM history_attempts)"
            f" + (SELECT COALESCE(SUM({SEARCH_SIZE}), 0) FROM history_search)"
        )
        self._size = number(size)
        await self._make_searchable()
        for (body,) in await query("SELECT body FROM history_egresses ORDER BY since, rowid"):
            egress = read(body, EgressChanged)
            if egress is not None:
                self._versions.note(egress)
        self._oldest = await self._first()
        ((newest,),) = await query("SELECT COALESCE(MAX(arrival), 0) FROM history")
        self.newest = number(newest)
        ended = await query("SELECT value FROM history_notes WHERE name = ?", (_ENDED,))
        await self._resume(number(ended[0][0]) if ended else 0)
        if self._size > self._ceiling or self._oldest < self._too_old():
            # There may be less room than there was.
            self._full.set()

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Forget what is too much, until cancelled."""
        task_status.started()
        while True:
            await self._full.wait()
            self._full = anyio.Event()
            try:
                await self._forget()
            except KnliteError:
                # Whoever keeps events has been told; the next that comes tries again.
                continue

    def accepted(self, fact: EventAccepted) -> None:
        of, data = fact.attributes.get, fact.data
        body = written(fact if data is None else msgspec.structs.replace(fact, data=None))
        search = search_row(fact)
        self._later()
        self._searches.append(search)
        self._events.append(
            (
                fact.arrival, of("id", ""), of("source", ""), of("type", ""),
                fact.kind, fact.namespace, fact.name, fact.replay_of, body, data,
            )
        )  # fmt: skip
        self.newest = max(self.newest, fact.arrival)
        self._oldest = self._oldest or fact.arrival
        self._grow(len(body) + len(data or b"") + search_size(search))
        if fact.again:
            self._readers += ((fact.arrival, reader) for reader in fact.readers)
            for reader in fact.readers:
                self._progress.resume(fact.arrival, reader)
        else:
            self._progress.begin(fact.arrival, fact.readers)
        self._taken += 1
        if self._taken % _LOOKS == 0:
            self._look()

    def attempted(self, fact: DeliveryAttempted) -> bool:
        key = (fact.arrival, fact.egress_uid)
        if fact.ended:
            self._counts.pop(key, None)
            self._keep(fact)
            return self._progress.end(fact.arrival, fact.egress_uid)
        self._progress.resume(fact.arrival, fact.egress_uid)
        count = self._counts[key] = self._counts.get(key, 0) + 1
        if count <= KEPT_ATTEMPTS:
            self._keep(fact)
        return False

    def changed(self, fact: EgressChanged) -> tuple[int, ...]:
        self._told.add(fact.egress_uid)
        if self._versions.note(fact):
            self._later()
            self._egresses.append((fact.egress_uid, fact.since, written(fact)))
        if not fact.gone:
            return ()
        self._counts = {key: n for key, n in self._counts.items() if key[1] != fact.egress_uid}
        return self._progress.gone(fact.egress_uid)

    def is_open(self, arrival: int) -> bool:
        return arrival in self._progress

    async def at(self, arrival: int) -> Happened | None:
        return await self._reading.at(arrival)

    def find(self, wanted: Wanted) -> AsyncGenerator[Happened, None]:
        return self._reading.find(wanted)

    async def egresses(self, resource_uid: str, arrival: int) -> list[EgressChanged]:
        return self._versions.at(resource_uid, arrival)

    def uids(self, kind: str, namespace: str, name: str) -> frozenset[str]:
        return self._versions.uids(kind, namespace, name)

    def close(self) -> None:
        """Keep what has come, and how far all is known."""
        self._flush([(_NOTE, [(_ENDED, self._ended())])])

    def _keep(self, fact: DeliveryAttempted) -> None:
        moment = int(fact.at.timestamp() * _MICROSECONDS)
        self._last_number = max(moment, self._last_number + 1)
        body = written(fact)
        self._later()
        self._grow(len(body))
        self._attempts.append((fact.arrival, self._last_number, mark(fact), body))

    def _grow(self, size: int) -> None:
        self._noted += size + ROW
        self._size += size + ROW
        if self._size > self._ceiling:
            self._full.set()

    def _look(self) -> None:
        """Keep how far all has ended, for a run after a crash; see to what is too old."""
        self._flush([(_NOTE, [(_ENDED, self._ended())])])
        if self._oldest < self._too_old():
            self._full.set()

    def _ended(self) -> int:
        """The arrival up to which all have ended."""
        return min(self._progress.arrivals(), default=self.newest + 1) - 1

    def _too_old(self) -> int:
        return self.newest - int(self._bounds.history_seconds * _MICROSECONDS)

    async def _first(self) -> int:
        ((oldest,),) = await self._store.query("SELECT MIN(arrival) FROM history")
        return oldest if isinstance(oldest, int) else 0

    def _later(self) -> None:
        """Have what is about to be noted sent at the end of this turn."""
        if not (self._events or self._attempts or self._egresses):
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self, more: Sequence[Statement] = ()) -> None:
        noted = (
            (_EVENT, self._events),
            (_SEARCH, self._searches),
            (_ONE_MORE, self._readers),
            (_ATTEMPT, self._attempts),
            (_EGRESS, self._egresses),
        )
        statements = [*((sql, rows) for sql, rows in noted if rows), *more]
        if not statements:
            return
        self._events, self._attempts, self._egresses = [], [], []
        self._searches, self._readers = [], []
        size, self._noted = self._noted, 0
        if self._behind > MAX_BEHIND:
            # Rather a gap in what is told than memory without end.
            if not self._missing:
                self._complain("the disk is too slow for the event log, which has gaps from now on")
            beside = {_SEARCH, _ONE_MORE}
            self._missing += sum(len(rows) for sql, rows in statements if sql not in beside)
            return
        self._behind += size
        self._store.submit(statements, lambda _: self._caught_up(size))

    def _caught_up(self, size: int) -> None:
        """Whoever keeps events has been told of an error, and so has everybody else."""
        self._behind -= size
        if self._missing and self._behind <= MAX_BEHIND // 2:
            self._complain(f"the event log goes on; {self._missing} entries are missing")
            self._missing = 0

    async def _make_searchable(self) -> None:
        """Add what an earlier knlite has not written beside its events."""
        lacking = "(SELECT COUNT(*) FROM history) - (SELECT COUNT(*) FROM history_search)"
        ((missing,),) = await self._store.query(f"SELECT {lacking}")
        since = 0
        while number(missing) > 0:
            rows = await self._store.query(
                "SELECT h.arrival, h.body, substr(h.data, 1, ?) FROM history h"
                " LEFT JOIN history_search s ON s.arrival = h.arrival"
                " WHERE h.arrival > ? AND s.arrival IS NULL ORDER BY h.arrival LIMIT ?",
                (SEARCHED, since, _AT_ONCE),
            )
            if not rows:
                return
            for arrival, body, data in rows:
                since = number(arrival)
                fact = read(body, EventAccepted)
                if fact is not None:
                    assert data is None or isinstance(data, bytes)
                    search = search_row(msgspec.structs.replace(fact, data=data))
                    self._later()
                    self._searches.append(search)
                    self._grow(search_size(search) - ROW)
            self._flush()

    async def _resume(self, since: int) -> None:
        """Find what had not ended when the last run did, and may go on."""
        while True:
            rows = await self._store.query(
                "SELECT arrival, body FROM history WHERE arrival > ? ORDER BY arrival LIMIT ?",
                (since, _AT_ONCE),
            )
            if not rows:
                return
            facts = [fact for _, body in rows if (fact := read(body, EventAccepted))]
            last = number(rows[-1][0])
            ended: set[tuple[int, str]] = set()
            for (body,) in await self._store.query(
                "SELECT body FROM history_attempts WHERE arrival > ? AND arrival <= ?",
                (since, last),
            ):
                each = read(body, DeliveryAttempted)
                if each is None:
                    continue
                key = (each.arrival, each.egress_uid)
                if each.ended:
                    ended.add(key)
                else:
                    self._counts[key] = self._counts.get(key, 0) + 1
            for fact in facts:
                if fact.engine in _DURABLE:
                    left = [uid for uid in fact.readers if (fact.arrival, uid) not in ended]
                    self._progress.begin(fact.arrival, tuple(left))
            for key in ended:
                self._counts.pop(key, None)
            since = last

    async def _forget(self) -> None:
        """Delete the oldest of what has ended, until there is room."""
        goal, after = int(self._bounds.history_bytes * _ROOM), 0
        while self._size > goal or max(after, self._oldest) < self._too_old():
            rows = await self._store.query(
                f"SELECT arrival, {SIZE} + COALESCE((SELECT SUM(LENGTH(body)"
                f" + {ROW}) FROM history_attempts a WHERE a.arrival = h.arrival), 0)"
                f" + COALESCE((SELECT {SEARCH_SIZE} FROM history_search s"
                " WHERE s.arrival = h.arrival), 0),"
                " (SELECT COUNT(*) FROM history_attempts a WHERE a.arrival = h.arrival)"
                " FROM history h WHERE arrival > ? ORDER BY arrival LIMIT ?",
                (after, _LOOK),
            )
            gone: list[Row] = []
            deleted = deleted_bytes = 0
            for arrival, size, attempts in rows:
                after = number(arrival)
                if self._size <= goal and after >= self._too_old():
                    break
                if self._told.isdisjoint(self._progress.of(after)):
                    gone.append((after,))
                    self._size -= number(size)
                    deleted += 1 + number(attempts)
                    deleted_bytes += number(size)
                if deleted >= _SLICE_ROWS or deleted_bytes >= _SLICE_BYTES:
                    await self._delete(gone)
                    gone, deleted, deleted_bytes = [], 0, 0
            if gone:
                await self._delete(gone)
            if len(rows) < _LOOK:
                break
        self._ceiling = max(self._bounds.history_bytes, int(self._size * _MORE))
        self._oldest = await self._first()
        self._delete_leftovers(self._oldest)

    async def _delete(self, arrivals: Sequence[Row]) -> None:
        deleted = anyio.Event()
        self._store.submit(
            [
                ("DELETE FROM history_attempts WHERE arrival = ?", arrivals),
                ("DELETE FROM history_search WHERE arrival = ?", arrivals),
                ("DELETE FROM history WHERE arrival = ?", arrivals),
            ],
            lambda _: deleted.set(),
        )
        await deleted.wait()

    def _delete_leftovers(self, oldest: int) -> None:
        """What belongs to events before *oldest* that are gone, or never came here."""
        sql = "DELETE FROM history_attempts WHERE arrival < ?"
        self._store.submit([(sql, [(oldest,)])], lambda _: None)
        gone = self._versions.forget(oldest)
        if gone:
            rows = [(fact.egress_uid, fact.since) for fact in gone]
            sql = "DELETE FROM history_egresses WHERE egress = ? AND since = ?"
            self._store.submit([(sql, rows)], lambda _: None)


_DURABLE = frozenset(("sqlite", "kafka", "rabbitmq"))
"""The engines that go on after a restart with what was not done; others tell when they do."""
