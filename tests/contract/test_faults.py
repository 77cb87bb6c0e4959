"""Ten thousand requests, of clients that leave at any moment, to instances that die at any moment.

What is answered is right, what is not says why, and afterwards nothing is left: no place taken, no
connection, no task, no request in memory. Everything but the instances' processes is real.
"""

import asyncio
import gc
import os
import random
import stat
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial

import anyio
import pytest

from knlite.clock import SystemClock
from knlite.dataplane.activator import Activator
from knlite.dataplane.eventingress import EventIngress
from knlite.dataplane.forward import Relay
from knlite.dataplane.gateway import Gateway
from knlite.dataplane.request import Request
from knlite.dataplane.wire import listener
from knlite.dataplane.wire.body import TooLarge, read_body
from knlite.dataplane.wire.call import Coming
from knlite.dataplane.wire.exchange import Exchange
from knlite.dataplane.wire.failures import Failure
from knlite.dataplane.wire.framing import lookup
from knlite.dataplane.wire.http1_client import Http1Call
from knlite.dataplane.wire.http1_exchange import Http1Exchange
from knlite.dataplane.wire.http2_client import Http2Call
from knlite.dataplane.wire.http2_exchange import Http2Exchange
from knlite.dataplane.wire.http2_pool import Http2Pool
from knlite.facts import Fact, RequestDone
from knlite.kinds.serving.ingress import Ingress, IngressSpec, Rule, Split
from knlite.serving.instance import (
    Address,
    Endpoint,
    RevisionName,
    RevisionSettings,
    Sample,
    StartFailure,
)
from knlite.serving.routingtable import routing_table

pytestmark = pytest.mark.anyio

REQUESTS = 10_000
CLIENTS = 100
PATIENCE = 20.0
"""Seconds for anything that one client waits for; longer means that it hangs."""
LARGE = 300_000
"""Bytes of an answer that no buffer holds."""
REVISIONS = {
    "free": RevisionSettings(service="free"),
    "limited": RevisionSettings(service="limited", container_concurrency=2),
    "newer": RevisionSettings(service="newer", container_concurrency=20, protocol="h2c"),
    "hasty": RevisionSettings(service="hasty", timeout=0.2),
}
INSTANCES = 3
"""Of each revision, while none has died."""


@pytest.fixture
def anyio_backend() -> tuple[str, Mapping[str, object]]:
    return "asyncio", {"use_uvloop": True}


# What is asked and answered


def said_of(request: str, size: int) -> bytes:
    """The body of the right answer to *request*, which sends *size* bytes."""
    words = f"{request} {size} "
    length = LARGE if "large" in request else 20
    return (words * (length // len(words) + 1)).encode()


class Instance:
    """An instance of HTTP/1.1. It can die."""

    def __init__(self, name: str, draw: random.Random) -> None:
        self.name = name
        self.killed = False
        self.running = 0
        self._draw = draw
        self._connections: dict[asyncio.StreamWriter, asyncio.Task[None]] = {}
        self._server: asyncio.Server

    async def start(self) -> Address:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0, limit=1 << 20)
        return Address(*self._server.sockets[0].getsockname())

    @property
    def connections(self) -> int:
        """How many there are."""
        return len(self._connections)

    async def kill(self) -> None:
        """End as a program that gets SIGKILL."""
        self.killed = True
        await self.close()

    async def close(self) -> None:
        """Take no connections any more, and cut those there are."""
        self._server.close()
        connections = dict(self._connections)
        for writer, task in connections.items():
            writer.transport.abort()
            task.cancel()
        await asyncio.gather(*connections.values(), return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections[writer] = task
        try:
            with suppress(asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
                while await self._answer(reader, writer):
                    pass
        finally:
            writer.close()
            del self._connections[writer]

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        self.running += 1
        try:
            request = head.split(b" ")[1].decode().removeprefix("/")
            if "upgrade" in request:
                await self._echo(reader, writer)
                return False
            size = len(await body_of(head, reader))
            if "silent" in request:
                await reader.read()
                return False
            if self._draw.random() < 0.5:
                await asyncio.sleep(self._draw.random() / 100)
            body = said_of(request, size)
            writer.write(b"HTTP/1.1 200 OK\r\n")
            if "chunked" in request:
                writer.write(b"Transfer-Encoding: chunked\r\n\r\n")
                for at in range(0, len(body), 50_000):
                    piece = body[at : at + 50_000]
                    writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
                    await writer.drain()
                writer.write(b"0\r\n\r\n")
            else:
                writer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
            await writer.drain()
            return True
        finally:
            self.running -= 1

    async def _echo(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 101 Switching\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n")
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()


class NewerInstance:
    """An instance of HTTP/2, made of our own server."""

    def __init__(self, name: str, draw: random.Random) -> None:
        self.name = name
        self.killed = False
        self.running = 0
        self._draw = draw
        self._server: listener.Server

    async def start(self) -> Address:
        self._server = await listener.serve(self._begin, [Address("127.0.0.1", 0)])
        return self._server.addresses[0]

    @property
    def connections(self) -> int:
        return len(self._server.open)

    async def kill(self) -> None:
        self.killed = True
        await self.close()

    async def close(self) -> None:
        await self._server.aclose(0)

    def _begin(self, exchange: Exchange) -> None:
        self.running += 1
        read_body(exchange, 1 << 20, partial(self._read, exchange))

    def _read(self, exchange: Exchange, body: bytes | TooLarge) -> None:
        assert isinstance(body, bytes)
        request = exchange.target.decode().removeprefix("/")
        later = self._draw.random() / 100
        asyncio.get_running_loop().call_later(later, self._answer, exchange, request, len(body))

    def _answer(self, exchange: Exchange, request: str, size: int) -> None:
        exchange.respond(200, (), said_of(request, size))
        self.running -= 1


async def body_of(head: bytes, reader: asyncio.StreamReader) -> bytes:
    """A body as *head* announces it. Raises IncompleteReadError if it is cut."""
    lower = head.lower()
    if b"transfer-encoding: chunked" in lower:
        body = b""
        while size := int(await reader.readuntil(b"\r\n"), 16):
            body += await reader.readexactly(size)
            await reader.readexactly(2)
        await reader.readexactly(2)
        return body
    _, found, rest = lower.partition(b"content-length:")
    return await reader.readexactly(int(rest.split(b"\r\n")[0]) if found else 0)


# The world


@dataclass
class World:
    """A gateway, instances that die, and what all of them tell."""

    activator: Activator
    gateway: Address
    draw: random.Random
    facts: list[RequestDone]
    instances: dict[str, list[Instance | NewerInstance]] = field(default_factory=dict)
    every: list[Instance | NewerInstance] = field(default_factory=list)
    """Those that are gone as well."""
    addresses: dict[str, Endpoint] = field(default_factory=dict)
    outcomes: Counter[str] = field(default_factory=Counter)
    deaths: set[str] = field(default_factory=set)
    drained: int = 0
    wrong: list[str] = field(default_factory=list)
    answered: dict[str, set[int]] = field(default_factory=dict)
    """By request id, the status that is to be told of it."""
    left: int = REQUESTS

    def demand(self, revision: RevisionName, sample: Sample) -> None:
        """Nobody scales."""

    def waiting(self, revision: RevisionName) -> None:
        """The keeper of instances brings one back in any case."""

    async def add(self, revision: str) -> None:
        """One more instance."""
        kind = NewerInstance if revision == "newer" else Instance
        instance = kind(f"{revision}-{self.draw.randrange(1 << 40):x}", self.draw)
        self.every.append(instance)
        address = await instance.start()
        self.addresses[instance.name] = Endpoint(instance.name, address, None)
        self.instances.setdefault(revision, []).append(instance)
        self.tell(revision)

    def tell(self, revision: str) -> None:
        """Say which instances there are."""
        there = [self.addresses[instance.name] for instance in self.instances[revision]]
        self.activator.endpoints_changed(RevisionName("default", revision), there)

    async def kill(self, revision: str) -> None:
        """One dies, and that is noticed at once or a little later; then there is a new one."""
        instance = self.draw.choice(self.instances[revision])
        self.deaths.add(instance.name)
        await instance.kill()
        await asyncio.sleep(self.draw.choice((0, 0, 0.01)))
        self.instances[revision].remove(instance)
        self.tell(revision)
        await self.add(revision)

    async def drain(self, revision: str) -> None:
        """One is not wanted any more, and is ended when it has nothing to do but splices."""
        instance = self.draw.choice(self.instances[revision])
        self.instances[revision].remove(instance)
        self.tell(revision)
        idle = asyncio.Event()
        name = RevisionName("default", revision)
        self.activator.when_idle(name, instance.name, idle.set)
        await self.add(revision)
        async with asyncio.timeout(PATIENCE):
            await idle.wait()
        await instance.close()
        self.drained += 1

    async def kill_all(self, revision: str, *, for_good: bool) -> None:
        """All die at once; *for_good*, as far as those know who wait."""
        for instance in tuple(self.instances[revision]):
            self.deaths.add(instance.name)
            await instance.kill()
        self.instances[revision].clear()
        self.tell(revision)
        if for_good:
            await until(lambda: self.waits(revision) or not self.left, "somebody who waits")
            why = StartFailure("ExitCode1", "it fell over")
            self.activator.start_failed(RevisionName("default", revision), why)
        for _ in range(INSTANCES):
            await self.add(revision)

    def waits(self, revision: str) -> bool:
        """Whether a request waits for an instance."""
        loads = self.activator.loads()
        return any(load.queued for load in loads if load.revision == revision)

    async def trouble(self) -> None:
        """Go on while there are requests."""
        await self.kill_all("limited", for_good=True)
        while self.left:
            await asyncio.sleep(0.02 + self.draw.random() / 30)
            revision = self.draw.choice(list(REVISIONS))
            what = self.draw.random()
            if what < 0.6:
                await self.kill(revision)
            elif what < 0.9:
                await self.drain(revision)
            else:
                await self.kill_all(revision, for_good=what < 0.95)


@asynccontextmanager
async def world(seed: int) -> AsyncIterator[World]:
    draw, clock, facts = random.Random(seed), SystemClock(), list[RequestDone]()

    def publish(fact: Fact) -> None:
        if isinstance(fact, RequestDone):
            facts.append(fact)

    activator = Activator(clock, publish, draw)
    gateway = Gateway(activator, EventIngress(clock, publish, {}), draw, complain=print)
    rules = [
        Rule(
            hosts=(f"{name}.localhost",),
            splits=(Split(service_namespace="default", service_name=name, percent=100),),
        )
        for name in REVISIONS
    ]
    ingresses = [Ingress(spec=IngressSpec(rules=(rule,))) for rule in rules]
    gateway.routes_changed(routing_table(ingresses, {}, {}, []), ())
    server = await listener.serve(gateway.outside.handle, [Address("127.0.0.1", 0)])
    made = World(activator, server.addresses[0], draw, facts)
    activator.report_to(made)
    try:
        async with anyio.create_task_group() as group:
            await group.start(activator.run)
            for name, settings in REVISIONS.items():
                activator.settings_changed(RevisionName("default", name), settings)
                for _ in range(INSTANCES):
                    await made.add(name)
            yield made
            group.cancel_scope.cancel()
        await until(lambda: not server.open, "the clients' connections closed")
        for name in REVISIONS:
            instances = tuple(made.instances[name])
            made.instances[name].clear()
            made.tell(name)
            for instance in instances:
                await until(
                    lambda each=instance: not each.connections, "connections to instances closed"
                )
                await instance.close()
    finally:
        with anyio.CancelScope(shield=True):
            for instance in made.every:
                await instance.close()
            await server.aclose(0)
            await activator.aclose()


async def until(condition: Callable[[], object], what: str) -> None:
    try:
        async with asyncio.timeout(PATIENCE):
            while not condition():  # noqa: ASYNC110  not all of it is told by events
                await asyncio.sleep(0.005)
    except TimeoutError:
        pytest.fail(f"waited in vain: {what}")


# Clients


class Client:
    """Someone who asks one thing after the other, on a connection that is kept if it can be."""

    def __init__(self, world: World, newer: Http2Pool, draw: random.Random) -> None:
        self._world = world
        self._newer = newer
        self._draw = draw
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter | None = None
        self._sent = ""
        self._kinds = (
            (self._ask, 35),
            (self._ask_twice, 3),
            (self._upload, 12),
            (self._upload_in_chunks, 10),
            (self._upgrade, 5),
            (self._by_http2, 10),
            (self._leave_in_the_head, 5),
            (self._leave_in_the_body, 5),
            (self._leave_while_waiting, 5),
            (self._leave_in_the_answer, 5),
        )

    async def run(self) -> None:
        """Ask until everything has been asked."""
        world, draw = self._world, self._draw
        while world.left:
            world.left -= 1
            kind = draw.choices(*zip(*self._kinds, strict=True))[0]
            try:
                async with asyncio.timeout(PATIENCE):
                    await kind(str(world.left))
            except TimeoutError:
                world.wrong.append(f"{kind.__name__}: no end: {self._sent}")
                self._leave()
        self._leave()

    # What they do

    async def _ask(self, number: str) -> None:
        words = self._draw.choice(("", "", "", "-large", "-chunked", "-large-chunked"))
        revision = self._revision()
        if revision == "hasty" and self._draw.random() < 0.2:
            words = "-silent"
        await self._send(revision, number + words)
        await self._take(number + words)

    async def _ask_twice(self, number: str) -> None:
        """Both at once, on one connection; the answers come in the same order."""
        await self._send("free", f"{number}-one")
        await self._send("free", f"{number}-two")
        if await self._take(f"{number}-one"):
            await self._take(f"{number}-two")

    async def _upload(self, number: str) -> None:
        size = self._draw.choice((1, 1000, 200_000))
        await self._send(self._revision(), number, b"Content-Length: %d\r\n" % size)
        await self._write(*self._pieces(size))
        await self._take(number, size)

    async def _upload_in_chunks(self, number: str) -> None:
        size = self._draw.choice((1, 1000, 200_000))
        await self._send(self._revision(), number, b"Transfer-Encoding: chunked\r\n")
        chunks = (b"%x\r\n%b\r\n" % (len(piece), piece) for piece in self._pieces(size))
        await self._write(*chunks, b"0\r\n\r\n")
        await self._take(number, size)

    async def _upgrade(self, number: str) -> None:
        request = f"{number}-upgrade"
        revision = self._draw.choice(("free", "limited"))
        await self._send(revision, request, b"Connection: Upgrade\r\nUpgrade: echo\r\n")
        try:
            head = await self._reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 101 "):
                await self._note(request, head, 0)
                return
            # If the instance dies it may look as if it had ended.
            self._world.answered[request] = {101, 502}
            for _ in range(3):
                sent = self._draw.randbytes(self._draw.choice((10, 100_000)))
                await self._write(sent)
                if await self._reader.readexactly(len(sent)) != sent:
                    self._world.wrong.append(f"{request}: another echo")
            self._world.outcomes["101"] += 1
        except (asyncio.IncompleteReadError, ConnectionError) as exc:
            if request not in self._world.answered:
                self._world.wrong.append(f"{request}: not answered: {exc!r}")
            self._cut(request)
        finally:
            self._leave()

    async def _by_http2(self, number: str) -> None:
        size = self._draw.choice((0, 0, 1000, 200_000))
        revision = self._revision()
        asked = Asked()
        self._sent = f"{number} to {revision} by HTTP/2, {size} bytes"
        headers = ((b"Host", f"{revision}.localhost".encode()), (b"X-Request-Id", number.encode()))
        method, body = (b"POST", Coming(None)) if size else (b"GET", b"")
        call = self._newer.send(method, f"/{number}".encode(), headers, asked, body=body)
        leaving = self._draw.random() < 0.3
        for piece in self._pieces(size) if size else ():
            if leaving and self._draw.random() < 0.3:
                call.cancel()
                return
            call.write(piece)
            await asyncio.sleep(0)
        if size:
            call.end()
        if leaving:
            await asyncio.sleep(self._draw.random() / 100)
            call.cancel()
            return
        await asked.over.wait()
        if asked.failure is not None:
            self._cut(number)
        else:
            self._judge(number, asked.status, asked.body, size)

    async def _leave_in_the_head(self, number: str) -> None:
        head = self._head("free", number)
        await self._write(head[: self._draw.randrange(len(head) - 2)])
        self._leave()

    async def _leave_in_the_body(self, number: str) -> None:
        await self._send(self._revision(), number, b"Content-Length: 1000000\r\n")
        await self._write(*self._pieces(self._draw.choice((1, 1000, 200_000))))
        self._leave()

    async def _leave_while_waiting(self, number: str) -> None:
        await self._send(self._revision(), number)
        await asyncio.sleep(self._draw.choice((0, 0, 0.005)))
        self._leave()

    async def _leave_in_the_answer(self, number: str) -> None:
        await self._send(self._revision(), f"{number}-large-chunked")
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            await self._reader.readuntil(b"\r\n\r\n")
            await self._reader.read(self._draw.choice((1, 100, 100_000)))
        self._leave()

    # How

    def _revision(self) -> str:
        return self._draw.choices(list(REVISIONS), (4, 4, 3, 1))[0]

    def _pieces(self, size: int) -> Sequence[bytes]:
        step = self._draw.choice((size, 1 + size // 3))
        return [b"x" * min(step, size - at) for at in range(0, size, step)]

    def _head(self, revision: str, request: str, more: bytes = b"") -> bytes:
        method = "POST" if b":" in more and b"Upgrade" not in more else "GET"
        lines = f"{method} /{request} HTTP/1.1\r\nHost: {revision}.localhost\r\n"
        return f"{lines}X-Request-Id: {request}\r\n".encode() + more + b"\r\n"

    async def _send(self, revision: str, request: str, more: bytes = b"") -> None:
        self._sent = f"{request} to {revision}"
        await self._write(self._head(revision, request, more))

    async def _write(self, *pieces: bytes) -> None:
        writer = self._writer
        if writer is None:
            self._reader, writer = await asyncio.open_connection(
                *self._world.gateway, limit=1 << 20
            )
            self._writer = writer
        # An answer may come before the body is complete, and the connection may end after it.
        with suppress(ConnectionError):
            for piece in pieces:
                if not writer.is_closing():
                    writer.write(piece)
                    await writer.drain()

    async def _take(self, request: str, size: int = 0) -> bool:
        """Whether the connection can be used again."""
        head = b""
        try:
            head = await self._reader.readuntil(b"\r\n\r\n")
            await self._note(request, head, size)
        except (asyncio.IncompleteReadError, ConnectionError) as exc:
            if not head:
                self._world.wrong.append(f"{request}: not answered: {exc!r}")
            self._cut(request)
            self._leave()
        else:
            if b"connection: close" in head.lower():
                self._leave()
        return self._writer is not None

    async def _note(self, request: str, head: bytes, size: int) -> None:
        body = await body_of(head, self._reader)
        self._judge(request, int(head.split(b" ")[1]), body, size)

    def _judge(self, request: str, status: int, body: bytes, size: int) -> None:
        world = self._world
        world.outcomes[str(status)] += 1
        world.answered[request] = {status}
        if status == 200:
            if body != said_of(request, size):
                world.wrong.append(f"{request}: {body[:50]!r}")
        elif status not in {502, 503, 504} or not body.strip():
            world.wrong.append(f"{request}: {status} {body!r}")

    def _cut(self, request: str) -> None:
        self._world.outcomes["cut"] += 1
        self._world.answered.setdefault(request, {502})

    def _leave(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            if self._draw.random() < 0.5:
                writer.transport.abort()
            writer.close()


class Asked:
    """Takes an answer by HTTP/2; implements ``call.Receiver``."""

    def __init__(self) -> None:
        self.over = asyncio.Event()
        self.status = 0
        self.body = b""
        self.failure: Failure | None = None

    def interim(self, status: int, reason: bytes, headers: list[tuple[bytes, bytes]]) -> None:
        pass

    def head(
        self, status: int, reason: bytes, headers: list[tuple[bytes, bytes]], length: int | None
    ) -> None:
        self.status = status

    def answered(
        self, status: int, reason: bytes, headers: list[tuple[bytes, bytes]], body: bytes
    ) -> None:
        self.status, self.body = status, body
        self.over.set()

    def switched(self, reason: bytes, headers: list[tuple[bytes, bytes]]) -> None:
        raise AssertionError("HTTP/2 does not switch")

    def data(self, data: bytes) -> None:
        self.body += data

    def end(self, trailers: Sequence[tuple[bytes, bytes]]) -> None:
        self.over.set()

    def failed(self, failure: Failure) -> None:
        self.failure = failure
        self.over.set()

    def server_full(self) -> None:
        pass

    def server_ready(self) -> None:
        pass


# What is left


REQUESTS_IN_MEMORY = (Request, Relay, Http1Exchange, Http1Call, Http2Exchange, Http2Call)


def open_sockets() -> int:
    found = 0
    for descriptor in os.listdir("/dev/fd"):
        # That of the listing itself is closed by now.
        with suppress(OSError):
            found += stat.S_ISSOCK(os.fstat(int(descriptor)).st_mode)
    return found


def in_memory() -> list[object]:
    gc.collect()
    return [each for each in gc.get_objects() if isinstance(each, REQUESTS_IN_MEMORY)]


async def test_clients_that_leave_and_instances_that_die() -> None:
    loop = asyncio.get_running_loop()
    raised: list[object] = []
    loop.set_exception_handler(lambda _, context: raised.append(context))
    tasks, sockets = asyncio.all_tasks(), open_sockets()
    async with world(seed=1) as made:
        newer = Http2Pool(made.gateway)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(made.trouble())
                for _ in range(CLIENTS):
                    draw = random.Random(made.draw.random())
                    group.create_task(Client(made, newer, draw).run())
        finally:
            await newer.aclose()
        await until(
            lambda: all(load.queued == load.active == 0 for load in made.activator.loads()),
            "nothing waits and nothing runs",
        )
    await until(lambda: asyncio.all_tasks() == tasks, "no task is left")
    await until(lambda: open_sockets() == sockets, "no socket is left")
    assert in_memory() == []
    assert raised == []

    assert made.wrong == []
    assert {"200", "101", "502", "503", "504", "cut"} <= set(made.outcomes), made.outcomes
    assert made.outcomes["200"] > REQUESTS / 2, made.outcomes
    assert len(made.deaths) > 20
    assert made.drained > 5
    told: dict[str, list[int]] = {}
    for fact in made.facts:
        request = (lookup(fact.headers, b"x-request-id") or b"").decode()
        told.setdefault(request, []).append(fact.status)
    for request, statuses in made.answered.items():
        assert len(told.get(request, [])) == 1, request
        assert told[request][0] in statuses, request
    # A program that is told to end takes its open splices with it.
    failed = [
        fact for fact in made.facts if fact.status == 502 and not fact.target.endswith(b"-upgrade")
    ]
    assert [fact.why for fact in failed if fact.instance not in made.deaths] == []
