"""Programs of the machine that build functions: where they are, and running them.

Not here: what is built with them (``node.py``, ``golang.py``).
"""

import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import anyio
from anyio.abc import ByteReceiveStream, Process

from knlite.errors import InstanceFailed

PRINTED = 64 * 1024
"""Bytes that are kept of what a program printed, at its end."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A program that functions are built with."""

    name: str
    language: str
    fix: str
    """How to get it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a program that has ended left behind."""

    code: int
    printed: str
    """The end of its output and errors."""


def find(tool: Tool, function: str, environ: Mapping[str, str]) -> str:
    """Where *tool* is. Raises ``InstanceFailed``, which names the *function* that needs it."""
    found = shutil.which(tool.name, path=environ.get("PATH", ""))
    if found is None:
        raise InstanceFailed(
            "ToolMissing",
            f"function {function} is written in {tool.language}, and {tool.name} is not installed",
            cause=f"there is no {tool.name} on the PATH",
            fix=f"{tool.fix}, or write a Dockerfile and run it with a container engine",
        )
    return found


async def run(words: Sequence[str], folder: Path, environ: Mapping[str, str]) -> Outcome:
    """Run *words* in *folder*; nothing of what they started is left when it returns."""
    printed = bytearray()
    async with started(words, folder, environ, stderr=subprocess.STDOUT) as process:
        await _read(process.stdout, printed)
        code = await process.wait()
    return Outcome(code, printed.decode("utf-8", "replace"))


@asynccontextmanager
async def started(
    words: Sequence[str],
    folder: Path,
    environ: Mapping[str, str],
    *,
    stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.PIPE,
    stderr: int = subprocess.PIPE,
) -> AsyncIterator[Process]:
    """*words*, started in *folder* in a group of their own, which is killed at the end.

    What installs runs what others wrote (a package's build), and that may start anything.
    """
    process = await anyio.open_process(
        list(words),
        cwd=folder,
        env=environ,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        with anyio.CancelScope(shield=True):
            await process.aclose()


async def _read(stream: ByteReceiveStream | None, printed: bytearray) -> None:
    if stream is None:
        return
    async for part in stream:
        printed += part
        if len(printed) > 2 * PRINTED:
            del printed[:-PRINTED]
