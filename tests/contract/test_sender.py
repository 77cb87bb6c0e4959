"""Events sent over real connections, to servers that behave in every way.

Source: Eventing data plane reference §2.1, §2.2.
"""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
import trustme
from anyio.abc import SocketAttribute, SocketStream
from anyio.streams.tls import TLSListener

from knlite.dataplane.innerexchange import InnerExchange
from knlite.dataplane.sender import Answered, EventSender, Unanswered

pytestmark = pytest.mark.anyio

EVENT = [("ce-id", "1"), ("Content-Type", "text/plain")]


class Nowhere:
    """A gateway that serves nothing but ``web.default.svc.cluster.local``."""

    def __init__(self) -> None:
        self.asked: list[InnerExchange] = []

    def serves(self, host: str) -> bool:
        return False

    def ask(self, exchange: InnerExchange) -> None:
        self.asked.append(exchange)


class Server:
    """Answers each request with the next of *answers*, and keeps what it got."""

    def __init__(self, *answers: bytes | None) -> None:
        self.answers = list(answers)
        self.got: list[bytes] = []
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/in?a=b"

    async def handle(self, stream: SocketStream) -> None:
        async with stream:
            while self.answers:
                request = b""
                while not complete(request):
                    try:
                        request += await stream.receive()
                    except (anyio.EndOfStream, anyio.BrokenResourceError):
                        return
                self.got.append(request)
                answer = self.answers.pop(0)
                if answer is None:
                    await anyio.sleep_forever()
                assert answer is not None
                await stream.send(answer)
                if b"cut" in answer:
                    return


def complete(request: bytes) -> bool:
    head, found, body = request.partition(b"\r\n\r\n")
    length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    return bool(found) and len(body) >= int(length or 0)


@asynccontextmanager
async def serving(server: Server, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    plain = await anyio.create_tcp_listener(local_host="127.0.0.1")
    server.port = plain.extra(SocketAttribute.local_port)
    listener = plain if tls is None else TLSListener(plain, tls)
    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, server.handle)
        yield server
        group.cancel_scope.cancel()


@asynccontextmanager
async def sending(gateway: Nowhere | None = None) -> AsyncIterator[EventSender]:
    sender = EventSender(gateway or Nowhere())
    try:
        yield sender
    finally:
        await sender.aclose()


def answer(status: int, *headers: str, body: str = "") -> bytes:
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}", *headers]
    return ("\r\n".join(lines) + f"\r\n\r\n{body}").encode()


async def test_an_event_is_posted_and_the_answer_comes_back_whole() -> None:
    async with serving(Server(answer(200, "X-A: b", body="hello"))) as server, sending() as sender:
        answered = await sender.send(server.url, EVENT, b"data", 5)
        assert isinstance(answered, Answered)
        assert (answered.status, answered.body) == (200, b"hello")
        assert ("X-A", "b") in answered.headers
        assert server.got[0].startswith(b"POST /in?a=b HTTP/1.1\r\n")
        assert b"ce-id: 1\r\n" in server.got[0]
        assert server.got[0].endswith(b"\r\n\r\ndata")


@pytest.mark.parametrize("status", [307, 308])
async def test_a_redirect_that_keeps_the_request_repeats_it(status: int) -> None:
    there = Server(answer(200))
    async with serving(there), sending() as sender:
        location = f"Location: {there.url}"
        async with serving(Server(answer(status, location))) as here:
            answered = await sender.send(here.url, EVENT, b"data", 5)
        assert isinstance(answered, Answered)
        assert answered.status == 200
        assert there.got[0].startswith(b"POST /in?a=b")
        assert there.got[0].endswith(b"data")


async def test_a_token_does_not_follow_to_another_server() -> None:
    there = Server(answer(200))
    headers = [*EVENT, ("Authorization", "Bearer secret")]
    async with serving(there), sending() as sender:
        location = f"Location: {there.url}"
        here = Server(answer(307, "Location: /again"), answer(307, location))
        async with serving(here):
            await sender.send(here.url, headers, b"data", 5)
    assert [b"Bearer secret" in each for each in (*here.got, *there.got)] == [True, True, False]


@pytest.mark.parametrize("status", [301, 302, 303])
async def test_another_redirect_is_followed_without_the_event(status: int) -> None:
    server = Server(answer(status, "Location: ../elsewhere"), answer(204))
    async with serving(server), sending() as sender:
        answered = await sender.send(server.url, EVENT, b"data", 5)
        assert isinstance(answered, Answered)
        assert answered.status == 204
        assert server.got[1].startswith(b"GET /elsewhere HTTP/1.1")
        assert server.got[1].endswith(b"\r\n\r\n")


async def test_what_has_become_a_get_stays_one() -> None:
    server = Server(answer(303, "Location: /a"), answer(307, "Location: /b"), answer(200))
    async with serving(server), sending() as sender:
        await sender.send(server.url, EVENT, b"data", 5)
        assert [request.split(b" ")[0] for request in server.got] == [b"POST", b"GET", b"GET"]


async def test_a_redirect_may_not_take_longer_than_the_attempt() -> None:
    async with serving(Server(answer(307, "Location: /in"), None)) as server, sending() as sender:
        answered = await sender.send(server.url, EVENT, b"", 0.2)
        assert answered == Unanswered("no complete answer within 0.2 s")


@pytest.mark.parametrize("header", [("x", "a\r\nb: c"), ("x", "\u20ac")])
async def test_what_cannot_be_sent_is_not(header: tuple[str, str]) -> None:
    async with serving(Server(answer(200))) as server, sending() as sender:
        answered = await sender.send(server.url, [header], b"", 5)
        assert isinstance(answered, Unanswered)
        assert answered.why.startswith("cannot be sent: ")
        assert server.got == []


async def test_a_redirect_to_what_is_no_url_is_no_answer() -> None:
    async with serving(Server(answer(307, "Location: http://[::1"))) as server, sending() as sender:
        assert isinstance(await sender.send(server.url, EVENT, b"", 5), Unanswered)


async def test_redirects_end_some_time() -> None:
    server = Server(*[answer(307, "Location: /in")] * 20)
    async with serving(server), sending() as sender:
        answered = await sender.send(server.url, EVENT, b"data", 5)
        assert answered == Unanswered("stopped after 10 redirects")
        assert len(server.got) == 11


async def test_a_redirect_to_nowhere_is_an_answer() -> None:
    async with serving(Server(answer(302))) as server, sending() as sender:
        answered = await sender.send(server.url, EVENT, b"", 5)
        assert isinstance(answered, Answered)
        assert answered.status == 302


async def test_an_answer_that_breaks_off_counts_by_its_status() -> None:
    cut = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\ncut"
    async with serving(Server(cut)) as server, sending() as sender:
        assert await sender.send(server.url, EVENT, b"", 5) == Answered(200)


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b"cut", id="reset"),
        pytest.param(b"\x00\xff garbage that is cut\r\n\r\n", id="garbage"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Len-cut", id="half a head"),
    ],
)
async def test_what_is_no_answer_says_why(said: bytes) -> None:
    async with serving(Server(said, said)) as server, sending() as sender:
        answered = await sender.send(server.url, EVENT, b"", 5)
        assert isinstance(answered, Unanswered)
        assert answered.why


async def test_nobody_there() -> None:
    server = Server()
    async with serving(server):
        pass
    async with sending() as sender:
        answered = await sender.send(server.url, EVENT, b"", 5)
        assert isinstance(answered, Unanswered)
        assert "connection refused" in answered.why


@pytest.mark.parametrize(
    "begun", [pytest.param(None, id="head"), pytest.param(b"HTTP/1.1 200 OK\r\n", id="rest")]
)
async def test_an_attempt_ends_when_its_time_is_over(begun: bytes | None) -> None:
    async with serving(Server(begun, None)) as server, sending() as sender:
        answered = await sender.send(server.url, EVENT, b"", 0.1)
        assert answered == Unanswered("no complete answer within 0.1 s")


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    return context


async def test_a_destination_may_vouch_for_its_server(
    authority: trustme.CA, tls: ssl.SSLContext
) -> None:
    trusted = authority.cert_pem.bytes().decode()
    async with serving(Server(answer(200), answer(200)), tls) as server, sending() as sender:
        url = f"https://localhost:{server.port}/"
        refused = await sender.send(url, EVENT, b"data", 5)
        assert isinstance(refused, Unanswered)
        assert "certificate" in refused.why.lower()
        for _ in range(2):
            answered = await sender.send(url, EVENT, b"data", 5, trusted)
            assert isinstance(answered, Answered)
            assert answered.status == 200


async def test_certificates_that_are_none_are_said_to_be(tmp_path: Path) -> None:
    async with sending() as sender:
        answered = await sender.send("https://localhost:1/", EVENT, b"", 5, "no certificate")
        assert isinstance(answered, Unanswered)
        assert "CACerts" in answered.why


async def test_names_of_the_cluster_go_to_the_gateway() -> None:
    gateway = Nowhere()
    async with sending(gateway) as sender, anyio.create_task_group() as group:
        answers: list[Answered | Unanswered] = []

        async def send() -> None:
            url = "http://web.default.svc.cluster.local/path"
            answers.append(await sender.send(url, EVENT, b"data", 5))

        group.start_soon(send)
        await anyio.wait_all_tasks_blocked()
        (exchange,) = gateway.asked
        assert (exchange.method, exchange.target) == (b"POST", b"/path")
        assert exchange.headers[0] == (b"Host", b"web.default.svc.cluster.local")
        exchange.instance = "web-1"
        exchange.respond(200, [(b"X-A", b"b")], b"hello")
        await anyio.wait_all_tasks_blocked()
        assert answers == [Answered(200, [("X-A", "b")], b"hello", "web-1")]


async def test_the_gateway_hears_when_nobody_waits_any_more() -> None:
    gateway = Nowhere()
    async with sending(gateway) as sender:
        answered = await sender.send("http://web.default.svc/", EVENT, b"", 0.05)
        assert isinstance(answered, Unanswered)
        assert gateway.asked[0].gone
