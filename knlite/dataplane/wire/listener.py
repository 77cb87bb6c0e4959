"""Sockets that listen, and their connections, whatever version of HTTP the client speaks.

HTTP/2 is spoken with prior knowledge: such a client begins with a preface that no request of
HTTP/1.1 can be (RFC 9113 §3.3, §3.4), so the first bytes tell. That is so over TLS as well, where
both have agreed on it before (``tls_server.py``).
"""

import asyncio
import socket
from collections.abc import Sequence, Set
from typing import NamedTuple, Protocol, cast

from knlite.dataplane.wire.exchange import Handler
from knlite.dataplane.wire.http1_server import Http1Connection, Meaning
from knlite.dataplane.wire.http2_frames import PREFACE
from knlite.dataplane.wire.http2_server import Http2Connection
from knlite.dataplane.wire.limits import Limits
from knlite.dataplane.wire.repetition import Repetitions
from knlite.serving.instance import Address

BACKLOG = 1024


class Entrance(NamedTuple):
    """Connections that arrive at one of *addresses* of this machine are answered by *handler*."""

    handler: Handler
    addresses: Set[Address]


async def serve(
    handler: Handler,
    listeners: Sequence[Address | socket.socket],
    limits: Limits | None = None,
    entrance: Entrance | None = None,
) -> "Server":
    """Listen on *listeners*; a port of 0 takes any free one (see ``Server.addresses``).

    Connections that do not come by *entrance* are answered by *handler*. If one of the listeners
    cannot be bound, none is, and OSError is raised.
    """
    server = Server(handler, limits or Limits(), entrance)
    try:
        for listener in listeners:
            await server.listen(listener)
    except OSError:
        await server.aclose(0)
        raise
    return server


class Connection(Protocol):
    """What a server needs of a connection."""

    def shut(self) -> None:
        """Close once the current answers are complete, now if there are none."""
        ...

    def abort(self) -> None:
        """Cut the connection without sending what waits."""
        ...


class Server:
    """Listening sockets and their connections."""

    def __init__(self, handler: Handler, limits: Limits, entrance: Entrance | None = None) -> None:
        self.loop = asyncio.get_running_loop()
        self._handler = handler
        self._entrance = entrance
        self.limits = limits
        self.open: set[Connection] = set()
        """All connections; each adds itself and tells ``left`` when it is lost."""
        self.repetitions: Repetitions[Meaning] = Repetitions()
        self._listening: list[asyncio.Server] = []
        self._closing = False
        self._emptied = asyncio.Event()
        self._addresses: list[Address] = []

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Where it listens, with the real ports, in the order of the listeners."""
        return tuple(self._addresses)

    async def listen(self, listener: Address | socket.socket) -> None:
        """Accept connections from *listener* as well."""
        if isinstance(listener, Address):
            server = await self.loop.create_server(
                self.connected, listener.host, listener.port, backlog=BACKLOG
            )
        else:
            server = await self.loop.create_server(self.connected, sock=listener, backlog=BACKLOG)
        self._listening.append(server)
        self._addresses += [Address(*bound.getsockname()[:2]) for bound in server.sockets]

    def handler_of(self, transport: asyncio.Transport) -> Handler:
        """Who answers what comes by *transport*."""
        entrance = self._entrance
        if entrance is not None:
            here = transport.get_extra_info("sockname")
            if isinstance(here, tuple) and Address(here[0], here[1]) in entrance.addresses:
                return entrance.handler
        return self._handler

    def close(self) -> None:
        """Stop listening and close idle connections; what runs goes on."""
        self._closing = True
        for server in self._listening:
            server.close()
        for connection in tuple(self.open):
            connection.shut()

    async def aclose(self, grace: float) -> None:
        """Close, give running exchanges up to *grace* seconds, then cut them."""
        self.close()
        try:
            if self.open:
                async with asyncio.timeout(grace):
                    await self._emptied.wait()
        except TimeoutError:
            pass
        finally:
            for connection in tuple(self.open):
                connection.abort()
        while self.open:
            self._emptied.clear()
            await self._emptied.wait()

    def connected(self) -> asyncio.Protocol:
        """What answers a connection that is there, whoever has accepted it."""
        return _Fresh(self)

    def left(self, connection: Connection) -> None:
        """*connection* is lost."""
        self.open.discard(connection)
        if self._closing and not self.open:
            self._emptied.set()


class _Fresh(asyncio.Protocol):
    """A connection whose client has not shown yet which version of HTTP it speaks."""

    def __init__(self, server: "Server") -> None:
        self._server = server
        self._came = b""
        self._transport: asyncio.Transport
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the methods but not the type.
        self._transport = cast("asyncio.Transport", transport)
        server = self._server
        if len(server.open) >= server.limits.connections:
            self._transport.abort()
            return
        server.open.add(self)
        self._timer = server.loop.call_later(server.limits.head_seconds, self._transport.close)

    def data_received(self, data: bytes) -> None:
        came = self._came + data if self._came else data
        if PREFACE.startswith(came) and len(came) < len(PREFACE):
            self._came = came
            return
        self._forget()
        server = self._server
        connection: Http1Connection | Http2Connection
        handler = server.handler_of(self._transport)
        if came.startswith(PREFACE):
            connection = Http2Connection(
                server.loop, handler, server.limits, server.open, server.left
            )
        else:
            connection = Http1Connection(
                server.loop,
                handler,
                server.limits,
                server.open,
                server.left,
                server.repetitions,
            )
        self._transport.set_protocol(connection)
        connection.connection_made(self._transport)
        connection.data_received(came)

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        self._server.left(self)

    def shut(self) -> None:
        """Close: no request has begun."""
        self._transport.close()

    def abort(self) -> None:
        """Cut the connection."""
        self._transport.abort()

    def _forget(self) -> None:
        self._server.open.discard(self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
