"""The server side of HTTP/1.1: bytes in, exchanges out, answers in order.

A connection parses what it has read at once, and begins one exchange at a time: pipelined requests
wait, and while any waits (or the client does not take its answers) nothing more is read. So memory
per connection is bounded by one read of the socket beside the limits of a head.

Reading goes on while an answer is made, because only a reader notices that the client has left. A
client that closes its sending side is taken to have left, as Go's server does.

Source: RFC 9112 §9 (connections), RFC 9110 §15. Limits: ``framing.py``.
Differs: methods that the parser does not know are answered with 501; Go hands on any token.
An ``Upgrade`` header is handed on like any other and nothing is switched.
Trailers of requests are dropped (RFC 9110 §6.5.1 permits it).
"""

import asyncio
import socket
from collections import deque
from collections.abc import Callable, Sequence
from typing import NoReturn, cast

import httptools

from knlite.dataplane.wire.deadline import Deadline
from knlite.dataplane.wire.framing import (
    HEAD_LIMIT,
    HEADER_COUNT_LIMIT,
    Refusal,
    answer_head,
    request_framing,
)
from knlite.dataplane.wire.http1_exchange import Exchange, reason_of
from knlite.dataplane.wire.outbox import Outbox
from knlite.serving.instance import Address

HEAD_SECONDS = 30.0
"""How long a client may take to send a request's head, from its first byte."""
IDLE_SECONDS = 120.0
"""How long a connection may wait for its next request."""
LINGER_SECONDS = 2.0
"""How long to read on after the last answer, so that a reset does not overtake it."""
DRAIN_LIMIT = 256 * 1024
"""Bytes of an unwanted body that are read to keep a connection, as Go's server does."""
BACKLOG = 1024

Handler = Callable[[Exchange], None]
"""Called when the head of a request is complete; must not block."""


async def serve(handler: Handler, listeners: Sequence[Address | socket.socket]) -> "Server":
    """Listen on *listeners*; a port of 0 takes any free one (see ``Server.addresses``).

    If one of them cannot be bound, none is, and OSError is raised.
    """
    server = Server(handler)
    try:
        for listener in listeners:
            await server.listen(listener)
    except OSError:
        await server.aclose(0)
        raise
    return server


class Server:
    """Listening sockets and their connections."""

    def __init__(self, handler: Handler) -> None:
        self._loop = asyncio.get_running_loop()
        self._handler = handler
        self._listening: list[asyncio.Server] = []
        self._connections: set[Connection] = set()
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
            server = await self._loop.create_server(
                self._connected, listener.host, listener.port, backlog=BACKLOG
            )
        else:
            server = await self._loop.create_server(self._connected, sock=listener, backlog=BACKLOG)
        self._listening.append(server)
        self._addresses += [Address(*bound.getsockname()[:2]) for bound in server.sockets]

    def close(self) -> None:
        """Stop listening and close idle connections; what runs goes on."""
        self._closing = True
        for server in self._listening:
            server.close()
        for connection in tuple(self._connections):
            connection.shut()

    async def aclose(self, grace: float) -> None:
        """Close, give running exchanges up to *grace* seconds, then cut them."""
        self.close()
        try:
            if self._connections:
                async with asyncio.timeout(grace):
                    await self._emptied.wait()
        except TimeoutError:
            pass
        finally:
            for connection in tuple(self._connections):
                connection.abort()
        while self._connections:
            self._emptied.clear()
            await self._emptied.wait()

    def _connected(self) -> "Connection":
        return Connection(self._loop, self._handler, self._connections, self._left)

    def _left(self, connection: "Connection") -> None:
        self._connections.discard(connection)
        if self._closing and not self._connections:
            self._emptied.set()


class _Stop(Exception):
    """Raised inside a parser callback to make the parser stop."""


class Connection(asyncio.Protocol):
    """One client's connection. The parser calls the ``on_…`` methods."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        handler: Handler,
        connections: "set[Connection]",
        left: "Callable[[Connection], None]",
    ) -> None:
        self._loop = loop
        self._handler = handler
        self._connections = connections
        self._left = left
        self._deadline = Deadline(loop, self._late)
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport
        self._outbox: Outbox
        self.client = Address("", 0)
        self.congested = False
        self._current: Exchange | None = None
        """Whose answer is being made."""
        self._incoming: Exchange | None = None
        """Whose body is being read: the current one, or the last that waits."""
        self._waiting: deque[Exchange | Refusal] = deque()
        self._advancing = False
        self._reading = True
        self._closing = False
        """Close after the current answer."""
        self._deaf = False
        """Whatever arrives is ignored."""
        self._unread = 0
        """Bytes of the body of an exchange whose answer is complete."""
        self._last = False
        """The client has asked to close after the last request it sent."""
        self._in_head = False
        self._priming = False
        self._head_partial = 0
        self._head_began = False
        """In the read that is being parsed."""
        self._head_size = 0
        self._target = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._refusal: Refusal | None = None

    # asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the methods but not the type.
        self._transport = cast("asyncio.Transport", transport)
        self._outbox = Outbox(self._loop, self._transport)
        peer = transport.get_extra_info("peername")
        if isinstance(peer, tuple):
            self.client = Address(peer[0], peer[1])
        self._connections.add(self)
        self._deadline.set(HEAD_SECONDS)

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        self._head_began = False
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as switch:
            self._ignore_upgrade(data[switch.args[0] :])
        except httptools.HttpParserError as exc:
            if not self._deaf:
                self._parsing_failed(exc)
        else:
            if self._in_head:
                # Only bytes of reads that lie wholly inside the head are counted here.
                self._head_partial = 0 if self._head_began else self._head_partial + len(data)
                if self._head_partial > HEAD_LIMIT:
                    self._refuse(_HEAD_TOO_LARGE)

    def eof_received(self) -> None:
        self._outbox.flush()
        self._leave("the client closed the connection")

    def connection_lost(self, exc: Exception | None) -> None:
        self._deadline.cancel()
        self._outbox.drop()
        self._leave(
            "the client closed the connection" if exc is None else str(exc) or type(exc).__name__
        )
        self._left(self)

    def pause_writing(self) -> None:
        self.congested = True
        if self._current is not None:
            self._current.congestion(True)

    def resume_writing(self) -> None:
        self.congested = False
        if self._current is not None:
            self._current.congestion(False)
        self._advance()

    # The server

    def shut(self) -> None:
        """Close once the current answer is complete, now if there is none."""
        self._closing = True
        if self._current is None:
            self._close()

    def abort(self) -> None:
        self._deaf = True
        self._outbox.drop()
        self._transport.abort()

    # The exchange

    def write(self, data: bytes) -> None:
        self._outbox.put(data)

    def adjust_reading(self) -> None:
        incoming = self._incoming
        reading = not self._waiting and (incoming is None or incoming.wants_reading)
        if reading is not self._reading and not self._transport.is_closing():
            self._reading = reading
            if reading:
                self._transport.resume_reading()
            else:
                self._transport.pause_reading()

    def finished(self, exchange: Exchange, keep: bool) -> None:
        self._outbox.flush()
        if not keep or self._closing:
            if exchange.body_complete or exchange.length == 0:
                self._close()
            else:
                self._linger()
        elif self._incoming is exchange:
            # The rest of the body decides, in on_body and on_message_complete, whether to go on.
            self._unread = 0
            self._deadline.set(HEAD_SECONDS)
            self.adjust_reading()
        else:
            self._done()

    # httptools

    def on_message_begin(self) -> None:
        if self._priming:
            return
        if self._deaf:
            raise _Stop
        self._in_head = True
        self._head_began = True
        self._head_size = 0
        self._headers = []
        self._target = b""
        if self._current is None:
            self._deadline.set(HEAD_SECONDS)

    def on_url(self, url: bytes) -> None:
        if not self._priming:
            self._target += url
            self._grow(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._priming:
            return
        self._head_size += len(name) + len(value) + 4
        if self._head_size > HEAD_LIMIT:
            self._stop(_HEAD_TOO_LARGE)
        if self._in_head:
            self._headers.append((name, value))
            if len(self._headers) > HEADER_COUNT_LIMIT:
                self._stop(_HEAD_TOO_LARGE)

    def on_headers_complete(self) -> None:
        if self._priming:
            return
        self._in_head = False
        parser = self._parser
        method = parser.get_method()
        version = parser.get_http_version()
        head = request_framing(method, self._target, version, self._headers)
        if isinstance(head, Refusal):
            self._stop(head)
        exchange = self._incoming = Exchange(
            self,
            method=method,
            target=self._target,
            http_version=version,
            headers=self._headers,
            head=head,
            keep=parser.should_keep_alive(),
        )
        self._last = not parser.should_keep_alive()
        self._deadline.clear()
        self._waiting.append(exchange)
        self._advance()

    def on_body(self, data: bytes) -> None:
        exchange = self._incoming
        if exchange is None:
            return
        if exchange.finished:
            self._unread += len(data)
            if self._unread > DRAIN_LIMIT:
                self._linger()
            return
        exchange.body_arrived(data)

    def on_message_complete(self) -> None:
        if self._incoming is None or self._parser.should_upgrade():
            return
        exchange, self._incoming = self._incoming, None
        exchange.body_ended()
        if exchange is self._current and exchange.finished:
            self._done()

    # What follows

    def _grow(self, size: int) -> None:
        self._head_size += size
        if self._head_size > HEAD_LIMIT:
            self._stop(_HEAD_TOO_LARGE)

    def _stop(self, refusal: Refusal) -> NoReturn:
        self._refusal = refusal
        raise _Stop

    def _parsing_failed(self, exc: httptools.HttpParserError) -> None:
        if self._refusal is not None:
            self._refuse(self._refusal)
        elif isinstance(exc, httptools.HttpParserCallbackError):
            self._report(exc.__context__ or exc)
            self.abort()
        elif isinstance(exc, httptools.HttpParserInvalidMethodError):
            self._refuse(Refusal(501, "unknown method"))
        elif self._last and self._incoming is None:
            # What follows a request that asked to close is none of our business.
            self._deaf = True
        else:
            self._refuse(Refusal(400, str(exc)))

    def _refuse(self, refusal: Refusal) -> None:
        """Answer in its turn, and read no more."""
        self._deaf = True
        self._in_head = False
        broken, self._incoming = self._incoming, None
        if broken is None:
            self._waiting.append(refusal)
        elif broken.finished:
            self._linger()
            return
        elif broken is self._current:
            started = broken.started
            broken.client_left(refusal.why)
            self._current = None
            if started:
                self.abort()
                return
            self._waiting.append(refusal)
        else:
            self._waiting.pop()
            self._waiting.append(refusal)
        self._advance()

    def _ignore_upgrade(self, rest: bytes) -> None:
        """Read on as if there had been no Upgrade header.

        The parser takes what follows such a head for another protocol. A new one is told that it
        has seen a head with the same framing, then takes over.
        """
        exchange = self._incoming
        if exchange is None:
            return
        self._parser = httptools.HttpRequestParser(self)
        self._priming = True
        if exchange.length is None:
            self._parser.feed_data(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
        elif exchange.length:
            self._parser.feed_data(
                b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % exchange.length
            )
        self._priming = False
        if exchange.length == 0:
            self.on_message_complete()
        if rest:
            self.data_received(rest)

    def _advance(self) -> None:
        """Begin exchanges in their order, one at a time."""
        if self._advancing:
            return
        self._advancing = True
        while self._waiting and self._current is None and not self.congested:
            item = self._waiting.popleft()
            if isinstance(item, Refusal):
                self._answer_refusal(item)
                break
            self._current = item
            try:
                self._handler(item)
            except Exception as exc:  # noqa: BLE001 - a handler's fault must not end the loop
                self._report(exc)
                if item.started:
                    self.abort()
                else:
                    item.respond(500)
        self._advancing = False
        self.adjust_reading()

    def _answer_refusal(self, refusal: Refusal) -> None:
        body = refusal.why.encode("latin-1", "replace") + b"\n"
        framing = b"Content-Length: %d\r\nConnection: close\r\n" % len(body)
        headers = [(b"Content-Type", b"text/plain; charset=utf-8")]
        reason = reason_of(refusal.status)
        self._outbox.send(answer_head(refusal.status, reason, headers, framing) + body)
        self._linger()

    def _done(self) -> None:
        self._current = None
        if self._waiting:
            self._advance()
        elif not self._in_head:
            self._deadline.set(IDLE_SECONDS)
        else:
            self._deadline.set(HEAD_SECONDS)

    def _close(self) -> None:
        """Close; the last answer still goes out."""
        self._deaf = True
        self._outbox.flush()
        self._transport.close()

    def _linger(self) -> None:
        """Close, but read what still comes for a moment."""
        self._deaf = True
        self._current = self._incoming = None
        self._waiting.clear()
        if self._transport.is_closing():
            return
        self._outbox.flush()
        if not self._reading:
            self._reading = True
            self._transport.resume_reading()
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self._deadline.set(LINGER_SECONDS)

    def _late(self) -> None:
        if self._deaf or not self._in_head:
            self._close()
        else:
            self._refuse(Refusal(408, "the request's head took too long"))

    def _leave(self, why: str) -> None:
        self._deaf = True
        current, self._current = self._current, None
        waiting = tuple(self._waiting)
        self._waiting.clear()
        self._incoming = None
        if current is not None:
            current.client_left(why)
        for item in waiting:
            if isinstance(item, Exchange):
                item.client_left(why)

    def _report(self, exc: BaseException) -> None:
        self._loop.call_exception_handler(
            {"message": "a handler failed", "exception": exc, "protocol": self}
        )


_HEAD_TOO_LARGE = Refusal(431, "the request's head is too large")
