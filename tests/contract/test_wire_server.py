"""The server side of the wire on real sockets: raw bytes in, raw bytes out, on both event loops.

Pins RFC 9112 (framing, persistence, smuggling) and Knative reference §3.6 (streaming,
100-continue).
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knlite.dataplane.wire.body import TooLarge, read_body
from knlite.dataplane.wire.exchange import (
    HOLD_LIMIT,
    Exchange,
    Handler,
    Headers,
    path_of,
    query_of,
)
from knlite.dataplane.wire.http1_server import DRAIN_LIMIT, Http1Connection
from knlite.dataplane.wire.limits import Limits
from knlite.dataplane.wire.listener import Server, serve
from knlite.serving.instance import Address

PATIENCE = 10.0


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, object]]:
    return "asyncio", {"use_uvloop": request.param}


@asynccontextmanager
async def serving(handler: Handler, limits: Limits | None = None) -> AsyncIterator[Server]:
    server = await serve(handler, [Address("127.0.0.1", 0)], limits)
    try:
        yield server
    finally:
        await server.aclose(0)


class Client:
    """A raw connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def until(self, end: bytes) -> bytes:
        return await asyncio.wait_for(self.reader.readuntil(end), PATIENCE)

    async def rest(self) -> bytes:
        """Everything until the server closes."""
        return await asyncio.wait_for(self.reader.read(), PATIENCE)


@asynccontextmanager
async def connected(server: Server) -> AsyncIterator[Client]:
    reader, writer = await asyncio.open_connection(*server.addresses[0])
    try:
        yield Client(reader, writer)
    finally:
        if not writer.is_closing():
            writer.transport.abort()


class Taker:
    """Takes what an exchange tells; tests replace what they are interested in."""

    def body(self, data: bytes) -> None: ...

    def body_end(self, trailers: Headers) -> None: ...

    def client_left(self, why: str) -> None: ...

    def client_full(self) -> None: ...

    def client_ready(self) -> None: ...


async def said(handler: Handler, request: bytes, limits: Limits | None = None) -> bytes:
    """All bytes that *request* is answered with until the server closes."""
    async with serving(handler, limits) as server, connected(server) as client:
        client.send(request)
        return await client.rest()


async def eventually(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.get_running_loop().run_in_executor(None, lambda: None)


def echo(exchange: Exchange) -> None:
    def done(body: bytes | TooLarge) -> None:
        assert isinstance(body, bytes)
        told = b"%b %b %b" % (exchange.method, exchange.target, body)
        exchange.respond(200, [(b"X-Host", exchange.host)], told)

    read_body(exchange, 1 << 20, done)


def hello(exchange: Exchange) -> None:
    exchange.respond(200, (), b"hello")


LAST = b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

STREAM = (
    b"POST /one?x=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
    b"POST /two HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\nTrailer: x\r\n\r\n"
    b"POST /three HTTP/1.1\r\nHost: c\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"
    b"Content-Length: 4\r\n\r\nGET "
    b"GET /four HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n" + LAST
)


async def test_a_stream_of_requests_means_the_same_wherever_it_is_split() -> None:
    whole = await said(echo, STREAM)
    assert whole.count(b"HTTP/1.1 200 OK\r\n") == 5
    for told in (b"POST /one?x=1 hello", b"POST /two abcde", b"POST /three GET ", b"GET /four "):
        assert told in whole

    @settings(
        max_examples=25,
        suppress_health_check=[HealthCheck.nested_given],
        database=None,
    )
    @given(st.sets(st.integers(min_value=1, max_value=len(STREAM) - 1), max_size=12))
    def cuts_do_not_matter(cuts: set[int]) -> None:
        # Straight into the protocol: a socket would join what is sent apart.
        edges = [0, *sorted(cuts), len(STREAM)]
        transport = RecordingTransport()
        loop = asyncio.get_running_loop()
        connection = Http1Connection(loop, echo, Limits(), set(), lambda _: None)
        connection.connection_made(transport)
        for begin, end in pairwise(edges):
            connection.data_received(STREAM[begin:end])
        connection.connection_lost(None)
        assert transport.written == whole

    cuts_do_not_matter()


class RecordingTransport(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def writelines(self, list_of_data: object) -> None:
        assert isinstance(list_of_data, list)
        self.written += b"".join(list_of_data)

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def can_write_eof(self) -> bool:
        return False


async def test_pipelined_requests_are_answered_in_their_order_one_at_a_time() -> None:
    begun: list[Exchange] = []
    async with serving(begun.append) as server, connected(server) as client:
        client.send(b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n" + LAST)
        await eventually(lambda: begun)
        for index in range(3):
            assert len(begun) == index + 1
            begun[index].respond(200, (), begun[index].target)
        answers = await client.rest()
    assert [answers.index(b"/%b" % n) for n in (b"1", b"2", b"last")] == sorted(
        answers.index(b"/%b" % n) for n in (b"1", b"2", b"last")
    )


async def test_ten_thousand_pipelined_requests_need_no_deep_stack() -> None:
    answers = await said(hello, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 10_000 + LAST)
    assert answers.count(b"HTTP/1.1 200 OK") == 10_001


def head(*lines: bytes, first: bytes = b"POST / HTTP/1.1") -> bytes:
    return b"\r\n".join((first, b"Host: a", *lines, b"", b""))


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        pytest.param(
            head(b"Content-Length: 3", b"Transfer-Encoding: chunked") + b"0\r\n\r\n", 400, id="both"
        ),
        pytest.param(
            head(b"Transfer-Encoding: chunked", b"Content-Length: 3") + b"0\r\n\r\n",
            400,
            id="both-swapped",
        ),
        pytest.param(head(b"Content-Length: 3", b"Content-Length: 4") + b"abcd", 400, id="two"),
        pytest.param(head(b"Content-Length: +3") + b"abc", 400, id="signed"),
        pytest.param(head(b"Content-Length: 3, 3") + b"abc", 400, id="list"),
        pytest.param(head(b"Transfer-Encoding: gzip, chunked"), 501, id="coding"),
        pytest.param(head(b"Transfer-Encoding: chunked, identity"), 400, id="not-last"),
        pytest.param(
            head(b"Transfer-Encoding: chunked", first=b"POST / HTTP/1.0") + b"0\r\n\r\n",
            400,
            id="chunked-1.0",
        ),
        pytest.param(head(b"Transfer-Encoding: chunked") + b"zz\r\n", 400, id="bad-chunk"),
        pytest.param(b"GET / HTTP/1.1\nHost: a\n\n", 400, id="bare-lf"),
        pytest.param(b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400, id="space-before-colon"),
        pytest.param(head(b"X: a", b" folded"), 400, id="folded"),
        pytest.param(head(b"X: a\0b"), 400, id="nul"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", 400, id="no-host"),
        pytest.param(head(b"Host: b"), 400, id="two-hosts"),
        pytest.param(b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505, id="version"),
        pytest.param(b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", 501, id="connect"),
        pytest.param(b"F\x01O / HTTP/1.1\r\nHost: a\r\n\r\n", 501, id="method"),
        pytest.param(b"\x16\x03\x01\x00", 501, id="tls"),
        pytest.param(head(b"Expect: magic", b"Content-Length: 1"), 417, id="expectation"),
        pytest.param(head(b"X: " + b"x" * 70_000), 431, id="large-value"),
        pytest.param(b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 431, id="target"),
        pytest.param(b"GET /" + b"x" * 400_000, 431, id="endless-target"),
        pytest.param(head(*[b"X: y"] * 300), 431, id="many-headers"),
    ],
)
async def test_a_bad_request_is_refused_and_the_connection_closed(
    request_bytes: bytes, status: int
) -> None:
    answer = await said(echo, request_bytes + b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert answer.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize("trailers", [b"a: b\r\n" * 300, b"a: " + b"b" * 70_000 + b"\r\n"])
async def test_trailers_that_come_in_one_read_have_the_limits_of_a_head(trailers: bytes) -> None:
    transport = RecordingTransport()
    loop = asyncio.get_running_loop()
    connection = Http1Connection(loop, echo, Limits(), set(), lambda _: None)
    connection.connection_made(transport)
    connection.data_received(head(b"Transfer-Encoding: chunked") + b"0\r\n" + trailers + b"\r\n")
    assert transport.written.startswith(b"HTTP/1.1 400 ")
    connection.connection_lost(None)


async def test_a_refusal_waits_for_the_answers_before_it() -> None:
    begun: list[Exchange] = []
    async with serving(begun.append) as server, connected(server) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n\r\n")
        await eventually(lambda: begun)
        begun[0].respond(200, (), b"first")
        answers = await client.rest()
    assert answers.index(b"first") < answers.index(b"HTTP/1.1 400")


async def test_what_follows_a_request_that_closes_is_ignored() -> None:
    assert (await said(hello, LAST + b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")).count(
        b"HTTP/1.1 200"
    ) == 1


@pytest.mark.parametrize(
    ("request_bytes", "expected"),
    [
        pytest.param(
            b"HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n",
            id="head",
        ),
        pytest.param(
            b"GET / HTTP/1.0\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
            id="1.0",
        ),
        pytest.param(
            b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + LAST,
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello"
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
            id="1.0-kept",
        ),
    ],
)
async def test_a_whole_answer(request_bytes: bytes, expected: bytes) -> None:
    assert await said(hello, request_bytes) == expected


@pytest.mark.parametrize(
    ("first", "status", "length", "expected"),
    [
        pytest.param(
            b"GET / HTTP/1.1",
            200,
            None,
            b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
            b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
            id="chunks",
        ),
        pytest.param(
            b"GET / HTTP/1.1",
            200,
            3,
            b"Content-Length: 3\r\nConnection: close\r\n\r\nabc",
            id="length",
        ),
        pytest.param(
            b"GET / HTTP/1.0", 200, None, b"Connection: close\r\n\r\nabc", id="until-close"
        ),
        pytest.param(b"GET / HTTP/1.1", 204, None, b"Connection: close\r\n\r\n", id="204"),
        pytest.param(
            b"GET / HTTP/1.1",
            304,
            9,
            b"Content-Length: 9\r\nConnection: close\r\n\r\n",
            id="304",
        ),
        pytest.param(
            b"HEAD / HTTP/1.1", 200, None, b"Connection: close\r\n\r\n", id="head-unknown"
        ),
    ],
)
async def test_a_streamed_answer(
    first: bytes, status: int, length: int | None, expected: bytes
) -> None:
    def handler(exchange: Exchange) -> None:
        exchange.start(status, b"Fine", [(b"X", b"y")], length=length)
        exchange.write(b"ab")
        exchange.write(b"")
        exchange.write(b"c")
        exchange.end()

    answer = await said(handler, first + b"\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert answer == b"HTTP/1.1 %d Fine\r\nX: y\r\n" % status + expected


@pytest.mark.parametrize("body", [b"ab", b"abcd"], ids=["short", "long"])
async def test_an_answer_of_another_length_than_announced_is_cut(body: bytes) -> None:
    def handler(exchange: Exchange) -> None:
        exchange.start(200, b"OK", (), length=3)
        exchange.write(body)
        exchange.end()

    async with serving(handler) as server, connected(server) as client:
        client.send(head(first=b"GET / HTTP/1.1"))
        try:
            answer = await client.rest()
        except ConnectionResetError:
            answer = b""
    # Fewer than announced, and then no next answer: the client sees that it was cut.
    assert len(answer.partition(b"\r\n\r\n")[2]) < 3


async def test_a_client_that_asks_to_switch_or_close_gets_its_answer_and_the_end() -> None:
    request = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close, Upgrade\r\nUpgrade: x\r\n\r\n"
    answer = await said(hello, request + LAST)
    assert answer.count(b"HTTP/1.1 200") == 1
    assert b"Connection: close\r\n" in answer


async def test_one_who_asks_to_switch_waits_for_the_answers_before() -> None:
    begun: list[Exchange] = []
    asking = b"GET /2 HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"
    async with serving(begun.append) as server, connected(server) as client:
        client.send(head(first=b"GET /1 HTTP/1.1") + asking + LAST)
        for index, target in enumerate((b"/1", b"/2", b"/last")):
            await eventually(lambda index=index: len(begun) > index)
            begun[index].respond(200, (), target)
            await client.until(target)
        assert [exchange.target for exchange in begun] == [b"/1", b"/2", b"/last"]


async def test_a_cut_answer_that_only_the_end_would_end_is_reset() -> None:
    def handler(exchange: Exchange) -> None:
        exchange.start(200, b"OK", (), length=None)
        exchange.write(b"half")
        asyncio.get_running_loop().call_soon(exchange.abort)

    async with serving(handler) as server, connected(server) as client:
        client.send(b"GET / HTTP/1.0\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            await client.rest()


@pytest.mark.parametrize("value", [b"a\r\nX: y", b"a\n", b"a\rb", b"a\0"])
async def test_a_line_end_in_a_header_is_never_sent(value: bytes) -> None:
    def handler(exchange: Exchange) -> None:
        with pytest.raises(ValueError, match="line end"):
            exchange.respond(200, [(b"X-A", value)])
        exchange.respond(500)

    assert (await said(handler, LAST)).startswith(b"HTTP/1.1 500 Internal Server Error\r\n")


async def test_100_continue_is_sent_when_the_body_is_wanted() -> None:
    async with serving(echo) as server, connected(server) as client:
        client.send(head(b"Expect: 100-continue", b"Content-Length: 2"))
        assert await client.until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.send(b"ok")
        assert (await client.until(b"POST / ok")).startswith(b"HTTP/1.1 200 OK")


async def test_a_client_that_waits_for_leave_in_vain_is_told_that_the_connection_closes() -> None:
    answer = await said(hello, head(b"Expect: 100-continue", b"Content-Length: 2"))
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Connection: close" in answer


async def test_a_body_over_the_limit_is_refused_by_its_length_before_it_comes() -> None:
    def handler(exchange: Exchange) -> None:
        read_body(exchange, 3, lambda body: exchange.respond(413 if body == TooLarge(3) else 200))

    for request in (
        head(b"Expect: 100-continue", b"Content-Length: 4"),
        head(b"Transfer-Encoding: chunked", b"Connection: close") + b"4\r\nabcd\r\n0\r\n\r\n",
    ):
        assert (await said(handler, request)).startswith(b"HTTP/1.1 413 ")


async def test_a_connection_outlives_a_small_body_that_nobody_wanted() -> None:
    answers = await said(hello, head(b"Content-Length: 5") + b"hello" + LAST)
    assert answers.count(b"HTTP/1.1 200") == 2


async def test_a_connection_does_not_outlive_a_large_body_that_nobody_wanted() -> None:
    size = 2 * DRAIN_LIMIT
    answers = await said(hello, head(b"Content-Length: %d" % size) + b"x" * size + LAST)
    assert answers.count(b"HTTP/1.1 200") == 1


async def test_a_paused_body_stops_the_sender() -> None:
    begun: list[Exchange] = []
    taken: list[int] = []

    class Counter(Taker):
        def body(self, data: bytes) -> None:
            taken.append(len(data))

        def body_end(self, trailers: Headers) -> None:
            begun[0].respond(200)

    def handler(exchange: Exchange) -> None:
        begun.append(exchange)
        exchange.pause()
        exchange.attend(Counter())
        exchange.receive()

    size = 64 << 20
    async with serving(handler) as server, connected(server) as client:
        client.send(head(b"Content-Length: %d" % size))
        await eventually(lambda: begun)
        client.send(bytes(size))
        await turns()
        assert sum(taken) < 2 << 20
        begun[0].resume()
        assert (await client.until(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
    assert sum(taken) == size


async def test_a_body_that_ends_while_it_is_paused_does_not_pause_the_next_request() -> None:
    class Pausing(Taker):
        def __init__(self, exchange: Exchange) -> None:
            self.exchange = exchange

        def body_end(self, trailers: Headers) -> None:
            self.exchange.respond(200, (), self.exchange.target)

    def handler(exchange: Exchange) -> None:
        # As when the way to the server is still being made.
        exchange.pause()
        exchange.attend(Pausing(exchange))
        exchange.receive()

    async with serving(handler) as server, connected(server) as client:
        for target in (b"/one", b"/two"):
            lines = b"Host: x\r\nContent-Length: 4\r\n\r\n"
            client.send(b"POST %b HTTP/1.1\r\n%bbody" % (target, lines))
            assert (await client.until(target)).startswith(b"HTTP/1.1 200 OK\r\n")


async def test_a_held_body_that_nobody_wants_any_more_is_read_and_forgotten() -> None:
    begun: list[Exchange] = []
    size = HOLD_LIMIT + DRAIN_LIMIT
    async with serving(begun.append) as server, connected(server) as client:
        client.send(head(b"Content-Length: %d" % size))
        client.send(bytes(HOLD_LIMIT + 1))
        await eventually(lambda: begun)
        await turns()
        begun[0].respond(503, (), b"no place")
        client.send(bytes(size - HOLD_LIMIT - 1))
        assert (await client.until(b"no place")).startswith(b"HTTP/1.1 503 ")
        client.send(head())
        await eventually(lambda: len(begun) == 2)


async def test_a_slow_reader_pauses_the_writer() -> None:
    paused: list[bool] = []
    sent = 0

    class Flow(Taker):
        def client_full(self) -> None:
            paused.append(True)

        def client_ready(self) -> None:
            paused.append(False)

    def handler(exchange: Exchange) -> None:
        nonlocal sent
        exchange.attend(Flow())
        exchange.start(200, b"OK", (), length=None)

        def more() -> None:
            nonlocal sent
            if not paused or not paused[-1]:
                exchange.write(bytes(65536))
                sent += 65536
                asyncio.get_running_loop().call_soon(more)

        more()

    async with serving(handler) as server:
        with socket.create_connection(server.addresses[0]) as client:
            client.sendall(LAST)
            await eventually(lambda: paused)
            await turns()
            assert paused == [True]
            assert sent < 32 << 20
            client.setblocking(False)
            async with asyncio.timeout(PATIENCE):
                while paused == [True]:
                    await asyncio.get_running_loop().sock_recv(client, 1 << 20)
    assert paused[1] is False


async def turns() -> None:
    """Let everything that can happen happen."""
    for _ in range(200):
        await asyncio.get_running_loop().run_in_executor(None, lambda: None)


class Leaving(Taker):
    """Notes that the client has left."""

    def __init__(self, left: list[str]) -> None:
        self._left = left

    def client_left(self, why: str) -> None:
        self._left.append(why)


@pytest.mark.parametrize("abruptly", [True, False], ids=["reset", "closed"])
async def test_a_handler_hears_that_its_client_has_left(abruptly: bool) -> None:
    left: list[str] = []
    begun: list[Exchange] = []

    def handler(exchange: Exchange) -> None:
        begun.append(exchange)
        exchange.attend(Leaving(left))

    async with serving(handler) as server, connected(server) as client:
        client.send(LAST)
        await eventually(lambda: begun)
        if abruptly:
            client.writer.transport.abort()
        else:
            client.writer.close()
        await eventually(lambda: left)
        begun[0].respond(200, (), b"too late")
    assert len(left) == 1


async def test_a_failing_handler_is_answered_with_500_and_reported() -> None:
    reported: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: reported.append(told))

    def handler(exchange: Exchange) -> None:
        raise LookupError

    assert (await said(handler, LAST)).startswith(b"HTTP/1.1 500 ")
    assert len(reported) == 1


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        pytest.param(b"", b"", id="nothing"),
        pytest.param(b"GET / HTTP/1.1\r\nHo", b"HTTP/1.1 408 Request Timeout", id="half-a-head"),
    ],
)
async def test_a_head_that_does_not_come_in_time_ends_the_connection(
    sent: bytes, answered: bytes
) -> None:
    assert (await said(hello, sent, Limits(head_seconds=0.02))).startswith(answered)


async def test_a_body_of_which_nothing_comes_any_more_ends_the_connection() -> None:
    answer = await said(echo, head(b"Content-Length: 5") + b"he", Limits(body_seconds=0.02))
    assert answer.startswith(b"HTTP/1.1 408 Request Timeout")


async def test_an_idle_connection_is_closed() -> None:
    answer = await said(hello, head(first=b"GET / HTTP/1.1"), Limits(idle_seconds=0.02))
    assert answer.endswith(b"hello")


async def test_closing_lets_the_running_exchange_finish_and_closes_the_idle_one() -> None:
    begun: list[Exchange] = []
    async with serving(begun.append) as server:
        async with connected(server) as idle, connected(server) as busy:
            busy.send(head(first=b"GET / HTTP/1.1"))
            await eventually(lambda: begun)
            closing = asyncio.gather(server.aclose(PATIENCE))
            assert await idle.rest() == b""
            begun[0].respond(200, (), b"finished")
            assert (await busy.rest()).endswith(b"finished")
            await closing
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(*server.addresses[0])


async def test_after_the_grace_what_still_runs_is_cut() -> None:
    left: list[str] = []

    def handler(exchange: Exchange) -> None:
        exchange.attend(Leaving(left))

    async with serving(handler) as server, connected(server) as client:
        client.send(LAST)
        await turns()
        await server.aclose(0.02)
    assert len(left) == 1


async def test_the_absolute_form_decides_the_host() -> None:
    seen: list[tuple[bytes, bytes, bytes]] = []

    def handler(exchange: Exchange) -> None:
        seen.append((exchange.host, path_of(exchange.target), query_of(exchange.target)))
        exchange.respond(200)

    request = b"GET http://shop.test:80/a/b?c=d HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    await said(handler, request)
    assert seen == [(b"shop.test:80", b"/a/b", b"c=d")]
