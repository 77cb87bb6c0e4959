"""The server side of HTTP/2, for clients that begin with it: by agreement (ALPN) over TLS, by prior
knowledge without.

A connection carries many exchanges at once; each begins when its head is complete. One that does
more harm than good is ended (``http2_patience.py``), and so is one that is idle, or that takes too
long with its preface or with a head.

Source: RFC 9113 §3.3 and §3.4 (prior knowledge, preface), §5.1.2 (concurrency), §6.8 (GOAWAY),
§8.1 (requests), §9.1 (persistence), §10.5 (denial of service).
Not here: deciding that a client speaks HTTP/2, and listening (``listener.py``). The old upgrade
from HTTP/1.1 (``Upgrade: h2c``) is gone from the standard and is not spoken. CONNECT, and with it
WebSocket over HTTP/2 (RFC 8441), is answered with 501. Bodies in transit have no deadline of their
own; those who want them have.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, cast

from h2.errors import ErrorCodes

from knlite.dataplane.wire.deadline import Deadline
from knlite.dataplane.wire.exchange import Handler, Header, departure
from knlite.dataplane.wire.framing import Refusal
from knlite.dataplane.wire.http2_exchange import Http2Exchange
from knlite.dataplane.wire.http2_fields import read_request, write_answer
from knlite.dataplane.wire.http2_frames import Goaway
from knlite.dataplane.wire.http2_session import Session
from knlite.dataplane.wire.http2_stream import NOBODY, Stream
from knlite.dataplane.wire.limits import Limits
from knlite.serving.instance import Address

LINGER_SECONDS = 2.0
"""How long to read on after a GOAWAY, so that a reset does not overtake it."""


class Http2Connection(asyncio.Protocol):
    """One client's connection. The user of its session."""

    client = Address("", 0)
    _closing = False
    """Close after the last exchange."""
    _deaf = False
    """Whatever arrives is ignored."""
    _refused_above = 2**31
    """The last stream that our GOAWAY has promised to answer."""
    _failed = False
    """For a fault of the client's."""
    _in_head = True
    _progress = 0
    """What had come when the deadline was set for a head."""
    _idle_progress = 0
    """The same when it passed and there were exchanges."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        handler: Handler,
        limits: Limits,
        connections: set[Any],
        left: Callable[[Any], None],
    ) -> None:
        self._loop = loop
        self._handler = handler
        self._limits = limits
        self._connections = connections
        self._left = left
        self._deadline = Deadline(loop, self._late)
        self._transport: asyncio.Transport
        self._session: Session

    # asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the methods but not the type.
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        if isinstance(peer, tuple):
            self.client = Address(peer[0], peer[1])
        self._connections.add(self)
        self._session = Session(
            self._loop,
            self._transport,
            self,
            client=False,
            streams=self._limits.streams,
            head_bytes=self._limits.head_bytes,
        )
        self._deadline.set(self._limits.head_seconds)

    def data_received(self, data: bytes) -> None:
        if not self._deaf:
            self._session.feed(data)
            self._watch()

    def eof_received(self) -> None:
        self._leave(departure(None))

    def connection_lost(self, exc: Exception | None) -> None:
        self._deadline.cancel()
        self._leave(departure(exc))
        self._left(self)

    def pause_writing(self) -> None:
        self._session.congest(True)

    def resume_writing(self) -> None:
        self._session.congest(False)

    # The listener

    def shut(self) -> None:
        """Take no more requests; close once all that there are have been answered."""
        if self._closing or self._deaf:
            return
        self._closing = True
        self._refused_above = self._session.last_stream
        self._session.goaway()
        if not self._session.streams:
            self._close()

    def abort(self) -> None:
        """Cut the connection without sending what waits."""
        self._deaf = True
        self._transport.abort()

    # The session

    def requested(self, stream: int, fields: Iterable[Header], *, ended: bool) -> None:
        session = self._session
        if stream > self._refused_above or len(session.streams) >= self._limits.streams:
            session.refuse(stream, ErrorCodes.REFUSED_STREAM)
            return
        limits = self._limits
        head = read_request(
            fields, ended=ended, head_bytes=limits.head_bytes, header_count=limits.header_count
        )
        if isinstance(head, Refusal):
            _refuse(session.accept(stream, NOBODY), head)
            return
        exchange = Http2Exchange(self._loop, session, stream, head, self.client)
        try:
            self._handler(exchange)
        except Exception as exc:  # noqa: BLE001 - a handler's fault must not end the loop
            self.report(exc)
            if not exchange.started:
                exchange.respond(500)
            elif not exchange.finished:
                exchange.abort()

    def closed(self, stream: Stream) -> None:
        if not self._session.streams:
            if self._closing:
                self._close()
            elif not self._in_head and not self._deaf:
                self._deadline.set(self._limits.idle_seconds)

    def settled(self) -> None:
        pass

    def leaving(self, goaway: Goaway) -> None:
        # It will close when it has its answers.
        pass

    def failed(self, why: str) -> None:
        self._failed = True
        self._close()

    def report(self, exc: Exception) -> None:
        self._loop.call_exception_handler(
            {"message": "a handler failed", "exception": exc, "protocol": self}
        )

    # What follows

    def _watch(self) -> None:
        """Set the deadline for what is waited for now."""
        session = self._session
        if self._deaf:
            return
        if session.in_head:
            if not self._in_head or session.progress != self._progress:
                self._in_head = True
                self._deadline.set(self._limits.head_seconds)
        elif self._in_head:
            self._in_head = False
            self._deadline.set(self._limits.idle_seconds)
        self._progress = session.progress

    def _late(self) -> None:
        session = self._session
        if self._deaf:
            if self._failed or self._transport.is_closing():
                self._transport.abort()
            else:
                # The last answer may still be on its way to a slow client.
                self._deadline.set(self._limits.idle_seconds)
                self._transport.close()
        elif self._in_head:
            session.fail(ErrorCodes.PROTOCOL_ERROR, "a preface or a head took too long")
        elif not session.streams:
            session.goaway()
            self._close()
        elif session.progress != self._idle_progress or any(
            isinstance(stream.user, Http2Exchange) and not stream.user.finished
            for stream in session.streams.values()
        ):
            self._idle_progress = session.progress
            self._deadline.set(self._limits.idle_seconds)
        else:
            session.fail(ErrorCodes.ENHANCE_YOUR_CALM, "answers are not taken")

    def _close(self) -> None:
        """Close; what has been written still goes out, and what still comes is read for a moment.

        A client may be sending a request, and bytes that are not read make a reset that would
        overtake the GOAWAY which says that it may be sent again.
        """
        if self._deaf or self._transport.is_closing():
            return
        self._deaf = True
        self._session.fall_silent()
        self._deadline.set(LINGER_SECONDS)

    def _leave(self, why: str) -> None:
        self._deaf = True
        self._session.lose(why)


def _refuse(stream: Stream, refusal: Refusal) -> None:
    body = refusal.why.encode("latin-1", "replace") + b"\n"
    kind = (b"content-type", b"text/plain; charset=utf-8")
    stream.head(write_answer(refusal.status, [kind], len(body)))
    stream.write(body)
    stream.end()
    stream.flow(True)
