"""A command in a running container. Blocks."""

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


def run_command(client: "APIClient", container: str, command: Sequence[str]) -> ExecResult:
    """The outcome of *command*, which is not ended when nobody waits for it any more."""
    from docker.errors import APIError
    from requests.exceptions import RequestException

    try:
        made = client.exec_create(container, list(command))["Id"]
        output = b""
        for part in client.exec_start(made, stream=True):
            if len(output) < OUTPUT_LIMIT:
                output += part
        code = client.exec_inspect(made)["ExitCode"]
    except (APIError, RequestException) as error:
        return ExecResult(FAILED, problems.engine_says(error))
    return ExecResult(int(code), output[:OUTPUT_LIMIT].decode(errors="replace"))
