"""What repeats itself is not parsed again, and nobody can tell: with and without, all is the same.

Both ends remember the last message that came whole in one read (``REPEAT_LIMIT``). The same bytes,
pauses and answers are played to two connections, one of which never remembers.
"""

import asyncio
from collections.abc import Callable, Sequence

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from knlite.dataplane.wire import http1_client as client_module
from knlite.dataplane.wire import http1_server as server_module
from knlite.dataplane.wire.call import Coming, Headers
from knlite.dataplane.wire.exchange import Exchange
from knlite.dataplane.wire.failures import Failure
from knlite.dataplane.wire.http1_client import ClientConnection, ClientTunnel, Http1Call
from knlite.dataplane.wire.http1_server import Http1Connection
from knlite.dataplane.wire.limits import Limits
from tests.contract.wire_ends import Transport

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


Step = tuple[str, bytes]

A = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
B = b"GET /b HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n"
HEAD = b"HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n"
CHUNKED = b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
UPGRADE = b"GET /u HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"
OLD = b"GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
CLOSE = b"GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
LARGE = b"GET /a HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 2000 + b"\r\n\r\n"

READS = st.sampled_from(
    [
        *[A] * 4,
        B,
        HEAD,
        POST + b"abc",
        POST,
        b"abc",
        CHUNKED + b"3\r\nabc\r\n0\r\n\r\n",
        CHUNKED,
        b"0\r\n\r\n",
        b"0\r\nT: x\r\n\r\n",
        UPGRADE,
        OLD,
        CLOSE,
        LARGE,
        A + A,
        A + b"G",
        A + b"GET",
        A + b"\r\n",
        b"\r\n" + A,
        A[1:],
        A[:1],
        A[:7],
        A[7:],
        A[3:],
        B + b"P",
        b"G",
        b"ET",
        b"\r\n",
        b"\r",
        A + POST,
        POST + b"abcG",
        A + POST + b"abcHEAD",
        LARGE + b"H",
        b"GET /a HTTP/1.1\r\nHost : a\r\n\r\n",
    ]
)
SERVER_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("read"), READS),
        st.tuples(st.just("read"), READS),
        st.tuples(
            st.sampled_from(
                ["answer", "answer", "start", "full", "ready", "refuse-to-switch", "switch"]
            ),
            st.just(b""),
        ),
        st.tuples(st.sampled_from(["shut", "late", "prompt", "prompt", "patient"]), st.just(b"")),
    ),
    max_size=14,
)


def play_server(steps: Sequence[Step]) -> list[object]:
    """All that can be seen of a connection, after each step."""
    loop = asyncio.get_running_loop()
    begun: list[Exchange] = []
    told: list[object] = []
    prompt = False

    class Taker:
        def __init__(self, number: int) -> None:
            self.number = number

        def body(self, data: bytes) -> None:
            told.append((self.number, data))

        def body_end(self, trailers: Headers) -> None:
            told.append((self.number, "end", list(trailers)))

        def client_left(self, why: str) -> None:
            told.append((self.number, why))

        def client_full(self) -> None:
            told.append((self.number, "full"))

        def client_ready(self) -> None:
            told.append((self.number, "ready"))

    def handler(exchange: Exchange) -> None:
        begun.append(exchange)
        told.append(
            (
                exchange.method,
                exchange.target,
                exchange.http_version,
                list(exchange.headers),
                exchange.host,
                exchange.length,
                exchange.upgrade,
            )
        )
        exchange.attend(Taker(len(begun)))
        exchange.receive()
        if prompt:
            exchange.respond(200, (), b"hello")

    def running() -> Exchange | None:
        last = begun[-1] if begun else None
        return None if last is None or last.finished or last.gone is not None else last

    transport = Transport()
    connection = Http1Connection(loop, handler, Limits(), set(), lambda _: None)
    connection.connection_made(transport)
    seen: list[object] = []
    for step, data in steps:
        exchange = running()
        match step:
            case "read":
                if not transport.closed and transport.reading:
                    transport.protocol(connection).data_received(data)
            case "prompt" | "patient":
                prompt = step == "prompt"
            case "full":
                if not transport.full:
                    transport.full = True
                    transport.protocol(connection).pause_writing()
            case "ready":
                if transport.full:
                    transport.full = False
                    transport.protocol(connection).resume_writing()
            case "answer" | "refuse-to-switch" if exchange is not None:
                exchange.end() if exchange.started else exchange.respond(200, (), b"hello")
            case "start" if exchange is not None and not exchange.started:
                exchange.start(200, b"OK", (), length=None)
            case "switch" if exchange is not None and exchange.upgrade and not exchange.started:
                exchange.switch(b"", ())
            case "shut":
                connection.shut()
            case "late":
                transport.protocol(connection).eof_received()
            case _:
                pass
        seen.append((bytes(transport.written), transport.closed, transport.reading, tuple(told)))
    transport.protocol(connection).connection_lost(None)
    seen.append((bytes(transport.written), tuple(told)))
    return seen


def both(module: object, play: Callable[[], list[object]]) -> tuple[list[object], list[object]]:
    """What is seen with and without a memory."""
    remembering = play()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "REPEAT_LIMIT", 0)
        return remembering, play()


def repeating(*reads: bytes) -> list[Step]:
    return [("prompt", b""), *(("read", read) for read in reads)]


SETTINGS = settings(
    max_examples=250,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.nested_given],
)


async def test_a_client_that_repeats_itself_gets_what_it_would_have_got() -> None:
    @SETTINGS
    @given(SERVER_STEPS)
    @example(repeating(A, A, A))
    @example(repeating(A + b"P", A + b"P"))
    @example(repeating(A, A + A + b"P", A))
    @example(repeating(A, LARGE + b"P", A))
    @example(repeating(A, A[:9], A[9:] + b"P", A))
    @example(repeating(A + b"G", A[1:], A[1:]))
    @example(repeating(A, POST + b"abcP", A))
    @example(repeating(A, CLOSE, A))
    @example(repeating(UPGRADE, UPGRADE, A, A))
    @example([("read", A), ("read", A), ("answer", b""), ("read", A)])
    @example([*repeating(A), ("full", b""), ("read", A), ("read", A), ("ready", b"")])
    @example([*repeating(A), ("patient", b""), ("read", A), ("shut", b""), ("answer", b"")])
    def nothing_differs(steps: list[Step]) -> None:
        remembering, parsing = both(server_module, lambda: play_server(steps))
        assert remembering == parsing

    nothing_differs()


def answer(*lines: bytes, body: bytes = b"", first: bytes = b"HTTP/1.1 200 OK") -> bytes:
    return b"\r\n".join((first, *lines, b"", body))


OK = answer(b"Content-Length: 2", body=b"ok")
ANSWERS = st.sampled_from(
    [
        *[OK] * 4,
        answer(b"Content-Length: 0"),
        answer(b"Content-Length: 2", b"X: y", body=b"no"),
        answer(b"Content-Length: 2"),
        answer(b"Content-Length: 2", body=b"okH"),
        answer(b"Content-Length: 2", body=b"ok\r\n"),
        answer(b"Content-Length: 2", b"Connection: close", body=b"ok"),
        answer(b"Transfer-Encoding: chunked", body=b"2\r\nok\r\n0\r\n\r\n"),
        answer(b"Transfer-Encoding: chunked", body=b"2\r\nok\r\n0\r\nT: x\r\n\r\n"),
        answer(first=b"HTTP/1.1 204 No Content"),
        answer(first=b"HTTP/1.1 304 Not Modified"),
        answer(b"Content-Length: 2", first=b"HTTP/1.1 304 Not Modified"),
        answer(b"Content-Length: 0", first=b"HTTP/1.1 304 Not Modified"),
        answer(first=b"HTTP/1.1 103 Early Hints") + OK,
        answer(first=b"HTTP/1.1 100 Continue") + OK,
        answer(first=b"HTTP/1.1 103 Early Hints"),
        answer(b"Content-Length: 2", first=b"HTTP/1.0 200 OK", body=b"ok"),
        answer(body=b"ok"),
        answer(b"Upgrade: x", b"Connection: Upgrade", first=b"HTTP/1.1 101 X"),
        OK + OK,
        OK[:9],
        OK[9:],
        OK[:-1],
        OK[-1:],
        b"ok",
        b"o",
        b"\r\n",
        answer(b"Content-Length: 1500", body=b"x" * 1500),
    ]
)
CLIENT_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("read"), ANSWERS),
        st.tuples(st.just("read"), ANSWERS),
        st.tuples(st.just("send"), st.sampled_from([b"GET", b"GET", b"GET", b"HEAD", b"POST"])),
        st.tuples(st.just("send"), st.sampled_from([b"GET", b"HEAD"])),
        st.tuples(
            st.sampled_from(["upload", "end", "pause", "resume", "eof", "upgrade", "cancel"]),
            st.just(b""),
        ),
    ),
    max_size=16,
)


def play_client(steps: Sequence[Step]) -> list[object]:
    """All that can be seen of a connection to a server, after each step."""
    told: list[object] = []
    free = True

    class Keeper:
        def opened(self, connection: ClientConnection) -> None:
            told.append("opened")

        def free(self, connection: ClientConnection) -> None:
            nonlocal free
            free = True
            told.append("free")

        def lost(self, connection: ClientConnection) -> None:
            told.append("lost")

        def tunnelled(self, tunnel: ClientTunnel, open_: bool) -> None:
            told.append(("tunnelled", open_))

        def repeat(self, call: Http1Call) -> None:
            told.append("repeat")

    class Receiver:
        def interim(self, status: int, reason: bytes, headers: Headers) -> None:
            told.append(("interim", status, reason, list(headers)))

        def head(self, status: int, reason: bytes, headers: Headers, length: int | None) -> None:
            told.append(("head", status, reason, list(headers), length))

        def answered(self, status: int, reason: bytes, headers: Headers, body: bytes) -> None:
            told.append(("answered", status, reason, list(headers), body))

        def switched(self, reason: bytes, headers: Headers) -> None:
            told.append(("switched", reason, list(headers)))

        def data(self, data: bytes) -> None:
            told.append(("data", data))

        def end(self, trailers: Headers) -> None:
            told.append(("end", list(trailers)))

        def failed(self, failure: Failure) -> None:
            told.append(failure)

        def server_full(self) -> None:
            told.append("full")

        def server_ready(self) -> None:
            told.append("ready")

    transport = Transport()
    connection = ClientConnection(Keeper())
    connection.connection_made(transport)
    call: Http1Call | None = None
    seen: list[object] = []
    for step, data in steps:
        if step in {"send", "upload", "upgrade"} and free and not transport.closed:
            free = False
            method = data or b"POST"
            body = Coming(None) if step == "upload" else b""
            upgrade = b"x" if step == "upgrade" else b""
            call = Http1Call(method, b"/", [(b"Host", b"a")], body, Receiver(), upgrade)
            connection.begin(call)
            call.started(connection)
        elif step == "read" and not transport.closed and transport.reading:
            transport.protocol(connection).data_received(data)
        elif step == "eof" and not transport.closed:
            transport.protocol(connection).eof_received()
            transport.closed = True
        elif call is not None and not call.over:
            match step:
                case "end":
                    call.end()
                case "pause":
                    call.pause()
                case "resume":
                    call.resume()
                case "cancel":
                    call.cancel()
                case _:
                    pass
        seen.append((bytes(transport.written), transport.closed, transport.reading, tuple(told)))
    transport.protocol(connection).connection_lost(None)
    seen.append(tuple(told))
    return seen


async def test_a_server_that_repeats_itself_says_what_it_would_have_said() -> None:
    @SETTINGS
    @given(CLIENT_STEPS)
    @example([("send", b"GET"), ("read", OK), ("send", b"GET"), ("read", OK)])
    @example([("send", b"GET"), ("read", OK), ("send", b"HEAD"), ("read", OK)])
    @example([("send", b"GET"), ("read", OK + b"\r\n"), ("send", b"GET"), ("read", OK + b"\r\n")])
    @example([("send", b"GET"), ("read", OK), ("upload", b""), ("read", OK), ("send", b"GET")])
    def nothing_differs(steps: list[Step]) -> None:
        remembering, parsing = both(client_module, lambda: play_client(steps))
        assert remembering == parsing

    nothing_differs()
