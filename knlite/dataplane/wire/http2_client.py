"""The client side of HTTP/2 without TLS: many calls on one connection.

``Http2Call`` is what a caller holds, ``Http2ClientConnection`` what the pool holds. A call may be
moved to another connection as long as its server has certainly not acted on it: it has said so, and
nothing of a coming body has been sent.

Source: RFC 9113 §3.3 (prior knowledge), §8.1 (messages), §8.7 (what may be repeated), §6.8
(GOAWAY), §9.1 (persistence).
Not here: which connection is taken (``http2_pool.py``), frames and windows (``http2_session.py``).
"""

import asyncio
from collections.abc import Iterable
from typing import Protocol, cast

from h2.errors import ErrorCodes

from knlite.dataplane.wire.call import Coming, Receiver
from knlite.dataplane.wire.dial import words
from knlite.dataplane.wire.exchange import Header, Headers, reason_of
from knlite.dataplane.wire.failures import Broken, Failure
from knlite.dataplane.wire.http2_fields import read_answer, write_request, write_trailers
from knlite.dataplane.wire.http2_frames import Goaway
from knlite.dataplane.wire.http2_session import Session, code_name
from knlite.dataplane.wire.http2_stream import Stream


class Http2Call:
    """A request on its way, and its answer; implements ``call.Call``. The user of its stream."""

    __slots__ = (
        "_body",
        "_coming",
        "_fields",
        "_keeper",
        "_method",
        "_paused",
        "_pending",
        "_receiver",
        "_retried",
        "_sent",
        "_stream",
        "_touched",
        "_trailers",
        "over",
    )

    def __init__(
        self,
        keeper: "Keeper",
        method: bytes,
        target: bytes,
        headers: Headers,
        body: bytes | Coming,
        receiver: Receiver,
    ) -> None:
        self._keeper = keeper
        self._method = method
        self._receiver = receiver
        if isinstance(body, Coming):
            self._coming = True
            self._body = b""
            length = body.length
        else:
            self._coming = False
            self._body = body
            length = len(body)
        self._fields = write_request(method, target, headers, length)
        self._sent = False
        """The caller has ended a coming body."""
        self._trailers: list[Header] = []
        self._touched = False
        """Some of a coming body is on its way, or an answer has begun: it cannot be repeated."""
        self._retried = False
        self._pending: list[bytes] = []
        """What was written before there was a stream."""
        self._stream: Stream | None = None
        self._paused = False
        self.over = False
        """The answer is complete or has failed."""

    # The caller

    @property
    def ready(self) -> bool:
        return self._stream is not None and not self._stream.full

    def write(self, data: bytes) -> None:
        if self.over or self._sent:
            return
        if self._stream is None:
            self._pending.append(data)
        else:
            self._touched = True
            self._stream.write(data)

    def end(self, trailers: Headers = ()) -> None:
        if self.over or self._sent or not self._coming:
            return
        self._trailers = write_trailers(trailers)
        self._sent = True
        if self._stream is not None:
            self._touched = True
            self._stream.end(self._trailers)

    def pause(self) -> None:
        self._paused = True
        if self._stream is not None:
            self._stream.flow(False)

    def resume(self) -> None:
        self._paused = False
        if self._stream is not None:
            self._stream.flow(True)

    def cancel(self) -> None:
        if not self.over:
            stream = self._stream
            self._finish()
            if stream is not None:
                stream.reset(ErrorCodes.CANCEL)

    # The pool

    def begin(self, session: Session) -> None:
        """Open a stream for the call."""
        body = self._body
        stream = session.open(self._fields, self, ended=not (self._coming or body))
        self._stream = stream
        if self._paused:
            stream.flow(False)
        if body:
            stream.write(body)
            stream.end()
        pending, self._pending = self._pending, []
        for piece in pending:
            self._touched = True
            stream.write(piece)
        if self._sent:
            self._touched = True
            stream.end(self._trailers)

    def begun_late(self) -> None:
        """It had to wait before it began."""
        if self._coming and not self._sent and self.ready:
            self._receiver.server_ready()

    def failed(self, failure: Failure) -> None:
        """There will be no answer, or not the rest of it."""
        if not self.over:
            receiver = self._receiver
            self._finish()
            receiver.failed(failure)

    def unprocessed(self, why: str) -> None:
        """The server has not acted on it, and says so (RFC 9113 §8.7)."""
        if self.over:
            return
        if self._touched or self._retried:
            self.failed(Broken(why))
            return
        self._retried = True
        was_ready = self.ready
        self._stream = None
        if self._coming and was_ready:
            self._receiver.server_full()
        self._keeper.repeat(self)

    # The stream

    def headed(self, fields: Iterable[Header], *, ended: bool) -> None:
        stream = self._stream
        if stream is None:
            return
        head = read_answer(fields, self._method, ended=ended)
        status = head.status
        if status >= 200:
            self._touched = True
            if ended and head.length == 0:
                self._answered(status, head.headers)
                return
            stream.left = head.body_length
            self._receiver.head(status, reason_of(status), head.headers, head.length)
        elif status != 100:
            self._receiver.interim(status, reason_of(status), head.headers)

    def arrived(self, data: bytes) -> None:
        if not self.over:
            self._receiver.data(data)

    def ended(self, trailers: Headers) -> None:
        if self.over:
            return
        receiver = self._receiver
        self._complete()
        receiver.end(trailers)

    def lost(self, why: str, code: int | None) -> None:
        if code == ErrorCodes.REFUSED_STREAM:
            self.unprocessed(why)
        else:
            self.failed(Broken(why))

    def filled(self) -> None:
        if self._coming and not self.over:
            self._receiver.server_full()

    def drained(self) -> None:
        if self._coming and not self.over:
            self._receiver.server_ready()

    def _answered(self, status: int, headers: list[Header]) -> None:
        """The answer is no more than its head, as gRPC's are that have failed at once."""
        receiver = self._receiver
        self._complete()
        receiver.answered(status, reason_of(status), headers, b"")

    def _complete(self) -> None:
        stream = self._stream
        self._finish()
        if stream is not None and not stream.complete:
            # The server does not want the rest of the request.
            stream.reset(ErrorCodes.NO_ERROR)

    def _finish(self) -> None:
        self.over = True
        self._stream = None
        self._pending = []


class Keeper(Protocol):
    """What calls and connections need of their pool."""

    def free(self, connection: "Http2ClientConnection") -> None:
        """It may have room for another call."""
        ...

    def lost(self, connection: "Http2ClientConnection") -> None:
        """It is no more."""
        ...

    def repeat(self, call: Http2Call) -> None:
        """Begin *call* once more, on another connection."""
        ...


class Http2ClientConnection(asyncio.Protocol):
    """One connection to a server. The user of its session."""

    _retired = False
    """The server takes no more streams."""
    _farewell = ""
    """Why, if it is for a fault."""

    def __init__(self, loop: asyncio.AbstractEventLoop, keeper: Keeper, assumed: int) -> None:
        """*assumed* is how many calls it takes before the server has said so."""
        self._loop = loop
        self._assumed = assumed
        self._keeper = keeper
        self._transport: asyncio.Transport
        self._session: Session
        self.idle_since = 0.0

    @property
    def room(self) -> int:
        """How many calls it can take."""
        session = self._session
        if self._retired or session.over or session.exhausted or self._transport.is_closing():
            return 0
        return session.streams_allowed - len(session.streams)

    @property
    def allowed(self) -> int:
        """How many calls the server takes at once."""
        return self._session.streams_allowed

    @property
    def idle(self) -> bool:
        """It carries no call."""
        return not self._session.streams

    @property
    def over(self) -> bool:
        """It is of no use any more."""
        return self._session.over

    def begin(self, call: Http2Call) -> None:
        """Send *call*; there must be room."""
        call.begin(self._session)

    def close(self) -> None:
        """Close an idle connection."""
        if not self._session.over:
            self._session.goaway()
            self._session.lose("the connection was closed")
        self._hang_up()

    def abort(self, why: str) -> None:
        """Cut the connection at once; its calls fail."""
        self._session.lose(why)
        self._transport.abort()

    # asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the methods but not the type.
        self._transport = cast("asyncio.Transport", transport)
        self._session = Session(
            self._loop, self._transport, self, client=True, streams=self._assumed
        )

    def data_received(self, data: bytes) -> None:
        self._session.feed(data)

    def eof_received(self) -> None:
        self._ended("unexpected EOF")

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended("unexpected EOF" if exc is None else words(exc))
        self._keeper.lost(self)

    def pause_writing(self) -> None:
        self._session.congest(True)

    def resume_writing(self) -> None:
        self._session.congest(False)

    # The session

    def requested(self, stream: int, fields: Iterable[Header], *, ended: bool) -> None:
        raise RuntimeError("a client gets no requests")

    def closed(self, stream: Stream) -> None:
        if not self._retired:
            self._keeper.free(self)
        elif self.idle:
            self.close()

    def settled(self) -> None:
        if self.room:
            self._keeper.free(self)

    def leaving(self, goaway: Goaway) -> None:
        self._retired = True
        code = code_name(goaway.code)
        why = f"the server closed the connection: {code}"
        if goaway.why:
            why += f" ({goaway.why.decode('ascii', 'replace')[:200]})"
        if goaway.code != ErrorCodes.NO_ERROR:
            self._farewell = why
        session = self._session
        for stream in tuple(session.streams.values()):
            if stream.id > goaway.last:
                user = stream.user
                session.abandon(stream)
                if isinstance(user, Http2Call):
                    user.unprocessed(why)
        if self.idle:
            self.close()

    def failed(self, why: str) -> None:
        self._hang_up()

    def report(self, exc: Exception) -> None:
        self._loop.call_exception_handler(
            {"message": "a receiver failed", "exception": exc, "protocol": self}
        )

    def _hang_up(self) -> None:
        """Close; what cannot be sent at once is not waited for."""
        if self._transport.get_write_buffer_size():
            self._transport.abort()
        else:
            self._transport.close()

    def _ended(self, why: str) -> None:
        session = self._session
        if not session.settled:
            why = f"the server closed the connection without a word of HTTP/2 (h2c): {why}"
        session.lose(self._farewell or why)
