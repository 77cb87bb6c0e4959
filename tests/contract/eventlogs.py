"""The four event logs, made and used in the same way by every test of their contract.

Events come when they come, from a server or a file. ``Log.rest`` does not guess how long that is:
it appends a mark for the reader and takes what comes before it.
"""

import random
import uuid
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import anyio
import msgspec
import pytest

from knlite.clock import SystemClock
from knlite.eventing.backing import Backing
from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.filters.attributes import Attributes
from knlite.eventing.filters.build import EVERYTHING
from knlite.eventing.kafka.backing import KafkaBacking, KafkaServer
from knlite.eventing.rabbitmq.backing import RabbitmqBacking, RabbitmqServer
from knlite.eventlog.bounds import Bounds
from knlite.eventlog.database import open_database
from knlite.eventlog.memory import MemoryEngine
from knlite.eventlog.port import Cursor, Engine, EventLog, Reader, Record, Taken
from knlite.eventlog.sqlite import TABLES, open_sqlite
from knlite.facts import Fact, LogStanding
from tests.servers.kafka import Kafka
from tests.servers.rabbitmq import RabbitMQ
from tests.servers.server import Server

ENGINES = ("memory", "sqlite", "rabbitmq", "kafka")
ON_SERVERS = ("rabbitmq", "kafka")
DURABLE = ("sqlite", *ON_SERVERS)
PATIENCE = 30.0
"""Seconds after which what should come counts as lost."""
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
MANY = 100
"""More events than any test has in hand."""


@dataclass(frozen=True)
class Owner:
    kind: str = "Broker"
    namespace: str = "default"
    name: str = "main"
    uid: str = "uid"
    backing: Backing | None = None


def record(name: str, size: int = 0, *, only: Iterable[str] = (), kind: str = "t") -> Record:
    """An event of our own; *name* is a number."""
    attributes = {"specversion": "1.0", "id": name, "source": "/s", "type": kind}
    event = CloudEvent(attributes, None, b"x" * size or None)
    headers = (("knative-a", name), ("traceparent", TRACE))
    return Record(event, 255, headers, int(name), frozenset(only))


def whole(got: Record) -> Record:
    """*got* as it can be compared: headers travel in any order."""
    return msgspec.structs.replace(got, headers=tuple(sorted(got.headers)))


@dataclass
class Log:
    """The log of one resource in one run."""

    engine: Engine
    owner: Owner
    on_server: bool
    port: EventLog
    told: list[Fact]
    _readers: dict[int, Reader] = field(default_factory=dict)
    _marks: int = 10**9

    def reader(
        self, uid: str, wanted: str = "", *, ordered: bool = False, prefetch: int = 0
    ) -> Reader:
        """By the uid, with the type that it wants; empty: all."""
        return Reader(
            uid,
            name=self.name(uid),
            filter=Attributes({"type": wanted}) if wanted else EVERYTHING,
            attributes={"type": wanted} if wanted else {},
            ordered=ordered,
            prefetch=prefetch,
            parallelism=MANY,
        )

    def name(self, uid: str) -> str:
        """Of a reader on the server."""
        return f"{self.owner.namespace}.{uid}.{self.owner.uid}"

    def only(self, *uids: str) -> tuple[str, ...]:
        """These readers, as a record says it."""
        return tuple(self.name(uid) for uid in uids) if self.on_server else uids

    def open(
        self,
        uid: str,
        wanted: str = "",
        at: Literal["start", "end"] = "end",
        *,
        ordered: bool = False,
        prefetch: int = 0,
    ) -> Cursor:
        """The cursor of a reader."""
        reader = self.reader(uid, wanted, ordered=ordered, prefetch=prefetch)
        cursor = self.port.open(reader, at)
        self._readers[id(cursor)] = reader
        return cursor

    async def append(self, *names: str, kind: str = "t") -> None:
        """Events of these names, one after the other."""
        for name in names:
            await self.port.append(record(name, kind=kind))

    async def rest(self, cursor: Cursor) -> list[Taken]:
        """Everything that there is for a reader now."""
        found = list[Taken]()
        self._marks += 1
        mark = str(self._marks)
        only = self.only(self._readers[id(cursor)].uid)
        await self.port.append(record(mark, only=only, kind="mark"))
        while (taken := await self.next(cursor)).record.event.id != mark:
            found.append(taken)
        cursor.done(taken.position)
        return found

    async def next(self, cursor: Cursor) -> Taken:
        """The next event, however long it takes to come."""
        with anyio.fail_after(PATIENCE):
            while (taken := cursor.take()) is None:
                await cursor.wait()
        return taken

    async def names(self, cursor: Cursor) -> list[str]:
        """Of everything that there is."""
        return [taken.record.event.id for taken in await self.rest(cursor)]

    async def finish(self, cursor: Cursor) -> list[str]:
        """Take everything, and be done with it."""
        found = await self.rest(cursor)
        for taken in found:
            cursor.done(taken.position)
        return [taken.record.event.id for taken in found]

    @property
    def standings(self) -> list[LogStanding]:
        """What has been told of how things stand on the server."""
        return [fact for fact in self.told if isinstance(fact, LogStanding)]

    async def stands(self, *, ready: bool | None, uid: str = "") -> LogStanding:
        """Wait until a reader, or the resource itself, stands like this."""
        with anyio.fail_after(PATIENCE):
            while True:
                told = [each for each in self.standings if each.egress_uid == uid]
                if told and told[-1].ready is ready:
                    return told[-1]
                await anyio.sleep(0.02)


Opens = Callable[[], AbstractAsyncContextManager[Engine]]


@dataclass
class Side:
    """One engine, over what it keeps; runs may follow each other."""

    name: str
    owner: Owner
    opens: Opens
    told: list[Fact]
    server: Server | None = None

    @asynccontextmanager
    async def running(self, readers: Iterable[str] = ("a", "b", "c")) -> AsyncIterator[Log]:
        """One run."""
        async with self.opens() as engine, anyio.create_task_group() as group:
            await group.start(engine.run)
            yield self.log(engine, readers)
            group.cancel_scope.cancel()

    def log(self, engine: Engine, readers: Iterable[str] = ("a", "b", "c")) -> Log:
        """The log of the resource."""
        port = engine.log(self.owner, list(readers))
        return Log(engine, self.owner, self.name in ON_SERVERS, port, self.told)


def side_of(name: str, request: pytest.FixtureRequest, folder: Path) -> Side:
    """The engine of that name, with a resource that nobody else has."""
    told = list[Fact]()
    uid = uuid.uuid4().hex
    if name in ON_SERVERS:
        pytest.importorskip(f"knlite.eventlog.{name}.engine")
    if name == "rabbitmq":
        rabbitmq: RabbitMQ = request.getfixturevalue("rabbitmq")
        owner = Owner(name=uid, uid=uid, backing=on_rabbitmq(rabbitmq, uid))
        return Side(name, owner, lambda: _rabbitmq(told), told, rabbitmq)
    if name == "kafka":
        kafka: Kafka = request.getfixturevalue("kafka")
        owner = Owner(name=uid, uid=uid, backing=on_kafka(kafka, uid))
        return Side(name, owner, lambda: _kafka(told), told, kafka)
    if name == "sqlite":
        return Side(name, Owner(), lambda: sqlite(folder), told)
    return Side(name, Owner(), memory, told)


def on_rabbitmq(server: RabbitMQ, uid: str) -> RabbitmqBacking:
    """What a Broker is there."""
    login = RabbitmqServer(
        host=server.host,
        port=server.port,
        username=server.username,
        password=server.password,
        vhost=server.vhost,
    )
    return RabbitmqBacking(server=login, exchange=f"b.contract.{uid}", uid=uid)


def on_kafka(server: Kafka, uid: str) -> KafkaBacking:
    """What a Broker is there; with one partition, so that everything has one order."""
    cluster = KafkaServer(bootstrap=(server.bootstrap,))
    return KafkaBacking(server=cluster, topics=(f"contract-{uid}",), partitions=1)


@asynccontextmanager
async def memory(bounds: Bounds | None = None) -> AsyncIterator[Engine]:
    yield MemoryEngine(bounds or Bounds())


@asynccontextmanager
async def sqlite(folder: Path, bounds: Bounds | None = None) -> AsyncIterator[Engine]:
    def complain(text: str) -> None:
        raise AssertionError(text)

    async with (
        open_database(folder, TABLES, SystemClock(), complain) as database,
        open_sqlite(database, bounds or Bounds(), complain, ["uid"]) as engine,
    ):
        yield engine


@asynccontextmanager
async def _rabbitmq(told: list[Fact]) -> AsyncIterator[Engine]:
    from knlite.eventlog.rabbitmq.engine import RabbitmqEngine

    yield RabbitmqEngine(told.append, SystemClock(), random.Random())


@asynccontextmanager
async def _kafka(told: list[Fact]) -> AsyncIterator[Engine]:
    from knlite.eventlog.kafka.engine import KafkaEngine

    yield KafkaEngine(told.append, SystemClock(), random.Random())
