"""The client side of HTTP/1.1: one exchange at a time on one connection.

``Http1Call`` is what a sender holds, ``ClientConnection`` what the pool holds. What one read of the
socket holds is parsed whole and then handed on: a short answer, the usual one, costs one call of
the receiver's ``answered``, which the sender can pass on with one write.

Source: RFC 9112 §6.3 (where an answer ends), §7.1.2 (trailers), §9.3 (persistence); RFC 9110
§7.8 (Upgrade), §9.2.2 (repeating), §15.2 (interim answers).
Not here: which connection is taken, and whether a request is sent again (``http1_pool.py``).
"""

import asyncio
import re
import socket
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn, Protocol, cast

import httptools

from knlite.dataplane.wire import framing
from knlite.dataplane.wire.call import Coming, Headers, Receiver
from knlite.dataplane.wire.dial import words
from knlite.dataplane.wire.failures import Broken, Failure
from knlite.dataplane.wire.framing import (
    HEAD_LIMIT,
    HEADER_COUNT_LIMIT,
    Refusal,
    Repeated,
    allowed_trailers,
    answer_framing,
    lookup,
    request_head,
    too_large,
)
from knlite.dataplane.wire.repetition import Repetitions
from knlite.dataplane.wire.tunnel import Tunnel

_EXPECT_BODY = frozenset((b"POST", b"PUT", b"PATCH"))
"""Sent with a Content-Length even when it is 0 (RFC 9110 §8.6)."""
_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)
"""tcp(7); Linux only."""
REPEAT_LIMIT = 1024
"""Bytes of an answer that is remembered, so that connections stay small."""
LARGE = 65_536
"""Bytes of one read from which on the kernel says by itself that they have come."""
IDEMPOTENT = frozenset((b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"PUT", b"DELETE"))


class Http1Call:
    """A request on its way, and its answer; implements ``call.Call``."""

    # What is the same for most requests lives in the class, so that making one costs only what
    # differs.
    chunked = False
    sent = True
    """The body is complete, as far as the sender is concerned."""
    coming = False
    touched = False
    """Some of a coming body is on its way, or an answer has begun: it cannot be repeated."""
    retried = False
    over = False
    """The answer is complete or has failed."""
    connection: "ClientConnection | None" = None
    paused = False
    _tunnel: "ClientTunnel | None" = None
    _pending: list[bytes] | None = None
    """What was written before there was a connection."""

    def __init__(
        self,
        method: bytes,
        target: bytes,
        headers: Sequence[tuple[bytes, bytes]],
        body: bytes | Coming,
        receiver: Receiver,
        upgrade: bytes = b"",
        also: Headers = (),
    ) -> None:
        self.method = method
        self.receiver = receiver
        self.upgrade = upgrade
        lines = whole = b""
        if body.__class__ is Coming:
            self.coming = True
            self.sent = False
            if body.length is None:
                self.chunked = True
                lines = b"Transfer-Encoding: chunked\r\n"
            else:
                lines = b"Content-Length: %d\r\n" % body.length
        elif body or method in _EXPECT_BODY:
            assert isinstance(body, bytes)
            lines = b"Content-Length: %d\r\n" % len(body)
            whole = body
        if upgrade:
            lines += b"Connection: Upgrade\r\nUpgrade: %b\r\n" % upgrade
        opening = request_head(method, target, headers, lines, also)
        self.opening = opening + whole if whole else opening
        """The head, and the body if it is not coming."""

    # The request's body.

    @property
    def ready(self) -> bool:
        if self._tunnel is not None:
            return not self._tunnel.congested
        return self.connection is not None and not self.connection.congested

    def write(self, data: bytes) -> None:
        if self.over:
            return
        if self._tunnel is not None:
            self._tunnel.write(data)
            return
        if self.chunked:
            data = framing.chunk(data)
        self._send(data)

    def end(self, trailers: Headers = ()) -> None:
        if self.over:
            return
        if self._tunnel is not None:
            self._tunnel.write_eof()
        elif not self.sent:
            self.sent = True
            if self.chunked:
                self._send(framing.last_chunk(trailers))

    # The answer.

    def pause(self) -> None:
        self.paused = True
        self._read(False)

    def resume(self) -> None:
        self.paused = False
        self._read(True)

    def cancel(self) -> None:
        if self.over:
            return
        self.over = True
        connection, self.connection = self.connection, None
        if self._tunnel is not None:
            self._tunnel.abort()
        elif connection is not None:
            connection.abort()

    # What the connection tells.

    @property
    def repeatable(self) -> bool:
        """Whether it may be sent once more although a server may have seen it."""
        if self.retried or self.touched:
            return False
        return self.coming or self.method in IDEMPOTENT

    def started(self, connection: "ClientConnection") -> None:
        """The head has been written to *connection*, which the call did not have to wait for."""
        self.connection = connection

    def connected(self, connection: "ClientConnection") -> None:
        """The head has been written to *connection*, which had to be made first."""
        self.connection = connection
        pending, self._pending = self._pending, None
        for piece in pending or ():
            self.touched = True
            connection.write(piece)
        if self.paused:
            connection.read(False)
        if not self.sent and not connection.congested:
            self.receiver.server_ready()

    def detached(self) -> None:
        """The connection is lost, and another will be tried."""
        self.connection = None
        if not self.sent:
            self.receiver.server_full()

    def switched(self, tunnel: "ClientTunnel") -> None:
        """The connection carries another protocol now."""
        self.connection = None
        self._tunnel = tunnel
        self.sent = True

    def congestion(self, congested: bool) -> None:
        """More, or no longer more, is waiting to be sent than should."""
        if self.over or (self.sent and self._tunnel is None):
            return
        if congested:
            self.receiver.server_full()
        else:
            self.receiver.server_ready()

    def failed(self, failure: Failure) -> None:
        """The answer will not be complete."""
        if not self.over:
            self.over = True
            self.connection = None
            self.receiver.failed(failure)

    def _send(self, data: bytes) -> None:
        if self.connection is not None:
            self.touched = True
            self.connection.write(data)
        elif self._pending is None:
            self._pending = [data]
        else:
            self._pending.append(data)

    def _read(self, wanted: bool) -> None:
        if self._tunnel is not None:
            self._tunnel.read(wanted)
        elif self.connection is not None:
            self.connection.read(wanted)


Meaning = tuple[int, bytes, list[tuple[bytes, bytes]], bytes]
"""Status, reason, headers and body of a whole answer."""


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

    def tunnelled(self, tunnel: "ClientTunnel", open_: bool) -> None:
        """*tunnel* goes on where a connection was, or has ended."""
        ...

    def repeat(self, call: Http1Call) -> None:
        """Send *call* on another connection."""
        ...


class _Stop(Exception):
    """Raised inside a parser callback to make the parser stop."""


class ClientConnection(asyncio.Protocol):
    """One connection to a server. The parser calls the ``on_…`` methods."""

    # What has come of an answer and has not been handed on.
    _status = 0
    """Of the final answer, once its head is complete."""
    _head_told = False
    _length: int | None = None
    _complete = False
    _body = b""
    _more: list[bytes] | None = None
    """Pieces of the body after ``_body``."""
    _interims: "list[tuple[int, bytes, list[tuple[bytes, bytes]]]] | None" = None

    _call: Http1Call | None = None
    _reused = False
    """An exchange has been completed before this one."""
    _answering = False
    """Some byte of the answer has come."""
    _keep = False
    _until_close = False
    _head_only = False
    _reading = True
    _partial = 0
    """Bytes of whole reads since something was complete."""
    _reason = b""
    _error = ""
    _said = b""
    """The last answer that came whole in one read, on a connection that stays."""
    _meant: Meaning
    """What it means."""
    _again = False
    """It has come more than once."""
    congested = False
    idle_since = 0.0
    busy = False

    def __init__(self, keeper: Keeper, repetitions: Repetitions[Meaning] | None = None) -> None:
        self._repetitions = repetitions if repetitions is not None else Repetitions()
        self._keeper = keeper
        parser = httptools.HttpResponseParser(self)
        self._parser = parser
        self._feed = parser.feed_data
        self._transport: asyncio.Transport
        self._headers: list[tuple[bytes, bytes]] = []
        """Of the head that is coming, later trailers."""
        self._head: list[tuple[bytes, bytes]] = []

    @property
    def closing(self) -> bool:
        """It must not be given another exchange."""
        return self._transport.is_closing()

    def begin(self, call: Http1Call) -> None:
        """Send *call*."""
        self.busy = True
        self._call = call
        self._answering = self._complete = self._until_close = self._head_told = False
        self._status = 0
        self._reason = self._body = b""
        self._head_only = call.method == b"HEAD"
        self._transport.write(call.opening)

    def write(self, data: bytes) -> None:
        self._transport.write(data)

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
        self._call = None
        self._keeper.lost(self)
        self._transport.abort()

    def fail(self, failure: Failure) -> None:
        """Cut the connection and tell its call."""
        call = self._call
        self.abort()
        if call is not None:
            call.failed(failure)

    # asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the methods but not the type.
        self._transport = cast("asyncio.Transport", transport)
        self._keeper.opened(self)

    def data_received(self, data: bytes) -> None:
        call = self._call
        if call is None:
            # Nobody has asked: never an answer to the next request.
            self.abort()
            return
        first = not self._answering
        self._answering = True
        if first and data == self._said and not self._head_only:
            # Servers repeat themselves too; then the parser need not see it again.
            if not self._again:
                self._again = True
                status, reason, head, body = self._meant
                meant = (status, reason, Repeated(head), body)
                self._said, self._meant = self._repetitions.keep(data, meant)
            self._status, self._reason, self._head, self._body = self._meant
            self._complete = self._keep = True
            self._answered(call)
            return
        try:
            self._feed(data)
        except httptools.HttpParserUpgrade as switch:
            self._switch(call, data[switch.args[0] :])
            return
        except httptools.HttpParserError as exc:
            if not self._complete:
                self._parsing_failed(call, exc)
                return
            # What follows a complete answer is nobody's.
            self._keep = False
        if self._head_only and not (data.endswith(_HEAD_END) and data.count(_HEAD_END) == 1):
            # More than a head has come, or may have; the parser would read on.
            self._keep = False
        if self._complete and self._length == len(self._body) and not self._head_told:
            if first and self._keep and self._interims is None and len(data) <= REPEAT_LIMIT:
                self._said = data
                self._again = False
                self._meant = (self._status, self._reason, self._head, self._body)
            self._answered(call)
        else:
            self._hand_on(call, len(data))

    def eof_received(self) -> None:
        self._ended("unexpected EOF" if self._answering else "EOF")

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None:
            self._until_close = False
        self._ended(words(exc) if exc is not None else "unexpected EOF")

    def pause_writing(self) -> None:
        self.congested = True
        if self._call is not None:
            self._call.congestion(True)

    def resume_writing(self) -> None:
        self.congested = False
        if self._call is not None:
            self._call.congestion(False)

    # httptools

    def on_message_begin(self) -> None:
        if self._complete:
            raise _Stop

    def on_status(self, reason: bytes) -> None:
        self._reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        if self._complete:
            raise _Stop
        headers, self._headers = self._headers, []
        if len(headers) > HEADER_COUNT_LIMIT:
            self._stop("the answer has too many headers")
        status = self._parser.get_status_code()
        if status < 100 or _is_no_reason(self._reason):
            self._stop("malformed status line")
        framed = answer_framing(headers)
        if isinstance(framed, Refusal):
            self._stop(framed.why)
        if status < 200:
            if framed.length or framed.chunked:
                # There is none (RFC 9112 §6.3); the parser knows that of some of them only.
                self._stop("an interim answer with a body")
            self._interim(status, headers, framed.headers)
            return
        self._partial = 0
        length, chunked, headers = framed
        self._keep = self._parser.should_keep_alive()
        if self._head_only or status in _BODILESS:
            if status == 204:
                length = 0
            self._complete = self._head_only
        elif length is None and not chunked:
            self._until_close = True
        self._status = status
        self._head = headers
        self._length = length

    def on_body(self, data: bytes) -> None:
        if self._complete:
            # A body after the answer to HEAD.
            self._keep = False
        elif not self._body:
            self._body = data
        elif self._more is None:
            self._more = [data]
        else:
            self._more.append(data)

    def on_message_complete(self) -> None:
        if self._status:
            self._complete = True

    # What follows

    def _interim(
        self, status: int, headers: list[tuple[bytes, bytes]], kept: list[tuple[bytes, bytes]]
    ) -> None:
        if status == 101:
            call = self._call
            if call is None or not (call.upgrade and self._parser.should_upgrade()):
                self._stop(_UNASKED)
            self._status = status
            self._head = [*kept, (b"Upgrade", lookup(headers, b"upgrade") or b"")]
            return
        reason, self._reason = self._reason, b""
        # The server side has given its own 100 by then.
        if status != 100:
            if self._interims is None:
                self._interims = []
            self._interims.append((status, reason, kept))

    def _stop(self, why: str) -> NoReturn:
        self._error = why
        raise _Stop

    def _parsing_failed(self, call: Http1Call, exc: httptools.HttpParserError) -> None:
        if isinstance(exc, httptools.HttpParserCallbackError) and not self._error:
            asyncio.get_running_loop().call_exception_handler(
                {"message": "a parser callback failed", "exception": exc.__context__ or exc}
            )
        if self._status and self._status != 101:
            # What came before the fault is the client's.
            self._hand_on(call, 0)
        self.fail(Broken(f"malformed HTTP response: {self._error or exc}"))

    def _answered(self, call: Http1Call) -> None:
        """The answer has come whole."""
        status, reason, headers, body = self._status, self._reason, self._head, self._body
        if self._interims is not None:
            self._tell_interims(call)
        self._give_back(call)
        if not call.over:
            call.over = True
            call.connection = None
            call.receiver.answered(status, reason, headers, body)

    def _hand_on(self, call: Http1Call, size: int) -> None:
        """Hand on what one read has brought of an answer."""
        if size < LARGE and not self._complete:
            self._acknowledge()
        receiver = call.receiver
        if self._interims is not None:
            self._tell_interims(call)
        progress = self._status and not self._head_told
        if progress:
            self._head_told = True
            call.touched = True
            receiver.head(self._status, self._reason, self._head, self._length)
        body = self._body
        if body:
            progress = True
            if self._more is not None:
                body = b"".join((body, *self._more))
                self._more = None
            self._body = b""
            if not call.over:
                receiver.data(body)
        if self._complete:
            # What follows an answer to HEAD is no part of it.
            trailers, self._headers = [] if self._head_only else self._headers, []
            if trailers:
                if too_large(trailers, HEADER_COUNT_LIMIT, HEAD_LIMIT):
                    self.fail(Broken("the answer's trailers are too large"))
                    return
                if len(allowed_trailers(trailers)) < len(trailers):
                    # The parser believes them; it would take the next answer for garbage.
                    self._keep = False
            self._give_back(call)
            if not call.over:
                call.over = True
                call.connection = None
                receiver.end(trailers)
        elif progress:
            self._partial = 0
        else:
            self._partial += size
            if self._partial > HEAD_LIMIT or len(self._headers) > HEADER_COUNT_LIMIT:
                self.fail(Broken("the answer's head, chunks or trailers are too large"))

    def _acknowledge(self) -> None:
        """Have the kernel say at once that what was read has come.

        Servers that write an answer in pieces, as Python's do with head and body, wait for that
        before they send the next one (RFC 896), and the kernel takes 40 ms for it by itself.
        """
        if _QUICKACK is not None:
            sock = self._transport.get_extra_info("socket")
            if sock is not None:
                with suppress(OSError):
                    sock.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)

    def _tell_interims(self, call: Http1Call) -> None:
        interims, self._interims = self._interims, None
        for status, reason, headers in interims or ():
            if not call.over:
                call.receiver.interim(status, reason, headers)

    def _give_back(self, call: Http1Call) -> None:
        """Before the receiver hears of the end: it may want it for its next request."""
        self._call = None
        self.busy = False
        if self._keep and call.sent and not self._transport.is_closing():
            self._reused = True
            if self._head_only:
                # The parser waits for the body that a GET would get.
                parser = httptools.HttpResponseParser(self)
                self._parser = parser
                self._feed = parser.feed_data
            if not self._reading:
                self.read(True)
            self._keeper.free(self)
        else:
            self._keeper.lost(self)
            self._transport.close()

    def _switch(self, call: Http1Call, rest: bytes) -> None:
        if not call.upgrade or self._status != 101:
            self.fail(Broken(_UNASKED))
            return
        self._call = None
        self._keeper.lost(self)
        tunnel = ClientTunnel(self._transport, call, self._keeper)
        call.switched(tunnel)
        if not self._reading:
            self._transport.resume_reading()
        call.receiver.switched(self._reason, self._head)
        if rest and not call.over:
            call.receiver.data(rest)

    def _ended(self, why: str) -> None:
        self._keeper.lost(self)
        call, self._call = self._call, None
        if call is None:
            return
        if self._until_close and self._head_told:
            if not call.over:
                call.over = True
                call.connection = None
                call.receiver.end(())
        elif self._reused and not self._answering and call.repeatable:
            call.detached()
            self._keeper.repeat(call)
        else:
            call.failed(Broken(why))


class ClientTunnel:
    """A server's connection that has switched; the call goes on over it."""

    def __init__(self, transport: asyncio.Transport, call: Http1Call, keeper: Keeper) -> None:
        self._call = call
        self._keeper = keeper
        self._tunnel = Tunnel(transport, self)
        transport.set_protocol(self._tunnel)
        keeper.tunnelled(self, True)

    @property
    def congested(self) -> bool:
        """More is waiting to be sent than should."""
        return self._tunnel.congested

    def write(self, data: bytes) -> None:
        """Send *data*."""
        self._tunnel.write(data)

    def write_eof(self) -> None:
        """Send nothing more, but read on."""
        self._tunnel.write_eof()

    def read(self, wanted: bool) -> None:
        """Read, or do not read."""
        self._tunnel.read(wanted)

    def abort(self) -> None:
        """Cut the connection at once."""
        self._tunnel.abort()

    def fail(self, failure: Failure) -> None:
        """Cut the connection and tell its call."""
        self._tunnel.abort()
        self._call.failed(failure)

    # The tunnel

    def tunnel_data(self, data: bytes) -> None:
        if not self._call.over:
            self._call.receiver.data(data)

    def tunnel_eof(self) -> None:
        # As upstream's proxy, which closes both sides when either copy ends.
        self._tunnel.close()
        self._end()

    def tunnel_lost(self, exc: Exception | None) -> None:
        self._keeper.tunnelled(self, False)
        if exc is None:
            self._end()
        else:
            self._call.failed(Broken(words(exc)))

    def tunnel_congested(self, congested: bool) -> None:
        self._call.congestion(congested)

    def _end(self) -> None:
        if not self._call.over:
            self._call.over = True
            self._call.receiver.end(())


_HEAD_END = b"\r\n\r\n"
_UNASKED = "the server switched to a protocol nobody asked for"
_BODILESS = frozenset((204, 304))
_is_no_reason = re.compile(rb"[^\t -~\x80-\xff]").search
"""The parser lets control bytes through (RFC 9112 §4), even those that cannot be sent on."""
