"""The client side of HTTP/2 against raw servers on real sockets, on both event loops.

Pins RFC 9113 §5.2 (flow control), §6.8 (GOAWAY), §8.1 (messages), §8.7 (repeating), §9.1
(connections), and Knative reference §3.6 (h2c, trailers, streaming both ways, no retries).
"""

import asyncio
import random
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from h2.errors import ErrorCodes
from h2.events import (
    RequestReceived,
    SettingsAcknowledged,
    TrailersReceived,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knlite.dataplane.wire import http2_pool as pool_module
from knlite.dataplane.wire.call import Coming
from knlite.dataplane.wire.exchange import Exchange, Headers
from knlite.dataplane.wire.failures import Broken, Failure, Refused
from knlite.dataplane.wire.http2_client import Http2Call, Http2ClientConnection
from knlite.dataplane.wire.http2_pool import Http2Pool
from knlite.dataplane.wire.http2_server import Http2Connection
from knlite.dataplane.wire.limits import Limits
from knlite.serving.instance import Address
from tests.contract.http2_peer import (
    FLIPS,
    FRAMES,
    WINDOW,
    Peer,
    Wire,
    eventually,
    frame,
    mutate,
    send,
    turns,
)


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, object]]:
    return "asyncio", {"use_uvloop": request.param}


# The client


class Answer:
    """Collects one answer."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.length: int | None = None
        self.interims: list[int] = []
        self.body = b""
        self.trailers: Headers | None = None
        self.failure: Failure | None = None
        self.changes: list[str] = []

    @property
    def over(self) -> bool:
        return self.trailers is not None or self.failure is not None

    def interim(self, status: int, reason: bytes, headers: list[tuple[bytes, bytes]]) -> None:
        assert not self.status
        self.interims.append(status)

    def head(
        self, status: int, reason: bytes, headers: list[tuple[bytes, bytes]], length: int | None
    ) -> None:
        assert not self.status
        assert not self.over
        self.status, self.headers, self.length = status, headers, length

    def answered(
        self, status: int, reason: bytes, headers: list[tuple[bytes, bytes]], body: bytes
    ) -> None:
        self.head(status, reason, headers, len(body))
        self.body = body
        self.end(())

    def switched(self, reason: bytes, headers: list[tuple[bytes, bytes]]) -> None:
        raise AssertionError

    def data(self, data: bytes) -> None:
        assert self.status
        assert data
        assert not self.over
        self.body += data

    def end(self, trailers: Headers) -> None:
        assert self.status
        assert not self.over
        self.trailers = trailers

    def failed(self, failure: Failure) -> None:
        assert not self.over
        self.failure = failure

    def server_full(self) -> None:
        assert not self.over
        self.changes.append("full")

    def server_ready(self) -> None:
        assert not self.over
        self.changes.append("ready")


class Servers:
    """Raw servers of one address, one for each connection."""

    def __init__(self) -> None:
        self.peers: list[Peer] = []
        self.listening: asyncio.Server

    async def peer(self, number: int = 1) -> Peer:
        await eventually(lambda: len(self.peers) >= number)
        return self.peers[number - 1]


@asynccontextmanager
async def pooled(limit: int = 100) -> AsyncIterator[tuple[Http2Pool, Servers]]:
    """A pool and the raw servers that it dials; at the end nothing of it may be left."""
    servers = Servers()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = Peer(reader, writer, client=False, limit=limit)
        servers.peers.append(peer)
        peer.flush()

    loop = asyncio.get_running_loop()
    reported: list[object] = []
    loop.set_exception_handler(lambda _, told: reported.append(told))
    listening = servers.listening = await asyncio.start_server(connected, "127.0.0.1", 0)
    pool = Http2Pool(Address(*listening.sockets[0].getsockname()))
    try:
        yield pool, servers
    finally:
        await pool.aclose()
        await eventually(lambda: pool.quiet)
        listening.close()
        for peer in servers.peers:
            if not peer.writer.is_closing():
                peer.writer.transport.abort()
        await turns()
        loop.set_exception_handler(None)
    assert not reported


HOST = (b"Host", b"a.b")


def send_to(
    pool: Http2Pool,
    method: bytes = b"GET",
    *headers: tuple[bytes, bytes],
    body: bytes | Coming = b"",
    target: bytes = b"/",
) -> tuple[Answer, Http2Call]:
    answer = Answer()
    return answer, pool.send(method, target, [HOST, *headers], answer, body=body)


async def test_a_call_carries_a_request_and_its_answer() -> None:
    async with pooled() as (pool, servers):
        assert pool.quiet
        answer, _ = send_to(
            pool,
            b"POST",
            (b"X-Y", b" z "),
            (b"TE", b"trailers"),
            (b"Connection", b"close"),
            (b"Upgrade", b"websocket"),
            (b"Authorization", b"secret"),
            body=b"body",
            target=b"/p?q",
        )
        server = await servers.peer()
        stream = await server.request()
        assert list(server.of(stream, RequestReceived)[0].headers) == [  # type: ignore[attr-defined]
            (b":method", b"POST"),
            (b":scheme", b"http"),
            (b":path", b"/p?q"),
            (b":authority", b"a.b"),
            (b"x-y", b"z"),
            (b"te", b"trailers"),
            (b"authorization", b"secret"),
            (b"content-length", b"4"),
        ]
        await server.until(lambda: server.over(stream))
        assert server.body(stream) == b"body"
        server.h2.send_headers(stream, [(b":status", b"100")])
        server.h2.send_headers(stream, [(b":status", b"103"), (b"link", b"</a>")])
        server.h2.send_headers(
            stream, [(b":status", b"200"), (b"content-length", b"5"), (b"a", b"b")]
        )
        server.h2.send_data(stream, b"hello")
        server.h2.send_headers(stream, [(b"grpc-status", b"0")], end_stream=True)
        server.flush()
        await eventually(lambda: answer.over)
        assert (answer.status, answer.length, answer.body) == (200, 5, b"hello")
        assert answer.headers == [(b"a", b"b")]
        assert (answer.interims, answer.trailers) == ([103], [(b"grpc-status", b"0")])


async def test_a_coming_body_waits_for_the_connection_and_has_trailers() -> None:
    async with pooled() as (pool, servers):
        answer, call = send_to(pool, b"POST", body=Coming(None))
        assert not call.ready
        call.write(b"early ")
        server = await servers.peer()
        stream = await server.request()
        assert (call.ready, answer.changes) == (True, ["ready"])
        call.write(b"late")
        call.end([(b"X-Sum", b"1")])
        await server.until(lambda: server.over(stream))
        assert server.body(stream) == b"early late"
        assert server.fields(stream, TrailersReceived) == {b"x-sum": b"1"}
        server.answer(stream)
        await eventually(lambda: answer.over)
        # The connection is there now.
        second, call = send_to(pool, b"POST", body=Coming(3))
        assert call.ready
        call.write(b"abc")
        call.end()
        other = await server.request(2)
        assert server.fields(other, RequestReceived)[b"content-length"] == b"3"
        await server.until(lambda: server.over(other))
        server.answer(other, b"204")
        await eventually(lambda: second.over)
        assert second.length == 0
        assert len(servers.peers) == 1


@pytest.mark.parametrize(
    ("method", "fields", "ended", "length"),
    [
        pytest.param(b"HEAD", [(b"content-length", b"5")], True, 5, id="head"),
        pytest.param(b"HEAD", [], True, None, id="head-unknown"),
        pytest.param(b"GET", [], True, 0, id="ended"),
        pytest.param(b"GET", [], False, None, id="unknown"),
        pytest.param(b"GET", [(b"content-length", b"0")], False, 0, id="empty"),
    ],
)
async def test_the_length_of_an_answer(
    method: bytes, fields: list[tuple[bytes, bytes]], ended: bool, length: int | None
) -> None:
    async with pooled() as (pool, servers):
        answer, _ = send_to(pool, method)
        server = await servers.peer()
        stream = await server.request()
        server.h2.send_headers(stream, [(b":status", b"200"), *fields], end_stream=ended)
        if not ended:
            server.h2.end_stream(stream)
        server.flush()
        await eventually(lambda: answer.over)
        assert (answer.length, answer.failure) == (length, None)


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param([(b"x", b"y")], id="no-status"),
        pytest.param([(b":status", b"2000")], id="status"),
        pytest.param([(b":status", b"200"), (b":status", b"200")], id="two"),
        pytest.param([(b":status", b"200"), (b"X", b"y")], id="upper-case"),
        pytest.param([(b":status", b"200"), (b"connection", b"close")], id="connection"),
        pytest.param([(b":status", b"200"), (b"x", b"a\r\nb: c")], id="crlf"),
        pytest.param([(b":status", b"200"), (b"content-length", b"1")], id="length"),
        pytest.param([(b":status", b"200"), (b"x", b"y" * 70_000)], id="large"),
    ],
)
async def test_a_malformed_answer_fails_its_call_and_no_other(
    fields: list[tuple[bytes, bytes]],
) -> None:
    async with pooled() as (pool, servers):
        answer, _ = send_to(pool)
        other, _ = send_to(pool)
        server = await servers.peer()
        second = await server.request(2)
        server.h2.send_headers(1, fields, end_stream=True)
        server.answer(second)
        await eventually(lambda: answer.over and other.over)
        assert isinstance(answer.failure, Broken)
        assert other.status == 200


async def test_a_body_that_is_longer_than_announced_fails_its_call_and_no_other() -> None:
    async with pooled() as (pool, servers):
        answer, _ = send_to(pool)
        other, _ = send_to(pool)
        server = await servers.peer()
        second = await server.request(2)
        server.answer(1, b"200", b"abc", (b"content-length", b"2"))
        server.answer(second)
        await eventually(lambda: answer.over and other.over)
        assert answer.failure == Broken(
            "malformed HTTP response: the body is not as long as was announced"
        )
        assert other.status == 200


async def test_a_reset_fails_the_call_before_and_after_the_head() -> None:
    async with pooled() as (pool, servers):
        before, _ = send_to(pool)
        after, _ = send_to(pool)
        server = await servers.peer()
        second = await server.request(2)
        server.h2.reset_stream(1, ErrorCodes.CANCEL)
        server.h2.send_headers(second, [(b":status", b"200")])
        server.h2.reset_stream(second, ErrorCodes.INTERNAL_ERROR)
        server.flush()
        await eventually(lambda: before.over and after.over)
        assert before.failure == Broken("stream reset by the server: CANCEL")
        assert after.failure == Broken("stream reset by the server: INTERNAL_ERROR")
        assert after.status == 200


async def test_a_cancelled_call_resets_its_stream_and_hears_nothing_more() -> None:
    async with pooled() as (pool, servers):
        answer, call = send_to(pool)
        server = await servers.peer()
        stream = await server.request()
        call.cancel()
        call.cancel()
        await server.until(lambda: server.reset(stream) is not None)
        assert server.reset(stream) == ErrorCodes.CANCEL
        call.write(b"x")
        call.end()
        waiting, call = send_to(pool)
        call.cancel()
        await turns()
        assert not answer.over
        assert not waiting.over


async def test_an_early_answer_ends_the_call_and_the_upload() -> None:
    async with pooled() as (pool, servers):
        answer, call = send_to(pool, b"POST", body=Coming(None))
        server = await servers.peer()
        stream = await server.request()
        call.write(b"some")
        server.answer(stream, b"413")
        await eventually(lambda: answer.over)
        assert answer.failure is None
        call.write(b"more")
        call.end()
        await server.until(lambda: server.reset(stream) is not None)
        assert server.reset(stream) == ErrorCodes.NO_ERROR


async def test_a_refused_stream_is_sent_once_more() -> None:
    async with pooled() as (pool, servers):
        answer, _ = send_to(pool, b"POST", body=b"body")
        first = await servers.peer()
        stream = await first.request()
        first.h2.reset_stream(stream, ErrorCodes.REFUSED_STREAM)
        first.flush()
        second = await servers.peer(2)
        again = await second.request()
        await second.until(lambda: second.over(again))
        assert second.body(again) == b"body"
        assert not answer.over
        second.h2.reset_stream(again, ErrorCodes.REFUSED_STREAM)
        second.flush()
        await eventually(lambda: answer.over)
        assert answer.failure == Broken("stream reset by the server: REFUSED_STREAM")


async def test_a_refused_stream_whose_body_has_begun_to_come_is_not_repeated() -> None:
    async with pooled() as (pool, servers):
        answer, call = send_to(pool, b"POST", body=Coming(None))
        server = await servers.peer()
        stream = await server.request()
        call.write(b"x")
        await server.until(lambda: server.body(stream))
        server.h2.reset_stream(stream, ErrorCodes.REFUSED_STREAM)
        server.flush()
        await eventually(lambda: answer.over)
        assert isinstance(answer.failure, Broken)


async def test_after_a_goaway_what_was_taken_finishes_and_the_rest_moves() -> None:
    async with pooled() as (pool, servers):
        taken, _ = send_to(pool)
        moved, call = send_to(pool, b"POST", body=Coming(None))
        first = await servers.peer()
        await first.request(2)
        first.writer.write(frame(7, 0, 0, struct.pack(">II", 1, 0)))
        second = await servers.peer(2)
        stream = await second.request()
        assert moved.changes == ["ready", "full", "ready"]
        call.write(b"body")
        call.end()
        await second.until(lambda: second.over(stream))
        second.answer(stream, b"201")
        first.answer(1, b"200", b"done")
        await eventually(lambda: taken.over and moved.over)
        assert (taken.status, taken.body, moved.status) == (200, b"done", 201)
        # What was to be closed is closed, and the other is used.
        await first.until_closed()
        third, _ = send_to(pool)
        second.answer(await second.request(2))
        await eventually(lambda: third.over)
        assert len(servers.peers) == 2


async def test_a_goaway_for_a_fault_says_why_when_the_connection_ends() -> None:
    async with pooled() as (pool, servers):
        answer, _ = send_to(pool)
        server = await servers.peer()
        await server.request()
        server.writer.write(frame(7, 0, 0, struct.pack(">II", 1, 11) + b"slow down"))
        server.writer.close()
        await eventually(lambda: answer.over)
        assert answer.failure == Broken(
            "the server closed the connection: ENHANCE_YOUR_CALM (slow down)"
        )


async def test_a_lost_connection_fails_all_its_calls_and_the_next_one_dials() -> None:
    async with pooled() as (pool, servers):
        answers = [send_to(pool)[0] for _ in range(3)]
        server = await servers.peer()
        await server.request(3)
        server.writer.transport.abort()
        await eventually(lambda: all(answer.over for answer in answers))
        assert {type(answer.failure) for answer in answers} == {Broken}
        answer, _ = send_to(pool)
        second = await servers.peer(2)
        second.answer(await second.request())
        await eventually(lambda: answer.over)
        assert answer.status == 200


async def test_more_calls_than_the_server_takes_get_other_connections_or_wait() -> None:
    async with pooled(limit=2) as (pool, servers):
        answers = [send_to(pool)[0]]
        first = await servers.peer()
        await first.until(lambda: any(isinstance(e, SettingsAcknowledged) for e in first.events))
        answers += [send_to(pool)[0] for _ in range(4)]
        streams = [(first, await first.request(1)), (first, await first.request(2))]
        second = await servers.peer(2)
        streams += [(second, await second.request(1)), (second, await second.request(2))]
        third = await servers.peer(3)
        streams += [(third, await third.request(1))]
        # No more connections can be made: one more call fills the last, the next waits.
        servers.listening.close()
        answers += [send_to(pool)[0] for _ in range(2)]
        streams += [(third, await third.request(2))]
        await turns()
        assert not any(answer.over for answer in answers)
        first.answer(streams[0][1])
        streams[0] = (first, await first.request(3))
        for peer, stream in streams:
            peer.answer(stream)
        await eventually(lambda: all(answer.over for answer in answers))
        assert [answer.status for answer in answers] == [200] * 7
        assert len(servers.peers) == 3


async def test_a_server_that_is_not_there() -> None:
    async with pooled() as (pool, _):
        port = _closed_port()
        pool.address = Address("127.0.0.1", port)
        answers = [send_to(pool)[0] for _ in range(2)]
        assert not any(answer.over for answer in answers)
        await eventually(lambda: all(answer.over for answer in answers))
        expected = Refused(f"dial tcp 127.0.0.1:{port}: connect: connection refused")
        assert [answer.failure for answer in answers] == [expected] * 2


async def test_who_hears_that_there_is_no_server_may_ask_again() -> None:
    async with pooled() as (pool, _):

        class Stubborn(Answer):
            def failed(self, failure: Failure) -> None:
                super().failed(failure)
                answers.append(send_to(pool)[0])

        pool.address = Address("127.0.0.1", _closed_port())
        answers: list[Answer] = [Stubborn()]
        pool.send(b"GET", b"/", [HOST], answers[0])
        await eventually(lambda: len(answers) == 2 and answers[1].over)
        assert answers[1].failure == answers[0].failure


@pytest.mark.parametrize(
    ("said", "why"),
    [
        pytest.param(
            b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
            "the server does not speak HTTP/2 (h2c): it answers 'HTTP/1.1 400 Bad Request'",
            id="http1",
        ),
        pytest.param(
            b"\x15\x03\x01\x00\x02\x02\x46",
            "the server closed the connection without a word of HTTP/2 (h2c): unexpected EOF",
            id="tls-alert",
        ),
        pytest.param(
            b"",
            "the server closed the connection without a word of HTTP/2 (h2c): unexpected EOF",
            id="nothing",
        ),
        pytest.param(
            b"<!DOCTYPE HTML>",
            "the server does not speak HTTP/2 (h2c): it answers '<!DOCTYPE HTML>'",
            id="html",
        ),
    ],
)
async def test_a_server_that_does_not_speak_http2(said: bytes, why: str) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"SM\r\n\r\n")
        await turns()
        writer.write(said)
        await writer.drain()
        writer.write_eof()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as listening:
        pool = Http2Pool(Address(*listening.sockets[0].getsockname()))
        answer, _ = send_to(pool)
        await eventually(lambda: answer.over)
        assert answer.failure == Broken(why)
        await pool.aclose()
        await eventually(lambda: pool.quiet)
        await turns()


async def test_a_paused_answer_comes_up_to_one_window_and_stops_no_other() -> None:
    async with pooled() as (pool, servers):
        slow, call = send_to(pool)
        server = await servers.peer()
        stream = await server.request()
        server.h2.send_headers(stream, [(b":status", b"200")])
        await server.until(lambda: server.h2.outbound_flow_control_window > WINDOW)
        call.pause()
        await send(server, stream, b"x" * WINDOW)
        await eventually(lambda: len(slow.body) == WINDOW)
        other, _ = send_to(pool)
        second = await server.request(2)
        server.h2.send_headers(second, [(b":status", b"200")])
        await send(server, second, b"y" * 2_000_000)
        await eventually(lambda: len(other.body) == 2_000_000)
        assert server.h2.local_flow_control_window(stream) == 0
        call.resume()
        await send(server, stream, b"x" * 200_000)
        await eventually(lambda: len(slow.body) == WINDOW + 200_000)


async def test_a_body_that_is_not_taken_stops_its_writer() -> None:
    async with pooled() as (pool, servers):
        answer, call = send_to(pool, b"POST", body=Coming(None))
        server = await servers.peer()
        server.acknowledging = False
        stream = await server.request()
        written = 0
        while call.ready:
            call.write(b"x" * 10_000)
            written += 10_000
        assert answer.changes == ["ready", "full"]
        assert written <= WINDOW + 64 * 1024 + 2 * 10_000
        await server.until(lambda: len(server.body(stream)) == WINDOW)
        server.h2.increment_flow_control_window(1 << 20)
        server.h2.increment_flow_control_window(1 << 20, stream)
        server.flush()
        await eventually(lambda: call.ready)
        assert answer.changes == ["ready", "full", "ready"]
        call.end()
        await server.until(lambda: server.over(stream))
        assert len(server.body(stream)) == written


async def test_an_idle_connection_is_closed_by_one_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "IDLE_SECONDS", 0.02)
    async with pooled() as (pool, servers):
        answer, _ = send_to(pool)
        server = await servers.peer()
        server.answer(await server.request())
        await eventually(lambda: answer.over)
        await server.until_closed()
        assert server.goaway is not None
        await eventually(lambda: pool.quiet)


async def test_closing_the_pool_fails_what_runs_and_what_waits() -> None:
    async with pooled() as (pool, servers):
        running, _ = send_to(pool)
        server = await servers.peer()
        await server.request()
        pool.close()
        assert running.failure == Broken("the connection pool was closed")
        late, _ = send_to(pool)
        assert not late.over
        await eventually(lambda: late.over)
    async with pooled() as (pool, _):
        waiting, _ = send_to(pool)
        await pool.aclose()
        assert waiting.failure == Broken("the connection pool was closed")


class Echo:
    """Answers with the body as it comes."""

    def __init__(self, exchange: Exchange) -> None:
        self.body = exchange.write
        self.client_full = exchange.pause
        self.client_ready = exchange.resume
        self.body_end = exchange.end
        exchange.attend(self)
        exchange.start(200, b"", (), length=None)
        exchange.receive()

    def client_left(self, why: str) -> None:
        raise AssertionError(why)


async def test_both_sides_of_ours_speak_to_each_other() -> None:
    loop = asyncio.get_running_loop()
    connections: set[Http2Connection] = set()

    def handler(exchange: Exchange) -> None:
        Echo(exchange)

    listening = await loop.create_server(
        lambda: Http2Connection(loop, handler, Limits(), connections, connections.discard),
        "127.0.0.1",
        0,
    )
    pool = Http2Pool(Address(*listening.sockets[0].getsockname()))
    bodies = [bytes([n % 251]) * n * 300 for n in range(1, 600)]
    answers = [send_to(pool, b"POST", body=body)[0] for body in bodies]
    await eventually(lambda: all(answer.over for answer in answers))
    for answer, body in zip(answers, bodies, strict=True):
        assert answer.failure is None
        assert answer.body == body
    await pool.aclose()
    listening.close()
    await eventually(lambda: not connections)


ANSWERS = st.lists(
    st.one_of(
        st.sampled_from(
            [
                frame(1, 4, 1, b"\x88"),
                frame(1, 5, 1, b"\x88"),
                frame(1, 4, 3, b"\x88"),
                frame(1, 5, 3, b"\x40\x01b\x01c"),
                frame(1, 4, 1, b"\x08\x03103"),
                frame(0, 0, 1, b"x" * 5_000),
                frame(0, 1, 1, b"xyz"),
                frame(0, 0, 3, b"x" * 16_384),
                frame(0, 1, 3),
                frame(3, 0, 1, b"\0\0\0\x07"),
                frame(3, 0, 3, b"\0\0\0\x08"),
                frame(7, 0, 0, b"\0\0\0\1\0\0\0\0"),
                frame(7, 0, 0, b"\0\0\0\0\0\0\0\2why"),
                frame(8, 0, 0, b"\0\1\0\0"),
                frame(4, 0, 0, b"\0\3\0\0\0\1"),
                frame(4, 0, 0, b"\0\4\0\0\0\0"),
            ]
        ),
        FRAMES,
    ),
    max_size=20,
)


async def test_whatever_a_server_says_no_exception_escapes_and_all_calls_end() -> None:
    loop = asyncio.get_running_loop()
    reported: list[object] = []
    loop.set_exception_handler(lambda _, told: reported.append(told))

    class Keeper:
        def __init__(self) -> None:
            self.repeated: list[Http2Call] = []

        def free(self, connection: Http2ClientConnection) -> None:
            pass

        def lost(self, connection: Http2ClientConnection) -> None:
            pass

        def repeat(self, call: Http2Call) -> None:
            self.repeated.append(call)

    @settings(
        max_examples=300,
        suppress_health_check=[HealthCheck.nested_given],
        database=None,
    )
    @given(ANSWERS, FLIPS, st.integers(1, 1 << 16), st.randoms(use_true_random=False))
    def nothing_escapes(
        said: list[bytes], flips: list[tuple[int, int]], step: int, draw: random.Random
    ) -> None:
        keeper = Keeper()
        connection = Http2ClientConnection(loop, keeper, 100)
        connection.connection_made(Wire())
        answers: list[Answer] = []
        calls: list[Http2Call] = []
        for body in (b"", Coming(None), b"x" * 100_000):
            answers.append(Answer())
            calls.append(Http2Call(keeper, b"POST", b"/", [HOST], body, answers[-1]))
            if connection.room > 0:
                connection.begin(calls[-1])
        sent = frame(4, 0, 0) + (mutate(b"".join(said), flips) if said else b"")
        cancelled = set[Answer]()
        for at in range(0, len(sent), step):
            connection.data_received(sent[at : at + step])
            index = draw.randrange(3)
            match draw.randrange(10):
                case 0:
                    calls[index].pause()
                case 1:
                    calls[index].resume()
                case 2 if calls[1].ready:
                    calls[1].write(b"x" * 50_000)
                case 3:
                    calls[1].end()
                case 4:
                    if not answers[index].over:
                        cancelled.add(answers[index])
                    calls[index].cancel()
                case 5:
                    connection.pause_writing()
                case 6:
                    connection.resume_writing()
                case _:
                    pass
        connection.connection_lost(None)
        for answer, call in zip(answers, calls, strict=True):
            assert answer.over or answer in cancelled or call in keeper.repeated
        assert not reported

    nothing_escapes()
    await turns()
    assert not reported
    loop.set_exception_handler(None)


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
