"""Creating and starting one container. Blocks.

The path of a start is create, attach, start, inspect: one more call than the engine itself needs,
made before the program runs so that none of its lines is lost.
"""

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from knlite.errors import InstanceFailed
from knlite.runtime.docker import problems
from knlite.runtime.docker.command import take_connection
from knlite.runtime.docker.container import Settings
from knlite.runtime.docker.remove import remove_container

if TYPE_CHECKING:
    from docker import APIClient


@dataclass(frozen=True, slots=True)
class Started:
    """A container that runs, and its output, attached."""

    container: str
    inspected: Mapping[str, Any]
    output: socket.socket


def start_container(client: "APIClient", image: str, settings: Settings) -> Started:
    """Start what *settings* describe; *image* is its name for people. Raises ``InstanceFailed``."""
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    name = settings.container["name"]
    try:
        host = client.create_host_config(**settings.host)
        container = str(client.create_container(host_config=host, **settings.container)["Id"])
    except (DockerException, RequestException, ValueError) as error:
        cause = problems.engine_says(error)
        raise problems.create_failed(name, image, cause) from error
    return _started(client, container, name, image)


def start_again(client: "APIClient", container: str) -> Started | None:
    """Start *container*, which has ended and was kept; None, and it is gone, if that fails."""
    try:
        return _started(client, container, container, "")
    except InstanceFailed:
        return None


def _started(client: "APIClient", container: str, name: str, image: str) -> Started:
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    output = None
    try:
        output = _attach(client, container)
        client.start(container)
        return Started(container, client.inspect_container(container), output)
    except Exception as error:
        if output is not None:
            output.close()
        remove_container(client, container)
        if not isinstance(error, DockerException | RequestException):
            raise
        cause = problems.engine_says(error)
        raise problems.start_failed(name, image, cause) from error


def _attach(client: "APIClient", container: str) -> socket.socket:
    stream = client.attach_socket(container, params={"stdout": 1, "stderr": 1, "stream": 1})
    output = take_connection(stream)
    output.setblocking(False)
    return output
