"""One connection to a server: what is said with every event passes by the client library.

The library (aiormq, on which aio-pika stands) opens the connection and its channels, and asks the
server for exchanges and queues. Messages that come, and confirmations, are taken out of the stream
of bytes before it sees them, and what goes out is handed to it ready (ADR 0034).
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol

import anyio
from aiormq import Connection
from aiormq.abc import AbstractChannel, ChannelFrame
from aiormq.connection import TransportFactory
from aiormq.exceptions import AMQPError
from yarl import URL

from knlite.eventing.rabbitmq.backing import RabbitmqServer
from knlite.eventlog.cancellation import only_our_cancellation
from knlite.eventlog.rabbitmq import frames

TIMEOUT = 10.0
"""Seconds that the server has to answer."""
_HEARTBEAT = 30
"""Seconds; a server that says nothing for three times as long is lost."""
_GOODBYE = 2.0
"""Seconds for what is still to be written at the end."""
_READ = 262_144

FAILURES = (
    AMQPError,
    OSError,
    EOFError,
    TimeoutError,
    RuntimeError,
    frames.TooLong,
    frames.Unspeakable,
)
"""What is raised when something does not work on the server. RuntimeError is a connection that has
just been closed."""


class Messages(Protocol):
    """Who gets the messages of a channel."""

    def message(self, delivery: frames.Delivery, properties: bytes, body: bytes) -> None: ...


class Confirmations(Protocol):
    """Who gets the confirmations of a channel."""

    def confirmed(self, tag: int, *, multiple: bool, taken: bool) -> None: ...


class Wire:
    """A connection that is open."""

    def __init__(self, connection: Connection, stream: "_Stream") -> None:
        self.connection = connection
        self._stream = stream
        self._pending = list[bytes]()
        self._more = asyncio.Event()

    @property
    def frame_max(self) -> int:
        return self.connection.connection_tune.frame_max or 131_072

    @property
    def blocked(self) -> str:
        """Why the server takes nothing at the moment, in its words; empty: it does."""
        return self._stream.blocked

    @property
    def words(self) -> str:
        """With which the server has closed the connection, if it has said anything."""
        return self._stream.words

    def when_blocked(self, call: Callable[[], None]) -> None:
        """Call when ``blocked`` changes."""
        self._stream.on_blocked = call

    def messages_to(self, channel: int, whom: Messages) -> None:
        """Hand the messages of *channel* to *whom*."""
        self._stream.messages[channel] = whom

    def confirmations_to(self, channel: int, whom: Confirmations) -> None:
        """Hand the confirmations of *channel* to *whom*."""
        self._stream.confirmations[channel] = whom

    def forget(self, channel: int, whom: Messages | Confirmations) -> None:
        """*whom* waits for nothing of *channel* any more, whose number another may have by now."""
        self._stream.forget(channel, whom)

    def send(self, payload: bytes) -> None:
        """Have whole frames sent, in one go with what else is sent at the same time."""
        self._pending.append(payload)
        self._more.set()

    async def flush(self) -> None:
        """Hand over what is to be sent before something else is."""
        if self._pending:
            payload = b"".join(self._pending)
            self._pending.clear()
            await self.connection.write_queue.put(ChannelFrame(payload, False))

    async def write(self) -> None:
        """Send until cancelled, as quickly as the server reads."""
        loop = asyncio.get_running_loop()
        # Who waits for the connection to end hears of it.
        with suppress(*FAILURES), only_our_cancellation():
            while True:
                await self._more.wait()
                self._more.clear()
                if self._pending:
                    payload = b"".join(self._pending)
                    self._pending.clear()
                    drained = loop.create_future()
                    await self.connection.write_queue.put(ChannelFrame(payload, False, drained))
                    await drained

    @asynccontextmanager
    async def channel(self, *, confirms: bool = False) -> AsyncIterator[AbstractChannel]:
        """A channel for some time. Raises ``FAILURES``, most of which have closed it."""
        channel = await self.connection.channel(publisher_confirms=confirms)
        try:
            yield channel
        finally:
            # What was sent on it goes out before.
            with (
                anyio.move_on_after(_GOODBYE, shield=True),
                suppress(*FAILURES),
                only_our_cancellation(),
            ):
                if not channel.is_closed and not self.connection.is_closed:
                    await self.flush()
                    await channel.close()

    async def ended(self) -> None:
        """Return when the connection is closed, by whomever."""
        await asyncio.wait((self.connection.closing,))


@asynccontextmanager
async def connected(server: RabbitmqServer, name: str) -> AsyncIterator[Wire]:
    """A connection to *server*, which shows *name* to its operators. Raises ``FAILURES``."""
    context = None
    if server.tls:
        context = ssl.create_default_context(cadata=server.ca or None)
    transport = _Transport(context)
    url = URL.build(
        scheme="amqps" if server.tls else "amqp",
        host=server.host,
        port=server.port,
        user=server.username,
        password=server.password,
        query={"heartbeat": str(_HEARTBEAT), "name": name},
    )
    connection = Connection(url, transport_factory=transport)
    connection.vhost = server.vhost
    try:
        with anyio.fail_after(TIMEOUT), only_our_cancellation():
            await connection.connect()
    except FAILURES as exc:
        if transport.stream is not None and transport.stream.words:
            # The library has other words for some of what the server says.
            raise Refused(transport.stream.code, transport.stream.words) from exc
        raise
    assert transport.stream is not None
    wire = Wire(connection, transport.stream)
    try:
        yield wire
    finally:
        with (
            anyio.move_on_after(_GOODBYE, shield=True),
            suppress(*FAILURES),
            only_our_cancellation(),
        ):
            if not connection.is_closed:
                await wire.flush()
            await connection.close()


class Refused(AMQPError):
    """The server has closed a connection that was being opened: code and words."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(code, words)
        self.code = code
        self.words = words


class _Transport(TransportFactory):
    """Opens the connection, and stands between it and the library."""

    def __init__(self, context: ssl.SSLContext | None) -> None:
        self._context = context
        self.stream: _Stream | None = None

    async def create(self, url: URL, **kwargs: Any) -> tuple[Any, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(
            url.host, url.port, ssl=self._context, limit=_READ
        )
        self.stream = _Stream(reader)
        return self.stream, writer


class _Incoming:
    """A message of which not everything has come."""

    __slots__ = ("body", "delivery", "left", "properties")

    def __init__(self, delivery: frames.Delivery) -> None:
        self.delivery = delivery
        self.properties: bytes | None = None
        self.left = 0
        self.body = list[bytes]()


class _Stream:
    """The part of ``asyncio.StreamReader`` that the library uses, without what is not for it."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._loop = asyncio.get_running_loop()
        self._buffer = bytearray()
        self._passed = bytearray()
        """For the library."""
        self._last_passed = self._loop.time()
        self._incoming: dict[int, _Incoming] = {}
        self.messages: dict[int, Messages] = {}
        self.confirmations: dict[int, Confirmations] = {}
        self.blocked = ""
        self.on_blocked: Callable[[], None] = _nothing
        self.code, self.words = 0, ""

    def forget(self, channel: int, whom: Messages | Confirmations) -> None:
        if self.messages.get(channel) is whom:
            del self.messages[channel]
            self._incoming.pop(channel, None)
        if self.confirmations.get(channel) is whom:
            del self.confirmations[channel]

    def at_eof(self) -> bool:
        return not self._passed and self._reader.at_eof()

    async def readexactly(self, size: int) -> bytes:
        passed = self._passed
        while len(passed) < size:
            data = await self._reader.read(_READ)
            if not data:
                raise asyncio.IncompleteReadError(bytes(passed), size)
            self._take(data)
        found = bytes(passed[:size])
        del passed[:size]
        return found

    def _take(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        at, end = 0, len(buffer)
        if buffer[:4] == b"AMQP":
            # It speaks another version, and says so; the library knows what that means.
            self._passed += buffer
            buffer.clear()
            return
        while end - at >= 7:
            size = int.from_bytes(buffer[at + 3 : at + 7], "big")
            after = at + 8 + size
            if after > end:
                break
            channel = (buffer[at + 1] << 8) | buffer[at + 2]
            if not self._is_ours(buffer[at], channel, bytes(buffer[at + 7 : after - 1])):
                self._passed += buffer[at:after]
                self._last_passed = self._loop.time()
            at = after
        if at:
            del buffer[:at]
            if self._loop.time() - self._last_passed > _HEARTBEAT / 2:
                # A server that sends messages sends no heartbeats, for which the library waits.
                self._passed += frames.A_HEARTBEAT
                self._last_passed = self._loop.time()

    def _is_ours(self, kind: int, channel: int, payload: bytes) -> bool:
        if channel == 0:
            self._overhear(payload)
            return False
        if kind == frames.METHOD:
            what = payload[:4]
            if what == frames.DELIVER and channel in self.messages:
                self._incoming[channel] = _Incoming(frames.delivery(payload))
                return True
            if what in {frames.ACK, frames.NACK} and channel in self.confirmations:
                tag, multiple = frames.confirmed(payload)
                taken = what == frames.ACK
                self.confirmations[channel].confirmed(tag, multiple=multiple, taken=taken)
                return True
            return False
        incoming = self._incoming.get(channel)
        if incoming is None:
            return False
        if kind == frames.HEADER:
            incoming.properties = payload
            incoming.left = frames.body_size(payload)
        else:
            incoming.body.append(payload)
            incoming.left -= len(payload)
        if incoming.left <= 0 and incoming.properties is not None:
            del self._incoming[channel]
            body = incoming.body[0] if len(incoming.body) == 1 else b"".join(incoming.body)
            self.messages[channel].message(incoming.delivery, incoming.properties, body)
        return True

    def _overhear(self, payload: bytes) -> None:
        """Something about the connection that the library does not pass on."""
        match payload[:4]:
            case frames.CLOSE_CONNECTION:
                self.code, self.words = frames.closed(payload)
            case frames.BLOCKED:
                self.blocked = frames.blocked(payload) or "blocked"
                self.on_blocked()
            case frames.UNBLOCKED:
                self.blocked = ""
                self.on_blocked()
            case _:
                pass


def _nothing() -> None:
    """Nobody asks."""
