"""Where ``func run`` listens: as ``--address`` says, else 8080 of loopback, else a free port there.

Source: Knative Functions reference §4.5.
"""

import re
import socket

from knlite.errors import Conflict, InvalidInput

HOST, PORT = "127.0.0.1", 8080
_ADDRESS = re.compile(r"(?:\[([0-9a-fA-F:.]+)\]|([^:\[\]]*)):(\d{1,5})")


def place(address: str) -> tuple[str, int]:
    """Host and port for ``--address``. Raises ``InvalidInput``, and ``Conflict`` if it is taken."""
    if not address:
        port = PORT if _is_free(HOST, PORT) else free_port(HOST)
        return HOST, port
    match = _ADDRESS.fullmatch(address)
    if match is None or not 0 < int(match[3]) < 65536:
        raise InvalidInput(
            f'--address "{address}" cannot be read',
            fix="write HOST:PORT, for example 127.0.0.1:8081 or [::]:8081",
        )
    host = match[1] or match[2]
    if not host:
        raise InvalidInput(
            f'--address "{address}" has no host', fix=f"write for example {HOST}:{match[3]}"
        )
    # Where Go listens on "::" it takes IPv4 as well, which is what most clients come by.
    host, port = "0.0.0.0" if host == "::" else host, int(match[3])
    if not _is_free(host, port):
        raise Conflict(
            f"cannot listen on {address}",
            cause="another program does, or this machine has no such address, or root is needed",
            fix="end that program, or choose another port with --address",
        )
    return host, port


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
