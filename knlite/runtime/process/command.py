"""A command beside a running program, as an exec probe asks for.

Differs: in a cluster it runs inside the container; here it runs on the machine, in the program's
folder and with its environment.
"""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import anyio
import anyio.abc

from knlite.runtime.port import ExecResult

OUTPUT_LIMIT = 10 * 1024
"""Bytes of output that are kept, as the kubelet keeps of a probe's."""
NOT_FOUND = 127
"""What a shell answers for a command that it cannot find."""


async def run(
    command: Sequence[str], folder: Path, env: Mapping[str, str], seconds: float
) -> ExecResult:
    """The outcome of *command*; whatever it started is killed when the *seconds* are over."""
    if not command:
        return ExecResult(NOT_FOUND, "no command specified")
    try:
        process = await anyio.open_process(
            list(command),
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        return ExecResult(NOT_FOUND, str(error))
    output = bytearray()
    try:
        with anyio.move_on_after(seconds) as limit:
            await _read(process, output)
            await process.wait()
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        with anyio.CancelScope(shield=True):
            await process.aclose()
    text = output[:OUTPUT_LIMIT].decode(errors="replace")
    if limit.cancelled_caught or process.returncode is None:
        return ExecResult(None, text)
    code = process.returncode
    return ExecResult(code if code >= 0 else 128 - code, text)


async def _read(process: anyio.abc.Process, output: bytearray) -> None:
    if process.stdout is None:
        return
    async for part in process.stdout:
        if len(output) < OUTPUT_LIMIT:
            output += part
