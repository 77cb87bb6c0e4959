"""One request and its answer, as the server side hands them to its handler.

All methods are synchronous and may be called from any callback. Once the client has gone, those
that write do nothing, so that a handler needs no second branch; ``on_gone`` tells it to stop work.

Framing belongs to this module: headers given to ``start`` or ``respond`` must not name
Content-Length, Transfer-Encoding or Connection.

Source: RFC 9112 §6 (framing of answers), §9.3 (persistence); RFC 9110 §10.1.1 (100-continue).
Not here: bytes in, limits and the order of pipelined requests (``server.py``). Switching to another
protocol would be a third way to answer beside ``start`` and ``respond``: it is not there yet.
"""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Protocol

from knlite.dataplane.wire import framing
from knlite.dataplane.wire.body import BodyReceiver, TooLarge, WholeBody
from knlite.dataplane.wire.framing import Framing, lookup
from knlite.serving.instance import Address

HOLD_LIMIT = 64 * 1024
"""Bytes of a body that wait for a receiver before reading pauses."""


class Line(Protocol):
    """What an exchange needs of its connection."""

    client: Address
    congested: bool
    """More is waiting to be sent than should."""

    def write(self, data: bytes) -> None:
        """Send *data*."""
        ...

    def adjust_reading(self) -> None:
        """Look again whether to read from the client."""
        ...

    def finished(self, exchange: "Exchange", keep: bool) -> None:
        """The answer is complete; *keep* the connection for the next one, or close it."""
        ...

    def abort(self) -> None:
        """Cut the connection without sending what waits."""
        ...


class Exchange:
    """A request whose head is complete, and the way to answer it."""

    __slots__ = (
        "_answer_length",
        "_bodiless",
        "_body_complete",
        "_chunked",
        "_expects",
        "_finished",
        "_gone",
        "_held",
        "_held_size",
        "_keep",
        "_line",
        "_on_gone",
        "_pause_writing",
        "_paused",
        "_receiver",
        "_resume_writing",
        "_started",
        "headers",
        "host",
        "http_version",
        "length",
        "method",
        "target",
    )

    def __init__(
        self,
        line: Line,
        *,
        method: bytes,
        target: bytes,
        http_version: str,
        headers: list[tuple[bytes, bytes]],
        head: Framing,
        keep: bool,
    ) -> None:
        self.method = method
        self.target = target
        self.http_version = http_version
        self.headers = headers
        self.host = head.host
        """Of the Host header, or of the target in absolute form."""
        self.length = head.length
        """Bytes of the body; 0 if none comes, None if it comes in chunks."""
        self._expects = head.expects_continue
        self._line = line
        self._keep = keep
        self._receiver: BodyReceiver | None = None
        self._held: list[bytes] = []
        self._held_size = 0
        self._paused = False
        self._body_complete = False
        self._started = False
        self._finished = False
        self._bodiless = False
        self._chunked = False
        self._answer_length: int | None = None
        self._gone: str | None = None
        self._on_gone: Callable[[str], None] | None = None
        self._pause_writing: Callable[[], None] | None = None
        self._resume_writing: Callable[[], None] | None = None

    # The request.

    @property
    def path(self) -> bytes:
        """The target's path, always beginning with ``/`` (but ``*`` for OPTIONS)."""
        target = self.target
        if not target.startswith(b"/") and b"://" in target:
            target = b"/" + target.partition(b"://")[2].partition(b"?")[0].partition(b"/")[2]
        return target.partition(b"?")[0]

    @property
    def query(self) -> bytes:
        """What follows the target's ``?``."""
        return self.target.partition(b"?")[2]

    @property
    def client(self) -> Address:
        """The other end of the connection."""
        return self._line.client

    def header(self, name: bytes) -> bytes | None:
        """Return the first value of *name*, which is given in lower case."""
        return lookup(self.headers, name)

    @property
    def gone(self) -> str | None:
        """Why the client is not there any more, if so."""
        return self._gone

    def on_gone(self, callback: Callable[[str], None]) -> None:
        """Call *callback* when the client leaves before its answer is complete."""
        self._on_gone = callback
        if self._gone is not None:
            callback(self._gone)

    # The request's body.

    def receive(self, receiver: BodyReceiver) -> None:
        """Hand the body to *receiver*, beginning with what has come already.

        Asks a client that waits for it to send the body.
        """
        self._receiver = receiver
        if self._gone is not None:
            if not self._body_complete:
                receiver.gone(self._gone)
            return
        if self._expects and not self._started and not self._held:
            self._expects = False
            self._line.write(framing.CONTINUE)
        held, self._held, self._held_size = self._held, [], 0
        for piece in held:
            receiver.data(piece)
        if self._body_complete:
            receiver.end()
        elif held:
            self._line.adjust_reading()

    def read_body(self, limit: int, done: Callable[[bytes | TooLarge], None]) -> None:
        """Call *done* with the whole body, or as soon as it is known to exceed *limit* bytes."""
        if self.length is not None and self.length > limit:
            done(TooLarge(limit))
        else:
            self.receive(WholeBody(limit, done))

    def pause(self) -> None:
        """Stop reading from the client. What has been read from the socket still arrives."""
        self._paused = True
        self._line.adjust_reading()

    def resume(self) -> None:
        """Read on."""
        self._paused = False
        self._line.adjust_reading()

    # The answer.

    @property
    def started(self) -> bool:
        """The answer's head has been sent."""
        return self._started

    @property
    def finished(self) -> bool:
        """The answer is complete."""
        return self._finished

    def flow(self, pause: Callable[[], None], resume: Callable[[], None]) -> None:
        """Call *pause* when the client reads slower than the answer comes, *resume* after it."""
        self._pause_writing = pause
        self._resume_writing = resume
        if self._line.congested:
            pause()

    def start(
        self,
        status: int,
        reason: bytes,
        headers: Sequence[tuple[bytes, bytes]],
        *,
        length: int | None,
    ) -> None:
        """Send the answer's head; a *length* of None announces chunks.

        To HEAD and with 304, *length* is what a GET would get, or None if that is not known.
        Raises ValueError, and sends nothing, if a header contains a line end.
        """
        head = self._open(status, reason, headers, length)
        if self._gone is None:
            self._line.write(head)

    def write(self, data: bytes) -> None:
        """Send a piece of the body. Dropped where the answer must not have one."""
        if self._gone is not None or self._bodiless or not data:
            return
        if self._answer_length is not None:
            self._answer_length -= len(data)
            if self._answer_length < 0:
                self.abort()
                return
        self._line.write(framing.chunk(data) if self._chunked else data)

    def end(self) -> None:
        """The answer is complete. Cuts the connection if it is shorter than announced."""
        if self._gone is not None or self._finished:
            return
        if self._answer_length and not self._bodiless:
            self.abort()
            return
        if self._chunked:
            self._line.write(framing.LAST_CHUNK)
        self._close()

    def respond(
        self, status: int, headers: Sequence[tuple[bytes, bytes]] = (), body: bytes = b""
    ) -> None:
        """Send a whole answer."""
        head = self._open(status, reason_of(status), headers, len(body))
        if self._gone is not None:
            return
        self._line.write(head if self._bodiless else head + body)
        self._close()

    def abort(self) -> None:
        """Cut the connection, so that the client sees that the answer is not complete."""
        self._line.abort()

    # What the connection tells.

    @property
    def wants_reading(self) -> bool:
        """Whether more of the body may be read."""
        return self._body_complete or not (self._paused or self._held_size > HOLD_LIMIT)

    @property
    def body_complete(self) -> bool:
        """The whole body has been read from the connection."""
        return self._body_complete

    def body_arrived(self, data: bytes) -> None:
        """Take a piece of the body from the connection."""
        self._expects = False
        if self._receiver is not None:
            self._receiver.data(data)
        elif not self._finished:
            self._held.append(data)
            self._held_size += len(data)
            if self._held_size > HOLD_LIMIT:
                self._line.adjust_reading()

    def body_ended(self) -> None:
        """Take the end of the body from the connection."""
        self._body_complete = True
        self._expects = False
        if self._receiver is not None:
            self._receiver.end()

    def client_left(self, why: str) -> None:
        """The connection is lost, or of no use any more."""
        if self._gone is not None:
            return
        self._gone = why
        receiver, self._receiver = self._receiver, None
        if receiver is not None and not self._body_complete:
            receiver.gone(why)
        if self._on_gone is not None and not self._finished:
            self._on_gone(why)
        self._on_gone = self._pause_writing = self._resume_writing = None

    def congestion(self, congested: bool) -> None:
        """More, or no longer more, is waiting to be sent than should."""
        callback = self._pause_writing if congested else self._resume_writing
        if callback is not None:
            callback()

    def _open(
        self,
        status: int,
        reason: bytes,
        headers: Sequence[tuple[bytes, bytes]],
        length: int | None,
    ) -> bytes:
        if self._started:
            raise RuntimeError("the answer has begun already")
        no_body = status == 204
        bodiless = no_body or status == 304 or self.method == b"HEAD"
        chunked = False
        # A client that still waits for leave to send its body may send it or not; only closing
        # tells both sides the same.
        keep = self._keep and not self._expects
        if no_body or (bodiless and length is None):
            lines = b""
        elif length is not None:
            lines = b"Content-Length: %d\r\n" % length
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
        self._started = True
        self._keep = keep
        self._bodiless = bodiless
        self._chunked = chunked
        self._answer_length = length
        return head

    def _close(self) -> None:
        self._finished = True
        self._held = []
        self._held_size = 0
        self._paused = False
        self._receiver = None
        self._on_gone = self._pause_writing = self._resume_writing = None
        self._line.finished(self, self._keep)


def reason_of(status: int) -> bytes:
    """Return the usual words for *status*, empty if it has none."""
    return _REASONS.get(status, b"")


_REASONS = {status.value: status.phrase.encode() for status in HTTPStatus}
