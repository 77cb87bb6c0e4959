"""Evaluates JSONata expressions in a process of their own.

Expressions are a program that somebody else has written: one that does not come to an end, or
fills the memory, must cost nobody else anything. So each transform has a process, which is started
by its first event, ends when there have been none for a while, and is replaced when it has ended
itself. What it is given is worked on one after the other.

Source: ``docs/adr/0029``. Not here: the program in the process (``jsonata_worker.py``).
"""

import re
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from subprocess import DEVNULL, PIPE

import anyio
import msgspec
from anyio import open_process
from anyio.abc import ByteReceiveStream, Process

IDLE = 60.0
"""Seconds after which a process without work ends."""
PROGRAM = "knlite.dataplane.jsonata_worker"

_MEDIA_TYPE = re.compile(r"[!-~]+/[!-~][ -~]*")
"""What a header can hold, and looks like one."""
_GONE = (anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream, OSError)


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A result as JSON text, and how it is to be sent."""

    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Failed:
    """Why there is no result."""

    why: str


class _Job:
    """A document that is to be transformed, and what has become of it."""

    def __init__(self, expression: int, document: bytes) -> None:
        self.frame = bytes((expression,)) + document
        self.over = anyio.Event()
        self.outcome: Evaluated | Failed = Failed("the transform has been changed or deleted")


class Evaluator:
    """The expressions of one transform."""

    def __init__(self, expressions: Sequence[str]) -> None:
        self._expressions = msgspec.json.encode(expressions)
        self._give, self._jobs = anyio.create_memory_object_stream[_Job](0)
        self._scope = anyio.CancelScope()

    async def evaluate(self, expression: int, document: bytes) -> Evaluated | Failed:
        """Apply the expression of that number to the JSON text *document*, in its turn."""
        job = _Job(expression, document)
        try:
            await self._give.send(job)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            return job.outcome
        await job.over.wait()
        return job.outcome

    def end(self) -> None:
        """Whoever waits still is told that there is no result; ``run`` returns."""
        self._scope.cancel()

    async def run(self) -> None:
        """Evaluate until cancelled or ended."""
        with self._scope, self._jobs, self._give:
            while True:
                job = await self._jobs.receive()
                try:
                    await self._evaluate_from(job)
                except OSError as exc:
                    job.outcome = Failed(f"no process can be started: {exc}")
                finally:
                    # Also of one that is ended before there is a process.
                    job.over.set()

    async def _evaluate_from(self, job: _Job | None) -> None:
        """Start a process, and work until it ends or nothing has come for a while."""
        command = [sys.executable, "-P", "-m", PROGRAM]
        with anyio.CancelScope(shield=True):
            # Cancelled halfway, it would leave a process that is nobody's.
            process = await open_process(command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL)
        unsaid = self._expressions
        try:
            while job is not None:
                try:
                    job.outcome = await _evaluated(process, unsaid, job.frame)
                finally:
                    job.over.set()
                unsaid = b""
                job = await self._next() if _runs(process) else None
        finally:
            with anyio.CancelScope(shield=True):
                if _runs(process):
                    process.kill()
                await process.aclose()

    async def _next(self) -> _Job | None:
        with anyio.move_on_after(IDLE):
            return await self._jobs.receive()
        return None


async def _evaluated(process: Process, expressions: bytes, frame: bytes) -> Evaluated | Failed:
    """What *process* answers to *frame*; it is told the *expressions* before, if there are any."""
    assert process.stdout is not None
    try:
        if expressions:
            await _write(process, expressions)
        await _write(process, frame)
        answer = await _read(process.stdout)
    except _GONE:
        return Failed(await _end_of(process))
    line, _, body = answer.partition(b"\n")
    said = line[1:].decode(errors="replace")
    if not line.startswith(b"+"):
        return Failed(said)
    if _MEDIA_TYPE.fullmatch(said) is None:
        return Failed(f"the result's contenttype is no media type: {said[:60]!r}")
    return Evaluated(said, body)


async def _end_of(process: Process) -> str:
    """Why *process* has gone, which it has by closing its end."""
    with anyio.CancelScope(shield=True):
        # What closes its end and lives on is none of ours.
        with anyio.move_on_after(1):
            await process.wait()
        if _runs(process):
            process.kill()
        code = await process.wait()
    if code == -signal.SIGPROF:
        return "the expression was stopped: it took more than 2 s of processor time"
    return f"the process of the expression has ended by itself ({code})"


def _runs(process: Process) -> bool:
    return process.returncode is None


async def _write(process: Process, frame: bytes) -> None:
    assert process.stdin is not None
    await process.stdin.send(len(frame).to_bytes(4, "big") + frame)


async def _read(stream: ByteReceiveStream) -> bytes:
    found = bytearray()
    wanted = 4
    while len(found) < wanted:
        found += await stream.receive()
        if wanted == 4 and len(found) >= 4:
            wanted += int.from_bytes(found[:4], "big")
    return bytes(found[4:])
