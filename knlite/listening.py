"""Where a run listens: for people, for the programs it runs, for administrators.

Everything is on loopback, and on the engine's bridge for containers, unless somebody asks for more.
Who is inside the cluster is a matter of where one connects to (``docs/adr/0015``).

Not here: what is answered (``dataplane``, ``apiserver``).
"""

import os
import socket
from collections.abc import Callable, Collection
from contextlib import suppress

from knlite.errors import Conflict, InvalidInput
from knlite.serving.instance import Address
from knlite.settings import Settings, is_loopback

LOOPBACK = "127.0.0.1"
EVERYWHERE = frozenset(("0.0.0.0", "::"))
HTTP_PORT = 80
BACKLOG = 1024


class Listening:
    """The listening sockets of one run. *say* takes a sentence for people."""

    def __init__(self, settings: Settings, say: Callable[[str], None]) -> None:
        self._settings = settings
        self._say = say
        self._sockets: list[socket.socket] = []

    def close(self) -> None:
        """Close all of them."""
        for each in self._sockets:
            each.close()

    def admin(self) -> socket.socket:
        """For administrators. Raises ``InvalidInput`` or ``Conflict``."""
        settings = self._settings
        if not (settings.admin_token or is_loopback(settings.admin_address)):
            raise InvalidInput(
                f"the admin port must not be open to others at {settings.admin_address}",
                cause="whoever reaches it may do everything, and no token is set",
                fix="set Settings.admin_token, or leave the admin port on loopback",
            )
        return self._open(settings.admin_address, settings.admin_port, "--admin-port")

    def gateway(self) -> list[socket.socket]:
        """For people. Raises ``Conflict``."""
        settings = self._settings
        found = [self._open(settings.address, settings.port, "--port")]
        if settings.address == LOOPBACK:
            # Some clients try only the first address that *.localhost resolves to; where there is
            # no such address, or somebody has it, they try the other one.
            with suppress(Conflict):
                found.append(self._open("::1", settings.port, "--port"))
        return found

    def https(self) -> list[socket.socket]:
        """For people who come by HTTPS; whoever asks closes them. Raises ``Conflict``."""
        settings = self._settings
        found = [listening_socket(settings.address, settings.tls_port, "--tls-port")]
        if settings.address == LOOPBACK:
            with suppress(Conflict):
                found.append(listening_socket("::1", settings.tls_port, "--tls-port"))
        return found

    def inner(self) -> tuple[socket.socket, Address]:
        """For local processes and for events: on any free port of loopback."""
        found = self._open(LOOPBACK, 0, "--port")
        return found, Address(LOOPBACK, found.getsockname()[1])

    def towards_containers(self, bridges: Collection[str]) -> list[socket.socket]:
        """On the hosts by which containers reach this machine, where the gateway is not yet.

        Port 80 is for URLs as programs write them that know a cluster's names; whoever may not have
        it does without. Raises ``Conflict``.
        """
        port = self._settings.port
        hosts = [host for host in bridges if host != LOOPBACK]
        found: list[socket.socket] = []
        if self._settings.address not in EVERYWHERE:
            found += [self._open(host, port, "--port") for host in hosts]
        for host in hosts if port != HTTP_PORT else ():
            try:
                found.append(self._open(host, HTTP_PORT, "--port"))
            except Conflict as exc:
                self._say(
                    f"{exc.what} ({exc.cause}); containers reach services only with the port, as "
                    f"http://NAME.NAMESPACE.svc.cluster.local:{port}"
                )
        return found

    def inside(self, bridges: Collection[str]) -> frozenset[Address]:
        """Addresses, besides the inner one, at which those arrive who are inside the cluster."""
        ports = (self._settings.port, HTTP_PORT)
        return frozenset(Address(host, port) for host in bridges for port in ports)

    def _open(self, host: str, port: int, option: str) -> socket.socket:
        found = listening_socket(host, port, option)
        self._sockets.append(found)
        return found


def listening_socket(host: str, port: int, option: str) -> socket.socket:
    """A listening socket; *option* is what chooses another port. Raises ``Conflict``."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(BACKLOG)
        listening.setblocking(False)
    except OSError as exc:
        listening.close()
        raise Conflict(
            f"cannot listen on {host}:{port}",
            cause=os.strerror(exc.errno) if exc.errno else str(exc),
            fix=f"end the program that does, or choose another port with {option}",
        ) from exc
    return listening
