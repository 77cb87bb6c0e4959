"""The client side of HTTP/1.1: one exchange at a time on one connection.

``ClientExchange`` is what a caller holds, ``ClientConnection`` what the pool holds. Interim answers
(1xx) are swallowed: the server side has given its own 100 by then. Trailers are dropped.

Source: RFC 9112 §6.3 (where an answer ends), §9.3 (persistence); RFC 9110 §9.2.2 (repeating).
Not here: which connection is taken, and whether a request is sent again (``pool.py``).
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn, Protocol, cast

import httptools

from knlite.dataplane.wire import framing
from knlite.dataplane.wire.failures import Broken, Failure
from knlite.dataplane.wire.framing import HEAD_LIMIT, HEADER_COUNT_LIMIT, request_head
from knlite.dataplane.wire.outbox import Outbox

_EXPECT_BODY = frozenset((b"POST", b"PUT", b"PATCH"))
"""Sent with a Content-Length even when it is 0 (RFC 9110 §8.6)."""
IDEMPOTENT = frozenset((b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"PUT", b"DELETE"))


class AnswerReceiver(Protocol):
    """Takes an answer piece by piece. After ``end`` or ``failed`` nothing more is called."""

    def head(
        self, status: int, reason: bytes, headers: list[tuple[bytes, bytes]], length: int | None
    ) -> None:
        """Take the final answer's head; *length* is None if the body's end is not known yet."""
        ...

    def data(self, data: bytes) -> None:
        """Take the next piece of the body, never empty."""
        ...

    def end(self) -> None:
        """The answer is complete."""
        ...

    def failed(self, failure: Failure) -> None:
        """There will be no answer, or not the rest of it."""
        ...


@dataclass(frozen=True, slots=True)
class Coming:
    """A request's body that is written to the exchange; *length* None sends it in chunks."""

    length: int | None


class ClientExchange:
    """A request on its way, and its answer."""

    __slots__ = (
        "_connection",
        "_pause_body",
        "_paused",
        "_pending",
        "_resume_body",
        "chunked",
        "coming",
        "method",
        "opening",
        "over",
        "receiver",
        "retried",
        "sent",
        "touched",
    )

    def __init__(
        self,
        method: bytes,
        target: bytes,
        headers: Sequence[tuple[bytes, bytes]],
        body: bytes | Coming,
        receiver: AnswerReceiver,
    ) -> None:
        self.method = method
        self.receiver = receiver
        self.coming = isinstance(body, Coming)
        self.chunked = False
        lines = b""
        whole = b""
        if isinstance(body, Coming):
            self.chunked = body.length is None
            if body.length is None:
                lines = b"Transfer-Encoding: chunked\r\n"
            else:
                lines = b"Content-Length: %d\r\n" % body.length
        elif body or method in _EXPECT_BODY:
            lines = b"Content-Length: %d\r\n" % len(body)
            whole = body
        self.opening = request_head(method, target, headers, lines) + whole
        """The head, and the body if it is not coming."""
        self.sent = not self.coming
        """The body is complete, as far as the caller is concerned."""
        self.touched = False
        """Some of a coming body is on its way, or an answer has begun: it cannot be repeated."""
        self.retried = False
        self.over = False
        """The answer is complete or has failed."""
        self._connection: ClientConnection | None = None
        self._pending: list[bytes] = []
        """What was written before there was a connection."""
        self._paused = False
        self._pause_body: Callable[[], None] | None = None
        self._resume_body: Callable[[], None] | None = None

    # The request's body.

    def flow(self, pause: Callable[[], None], resume: Callable[[], None]) -> None:
        """Call *pause* when the body comes faster than it can be sent, *resume* after it."""
        self._pause_body = pause
        self._resume_body = resume
        if self._connection is None or self._connection.congested:
            pause()

    def write(self, data: bytes) -> None:
        """Send a piece of the body, which is not empty."""
        if self.over:
            return
        if self.chunked:
            data = framing.chunk(data)
        if self._connection is None:
            self._pending.append(data)
        else:
            self.touched = True
            self._connection.write(data)

    def end(self) -> None:
        """The body is complete."""
        if self.over or self.sent:
            return
        self.sent = True
        if self.chunked:
            if self._connection is None:
                self._pending.append(framing.LAST_CHUNK)
            else:
                self.touched = True
                self._connection.write(framing.LAST_CHUNK)

    # The answer.

    def pause(self) -> None:
        """Stop reading the answer. What has been read from the socket still arrives."""
        self._paused = True
        if self._connection is not None:
            self._connection.read(False)

    def resume(self) -> None:
        """Read on."""
        self._paused = False
        if self._connection is not None:
            self._connection.read(True)

    def cancel(self) -> None:
        """Give up; the receiver hears nothing more. No effect when it is over."""
        if self.over:
            return
        self.over = True
        self._pause_body = self._resume_body = None
        if self._connection is not None:
            self._connection.abort()

    # What the connection tells.

    @property
    def repeatable(self) -> bool:
        """Whether it may be sent once more although a server may have seen it."""
        if self.retried or self.touched:
            return False
        return self.coming or self.method in IDEMPOTENT

    def started(self, connection: "ClientConnection") -> None:
        """The head has been written to *connection*."""
        self._connection = connection
        pending, self._pending = self._pending, []
        for piece in pending:
            self.touched = True
            connection.write(piece)
        if self._paused:
            connection.read(False)
        if self._resume_body is not None and not connection.congested:
            self._resume_body()

    def detached(self) -> None:
        """The connection is lost, and another will be tried."""
        self._connection = None
        if self._pause_body is not None:
            self._pause_body()

    def congestion(self, congested: bool) -> None:
        """More, or no longer more, is waiting to be sent than should."""
        callback = self._pause_body if congested else self._resume_body
        if callback is not None:
            callback()

    def completed(self) -> None:
        """The answer is complete."""
        if not self.over:
            self._finish()
            self.receiver.end()

    def failed(self, failure: Failure) -> None:
        """The answer will not be complete."""
        if not self.over:
            self._finish()
            self.receiver.failed(failure)

    def _finish(self) -> None:
        self.over = True
        self._connection = None
        self._pause_body = self._resume_body = None


class Keeper(Protocol):
    """What a connection needs of its pool."""

    def opened(self, connection: "ClientConnection") -> None:
        """The connection is there."""
        ...

    def free(self, connection: "ClientConnection") -> None:
        """It may take another exchange."""
        ...

    def lost(self, connection: "ClientConnection") -> None:
        """It must not be used again."""
        ...

    def repeat(self, exchange: ClientExchange) -> None:
        """Send *exchange* on another connection."""
        ...


class _Stop(Exception):
    """Raised inside a parser callback to make the parser stop."""


class ClientConnection(asyncio.Protocol):
    """One connection to a server. The parser calls the ``on_…`` methods."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport
        self._outbox: Outbox
        self._exchange: ClientExchange | None = None
        self._reused = False
        """An exchange has been completed before this one."""
        self._answering = False
        """Some byte of the answer has come."""
        self._complete = False
        self._keep = False
        self._interim = False
        self._until_close = False
        self._head_only = False
        self._reading = True
        self._in_head = False
        self._head_size = 0
        self._head_partial = 0
        self._head_began = False
        """In the read that is being parsed."""
        self._reason = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._length: int | None = None
        self._error = ""
        self.congested = False
        self.idle_since = 0.0
        self.busy = False

    @property
    def closing(self) -> bool:
        """It must not be given another exchange."""
        return self._transport.is_closing()

    def begin(self, exchange: ClientExchange) -> None:
        """Send *exchange*."""
        self.busy = True
        self._exchange = exchange
        self._answering = self._complete = self._until_close = False
        self._head_only = exchange.method == b"HEAD"
        if exchange.coming:
            self._outbox.put(exchange.opening)
        else:
            self._outbox.send(exchange.opening)
        exchange.started(self)

    def write(self, data: bytes) -> None:
        self._outbox.put(data)

    def read(self, wanted: bool) -> None:
        """Read, or do not read, from the server."""
        if wanted is not self._reading and not self._transport.is_closing():
            self._reading = wanted
            if wanted:
                self._transport.resume_reading()
            else:
                self._transport.pause_reading()

    def close(self) -> None:
        """Close an idle connection."""
        self._transport.close()

    def abort(self) -> None:
        """Cut the connection at once."""
        self._exchange = None
        self._keeper.lost(self)
        self._outbox.drop()
        self._transport.abort()

    def fail(self, failure: Failure) -> None:
        """Cut the connection and tell its exchange."""
        exchange = self._exchange
        self.abort()
        if exchange is not None:
            exchange.failed(failure)

    # asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the methods but not the type.
        self._transport = cast("asyncio.Transport", transport)
        self._outbox = Outbox(asyncio.get_running_loop(), self._transport)
        self._keeper.opened(self)

    def data_received(self, data: bytes) -> None:
        exchange = self._exchange
        if exchange is None:
            # Nobody has asked: never an answer to the next request.
            self.abort()
            return
        self._answering = True
        self._head_began = False
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.fail(Broken("the server switched to a protocol nobody asked for"))
            return
        except httptools.HttpParserError as exc:
            if self._complete:
                self._keep = False
            else:
                self._parsing_failed(exc)
                return
        if self._complete:
            self._finish()
        elif self._in_head:
            self._head_partial = 0 if self._head_began else self._head_partial + len(data)
            if self._head_partial > HEAD_LIMIT:
                self.fail(Broken("the answer's head is too large"))

    def eof_received(self) -> None:
        self._ended("unexpected EOF" if self._answering else "EOF")

    def connection_lost(self, exc: Exception | None) -> None:
        self._outbox.drop()
        if exc is not None:
            self._until_close = False
        self._ended(_words(exc) if exc is not None else "unexpected EOF")

    def pause_writing(self) -> None:
        self.congested = True
        if self._exchange is not None:
            self._exchange.congestion(True)

    def resume_writing(self) -> None:
        self.congested = False
        if self._exchange is not None:
            self._exchange.congestion(False)

    # httptools

    def on_message_begin(self) -> None:
        if self._complete:
            raise _Stop
        self._in_head = True
        self._head_began = True
        self._head_size = 0
        self._reason = b""
        self._headers = []
        self._length = None

    def on_status(self, reason: bytes) -> None:
        self._reason += reason
        self._grow(len(reason))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_size += len(name) + len(value) + 4
        if self._head_size > HEAD_LIMIT:
            self._stop("the answer's head is too large")
        if not self._in_head:
            return
        self._headers.append((name, value))
        if len(self._headers) > HEADER_COUNT_LIMIT:
            self._stop("the answer has too many headers")
        if len(name) == 14 and name.lower() == b"content-length":
            self._length = int(value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        parser = self._parser
        status = parser.get_status_code()
        exchange = self._exchange
        self._interim = 100 <= status < 200
        if self._interim or exchange is None:
            return
        self._keep = parser.should_keep_alive()
        chunked = False
        if self._length is None:
            coding = framing.lookup(self._headers, b"transfer-encoding")
            chunked = coding is not None and coding.lower().endswith(b"chunked")
        bodiless = self._head_only or status in (204, 304)
        self._until_close = not (bodiless or chunked or self._length is not None)
        exchange.touched = True
        length = self._length
        if length is None and bodiless and not self._head_only and status == 204:
            length = 0
        exchange.receiver.head(status, self._reason, self._headers, length)
        if self._head_only:
            self._complete = True

    def on_body(self, data: bytes) -> None:
        exchange = self._exchange
        if exchange is None:
            raise _Stop
        if self._complete:
            # A body after the answer to HEAD.
            self._keep = False
        elif not exchange.over:
            exchange.receiver.data(data)

    def on_message_complete(self) -> None:
        if not self._interim:
            self._complete = True

    # What follows

    def _grow(self, size: int) -> None:
        self._head_size += size
        if self._head_size > HEAD_LIMIT:
            self._stop("the answer's head is too large")

    def _stop(self, why: str) -> NoReturn:
        self._error = why
        raise _Stop

    def _parsing_failed(self, exc: httptools.HttpParserError) -> None:
        if self._exchange is None:
            return
        if isinstance(exc, httptools.HttpParserCallbackError) and not self._error:
            asyncio.get_running_loop().call_exception_handler(
                {"message": "a receiver failed", "exception": exc.__context__ or exc}
            )
        self.fail(Broken(f"malformed HTTP response: {self._error or exc}"))

    def _finish(self) -> None:
        """Give the connection back first: the receiver may want it for its next request."""
        exchange, self._exchange = self._exchange, None
        if exchange is None:
            return
        self.busy = False
        if self._keep and exchange.sent and not self._transport.is_closing():
            self._reused = True
            if self._head_only:
                # The parser waits for the body that a GET would get.
                self._parser = httptools.HttpResponseParser(self)
            self.read(True)
            self._keeper.free(self)
        else:
            self._keeper.lost(self)
            self._transport.close()
        exchange.completed()

    def _ended(self, why: str) -> None:
        self._keeper.lost(self)
        exchange, self._exchange = self._exchange, None
        if exchange is None:
            return
        if self._until_close:
            exchange.completed()
        elif self._reused and not self._answering and exchange.repeatable:
            exchange.detached()
            self._keeper.repeat(exchange)
        else:
            exchange.failed(Broken(why))


def _words(exc: Exception) -> str:
    if isinstance(exc, ConnectionResetError):
        return "read: connection reset by peer"
    if isinstance(exc, BrokenPipeError):
        return "write: broken pipe"
    return str(exc) or type(exc).__name__
