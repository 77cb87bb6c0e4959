"""The program that owns an event database: it writes what comes through a socket, and answers.

A process of its own, because a thread would share the interpreter with the loop. Each statement of
SQLite gives the interpreter away and must get it back, and a loop that is never idle hands it over
late or never: a commit that takes a fifth of a millisecond then takes seconds (ADR 0024).

Everything that has come in the meantime is one transaction and one sync (group commit). When the
socket closes, as it does when the run dies, it finishes what it has received and ends.

A full disk must not keep anybody from deleting, and to delete takes space in a write-ahead log too.
So a file beside the database holds some, and is given up when the disk is full; until there is
room for it again, only what deletes is done, and what fits into the pages that are free.

Started by its path with the standard library alone; ``database.py`` is the other end.
Source: SQLite, "Write-Ahead Logging", "Pragma statements".
"""

import errno
import marshal
import os
import socket
import sqlite3
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
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
_PAGE = 4096
_CHECKPOINT_PAGES = 1000
"""Pages in the write-ahead log beyond which they go to the file."""
_RESERVE = 2 * _CHECKPOINT_PAGES * _PAGE
"""Bytes: the file can grow by what the log holds, and there is as much left to go on with."""
_SPARE_PAGES = 2048
"""Free pages beyond which the file is made smaller, as far as they are the greater part of it."""
_STEP = 256
"""Pages that are given back at once, so that nobody waits long."""
_ROUNDS = 64
"""Transactions between two looks at the free pages."""

_DAMAGED = frozenset((sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB))
_FAULTS = (sqlite3.Error, ValueError, OverflowError)
"""What a request may end in: also numbers and texts that SQLite cannot hold. The next goes on."""
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
        keeper = Keeper(db, Reserve(f"{sys.argv[2]}-reserve"))
        try:
            for batch in requests:
                _send(end, keeper.serve(batch))
        except OSError as exc:
            if exc.errno not in {errno.EPIPE, errno.ECONNRESET}:
                raise
        finally:
            keeper.close()


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
    db.execute(f"PRAGMA page_size = {_PAGE}")
    db.execute("PRAGMA journal_mode = WAL")
    # Deleting a large event must not write over it.
    db.execute("PRAGMA secure_delete = OFF")
    # Every commit is on the disk before it is answered.
    db.execute("PRAGMA synchronous = FULL")
    db.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
    db.execute("PRAGMA journal_size_limit = 16777216")
    db.execute("BEGIN IMMEDIATE")
    for statement in tables:
        db.execute(statement)
    db.execute(f"PRAGMA user_version = {LAYOUT}")
    db.execute("COMMIT")


class Reserve:
    """Space on the disk that nobody else can have."""

    def __init__(self, path: str) -> None:
        self._path = path

    def take(self) -> bool:
        """Hold it, if there is so much."""
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                if hasattr(os, "posix_fallocate"):
                    os.posix_fallocate(file, 0, _RESERVE)
                else:
                    # Not by seeking: a hole takes no space.
                    for _ in range(os.fstat(file).st_size, _RESERVE, _PAGE):
                        os.write(file, bytes(_PAGE))
            finally:
                os.close(file)
        except OSError:
            self.give()
            return False
        return True

    def give(self) -> None:
        """Let it be used."""
        with suppress(OSError):
            os.unlink(self._path)


class Keeper:
    """Executes requests, in the way that the disk allows."""

    def __init__(self, db: sqlite3.Connection, reserve: Reserve) -> None:
        self._db = db
        self._reserve = reserve
        self._tight = not reserve.take()
        self._rounds = 0

    def serve(self, batch: list[Request]) -> list[Reply]:
        """Answers to *batch*."""
        replies = list[Reply]()
        if self._tight:
            # With all of the space that was held back, and before anybody else gets it.
            deleting = [request for request in batch if _only_deletes(request)]
            batch = [request for request in batch if not _only_deletes(request)]
            replies += _served(self._db, deleting)
            # The log begins anew, in the space that it has.
            self._checkpoint()
            self._tight = not self._relaxed()
        if self._tight:
            return replies + [self._squeezed(request) for request in batch]
        served = _served(self._db, batch)
        if any(trouble == "full" for _, trouble, _ in served):
            self._tight = True
            self._reserve.give()
            self._checkpoint()
            # Perhaps only the log has found no space.
            pairs = zip(batch, served, strict=True)
            served = [self._squeezed(one) if said[1] == "full" else said for one, said in pairs]
        replies += served
        self._rounds += 1
        if self._rounds % _ROUNDS == 0:
            self._shrink(_STEP, only_beyond=_SPARE_PAGES)
        return replies

    def close(self) -> None:
        """Let others have the file."""
        self._db.close()
        self._reserve.give()

    def _relaxed(self) -> bool:
        """Whether there is room again; makes some where it can."""
        if self._reserve.take():
            return True
        self._shrink(_RESERVE // _PAGE, only_beyond=_RESERVE // _PAGE)
        return self._checkpoint() and self._reserve.take()

    def _squeezed(self, request: Request) -> Reply:
        """The answer to *request* while there is no reserve: free pages may have room for it."""
        number, reads, statements = request
        if not reads:
            size = sum(_size(row) for _, rows in statements for row in rows)
            if self._pragma("freelist_count") * _PAGE < 2 * size + 64 * _PAGE:
                return number, "full", "the disk is full"
        (reply,) = _served(self._db, [request])
        self._checkpoint()
        return reply

    def _checkpoint(self) -> bool:
        with suppress(sqlite3.Error):
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            return True
        return False

    def _shrink(self, pages: int, only_beyond: int) -> None:
        """Give back *pages* that deleted events have left, if most of the file is free."""
        free = self._pragma("freelist_count")
        if free > only_beyond and free * 2 > self._pragma("page_count"):
            # Without room for it, or on a failing disk, who writes next is told.
            with suppress(sqlite3.Error):
                # ``execute`` would stop after the first page, which is a step that has no row.
                self._db.executescript(f"PRAGMA incremental_vacuum({pages})")

    def _pragma(self, name: str) -> int:
        with suppress(sqlite3.Error):
            return int(self._db.execute(f"PRAGMA {name}").fetchone()[0])
        return 0


def _only_deletes(request: Request) -> bool:
    _, reads, statements = request
    return not reads and all(sql.startswith("DELETE") for sql, _ in statements)


def _size(row: tuple[Any, ...]) -> int:
    return sum(len(value) if isinstance(value, bytes | str) else 8 for value in row)


def _served(db: sqlite3.Connection, batch: list[Request]) -> list[Reply]:
    """Answers to *batch*, in its order; its writes are one transaction if that works at all."""
    try:
        return _together(db, batch)
    except _FAULTS as exc:
        if len(batch) <= 1:
            return [(request[0], _trouble(exc), str(exc)) for request in batch]
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
    except _FAULTS:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    return replies


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
