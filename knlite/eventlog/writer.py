"""The program that owns an event database: it writes what comes through a socket, and answers.

A process of its own, because a thread would share the interpreter with the loop. Each statement of
SQLite gives the interpreter away and must get it back, and a loop that is never idle hands it over
late or never: a commit that takes a fifth of a millisecond then takes seconds (ADR 0024).

Everything that has come in the meantime is one transaction and one sync (group commit). When the
socket closes, as it does when the run dies, it finishes what it has received and ends.

Started by its path with the standard library alone; ``database.py`` is the other end.
Source: SQLite, "Write-Ahead Logging", "Pragma statements".
"""

import errno
import marshal
import socket
import sqlite3
import struct
import sys
import time
from collections.abc import Iterator
from typing import Any, Final, Literal

LAYOUT: Final = 1
"""The layout of the tables (``user_version``)."""

Trouble = Literal["busy", "damaged", "newer", "full", "failed"]
Statement = tuple[str, list[tuple[Any, ...]]]
Request = tuple[int, bool, list[Statement]]
"""Its number; whether rows are read (by one statement with one row) or written; what to execute."""
Reply = tuple[int, Trouble | None, Any]
"""Number of the request; what went wrong; its words, or the rows that were read."""

HEAD = struct.Struct("!I")
"""Each message is its length and a ``marshal`` of it: both ends are the same Python."""

_PATIENCE = 1.5
"""Seconds in which the writer of a run that was killed may let go of the file."""
_SPARE_PAGES = 2048
"""Free pages beyond which the file is made smaller, as far as they are the greater part of it."""
_STEP = 256
"""Pages that are given back at once, so that nobody waits long."""
_ROUNDS = 64
"""Transactions between two looks at the free pages."""

_DAMAGED = frozenset((sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB))
_BUSY = frozenset((sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED))


class _NewerLayoutError(Exception):
    """The file was written by a later knlite."""


def main() -> None:
    """``writer.py FD PATH``: serve the socket that was inherited as FD."""
    with socket.socket(fileno=int(sys.argv[1])) as end:
        requests = _requests(end)
        first = next(requests, None)
        if first is None:
            return
        _, _, tables = first[0]
        try:
            db = _opened(sys.argv[2], [sql for sql, _ in tables])
        except (sqlite3.Error, _NewerLayoutError) as exc:
            _send(end, [(0, _trouble(exc), str(exc))])
            return
        _send(end, [(0, None, None)])
        try:
            for number, batch in enumerate(requests):
                _send(end, _served(db, batch))
                if number % _ROUNDS == 0:
                    _shrink(db)
        except OSError as exc:
            if exc.errno not in {errno.EPIPE, errno.ECONNRESET}:
                raise
        finally:
            db.close()


def _opened(path: str, tables: list[str]) -> sqlite3.Connection:
    until = time.monotonic() + _PATIENCE  # noqa: TID251  a program of its own, without a Clock
    while True:
        db = sqlite3.connect(path, timeout=0, isolation_level=None)
        try:
            _prepare(db, tables)
        except BaseException as exc:
            db.close()
            late = time.monotonic() > until  # noqa: TID251
            if not isinstance(exc, sqlite3.Error) or _trouble(exc) != "busy" or late:
                raise
            time.sleep(0.02)  # noqa: TID251
        else:
            return db


def _prepare(db: sqlite3.Connection, tables: list[str]) -> None:
    # Before anything else, so that the file is never shared.
    db.execute("PRAGMA locking_mode = EXCLUSIVE")
    layout = db.execute("PRAGMA user_version").fetchone()[0]
    if layout > LAYOUT:
        raise _NewerLayoutError(f"layout {layout}; known is {LAYOUT}")
    # Works in an empty file only, and must come before its first table.
    db.execute("PRAGMA auto_vacuum = INCREMENTAL")
    db.execute("PRAGMA journal_mode = WAL")
    # Every commit is on the disk before it is answered.
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA journal_size_limit = 16777216")
    db.execute("BEGIN IMMEDIATE")
    for statement in tables:
        db.execute(statement)
    db.execute(f"PRAGMA user_version = {LAYOUT}")
    db.execute("COMMIT")


def _served(db: sqlite3.Connection, batch: list[Request]) -> list[Reply]:
    """Answers to *batch*, in its order; its writes are one transaction if that works at all."""
    try:
        return _together(db, batch)
    except sqlite3.Error as exc:
        if len(batch) == 1:
            return [(batch[0][0], _trouble(exc), str(exc))]
    # One of them is at fault, or there is room for some.
    return [reply for request in batch for reply in _served(db, [request])]


def _together(db: sqlite3.Connection, batch: list[Request]) -> list[Reply]:
    replies = list[Reply]()
    try:
        for number, reads, statements in batch:
            if reads:
                ((sql, (parameters,)),) = statements
                replies.append((number, None, db.execute(sql, parameters).fetchall()))
                continue
            if not db.in_transaction:
                db.execute("BEGIN IMMEDIATE")
            for sql, rows in statements:
                db.executemany(sql, rows)
            replies.append((number, None, None))
        if db.in_transaction:
            db.execute("COMMIT")
    except sqlite3.Error:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    return replies


def _shrink(db: sqlite3.Connection) -> None:
    """Give back some of the space that deleted events have left."""
    try:
        free = db.execute("PRAGMA freelist_count").fetchone()[0]
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        if free > _SPARE_PAGES and free * 2 > pages:
            db.execute(f"PRAGMA incremental_vacuum({_STEP})").fetchall()
    except sqlite3.Error:
        # There is no room for it, or the disk fails; who writes next is told.
        if db.in_transaction:
            db.execute("ROLLBACK")


def _trouble(exc: Exception) -> Trouble:
    if isinstance(exc, _NewerLayoutError):
        return "newer"
    # Extended codes have the plain one in their low byte.
    code = getattr(exc, "sqlite_errorcode", 0) & 0xFF
    if code in _BUSY:
        return "busy"
    if code in _DAMAGED:
        return "damaged"
    return "full" if code == sqlite3.SQLITE_FULL else "failed"


def _requests(end: socket.socket) -> Iterator[list[Request]]:
    """Whatever has come, at least one, until the other side closes."""
    buffer = bytearray()
    while chunk := end.recv(1 << 20):
        buffer += chunk
        batch, at = list[Request](), 0
        while len(buffer) >= at + HEAD.size:
            (size,) = HEAD.unpack_from(buffer, at)
            if len(buffer) < at + HEAD.size + size:
                break
            at += HEAD.size
            # From the parent, which started this very process.
            batch.extend(marshal.loads(memoryview(buffer)[at : at + size].tobytes()))
            at += size
        del buffer[:at]
        if batch:
            yield batch


def _send(end: socket.socket, replies: list[Reply]) -> None:
    message = marshal.dumps(replies)
    end.sendall(HEAD.pack(len(message)) + message)


if __name__ == "__main__":
    main()
