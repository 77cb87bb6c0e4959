"""A command in a running container. Blocks, but not longer than it is told to.

Differs: a command that is given up goes on in its container; engines cannot end it.
"""

import socket
import threading
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
_RETRY_SECONDS = 0.02


def run_command(
    client: "APIClient", container: str, command: Sequence[str], seconds: float
) -> ExecResult:
    """The outcome of *command*, for which it waits at most that many *seconds*."""
    from docker.errors import APIError
    from requests.exceptions import RequestException

    deadline = _now() + seconds
    try:
        made = client.exec_create(container, list(command))["Id"]
        output = take_connection(client.exec_start(made, socket=True))
        with output:
            text = _read(output, deadline)
        code = None if text is None else _exit_code(client, made, deadline)
    except (APIError, RequestException, OSError) as error:
        return ExecResult(FAILED, problems.engine_says(error))
    return ExecResult(code, text or "")


def take_connection(stream: object) -> socket.socket:
    """The connection below what the SDK gives for a hijacked one.

    Taking the descriptor out of the SDK's reader leaves the SDK nothing to close, now or when the
    garbage is collected.
    """
    connection: socket.socket = stream._sock  # type: ignore[attr-defined]
    return socket.socket(fileno=connection.detach())


def _exit_code(client: "APIClient", command: str, deadline: float) -> int | None:
    """How *command* ended whose output has; None if it goes on.

    The API allows that the code is noted only after that, as when a program closes its output and
    lives on.
    """
    while True:
        code = client.exec_inspect(command)["ExitCode"]
        if code is not None:
            return int(code)
        if _now() + _RETRY_SECONDS > deadline:
            return None
        threading.Event().wait(_RETRY_SECONDS)


def _now() -> float:
    return time.monotonic()  # noqa: TID251  guards sockets of a worker thread


def _read(output: socket.socket, deadline: float) -> str | None:
    """Both streams of *output* until its end; None if that does not come in time."""
    frames = bytearray()
    kept = bytearray()
    while True:
        rest = deadline - _now()
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
