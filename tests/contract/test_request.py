"""One request on real sockets: timers, switches, probes, modes (Knative reference §3.3-§3.7)."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from statistics import median

import pytest

from knlite.dataplane.wire.exchange import Exchange
from knlite.dataplane.wire.listener import serve
from knlite.facts import ColdStart, RequestDone
from knlite.serving.instance import Address, Birth, Endpoint
from tests.contract.gateway import HOSTS, WEB, Gate, gate, until

pytestmark = pytest.mark.anyio

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, object]]:
    return "asyncio", {"use_uvloop": request.param}


@asynccontextmanager
async def instance(script: Script) -> AsyncIterator[Address]:
    """A server whose connections are served by *script* (reader, writer)."""
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        try:
            await script(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield Address(*server.sockets[0].getsockname())
    finally:
        server.close()
        for writer in writers:
            if not writer.is_closing():
                writer.transport.abort()
        await asyncio.sleep(0)


def replying(*pieces: bytes) -> Script:
    """Answers the first request with *pieces*, then says nothing more until the other side ends."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            for piece in pieces:
                writer.write(piece)
            await writer.drain()

    return script


async def ask(way: Gate, *lines: bytes, first: bytes = b"GET / HTTP/1.1") -> bytes:
    """Everything that one request, after which the client wants to close, is answered with."""
    head = (first, b"Host: " + HOSTS[0].encode(), *lines, b"Connection: close", b"", b"")
    reader, writer = await asyncio.open_connection(*way.address)
    try:
        writer.write(b"\r\n".join(head))
        return await asyncio.wait_for(reader.read(), 10)
    finally:
        writer.transport.abort()


def done(way: Gate) -> RequestDone:
    found = [fact for fact in way.facts if isinstance(fact, RequestDone)]
    assert len(found) == 1
    return found[0]


async def test_a_timeout_before_the_head_is_504_with_the_activators_words() -> None:
    async with gate(timeout=0.1) as way, instance(replying()) as address:
        way.endpoints(address)
        answer = await ask(way)
        assert answer.startswith(b"HTTP/1.1 504 Gateway Timeout\r\n")
        assert answer.endswith(b"\r\n\r\nactivator request timeout")
        fact = done(way)
        assert (fact.status, fact.why) == (
            504,
            "activator request timeout: timeoutSeconds (0.1 s) passed",
        )


async def test_a_request_that_waited_in_vain_says_how_long() -> None:
    async with gate(timeout=0.1) as way:
        assert (await ask(way)).startswith(b"HTTP/1.1 504 ")
        fact = done(way)
        assert (fact.instance, fact.first_byte, fact.cold_start) == ("", 0.0, None)
        assert 0.1 <= fact.waited <= fact.seconds


async def test_out_of_the_path_the_words_are_the_queue_proxys() -> None:
    async with gate(timeout=0.1) as way, instance(replying()) as address:
        way.endpoints(address)
        way.activator.mode_changed(WEB, "Serve")
        assert (await ask(way)).endswith(b"\r\n\r\nrequest timeout")


async def test_a_timeout_within_a_body_in_chunks_ends_it_with_the_words() -> None:
    begun = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
    async with gate(timeout=0.1) as way, instance(replying(begun)) as address:
        way.endpoints(address)
        answer = await ask(way)
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert answer.endswith(b"5\r\nhello\r\n19\r\nactivator request timeout\r\n0\r\n\r\n")
        assert done(way).status == 200


async def test_a_timeout_within_an_announced_body_cuts_it() -> None:
    begun = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhello"
    async with gate(timeout=0.1) as way, instance(replying(begun)) as address:
        way.endpoints(address)
        body = (await ask(way)).partition(b"\r\n\r\n")[2]
        assert body == b"helloactivator request timeout"


async def test_the_timer_of_the_answers_start_is_over_when_it_has_started() -> None:
    settings = {"response_start_timeout": 0.1, "timeout": 0.4}
    begun = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
    async with gate(**settings) as way, instance(replying(begun)) as address:
        way.endpoints(address)
        await ask(way)
        assert "timeoutSeconds (0.4 s)" in done(way).why
    async with gate(**settings) as way, instance(replying()) as address:
        way.endpoints(address)
        assert (await ask(way)).startswith(b"HTTP/1.1 504 ")
        assert "responseStartTimeoutSeconds (0.1 s)" in done(way).why


async def test_the_idle_timer_begins_anew_with_every_piece() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(6):
            writer.write(b"1\r\nx\r\n")
            await asyncio.sleep(0.1)
        await reader.read()

    async with gate(idle_timeout=0.3, timeout=5) as way, instance(script) as address:
        way.endpoints(address)
        answer = await ask(way)
        assert answer.count(b"1\r\nx\r\n") == 6
        fact = done(way)
        assert "idleTimeoutSeconds (0.3 s)" in fact.why
        assert fact.seconds >= 0.6


# Upgrades


ECHO_HEAD = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n"


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(ECHO_HEAD + b"first")
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.write(b"bye")


UPGRADE = b"GET /e HTTP/1.1\r\nHost: %b\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n" % (
    HOSTS[0].encode()
)


async def test_a_switch_makes_a_splice_that_counts_as_one_request() -> None:
    async with gate() as way, instance(echo) as address:
        way.endpoints(address)
        reader, writer = await asyncio.open_connection(*way.address)
        # What follows the head at once belongs to the other protocol.
        writer.write(UPGRADE + b"early")
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
        assert head == (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n"
        )
        assert await asyncio.wait_for(reader.readexactly(10), 10) == b"firstearly"
        assert [load.active for load in way.activator.loads()] == [1]
        big = bytes(range(256)) * 4096
        writer.write(big)
        assert await asyncio.wait_for(reader.readexactly(len(big)), 10) == big
        # A client that says no more still hears what the server says.
        writer.write_eof()
        assert await asyncio.wait_for(reader.read(), 10) == b"bye"
        writer.close()
        await until(lambda: done(way))
        fact = done(way)
        assert (fact.status, fact.why) == (101, "")
        assert (fact.request_bytes, fact.response_bytes) == (len(big) + 5, len(big) + 13)
        assert [load.active for load in way.activator.loads()] == [0]


async def test_a_draining_instance_is_not_kept_for_a_splice() -> None:
    """§3.8: the program is told to end although a WebSocket is open, and may take leave by it."""
    async with gate() as way, instance(echo) as address:
        way.endpoints(address)
        reader, writer = await asyncio.open_connection(*way.address)
        writer.write(UPGRADE)
        await asyncio.wait_for(reader.readuntil(b"first"), 10)
        way.endpoints()
        idle = asyncio.Event()
        way.activator.when_idle(WEB, "i0", idle.set)
        assert idle.is_set()
        writer.write(b"still there")
        assert await asyncio.wait_for(reader.readexactly(11), 10) == b"still there"
        writer.close()
        await until(lambda: done(way))
        assert [load.active for load in way.activator.loads()] == [0]


@pytest.mark.parametrize(
    ("timers", "why"),
    [
        ({"timeout": 0.2}, "timeoutSeconds"),
        ({"response_start_timeout": 0.2, "timeout": 5}, "responseStartTimeoutSeconds"),
        ({"idle_timeout": 0.2, "timeout": 5}, "idleTimeoutSeconds"),
    ],
)
async def test_every_timer_caps_a_switched_connection(timers: dict[str, float], why: str) -> None:
    async with gate(**timers) as way, instance(echo) as address:
        way.endpoints(address)
        reader, writer = await asyncio.open_connection(*way.address)
        writer.write(UPGRADE)
        await asyncio.wait_for(reader.readuntil(b"first"), 10)

        async def chatter() -> None:
            while True:
                writer.write(b"x")
                await asyncio.sleep(0.02)

        chattering = asyncio.ensure_future(chatter())
        try:
            with suppress(ConnectionError):
                while await asyncio.wait_for(reader.read(100), 10):
                    pass
        finally:
            chattering.cancel()
            writer.close()
        assert f": {why} (0.2 s)" in done(way).why


async def test_a_refused_switch_goes_on_as_http() -> None:
    async with gate() as way, instance(replying(HELLO)) as address:
        way.endpoints(address)
        reader, writer = await asyncio.open_connection(*way.address)
        again = b"GET /n HTTP/1.1\r\nHost: %b\r\nConnection: close\r\n\r\n" % HOSTS[0].encode()
        writer.write(UPGRADE + again)
        answers = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        assert answers.count(b"HTTP/1.1 200 OK") == 2
        assert answers.count(b"hello") == 2


async def test_a_client_that_leaves_a_splice_frees_its_place() -> None:
    async with gate(container_concurrency=1) as way, instance(echo) as address:
        way.endpoints(address)
        reader, writer = await asyncio.open_connection(*way.address)
        writer.write(UPGRADE)
        await asyncio.wait_for(reader.readuntil(b"first"), 10)
        writer.transport.abort()
        await until(lambda: [load.active for load in way.activator.loads()] == [0])


# Trailers and interim answers


async def test_trailers_and_interim_answers_pass() -> None:
    seen: list[bytes] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n0\r\n"))
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n")
        writer.write(b"2\r\nok\r\n0\r\nX-Sum: 2\r\n\r\n")
        await reader.read()

    async with gate() as way, instance(script) as address:
        way.endpoints(address)
        reader, writer = await asyncio.open_connection(*way.address)
        writer.write(
            b"POST / HTTP/1.1\r\nHost: %b\r\nTE: trailers\r\nTrailer: X-In\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-In: 1\r\n\r\n" % HOSTS[0].encode()
        )
        hints = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
        assert hints == b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
        answer = await asyncio.wait_for(reader.readuntil(b"X-Sum: 2\r\n\r\n"), 10)
        writer.close()
    assert answer.endswith(b"2\r\nok\r\n0\r\nX-Sum: 2\r\n\r\n")
    assert b"Trailer: X-Sum" in answer
    assert b"TE: trailers" in seen[0]
    assert seen[1] == b"X-In: 1\r\n\r\n"


class InPieces(BaseHTTPRequestHandler):
    """Writes the head first and then the body, as most programs in Python do."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.skipif(not hasattr(socket, "TCP_QUICKACK"), reason="Linux only")
async def test_a_server_that_writes_in_pieces_does_not_wait_between_them() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), InPieces)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    direct: list[float] = []
    through: list[float] = []
    now = asyncio.get_running_loop().time
    async with gate() as way:
        way.endpoints(Address("127.0.0.1", server.server_port))
        reader, writer = await asyncio.open_connection("127.0.0.1", server.server_port)
        # One after the other: on a connection that has rested the kernel delays nothing.
        for _ in range(12):
            began = now()
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            await reader.readuntil(b"hello")
            direct.append(now() - began)
        for _ in range(12):
            began = now()
            assert (await ask(way)).endswith(b"hello")
            through.append(now() - began)
        writer.close()
    server.shutdown()
    server.server_close()
    assert median(through) < median(direct) / 2


# Cold starts, probes, modes


@pytest.mark.parametrize(
    ("how", "stages"),
    [
        ("", [b"queue", b"start", b"ready", b"app"]),
        ("forked", [b"queue", b"start;desc=forked", b"ready", b"app"]),
        ("thawed", [b"queue", b"thaw", b"app"]),
    ],
)
async def test_the_answer_of_a_cold_start_names_its_stages_and_a_warm_one_does_not(
    how: str, stages: list[bytes]
) -> None:
    async with gate() as way, instance(replying(HELLO)) as address:
        cold = asyncio.ensure_future(ask(way))
        await until(lambda: way.waits)
        now = way.clock.now()
        birth = Birth(ordered=now + 0.001, started=now + 0.002, ready=now + 0.003, how=how)
        way.activator.endpoints_changed(WEB, [Endpoint("i0", address, birth)])
        answer = await cold
        line = next(x for x in answer.split(b"\r\n") if x.startswith(b"Server-Timing: "))
        names = [part.split(b";dur=")[0] for part in line[15:].split(b", ")]
        assert names == stages
        assert b"Server-Timing" not in await ask(way)
        assert [fact.cold for fact in way.facts if isinstance(fact, RequestDone)] == [True, False]
        assert sum(isinstance(fact, ColdStart) for fact in way.facts) == 1


async def test_a_request_tells_which_start_it_waited_for_and_when_its_answer_began() -> None:
    async with gate() as way, instance(replying(HELLO)) as address:
        both = [asyncio.ensure_future(ask(way)) for _ in range(2)]
        await until(lambda: len(way.waits) == 2)
        now = way.clock.now()
        birth = Birth(now + 0.001, now + 0.003, now + 0.004, "spawned", now + 0.002)
        way.activator.endpoints_changed(WEB, [Endpoint("i0", address, birth)])
        await asyncio.gather(*both, ask(way))
    done = [fact for fact in way.facts if isinstance(fact, RequestDone)]
    (told,) = (fact for fact in way.facts if isinstance(fact, ColdStart))
    starts = [fact.cold_start for fact in done]
    assert starts[2] is None
    assert told in starts[:2]
    for fact, start in zip(done[:2], starts[:2], strict=True):
        assert start is not None
        assert start.request == fact.request_id.decode()
        stages = (start.queued, start.created, start.started, start.ready, start.forwarded)
        assert list(stages) == sorted(stages)
        assert 0 < fact.first_byte <= fact.seconds
        assert start.first_byte == fact.first_byte
    assert done[0].request_id != done[1].request_id


async def test_a_request_whose_answer_never_began_tells_of_the_start_all_the_same() -> None:
    async def hanging_up(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")

    async with gate() as way, instance(hanging_up) as address:
        cold = asyncio.ensure_future(ask(way))
        await until(lambda: way.waits)
        now = way.clock.now()
        way.activator.endpoints_changed(WEB, [Endpoint("i0", address, Birth(now, now, now))])
        await cold
    (done,) = (fact for fact in way.facts if isinstance(fact, RequestDone))
    assert (done.status, done.first_byte) == (502, 0.0)
    assert done.cold_start is not None
    assert not [fact for fact in way.facts if isinstance(fact, ColdStart)]


@pytest.mark.parametrize(
    ("lines", "mode", "status", "text"),
    [
        ([b"K-Network-Probe: probe", b"K-Network-Hash: h"], "Proxy", b"200", b""),
        (
            [b"K-Network-Probe: probe"],
            "Serve",
            b"400",
            b'a probe request must contain a non-empty "K-Network-Hash" header\n',
        ),
        ([b"K-Network-Probe: activator"], "Proxy", b"200", b"activator"),
        ([b"K-Network-Probe: x"], "Proxy", b"400", b'unexpected probe header value: "x"\n'),
        ([b"User-Agent: kube-probe/1.34"], "Proxy", b"200", b""),
        ([b"User-Agent: kube-probe/1.34"], "Serve", b"400", b"unexpected probe header value: \n"),
        (
            [b"User-Agent: Knative-Activator-Probe", b"K-Network-Probe: queue"],
            "Serve",
            b"503",
            b"",
        ),
    ],
)
async def test_a_probe_is_answered_without_an_instance(
    lines: list[bytes], mode: str, status: bytes, text: bytes
) -> None:
    async with gate() as way:
        way.activator.mode_changed(WEB, mode)  # type: ignore[arg-type]  # one of the two
        answer = await ask(way, *lines)
        assert answer.startswith(b"HTTP/1.1 " + status)
        assert answer.endswith(b"\r\n\r\n" + text)
        assert (b"K-Network-Hash: h" in answer) == (b"K-Network-Hash: h" in lines)
        assert not way.waits
        assert not way.facts


async def test_a_stray_probe_header_is_traffic_while_the_activator_is_out_of_the_path() -> None:
    async with gate() as way, instance(replying(HELLO)) as address:
        way.endpoints(address)
        way.activator.mode_changed(WEB, "Serve")
        assert (await ask(way, b"K-Network-Probe: x")).endswith(b"hello")


async def test_ten_wait_for_each_place_while_the_activator_is_out_of_the_path() -> None:
    release = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            await release.wait()
            writer.write(HELLO)

    async with gate(container_concurrency=1) as way, instance(script) as address:
        way.endpoints(address)
        way.activator.mode_changed(WEB, "Serve")
        asked = [asyncio.ensure_future(ask(way)) for _ in range(11)]
        await until(lambda: [(x.active, x.queued) for x in way.activator.loads()] == [(1, 10)])
        refused = await ask(way)
        assert refused.startswith(b"HTTP/1.1 503 Service Unavailable")
        assert refused.endswith(b"\r\n\r\npending request queue full\n")
        release.set()
        assert all(answer.endswith(b"hello") for answer in await asyncio.gather(*asked))


async def test_the_instance_sees_whether_the_activator_is_in_the_path() -> None:
    seen: list[bytes] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            seen.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(HELLO)

    async with gate() as way, instance(script) as address:
        way.endpoints(address)
        trace = b"traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        await ask(way, trace, b"X-Request-Id: mine")
        way.activator.mode_changed(WEB, "Serve")
        await ask(way)
    assert b"K-Proxy-Request: activator" in seen[0]
    assert trace in seen[0]
    assert seen[0].count(b"X-Request-Id: mine") == 1
    assert b"K-Proxy-Request" not in seen[1]
    assert b"X-Request-Id: " in seen[1]


async def test_an_instance_that_speaks_h2c_gets_http2_from_a_client_that_does_not() -> None:
    versions: list[str] = []

    def handle(exchange: Exchange) -> None:
        versions.append(exchange.http_version)
        exchange.respond(200, (), b"hello")

    server = await serve(handle, [Address("127.0.0.1", 0)])
    try:
        async with gate(protocol="h2c") as way:
            way.endpoints(server.addresses[0])
            assert (await ask(way)).endswith(b"hello")
            # Without a body, with one, and one that ends in trailers.
            assert (await ask(way, b"Content-Length: 0", first=b"POST / HTTP/1.1")).endswith(
                b"hello"
            )
    finally:
        await server.aclose(0)
    assert versions == ["2", "2"]
