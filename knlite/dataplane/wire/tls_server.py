"""Connections that begin with a handshake of TLS, and then are like any other.

A handshake has the time that a head has, and counts as a connection from its first byte; one that
fails ends in silence, since whoever scans ports makes thousands of them.

Source: RFC 8446; RFC 9113 §9.2 (HTTP/2 over TLS); RFC 9112 §9.8.
Not here: what is proved to whom (the context's), HTTP (``listener.py``).
"""

import asyncio
import socket
import ssl
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

import anyio
from anyio.abc import TaskGroup, TaskStatus

from knlite.dataplane.wire.exchange import Handler
from knlite.dataplane.wire.limits import Limits
from knlite.dataplane.wire.listener import Server

BREATH = 1.0
"""Seconds without accepting anybody after the system had no room for one more connection."""
SHUTDOWN_SECONDS = 2.0
"""For the goodbye of TLS, which most clients do not answer."""


async def serve_tls(
    handler: Handler,
    listening: Sequence[socket.socket],
    context: Callable[[], ssl.SSLContext],
    limits: Limits,
    grace: float,
    *,
    task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED,
) -> None:
    """Answer on *listening*, which it closes, until cancelled; then for *grace* seconds more.

    Each handshake asks for the *context* anew.
    """
    server = Server(handler, limits)
    try:
        with _unheard():
            async with anyio.create_task_group() as group:
                door = _Door(server, context, group)
                for each in listening:
                    group.start_soon(door.accept, each)
                task_status.started()
    finally:
        for each in listening:
            each.close()
        with anyio.CancelScope(shield=True):
            await server.aclose(grace)


@contextmanager
def _unheard() -> Iterator[None]:
    """Do not let Python print a trace for each client that asks for a name which is not ASCII.

    It decodes the name before it asks which certificate to present, and cannot raise there; the
    handshake fails all the same.
    """
    before = sys.unraisablehook

    def hook(unraisable: "sys.UnraisableHookArgs") -> None:
        name_of_client = isinstance(unraisable.object, bytes)
        if not (name_of_client and isinstance(unraisable.exc_value, UnicodeDecodeError)):
            before(unraisable)

    sys.unraisablehook = hook
    try:
        yield
    finally:
        if sys.unraisablehook is hook:
            sys.unraisablehook = before


class _Door:
    """Accepts connections for *server*."""

    def __init__(
        self, server: Server, context: Callable[[], ssl.SSLContext], group: TaskGroup
    ) -> None:
        self._server = server
        self._context = context
        self._group = group
        self._handshakes = 0

    async def accept(self, listening: socket.socket) -> None:
        """Let in whoever comes to *listening*."""
        server = self._server
        while True:
            try:
                came, _ = await server.loop.sock_accept(listening)
            except ConnectionAbortedError:
                continue
            except OSError:
                # Most likely there are too many open files: others must end first.
                with suppress(TimeoutError):
                    async with asyncio.timeout(BREATH):
                        await anyio.sleep_forever()
                continue
            if len(server.open) + self._handshakes >= server.limits.connections:
                came.close()
            else:
                self._handshakes += 1
                self._group.start_soon(self._shake_hands, came)

    async def _shake_hands(self, came: socket.socket) -> None:
        server = self._server
        spare = came
        try:
            # The loop's transport forgets to say why it refuses somebody, and closes its socket.
            spare = came.dup()
            # As for connections without TLS, which the loop accepts: small answers must not wait.
            came.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await server.loop.connect_accepted_socket(
                server.connected,
                came,
                ssl=self._context(),
                ssl_handshake_timeout=server.limits.head_seconds,
                ssl_shutdown_timeout=SHUTDOWN_SECONDS,
            )
        except OSError as exc:
            # Among them all that TLS has to complain of, and that it took too long.
            came.close()
            with suppress(OSError):
                spare.send(_LAST_WORDS.get(getattr(exc, "reason", ""), b""))
        finally:
            spare.close()
            self._handshakes -= 1


def _alert(description: ssl.AlertDescription) -> bytes:
    """A fatal alert, as it is said before anything is encrypted (RFC 8446 §5.1, §6)."""
    return bytes((21, 3, 3, 0, 2, 2, description))


_LAST_WORDS = {
    # What is proved to whom says that it does not know the name.
    "CALLBACK_FAILED": _alert(ssl.AlertDescription.ALERT_DESCRIPTION_UNRECOGNIZED_NAME),
    "UNSUPPORTED_PROTOCOL": _alert(ssl.AlertDescription.ALERT_DESCRIPTION_PROTOCOL_VERSION),
    "NO_SHARED_CIPHER": _alert(ssl.AlertDescription.ALERT_DESCRIPTION_HANDSHAKE_FAILURE),
    "HTTP_REQUEST": (
        b"HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"
        b"Connection: close\r\n\r\nthis port speaks https only\n"
    ),
}
"""By the library's word for what was wrong."""
