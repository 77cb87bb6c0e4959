"""One connection of HTTP/2, seen from either end: frames in, streams fed, answers out in turns.

The library ``h2`` keeps the state of streams, windows and compression. This adds what a proxy
needs:

* Sending. What a stream writes waits in the stream. At the end of a turn of the loop streams take
  turns, a frame each, as far as windows and the transport allow; all of it leaves in one write.
* Receiving. A stream's window is opened again only for bytes that its user has taken while it
  flows: so what a stream holds is bounded by one window. The connection's window is opened at once,
  so that a stream that is not read never holds up the others.
* Faults. What is wrong with one stream resets that stream; what is wrong with the connection ends
  it with a GOAWAY that says why.

A GOAWAY of the other side is not shown to the library, for which nothing may follow one; nor is one
of ours, if streams are to finish after it.

Source: RFC 9113 §5 (streams, flow control, errors), §6.8 (GOAWAY), §8.1 (early answers).
Not here: what heads mean (``http2_fields.py``), sockets and time (the users).
"""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Protocol

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    DataReceived,
    Event,
    InformationalResponseReceived,
    RemoteSettingsChanged,
    RequestReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
    WindowUpdated,
)
from h2.exceptions import NoSuchStreamError, ProtocolError
from h2.settings import SettingCodes, Settings

from knlite.dataplane.wire import http2_frames as frames
from knlite.dataplane.wire.exchange import Header
from knlite.dataplane.wire.framing import HEAD_LIMIT
from knlite.dataplane.wire.http2_fields import Malformed, read_trailers
from knlite.dataplane.wire.http2_frames import Cutter, Frame, Goaway
from knlite.dataplane.wire.http2_patience import Patience
from knlite.dataplane.wire.http2_stream import STREAM_WINDOW, Stream, StreamUser

CONNECTION_WINDOW = 1024 * 1024
TURN_LIMIT = 64 * 1024
"""Bytes that are collected before they are given to the transport."""
STUCK_LIMIT = 1024 * 1024
"""Bytes that wait in a transport whose reader does not read: acknowledgements, as data stops."""
BLOCK_FACTOR = 4
"""How many times as large as announced a head may be, packed or unpacked, to be refused by itself;
one above ends the connection, since the rest of it would have to be unpacked."""
_CLOSED_STREAMS = 4096
"""Closed streams that the library remembers, to tell a late frame from a wrong one."""


class SessionUser(Protocol):
    """Whom a session belongs to."""

    def requested(self, stream: int, fields: Iterable[Header], *, ended: bool) -> None:
        """A client opens a stream. Raises ``Malformed``."""
        ...

    def closed(self, stream: Stream) -> None:
        """A stream is over."""
        ...

    def settled(self) -> None:
        """The other side has said how many streams it takes."""
        ...

    def leaving(self, goaway: Goaway) -> None:
        """The other side takes no more streams."""
        ...

    def failed(self, why: str) -> None:
        """The connection is of no use any more; what is to be sent has been written."""
        ...

    def report(self, exc: Exception) -> None:
        """A user has raised."""
        ...


class _Library(H2Connection):
    MAX_CLOSED_STREAMS = _CLOSED_STREAMS


class Session:
    """One connection. Its users call its methods and theirs are called, always synchronously."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        transport: asyncio.Transport,
        user: SessionUser,
        *,
        client: bool,
        streams: int,
        head_bytes: int = HEAD_LIMIT,
    ) -> None:
        """*streams* is how many a server takes at once, or a client begins before it is told.

        *head_bytes* is how large a head may be.
        """
        self._head_bytes = head_bytes
        self._loop = loop
        self._transport = transport
        self._user = user
        self._client = client
        self._cutter = Cutter(b"" if client else frames.PREFACE)
        self._patience = Patience()
        self._h2 = _Library(
            H2Configuration(
                client_side=client,
                validate_inbound_headers=False,
                normalize_inbound_headers=False,
                validate_outbound_headers=False,
                normalize_outbound_headers=False,
            )
        )
        self.streams: dict[int, Stream] = {}
        self._wanting: dict[Stream, None] = {}
        """Have something to send, in the order of their turns."""
        self._blocked: dict[Stream, None] = {}
        """Wait for a window."""
        self.congested = False
        """The transport does not take more."""
        self.over = False
        self.settled = False
        """The other side's first frame, its settings, has come."""
        self._first = b""
        """What came before it was clear that it is HTTP/2."""
        self.progress = 0
        """Frames that have come; a head in several of them counts when it ends."""
        self._in_block = False
        """A head has begun whose end has not come."""
        self._block_size = 0
        self._feeding = False
        self._scheduled = False
        self._collected = 0
        """Bytes that the library has for the transport, nearly."""
        self._unopened = 0
        """Bytes for which the connection's window has not been opened again."""
        self._streams_assumed = streams
        self._silent = False
        """Nothing is written any more, though the connection is still there."""
        self._begin()

    # What there is

    @property
    def in_head(self) -> bool:
        """Something has begun to come that must be complete soon: a preface or a head."""
        return not self.settled or self._in_block or self._cutter.in_head

    @property
    def last_stream(self) -> int:
        """The last stream that the other side has opened."""
        return self._h2.highest_inbound_stream_id

    @property
    def streams_allowed(self) -> int:
        """How many streams may be open at once, as far as the other side has said."""
        if not self.settled:
            return self._streams_assumed
        return self._h2.remote_settings.max_concurrent_streams

    @property
    def exhausted(self) -> bool:
        """No stream can be opened any more (RFC 9113 §5.1.1)."""
        return self._h2.highest_outbound_stream_id >= 2**31 - 3

    # Streams

    def accept(self, number: int, user: StreamUser) -> Stream:
        """Take a stream that the other side has opened."""
        stream = self.streams[number] = Stream(self, number, user)
        return stream

    def refuse(self, number: int, code: ErrorCodes) -> None:
        """Do not take it."""
        self._reset(number, code)
        self.schedule()

    def open(self, fields: list[Header], user: StreamUser, *, ended: bool) -> Stream:
        """Open a stream; *ended* if no body follows."""
        number = self._h2.get_next_available_stream_id()
        self._h2.send_headers(number, fields, end_stream=ended)
        stream = self.streams[number] = Stream(self, number, user)
        stream.flowing = True
        stream.complete = ended
        self.schedule()
        return stream

    def inform(self, stream: Stream, fields: list[Header]) -> None:
        """Send the head of an interim answer."""
        self._h2.send_headers(stream.id, fields)
        self.schedule()

    def want(self, stream: Stream) -> None:
        """*stream* has something to send."""
        if stream not in self._blocked:
            self._wanting[stream] = None
            self.schedule()

    def push(self, stream: Stream) -> None:
        """Send now what *stream* has too much of, as far as windows and transport allow."""
        while stream.crowded and stream in self._wanting and self._sending():
            self._advance(stream)

    def open_window(self, size: int, number: int) -> None:
        """Let the other side send *size* more bytes on a stream."""
        self._h2.increment_flow_control_window(size, number)
        self.schedule()

    def drop(self, stream: Stream, code: ErrorCodes) -> None:
        """Reset *stream*."""
        self._reset(stream.id, code)
        self._close(stream)
        self.schedule()

    def abandon(self, stream: Stream) -> None:
        """Forget *stream*, which the other side has not taken."""
        self._close(stream)

    # The connection

    def feed(self, data: bytes) -> None:
        """Take what has come from the socket."""
        if self.over:
            return
        self._feeding = True
        if not self.settled:
            self._first = (self._first + data)[:80]
        try:
            for frame in self._cutter.cut(data):
                self._frame(frame)
                if not self._running():
                    break
        except ProtocolError as exc:
            # The library has its GOAWAY ready.
            self._fail(_words(exc))
        except frames.TooLong:
            self.fail(ErrorCodes.FRAME_SIZE_ERROR, "a frame is too long")
        except frames.NotAPreface:
            self.fail(ErrorCodes.PROTOCOL_ERROR, "the preface is not that of HTTP/2")
        except Exception as exc:  # noqa: BLE001 - whatever it is, this connection ends, not the loop
            self._user.report(exc)
            self.fail(ErrorCodes.INTERNAL_ERROR, "an internal error")
        finally:
            self._feeding = False
        self._turn()

    def congest(self, congested: bool) -> None:
        """The transport takes no more, or takes more again."""
        self.congested = congested
        for stream in tuple(self.streams.values()):
            self._tell(stream, stream.refresh, congested)
        if not congested:
            self._turn()

    def goaway(self) -> None:
        """Say that no more streams are taken; those that are there go on."""
        self._write(frames.goaway(self.last_stream, ErrorCodes.NO_ERROR))

    def fail(self, code: ErrorCodes, why: str) -> None:
        """End the connection with a GOAWAY."""
        if not self.over:
            self._write(frames.goaway(self.last_stream, code, why.encode()[:200]))
            self._fail(why)

    def lose(self, why: str) -> None:
        """The connection is lost: tell all streams."""
        self.over = True
        self._wanting.clear()
        self._blocked.clear()
        streams, self.streams = self.streams, {}
        users = [stream.user for stream in streams.values()]
        for stream in streams.values():
            stream.forget()
        for user in users:
            self._tell(None, user.lost, why, None)

    def schedule(self) -> None:
        """Let this turn of the loop end with sending what there is."""
        if not (self._feeding or self._scheduled or self.over):
            self._scheduled = True
            self._loop.call_soon(self._turn)

    def fall_silent(self) -> None:
        """Send what there is and nothing more, whatever still comes."""
        self.flush()
        self._silent = True
        if self._transport.can_write_eof():
            self._transport.write_eof()

    def flush(self) -> None:
        """Give the transport what the library has for it."""
        self._pour()
        if self.congested and self._transport.get_write_buffer_size() > STUCK_LIMIT:
            self._fail("the other side does not read")

    # Sending

    def _begin(self) -> None:
        h2 = self._h2
        announced: dict[SettingCodes, int] = {
            SettingCodes.ENABLE_PUSH: 0,
            SettingCodes.INITIAL_WINDOW_SIZE: STREAM_WINDOW,
            SettingCodes.MAX_HEADER_LIST_SIZE: self._head_bytes,
        }
        if not self._client:
            announced[SettingCodes.MAX_CONCURRENT_STREAMS] = self._streams_assumed
        h2.local_settings = Settings(client=self._client, initial_values=announced)
        h2.initiate_connection()
        # A client may open more before it has read our settings, and a head may be larger than it
        # should: that is no fault of the connection. So the library need not know.
        h2.local_settings = Settings(
            client=self._client,
            initial_values=announced | {SettingCodes.MAX_CONCURRENT_STREAMS: 2**31 - 1},
        )
        h2.decoder.max_header_list_size = BLOCK_FACTOR * self._head_bytes
        h2.increment_flow_control_window(CONNECTION_WINDOW - 65535)
        self.schedule()

    def _turn(self) -> None:
        """Let streams take turns, then send."""
        self._scheduled = False
        try:
            while self._wanting and self._sending():
                for stream in tuple(self._wanting):
                    if stream in self._wanting and self._sending():
                        self._advance(stream)
            if not self.over:
                self.flush()
        except ProtocolError as exc:
            self._user.report(exc)
            self._fail(_words(exc))

    def _running(self) -> bool:
        return not self.over

    def _sending(self) -> bool:
        return not (self.congested or self.over)

    def _advance(self, stream: Stream) -> None:
        before = self._h2.outbound_flow_control_window
        going = stream.advance(self._h2)
        sent = before - self._h2.outbound_flow_control_window
        self._collected += sent
        self._patience.moved()
        if not going:
            del self._wanting[stream]
            if going is False:
                self._blocked[stream] = None
        if stream.complete:
            self._sent(stream)
        elif stream.full:
            self._tell(stream, stream.refresh, self.congested)
        if self._collected > TURN_LIMIT:
            self.flush()

    def _sent(self, stream: Stream) -> None:
        if stream.received:
            self._close(stream)
        elif not self._client:
            # RFC 9113 §8.1: the answer is complete, the rest of the request is not wanted.
            self._reset(stream.id, ErrorCodes.NO_ERROR)
            self._close(stream)

    def _write(self, data: bytes) -> None:
        """Write past the library, in order."""
        self._pour()
        if not (self._silent or self._transport.is_closing()):
            self._transport.write(data)

    def _pour(self) -> None:
        self._collected = 0
        data = self._h2.data_to_send()
        if data and not (self._silent or self._transport.is_closing()):
            self._transport.write(data)

    # Receiving

    def _frame(self, frame: Frame) -> None:
        kind = frame.kind
        if not self.settled:
            if kind != frames.SETTINGS or frame.flags & frames.ACK:
                self.fail(ErrorCodes.PROTOCOL_ERROR, "what came first is not a SETTINGS frame")
                return
            self.settled = True
            self._h2.receive_data(b"" if self._client else frames.PREFACE)
        size = len(frame.whole)
        if kind in _OF_BLOCK:
            self._block_size = size if kind != frames.CONTINUATION else self._block_size + size
            if self._block_size > BLOCK_FACTOR * self._head_bytes:
                self.fail(ErrorCodes.ENHANCE_YOUR_CALM, "a head is too large")
                return
            self._in_block = not frame.flags & frames.END_HEADERS
        elif kind == frames.DATA and self._measure(frame):
            pass
        elif not self._patience.bears_idle_frame(self._loop.time()):
            self.fail(ErrorCodes.ENHANCE_YOUR_CALM, "too many frames that carry nothing")
            return
        elif kind == frames.GOAWAY and not self._in_block:
            goaway = frames.read_goaway(frame)
            if goaway is None:
                self.fail(ErrorCodes.FRAME_SIZE_ERROR, "malformed GOAWAY")
            else:
                self._user.leaving(goaway)
            return
        if not self._in_block:
            self.progress += 1
        for event in self._h2.receive_data(frame.whole):
            if not self._running():
                break
            take = _TAKE.get(type(event))
            if take is not None:
                take(self, event)
        if self._unopened * 2 >= CONNECTION_WINDOW and not self.over:
            unopened, self._unopened = self._unopened, 0
            self._h2.increment_flow_control_window(unopened)

    def _measure(self, frame: Frame) -> bool:
        """Compare a body with the length that was announced for it. False if nothing comes.

        The library does it too, but would end the connection; of a stream that has been reset it
        only counts the bytes.
        """
        size = frames.body_size(frame)
        stream = self.streams.get(frame.stream)
        if stream is not None and stream.left is not None and not stream.received:
            stream.left -= size
            if stream.left < 0 or (stream.left and frame.flags & frames.END_STREAM):
                self._malformed(stream, "the body is not as long as was announced")
        return size > 0 or frame.flags & frames.END_STREAM > 0

    def _malformed(self, stream: Stream, why: str) -> None:
        """RFC 9113 §8.1.1: an error of the stream."""
        if self._client:
            why = f"malformed HTTP response: {why}"
        user = stream.user
        self.drop(stream, ErrorCodes.PROTOCOL_ERROR)
        self._tell(None, user.lost, why, None)
        self._provoked()

    def _provoked(self) -> None:
        """The other side has reset a stream, or made us do it."""
        if not self._client and not self._patience.bears_reset(self._loop.time()):
            self.fail(ErrorCodes.ENHANCE_YOUR_CALM, "too many streams are reset")

    def _on_request(self, event: RequestReceived) -> None:
        self._patience.moved()
        number = event.stream_id
        if self._client:
            self.fail(ErrorCodes.PROTOCOL_ERROR, "the server opens a stream")
            return
        try:
            self._user.requested(number, event.headers or (), ended=event.stream_ended is not None)
        except Malformed:
            self.refuse(number, ErrorCodes.PROTOCOL_ERROR)
            self._provoked()

    def _on_answer(self, event: ResponseReceived | InformationalResponseReceived) -> None:
        self._patience.moved()
        stream = self.streams.get(event.stream_id)
        if stream is None:
            return
        ended = isinstance(event, ResponseReceived) and event.stream_ended is not None
        fields = event.headers or ()
        try:
            self._tell(stream, lambda: stream.user.headed(fields, ended=ended))
        except Malformed as exc:
            self._malformed(stream, str(exc))

    def _on_trailers(self, event: TrailersReceived) -> None:
        stream = self.streams.get(event.stream_id)
        if stream is None:
            return
        try:
            stream.trailers = read_trailers(event.headers or ())
        except Malformed as exc:
            self._malformed(stream, str(exc))
            return
        if stream.left:
            self._malformed(stream, "the body is shorter than was announced")

    def _on_data(self, event: DataReceived) -> None:
        size = event.flow_controlled_length
        self._unopened += size
        stream = self.streams.get(event.stream_id)
        if stream is None:
            return
        if event.stream_ended is not None:
            # Its window cannot be opened any more.
            stream.received = True
        data = event.data
        if data:
            self._patience.moved()
            self._tell(stream, stream.user.arrived, data)
        if not stream.over:
            stream.taken(size)

    def _on_end(self, event: StreamEnded) -> None:
        stream = self.streams.get(event.stream_id)
        if stream is None:
            return
        stream.received = True
        user = stream.user
        if stream.complete:
            # First, since who hears of it may want the place for another stream.
            self._close(stream)
        self._tell(stream, user.ended, stream.trailers)

    def _on_reset(self, event: StreamReset) -> None:
        stream = self.streams.get(event.stream_id)
        if stream is not None:
            user = stream.user
            self._close(stream)
            other = "server" if self._client else "client"
            how = f"by the {other}" if event.remote_reset else f"for a fault of the {other}"
            why = f"stream reset {how}: {code_name(event.error_code)}"
            code = event.error_code if event.remote_reset else None
            self._tell(None, user.lost, why, code)
        self._provoked()

    def _on_window(self, event: WindowUpdated) -> None:
        if event.stream_id:
            stream = self.streams.get(event.stream_id)
            if stream is not None and stream in self._blocked:
                del self._blocked[stream]
                self._wanting[stream] = None
        else:
            self._unblock()

    def _on_settings(self, event: RemoteSettingsChanged) -> None:
        self._unblock()
        self._user.settled()

    def _unblock(self) -> None:
        self._wanting |= self._blocked
        self._blocked.clear()

    # Ends

    def _reset(self, number: int, code: ErrorCodes) -> None:
        # It may be closed already, by both sides or by the library.
        with suppress(NoSuchStreamError):
            self._h2.reset_stream(number, code)

    def _close(self, stream: Stream) -> None:
        if stream.over:
            return
        stream.forget()
        self._wanting.pop(stream, None)
        self._blocked.pop(stream, None)
        self.streams.pop(stream.id, None)
        if stream.complete:
            self._patience.answered(self._loop.time())
        self._user.closed(stream)

    def _fail(self, why: str) -> None:
        if not self.over:
            if self._client and not self.settled:
                line = self._first.partition(b"\r\n")[0].decode("latin-1")
                why = f"the server does not speak HTTP/2 (h2c): it answers {line!r}"
            self._pour()
            self.lose(why)
            self._user.failed(why)

    def _tell(self, stream: Stream | None, call: Callable[..., None], *what: object) -> None:
        """Call a user. If it raises, its stream ends, and nothing else."""
        try:
            call(*what)
        except Malformed:
            raise
        except Exception as exc:  # noqa: BLE001 - a user's fault must not end the others
            self._user.report(exc)
            if stream is not None and not stream.over:
                user = stream.user
                self.drop(stream, ErrorCodes.INTERNAL_ERROR)
                self._tell(None, user.lost, "an internal error", None)


def code_name(code: int) -> str:
    """Return the name of an error code (RFC 9113 §7), or its number."""
    try:
        return ErrorCodes(code).name
    except ValueError:
        return hex(code)


def _words(exc: ProtocolError) -> str:
    return f"{type(exc).__name__}: {exc}"


_OF_BLOCK = frozenset((frames.HEADERS, frames.PUSH_PROMISE, frames.CONTINUATION))

_TAKE: dict[type[Event], Callable[[Session, Any], None]] = {
    RequestReceived: Session._on_request,
    ResponseReceived: Session._on_answer,
    InformationalResponseReceived: Session._on_answer,
    TrailersReceived: Session._on_trailers,
    DataReceived: Session._on_data,
    StreamEnded: Session._on_end,
    StreamReset: Session._on_reset,
    WindowUpdated: Session._on_window,
    RemoteSettingsChanged: Session._on_settings,
}
