"""A server in memory with a queue for each reader, and an engine that uses it as a real one.

The server outlives runs, can be lost, can keep what it does not confirm, hands out again what was
not acknowledged, and takes events of others.
"""

from collections import deque
from collections.abc import Collection, Hashable
from dataclasses import dataclass, field
from itertools import count
from typing import Literal

import anyio
from anyio.abc import TaskStatus

from knlite.clock import Clock
from knlite.errors import Unavailable
from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.filters.filter import Filter
from knlite.eventlog.port import Cursor, EventLog, Owner, Reader, Record, Taken
from knlite.facts import LogStanding, Publish


@dataclass(frozen=True)
class Message:
    number: int
    event: CloudEvent
    headers: tuple[tuple[str, str], ...] = ()
    ttl: int = 0
    arrival: int = 0
    only: frozenset[str] = frozenset()
    replay_of: int = 0
    run: str = ""


@dataclass
class Queue:
    filter: Filter
    messages: dict[int, Message] = field(default_factory=dict)


class Server:
    """What is there whoever is connected."""

    def __init__(self) -> None:
        self.is_up = True
        self.confirms = True
        self.queues: dict[str, Queue] = {}
        """By the names of readers; of dead letters with ``.dlq``."""
        self.rejected: list[str] = []
        """Ids of events that nobody has taken."""
        self.engines: list[ServerEngine] = []
        self._numbers = count(1)

    def put(self, message: Message, queue: str = "") -> None:
        """For *queue*, or for all whose filter it passes."""
        for name, each in self.queues.items():
            wanted = name == queue if queue else not name.endswith(".dlq")
            passes = name in message.only if message.only else each.filter.passes(message.event)
            if wanted and passes:
                each.messages[message.number] = message
        for engine in self.engines:
            engine.look()

    def number(self) -> int:
        return next(self._numbers)

    def sent_by_others(self, event: CloudEvent, *headers: tuple[str, str]) -> None:
        """Another program sends *event* past knlite."""
        self.put(Message(self.number(), event, headers))

    def lose(self) -> None:
        """All connections are lost."""
        self.is_up = False
        for engine in self.engines:
            engine.lost()

    def come_back(self) -> None:
        """They are there again."""
        self.is_up = True
        for engine in self.engines:
            engine.connected()


class ServerEngine:
    """Implements ``port.Engine`` for one run."""

    newest = 0

    def __init__(self, server: Server, publish: Publish, clock: Clock, run: str = "1") -> None:
        self.server, self.run_id = server, run
        self._publish, self._clock = publish, clock
        self.logs: dict[str, ServerLog] = {}
        self.opened: list[Owner] = []
        server.engines.append(self)

    def log(self, resource: Owner, readers: Collection[str]) -> EventLog:
        self.opened.append(resource)
        return self.logs.setdefault(resource.uid, ServerLog(self, resource))

    def forget(self, uid: str) -> None:
        for cursor in self.logs.pop(uid).cursors.values():
            self.server.queues.pop(cursor.name, None)

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        task_status.started()

    def lost(self) -> None:
        for log in self.logs.values():
            for uid in ("", *(cursor.reader.uid for cursor in log.cursors.values())):
                self.tell(log.resource, uid, ready=False, message="connection refused")

    def connected(self) -> None:
        for log in self.logs.values():
            self.tell(log.resource, ready=True)
            for cursor in log.cursors.values():
                cursor.connected()

    def look(self) -> None:
        for log in self.logs.values():
            for cursor in log.cursors.values():
                cursor.look()

    def tell(
        self, resource: Owner, egress: str = "", *, ready: bool | None, message: str = ""
    ) -> None:
        self._publish(
            LogStanding(
                at=self._clock.wall(),
                kind=resource.kind,
                namespace=resource.namespace,
                name=resource.name,
                resource_uid=resource.uid,
                egress_uid=egress,
                ready=ready,
                reason="" if ready else "ServerLost",
                message=message,
            )
        )


class ServerLog:
    """Implements ``port.EventLog``."""

    def __init__(self, engine: ServerEngine, resource: Owner) -> None:
        self.engine, self.resource = engine, resource
        self.cursors: dict[str, ServerCursor] = {}
        engine.tell(resource, ready=engine.server.is_up)

    async def append(self, record: Record) -> tuple[str, ...] | None:
        server = self.engine.server
        await anyio.sleep(0.01)
        if not server.is_up:
            raise Unavailable("the server is lost", cause="connection refused")
        message = Message(
            server.number(),
            record.event,
            record.headers,
            record.ttl,
            record.arrival,
            record.only,
            record.replay_of,
            self.engine.run_id,
        )
        server.put(message)
        # Whoever takes it is quicker than the confirmation.
        await anyio.sleep(0.01)
        if not server.confirms:
            raise Unavailable("the server does not confirm")
        return None

    def open(self, reader: Reader, at: Literal["start", "end"]) -> Cursor:
        cursor = self.cursors.get(reader.uid)
        if cursor is None:
            cursor = self.cursors[reader.uid] = ServerCursor(self, reader.name, reader)
        cursor.reader = reader
        cursor.declare()
        return cursor

    def dead_letters(self, reader: Reader) -> Cursor | None:
        if not reader.dead_letters:
            return None
        key = f"{reader.uid}.dlq"
        if key not in self.cursors:
            self.cursors[key] = ServerCursor(self, f"{reader.name}.dlq", reader)
            self.cursors[key].declare()
        return self.cursors[key]

    def close(self, reader: str) -> None:
        for key in (reader, f"{reader}.dlq"):
            cursor = self.cursors.pop(key, None)
            if cursor is not None:
                self.engine.server.queues.pop(cursor.name, None)


class ServerCursor:
    """Implements ``port.Cursor``."""

    orders = 1

    def __init__(self, log: ServerLog, name: str, reader: Reader) -> None:
        self.name, self.reader = name, reader
        self._log = log
        self._ready: deque[Message] = deque()
        self._in_hand: dict[Hashable, Message] = {}
        self._done: set[Hashable] = set()
        """While the server was lost."""
        self._more = anyio.Event()

    def declare(self) -> None:
        engine = self._log.engine
        server = engine.server
        engine.tell(self._log.resource, self.reader.uid, ready=server.is_up)
        if server.is_up:
            filter_ = self.reader.filter
            server.queues.setdefault(self.name, Queue(filter_)).filter = filter_
            self.look()

    def connected(self) -> None:
        """All that is not acknowledged is handed out again."""
        self.declare()
        for position in self._done:
            self._queue().pop(position)
        self._done.clear()
        self.look()

    def look(self) -> None:
        known = {*self._in_hand, *self._done, *(each.number for each in self._ready)}
        for number, message in self._queue().items():
            if number not in known:
                self._ready.append(message)
        if self._ready:
            self._more.set()
            self._more = anyio.Event()

    def take(self) -> Taken | None:
        if not self._ready:
            return None
        message = self._ready.popleft()
        self._in_hand[message.number] = message
        record = Record(
            message.event,
            message.ttl,
            message.headers,
            message.arrival,
            message.only,
            message.replay_of,
        )
        ours = message.run == self._log.engine.run_id
        origin = "" if ours else f"message {message.number} of the server"
        again = bool(message.arrival) and not ours
        return Taken(message.number, record, again, origin, message.number)

    def done(self, position: Hashable) -> None:
        del self._in_hand[position]
        if self._log.engine.server.is_up:
            self._queue().pop(position, None)
        else:
            self._done.add(position)

    def failed(self, position: Hashable) -> None:
        self._log.engine.server.rejected.append(self._in_hand[position].event.id)
        self.done(position)

    async def wait(self) -> None:
        if not self._ready:
            await self._more.wait()

    async def bury(self, position: Hashable, dead_letter: CloudEvent) -> bool:
        if not self.reader.dead_letters:
            return False
        server, message = self._log.engine.server, self._in_hand[position]
        if not server.is_up:
            raise Unavailable("the server is lost")
        buried = Message(
            server.number(), dead_letter, message.headers, message.ttl, message.arrival,
            run=message.run,
        )  # fmt: skip
        server.put(buried, f"{self.name}.dlq")
        await anyio.sleep(0.01)
        return True

    def _queue(self) -> dict[Hashable, Message]:
        queue = self._log.engine.server.queues.get(self.name)
        return {} if queue is None else queue.messages  # type: ignore[return-value]
