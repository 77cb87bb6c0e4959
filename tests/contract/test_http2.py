"""The server side of HTTP/2 against raw clients on real sockets, on both event loops.

Pins RFC 9113 §5.2 (flow control), §5.4 (errors), §6.8 (GOAWAY), §8.1 (messages), §8.2 and §8.3
(fields), §10.5 (denial of service), and Knative reference §3.6 (h2c, trailers, streaming).
"""

import asyncio
import gc
import random
import shutil
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from h2.errors import ErrorCodes
from h2.events import (
    DataReceived,
    InformationalResponseReceived,
    TrailersReceived,
)
from h2.settings import SettingCodes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knlite.dataplane.wire.exchange import Exchange, Handler, Headers
from knlite.dataplane.wire.http2_frames import PREFACE
from knlite.dataplane.wire.http2_patience import IDLE_FRAMES
from knlite.dataplane.wire.http2_server import Http2Connection
from knlite.dataplane.wire.limits import Limits
from knlite.serving.instance import Address
from tests.contract.http2_peer import (
    FLIPS,
    FRAMES,
    PATIENCE,
    WINDOW,
    Peer,
    Wire,
    eventually,
    frame,
    head,
    mutate,
    send,
    turns,
)


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, object]]:
    return "asyncio", {"use_uvloop": request.param}


# The server


class Server:
    """A listening server, and what it has seen."""

    def __init__(self, port: int, connections: set[Http2Connection]) -> None:
        self.port = port
        self.connections = connections
        self.exchanges: list[Exchange] = []
        self.reported: list[object] = []


@asynccontextmanager
async def serving(handler: Handler, limits: Limits | None = None) -> AsyncIterator[Server]:
    """Serve *handler*; at the end, all connections and exchanges must be over."""
    loop = asyncio.get_running_loop()
    connections: set[Http2Connection] = set()

    def handle(exchange: Exchange) -> None:
        server.exchanges.append(exchange)
        handler(exchange)

    listening = await loop.create_server(
        lambda: Http2Connection(loop, handle, limits or Limits(), connections, connections.discard),
        "127.0.0.1",
        0,
    )
    server = Server(listening.sockets[0].getsockname()[1], connections)
    loop.set_exception_handler(lambda _, told: server.reported.append(told))
    try:
        yield server
    finally:
        listening.close()
        for connection in tuple(connections):
            connection.abort()
        await eventually(lambda: not connections)
        loop.set_exception_handler(None)
    assert all(exchange.finished or exchange.gone for exchange in server.exchanges)
    if server.reported:
        assert handler.__name__ in ("failing", "failing_late"), server.reported


@asynccontextmanager
async def connected(server: Server) -> AsyncIterator[Peer]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    peer = Peer(reader, writer, client=True)
    peer.flush()
    try:
        yield peer
    finally:
        if not writer.is_closing():
            writer.transport.abort()


class Taker:
    """Notes what it is told."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.data = b""
        self.trailers: Headers | None = None
        self.left: str | None = None
        self.full = False
        self.changes: list[str] = []
        exchange.attend(self)

    def body(self, data: bytes) -> None:
        assert data
        assert self.trailers is None
        self.data += data

    def body_end(self, trailers: Headers) -> None:
        assert self.trailers is None
        self.trailers = trailers

    def client_left(self, why: str) -> None:
        assert self.left is None
        self.left = why

    def client_full(self) -> None:
        self.full = True
        self.changes.append("full")

    def client_ready(self) -> None:
        self.full = False
        self.changes.append("ready")


class Echo(Taker):
    """Answers with the body as it comes, and tells its length in a trailer."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(exchange)
        self.size = 0
        exchange.start(200, b"", [(b"X-Echo", b"1")], length=None)
        exchange.receive()

    def body(self, data: bytes) -> None:
        self.size += len(data)
        self.exchange.write(data)

    def body_end(self, trailers: Headers) -> None:
        self.exchange.end([*trailers, (b"X-Size", b"%d" % self.size)])

    def client_full(self) -> None:
        self.exchange.pause()

    def client_ready(self) -> None:
        self.exchange.resume()


def echo(exchange: Exchange) -> None:
    Echo(exchange)


def hello(exchange: Exchange) -> None:
    exchange.respond(200, [(b"Content-Type", b"text/plain")], b"hello")


class Collecting:
    """A handler that only keeps the takers of its exchanges."""

    __name__ = "collecting"

    def __init__(self) -> None:
        self.takers: list[Taker] = []

    def __call__(self, exchange: Exchange) -> None:
        self.takers.append(Taker(exchange))

    @property
    def last(self) -> Taker:
        return self.takers[-1]


async def test_a_request_is_handed_on_and_answered() -> None:
    handler = Collecting()
    async with serving(handler) as server, connected(server) as client:
        stream = client.ask(
            b"GET", (b"x", b"Y"), (b"cookie", b"a=1"), (b"cookie", b"b=2"), path=b"/p?q"
        )
        await eventually(lambda: handler.takers)
        exchange = handler.last.exchange
        assert (exchange.method, exchange.target, exchange.host) == (b"GET", b"/p?q", b"a.b")
        assert exchange.headers == [(b"host", b"a.b"), (b"x", b"Y"), (b"cookie", b"a=1; b=2")]
        assert (exchange.http_version, exchange.length, exchange.upgrade) == ("2", 0, b"")
        assert exchange.client == Address(*client.writer.get_extra_info("sockname"))
        with pytest.raises(RuntimeError):
            exchange.switch(b"", ())
        exchange.respond(404, [(b"X-Reason", b" none "), (b"Connection", b"close")], b"nothing")
        assert await client.answered(stream) == b"404"
        assert client.fields(stream) == {
            b":status": b"404",
            b"x-reason": b"none",
            b"content-length": b"7",
        }
        assert client.body(stream) == b"nothing"
        assert client.reset(stream) is None


async def test_all_that_one_read_causes_leaves_in_one_write() -> None:
    class Counting(Wire):
        writes = 0

        def write(self, data: bytes | bytearray | memoryview) -> None:
            super().write(data)
            self.writes += 1

    wire = Counting()
    connection = Http2Connection(asyncio.get_running_loop(), hello, Limits(), set(), lambda _: None)
    connection.connection_made(wire)
    requests = [frame(1, 5, n, b"\x82\x86\x84\x41\x01a") for n in range(1, 40, 2)]
    connection.data_received(FRESH + b"".join(requests))
    assert wire.writes == 1
    assert wire.written.count(b"hello") == 20
    connection.connection_lost(None)


async def test_an_answered_exchange_does_not_wait_for_the_garbage_collector() -> None:
    seen: list[weakref.ref[Exchange]] = []
    loop = asyncio.get_running_loop()

    def handler(exchange: Exchange) -> None:
        seen.append(weakref.ref(exchange))
        loop.call_soon(Echo, exchange)

    async with serving(handler) as server, connected(server) as client:
        gc.disable()
        try:
            assert await client.answered(client.ask(b"POST", body=b"x")) == b"200"
            server.exchanges.clear()
            await eventually(lambda: seen[0]() is None)
        finally:
            gc.enable()


async def test_bodies_and_trailers_pass_in_both_directions() -> None:
    async with serving(echo) as server, connected(server) as client:
        stream = client.ask(b"POST", body=None)
        for piece in (b"a" * 10_000, b"b" * 10_000):
            client.h2.send_data(stream, piece)
        client.h2.send_headers(stream, [(b"grpc-status", b"0")], end_stream=True)
        assert await client.answered(stream) == b"200"
        assert client.body(stream) == b"a" * 10_000 + b"b" * 10_000
        assert client.fields(stream, TrailersReceived) == {
            b"grpc-status": b"0",
            b"x-size": b"20000",
        }


async def test_a_body_that_came_before_anybody_wanted_it_is_kept() -> None:
    handler = Collecting()
    async with serving(handler) as server, connected(server) as client:
        client.ask(b"POST", (b"content-length", b"4"), body=b"body")
        await eventually(lambda: handler.takers)
        taker = handler.last
        assert taker.exchange.length == 4
        await turns()
        assert not taker.data
        taker.exchange.receive()
        assert (taker.data, taker.trailers) == (b"body", ())


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param([*head(), (b"Upper", b"x")], id="upper-case"),
        pytest.param([*head(), (b"connection", b"close")], id="connection"),
        pytest.param([*head(), (b"transfer-encoding", b"chunked")], id="transfer-encoding"),
        pytest.param([*head(), (b"upgrade", b"websocket")], id="upgrade"),
        pytest.param([*head(), (b"te", b"gzip")], id="te"),
        pytest.param([*head(), (b"x", b"a\r\nb: c")], id="crlf"),
        pytest.param([*head(), (b"x", b"a\0b")], id="nul"),
        pytest.param([*head(), (b"x", b" a")], id="space-around"),
        pytest.param([*head(), (b"a b", b"a")], id="space-in-name"),
        pytest.param([*head(), (b"", b"a")], id="no-name"),
        pytest.param([*head(), (b"host", b"other")], id="two-hosts"),
        pytest.param([*head(), (b":path", b"/2")], id="doubled-pseudo"),
        pytest.param([*head(), (b":protocol", b"websocket")], id="unknown-pseudo"),
        pytest.param([(b"x", b"y"), *head()], id="pseudo-late"),
        pytest.param(head()[1:], id="no-method"),
        pytest.param([head()[0], *head()[2:]], id="no-scheme"),
        pytest.param([*head()[:2], head()[3]], id="no-path"),
        pytest.param(head(path=b""), id="empty-path"),
        pytest.param(head(path=b"x"), id="relative-path"),
        pytest.param(head(path=b"*"), id="star"),
        pytest.param(head(path=b"/a HTTP/1.1"), id="space-in-path"),
        pytest.param(head(method=b"G ET"), id="space-in-method"),
        pytest.param(head(path=b"/a#b"), id="fragment"),
        pytest.param(head(path="/ä".encode()), id="utf-8-in-path"),
        pytest.param(head(path=b"/a\x01"), id="control-in-path"),
        pytest.param([*head()[:3], (b":authority", b"u@a")], id="userinfo"),
        pytest.param([*head()[:3], (b":authority", b"a,b")], id="two-authorities"),
        pytest.param([*head()[:3], (b":authority", b"a:b")], id="port-not-a-number"),
        pytest.param([*head(), (b"content-length", b"3")], id="length-without-body"),
    ],
)
async def test_a_malformed_request_resets_its_stream_and_no_other(
    fields: list[tuple[bytes, bytes]],
) -> None:
    async with serving(hello) as server, connected(server) as client:
        client.h2.send_headers(1, fields, end_stream=True)
        client.flush()
        await client.until(lambda: client.reset(1) is not None)
        assert client.reset(1) == ErrorCodes.PROTOCOL_ERROR
        assert not server.exchanges
        assert await client.answered(client.ask()) == b"200"


@pytest.mark.parametrize(
    ("sent", "announced"),
    [pytest.param(2, 3, id="short"), pytest.param(4, 3, id="long")],
)
@pytest.mark.parametrize("trailers", [False, True])
async def test_a_body_of_another_length_than_announced_resets_its_stream(
    sent: int, announced: int, trailers: bool
) -> None:
    handler = Collecting()
    async with serving(handler) as server, connected(server) as client:
        stream = client.ask(b"POST", (b"content-length", b"%d" % announced), body=None)
        client.h2.send_data(stream, b"x" * sent, end_stream=not trailers)
        if trailers:
            client.h2.send_headers(stream, [(b"x", b"y")], end_stream=True)
        client.flush()
        await client.until(lambda: client.reset(stream) is not None)
        assert client.reset(stream) == ErrorCodes.PROTOCOL_ERROR
        assert handler.last.left
        other = client.ask(b"POST", body=b"fine")
        await eventually(lambda: len(handler.takers) == 2)
        handler.last.exchange.respond(200)
        assert await client.answered(other) == b"200"


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        pytest.param([(b":method", b"CONNECT"), (b":authority", b"a:1")], b"501", id="connect"),
        pytest.param([*head()[:3]], b"400", id="no-host"),
        pytest.param([*head(b"POST"), (b"expect", b"magic")], b"417", id="expectation"),
        pytest.param([*head(), (b"x", b"y" * 70_000)], b"431", id="large"),
        pytest.param([*head(), *[(b"x", b"%d" % n) for n in range(300)]], b"431", id="many"),
    ],
)
async def test_a_request_that_is_refused_gets_an_answer(
    fields: list[tuple[bytes, bytes]], status: bytes
) -> None:
    async with serving(hello) as server, connected(server) as client:
        client.h2.send_headers(1, fields, end_stream=True)
        assert await client.answered(1) == status
        assert client.body(1).endswith(b"\n")
        assert not server.exchanges
        assert await client.answered(client.ask()) == b"200"


async def test_a_client_that_waits_for_leave_gets_it_when_the_body_is_wanted() -> None:
    handler = Collecting()
    async with serving(handler) as server, connected(server) as client:
        stream = client.ask(b"POST", (b"expect", b"100-continue"), body=None)
        await eventually(lambda: handler.takers)
        exchange = handler.last.exchange
        exchange.inform(103, b"Early Hints", [(b"Link", b"</a>")])
        exchange.receive()
        await client.until(lambda: len(client.of(stream, InformationalResponseReceived)) == 2)
        assert client.fields(stream, InformationalResponseReceived) == {b":status": b"100"}
        client.h2.send_data(stream, b"body", end_stream=True)
        client.flush()
        await eventually(lambda: handler.last.trailers is not None)
        exchange.respond(200)
        assert await client.answered(stream) == b"200"


@pytest.mark.parametrize(
    ("method", "status", "length", "announced"),
    [
        pytest.param(b"HEAD", 200, 5, b"5", id="head"),
        pytest.param(b"HEAD", 200, None, None, id="head-unknown"),
        pytest.param(b"GET", 204, 5, None, id="204"),
        pytest.param(b"GET", 304, 9, b"9", id="304"),
        pytest.param(b"GET", 200, 0, b"0", id="empty"),
        pytest.param(b"GET", 200, None, None, id="empty-unknown"),
    ],
)
async def test_some_answers_have_no_body(
    method: bytes, status: int, length: int | None, announced: bytes | None
) -> None:
    def handler(exchange: Exchange) -> None:
        exchange.start(status, b"", (), length=length)
        if length != 0 and exchange.method == b"HEAD":
            exchange.write(b"dropped")
        exchange.end()

    async with serving(handler) as server, connected(server) as client:
        stream = client.ask(method)
        assert await client.answered(stream) == b"%d" % status
        assert client.body(stream) == b""
        assert client.fields(stream).get(b"content-length") == announced
        assert not client.of(stream, DataReceived)


@pytest.mark.parametrize("body", [b"ab", b"abcd"], ids=["short", "long"])
async def test_an_answer_of_another_length_than_announced_is_cut(body: bytes) -> None:
    def handler(exchange: Exchange) -> None:
        Taker(exchange)
        exchange.start(200, b"OK", (), length=3)
        exchange.write(body)
        exchange.end()

    async with serving(handler) as server, connected(server) as client:
        stream = client.ask()
        await client.answered(stream)
        assert client.reset(stream) == ErrorCodes.INTERNAL_ERROR


async def test_a_cut_answer_is_visible_and_its_taker_hears_of_it_later() -> None:
    handler = Collecting()
    async with serving(handler) as server, connected(server) as client:
        stream = client.ask()
        await eventually(lambda: handler.takers)
        taker = handler.last
        taker.exchange.start(200, b"", (), length=None)
        taker.exchange.write(b"some")
        await client.until(lambda: client.body(stream))
        taker.exchange.abort()
        assert taker.left is None
        await client.answered(stream)
        assert client.reset(stream) == ErrorCodes.INTERNAL_ERROR
        assert taker.left
        assert await_nothing(taker.exchange)


def await_nothing(exchange: Exchange) -> bool:
    """Whatever is written now has no effect."""
    exchange.write(b"more")
    exchange.end()
    exchange.abort()
    exchange.pause()
    exchange.resume()
    exchange.receive()
    return exchange.gone is not None


async def test_a_header_that_would_split_the_head_is_refused() -> None:
    def handler(exchange: Exchange) -> None:
        for name, value in ((b"X", b"a\r\nb"), (b"X: y", b"a"), (b"", b"a"), (b":status", b"1")):
            with pytest.raises(ValueError, match=r"header|split"):
                exchange.respond(200, [(name, value)])
        exchange.respond(204)

    async with serving(handler) as server, connected(server) as client:
        assert await client.answered(client.ask()) == b"204"


async def test_a_handler_that_fails_gives_500_or_a_cut_answer() -> None:
    def failing(exchange: Exchange) -> None:
        if exchange.target == b"/late":
            exchange.start(200, b"", (), length=None)
        raise LookupError("no")

    async with serving(failing) as server, connected(server) as client:
        assert await client.answered(client.ask()) == b"500"
        late = client.ask(path=b"/late")
        await client.answered(late)
        assert client.reset(late) == ErrorCodes.INTERNAL_ERROR
        assert len(server.reported) == 2


async def test_a_taker_that_fails_loses_its_stream_and_no_other() -> None:
    class Failing(Taker):
        def body(self, data: bytes) -> None:
            raise LookupError("no")

    def failing_late(exchange: Exchange) -> None:
        if exchange.method == b"POST":
            Failing(exchange)
            exchange.receive()
        else:
            hello(exchange)

    async with serving(failing_late) as server, connected(server) as client:
        stream = client.ask(b"POST", body=b"x")
        await client.answered(stream)
        assert client.reset(stream) == ErrorCodes.INTERNAL_ERROR
        assert await client.answered(client.ask()) == b"200"
        assert len(server.reported) == 1


async def test_an_early_answer_is_complete_and_stops_the_rest_of_the_request() -> None:
    async with serving(hello) as server, connected(server) as client:
        for _ in range(50):
            # 50 windows of streams exceed the connection's: it must have been opened again.
            stream = client.ask(b"POST", body=None)
            for _ in range(4):
                if client.h2.local_flow_control_window(stream) >= 16_000:
                    client.h2.send_data(stream, b"x" * 16_000)
            assert await client.answered(stream) == b"200"
            await client.until(lambda at=stream: client.reset(at) is not None)
            assert client.reset(stream) == ErrorCodes.NO_ERROR
            assert client.body(stream) == b"hello"
        await client.until(lambda: client.h2.outbound_flow_control_window > WINDOW)


# The server: flow control


async def test_a_body_that_nobody_takes_stops_its_client_and_no_other_stream() -> None:
    handler = Collecting()
    async with serving(handler) as server, connected(server) as client:
        stalled = [client.ask(b"POST", body=None) for _ in range(40)]
        await client.until(lambda: client.h2.outbound_flow_control_window > WINDOW)
        for stream in stalled:
            await send(client, stream, b"x" * WINDOW)
        await eventually(lambda: len(handler.takers) == 40)
        await turns()
        assert all(client.h2.streams[s].outbound_flow_control_window == 0 for s in stalled)
        # The connection is not held up: another stream carries more than one window.
        other = client.ask(b"POST", body=None)
        await eventually(lambda: len(handler.takers) == 41)
        handler.last.exchange.receive()
        await send(client, other, b"y" * 500_000)
        await eventually(lambda: len(handler.last.data) == 500_000)
        handler.last.exchange.respond(200)
        # And those that are taken at last go on.
        first = handler.takers[0]
        first.exchange.receive()
        assert len(first.data) == WINDOW
        await send(client, stalled[0], b"x" * 100_000)
        await eventually(lambda: len(first.data) == WINDOW + 100_000)


async def test_a_paused_body_comes_up_to_one_window() -> None:
    handler = Collecting()
    async with serving(handler) as server, connected(server) as client:
        stream = client.ask(b"POST", body=None)
        await eventually(lambda: handler.takers)
        taker = handler.last
        taker.exchange.receive()
        await send(client, stream, b"x" * 200_000)
        await eventually(lambda: len(taker.data) == 200_000)
        taker.exchange.pause()
        window = client.h2.local_flow_control_window(stream)
        await send(client, stream, b"x" * window)
        await eventually(lambda: len(taker.data) == 200_000 + window)
        await turns()
        assert client.h2.local_flow_control_window(stream) == 0
        taker.exchange.resume()
        await send(client, stream, b"x" * 200_000)
        await eventually(lambda: len(taker.data) == 400_000 + window)


async def test_an_answer_that_is_not_taken_stops_its_writer_and_no_other_stream() -> None:
    handler = Collecting()
    async with serving(handler) as server, connected(server) as client:
        client.acknowledging = False
        client.h2.increment_flow_control_window(10 << 20)
        stream = client.ask()
        await eventually(lambda: handler.takers)
        slow = handler.last
        slow.exchange.start(200, b"", (), length=None)
        written = 0
        while not slow.full:
            slow.exchange.write(b"x" * 10_000)
            written += 10_000
        assert written <= WINDOW + 64 * 1024 + 2 * 10_000
        await client.until(lambda: len(client.body(stream)) == WINDOW)

        other = client.ask()
        await eventually(lambda: len(handler.takers) == 2)
        handler.last.exchange.respond(200, (), b"y" * 60_000)
        assert await client.answered(other) == b"200"
        assert slow.full

        client.h2.increment_flow_control_window(1 << 20, stream)
        client.flush()
        await eventually(lambda: not slow.full)
        assert slow.changes == ["full", "ready"]
        slow.exchange.end()
        await client.answered(stream)
        assert client.body(stream) == b"x" * written


async def test_a_client_that_does_not_read_its_socket_stops_all_writers() -> None:
    handler = Collecting()
    async with serving(handler) as server, connected(server) as client:
        client.h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 2**31 - 1})
        client.h2.increment_flow_control_window(2**31 - 1 - WINDOW)
        streams = [client.ask(), client.ask()]
        await eventually(lambda: len(handler.takers) == 2)
        written = dict.fromkeys(handler.takers, 0)
        for taker in handler.takers:
            taker.exchange.start(200, b"", (), length=None)
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]
        while not all(taker.full for taker in handler.takers):
            for taker in handler.takers:
                for _ in range(100):
                    if not taker.full:
                        taker.exchange.write(b"x" * 10_000)
                        written[taker] += 10_000
            await asyncio.get_running_loop().run_in_executor(None, lambda: None)
            assert sum(written.values()) < 64 << 20
        client.writer.transport.resume_reading()  # type: ignore[attr-defined]
        async with asyncio.timeout(PATIENCE):
            while any(taker.full for taker in handler.takers):
                await client.read()
        for taker in handler.takers:
            taker.exchange.end()
        for stream, taker in zip(streams, handler.takers, strict=True):
            await client.answered(stream)
            assert len(client.body(stream)) == written[taker]


async def test_many_streams_interleave() -> None:
    async with serving(echo) as server, connected(server) as client:
        bodies = {client.ask(b"POST", body=None): bytes([n]) * (n * 100 + 1) for n in range(200)}
        left = dict(bodies)
        while left:
            for stream in tuple(left):
                client.h2.send_data(
                    stream, left[stream][:3_000], end_stream=len(left[stream]) <= 3_000
                )
                left[stream] = left[stream][3_000:]
                if not left[stream]:
                    del left[stream]
                await client.until(lambda: client.h2.outbound_flow_control_window > 3_000)
        for stream, body in bodies.items():
            assert await client.answered(stream) == b"200"
            assert client.body(stream) == body


async def test_two_long_answers_take_turns() -> None:
    def handler(exchange: Exchange) -> None:
        exchange.respond(200, (), b"x" * 200_000)

    async with serving(handler) as server, connected(server) as client:
        client.acknowledging = False
        first, second = client.ask(), client.ask()
        await client.until(lambda: len(client.body(first)) == WINDOW and client.fields(second))
        client.events.clear()
        for stream in (first, second):
            client.h2.increment_flow_control_window(1 << 20, stream)
        client.h2.increment_flow_control_window(1 << 20)
        await client.answered(first)
        await client.answered(second)
        order = [e.stream_id for e in client.events if isinstance(e, DataReceived) and e.data]
        assert order[:8] in ([first, second] * 4, [second, first] * 4)


# The server: ends


async def test_a_client_that_resets_its_stream_has_left() -> None:
    handler = Collecting()
    async with serving(handler) as server, connected(server) as client:
        stream = client.ask()
        await eventually(lambda: handler.takers)
        client.h2.reset_stream(stream, ErrorCodes.CANCEL)
        client.flush()
        await eventually(lambda: handler.last.left)
        assert handler.last.left == "stream reset by the client: CANCEL"
        handler.last.exchange.respond(200)
        assert await_nothing(handler.last.exchange)


async def test_when_the_connection_is_lost_all_its_clients_have_left() -> None:
    handler = Collecting()
    async with serving(handler) as server, connected(server) as client:
        for _ in range(3):
            client.ask()
        await eventually(lambda: len(handler.takers) == 3)
        client.writer.close()
        await eventually(lambda: all(taker.left for taker in handler.takers))
        await eventually(lambda: not server.connections)


async def test_one_stream_more_than_announced_is_refused() -> None:
    handler = Collecting()
    async with serving(handler) as server, connected(server) as client:
        streams = [client.ask() for _ in range(Limits().streams + 5)]
        await client.until(lambda: client.reset(streams[-1]) is not None)
        assert client.h2.remote_settings.max_concurrent_streams == Limits().streams
        assert [client.reset(s) for s in streams[-6:]] == [None] + [ErrorCodes.REFUSED_STREAM] * 5
        assert len(handler.takers) == Limits().streams
        handler.takers[0].exchange.respond(200)
        await client.answered(streams[0])
        client.ask()
        await eventually(lambda: len(handler.takers) == Limits().streams + 1)


async def test_a_server_that_shuts_finishes_what_runs() -> None:
    handler = Collecting()
    async with serving(handler) as server, connected(server) as idle, connected(server) as client:
        stream = client.ask()
        await eventually(lambda: len(server.connections) == 2 and handler.takers)
        for connection in tuple(server.connections):
            connection.shut()
            connection.shut()
        await idle.until_closed()
        assert idle.goaway is not None
        client.h2.send_headers(stream + 2, head(), end_stream=True)
        await client.until(lambda: client.goaway is not None)
        assert client.goaway is not None
        assert client.goaway.error_code == ErrorCodes.NO_ERROR
        assert client.goaway.last_stream_id == stream
        handler.last.exchange.respond(200, (), b"late")
        # The library takes nothing after a GOAWAY.
        assert b"late" in await asyncio.wait_for(client.reader.read(), PATIENCE)
        assert len(handler.takers) == 1


async def test_nothing_is_written_any_more_by_a_server_that_has_shut() -> None:
    handler = Collecting()
    async with serving(handler) as server, connected(server) as client:
        stream = client.ask()
        await eventually(lambda: handler.takers)
        next(iter(server.connections)).shut()
        await client.until(lambda: client.goaway is not None)
        # In one read: the end of the last stream, and what would be acknowledged.
        client.writer.write(frame(3, 0, stream, bytes(4)) + frame(6, 0, 0, bytes(8)))
        assert await asyncio.wait_for(client.reader.read(), PATIENCE) == b""
        assert server.reported == []


async def test_an_idle_connection_is_closed() -> None:
    handler = Collecting()
    async with serving(handler, Limits(idle_seconds=0.02)) as server, connected(server) as client:
        stream = client.ask()
        await eventually(lambda: handler.takers)
        # While an exchange runs, the connection is not idle.
        await asyncio.sleep(0.1)
        handler.last.exchange.respond(200)
        assert await client.answered(stream) == b"200"
        await client.until_closed()
        assert client.goaway is not None
        assert client.goaway.error_code == ErrorCodes.NO_ERROR


async def test_answers_that_are_never_taken_do_not_hold_a_connection() -> None:
    def handler(exchange: Exchange) -> None:
        exchange.respond(200, (), b"x" * 100_000)

    async with serving(handler, Limits(idle_seconds=0.02)) as server, connected(server) as client:
        client.acknowledging = False
        client.ask()
        await client.until_closed()
        assert client.goaway is not None
        assert client.goaway.error_code == ErrorCodes.ENHANCE_YOUR_CALM


@pytest.mark.parametrize(
    "begun",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(PREFACE[:10], id="preface"),
        pytest.param(PREFACE + frame(4, 0, 0) + frame(1, 1, 1, b"\x82")[:10], id="frame"),
        pytest.param(PREFACE + frame(4, 0, 0) + frame(1, 1, 1, b"\x82"), id="no-continuation"),
    ],
)
async def test_a_head_must_come_in_time(begun: bytes) -> None:
    async with serving(hello, Limits(head_seconds=0.02)) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(begun)
        assert b"took too long" in await asyncio.wait_for(reader.read(), PATIENCE)
        writer.close()
        await eventually(lambda: not server.connections)


# The server: hostile clients


async def test_rapid_resets_end_the_connection() -> None:
    handler = Collecting()
    async with serving(handler) as server, connected(server) as client:
        for _ in range(300):
            stream = client.ask()
            client.h2.reset_stream(stream, ErrorCodes.CANCEL)
        await client.until_closed()
        assert client.goaway is not None
        assert client.goaway.error_code == ErrorCodes.ENHANCE_YOUR_CALM
        assert len(handler.takers) <= 201
        await eventually(lambda: all(taker.left for taker in handler.takers))


async def test_resets_of_a_client_that_gets_answers_too_are_borne() -> None:
    handler = Collecting()
    async with serving(handler) as server, connected(server) as client:
        for _ in range(220):
            answered = client.ask()
            cancelled = client.ask()
            count = len(handler.takers)
            await eventually(lambda at=count: len(handler.takers) == at + 2)
            handler.takers[-2].exchange.respond(200)
            await client.answered(answered)
            client.h2.reset_stream(cancelled, ErrorCodes.CANCEL)
            client.flush()
        last = client.ask()
        await eventually(lambda: len(handler.takers) == 441)
        handler.last.exchange.respond(200)
        assert await client.answered(last) == b"200"


FRESH = PREFACE + frame(4, 0, 0)
GET = frame(1, 0x5, 1, b"\x82\x86\x84\x41\x01a")
"""A whole request."""
FLOOD = IDLE_FRAMES + 100
POST = frame(1, 0x4, 1, b"\x83\x86\x84\x41\x01a")
"""One whose body follows."""
NOISE = random.Random(7)


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", id="http1"),
        pytest.param(PREFACE[:20] + b"xxxx", id="bad-preface"),
        pytest.param(PREFACE + GET, id="no-settings"),
        pytest.param(FRESH + NOISE.randbytes(20_000), id="random"),
        pytest.param(FRESH + GET + NOISE.randbytes(20_000), id="random-after-a-request"),
        pytest.param(FRESH + frame(0, 0, 1, b"x" * 16_385), id="too-long"),
        pytest.param(FRESH + b"\xff\xff\xff\x00\x00\x00\x00\x00\x01", id="far-too-long"),
        pytest.param(FRESH + frame(1, 0x5, 1, b"\xff\xff\xff\xff\xff"), id="bad-hpack"),
        pytest.param(FRESH + frame(1, 0x5, 1, b"\xbf"), id="hpack-index"),
        pytest.param(FRESH + frame(1, 0x5, 2, b"\x82\x86\x84\x41\x01a"), id="even-stream"),
        pytest.param(FRESH + frame(1, 0x5, 0, b"\x82\x86\x84\x41\x01a"), id="stream-0"),
        pytest.param(FRESH + frame(1, 5, 5, b"\x82\x86\x84\x41\x01a") + GET, id="stream-too-low"),
        pytest.param(FRESH + frame(0, 0, 1, b"x"), id="data-on-idle-stream"),
        pytest.param(FRESH + POST + frame(9, 4, 1, b"x"), id="naked-continuation"),
        pytest.param(FRESH + frame(1, 1, 1, b"\x82") + frame(6, 0, 0, b"x" * 8), id="ping-in-head"),
        pytest.param(FRESH + frame(1, 1, 1, b"\x82") + frame(7, 0, 0, b"x" * 8), id="bye-in-head"),
        pytest.param(FRESH + frame(1, 1, 1, b"\x82") + frame(9, 0, 1) * 100, id="continuations"),
        pytest.param(
            FRESH + frame(1, 1, 1, b"") + frame(9, 0, 1, b"\x00\x01a\x7f\xff\x7f" * 2_000) * 60,
            id="endless-head",
        ),
        pytest.param(
            # A field of 3 KiB that is put in the table, and then named 200 times.
            FRESH
            + frame(
                1,
                5,
                1,
                b"\x82\x86\x84\x41\x01a\x40\x01b\x7f\x81\x17" + b"c" * 3_072 + b"\xbe" * 200,
            ),
            id="hpack-bomb",
        ),
        pytest.param(FRESH + frame(8, 0, 0, b"\0\0\0\0"), id="window-0"),
        pytest.param(FRESH + frame(8, 0, 0, b"\x7f\xff\xff\xff") * 2, id="window-overflow"),
        pytest.param(FRESH + frame(8, 0, 9, b"\0\0\0\1"), id="window-of-idle-stream"),
        pytest.param(FRESH + frame(6, 0, 0, b"x"), id="short-ping"),
        pytest.param(FRESH + frame(6, 0, 0, b"x" * 8) * FLOOD, id="ping-flood"),
        pytest.param(FRESH + frame(4, 0, 0) * FLOOD, id="settings-flood"),
        pytest.param(FRESH + POST + frame(0, 0, 1) * FLOOD, id="empty-data-flood"),
        pytest.param(FRESH + POST + frame(0, 8, 1, b"\x03abc") * FLOOD, id="padding-flood"),
        pytest.param(FRESH + frame(2, 0, 1, b"\0\0\0\0\1") * FLOOD, id="priority-flood"),
        pytest.param(FRESH + frame(2, 0, 1, b"\0\0\0\1\1"), id="priority-of-itself"),
        pytest.param(FRESH + frame(99, 0, 0, b"x") * FLOOD, id="unknown-flood"),
        pytest.param(FRESH + GET + frame(3, 0, 1, b"\0\0\0\x08") * FLOOD, id="reset-flood"),
        pytest.param(FRESH + frame(7, 0, 0, b"\0" * 8) * FLOOD, id="goaway-flood"),
        pytest.param(FRESH + frame(7, 0, 0, b"\0"), id="short-goaway"),
        pytest.param(FRESH + frame(4, 0, 0, b"\0\4\xff\xff\xff\xff"), id="settings-window"),
        pytest.param(FRESH + frame(4, 0, 0, b"\0\2\0\0\0\7"), id="settings-push"),
        pytest.param(FRESH + frame(4, 0, 0, b"\0"), id="short-settings"),
        pytest.param(FRESH + frame(5, 4, 1, b"\0\0\0\2\x82"), id="push"),
        pytest.param(FRESH + POST + frame(0, 8, 1, b"\x09abc"), id="bad-padding"),
    ],
)
async def test_what_is_not_http2_ends_the_connection_and_nothing_is_left(sent: bytes) -> None:
    handler = Collecting()
    async with serving(handler) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(sent)
        answer = await asyncio.wait_for(reader.read(), PATIENCE)
        # A GOAWAY, with its code, is the last frame.
        while True:
            size = 9 + int.from_bytes(answer[:3], "big")
            if len(answer) == size:
                break
            answer = answer[size:]
        assert answer[3] == 7
        assert int.from_bytes(answer[13:17], "big") != 0
        writer.close()
        await eventually(lambda: not server.connections)
        assert all(taker.left for taker in handler.takers)


async def test_more_of_a_request_that_has_ended_is_a_fault_of_its_stream() -> None:
    handler = Collecting()
    async with serving(handler) as server, connected(server) as client:
        stream = client.ask()
        await eventually(lambda: handler.takers)
        client.writer.write(frame(0, 0, stream, b"more"))
        await client.until(lambda: client.reset(stream) is not None)
        assert client.reset(stream) == ErrorCodes.STREAM_CLOSED
        assert handler.last.left == "stream reset for a fault of the client: STREAM_CLOSED"
        client.ask()
        await eventually(lambda: len(handler.takers) == 2)


async def test_acknowledgements_of_a_client_that_does_not_read_are_bounded() -> None:
    async with serving(hello) as server:
        _, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(FRESH + POST)
        burst = (frame(6, 0, 0, b"x" * 8) * 500 + frame(0, 0, 1, b"x")) * 20
        sent = 0
        async with asyncio.timeout(PATIENCE):
            while server.connections or not sent:
                try:
                    writer.write(burst)
                    await writer.drain()
                except ConnectionError:
                    break
                sent += len(burst)
        writer.transport.abort()
        await eventually(lambda: not server.connections)


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
async def test_curl_speaks_to_it() -> None:
    async with serving(echo) as server:

        async def curl(*arguments: str) -> tuple[int, bytes]:
            process = await asyncio.create_subprocess_exec(
                *("curl", "-sS", "--max-time", "10", "--http2-prior-knowledge", *arguments),
                f"http://127.0.0.1:{server.port}/x",
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            said, _ = await process.communicate()
            return process.returncode or 0, said

        code, told = await curl("-i", "-d", "hello")
        if code == 1 or b"unsupported" in told or b"not support" in told:
            pytest.skip("this curl does not speak HTTP/2")
        assert code == 0
        assert told.startswith(b"HTTP/2 200")
        assert b"hello" in told
        assert b"x-size: 5" in told
        code, told = await curl("-d", "x" * 100_000)
        assert (code, told) == (0, b"x" * 100_000)


LIKELY = st.sampled_from(
    [
        GET,
        POST,
        frame(1, 4, 3, b"\x83\x86\x84\x41\x01a"),
        frame(1, 5, 5, b"\x82\x86\x84\x41\x01a"),
        frame(0, 0, 1, b"x" * 5_000),
        frame(0, 1, 1, b"xyz"),
        frame(0, 0, 3, b"x" * 16_384),
        frame(1, 5, 1, b"\x40\x01b\x01c"),
        frame(3, 0, 1, b"\0\0\0\x08"),
        frame(8, 0, 0, b"\0\1\0\0"),
        frame(8, 0, 1, b"\0\1\0\0"),
        frame(4, 0, 0, b"\0\4\0\0\0\0"),
        frame(4, 0, 0, b"\0\4\0\1\0\0"),
        frame(4, 1, 0),
    ]
)
TALK = st.lists(st.one_of(LIKELY, LIKELY, FRAMES), max_size=30)


async def test_whatever_comes_no_exception_escapes_and_all_exchanges_end() -> None:
    loop = asyncio.get_running_loop()
    reported: list[object] = []
    loop.set_exception_handler(lambda _, told: reported.append(told))

    @settings(
        max_examples=300,
        suppress_health_check=[HealthCheck.nested_given],
        database=None,
    )
    @given(TALK, FLIPS, st.integers(1, 1 << 16), st.randoms(use_true_random=False))
    def nothing_escapes(
        talk: list[bytes], flips: list[tuple[int, int]], step: int, draw: random.Random
    ) -> None:
        takers: list[Taker] = []

        def handler(exchange: Exchange) -> None:
            choice = draw.randrange(5)
            if choice == 0:
                hello(exchange)
            elif choice == 1:
                echo(exchange)
            else:
                takers.append(Taker(exchange))
                if choice == 2:
                    exchange.receive()
                    exchange.start(200, b"", (), length=None)
                    exchange.write(b"x" * 100_000)

        gone: list[object] = []
        connections: set[Http2Connection] = set()
        wire = Wire()
        exchanges: list[Exchange] = []
        connection = Http2Connection(
            loop, lambda e: (exchanges.append(e), handler(e))[1], Limits(), connections, gone.append
        )
        connection.connection_made(wire)
        sent = FRESH + mutate(b"".join(talk), flips) if talk else FRESH
        for at in range(0, len(sent), step):
            connection.data_received(sent[at : at + step])
            for taker in takers:
                match draw.randrange(8):
                    case 0:
                        taker.exchange.receive()
                    case 1:
                        taker.exchange.pause()
                    case 2:
                        taker.exchange.resume()
                    case 3:
                        taker.exchange.end() if taker.exchange.started else None
                    case 4:
                        taker.exchange.abort()
                    case _:
                        pass
            if draw.randrange(10) == 0:
                connection.pause_writing()
            elif draw.randrange(4) == 0:
                connection.resume_writing()
        connection.connection_lost(None)
        assert gone == [connection]
        assert all(exchange.finished or exchange.gone for exchange in exchanges)
        assert not reported

    nothing_escapes()
    await turns()
    assert not reported
    loop.set_exception_handler(None)
