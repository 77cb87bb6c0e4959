"""Client, pool, relay and fetch against raw servers on loopback, on both event loops.

Pins Knative reference §3.3, §3.6 (streaming both ways, no retries once bytes were sent), RFC 9112
§6.3, §9.3.1 and RFC 9110 §7.6.1, §9.2.2.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from knlite.dataplane.fetch import Origin, Pools, Response, fetch
from knlite.dataplane.forward import ClientLeft, Relay
from knlite.dataplane.wire import http1_pool as pool_module
from knlite.dataplane.wire.call import Coming, Headers
from knlite.dataplane.wire.exchange import Exchange, Header
from knlite.dataplane.wire.failures import Broken, Failure, Refused, TimedOut
from knlite.dataplane.wire.http1_pool import Http1Pool
from knlite.dataplane.wire.listener import serve
from knlite.serving.instance import Address

PATIENCE = 10.0

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, object]]:
    return "asyncio", {"use_uvloop": request.param}


async def eventually(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.get_running_loop().run_in_executor(None, lambda: None)


async def turns() -> None:
    """Let everything that can happen happen."""
    for _ in range(200):
        await asyncio.get_running_loop().run_in_executor(None, lambda: None)


def drop(writer: asyncio.StreamWriter) -> None:
    """Cut a connection unless it is closed already (then its transport has no loop any more)."""
    if not writer.is_closing():
        writer.transport.abort()


@asynccontextmanager
async def talking(*talks: Talk) -> AsyncIterator[Address]:
    """A server whose nth connection is served by the nth of *talks*, the last by all others."""
    count = 0
    writers: list[asyncio.StreamWriter] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        talk = talks[min(count, len(talks) - 1)]
        count += 1
        writers.append(writer)
        try:
            await talk(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield Address(*server.sockets[0].getsockname())
    finally:
        server.close()
        for writer in writers:
            drop(writer)
        await turns()


def answering(*answers: bytes, after: bytes = b"\r\n\r\n") -> Talk:
    """Answers the nth request of a connection with the nth of *answers*, then closes."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await reader.readuntil(after)
            writer.write(answer)

    return talk


def always(answer: bytes) -> Talk:
    return answering(*[answer] * 100)


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


class Answer:
    """Collects one answer."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: list[Header] = []
        self.interims: list[int] = []
        self.body = b""
        self.trailers: Headers = ()
        self.over: str | Failure = ""
        self.began = False
        self.flow: list[str] = []

    def interim(self, status: int, reason: bytes, headers: list[Header]) -> None:
        self.interims.append(status)

    def answered(self, status: int, reason: bytes, headers: list[Header], body: bytes) -> None:
        self.head(status, reason, headers, len(body))
        self.body = body
        self.end(())

    def head(self, status: int, reason: bytes, headers: list[Header], length: int | None) -> None:
        self.status, self.headers, self.began = status, headers, True

    def switched(self, reason: bytes, headers: list[Header]) -> None:
        self.head(101, reason, headers, None)

    def data(self, data: bytes) -> None:
        self.body += data

    def end(self, trailers: Headers) -> None:
        assert not self.over
        self.over = "complete"
        self.trailers = trailers

    def failed(self, failure: Failure) -> None:
        assert not self.over
        self.over = failure

    def server_full(self) -> None:
        self.flow.append("full")

    def server_ready(self) -> None:
        self.flow.append("ready")


HOST = [(b"Host", b"a")]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def asked(pool: Http1Pool, method: bytes = b"GET", body: bytes | Coming = b"") -> Answer:
    answer = Answer()
    pool.send(method, b"/", HOST, answer, body=body)
    await eventually(lambda: answer.over)
    return answer


@asynccontextmanager
async def pooled(*talks: Talk, most: int | None = None) -> AsyncIterator[Http1Pool]:
    async with talking(*talks) as address:
        pool = Http1Pool(address, most=most)
        try:
            yield pool
        finally:
            await pool.aclose()


@pytest.mark.parametrize(
    ("method", "answer", "status", "body"),
    [
        pytest.param(b"GET", OK, 200, b"ok", id="length"),
        pytest.param(
            b"GET",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nT: x\r\n\r\n",
            200,
            b"ok",
            id="chunks",
        ),
        pytest.param(b"GET", b"HTTP/1.1 200 OK\r\n\r\nok", 200, b"ok", id="until-close"),
        pytest.param(b"GET", b"HTTP/1.0 200\r\n\r\n", 200, b"", id="1.0"),
        pytest.param(b"HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", 200, b"", id="head"),
        pytest.param(b"GET", b"HTTP/1.1 204 No\r\n\r\n", 204, b"", id="204"),
        pytest.param(b"GET", b"HTTP/1.1 304 No\r\nContent-Length: 2\r\n\r\n", 304, b"", id="304"),
        pytest.param(
            b"GET", b"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" + OK, 200, b"ok", id="interim"
        ),
    ],
)
async def test_an_answer_ends_where_it_ends(
    method: bytes, answer: bytes, status: int, body: bytes
) -> None:
    async with pooled(answering(answer)) as pool:
        got = await asked(pool, method)
    assert (got.status, got.body, got.over) == (status, body, "complete")


@pytest.mark.parametrize(
    ("answer", "began"),
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok", True, id="short"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", True),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-", False, id="half-a-head"),
        pytest.param(b"", False, id="nothing"),
        pytest.param(b"SSH-2.0\r\n\r\n", False, id="no-http"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            False,
            id="both",
        ),
        pytest.param(
            b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", False, id="101"
        ),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000, False, id="endless-head"),
        pytest.param(b"HTTP/1.1 101 Switching\r\n\r\n", False, id="101-to-nothing"),
        pytest.param(
            b"HTTP/1.1 101 Switching\r\nContent-Length: 0\r\n\r\n" + OK, False, id="101-length"
        ),
        pytest.param(b"HTTP/1.1 200 O\0K\r\nContent-Length: 0\r\n\r\n", False, id="reason-nul"),
        pytest.param(b"HTTP/1.1 103 O\x01K\r\n\r\n" + OK, False, id="reason-control"),
        pytest.param(b"HTTP/1.1 000 OK\r\nContent-Length: 0\r\n\r\n", False, id="status-0"),
        pytest.param(b"HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n", False, id="status-99"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
            False,
            id="coding",
        ),
    ],
)
async def test_a_broken_answer_is_a_failure(answer: bytes, began: bool) -> None:
    async with pooled(answering(answer)) as pool:
        got = await asked(pool)
    assert isinstance(got.over, Broken)
    assert got.began is began


@pytest.mark.parametrize("trailers", [b"a: b\r\n" * 300, b"a: " + b"b" * 70_000 + b"\r\n"])
async def test_trailers_that_are_too_large_are_a_failure(trailers: bytes) -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
    async with pooled(answering(chunked + trailers + b"\r\n")) as pool:
        got = await asked(pool)
    assert isinstance(got.over, Broken)


async def test_a_connection_is_used_again() -> None:
    async with pooled(always(OK), silent) as pool:
        for _ in range(3):
            assert (await asked(pool)).body == b"ok"


async def test_a_connection_is_used_again_after_head() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
    async with pooled(answering(head, OK, OK), silent) as pool:
        assert (await asked(pool, b"HEAD")).over == "complete"
        assert (await asked(pool)).body == b"ok"


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(OK + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", id="second-answer"),
        pytest.param(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"),
    ],
)
async def test_a_connection_with_more_than_the_answer_is_not_used_again(answer: bytes) -> None:
    async with pooled(always(answer), always(OK)) as pool:
        assert (await asked(pool)).body == b"ok"
        assert (await asked(pool)).body == b"ok"


async def test_a_stale_connection_is_replaced_once() -> None:
    async with pooled(answering(OK, b""), always(OK)) as pool:
        assert (await asked(pool)).body == b"ok"
        assert (await asked(pool)).body == b"ok"
    async with pooled(answering(OK, b""), answering(b"")) as pool:
        assert (await asked(pool)).body == b"ok"
        assert isinstance((await asked(pool)).over, Broken)


@pytest.mark.parametrize(
    ("method", "body"),
    [
        pytest.param(b"POST", b"x", id="with-body"),
        pytest.param(b"POST", b"", id="without-body"),
    ],
)
async def test_what_may_not_be_repeated_is_not(method: bytes, body: bytes) -> None:
    async with pooled(answering(OK, b""), always(OK)) as pool:
        assert (await asked(pool)).body == b"ok"
        assert isinstance((await asked(pool, method, body)).over, Broken)


async def test_a_body_that_has_not_begun_does_not_hinder_a_repetition() -> None:
    async with pooled(answering(OK, b""), answering(OK, after=b"late")) as pool:
        assert (await asked(pool)).body == b"ok"
        answer = Answer()
        call = pool.send(b"POST", b"/", HOST, answer, body=Coming(4))
        await eventually(lambda: answer.flow == ["full", "ready"])
        call.write(b"late")
        call.end()
        await eventually(lambda: answer.over)
    assert answer.body == b"ok"


async def test_a_request_on_a_new_connection_is_never_repeated() -> None:
    async with pooled(answering(b""), always(OK)) as pool:
        assert isinstance((await asked(pool)).over, Broken)


async def test_nobody_listens() -> None:
    async with talking(silent) as address:
        pass
    pool = Http1Pool(address)
    got = await asked(pool)
    assert got.over == Refused(f"dial tcp 127.0.0.1:{address.port}: connect: connection refused")
    await pool.aclose()


async def test_idle_connections_are_closed_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "IDLE_SECONDS", 0.02)
    async with pooled(always(OK)) as pool:
        await asked(pool)
        assert not pool.quiet
        await eventually(lambda: pool.quiet)


async def test_closing_the_pool_fails_what_runs() -> None:
    answer = Answer()
    async with pooled(silent) as pool:
        pool.send(b"GET", b"/", HOST, answer)
        await turns()
    assert isinstance(answer.over, Broken)


async def test_requests_beyond_the_bound_wait_for_a_connection_in_their_order() -> None:
    ended: list[int] = []

    class Numbered(Answer):
        def __init__(self, number: int) -> None:
            super().__init__()
            self._number = number

        def end(self, trailers: Headers) -> None:
            ended.append(self._number)

    # A second connection would get no answer.
    async with pooled(always(OK), silent, most=1) as pool:
        for number in range(5):
            pool.send(b"GET", b"/", HOST, Numbered(number))
        await eventually(lambda: len(ended) == 5)
    assert ended == [0, 1, 2, 3, 4]


async def test_a_connection_that_is_lost_makes_room_for_one_that_waits() -> None:
    async with pooled(answering(b""), answering(OK), always(OK), most=1) as pool:
        answers = [Answer() for _ in range(4)]
        for answer in answers:
            pool.send(b"GET", b"/", HOST, answer)
        await eventually(lambda: all(answer.over for answer in answers))
    assert isinstance(answers[0].over, Broken)
    assert [answer.over for answer in answers[1:2]] == ["complete"]


async def test_all_that_wait_hear_that_nobody_listens() -> None:
    async with talking(silent) as address:
        pass
    pool = Http1Pool(address, most=1)
    answers = [Answer() for _ in range(3)]
    for answer in answers:
        pool.send(b"GET", b"/", HOST, answer)
    await eventually(lambda: all(answer.over for answer in answers))
    assert all(isinstance(answer.over, Refused) for answer in answers)
    await pool.aclose()


async def test_who_waits_may_give_up_and_closing_fails_the_others() -> None:
    first, cancelled, last = Answer(), Answer(), Answer()
    async with pooled(silent, most=1) as pool:
        pool.send(b"GET", b"/", HOST, first)
        pool.send(b"GET", b"/", HOST, cancelled).cancel()
        pool.send(b"GET", b"/", HOST, last)
        await turns()
        assert not first.over
        assert not last.over
    assert not cancelled.over
    assert isinstance(last.over, Broken)


async def test_a_cancelled_exchange_says_nothing_and_cuts_its_connection() -> None:
    answer = Answer()
    async with pooled(silent) as pool:
        call = pool.send(b"GET", b"/", HOST, answer)
        await turns()
        call.cancel()
        await eventually(lambda: pool.quiet)
    assert not answer.over


# The relay.


@dataclass(frozen=True)
class Relayed:
    """The answer has passed completely."""

    status: int


Done = Relayed | ClientLeft | Failure


class Owner:
    """Starts a relay, and tells how it ended."""

    def __init__(self, exchange: Exchange, pool: Http1Pool, done: list[Done]) -> None:
        self._exchange = exchange
        self._done = done
        self._relay = Relay(exchange, self)
        self._relay.begin(pool, exchange.target, exchange.headers)

    def first_byte(self, status: int) -> list[Header]:
        return [(b"X-Extra", b"1")]

    def done(self) -> None:
        self._done.append(Relayed(self._relay.status))

    def broke_off(self, why: ClientLeft | Failure) -> None:
        self._done.append(why)
        if not self._exchange.started and not isinstance(why, ClientLeft):
            self._exchange.respond(502)


@asynccontextmanager
async def relaying(
    *talks: Talk, done: list[Done]
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to a relay in front of a server."""
    async with pooled(*talks) as pool:
        server = await serve(
            lambda exchange: void(Owner(exchange, pool, done)), [Address("127.0.0.1", 0)]
        )
        reader, writer = await asyncio.open_connection(*server.addresses[0])
        try:
            yield reader, writer
        finally:
            drop(writer)
            await server.aclose(0)


def void(_: object) -> None:
    """A handler returns nothing."""


async def test_a_request_and_its_answer_pass_as_they_are_but_for_the_hop() -> None:
    seen: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(
            b"HTTP/1.1 418 Short and stout\r\nX-a: 1\r\nX-A: 2\r\nServer: own\r\nKeep-Alive: 5\r\n"
            b"Content-Length: 2\r\n\r\nok"
        )
        await reader.read()

    done: list[Done] = []
    async with relaying(talk, done=done) as (reader, writer):
        writer.write(
            b"GET /a%20b?c HTTP/1.1\r\nHost: shop\r\nx-ODD: 1\r\nConnection: keep-alive, X-Mine\r\n"
            b"X-Mine: 1\r\nTE: trailers\r\n\r\n"
        )
        answer = await asyncio.wait_for(reader.readuntil(b"ok"), PATIENCE)
    assert seen == [b"GET /a%20b?c HTTP/1.1\r\nHost: shop\r\nx-ODD: 1\r\nTE: trailers\r\n\r\n"]
    assert answer == (
        b"HTTP/1.1 418 Short and stout\r\nX-a: 1\r\nX-A: 2\r\nServer: own\r\nX-Extra: 1\r\n"
        b"Content-Length: 2\r\n\r\nok"
    )
    assert done == [Relayed(418)]


async def test_bodies_stream_both_ways_at_once() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while (size := await reader.readuntil(b"\r\n")) != b"0\r\n":
            piece = await reader.readexactly(int(size, 16) + 2)
            writer.write(size + piece)
        writer.write(b"0\r\n\r\n")
        await reader.read()

    done: list[Done] = []
    async with relaying(talk, done=done) as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
        for word in (b"one", b"two"):
            writer.write(b"3\r\n" + word + b"\r\n")
            await asyncio.wait_for(reader.readuntil(word), PATIENCE)
        writer.write(b"0\r\n\r\n")
        await asyncio.wait_for(reader.readuntil(b"0\r\n\r\n"), PATIENCE)
        await eventually(lambda: done)
    assert done == [Relayed(200)]


async def test_a_slow_client_bounds_what_is_read_of_the_answer() -> None:
    passed = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal passed
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(1024):
            writer.write(bytes(65536))
            await writer.drain()
            passed += 65536

    done: list[Done] = []
    async with relaying(talk, done=done) as (reader, writer):
        writer.transport.set_write_buffer_limits(0)
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        await eventually(lambda: passed)
        await turns()
        assert passed < 32 << 20
        body = await asyncio.wait_for(reader.read(), PATIENCE)
        await eventually(lambda: done)
    assert passed == 64 << 20
    assert len(body) > passed
    assert done == [Relayed(200)]


async def test_a_slow_server_bounds_what_is_read_of_the_request() -> None:
    going = asyncio.Event()
    got = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal got
        await reader.readuntil(b"\r\n\r\n")
        await going.wait()
        while got < 64 << 20:
            got += len(await reader.read(1 << 20))
        writer.write(OK)
        await reader.read()

    done: list[Done] = []
    async with relaying(talk, done=done) as (reader, writer):
        writer.write(b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (64 << 20))
        writer.write(bytes(64 << 20))
        await turns()
        transport = writer.transport
        assert transport.get_write_buffer_size() > 32 << 20
        going.set()
        await asyncio.wait_for(reader.readuntil(b"ok"), PATIENCE)
    assert got == 64 << 20


async def test_a_client_that_leaves_takes_the_server_connection_with_it() -> None:
    ended: list[bool] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        try:
            await reader.read()
        finally:
            ended.append(True)

    done: list[Done] = []
    async with relaying(talk, done=done) as (_, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        await turns()
        writer.transport.abort()
        await eventually(lambda: ended)
    assert [type(outcome) for outcome in done] == [ClientLeft]


async def test_a_server_that_fails_before_its_head_leaves_the_answer_to_the_caller() -> None:
    done: list[Done] = []
    async with relaying(answering(b""), done=done) as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        answer = await asyncio.wait_for(reader.read(), PATIENCE)
    assert answer.startswith(b"HTTP/1.1 502 Bad Gateway\r\n")
    assert done == [Broken("EOF")]


async def test_a_server_that_fails_after_its_head_cuts_the_client() -> None:
    half = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"
    done: list[Done] = []
    async with relaying(answering(half), done=done) as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        try:
            answer = await asyncio.wait_for(reader.read(), PATIENCE)
        except ConnectionResetError:
            answer = b""
    assert not answer.endswith(b"0\r\n\r\n")
    assert [type(outcome) for outcome in done] == [Broken]


async def test_an_answer_before_the_whole_request_is_relayed() -> None:
    done: list[Done] = []
    too_large = b"HTTP/1.1 413 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    async with relaying(answering(too_large), done=done) as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\nbegin")
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
    assert answer.startswith(b"HTTP/1.1 413 No\r\n")


# Fetch.


@asynccontextmanager
async def origin(talk: Talk) -> AsyncIterator[tuple[Pools, Origin]]:
    async with talking(talk) as address:
        pools = Pools()
        try:
            yield pools, Origin("http", address.host, address.port)
        finally:
            await pools.aclose()


async def test_fetch_returns_the_whole_answer() -> None:
    async with origin(answering(OK, after=b"event")) as (pools, where):
        got = await fetch(
            pools, b"POST", where, b"/", [(b"ce-id", b"1")], b"event", timeout=PATIENCE, limit=10
        )
    assert isinstance(got, Response)
    assert (got.status, got.body) == (200, b"ok")


@pytest.mark.parametrize(
    ("talk", "patience", "limit", "failure"),
    [
        pytest.param(silent, 0.02, 10, TimedOut("no complete answer in time"), id="late"),
        pytest.param(always(OK), PATIENCE, 1, Broken("the answer is larger than 1 bytes")),
        pytest.param(answering(b""), PATIENCE, 1, Broken("EOF"), id="cut"),
    ],
)
async def test_fetch_says_why_there_is_no_answer(
    talk: Talk, patience: float, limit: int, failure: Failure
) -> None:
    async with origin(talk) as (pools, where):
        got = await fetch(pools, b"GET", where, b"/", [], b"", timeout=patience, limit=limit)
        assert got == failure
        if isinstance(got, TimedOut):
            await eventually(lambda: pools.of(where).quiet)
