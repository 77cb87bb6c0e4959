"""One process that has loaded what a function imports, and the programs forked from it.

Never waits long: whoever wants a fork gets a reason instead when none comes in time, and what
comes later ends by itself, since nobody lets it begin. The forked process is the zygote's child;
the zygote keeps its number taken until it is told that its group has been killed. Should the zygote
be killed, its instances live on, and only their exit codes get lost.

Not here: which zygotes there are (``zygotes.py``); the process itself
(``functions/runners/zygote.py``, which describes the messages).
"""

import asyncio
import itertools
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, Literal

import anyio

from knlite.functions.plan import Warm
from knlite.runtime.process.started import Spawned

PROGRAM = Path("zygote.py")
"""Beside the runners, so that both find the same modules beside them."""
FORK_PATIENCE = 0.15
"""Seconds until a start goes on without the zygote; some thirty times what a fork takes."""
REAP_PATIENCE = 1.0
"""Seconds until an exit code is given up."""
MESSAGE_LIMIT = 64 * 1024
"""Bytes that the socket's buffer surely holds."""
READ = 64 * 1024

LOADING = "its parent process is still loading"
ENDED = "its parent process has ended"

State = Literal["loading", "ready", "unfit", "ended"]


class Zygote:
    """A running one; *changed* is called when it begins to load more, when it has loaded, and when
    it ends."""

    def __init__(
        self,
        warm: Warm,
        env: Mapping[str, str],
        changed: Callable[["Zygote"], None],
        *,
        user: int | None = None,
        group: int | None = None,
    ) -> None:
        self.state: State = "loading"
        self.why = LOADING
        """Why there is no fork, unless it is ready."""
        self.instances = 0
        """How many of its forks have not been reaped."""
        self.loads = 1
        """How often it has begun to load."""
        self.stale = False
        """Whether it has ended because what it had loaded has changed."""
        self.reads: Mapping[str, str] = {}
        """Variables that were read while modules were loaded, and by which module."""
        self.gone = anyio.Event()
        """Set when its process is no more."""
        self._changed = changed
        self._turn = anyio.Lock()
        self._numbers = itertools.count()
        self._asked: dict[str, asyncio.Future[tuple[str, str]]] = {}
        self._late: set[str] = set()
        self._reaping: dict[int, tuple[Callable[[int | None], None], asyncio.TimerHandle]] = {}
        self._buffer = b""
        self._loop = asyncio.get_running_loop()
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            try:
                self._process = Spawned(_begin(warm, theirs.fileno(), env, user, group))
            except OSError:
                self._socket.close()
                raise
        self._socket.setblocking(False)
        self._loop.add_reader(self._socket, self._read)
        self._process.watch(lambda: None, self._ended)

    @property
    def pid(self) -> int:
        """Its process number, and its group's."""
        return self._process.pid

    async def fork(
        self,
        arguments: Sequence[str],
        folder: Path,
        env: Mapping[str, str],
        adopt: Callable[[int], None],
    ) -> "Forked | str":
        """A program that calls the runner's ``main`` with *arguments*; or why there is none.

        *adopt* is told its number before it begins.
        """
        # One at a time, as it forks them: so the socket has room, and who waits is the one whose
        # turn it is.
        async with self._turn:
            return await self._fork(arguments, folder, env, adopt)

    async def _fork(
        self,
        arguments: Sequence[str],
        folder: Path,
        env: Mapping[str, str],
        adopt: Callable[[int], None],
    ) -> "Forked | str":
        if self.state != "ready":
            return self.why
        if self._late:
            return "its parent process does not answer"
        number = str(next(self._numbers))
        message = _message(
            "fork", number, str(folder), str(len(arguments)), *arguments,
            *(f"{name}={value}" for name, value in env.items()),
        )  # fmt: skip
        if len(message) > MESSAGE_LIMIT:
            return "its environment is too large"
        with ExitStack() as stack:
            try:
                # What is the other side's is closed here in any case.
                with ExitStack() as given:
                    pipes = [_pipe(stack, given) for _ in range(2)]
                    begin, go = os.pipe()
                    given.callback(os.close, begin)
                    stack.callback(os.close, go)
                    descriptors = [*(there for _, there in pipes), begin]
                    sent = socket.send_fds(self._socket, [message], descriptors)
            except OSError as error:
                return f"its parent process cannot be told: {error.strerror}"
            stdout, stderr = (here for here, _ in pipes)
            if sent < len(message):
                self._lost()
                return "its parent process does not read"
            verb, rest = await self._answer(number)
            if verb != "forked":
                return rest
            try:
                forked = Forked(int(rest), stdout, stderr, self)
            except OSError as error:
                self._send("reap", rest)  # It ends, as nobody lets it begin.
                return f"it cannot be watched: {error.strerror}"
            adopt(forked.pid)
            self.instances += 1
            with suppress(BrokenPipeError):  # Has been killed; its watcher will tell.
                os.write(go, b"1")
            stack.pop_all()
            os.close(go)
            return forked

    async def _answer(self, number: str) -> tuple[str, str]:
        answer: asyncio.Future[tuple[str, str]] = self._loop.create_future()
        self._asked[number] = answer
        with anyio.move_on_after(FORK_PATIENCE):
            try:
                return await answer
            except BaseException:
                if not answer.cancelled() and answer.result()[0] == "forked":
                    self._send("reap", answer.result()[1])
                raise
            finally:
                del self._asked[number]
        self._late.add(number)
        return "refused", "its parent process does not answer"

    def reap(self, pid: int, done: Callable[[int | None], None]) -> None:
        """Free the number *pid*, which has ended; *done* gets its exit code, None if unknown."""
        self.instances -= 1
        if self.state == "ended":
            done(None)
            return
        self._reaping[pid] = done, self._loop.call_later(REAP_PATIENCE, self._reaped, pid, None)
        self._send("reap", str(pid))

    def kill(self) -> None:
        """SIGKILL to all of it, of which *changed* is not told; its instances live on."""
        self._over()
        self._signal()

    def _signal(self) -> None:
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)

    def _read(self) -> None:
        try:
            data = self._socket.recv(READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            # It has ended, or is of no use; ``_ended`` comes next.
            self._loop.remove_reader(self._socket)
            self._signal()
            return
        self._buffer += data
        while len(self._buffer) >= 4:
            end = 4 + int.from_bytes(self._buffer[:4], "big")
            if len(self._buffer) < end:
                break
            message, self._buffer = self._buffer[4:end], self._buffer[end:]
            self._take(*(os.fsdecode(field) for field in message.split(b"\0")))

    def _take(self, verb: str, *fields: str) -> None:
        match verb:
            case "ready":
                self.state, self.why = "ready", ""
                self.reads = dict(field.partition("=")[::2] for field in fields)
                self._changed(self)
            case "stale":
                self.stale = True
                self._lost()
            case "learning":
                self.state, self.why = "loading", LOADING
                self.loads += 1
                self._changed(self)
            case "unfit":
                self.state, self.why = "unfit", fields[0]
                self._changed(self)
            case "reaped":
                self._reaped(int(fields[0]), int(fields[1]) if fields[1] else None)
            case _:
                number, rest = fields
                asked = self._asked.get(number)
                if asked is not None and not asked.done():
                    asked.set_result((verb, rest))
                    return
                self._late.discard(number)
                if verb == "forked":
                    self._send("reap", rest)

    def _reaped(self, pid: int, code: int | None) -> None:
        if pid in self._reaping:
            done, patience = self._reaping.pop(pid)
            patience.cancel()
            done(code)

    def _send(self, *fields: str) -> None:
        with suppress(OSError):
            self._socket.send(_message(*fields))

    def _ended(self) -> None:
        """Its process has been reaped."""
        self.gone.set()
        if self.state == "loading":
            self.why = f"its parent process ended with code {self._process.returncode}"
        self._lost()

    def _lost(self) -> None:
        """It has ended, or is of no use any more."""
        if self.state != "ended":
            self.kill()
            self._changed(self)

    def _over(self) -> None:
        if self.state == "ended":
            return
        if self.state == "ready":
            self.why = ENDED
        self.state = "ended"
        self._loop.remove_reader(self._socket)
        self._socket.close()
        for asked in self._asked.values():
            if not asked.done():
                asked.set_result(("refused", self.why))
        for pid in tuple(self._reaping):
            self._reaped(pid, None)


class Forked:
    """A program that a zygote has forked; see ``Started``."""

    def __init__(self, pid: int, stdout: IO[bytes], stderr: IO[bytes], zygote: Zygote) -> None:
        self.pid = pid
        self.stdout: IO[bytes] | None = stdout
        self.stderr: IO[bytes] | None = stderr
        self.returncode: int | None = None
        self._zygote = zygote
        # While it is not reaped, the number is its own.
        self._descriptor = os.pidfd_open(pid)

    def watch(self, ended: Callable[[], None], reaped: Callable[[], None]) -> None:
        """See ``Started``."""
        loop = asyncio.get_running_loop()

        def done(code: int | None) -> None:
            self.returncode = code
            reaped()

        def over() -> None:
            loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            ended()
            self._zygote.reap(self.pid, done)

        loop.add_reader(self._descriptor, over)


def _begin(
    warm: Warm, descriptor: int, env: Mapping[str, str], user: int | None, group: int | None
) -> subprocess.Popen[bytes]:
    program = warm.runner.with_name(PROGRAM.name)
    return subprocess.Popen(
        [*warm.interpreter, str(program), str(descriptor), str(warm.runner), *warm.imports],
        cwd="/",
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        pass_fds=(descriptor,),
        user=user,
        group=group,
        extra_groups=None if user is None else (),
    )


def _pipe(stack: ExitStack, given: ExitStack) -> tuple[IO[bytes], int]:
    """A file to read from, closed with *stack*, and what leads to it, closed with *given*."""
    here, there = os.pipe()
    given.callback(os.close, there)
    file = open(here, "rb", buffering=0)  # noqa: SIM115
    stack.callback(file.close)
    return file, there


def _message(*fields: str) -> bytes:
    message = b"\0".join(map(os.fsencode, fields))
    return len(message).to_bytes(4, "big") + message
