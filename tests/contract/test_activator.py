"""The path of a request on real sockets: gateway, activator, instance (Knative reference §3)."""

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
import httpx
import pytest

from knlite.clock import SystemClock
from knlite.dataplane.activator import Activator
from knlite.dataplane.eventingress import EventIngress
from knlite.dataplane.gateway import Gateway
from knlite.dataplane.wire.exchange import Headers
from knlite.dataplane.wire.framing import Framing
from knlite.dataplane.wire.http1_exchange import Http1Exchange
from knlite.facts import ColdStart, Fact, RequestDone
from knlite.kinds.serving.ingress import Ingress, IngressSpec, Rule, Split
from knlite.serving.instance import (
    Address,
    Birth,
    Endpoint,
    RevisionName,
    RevisionSettings,
    Sample,
    StartFailure,
)
from knlite.serving.routingtable import routing_table

pytestmark = pytest.mark.anyio

WEB = RevisionName("default", "web-00001")
HOSTS = ("web.default.localhost", "web.default.svc.cluster.local")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class App:
    """An instance: answers with what it saw, holds requests while told to."""

    address: Address
    seen: list[bytes] = field(default_factory=list)
    running: int = 0
    most: int = 0
    release: asyncio.Event = field(default_factory=asyncio.Event)
    writers: set[asyncio.StreamWriter] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.add(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    (
                        int(line.split(b":")[1])
                        for line in head.splitlines()
                        if line.lower().startswith(b"content-length")
                    ),
                    0,
                )
                body = await reader.readexactly(length)
                self.seen.append(head + body)
                self.running += 1
                self.most = max(self.most, self.running)
                try:
                    await self.release.wait()
                finally:
                    self.running -= 1
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-App: yes\r\n\r\nhello")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()
            self.writers.discard(writer)


@asynccontextmanager
async def app() -> AsyncIterator[App]:
    instance = App(Address("127.0.0.1", 0))
    server = await asyncio.start_server(instance.serve, "127.0.0.1", 0)
    instance.address = Address("127.0.0.1", server.sockets[0].getsockname()[1])
    instance.release.set()
    try:
        yield instance
    finally:
        server.close()
        instance.release.set()
        for writer in tuple(instance.writers):
            writer.close()
        await until(lambda: not instance.writers)


@dataclass
class Path:
    """A gateway with one revision, and what it tells."""

    activator: Activator
    client: httpx.AsyncClient
    facts: list[Fact]
    waits: list[RevisionName] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)

    def demand(self, revision: RevisionName, sample: Sample) -> None:
        self.samples.append(sample)

    def waiting(self, revision: RevisionName) -> None:
        self.waits.append(revision)

    def endpoints(self, *apps: App, birth: Birth | None = None) -> None:
        self.activator.endpoints_changed(
            WEB, [Endpoint(f"i{n}", each.address, birth) for n, each in enumerate(apps)]
        )

    async def get(self, path: str = "/", host: str = HOSTS[0], **options: object) -> httpx.Response:
        headers = {"Host": host, **options.pop("headers", {})}  # type: ignore[dict-item]  # a dict
        return await self.client.get(path, headers=headers)


@asynccontextmanager
async def path(**settings: float) -> AsyncIterator[Path]:
    clock, facts, draw = SystemClock(), [], random.Random(1)
    activator = Activator(clock, facts.append, draw)
    gateway = Gateway(activator, EventIngress(clock, facts.append, {}), draw, complain=print)
    split = Split(service_namespace="default", service_name=WEB.name, percent=100)
    ingress = Ingress(spec=IngressSpec(rules=(Rule(hosts=HOSTS, splits=(split,)),)))
    url = "http://web.default.localhost:8080"
    gateway.routes_changed(routing_table([ingress], {}, {}, []), (("Service default/web", url),))
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setblocking(False)
    port = listening.getsockname()[1]
    async with (
        httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=10
        ) as client,
        anyio.create_task_group() as group,
    ):
        found = Path(activator, client, facts)
        activator.report_to(found)
        activator.settings_changed(WEB, RevisionSettings(service="web", **settings))  # type: ignore[arg-type]  # numbers
        await group.start(activator.run)
        await group.start(gateway.run, [listening])
        yield found
        group.cancel_scope.cancel()


async def until(condition: Callable[[], object]) -> None:
    with anyio.fail_after(10):
        while not condition():
            await anyio.lowlevel.checkpoint()


async def in_background(call: Callable[[], Awaitable[httpx.Response]]) -> "asyncio.Task[object]":
    return asyncio.get_running_loop().create_task(call())  # type: ignore[arg-type]  # a coroutine


async def test_a_request_passes_with_its_host_and_the_headers_of_the_reference() -> None:
    async with path() as way, app() as instance:
        way.endpoints(instance)
        answer = await way.get("/a?b=c")
        assert (answer.status_code, answer.text, answer.headers["x-app"]) == (200, "hello", "yes")
        seen = instance.seen[0].lower()
        assert seen.startswith(b"get /a?b=c http/1.1\r\nhost: web.default.localhost\r\n")
        assert b"k-proxy-request: activator\r\n" in seen
        assert b"x-forwarded-for: 127.0.0.1\r\n" in seen
        assert b"forwarded: for=127.0.0.1;" in seen


async def test_a_path_address_shows_the_instance_its_own_host_and_path() -> None:
    async with path() as way, app() as instance:
        way.endpoints(instance)
        answer = await way.get("/ns/default/services/web/deep/%20x?q", host="localhost")
        assert answer.status_code == 200
        assert instance.seen[0].startswith(
            b"GET /deep/%20x?q HTTP/1.1\r\nHost: web.default.svc.cluster.local\r\n"
        )


async def test_a_request_waits_until_there_is_an_instance_and_one_start_is_asked_for() -> None:
    async with path() as way, app() as instance:
        requests = [await in_background(way.get) for _ in range(20)]
        await until(lambda: len(way.waits) == 20)
        assert set(way.waits) == {WEB}
        way.endpoints(instance, birth=Birth(0.0, 0.0, 0.0))
        answers = await asyncio.gather(*requests)
        assert {getattr(answer, "status_code", 0) for answer in answers} == {200}
        assert len([fact for fact in way.facts if isinstance(fact, ColdStart)]) == 1


async def test_who_shows_load_is_told_of_each_round_of_samples_while_it_wants_to() -> None:
    told: list[RevisionName] = []
    async with path() as way, app() as instance:
        assert way.activator.load(RevisionName("default", "other")) is None
        instance.release.clear()
        way.endpoints(instance)
        request = await in_background(way.get)
        with way.activator.sampling(told.extend):
            await until(lambda: told)
            load = way.activator.load(WEB)
            assert load is not None
            assert load.active == 1
        told.clear()
        instance.release.set()
        await request
        samples = len(way.samples)
        await until(lambda: len(way.samples) > samples)
        assert told == []


async def test_a_failed_start_answers_who_waits_with_the_reason() -> None:
    async with path() as way:
        request = await in_background(way.get)
        await until(lambda: way.waits)
        way.activator.start_failed(WEB, StartFailure("ExitCode1", "no such table"))
        answer = await request
        assert isinstance(answer, httpx.Response)
        assert answer.status_code == 503
        assert answer.text == "web-00001 did not start: no such table\n"


async def test_an_instance_gets_no_more_than_its_container_concurrency() -> None:
    async with path(container_concurrency=2) as way, app() as instance:
        instance.release.clear()
        way.endpoints(instance)
        requests = [await in_background(way.get) for _ in range(6)]
        await until(lambda: instance.running == 2)
        instance.release.set()
        await asyncio.gather(*requests)
        assert instance.most == 2
        assert len(instance.seen) == 6


async def test_waiting_counts_against_the_timeout() -> None:
    async with path(timeout=0.2) as way:
        answer = await way.get()
        assert (answer.status_code, answer.text) == (504, "activator request timeout")


async def test_an_instance_that_does_not_begin_to_answer_is_given_up() -> None:
    async with path(response_start_timeout=0.2) as way, app() as instance:
        instance.release.clear()
        way.endpoints(instance)
        assert (await way.get()).status_code == 504


async def test_an_instance_that_refuses_is_a_bad_gateway() -> None:
    async with path() as way, app() as instance:
        way.endpoints(App(Address("127.0.0.1", _closed_port())))
        answer = await way.get()
        assert answer.status_code == 502
        assert "connection refused" in answer.text
        assert instance.seen == []


async def test_a_request_that_cannot_be_sent_gives_its_place_back() -> None:
    async with path(container_concurrency=1) as way, app() as instance:
        way.endpoints(instance)
        exchange = Unsendable()
        way.activator.handle(exchange, WEB, b"/", b"a", [(b"Host", b"a"), (b"X", b"a\0")])
        assert exchange.status == 400
        assert [fact.status for fact in way.facts if isinstance(fact, RequestDone)] == [400]
        assert (await way.get()).status_code == 200
        assert len(instance.seen) == 1


class Unsendable(Http1Exchange):
    """A request that no parser of ours lets through."""

    status = 0

    def __init__(self) -> None:
        head = Framing(b"a", 0, False, b"", [])
        super().__init__(Nobody(), b"GET", b"/", "1.1", head, True)

    def respond(
        self, status: int, headers: Headers = (), body: bytes = b"", reason: bytes | None = None
    ) -> None:
        self.status = status


class Nobody:
    """A connection that does nothing."""

    client = Address("127.0.0.1", 1)
    congested = False

    def write(self, data: bytes) -> None: ...

    def adjust_reading(self) -> None: ...

    def finished(self, exchange: Http1Exchange, keep: bool) -> None: ...

    def switched(self, exchange: Http1Exchange) -> "Nobody":
        return self

    def abort(self) -> None: ...

    def reset(self) -> None: ...


async def test_a_client_that_leaves_while_it_waits_gives_up_its_place() -> None:
    async with path() as way, app() as instance:
        request = await in_background(way.get)
        await until(lambda: way.waits)
        request.cancel()
        await asyncio.wait([request])
        await until(lambda: [f for f in way.facts if isinstance(f, RequestDone)])
        way.endpoints(instance)
        assert (await way.get()).status_code == 200
        assert len(instance.seen) == 1


async def test_an_instance_is_idle_only_when_its_last_request_is_over() -> None:
    async with path() as way, app() as instance:
        instance.release.clear()
        way.endpoints(instance)
        request = await in_background(way.get)
        await until(lambda: instance.running == 1)
        way.endpoints()
        idle = asyncio.Event()
        way.activator.when_idle(WEB, "i0", idle.set)
        assert not idle.is_set()
        instance.release.set()
        answer = await request
        assert isinstance(answer, httpx.Response)
        assert answer.status_code == 200
        await until(idle.is_set)


async def test_an_unknown_host_is_told_what_there_is() -> None:
    async with path() as way:
        answer = await way.get(host="wbe.default.localhost:8080")
        assert answer.status_code == 404
        assert "did you mean http://web.default.localhost:8080?" in answer.text


async def test_bare_localhost_lists_all_and_escapes_for_browsers() -> None:
    async with path() as way:
        assert "http://web.default.localhost:8080" in (await way.get(host="localhost")).text
        page = await way.get(host="localhost", headers={"Accept": "text/html"})
        assert page.headers["content-type"].startswith("text/html")
        assert "default-src 'none'" in page.headers["content-security-policy"]


async def test_a_deleted_revision_finishes_what_runs_and_takes_nothing_new() -> None:
    async with path() as way, app() as instance:
        instance.release.clear()
        way.endpoints(instance)
        running = await in_background(way.get)
        await until(lambda: instance.running == 1)
        way.activator.settings_changed(WEB, None)
        way.endpoints()
        assert (await way.get()).status_code == 404
        instance.release.set()
        answer = await running
        assert isinstance(answer, httpx.Response)
        assert answer.status_code == 200


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
