"""A command in a running container. Blocks, but not longer than it is told to.

Differs: a command that is given up goes on in its container; engines cannot end it.
"""

import socket
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from knlite.runtime.docker import problems
from knlite.runtime.port import ExecResult

if TYPE_CHECKING:
    from docker import APIClient

OUTPUT_LIMIT = 10 * 1024
"""Bytes of output that are kept, as the kubelet keeps of a probe's."""
FAILED = 126
"""What a shell answers for a command that it cannot run."""
_HEAD = 8
_AT_ONCE = 65536


def run_command(
    client: "APIClient", container: str, command: Sequence[str], seconds: float
) -> ExecResult:
    """The outcome of *command*, for which it waits at most that many *seconds*."""
    from docker.errors import APIError
    from requests.exceptions import RequestException

    try:
        made = client.exec_create(container, list(command))["Id"]
        output = take_connection(client.exec_start(made, socket=True))
        with output:
            text = _read(output, seconds)
        if text is None:
            return ExecResult(None, "")
        code = client.exec_inspect(made)["ExitCode"]
    except (APIError, RequestException, OSError) as error:
        return ExecResult(FAILED, problems.engine_says(error))
    return ExecResult(int(code), text)


def take_connection(stream: object) -> socket.socket:
    """The connection below what the SDK gives for a hijacked one.

    Taking the descriptor out of the SDK's reader leaves the SDK nothing to close, now or when the
    garbage is collected.
    """
    connection: socket.socket = stream._sock  # type: ignore[attr-defined]
    return socket.socket(fileno=connection.detach())


def _read(output: socket.socket, seconds: float) -> str | None:
    """Both streams of *output* until its end; None if that does not come in time."""
    deadline = time.monotonic() + seconds  # noqa: TID251  guards a socket of a worker thread
    frames = bytearray()
    kept = bytearray()
    while True:
        rest = deadline - time.monotonic()  # noqa: TID251
        if rest <= 0:
            return None
        output.settimeout(rest)
        try:
            data = output.recv(_AT_ONCE)
        except TimeoutError:
            return None
        if not data:
            return kept[:OUTPUT_LIMIT].decode(errors="replace")
        frames += data
        while len(frames) >= _HEAD:
            end = _HEAD + int.from_bytes(frames[4:_HEAD], "big")
            if len(frames) < end:
                break
            if len(kept) < OUTPUT_LIMIT:
                kept += frames[_HEAD:end]
            del frames[:end]
