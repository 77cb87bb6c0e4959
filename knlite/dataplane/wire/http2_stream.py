"""One stream of HTTP/2, seen from either end: what waits to be sent, and what came and was taken.

Source: RFC 9113 §5.1 (streams), §5.2 and §6.9 (flow control).
Not here: when it is a stream's turn, and what belongs to the connection (``http2_session.py``).
"""

from collections import deque
from collections.abc import Iterable
from typing import Protocol

from h2.connection import H2Connection
from h2.errors import ErrorCodes

from knlite.dataplane.wire.exchange import HOLD_LIMIT, Header, Headers

STREAM_WINDOW = HOLD_LIMIT - 1
"""Bytes that a stream may send before they are taken; HTTP/2's default."""
QUEUE_LIMIT = 64 * 1024
"""Bytes that a stream may queue before its writer is told to stop."""
QUEUE_LOW = 16 * 1024
"""Bytes of its queue at which it may go on."""
_FRAME_SENT = 64 * 1024
"""A frame of ours is no longer than this, so that streams take turns."""


class StreamUser(Protocol):
    """Whom a stream belongs to."""

    def headed(self, fields: Iterable[Header], *, ended: bool) -> None:
        """Take an answer's head, interim or final. Raises ``Malformed``."""
        ...

    def arrived(self, data: bytes) -> None:
        """Take the next piece of the body, never empty."""
        ...

    def ended(self, trailers: Headers) -> None:
        """The other side has sent everything."""
        ...

    def lost(self, why: str, code: int | None) -> None:
        """The stream is over before its time; *code* if the other side has reset it."""
        ...

    def filled(self) -> None:
        """More is queued than should be."""
        ...

    def drained(self) -> None:
        """More may be written."""
        ...


class _Nobody:
    """The user of a stream that nobody has, or nobody any more."""

    def headed(self, fields: Iterable[Header], *, ended: bool) -> None:
        pass

    def arrived(self, data: bytes) -> None:
        pass

    def ended(self, trailers: Headers) -> None:
        pass

    def lost(self, why: str, code: int | None) -> None:
        pass

    def filled(self) -> None:
        pass

    def drained(self) -> None:
        pass


NOBODY = _Nobody()


class Line(Protocol):
    """What a stream needs of its session."""

    congested: bool
    """The transport does not take more."""

    def want(self, stream: "Stream") -> None:
        """*stream* has something to send."""
        ...

    def push(self, stream: "Stream") -> None:
        """Send now what *stream* has too much of, as far as windows and transport allow."""
        ...

    def open_window(self, size: int, number: int) -> None:
        """Let the other side send *size* more bytes on a stream."""
        ...

    def drop(self, stream: "Stream", code: ErrorCodes) -> None:
        """Reset *stream*."""
        ...


class Stream:
    """One stream: what waits to be sent on it, and how much of what came has been taken."""

    __slots__ = (
        "_ending",
        "_head",
        "_owed",
        "_queue",
        "_session",
        "_size",
        "_trailers",
        "complete",
        "flowing",
        "full",
        "id",
        "left",
        "over",
        "received",
        "trailers",
        "user",
        "withheld",
    )

    def __init__(self, session: Line, number: int, user: StreamUser) -> None:
        self._session = session
        self.id = number
        self.user = user
        self._head: list[Header] | None = None
        self._queue: deque[bytes | memoryview] = deque()
        self._size = 0
        self._ending = False
        self._trailers: list[Header] | None = None
        self.full = session.congested
        """Its writer has been told to stop."""
        self.received = False
        """The other side has sent everything."""
        self.complete = False
        """Everything of ours has been sent."""
        self.over = False
        self.left: int | None = None
        """Bytes of the other side's body that have been announced and did not come yet."""
        self.trailers: Headers = ()
        """The other side's."""
        self.flowing = False
        self.withheld = 0
        self._owed = 0

    # Sending

    def head(self, fields: list[Header]) -> None:
        """Send a head at the end of this turn, together with what follows it."""
        self._head = fields
        self._session.want(self)

    def write(self, data: bytes) -> None:
        """Send *data*, which is not empty, as windows allow."""
        if self.over or self._ending:
            return
        self._queue.append(data)
        self._size += len(data)
        self._session.want(self)
        if self.crowded:
            self._session.push(self)
        if self.crowded and not self.full:
            self.full = True
            self.user.filled()

    def end(self, trailers: list[Header] | None = None) -> None:
        """Everything has been written."""
        if self.over or self._ending:
            return
        self._ending = True
        self._trailers = trailers or None
        self._session.want(self)

    def reset(self, code: ErrorCodes) -> None:
        """End the stream in both directions; its user hears nothing more."""
        if not self.over:
            self._session.drop(self, code)

    # Receiving

    def flow(self, flowing: bool) -> None:
        """Open the window again for what came and comes, or do not."""
        self.flowing = flowing
        if flowing and self.withheld:
            size, self.withheld = self.withheld, 0
            self.taken(size)

    def taken(self, size: int) -> None:
        """*size* bytes of the window have come: open it again, now or when it flows."""
        if not self.flowing:
            self.withheld += size
            return
        self._owed += size
        if self._owed * 2 >= STREAM_WINDOW and not (self.received or self.over):
            owed, self._owed = self._owed, 0
            self._session.open_window(owed, self.id)

    # The session

    def advance(self, h2: H2Connection) -> bool | None:
        """Send one frame. False if a window is shut, None if nothing is left to send."""
        if self._head is not None:
            fields, self._head = self._head, None
            last = self._last
            h2.send_headers(self.id, fields, end_stream=last)
            if last:
                self.complete = True
                return None
        if self._queue:
            window = h2.local_flow_control_window(self.id)
            if window <= 0:
                return False
            piece = self._take(min(window, h2.max_outbound_frame_size, _FRAME_SENT))
            self.complete = self._last
            h2.send_data(self.id, piece, end_stream=self.complete)
            return None if self.complete or not (self._queue or self._ending) else True
        if not self._ending:
            return None
        if self._trailers is not None:
            h2.send_headers(self.id, self._trailers, end_stream=True)
        else:
            h2.end_stream(self.id)
        self.complete = True
        return None

    def refresh(self, congested: bool) -> None:
        """Tell the writer what has changed."""
        if self._ending or self.over:
            return
        if congested or self.crowded:
            if not self.full:
                self.full = True
                self.user.filled()
        elif self.full and self._size <= QUEUE_LOW:
            self.full = False
            self.user.drained()

    def forget(self) -> None:
        """Let go of what will not be sent, and of its user."""
        self.over = True
        # They refer to each other; so they need not wait for the garbage collector.
        self.user = NOBODY
        self._head = self._trailers = None
        self._queue.clear()
        self._size = 0

    @property
    def crowded(self) -> bool:
        """More is queued than should be."""
        return self._size > QUEUE_LIMIT

    @property
    def _last(self) -> bool:
        return self._ending and not self._queue and self._trailers is None

    def _take(self, room: int) -> bytes | memoryview:
        """Take up to *room* bytes from the queue; small pieces as one."""
        queue = self._queue
        first = queue.popleft()
        if len(first) > room:
            view = memoryview(first)
            queue.appendleft(view[room:])
            first = view[:room]
        elif queue and len(first) + len(queue[0]) <= room:
            pieces = [first]
            size = len(first)
            while queue and size + len(queue[0]) <= room:
                size += len(queue[0])
                pieces.append(queue.popleft())
            first = b"".join(pieces)
        self._size -= len(first)
        return first
