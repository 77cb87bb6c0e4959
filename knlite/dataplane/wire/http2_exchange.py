"""One request of HTTP/2 and its answer; implements ``exchange.Exchange``.

Source: RFC 9113 §8.1 (framing, early answers, trailers), §8.6 (no 101); RFC 9110 §10.1.1
(100-continue), §15.2 (interim answers).
Not here: frames, windows and queues (``http2_session.py``), what heads mean (``http2_fields.py``).
"""

import asyncio
from collections.abc import Iterable

from h2.errors import ErrorCodes

from knlite.dataplane.wire.exchange import Header, Headers, Taker
from knlite.dataplane.wire.http2_fields import (
    RequestHead,
    bodiless,
    write_answer,
    write_trailers,
)
from knlite.dataplane.wire.http2_session import Session
from knlite.dataplane.wire.http2_stream import Stream
from knlite.serving.instance import Address


class Http2Exchange:
    """A request whose head is complete, and the way to answer it. The user of its stream."""

    # What is the same for most requests lives in the class, as in ``http1_exchange.py``.
    http_version = "2"
    upgrade = b""
    started = False
    finished = False
    gone: str | None = None
    _stream: Stream
    _taker: Taker | None = None
    _receiving = False
    _held: list[bytes] | None = None
    """Pieces that came before anybody wanted them; no more than one window of the stream."""
    _complete = False
    """The whole body has come."""
    _trailers: Headers = ()
    _paused = False
    _bodiless = False
    _left: int | None = None
    """Bytes of the announced answer that have not been written."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        session: Session,
        number: int,
        head: RequestHead,
        client: Address,
    ) -> None:
        self._loop = loop
        self._session = session
        self.method = head.method
        self.target = head.target
        self.headers = head.headers
        self.host = head.host
        self.length = head.length
        self.client = client
        self._expects = head.expects_continue
        self._stream = session.accept(number, self)
        self._stream.left = head.length

    # The request.

    def attend(self, taker: Taker) -> None:
        self._taker = taker
        if self.gone is not None:
            taker.client_left(self.gone)
        elif self._stream.full:
            taker.client_full()

    def receive(self) -> None:
        if self._taker is None or self.gone is not None or self._receiving:
            return
        self._receiving = True
        held, self._held = self._held or (), None
        if self._expects and not self.started and not held:
            self._session.inform(self._stream, write_answer(100, (), None))
        self._expects = False
        for piece in held:
            self.arrived(piece)
        if not self._paused:
            self._stream.flow(True)
        if self._complete:
            self.ended(self._trailers)

    def pause(self) -> None:
        self._paused = True
        self._stream.flow(False)

    def resume(self) -> None:
        self._paused = False
        if self._receiving:
            self._stream.flow(True)

    # The answer.

    def inform(self, status: int, reason: bytes, headers: Headers) -> None:
        if status == 101 or not 100 <= status < 200:
            raise ValueError(f"{status} is not the status of an interim answer")
        fields = write_answer(status, headers, None)
        if not self.started and self.gone is None:
            self._session.inform(self._stream, fields)

    def start(self, status: int, reason: bytes, headers: Headers, *, length: int | None) -> None:
        if self.started:
            raise RuntimeError("the answer has begun already")
        if status < 200:
            raise ValueError(f"{status} is not the status of a final answer")
        self._bodiless = bodiless(self.method, status)
        if status == 204:
            length = None
        fields = write_answer(status, headers, length)
        self.started = True
        if not self._bodiless:
            self._left = length
        if self.gone is None:
            self._stream.head(fields)

    def write(self, data: bytes) -> None:
        if self.gone is not None or self._bodiless or self.finished or not data:
            return
        if self._left is not None:
            self._left -= len(data)
            if self._left < 0:
                self.abort()
                return
        self._stream.write(data)

    def end(self, trailers: Headers = ()) -> None:
        if self.gone is not None or self.finished:
            return
        if self._left:
            self.abort()
            return
        fields = write_trailers(trailers) if trailers and not self._bodiless else None
        self.finished = True
        # They may refer to each other; so they need not wait for the garbage collector.
        self._taker = self._held = None
        self._stream.end(fields)
        # Whatever still comes of the body is dropped.
        self._stream.flow(True)

    def switch(self, reason: bytes, headers: Headers) -> None:
        raise RuntimeError("HTTP/2 cannot switch to another protocol (RFC 9113 §8.6)")

    def respond(
        self, status: int, headers: Headers = (), body: bytes = b"", reason: bytes | None = None
    ) -> None:
        self.start(status, b"", headers, length=len(body))
        self.write(body)
        self.end()

    def abort(self) -> None:
        if self.gone is not None:
            return
        self._stream.reset(ErrorCodes.INTERNAL_ERROR)
        self.gone = "the answer was cut"
        self._held = None
        taker, self._taker = self._taker, None
        if taker is not None:
            # Later, as with HTTP/1, where the connection has to end first.
            self._loop.call_soon(taker.client_left, self.gone)

    # What the stream tells.

    def headed(self, fields: Iterable[Header], *, ended: bool) -> None:
        raise RuntimeError("a server gets no answers")

    def arrived(self, data: bytes) -> None:
        self._expects = False
        if self._receiving:
            if self._taker is not None:
                self._taker.body(data)
        elif not self.finished and self.gone is None:
            if self._held is None:
                self._held = []
            self._held.append(data)

    def ended(self, trailers: Headers) -> None:
        self._complete = True
        self._expects = False
        self._trailers = trailers
        if self._receiving and self._taker is not None:
            self._taker.body_end(trailers)

    def lost(self, why: str, code: int | None) -> None:
        if self.gone is not None:
            return
        self.gone = why
        self._held = None
        taker, self._taker = self._taker, None
        if taker is not None:
            taker.client_left(why)

    def filled(self) -> None:
        if self._taker is not None:
            self._taker.client_full()

    def drained(self) -> None:
        if self._taker is not None:
            self._taker.client_ready()
