"""The history of events in SQLite: with the data folder, from run to run.

Facts go to the writer in the turn of the loop in which they come, so they are on the disk no later
than what the engine says about the same event afterwards: whatever is done with there has its story
here, also after a crash.

Implements ``history.History``. Source: ``docs/adr/0031-the-event-log.md``.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Protocol, TypeVar

import anyio
import msgspec
from anyio.abc import TaskStatus

from knlite.errors import InvalidInput, KnliteError
from knlite.eventlog.history import (
    KEPT_ATTEMPTS,
    Bounds,
    Happened,
    Progress,
    Versions,
    Wanted,
    is_trouble,
)
from knlite.facts import DeliveryAttempted, EgressChanged, EventAccepted

TABLES = (
    """CREATE TABLE IF NOT EXISTS history (
        arrival INTEGER PRIMARY KEY, id TEXT NOT NULL, source TEXT NOT NULL, type TEXT NOT NULL,
        kind TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
        replay_of INTEGER NOT NULL, body BLOB NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS history_by_id ON history (id)",
    """CREATE INDEX IF NOT EXISTS history_replays ON history (replay_of) WHERE replay_of > 0""",
    """CREATE TABLE IF NOT EXISTS history_attempts (
        arrival INTEGER NOT NULL, number INTEGER NOT NULL, trouble INTEGER NOT NULL,
        body BLOB NOT NULL, PRIMARY KEY (arrival, number)) WITHOUT ROWID""",
    """CREATE INDEX IF NOT EXISTS history_troubles ON history_attempts (arrival)
        WHERE trouble > 0""",
    """CREATE TABLE IF NOT EXISTS history_egresses (
        egress TEXT NOT NULL, since INTEGER NOT NULL, body BLOB NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS history_notes (
        name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID""",
)
"""What a database needs to hold a history."""

_EVENT = "INSERT OR IGNORE INTO history VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_ATTEMPT = "INSERT OR IGNORE INTO history_attempts VALUES (?, ?, ?, ?)"
_EGRESS = "INSERT INTO history_egresses VALUES (?, ?, ?)"
_NOTE = "INSERT OR REPLACE INTO history_notes VALUES (?, ?)"

_FORM = b"\x01"
"""The first byte of every body: how the rest is to be read."""
_ROW = 200
"""Bytes that a row takes beside its body, indexes and all."""
MAX_BEHIND = 200_000
"""Rows that may be on their way to a slow disk, which is some 200 MB of small events."""
_MICROSECONDS = 1_000_000
_AT_ONCE = 1000
"""Rows that are looked at or deleted by one statement."""
_LOOKS = 512
"""Events between two looks at what is oldest."""
_ROOM = 0.95
"""What is left of what may be kept, after something was deleted."""
_ENDED = "ended"
"""The note that says up to which arrival all events have ended."""

Value = int | str | bytes | float | None
Row = tuple[Value, ...]
Statement = tuple[str, Sequence[Row]]
F = TypeVar("F")


class Store(Protocol):
    """The database, as far as it is needed here; statements and queries take their turns."""

    def submit(
        self, statements: Sequence[Statement], settled: Callable[[KnliteError | None], None]
    ) -> None:
        """Execute *statements* as one; *settled* is told later how that went."""
        ...

    async def query(self, sql: str, parameters: Row = ()) -> list[Row]:
        """The rows that *sql* selects. Raises ``KnliteError``."""
        ...


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
        self._told: set[str] = set()
        """The egresses that this run has heard of: nobody else will end anything."""
        self._versions = Versions()
        self._counts: dict[tuple[int, str], int] = {}
        """Of deliveries that go on, how many attempts are kept."""
        self._events: list[Row] = []
        self._attempts: list[Row] = []
        self._egresses: list[Row] = []
        self._last_number = 0
        self._size = 0
        self.newest = 0
        self._oldest = 0
        """Arrivals, of what is kept."""
        self._taken = 0
        self._full = anyio.Event()
        self._behind = 0
        """Rows that are on their way to the disk."""
        self._missing = 0

    async def load(self) -> None:
        """Go on with what is kept. Raises ``KnliteError``."""
        query = self._store.query
        ((size,),) = await query(
            f"SELECT (SELECT COALESCE(SUM(LENGTH(body) + {_ROW}), 0) FROM history)"
            f" + (SELECT COALESCE(SUM(LENGTH(body) + {_ROW}), 0) FROM history_attempts)"
        )
        assert isinstance(size, int)
        self._size = size
        for (body,) in await query("SELECT body FROM history_egresses ORDER BY since, rowid"):
            self._versions.note(_read(body, EgressChanged))
        self._oldest = await self._first()
        ((newest,),) = await query("SELECT COALESCE(MAX(arrival), 0) FROM history")
        assert isinstance(newest, int)
        self.newest = newest
        ended = await query("SELECT value FROM history_notes WHERE name = ?", (_ENDED,))
        since = ended[0][0] if ended else 0
        assert isinstance(since, int)
        await self._resume(since)
        if self._size > self._bounds.history_bytes or self._oldest < self._too_old():
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
        of = fact.attributes.get
        body = _written(fact)
        self._later()
        self._events.append(
            (
                fact.arrival, of("id", ""), of("source", ""), of("type", ""),
                fact.kind, fact.namespace, fact.name, fact.replay_of, body,
            )
        )  # fmt: skip
        self.newest = max(self.newest, fact.arrival)
        self._oldest = self._oldest or fact.arrival
        self._grow(len(body))
        if fact.again:
            for reader in fact.readers or ():
                self._progress.resume(fact.arrival, reader)
        else:
            self._progress.begin(fact.arrival, fact.readers or ())
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
            self._egresses.append((fact.egress_uid, fact.since, _written(fact)))
        if not fact.gone:
            return ()
        self._counts = {key: n for key, n in self._counts.items() if key[1] != fact.egress_uid}
        return self._progress.gone(fact.egress_uid)

    def is_open(self, arrival: int) -> bool:
        return arrival in self._progress

    async def at(self, arrival: int) -> Happened | None:
        found = await self.find(Wanted(since=arrival, before=arrival + 1, limit=1))
        return found[0] if found else None

    async def find(self, wanted: Wanted) -> list[Happened]:
        self._flush()
        where, parameters = _where(wanted)
        rows = await self._store.query(
            f"SELECT body FROM history WHERE {where} ORDER BY arrival DESC LIMIT ?",
            (*parameters, wanted.limit),
        )
        facts = [_read(body, EventAccepted) for (body,) in rows]
        attempts: dict[int, list[DeliveryAttempted]] = {fact.arrival: [] for fact in facts}
        arrivals = list(attempts)
        for start in range(0, len(arrivals), _AT_ONCE):
            some = arrivals[start : start + _AT_ONCE]
            for (body,) in await self._store.query(
                f"SELECT body FROM history_attempts WHERE arrival IN ({_marks(some)})"
                " ORDER BY arrival, number",
                tuple(some),
            ):
                each = _read(body, DeliveryAttempted)
                attempts[each.arrival].append(each)
        return [
            Happened(fact, tuple(attempts[fact.arrival]), self._progress.of(fact.arrival))
            for fact in facts
        ]

    async def egresses(self, resource_uid: str, arrival: int) -> list[EgressChanged]:
        return self._versions.at(resource_uid, arrival)

    def close(self) -> None:
        """Keep what has come, and how far all is known."""
        self._flush([(_NOTE, [(_ENDED, self._ended())])])

    def _keep(self, fact: DeliveryAttempted) -> None:
        moment = int(fact.at.timestamp() * _MICROSECONDS)
        self._last_number = max(moment, self._last_number + 1)
        body = _written(fact)
        self._later()
        self._grow(len(body))
        self._attempts.append((fact.arrival, self._last_number, int(is_trouble(fact)), body))

    def _grow(self, size: int) -> None:
        self._size += size + _ROW
        if self._size > self._bounds.history_bytes:
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
        noted = ((_EVENT, self._events), (_ATTEMPT, self._attempts), (_EGRESS, self._egresses))
        statements = [*((sql, rows) for sql, rows in noted if rows), *more]
        if not statements:
            return
        self._events, self._attempts, self._egresses = [], [], []
        count = sum(len(rows) for _, rows in statements)
        if self._behind > MAX_BEHIND:
            # Rather a gap in what is told than memory without end.
            if not self._missing:
                self._complain("the disk is too slow for the event log, which has gaps from now on")
            self._missing += count
            return
        self._behind += count
        self._store.submit(statements, lambda _: self._caught_up(count))

    def _caught_up(self, count: int) -> None:
        """Whoever keeps events has been told of an error, and so has everybody else."""
        self._behind -= count
        if self._missing and self._behind <= MAX_BEHIND // 2:
            self._complain(f"the event log goes on; {self._missing} entries are missing")
            self._missing = 0

    async def _resume(self, since: int) -> None:
        """Find what had not ended when the last run did, and may go on."""
        rows = await self._store.query(
            "SELECT body FROM history WHERE arrival > ? ORDER BY arrival", (since,)
        )
        facts = [_read(body, EventAccepted) for (body,) in rows]
        ended: set[tuple[int, str]] = set()
        for (body,) in await self._store.query(
            "SELECT body FROM history_attempts WHERE arrival > ?", (since,)
        ):
            each = _read(body, DeliveryAttempted)
            if each.ended:
                ended.add((each.arrival, each.egress_uid))
            else:
                key = (each.arrival, each.egress_uid)
                self._counts[key] = self._counts.get(key, 0) + 1
        for fact in facts:
            self.newest = max(self.newest, fact.arrival)
            if fact.engine in _DURABLE:
                left = [uid for uid in fact.readers or () if (fact.arrival, uid) not in ended]
                self._progress.begin(fact.arrival, tuple(left))

    async def _forget(self) -> None:
        """Delete the oldest of what has ended, until there is room."""
        goal, after = int(self._bounds.history_bytes * _ROOM), 0
        while self._size > goal or self._oldest < self._too_old():
            rows = await self._store.query(
                f"SELECT arrival, LENGTH(body) + {_ROW} + COALESCE((SELECT SUM(LENGTH(body)"
                f" + {_ROW}) FROM history_attempts a WHERE a.arrival = h.arrival), 0)"
                " FROM history h WHERE arrival > ? ORDER BY arrival LIMIT ?",
                (after, _AT_ONCE),
            )
            gone: list[Row] = []
            for arrival, size in rows:
                assert isinstance(arrival, int)
                assert isinstance(size, int)
                after = arrival
                excess = self._size > goal or arrival < self._too_old()
                if excess and self._told.isdisjoint(self._progress.of(arrival)):
                    gone.append((arrival,))
                    self._size -= size
            await self._delete(gone)
            self._oldest = await self._first()
            if len(rows) < _AT_ONCE or not gone:
                break
        self._delete_versions(self._oldest)

    async def _delete(self, arrivals: Sequence[Row]) -> None:
        deleted = anyio.Event()
        self._store.submit(
            [
                ("DELETE FROM history_attempts WHERE arrival = ?", arrivals),
                ("DELETE FROM history WHERE arrival = ?", arrivals),
            ],
            lambda _: deleted.set(),
        )
        await deleted.wait()

    def _delete_versions(self, oldest: int) -> None:
        gone = self._versions.forget(oldest)
        if gone:
            rows = [(fact.egress_uid, fact.since) for fact in gone]
            sql = "DELETE FROM history_egresses WHERE egress = ? AND since = ?"
            self._store.submit([(sql, rows)], lambda _: None)


_DURABLE = frozenset(("sqlite",))
"""The engines that go on after a restart with what was not done; others tell when they do."""


def _where(wanted: Wanted) -> tuple[str, Row]:
    conditions = ["arrival >= ?", "arrival < ?"]
    parameters: list[Value] = [wanted.since, min(wanted.before, 2**63 - 1)]
    for column in ("id", "source", "type", "kind", "namespace", "name", "replay_of"):
        value = getattr(wanted, column)
        if value:
            conditions.append(f"{column} = ?")
            parameters.append(value)
    if wanted.troubled:
        conditions.append("arrival IN (SELECT arrival FROM history_attempts WHERE trouble > 0)")
    return " AND ".join(conditions), tuple(parameters)


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))


def _written(fact: EventAccepted | DeliveryAttempted | EgressChanged) -> bytes:
    return _FORM + msgspec.msgpack.encode(fact)


def _read(body: Value, kind: type[F]) -> F:
    """Raises ``InvalidInput``."""
    if isinstance(body, bytes) and body.startswith(_FORM):
        try:
            return msgspec.msgpack.decode(memoryview(body)[1:], type=kind)
        except msgspec.DecodeError:
            pass
    raise InvalidInput(
        "the event log holds something that cannot be read",
        cause="it was damaged, or written by a newer knlite",
        fix="use that knlite, or move events.sqlite away; what is in it is lost then",
    )
