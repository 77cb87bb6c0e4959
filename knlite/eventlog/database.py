"""One file for everything that has to do with events, written by a process of its own.

Statements go out once per turn of the loop, and everything that waits while the disk works shares
the next sync; the loop is woken once for all of it. A writer that dies is started again: what it
had not answered has failed, the next is tried anew.

Source: ``docs/adr/0024-the-sqlite-event-log.md``. Not here: SQLite itself (``writer.py``), the
tables (who uses them).
"""

import asyncio
import marshal
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, cast

import anyio
from anyio.abc import TaskStatus

from knlite.clock import Clock
from knlite.errors import Conflict, InvalidInput, KnliteError, Overloaded, Unreachable
from knlite.eventlog import writer
from knlite.eventlog.writer import HEAD, Reply, Request, Trouble

FILE = "events.sqlite"

Row = tuple[Any, ...]
"""Integers, texts, bytes, floats and None; which of them where, the SQL says."""
Statement = tuple[str, Sequence[Row]]
"""One statement, and the rows that it is executed with, one after the other."""
Settled = Callable[[KnliteError | None], None]

_RESTART = 1.0
"""Seconds between attempts to start a writer again."""
_CALM = 1.0
"""Seconds without a failure after which it is told that all is well again."""
_GOODBYE = 10.0
"""Seconds in which the last transaction must be over."""


@asynccontextmanager
async def open_database(
    folder: Path, tables: Sequence[str], clock: Clock, complain: Callable[[str], None]
) -> AsyncIterator["Database"]:
    """The database in *folder*, with *tables* (statements that may be executed again).

    *complain* is told when nothing can be kept (any more), and when it works again. What was
    submitted is kept when the context ends. Raises ``Conflict`` (another run has it),
    ``InvalidInput`` (it is damaged, or newer than this knlite), ``Unreachable``.
    """
    database = Database(folder / FILE, tables, clock, complain)
    await database.start()
    try:
        yield database
    finally:
        await database.aclose()


class Database:
    """Made by ``open_database``."""

    def __init__(
        self, path: Path, tables: Sequence[str], clock: Clock, complain: Callable[[str], None]
    ) -> None:
        self._path = path
        self._tables = tuple(tables)
        self._clock = clock
        self._complain = complain
        self._end: _End | None = None
        self._failing = False
        self._failed = 0.0

    def submit(self, statements: Sequence[Statement], settled: Settled) -> None:
        """Execute *statements* as one, after all that was submitted before.

        *settled* is called by the loop, later: with None once they are on the disk, else with why
        they are not (and nothing of them is).
        """
        batch = [(sql, list(rows)) for sql, rows in statements]
        # A full disk lets deletions through.
        adds = any(not sql.startswith("DELETE") for sql, _ in batch)

        def answered(trouble: Trouble | None, words: object) -> None:
            error = None if trouble is None else self._error(trouble, str(words))
            self._told(error, adds)
            settled(error)

        self._ask(False, batch, answered)

    def ask(
        self, sql: str, parameters: Row, answered: Callable[[KnliteError | list[Row]], None]
    ) -> None:
        """Select with *sql*, after all that was submitted before.

        *answered* is called by the loop, later, with the rows or with why there are none.
        """

        def found(trouble: Trouble | None, words: Any) -> None:
            answered(words if trouble is None else self._error(trouble, words))

        self._ask(True, [(sql, [parameters])], found)

    async def query(self, sql: str, parameters: Row = ()) -> list[Row]:
        """As ``ask``; raises ``KnliteError``."""
        future: asyncio.Future[KnliteError | list[Row]] = asyncio.get_running_loop().create_future()

        def answered(found: KnliteError | list[Row]) -> None:
            if not future.done():
                future.set_result(found)

        self.ask(sql, parameters, answered)
        found = await future
        if isinstance(found, KnliteError):
            raise found
        return found

    @property
    def pid(self) -> int:
        """The process that writes."""
        return 0 if self._end is None else self._end.pid

    async def start(self) -> None:
        """Start the writer and wait until it has the file."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # Events hold what their senders tell nobody else.
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as exc:
            raise self._unreachable(str(exc)) from exc
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                process = self._spawn(theirs)
            except OSError as exc:
                ours.close()
                raise self._unreachable(str(exc)) from exc
        ours.setblocking(False)
        end = _End(process)
        await loop.create_connection(lambda: end, sock=ours)
        ready = loop.create_future()
        end.ask(False, [(sql, []) for sql in self._tables], _into(ready))
        try:
            trouble, words = await ready
        except BaseException:
            with anyio.CancelScope(shield=True):
                await end.aclose()
            raise
        if trouble is not None:
            await end.aclose()
            raise self._error(trouble, str(words))
        self._end = end

    def _spawn(self, theirs: socket.socket) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-I", "-S", writer.__file__, str(theirs.fileno())]
        return subprocess.Popen(
            [*command, str(self._path)],
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.DEVNULL,
            # What the terminal tells the run is none of its business.
            start_new_session=True,
        )

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Start a new writer whenever one is lost, until cancelled."""
        task_status.started()
        while self._end is not None:
            await self._end.lost.wait()
            await self._end.aclose()
            await self._clock.sleep_until(self._clock.now() + _RESTART)
            with suppress(KnliteError):
                await self.start()

    async def aclose(self) -> None:
        """Have everything kept that was submitted, and let others have the file."""
        if self._end is not None:
            with anyio.CancelScope(shield=True):
                await self._end.aclose()

    def _ask(
        self, reads: bool, statements: "list[writer.Statement]", answered: "_Answered"
    ) -> None:
        if self._end is None or self._end.lost.is_set():
            loop = asyncio.get_running_loop()
            loop.call_soon(answered, "failed", "its writer has ended and is started again")
            return
        self._end.ask(reads, statements, answered)

    def _told(self, error: KnliteError | None, adds: bool) -> None:
        """Tell people when it stops to work, and when it works again: once, not for each event."""
        now = self._clock.now()
        if error is not None:
            if not self._failing:
                self._complain(f"events are not kept at present: {error}")
            self._failing, self._failed = True, now
        elif self._failing and adds and now - self._failed >= _CALM:
            self._failing = False
            self._complain("events are kept again")

    def _error(self, trouble: Trouble, words: str) -> KnliteError:
        match trouble:
            case "busy":
                return Conflict(
                    f"{self._path} is in use",
                    cause="another knlite runs with this --data-dir",
                    fix="stop it, or give this one another --data-dir",
                )
            case "damaged":
                return InvalidInput(
                    f"{self._path} cannot be used",
                    cause=f"it is damaged, or no database: {words}",
                    fix="restore a copy, or move it away; the events in it are lost then",
                )
            case "newer":
                return InvalidInput(
                    f"{self._path} cannot be used",
                    cause=f"it was written by a newer knlite ({words})",
                    fix="use that knlite, or another --data-dir",
                )
            case "full":
                return Overloaded(
                    f"{self._path} cannot take more events",
                    cause=words,
                    fix="make room on the disk",
                )
            case "failed":
                return self._unreachable(words)

    def _unreachable(self, why: str) -> Unreachable:
        return Unreachable(
            f"{self._path} cannot be read or written",
            cause=why,
            fix="make room, or give --data-dir a folder that can be written to",
        )


_Answered = Callable[["Trouble | None", object], None]


def _into(future: "asyncio.Future[tuple[Trouble | None, Any]]") -> _Answered:
    def answered(trouble: Trouble | None, words: object) -> None:
        if not future.done():
            future.set_result((trouble, words))

    return answered


class _End(asyncio.Protocol):
    """The loop's end of the socket to one writer."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process
        self.pid = process.pid
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._number = 0
        self._outgoing: list[Request] = []
        self._waiting: dict[int, _Answered] = {}
        self.lost = anyio.Event()

    def ask(self, reads: bool, statements: list[writer.Statement], answered: _Answered) -> None:
        """Send a request with the others of this turn of the loop."""
        self._waiting[self._number] = answered
        if not self._outgoing:
            self._loop.call_soon(self._flush)
        self._outgoing.append((self._number, reads, statements))
        self._number += 1

    async def aclose(self) -> None:
        """Let the writer finish and end; one that hangs is ended."""
        self._flush()
        if self._transport is not None and self._transport.can_write_eof():
            self._transport.write_eof()
        with anyio.move_on_after(_GOODBYE):
            await self.lost.wait()
        if not self.lost.is_set():
            self._process.kill()
        await anyio.to_thread.run_sync(self._process.wait)
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's are no subclass.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) >= HEAD.size:
            (size,) = HEAD.unpack_from(self._buffer)
            if len(self._buffer) < HEAD.size + size:
                return
            message = bytes(self._buffer[HEAD.size : HEAD.size + size])
            del self._buffer[: HEAD.size + size]
            # From the program that this run has started.
            replies: list[Reply] = marshal.loads(message)
            for number, trouble, words in replies:
                self._waiting.pop(number)(trouble, words)

    def connection_lost(self, exc: Exception | None) -> None:
        waiting, self._waiting = self._waiting, {}
        self.lost.set()
        for answered in waiting.values():
            answered("failed", "its writer has ended unexpectedly")

    def _flush(self) -> None:
        outgoing, self._outgoing = self._outgoing, []
        if outgoing and self._transport is not None and not self.lost.is_set():
            message = marshal.dumps(outgoing)
            self._transport.write(HEAD.pack(len(message)) + message)
