"""What a history of events is in SQLite: its tables, and facts as bytes.

Not here: writing and forgetting (``historysqlite.py``), reading events (``historyreading.py``).
"""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import msgspec

from knlite.errors import KnliteError
from knlite.eventlog.history import has_ended, is_trouble
from knlite.eventlog.searching import searched
from knlite.facts import DeliveryAttempted, EgressChanged, EventAccepted

TABLES = (
    """CREATE TABLE IF NOT EXISTS history (
        arrival INTEGER PRIMARY KEY, id TEXT NOT NULL, source TEXT NOT NULL, type TEXT NOT NULL,
        kind TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
        replay_of INTEGER NOT NULL, body BLOB NOT NULL, data BLOB)""",
    "CREATE INDEX IF NOT EXISTS history_by_id ON history (id)",
    """CREATE INDEX IF NOT EXISTS history_replays ON history (replay_of) WHERE replay_of > 0""",
    """CREATE TABLE IF NOT EXISTS history_attempts (
        arrival INTEGER NOT NULL, number INTEGER NOT NULL, trouble INTEGER NOT NULL,
        body BLOB NOT NULL, PRIMARY KEY (arrival, number)) WITHOUT ROWID""",
    """CREATE INDEX IF NOT EXISTS history_troubles ON history_attempts (arrival)
        WHERE trouble > 0""",
    # Narrow, so that a hundred thousand are looked through in a moment; and beside the events, so
    # that a file of an earlier knlite gets it too.
    """CREATE TABLE IF NOT EXISTS history_search (
        arrival INTEGER PRIMARY KEY,
        type TEXT NOT NULL, source TEXT NOT NULL, subject TEXT NOT NULL,
        kind TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
        replay_of INTEGER NOT NULL, wanting INTEGER NOT NULL, readers TEXT NOT NULL,
        text BLOB NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS history_egresses (
        egress TEXT NOT NULL, since INTEGER NOT NULL, body BLOB NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS history_notes (
        name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID""",
)
"""What a database needs to hold a history."""

_FORM = b"\x01"
"""The first byte of every body: how the rest is to be read."""
ROW = 200
"""Bytes that a row takes beside its body, indexes and all."""
SIZE = f"LENGTH(body) + COALESCE(LENGTH(data), 0) + {ROW}"
"""Bytes of an event, beside what it is searched by …"""
SEARCH_SIZE = f"LENGTH(text) + LENGTH(readers) + {ROW}"
"""… which takes so many."""

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


def written(fact: EventAccepted | DeliveryAttempted | EgressChanged) -> bytes:
    """*fact* as ``read`` reads it."""
    return _FORM + msgspec.msgpack.encode(fact)


def search_row(fact: EventAccepted) -> Row:
    """What *fact* is searched by."""
    of = fact.attributes.get
    return (
        fact.arrival, of("type", ""), of("source", ""), of("subject", ""),
        fact.kind, fact.namespace, fact.name, fact.replay_of,
        len(fact.readers), "\n".join(fact.readers), searched(fact).lower(),
    )  # fmt: skip


def mark(fact: DeliveryAttempted) -> int:
    """What ``trouble`` is in the row of an attempt.

    1: it has ended a delivery that the subscriber did not take; -1: it has ended one well; 0: it
    has ended none (or an earlier knlite has written it, which wrote 0 for -1 too).
    """
    if is_trouble(fact):
        return 1
    return -1 if has_ended(fact) else 0


def search_size(row: Row) -> int:
    """As ``SEARCH_SIZE``."""
    *_, readers, text = row
    assert isinstance(readers, str)
    assert isinstance(text, bytes)
    return len(text) + len(readers) + ROW


def read(body: Value, kind: type[F]) -> F | None:
    """The fact that *body* holds; None if it was damaged, or written by another knlite."""
    if isinstance(body, bytes) and body.startswith(_FORM):
        try:
            return msgspec.msgpack.decode(memoryview(body)[1:], type=kind)
        except msgspec.DecodeError:
            pass
    return None


def number(value: Value) -> int:
    """What a column of integers holds."""
    assert isinstance(value, int)
    return value
