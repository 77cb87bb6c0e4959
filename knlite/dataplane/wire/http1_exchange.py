"""One request of HTTP/1.1 and its answer; implements ``exchange.Exchange``.

Source: RFC 9112 §6 (framing of answers), §7.1.2 (trailers), §9.3 (persistence); RFC 9110 §10.1.1
(100-continue), §15.2 (interim answers).
Not here: bytes in, limits and the order of pipelined requests (``http1_server.py``).
"""

from collections.abc import Sequence
from typing import Protocol

from knlite.dataplane.wire import framing
from knlite.dataplane.wire.exchange import HOLD_LIMIT, Header, Headers, Taker, reason_of
from knlite.serving.instance import Address


class Line(Protocol):
    """What an exchange needs of its connection."""

    @property
    def client(self) -> Address:
        """The other end."""
        ...

    @property
    def congested(self) -> bool:
        """More is waiting to be sent than should."""
        ...

    def write(self, data: bytes) -> None:
        """Send *data*."""
        ...

    def adjust_reading(self) -> None:
        """Look again whether to read from the client."""
        ...

    def finished(self, exchange: "Http1Exchange", keep: bool) -> None:
        """The answer is complete; *keep* the connection for the next one, or close it."""
        ...

    def switched(self, exchange: "Http1Exchange") -> "Line":
        """The answer is 101: return what carries the bytes from now on."""
        ...

    def abort(self) -> None:
        """Cut the connection without sending what waits."""
        ...

    def reset(self) -> None:
        """Cut it so that what has been sent cannot be taken for the whole."""
        ...


class Http1Exchange:
    """A request whose head is complete, and the way to answer it."""

    # What is the same for most requests lives in the class, so that making one costs only what
    # differs.
    started = False
    finished = False
    gone: str | None = None
    body_complete = False
    """The whole body has been read from the connection."""
    _taker: Taker | None = None
    _receiving = False
    _held: list[bytes] | None = None
    """Pieces that came before anybody wanted them."""
    _held_size = 0
    _trailers: Headers = ()
    _paused = False
    _bodiless = False
    _chunked = False
    _left: int | None = None
    """Bytes of the announced answer that have not been written."""

    def __init__(
        self,
        line: Line,
        method: bytes,
        target: bytes,
        http_version: str,
        head: framing.Framing,
        keep: bool,
    ) -> None:
        self._line = line
        self.method = method
        self.target = target
        self.http_version = http_version
        self.host, self.length, self._expects, self.upgrade, self.headers = head
        if self.length == 0:
            self.body_complete = True
        self._keep = keep
        self.client = line.client

    # The request.

    def attend(self, taker: Taker) -> None:
        self._taker = taker
        if self.gone is not None:
            taker.client_left(self.gone)
        elif self._line.congested:
            taker.client_full()

    def receive(self) -> None:
        taker = self._taker
        if taker is None or self.gone is not None:
            return
        self._receiving = True
        if self._expects and not self.started and not self._held:
            self._expects = False
            self._line.write(framing.CONTINUE)
        held = self._held
        if held:
            self._held = None
            self._held_size = 0
            for piece in held:
                taker.body(piece)
        if self.body_complete:
            taker.body_end(self._trailers)
        elif held:
            self._line.adjust_reading()

    def pause(self) -> None:
        self._paused = True
        self._line.adjust_reading()

    def resume(self) -> None:
        self._paused = False
        self._line.adjust_reading()

    # The answer.

    def inform(self, status: int, reason: bytes, headers: Headers) -> None:
        if self.http_version == "1.1" and not self.started and self.gone is None:
            self._line.write(framing.answer_head(status, reason, headers, b""))

    def start(self, status: int, reason: bytes, headers: Headers, *, length: int | None) -> None:
        head = self._open(status, reason, headers, length)
        if self.gone is None:
            self._line.write(head)

    def write(self, data: bytes) -> None:
        if self.gone is not None or self._bodiless or not data:
            return
        if self._left is not None:
            self._left -= len(data)
            if self._left < 0:
                self.abort()
                return
        self._line.write(framing.chunk(data) if self._chunked else data)

    def end(self, trailers: Headers = ()) -> None:
        if self.gone is not None or self.finished:
            return
        if self._left and not self._bodiless:
            self.abort()
            return
        if self._chunked:
            self._line.write(framing.last_chunk(trailers))
        self._close()

    def switch(self, reason: bytes, headers: Headers) -> None:
        if not self.upgrade:
            raise RuntimeError("the client did not ask to switch")
        lines = [*headers, (b"Connection", b"Upgrade")]
        head = framing.answer_head(101, reason or reason_of(101), lines, b"")
        self.started = True
        self._keep = False
        if self.gone is None:
            self._line.write(head)
            # What was a request without a body now says as much as it likes.
            self.body_complete = False
            self.length = None
            self._line = self._line.switched(self)

    def respond(
        self, status: int, headers: Headers = (), body: bytes = b"", reason: bytes | None = None
    ) -> None:
        if reason is None:
            reason = reason_of(status)
        head = self._open(status, reason, headers, len(body))
        if self.gone is not None:
            return
        self._line.write(head if self._bodiless else head + body)
        self._close()

    def abort(self) -> None:
        # Where the end of the connection ends the answer, an orderly end would look like one.
        if self.http_version == "1.0" and self.started and self._left is None:
            self._line.reset()
        else:
            self._line.abort()

    # What the connection tells.

    @property
    def wants_reading(self) -> bool:
        """Whether more of the body may be read."""
        return self.body_complete or not (self._paused or self._held_size > HOLD_LIMIT)

    @property
    def receiving(self) -> bool:
        """Whether the rest of the body is wanted now."""
        return self._receiving and not self._paused and not self.body_complete

    def body_arrived(self, data: bytes) -> None:
        """Take a piece of the body from the connection."""
        self._expects = False
        if self._receiving:
            if self._taker is not None:
                self._taker.body(data)
        elif not self.finished:
            if self._held is None:
                self._held = []
            self._held.append(data)
            self._held_size += len(data)
            if self._held_size > HOLD_LIMIT:
                self._line.adjust_reading()

    def body_ended(self, trailers: Headers) -> None:
        """Take the end of the body from the connection."""
        self.body_complete = True
        self._trailers = trailers
        self._expects = False
        if self._receiving and self._taker is not None:
            self._taker.body_end(trailers)

    def client_left(self, why: str) -> None:
        """The connection is lost, or of no use any more."""
        if self.gone is not None:
            return
        self.gone = why
        taker, self._taker = self._taker, None
        if taker is not None and not self.finished:
            taker.client_left(why)

    def congestion(self, congested: bool) -> None:
        """More, or no longer more, is waiting to be sent than should."""
        if self._taker is not None:
            if congested:
                self._taker.client_full()
            else:
                self._taker.client_ready()

    def _open(
        self, status: int, reason: bytes, headers: Sequence[Header], length: int | None
    ) -> bytes:
        if self.started:
            raise RuntimeError("the answer has begun already")
        # A client that still waits for leave to send its body may send it or not; only closing
        # tells both sides the same.
        keep = self._keep and not self._expects
        chunked = False
        bodiless = self.method == b"HEAD"
        if status in _BODILESS:
            bodiless = True
            if status == 204:
                length = None
        if length is not None:
            lines = b"Content-Length: %d\r\n" % length
        elif bodiless:
            lines = b""
        elif self.http_version == "1.1":
            lines = b"Transfer-Encoding: chunked\r\n"
            chunked = True
        else:
            lines = b""
            keep = False
        if not keep:
            lines += b"Connection: close\r\n"
        elif self.http_version == "1.0":
            lines += b"Connection: keep-alive\r\n"
        head = framing.answer_head(status, reason, headers, lines)
        self.started = True
        self._keep = keep
        if bodiless:
            self._bodiless = True
        elif chunked:
            self._chunked = True
        else:
            self._left = length
        return head

    def _close(self) -> None:
        self.finished = True
        # They may refer to each other; so they need not wait for the garbage collector.
        self._taker = None
        self._held = None
        self._held_size = 0
        self._paused = False
        self._line.finished(self, self._keep)


_BODILESS = frozenset((204, 304))
