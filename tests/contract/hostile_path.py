"""The path of a request with raw ends: bytes in at the gateway, bytes seen by an instance.

What the instance got is parsed by h11, which shares nothing with the parser under test: it must
find whole requests and nothing between them.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import h11

from knlite.clock import SystemClock
from knlite.dataplane.activator import Activator
from knlite.dataplane.eventingress import EventIngress
from knlite.dataplane.gateway import Gateway
from knlite.dataplane.wire.limits import Limits
from knlite.dataplane.wire.listener import Server, serve
from knlite.facts import Fact, RequestDone
from knlite.kinds.serving.ingress import Ingress, IngressSpec, Rule, Split
from knlite.serving.instance import Address, Endpoint, RevisionName, RevisionSettings
from knlite.serving.routingtable import routing_table

PATIENCE = 10.0
WEB = RevisionName("default", "web-00001")
HOST = b"web.default.localhost"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LAST = b"GET /last HTTP/1.1\r\nHost: %b\r\nConnection: close\r\n\r\n" % HOST

Header = tuple[bytes, bytes]

OURS = frozenset(
    (
        b"x-forwarded-for",
        b"x-forwarded-proto",
        b"x-forwarded-host",
        b"x-request-id",
        b"forwarded",
        b"k-proxy-request",
    )
)
"""Headers that the path adds to every request."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as an instance got it."""

    method: bytes
    target: bytes
    headers: tuple[Header, ...]
    """Names as they were written."""
    body: bytes
    trailers: tuple[Header, ...]

    def values(self, name: bytes) -> list[bytes]:
        """All values of *name*, given in lower case."""
        return [value for key, value in self.headers if key.lower() == name]

    @property
    def own(self) -> list[Header]:
        """Those headers that the client sent."""
        return [header for header in self.headers if header[0].lower() not in OURS]


def answer(body: bytes) -> bytes:
    """A whole answer."""
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


class ThenClose(bytes):
    """An answer after which the instance closes."""


class ThenReset(bytes):
    """An answer after which the instance cuts the connection."""


Answering = Callable[[Seen], bytes]
"""What is written for a request."""


@dataclass
class Instance:
    """Records what comes, and answers every whole request."""

    answer: Answering = lambda _: OK
    address: Address = Address("", 0)
    seen: list[Seen] = field(default_factory=list)
    heads: list[Seen] = field(default_factory=list)
    """As ``seen``, but noted when the head was complete."""
    raw: list[bytes] = field(default_factory=list)
    """All bytes, by connection."""
    faults: list[str] = field(default_factory=list)
    """What an independent parser did not understand."""
    writers: set[asyncio.StreamWriter] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.add(writer)
        at = len(self.raw)
        self.raw.append(b"")
        parser = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
        head: Seen | None = None
        body = b""
        ended = False
        try:
            while True:
                event = parser.next_event()
                if isinstance(event, h11.Request):
                    head = _seen(event)
                    self.heads.append(head)
                    body = b""
                elif isinstance(event, h11.Data):
                    body += event.data
                elif isinstance(event, h11.EndOfMessage):
                    assert head is not None
                    seen = Seen(
                        head.method,
                        head.target,
                        head.headers,
                        body,
                        tuple(event.headers.raw_items()),
                    )
                    self.seen.append(seen)
                    if parser.trailing_data[0]:
                        self.faults.append(f"{parser.trailing_data[0]!r} follows a request")
                    said = self.answer(seen)
                    writer.write(said)
                    if isinstance(said, ThenReset):
                        writer.transport.abort()
                    if isinstance(said, ThenClose | ThenReset):
                        return
                    parser.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
                    parser.send(h11.EndOfMessage())
                    parser.start_next_cycle()
                elif isinstance(event, h11.ConnectionClosed):
                    return
                else:
                    data = await reader.read(65536)
                    ended = not data
                    self.raw[at] += data
                    parser.receive_data(data)
        except h11.RemoteProtocolError as exc:
            # A request that is cut is not a request; anything else is a fault of ours.
            if not ended:
                self.faults.append(f"{exc}: {self.raw[at]!r}")
        except ConnectionError:
            pass
        finally:
            writer.close()
            self.writers.discard(writer)


def _seen(event: h11.Request) -> Seen:
    return Seen(event.method, event.target, tuple(event.headers.raw_items()), b"", ())


class Client:
    """A raw connection to the gateway."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.was_reset = False

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def until(self, end: bytes) -> bytes:
        return await asyncio.wait_for(self.reader.readuntil(end), PATIENCE)

    async def rest(self) -> bytes:
        """Everything until the gateway closes or cuts."""
        pieces = []
        async with asyncio.timeout(PATIENCE):
            try:
                while piece := await self.reader.read(65536):
                    pieces.append(piece)
            except ConnectionError:
                self.was_reset = True
        return b"".join(pieces)

    def cut(self) -> None:
        if not self.writer.is_closing():
            self.writer.transport.abort()


@dataclass
class Way:
    """A gateway in front of one instance."""

    server: Server
    activator: Activator
    instance: Instance
    facts: list[Fact]
    reported: list[dict[str, object]]
    """What the loop was told of exceptions that nobody caught."""

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Client]:
        reader, writer = await asyncio.open_connection(*self.server.addresses[0])
        client = Client(reader, writer)
        try:
            yield client
        finally:
            client.cut()

    async def said(self, *pieces: bytes) -> bytes:
        """All that a new client is told until the gateway closes."""
        async with self.connected() as client:
            for piece in pieces:
                client.send(piece)
            return await client.rest()

    def done(self) -> list[RequestDone]:
        return [fact for fact in self.facts if isinstance(fact, RequestDone)]

    async def assert_clean(self) -> None:
        """No place, no connection and no exception is left, and the next client is served."""
        await eventually(lambda: not self.server.open)
        await eventually(lambda: self._idle())
        answering, self.instance.answer = self.instance.answer, lambda _: OK
        assert statuses(await self.said(LAST)) == [200]
        self.instance.answer = answering
        assert self.instance.seen[-1].target == b"/last"
        await eventually(lambda: not self.server.open)
        assert self._idle()
        self.activator.endpoints_changed(WEB, [])
        await eventually(lambda: not self.instance.writers)
        assert not self.instance.faults
        assert not self.reported

    def _idle(self) -> bool:
        load = next(self.activator.loads())
        return load.queued == load.active == 0


@asynccontextmanager
async def way(
    answer: Answering = lambda _: OK,
    limits: Limits | None = None,
    serve_instance: Callable[[asyncio.StreamReader, asyncio.StreamWriter], object] | None = None,
    **settings: float,
) -> AsyncIterator[Way]:
    """A gateway with one revision that has one instance, with one place.

    *serve_instance* takes the place of an instance that records.
    """
    instance = Instance(answer)
    listening = await asyncio.start_server(serve_instance or instance.serve, "127.0.0.1", 0)  # type: ignore[arg-type]  # a coroutine
    instance.address = Address(*listening.sockets[0].getsockname())
    clock, facts, draw = SystemClock(), [], random.Random(1)
    activator = Activator(clock, facts.append, draw)
    gateway = Gateway(activator, EventIngress(clock, facts.append, {}), draw, complain=print)
    split = Split(service_namespace="default", service_name=WEB.name, percent=100)
    rule = Rule(hosts=(HOST.decode(), "web.default.svc.cluster.local"), splits=(split,))
    gateway.routes_changed(
        routing_table([Ingress(spec=IngressSpec(rules=(rule,)))], {}, {}, []), ()
    )
    given = {"container_concurrency": 1, **settings}
    activator.settings_changed(WEB, RevisionSettings(service="web", **given))  # type: ignore[arg-type]  # numbers
    activator.endpoints_changed(WEB, [Endpoint("i0", instance.address, None)])
    loop = asyncio.get_running_loop()
    reported: list[dict[str, object]] = []
    loop.set_exception_handler(lambda _, told: reported.append(told))
    server = await serve(gateway.outside.handle, [Address("127.0.0.1", 0)], limits)
    try:
        yield Way(server, activator, instance, facts, reported)
    finally:
        await server.aclose(0)
        await activator.aclose()
        listening.close()
        for writer in tuple(instance.writers):
            writer.close()
        await eventually(lambda: not instance.writers)
        loop.set_exception_handler(None)


async def eventually(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.get_running_loop().run_in_executor(None, lambda: None)


async def turns() -> None:
    """Let everything that can happen happen."""
    for _ in range(10):
        await asyncio.get_running_loop().run_in_executor(None, lambda: None)


@dataclass(frozen=True, slots=True)
class Told:
    """An answer as a client got it."""

    status: int
    headers: tuple[Header, ...]
    body: bytes
    trailers: tuple[Header, ...]
    whole: bool
    interims: tuple[int, ...]

    def values(self, name: bytes) -> list[bytes]:
        """All values of *name*, given in lower case."""
        return [value for key, value in self.headers if key.lower() == name]


def answers(said: bytes, methods: Iterable[bytes] = ()) -> list[Told]:
    """Parse all that a client was told, as the answers to requests with *methods* (else GET)."""
    found: list[Told] = []
    of = iter(methods)
    while said:
        parser = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 20)
        parser.send(h11.Request(method=next(of, b"GET"), target="/", headers=[("Host", "a")]))
        parser.send(h11.EndOfMessage())
        parser.receive_data(said)
        said = b""
        status, headers, body, interims = 0, (), b"", []
        whole, trailers, ended = False, (), False
        while not whole:
            try:
                event = parser.next_event()
            except h11.RemoteProtocolError:
                assert ended
                break
            if isinstance(event, h11.InformationalResponse):
                interims.append(event.status_code)
            elif isinstance(event, h11.Response):
                status, headers = event.status_code, tuple(event.headers.raw_items())
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                whole, trailers = True, tuple(event.headers.raw_items())
                said = parser.trailing_data[0]
            elif event is h11.PAUSED:
                break
            else:
                assert event is h11.NEED_DATA
                ended = True
                parser.receive_data(b"")
        found.append(Told(status, headers, body, trailers, whole, tuple(interims)))
    return found


def statuses(said: bytes, methods: Iterable[bytes] = ()) -> list[int]:
    """The statuses of all answers."""
    return [told.status for told in answers(said, methods)]
