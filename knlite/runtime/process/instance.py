"""One started program: its process group, its output, its end.

The program leads a process group of its own. When it ends, whatever it left in the group is killed
at once, as a container's processes end with its first one; at that moment the group's number
cannot belong to anybody else yet.
"""

import asyncio
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Literal

import anyio
import anyio.to_thread

from knlite.clock import SystemClock
from knlite.runtime.lastwords import LastWords
from knlite.runtime.port import ExecResult, Exit, Log, Usage
from knlite.runtime.process.command import run
from knlite.runtime.process.group import gone
from knlite.runtime.process.sockets import listening
from knlite.runtime.process.started import Started
from knlite.runtime.process.usage import used
from knlite.serving.instance import Address

LINE_LIMIT = 16 * 1024
"""Bytes; a longer line is given in pieces of this size."""
READ = 64 * 1024
"""Bytes of output that are read at once; then others get their turn."""
OUTPUT_GRACE = 0.5
"""Seconds that the last output may take after the end, if a stray descendant holds the pipe."""
UNKNOWN = 255
"""The exit code of what has ended without anybody having been told how."""
GONE_GRACE = 2.0
"""Seconds that killed processes get to disappear."""
GONE_RETRY = 0.002
"""Seconds between two looks whether they have."""


class ProcessInstance:
    """A running program and the group that it leads."""

    def __init__(
        self,
        process: Started,
        address: Address,
        ended: Callable[[int], None],
        *,
        container: str,
        folder: Path,
        env: Mapping[str, str],
        origin: str = "spawned",
        words: LastWords | None = None,
    ) -> None:
        self.address = address
        self.origin = origin
        self._words = words
        self._container = container
        self._folder = folder
        self._env = env
        self._process = process
        self._group = process.pid
        self._ended = ended
        self._over = False
        self._gone = anyio.Event()
        self._pipes: dict[IO[bytes], _Lines] = {}
        """Those that may still be read from."""

    @property
    def label(self) -> str:
        """``pid N``."""
        return f"pid {self._process.pid}"

    async def wait(self) -> Exit:
        """Return once it has ended and its output has been read."""
        await self._gone.wait()
        code = self._process.returncode
        if code is None:
            code = UNKNOWN
        message = self._words.text() if code and self._words is not None else ""
        return Exit(code if code >= 0 else 128 - code, self._container, message=message)

    async def stop(self, grace: float) -> None:
        """SIGTERM to the group, up to *grace* seconds, SIGKILL.

        The seconds are real ones whatever the Clock says: the program lives in real time.
        """
        if not self._gone.is_set():
            self._signal(signal.SIGTERM)
            # One that is frozen gets the signal before it when it goes on.
            self._signal(signal.SIGCONT)
            with anyio.move_on_after(grace):
                await self._gone.wait()
            if not self._gone.is_set():
                self._signal(signal.SIGKILL)
                await self._gone.wait()
        await _vanished(self._group)

    async def park(self, grace: float) -> None:
        """The same: its files stay until they are discarded in any case."""
        await self.stop(grace)

    async def freeze(self) -> bool:
        """SIGSTOP to the group; whoever joins the group later has been forked by a stopped one.

        Those who have left the group go on.
        """
        self._signal(signal.SIGSTOP)
        return not self._gone.is_set() and self._process.returncode is None

    async def thaw(self) -> None:
        """SIGCONT to the group."""
        self._signal(signal.SIGCONT)

    async def exec(self, container: str, command: Sequence[str], seconds: float) -> ExecResult:
        """Run *command* in the program's folder and environment, and in its group."""
        if self._gone.is_set():
            return ExecResult(1, "the program has ended")
        return await run(command, self._folder, self._env, seconds)

    async def usage(self) -> Usage | None:
        """Of all processes of the group."""
        if self._gone.is_set():
            return None
        # Who is wanted while it is being measured must not wait for that.
        return await anyio.to_thread.run_sync(used, self._group, abandon_on_cancel=True)

    async def listening(self) -> tuple[Address, ...] | None:
        """Where processes of the group listen."""
        return await anyio.to_thread.run_sync(listening, self._group)

    def watch(self, log: Log) -> None:
        """Begin to read the output and to wait for the end."""
        loop = asyncio.get_running_loop()
        self._process.watch(self.kill, lambda: self._reaped(loop))
        self._begin_to_read(loop, self._process.stdout, _Lines("stdout", log))
        self._begin_to_read(loop, self._process.stderr, _Lines("stderr", log))

    def kill(self) -> None:
        """SIGKILL to the group, without waiting."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        if not self._over:
            with suppress(ProcessLookupError, PermissionError):  # macOS refuses for zombies.
                os.killpg(self._group, number)

    def _reaped(self, loop: asyncio.AbstractEventLoop) -> None:
        self._over = True
        self._ended(self._group)
        if not self._pipes:
            self._gone.set()
        else:
            loop.call_later(OUTPUT_GRACE, self._let_go, loop)

    def _let_go(self, loop: asyncio.AbstractEventLoop) -> None:
        """Whoever still holds its pipes has left its group: nobody listens to that any more."""
        for pipe in tuple(self._pipes):
            self._read(loop, pipe)  # What the program itself wrote last.
            if pipe in self._pipes:
                self._close(loop, pipe)

    def _begin_to_read(
        self, loop: asyncio.AbstractEventLoop, pipe: IO[bytes] | None, lines: "_Lines"
    ) -> None:
        # Not connect_read_pipe: uvloop closes what it is given, and then has the file close the
        # same number again, which may be another thread's file by then.
        if pipe is not None:
            os.set_blocking(pipe.fileno(), False)
            self._pipes[pipe] = lines
            loop.add_reader(pipe.fileno(), self._read, loop, pipe)

    def _read(self, loop: asyncio.AbstractEventLoop, pipe: IO[bytes]) -> None:
        data: bytes | None = pipe.read(READ)
        if data:
            self._pipes[pipe].add(data)
        elif data is not None:
            self._close(loop, pipe)

    def _close(self, loop: asyncio.AbstractEventLoop, pipe: IO[bytes]) -> None:
        loop.remove_reader(pipe.fileno())
        pipe.close()
        self._pipes.pop(pipe).end()
        if not self._pipes and self._over:
            self._gone.set()


class _Lines:
    """Cuts a stream of bytes into lines."""

    def __init__(self, stream: Literal["stdout", "stderr"], log: Log) -> None:
        self._stream = stream
        self._log = log
        self._rest = b""

    def add(self, data: bytes) -> None:
        """More of the stream."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._give(line)
        while len(self._rest) >= LINE_LIMIT:
            self._give(self._rest[:LINE_LIMIT])
            self._rest = self._rest[LINE_LIMIT:]

    def end(self) -> None:
        """The stream is over."""
        if self._rest:
            self._give(self._rest)

    def _give(self, line: bytes) -> None:
        line = line.removesuffix(b"\r")
        for at in range(0, max(len(line), 1), LINE_LIMIT):
            self._log(self._stream, line[at : at + LINE_LIMIT].decode("utf-8", "replace"))


async def _vanished(group: int) -> None:
    """Return when no process of *group* runs."""
    clock = SystemClock()
    deadline = clock.now() + GONE_GRACE
    while not gone(group) and clock.now() < deadline:
        await clock.sleep_until(clock.now() + GONE_RETRY)
