"""The server side of HTTP/1.1: bytes in, exchanges out, answers in order.

A connection parses what it has read at once, and begins one exchange at a time: pipelined requests
wait, and while any waits (or the client does not take its answers) nothing more is read. So memory
per connection is bounded by one read of the socket beside the limits of a head.

Reading goes on while an answer is made, because only a reader notices that the client has left. A
client that closes its sending side is taken to have left, as Go's server does.

The usual request (a head that comes in one read, no body, no second request behind it) takes the
shortest way: few callbacks of the parser, one exchange, no timer. What costs more is looked at only
when a read ends in the midst of something. And clients repeat themselves, those above all that
measure or watch: a request that equals the one before it, byte for byte, is not parsed again.

Source: RFC 9112 §9 (connections), RFC 9110 §7.8 (Upgrade), §15. Limits: ``limits.py``.
Differs: methods that the parser does not know are answered with 501; Go hands on any token.
Not here: sockets that listen (``listener.py``).
"""

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Callable
from typing import Any, NoReturn, cast

import httptools

from knlite.dataplane.wire.deadline import Deadline
from knlite.dataplane.wire.exchange import HOLD_LIMIT, Handler, departure, reason_of
from knlite.dataplane.wire.framing import (
    Framing,
    Refusal,
    Repeated,
    answer_head,
    request_framing,
    size,
    too_large,
)
from knlite.dataplane.wire.http1_exchange import Http1Exchange
from knlite.dataplane.wire.limits import Limits
from knlite.dataplane.wire.repetition import Repetitions
from knlite.dataplane.wire.tunnel import Tunnel
from knlite.serving.instance import Address

LINGER_SECONDS = 2.0
"""How long to read on after the last answer, so that a reset does not overtake it."""
REPEAT_LIMIT = 1024
"""Bytes of a request that is remembered, so that connections stay small."""
DRAIN_LIMIT = 256 * 1024
"""Bytes of an unwanted body that are read to keep a connection, as Go's server does."""


Meaning = tuple[bytes, bytes, str, Framing]
"""Method, target, version, and what the headers say."""


class _Stop(Exception):
    """Raised inside a parser callback to make the parser stop."""


class Http1Connection(asyncio.Protocol):
    """One client's connection. The parser calls the ``on_…`` methods."""

    # What is the same for most connections lives in the class.
    client = Address("", 0)
    congested = False
    _current: Http1Exchange | None = None
    """Whose answer is being made."""
    _incoming: Http1Exchange | None = None
    """Whose body is being read: the current one, or the last that waits."""
    _advancing = False
    _reading = True
    _closing = False
    """Close after the current answer."""
    _deaf = False
    """Whatever arrives is ignored."""
    _between = True
    """Nothing of a next request has come."""
    _unread = 0
    """Bytes of the body of an exchange whose answer is complete."""
    _last = False
    """The client has asked to close after the last request it sent."""
    _priming = False
    _partial = 0
    """Bytes of whole reads since something was complete: part of a head, or chunks' framing."""
    _large = False
    """The head that is coming may exceed its limit."""
    _progress = False
    """Some of a body, or the end of a message, was in the read that is being parsed."""
    _refusal: Refusal | None = None
    _heads = 0
    """Complete heads in the read that is being parsed."""
    _said = b""
    """The last read, if it was one whole request without a body on a connection that stays."""
    _meant: Meaning
    """What the head that came last means."""
    _again = False
    """It has come more than once."""
    _switching: Http1Exchange | None = None
    """Who asked to switch protocols and is not answered yet."""
    _handed_over = False
    """The protocol has been switched; nothing more is for this object."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        handler: Handler,
        limits: Limits,
        connections: set[Any],
        left: Callable[[Any], None],
        repetitions: Repetitions[Meaning] | None = None,
    ) -> None:
        self._repetitions = repetitions if repetitions is not None else Repetitions()
        self._loop = loop
        self._limits = limits
        self._head_limit = limits.head_bytes
        self._now = loop.time
        self._handler = handler
        self._connections = connections
        self._left = left
        self._deadline = Deadline(loop, self._late)
        parser = httptools.HttpRequestParser(self)
        self._parser = parser
        self._feed = parser.feed_data
        self._transport: asyncio.Transport
        self._waiting: deque[Http1Exchange | Refusal] = deque()
        self._target = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._raw: list[bytes] = []
        """What came after a request that asked to switch."""
        self._raw_size = 0
        self._idle_since = loop.time()

    # asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the methods but not the type.
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        if isinstance(peer, tuple):
            self.client = Address(peer[0], peer[1])
        self._connections.add(self)
        self._deadline.set(self._limits.idle_seconds)

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        if self._switching is not None:
            self._hold(data)
            return
        from_start = self._between
        if from_start and data == self._said and self._current is None and not self.congested:
            if not self._again:
                self._again = True
                method, target, version, head = self._meant
                head = head._replace(headers=Repeated(head.headers))
                meant = (method, target, version, head)
                self._said, self._meant = self._repetitions.keep(data, meant)
            method, target, version, head = self._meant
            self._begin(Http1Exchange(self, method, target, version, head, True))
            return
        # Whatever else the parser sees, it may end in the midst of something.
        self._said = b""
        self._between = self._progress = False
        self._heads = 0
        if len(data) > self._head_limit:
            self._large = True
        try:
            self._feed(data)
        except httptools.HttpParserUpgrade as switch:
            self._upgrade(data[switch.args[0] :])
            return
        except httptools.HttpParserError as exc:
            if not self._deaf:
                self._parsing_failed(exc)
            return
        if not self._between:
            self._look_at_part(len(data))
        elif from_start and self._heads == 1 and len(data) <= REPEAT_LIMIT:
            # Exactly one whole request: what it means is known when it is said again. It must begin
            # and end the read: the parser does not tell of half a method before or after it.
            method, _, _, head = self._meant
            simple = head.length == 0 and not (self._last or head.upgrade)
            if simple and data.endswith(b"\r\n\r\n") and data.startswith(method + b" "):
                self._said = data
                self._again = False

    def eof_received(self) -> None:
        self._leave(departure(None))

    def connection_lost(self, exc: Exception | None) -> None:
        self._deadline.cancel()
        self._leave(departure(exc))
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
        """Cut the connection without sending what waits."""
        self._deaf = True
        self._transport.abort()

    def reset(self) -> None:
        """Cut the connection, and let the client know that it was."""
        sock = self._transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.abort()

    # The exchange

    def write(self, data: bytes) -> None:
        """Send *data*; uvloop sends what one turn of the loop writes at once."""
        self._transport.write(data)

    def adjust_reading(self) -> None:
        incoming = self._incoming
        reading = not self._waiting and (incoming is None or incoming.wants_reading)
        if reading is not self._reading and not self._transport.is_closing():
            self._reading = reading
            if reading:
                self._transport.resume_reading()
                self._watch_body()
            else:
                self._transport.pause_reading()

    def finished(self, exchange: Http1Exchange, keep: bool) -> None:
        if not keep or self._closing:
            if exchange.body_complete or exchange.length == 0:
                self._close()
            else:
                self._linger()
        elif self._switching is exchange:
            self._current = None
            self._stay_with_http()
        elif self._incoming is exchange and exchange.length != 0:
            # The rest of the body decides, in on_body and on_message_complete, whether to go on.
            self._unread = 0
            self._deadline.set(self._limits.head_seconds)
            self.adjust_reading()
        else:
            self._current = None
            if self._waiting:
                self._advance()
            else:
                self._idle_since = self._now()

    def switched(self, exchange: Http1Exchange) -> "ServerTunnel":
        """Hand the connection over to the bytes of another protocol."""
        self._deadline.cancel()
        self._handed_over = True
        self._switching = self._current = None
        # From here on everything belongs to the tunnel, the end of the connection too.
        self._connections.discard(self)
        tunnel = ServerTunnel(self._transport, self.client, exchange, self._connections, self._left)
        raw, self._raw, self._raw_size = self._raw, [], 0
        for piece in raw:
            exchange.body_arrived(piece)
        if not self._reading:
            self._transport.resume_reading()
        tunnel.adjust_reading()
        return tunnel

    # httptools

    def on_url(self, url: bytes) -> None:
        if not self._priming:
            self._between = False
            self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        headers, self._headers = self._headers, []
        if self._priming:
            return
        if self._deaf:
            raise _Stop
        target, self._target = self._target, b""
        if len(headers) > self._limits.header_count or (
            self._large and len(target) + size(headers) > self._head_limit
        ):
            self._stop(_HEAD_TOO_LARGE)
        self._large = False
        self._partial = 0
        parser = self._parser
        method = parser.get_method()
        version = parser.get_http_version()
        head = request_framing(method, target, version, headers)
        if isinstance(head, Refusal):
            self._stop(head)
        keep = parser.should_keep_alive()
        if head.upgrade and not parser.should_upgrade():
            # Never switch where the parser reads on as HTTP.
            head = head._replace(upgrade=b"")
        exchange = Http1Exchange(self, method, target, version, head, keep)
        self._incoming = exchange
        self._heads += 1
        self._meant = (method, target, version, head)
        self._last = not keep
        if self._current is None and not self._waiting and not self.congested:
            self._begin(exchange)
        else:
            self._waiting.append(exchange)

    def on_body(self, data: bytes) -> None:
        exchange = self._incoming
        if exchange is None:
            return
        self._progress = True
        if exchange.finished:
            self._unread += len(data)
            if self._unread > DRAIN_LIMIT:
                self._linger()
            return
        exchange.body_arrived(data)

    def on_message_complete(self) -> None:
        exchange = self._incoming
        if exchange is None or self._parser.should_upgrade():
            return
        trailers = self._headers
        if trailers and too_large(trailers, self._limits.header_count, self._head_limit):
            self._stop(_FRAMING_TOO_LARGE)
        self._between = self._progress = True
        self._incoming = None
        if not self._reading:
            # The body was paused; what comes after it is not.
            self.adjust_reading()
        if exchange.length == 0:
            return
        self._headers = []
        exchange.body_ended(trailers)
        if exchange is self._current and exchange.finished:
            self._done()

    # What follows

    def _begin(self, exchange: Http1Exchange) -> None:
        self._current = exchange
        try:
            self._handler(exchange)
        except Exception as exc:  # noqa: BLE001 - a handler's fault must not end the loop
            self._report(exc)
            if exchange.started:
                self.abort()
            else:
                exchange.respond(500)

    def _look_at_part(self, size: int) -> None:
        """A read has ended inside a head, a body or trailers."""
        self._large = True
        self._partial = 0 if self._progress else self._partial + size
        incoming = self._incoming
        if self._partial > self._head_limit or len(self._headers) > self._limits.header_count:
            # With a body: chunks of which almost nothing is data, or endless trailers.
            self._refuse(_HEAD_TOO_LARGE if incoming is None else _FRAMING_TOO_LARGE)
        elif incoming is not None:
            self._watch_body()
            self.adjust_reading()
        elif self._partial == size:
            self._deadline.set(self._limits.head_seconds)

    def _watch_body(self) -> None:
        if self._incoming is not None and self._incoming.receiving:
            self._deadline.set(self._limits.body_seconds)

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

    def _upgrade(self, rest: bytes) -> None:
        """The parser takes what follows for another protocol; whether it is the answer says."""
        exchange = self._incoming
        if exchange is None:
            return
        if exchange.upgrade and not exchange.finished:
            # The head has come: its deadline is over.
            self._between = True
            self._incoming = None
            self._switching = exchange
            if rest:
                self._hold(rest)
        elif self._handed_over:
            # Within the handler already.
            self._incoming = None
            if rest:
                exchange.body_arrived(rest)
        else:
            self._stay_with_http(rest)

    def _hold(self, data: bytes) -> None:
        self._raw.append(data)
        self._raw_size += len(data)
        if self._raw_size > HOLD_LIMIT and self._reading:
            self._reading = False
            self._transport.pause_reading()

    def _stay_with_http(self, rest: bytes = b"") -> None:
        """Read on as if there had been no Upgrade header.

        The parser takes what follows such a head for another protocol. A new one is told that it
        has seen a head with the same framing, then takes over.
        """
        exchange = self._incoming
        held, self._raw, self._raw_size = [*self._raw, rest], [], 0
        self._switching = None
        parser = httptools.HttpRequestParser(self)
        self._parser = parser
        self._feed = parser.feed_data
        if exchange is not None and exchange.length != 0:
            self._priming = True
            if exchange.length is None:
                framing = b"Transfer-Encoding: chunked"
            else:
                framing = b"Content-Length: %d" % exchange.length
            parser.feed_data(b"POST / HTTP/1.1\r\n%b\r\n\r\n" % framing)
            self._priming = False
        else:
            self._incoming = None
            self._between = True
            self._idle_since = self._now()
        self.adjust_reading()
        for piece in held:
            if piece:
                self.data_received(piece)

    def _advance(self) -> None:
        """Begin exchanges in their order, one at a time."""
        if self._advancing or self._transport.is_closing():
            # What a closing connection has not begun to answer is not answered any more.
            return
        self._advancing = True
        while self._waiting and self._current is None and not self.congested:
            item = self._waiting.popleft()
            if isinstance(item, Refusal):
                self._answer_refusal(item)
                break
            self._begin(item)
        self._advancing = False
        self.adjust_reading()

    def _answer_refusal(self, refusal: Refusal) -> None:
        body = refusal.why.encode("latin-1", "replace") + b"\n"
        framing = b"Content-Length: %d\r\nConnection: close\r\n" % len(body)
        headers = [(b"Content-Type", b"text/plain; charset=utf-8")]
        reason = reason_of(refusal.status)
        self._transport.write(answer_head(refusal.status, reason, headers, framing) + body)
        self._linger()

    def _done(self) -> None:
        self._current = None
        self._idle_since = self._now()
        if self._waiting:
            self._advance()

    def _close(self) -> None:
        """Close; the last answer still goes out."""
        self._deaf = True
        self._transport.close()

    def _linger(self) -> None:
        """Close, but read what still comes for a moment."""
        self._deaf = True
        self._current = self._incoming = None
        self._waiting.clear()
        if self._transport.is_closing():
            return
        if not self._reading:
            self._reading = True
            self._transport.resume_reading()
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self._deadline.set(LINGER_SECONDS)

    def _late(self) -> None:
        """The deadline has passed, which nobody moves while requests come and go."""
        incoming = self._incoming
        if self._deaf:
            if self._current is None:
                self._close()
            else:
                # A refusal waits for the answer before it.
                self._deadline.set(self._limits.idle_seconds)
        elif incoming is not None:
            if incoming.finished:
                self._close()
            elif incoming.receiving and self._reading:
                self._refuse(Refusal(408, "the request's body took too long"))
            else:
                self._deadline.set(self._limits.body_seconds)
        elif not self._between:
            self._refuse(Refusal(408, "the request's head took too long"))
        elif self._current is not None or self._waiting:
            self._deadline.set(self._limits.idle_seconds)
        else:
            left = self._idle_since + self._limits.idle_seconds - self._now()
            if left > 0:
                self._deadline.set(left)
            else:
                self._close()

    def _leave(self, why: str) -> None:
        self._deaf = True
        current, self._current = self._current, None
        waiting = tuple(self._waiting)
        self._waiting.clear()
        self._incoming = self._switching = None
        if current is not None:
            current.client_left(why)
        for item in waiting:
            if isinstance(item, Http1Exchange):
                item.client_left(why)

    def _report(self, exc: BaseException) -> None:
        self._loop.call_exception_handler(
            {"message": "a handler failed", "exception": exc, "protocol": self}
        )


class ServerTunnel:
    """A client's connection that has switched; the exchange goes on over it."""

    def __init__(
        self,
        transport: asyncio.Transport,
        client: Address,
        exchange: Http1Exchange,
        connections: set[Any],
        left: Callable[[Any], None],
    ) -> None:
        self.client = client
        self._tunnel = Tunnel(transport, self)
        self._exchange = exchange
        self._left = left
        connections.add(self)
        transport.set_protocol(self._tunnel)

    @property
    def congested(self) -> bool:
        """More is waiting to be sent than should."""
        return self._tunnel.congested

    # The server

    def shut(self) -> None:
        """Go on: what runs is not cut."""

    def abort(self) -> None:
        """Cut the connection without sending what waits."""
        self._tunnel.abort()

    reset = abort

    # The exchange

    def write(self, data: bytes) -> None:
        self._tunnel.write(data)

    def adjust_reading(self) -> None:
        self._tunnel.read(self._exchange.wants_reading)

    def finished(self, exchange: Http1Exchange, keep: bool) -> None:
        self._tunnel.close()

    def switched(self, exchange: Http1Exchange) -> "ServerTunnel":
        raise RuntimeError("the connection has switched already")

    # The tunnel

    def tunnel_data(self, data: bytes) -> None:
        self._exchange.body_arrived(data)

    def tunnel_eof(self) -> None:
        self._exchange.body_ended(())

    def tunnel_lost(self, exc: Exception | None) -> None:
        self._exchange.client_left(departure(exc))
        self._left(self)

    def tunnel_congested(self, congested: bool) -> None:
        self._exchange.congestion(congested)


_HEAD_TOO_LARGE = Refusal(431, "the request's head is too large")
_FRAMING_TOO_LARGE = Refusal(400, "the body's chunks or trailers are too large")
