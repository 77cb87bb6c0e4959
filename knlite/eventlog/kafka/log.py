"""The log of one resource in Kafka: its topic, and a consumer group for each of its readers.

A topic that is ours is made when the resource appears, and a group begins at the end of the topic,
in the moment in which its reader is opened. That takes two questions; who appends in the meantime
waits for the answers, so that nobody misses an event that was accepted after it came to be.

Source: Eventing reference §17 (reasons of conditions); Eventing data plane reference §9.2, §7.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, NoReturn

import anyio
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
)

from knlite.errors import Unavailable
from knlite.eventing.kafka.backing import KafkaBacking
from knlite.eventing.kafka.codec import Beside, encode
from knlite.eventlog.kafka import questions
from knlite.eventlog.kafka.consumer import Consumer
from knlite.eventlog.kafka.cursor import KafkaCursor
from knlite.eventlog.kafka.decoder import Decoder, marked
from knlite.eventlog.kafka.problems import (
    GROUP_FAILED,
    NO_ADMIN,
    NOT_PRESENT,
    Refused,
    Trouble,
    trouble_of,
)
from knlite.eventlog.kafka.questions import Leaders
from knlite.eventlog.kafka.server import PATIENCE, Server
from knlite.eventlog.kafka.surroundings import Surroundings
from knlite.eventlog.port import Cursor, Owner, Reader, Record
from knlite.facts import EventRefused, LogStanding

_TOPIC = ""
"""Stands for the topic among the uids of readers."""
DELETE_ATTEMPTS = 3
"""For a group that somebody seems to be in, such as a run that has crashed a moment ago."""


@dataclass(slots=True, kw_only=True)
class _Open:
    """A reader."""

    reader: Reader
    at: Literal["start", "end"]
    cursor: KafkaCursor
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    turn: anyio.Lock = field(default_factory=anyio.Lock)
    """Held by who reads for it."""


class KafkaLog:
    """Implements ``port.EventLog``."""

    def __init__(self, owner: Owner, around: Surroundings) -> None:
        self.owner = owner
        self._around = around
        self._mark = marked(around.run, owner)
        self.backing: KafkaBacking | None = None
        self.server: Server | None = None
        self._decoder: Decoder | None = None
        self._topics: Mapping[str, Leaders] = {}
        self._created = False
        """The topic is one that this run has made: nobody has written to it before."""
        self._open: dict[str, _Open] = {}
        self._preparing = anyio.CancelScope()
        self._waited_for: set[str] = set()
        """Readers that are not set up yet, and the topic."""
        self._trouble: Trouble | None = None
        """With the topic."""
        self._changed = anyio.Event()
        self._told: dict[str, tuple[bool | None, str, str]] = {}

    def kept_at(self, backing: KafkaBacking, server: Server) -> None:
        """It is kept there from now on."""
        before, self.backing = self.backing, backing
        if self.server is not None:
            self.server.unwatch(self._server_changed)
        self.server = server
        server.watch(self._server_changed)
        bits = self._around.draw.getrandbits
        self._decoder = Decoder(self._mark, backing, bits, self._discarded)
        elsewhere = before is not None and (
            before.topics != backing.topics or before.server.bootstrap != backing.server.bootstrap
        )
        if before is not None:
            self._preparing.cancel()
        self._prepare()
        for opened in self._open.values():
            opened.scope.cancel()
            opened.scope = anyio.CancelScope()
            if elsewhere:
                opened.cursor.drop()
            self._start(opened)

    async def append(self, record: Record) -> None:
        server, backing = self.server, self.backing
        if server is None or backing is None:
            raise Unavailable("it is not known where its events are kept")
        if self._waited_for or not server.connected:
            await self._until_settled(server)
        beside = Beside(
            self._mark,
            record.arrival,
            record.ttl,
            record.headers,
            tuple(record.only),
            record.replay_of,
        )
        written = encode(record.event, beside, structured=backing.structured)
        await server.produce(backing.topics[0], written)

    def open(self, reader: Reader, at: Literal["start", "end"]) -> Cursor:
        opened = self._open.get(reader.uid)
        if opened is None:
            opened = _Open(reader=reader, at=at, cursor=KafkaCursor(reader))
            self._open[reader.uid] = opened
            self._start(opened)
            return opened.cursor
        before, opened.reader = opened.reader, reader
        opened.cursor.read_as(reader)
        if before.name != reader.name:
            opened.scope.cancel()
            opened.scope = anyio.CancelScope()
            opened.cursor.drop()
            self._start(opened)
        return opened.cursor

    def dead_letters(self, reader: Reader) -> None:
        """Kafka has no place for them: they go from hand to hand."""

    def close(self, reader: str) -> None:
        opened = self._open.pop(reader, None)
        if opened is None:
            return
        opened.scope.cancel()
        opened.cursor.drop()
        self._waited_for.discard(reader)
        self._told.pop(reader, None)
        self._change()
        server = self.server
        if server is not None:
            key = _group_key(opened.reader.name)
            server.leaving[key] = anyio.Event()
            self._around.start(partial(self._forget_group, server, opened))

    def forget(self) -> None:
        """The resource is deleted, and its topic, if it is ours."""
        self._preparing.cancel()
        for opened in self._open.values():
            opened.scope.cancel()
            opened.cursor.drop()
        server, backing = self.server, self.backing
        if server is None or backing is None:
            return
        server.unwatch(self._server_changed)
        if not backing.external:
            for topic in backing.topics:
                server.leaving[_topic_key(topic)] = anyio.Event()
                self._around.start(partial(self._forget_topic, server, backing, topic))

    # The topic.

    def _prepare(self) -> None:
        self._waited_for.add(_TOPIC)
        self._trouble = None
        self._tell(_TOPIC, None, "", "")
        scope = self._preparing = anyio.CancelScope()
        self._around.start(partial(self._find_topics, scope))

    async def _find_topics(self, scope: anyio.CancelScope) -> None:
        with scope:
            await self._until_found()

    async def _until_found(self) -> None:
        server, backing = self.server, self.backing
        assert server is not None
        assert backing is not None
        failures = 0
        while True:
            try:
                found = {
                    topic: await self._topic(server, backing, topic) for topic in backing.topics
                }
            except Refused as exc:
                self._trouble = exc.trouble
                self._tell(_TOPIC, False, exc.trouble.reason, exc.trouble.message)
                self._change()
                await self._around.pause(failures)
                failures += 1
                continue
            self._topics, self._trouble = found, None
            self._waited_for.discard(_TOPIC)
            self._ready()
            self._change()
            return

    async def _topic(self, server: Server, backing: KafkaBacking, topic: str) -> Leaders:
        """Where the partitions of *topic* are, which is made if it may be."""
        await _gone(server, _topic_key(topic))

        async def find(client: AIOKafkaClient) -> Leaders:
            there = await questions.leaders(client, backing.server, topic)
            if there is not None:
                return there
            if backing.external:
                said = f"UnknownTopicOrPartition: there is no topic {topic}"
                fix = "create the topic, or correct its name"
                raise Refused(Trouble(NOT_PRESENT, said, fix))
            self._created |= await questions.create(client, backing, topic)
            made = await questions.leaders(client, backing.server, topic)
            if made is None:
                raise KafkaError("the topic is not to be seen yet")
            return made

        return await server.ask(find)

    async def _forget_topic(self, server: Server, backing: KafkaBacking, topic: str) -> None:
        server.forget_topic(topic)
        try:
            await server.ask(lambda client: questions.delete(client, backing.server, topic))
        except Refused as exc:
            self._around.complain(f"{exc}")
        finally:
            _left(server, _topic_key(topic))

    def _server_changed(self) -> None:
        server = self.server
        assert server is not None
        if server.trouble is not None:
            self._tell(_TOPIC, False, NO_ADMIN, server.trouble.message)
        elif server.connected and _TOPIC not in self._waited_for:
            self._ready()
        self._change()

    def _ready(self) -> None:
        backing = self.backing
        assert backing is not None
        topics = ", ".join(backing.topics)
        if backing.external:
            reason = f"Topic {topics} (owner external)"
        elif self.owner.kind == "KafkaSink":
            reason = f"Topic {topics} (owner kafkasink-controller)"
        else:
            reason = f"Topic {topics} created"
        self._tell(_TOPIC, True, reason, "")

    # Readers.

    def _start(self, opened: _Open) -> None:
        uid, scope = opened.reader.uid, opened.scope
        self._waited_for.add(uid)
        self._tell(uid, None, "", "")
        self._around.start(partial(self._read_in, scope, opened))

    async def _read_in(self, scope: anyio.CancelScope, opened: _Open) -> None:
        with scope:
            # The one before has to leave the group first.
            async with opened.turn:
                await self._read(opened)

    async def _read(self, opened: _Open) -> NoReturn:
        """Be in the group until cancelled."""
        failures = 0
        while True:
            reader, server, backing, decoder = (
                opened.reader,
                self.server,
                self.backing,
                self._decoder,
            )
            if server is None or backing is None or decoder is None:
                await self._changed.wait()
                continue
            began = self._around.clock.now()
            try:
                await self._begin(opened, server, backing)
                await server.reached()
                consumer = Consumer(
                    opened.cursor,
                    decoder,
                    server,
                    backing.topics,
                    reader.name,
                    self._around.clock,
                )
                await consumer.run()
            except Refused as exc:
                self._reader_fails(reader.uid, exc.trouble)
            except (GroupAuthorizationFailedError, TopicAuthorizationFailedError) as exc:
                self._reader_fails(reader.uid, trouble_of(exc, GROUP_FAILED, backing.server))
            except (KafkaError, OSError):
                # It is lost, or says something new: then the next attempt meets it.
                pass
            if self._around.clock.now() - began > 60:
                failures = 0
            await self._around.pause(failures)
            failures += 1

    async def _begin(self, opened: _Open, server: Server, backing: KafkaBacking) -> None:
        """Have the group begin where its reader does. Raises ``Refused``."""
        reader = opened.reader
        while _TOPIC in self._waited_for:
            await self._changed.wait()
        await _gone(server, _group_key(reader.name))
        start = opened.at == "start" and self._created
        at: Literal["earliest", "latest"] = "earliest" if start else backing.initial

        async def begin(client: AIOKafkaClient) -> None:
            await questions.begin(client, backing.server, reader.name, self._topics, at)

        await server.ask(begin)
        self._waited_for.discard(reader.uid)
        self._tell(reader.uid, True, "", "")
        self._change()

    def _reader_fails(self, uid: str, trouble: Trouble) -> None:
        """Nobody waits for it any more."""
        self._waited_for.discard(uid)
        self._tell(uid, False, trouble.reason, trouble.message)
        self._change()

    async def _forget_group(self, server: Server, opened: _Open) -> None:
        group = opened.reader.name

        async def forget(client: AIOKafkaClient) -> bool:
            return await questions.forget_group(client, server.server, group)

        try:
            async with opened.turn:
                pass
            for attempt in range(DELETE_ATTEMPTS):
                if await server.ask(forget):
                    break
                await self._around.pause(attempt + 3)
        except Refused as exc:
            self._around.complain(f"{exc}")
        finally:
            _left(server, _group_key(group))

    # Who waits, and who is told.

    async def _until_settled(self, server: Server) -> None:
        """Return when all is set up. Raises ``Unavailable``."""
        with anyio.move_on_after(PATIENCE):
            await server.until_known()
            while self._waited_for and server.connected and self._trouble is None:
                await self._changed.wait()
        lost = server.lost()
        if lost is not None:
            raise lost
        who = f"{self.owner.kind} {self.owner.namespace}/{self.owner.name}"
        trouble = self._trouble
        if trouble is not None:
            what = f"{who} cannot keep events: {trouble.reason}"
            raise Unavailable(what, cause=trouble.cause, fix=trouble.fix)
        if self._waited_for:
            raise Unavailable(f"{who} is still being set up on its server")

    def _change(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()

    def _tell(self, uid: str, ready: bool | None, reason: str, message: str) -> None:
        said = (ready, reason, message)
        if self._told.get(uid) == said:
            return
        self._told[uid] = said
        owner = self.owner
        self._around.publish(
            LogStanding(
                at=self._around.clock.wall(),
                kind=owner.kind,
                namespace=owner.namespace,
                name=owner.name,
                resource_uid=owner.uid,
                egress_uid=uid,
                ready=ready,
                reason=reason,
                message=message,
            )
        )

    def _discarded(self, where: str, why: str) -> None:
        owner = self.owner
        self._around.publish(
            EventRefused(
                at=self._around.clock.wall(),
                kind=owner.kind,
                namespace=owner.namespace,
                name=owner.name,
                status=400,
                why=f"not a CloudEvent: {why}",
                sender=where,
            )
        )


def _topic_key(topic: str) -> str:
    return f"topic {topic}"


def _group_key(group: str) -> str:
    return f"group {group}"


async def _gone(server: Server, key: str) -> None:
    """Return when nobody is about to delete it."""
    while (leaving := server.leaving.get(key)) is not None:
        await leaving.wait()


def _left(server: Server, key: str) -> None:
    leaving = server.leaving.pop(key, None)
    if leaving is not None:
        leaving.set()
