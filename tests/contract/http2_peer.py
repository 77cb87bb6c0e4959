"""A raw endpoint of HTTP/2, made of the library with its checks off, and hostile frames."""

import asyncio
import struct
from collections.abc import Callable, Sequence

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    RequestReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
)
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings
from hypothesis import strategies as st

PATIENCE = 10.0
WINDOW = 65535


async def eventually(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.get_running_loop().run_in_executor(None, lambda: None)


async def turns() -> None:
    """Let everything that can happen happen."""
    for _ in range(100):
        await asyncio.get_running_loop().run_in_executor(None, lambda: None)


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return struct.pack(">BHBBI", 0, len(payload), kind, flags, stream) + payload


class Peer:
    """The other end of a connection, told by the library itself, with its checks off."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        client: bool,
        limit: int = 100,
    ) -> None:
        self.reader, self.writer = reader, writer
        self.h2 = H2Connection(
            H2Configuration(
                client_side=client,
                validate_outbound_headers=False,
                normalize_outbound_headers=False,
            )
        )
        self.h2.local_settings = Settings(
            client=client, initial_values={SettingCodes.MAX_CONCURRENT_STREAMS: limit}
        )
        self.h2.initiate_connection()
        self.events: list[Event] = []
        self.acknowledging = True
        """Opens windows again for what comes."""
        self.closed = False
        self.goaway: ConnectionTerminated | None = None

    def flush(self) -> None:
        data = self.h2.data_to_send()
        if not self.writer.is_closing():
            self.writer.write(data)

    async def read(self) -> None:
        """Take what comes next."""
        try:
            data = await self.reader.read(1 << 16)
        except ConnectionError:
            data = b""
        if not data:
            self.closed = True
            return
        for event in self.h2.receive_data(data):
            self.events.append(event)
            if isinstance(event, DataReceived) and self.acknowledging:
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            if isinstance(event, ConnectionTerminated):
                self.goaway = event
        self.flush()

    async def until(self, condition: Callable[[], object]) -> None:
        self.flush()
        async with asyncio.timeout(PATIENCE):
            while not condition():
                assert not self.closed, f"closed after {self.events[-3:]}"
                await self.read()

    async def until_closed(self) -> None:
        """Ignore what comes."""
        self.flush()
        async with asyncio.timeout(PATIENCE):
            while not self.closed:
                try:
                    await self.read()
                except ProtocolError:
                    continue

    def of(self, stream: int, kind: type[Event]) -> list[Event]:
        return [
            e for e in self.events if isinstance(e, kind) and getattr(e, "stream_id", -1) == stream
        ]

    def body(self, stream: int) -> bytes:
        return b"".join(
            e.data or b""
            for e in self.events
            if isinstance(e, DataReceived) and e.stream_id == stream
        )

    def fields(self, stream: int, kind: type[Event] = ResponseReceived) -> dict[bytes, bytes]:
        found = self.of(stream, kind)
        return dict(found[-1].headers) if found else {}  # type: ignore[attr-defined]

    def reset(self, stream: int) -> ErrorCodes | int | None:
        found = [e for e in self.events if isinstance(e, StreamReset) and e.stream_id == stream]
        return found[0].error_code if found else None

    def over(self, stream: int) -> bool:
        return bool(self.of(stream, StreamEnded) or self.of(stream, StreamReset))

    # As a client

    def ask(
        self,
        method: bytes = b"GET",
        *headers: tuple[bytes, bytes],
        body: bytes | None = b"",
        path: bytes = b"/",
    ) -> int:
        """Send a request; with a *body* of None it goes on."""
        stream = self.h2.get_next_available_stream_id()
        self.h2.send_headers(stream, [*head(method, path), *headers], end_stream=body == b"")
        if body:
            self.h2.send_data(stream, body, end_stream=True)
        self.flush()
        return stream

    async def answered(self, stream: int) -> bytes:
        await self.until(lambda: self.over(stream))
        return self.fields(stream).get(b":status", b"")

    # As a server

    async def request(self, count: int = 1) -> int:
        """The stream of the *count*-th request."""

        def asked() -> list[int]:
            return [e.stream_id for e in self.events if isinstance(e, RequestReceived)]

        await self.until(lambda: len(asked()) >= count)
        return asked()[count - 1]

    def answer(
        self, stream: int, status: bytes = b"200", body: bytes = b"", *headers: tuple[bytes, bytes]
    ) -> None:
        self.h2.send_headers(stream, [(b":status", status), *headers], end_stream=not body)
        if body:
            self.h2.send_data(stream, body, end_stream=True)
        self.flush()


def head(method: bytes = b"GET", path: bytes = b"/") -> list[tuple[bytes, bytes]]:
    return [(b":method", method), (b":scheme", b"http"), (b":path", path), (b":authority", b"a.b")]


async def send(peer: Peer, stream: int, data: bytes) -> None:
    """Send *data* as windows allow."""
    while data:
        await peer.until(lambda: peer.h2.local_flow_control_window(stream) > 0)
        room = min(peer.h2.local_flow_control_window(stream), peer.h2.max_outbound_frame_size)
        peer.h2.send_data(stream, data[:room])
        data = data[room:]
    peer.flush()


class Wire(asyncio.Transport):
    """A transport that keeps what is written and goes nowhere."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def can_write_eof(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0


KINDS = st.integers(min_value=0, max_value=11)
BLOCKS = st.sampled_from(
    [
        b"\x82\x86\x84\x41\x01a",
        b"\x83\x86\x84\x41\x01a",
        b"\x82\x84",
        b"\x40\x01b\x01c",
        b"\x88",
        b"\x89",
        b"\x08\x03100",
        b"\x88\x0f\x0d\x013",
        b"",
    ]
)
PAYLOADS = st.one_of(
    BLOCKS,
    st.binary(max_size=40),
    st.sampled_from([b"x" * 10_000, b"\0\0\0\1", b"\0" * 8, b"\0\0\0\0", b"\0\4\0\0\0\0"]),
)
FRAMES = st.builds(
    lambda kind, flags, stream, payload: frame(kind, flags, stream, payload),
    KINDS,
    st.sampled_from([0, 1, 4, 5, 8, 0x20, 0x2D]),
    st.sampled_from([0, 1, 1, 1, 3, 3, 5, 2, 0x7FFFFFFF]),
    PAYLOADS,
)


def mutate(sent: bytes, flips: Sequence[tuple[int, int]]) -> bytes:
    changed = bytearray(sent)
    for place, value in flips:
        changed[place % len(changed)] ^= value
    return bytes(changed)


FLIPS = st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(1, 255)), max_size=3)
