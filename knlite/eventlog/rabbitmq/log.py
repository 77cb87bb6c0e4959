"""The log of one resource on a server: an exchange, and a queue for each reader.

A Broker publishes to its exchange, which knows by the bindings into whose queues an event goes. A
source has one queue, into which others publish.

Not here: who reads a queue (``reading.py``), how the exchange is kept (``exchange.py``).
"""

from typing import Literal

import anyio
from anyio.abc import TaskGroup

from knlite.errors import InvalidInput, Overloaded
from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.rabbitmq.backing import RabbitmqBacking
from knlite.eventing.rabbitmq.codec import Beside
from knlite.eventlog.port import Cursor, Owner, Reader, Record
from knlite.eventlog.rabbitmq.around import Around
from knlite.eventlog.rabbitmq.consumer import Consumer
from knlite.eventlog.rabbitmq.cursor import Entry
from knlite.eventlog.rabbitmq.exchange import Exchange
from knlite.eventlog.rabbitmq.link import Link, Session
from knlite.eventlog.rabbitmq.plans import dead_letters_of
from knlite.eventlog.rabbitmq.reading import DeadLetterQueue, ReaderQueue
from knlite.eventlog.recent import Recent


class RabbitmqLog:
    """Implements ``port.EventLog``."""

    def __init__(self, around: Around, owner: Owner, backing: RabbitmqBacking, link: Link) -> None:
        self.owner = owner
        self.around = around
        self.recent = Recent()
        self.newest = 0
        """The highest arrival that was appended."""
        self.scope = anyio.CancelScope()
        self.finished = anyio.Event()
        """Set when a log that was deleted is gone from the server."""
        self.after: RabbitmqLog | None = None
        """One whose exchange has the same name, and which is being deleted."""
        self._readers: dict[str, ReaderQueue] = {}
        self._dead: dict[str, DeadLetterQueue] = {}
        """By queue."""
        self._group: TaskGroup | None = None
        self._up: object = None
        self._exchange = Exchange(around, owner, backing, link, self._look)
        self.standings = self._exchange.standings

    @property
    def backing(self) -> RabbitmqBacking:
        return self._exchange.backing

    async def append(self, record: Record) -> None:
        self.newest = max(self.newest, record.arrival)
        self.recent.add(record, len(self._readers))
        beside = Beside(
            record.arrival,
            record.ttl,
            self.around.run,
            record.only,
            record.replay_of,
            "",
            record.headers,
        )
        if record.only:
            for queue in record.only:
                await self._exchange.publish("", queue, record.event, beside)
        else:
            await self._exchange.publish(self.backing.exchange, "", record.event, beside)

    def open(self, reader: Reader, at: Literal["start", "end"]) -> Cursor:
        opened = self._readers.get(reader.uid)
        if opened is None:
            opened = self._readers[reader.uid] = ReaderQueue(self, reader)
            self._exchange.unready.add(opened)
            self._begin(opened.consumer)
        elif opened.replan(reader):
            self._exchange.unready.add(opened)
        return opened.inbox

    def dead_letters(self, reader: Reader) -> Cursor | None:
        dead = dead_letters_of(self.owner, self.backing, reader)
        if dead is None:
            return None
        found = self._dead.get(dead.queue)
        if found is None:
            found = self._dead[dead.queue] = DeadLetterQueue(self, dead)
            self._begin(found.consumer)
        return found.cursor_of(reader)

    def close(self, reader: str) -> None:
        opened = self._readers.pop(reader, None)
        if opened is None:
            return
        opened.consumer.scope.cancel()
        self.standings.forget(reader)
        queues, exchanges = opened.names()
        for queue in queues & self._dead.keys():
            self._dead.pop(queue).consumer.scope.cancel()
        for dead in self._dead.values():
            dead.close(opened.reader)
        self._exchange.leftovers.add(queues, exchanges)
        self.set_up(opened)

    def rebase(self, backing: RabbitmqBacking, link: Link) -> None:
        """Everything is as *backing* says now."""
        self._exchange.rebase(backing, link)
        for opened in self._readers.values():
            opened.consumer.replan()
        self._exchange.look()

    def doom(self) -> None:
        """The resource is deleted: delete what is on the server, and end."""
        for uid in tuple(self._readers):
            self.close(uid)
        for dead in self._dead.values():
            dead.consumer.scope.cancel()
        self._exchange.doom()
        self._exchange.look()

    async def run(self) -> None:
        """Keep everything as it should be until cancelled, or deleted."""
        try:
            with self.scope:
                if self.after is not None:
                    await self.after.finished.wait()
                    self.after = None
                async with anyio.create_task_group() as group:
                    self._group = group
                    for consumer in self._consumers():
                        group.start_soon(consumer.run)
                    await self._exchange.run()
                    group.cancel_scope.cancel()
        finally:
            self._group = None

    async def end(self) -> None:
        """Nothing more happens to it; what was to be deleted is, if that can be done now."""
        await self._exchange.end()
        self.finished.set()

    def session(self, queue: str) -> Session | None:
        """The connections, while the exchange is there and *queue* is not being deleted."""
        up = self._exchange.up
        return (
            up.session if up is not None and queue not in self._exchange.leftovers.queues else None
        )

    def set_up(self, queue: ReaderQueue) -> None:
        """The queue of a reader is there, or cannot be."""
        self._exchange.unready.discard(queue)
        self._exchange.look()

    async def bury(self, entry: Entry, event: CloudEvent, reader: Reader) -> bool:
        """Keep *event* in the queue of dead letters of *reader*, if it has one."""
        dead = dead_letters_of(self.owner, self.backing, reader)
        if dead is None:
            return False
        record = entry.record
        beside = Beside(
            record.arrival,
            record.ttl,
            self.around.run,
            frozenset(),
            record.replay_of,
            reader.name,
            record.headers,
        )
        try:
            await self._exchange.publish(dead.exchange, "", event, beside)
        except (InvalidInput, Overloaded):
            # What it says of the failure has made it too large, or the queue is full.
            return False
        return True

    def _look(self) -> None:
        up = self._exchange.up
        if up is not None and up is not self._up:
            # What the server has kept may be less than what it had.
            self._exchange.unready.update(self._readers.values())
        self._up = up
        for consumer in self._consumers():
            consumer.look()

    def _begin(self, consumer: Consumer) -> None:
        if self._group is not None:
            self._group.start_soon(consumer.run)

    def _consumers(self) -> list[Consumer]:
        return [
            *(opened.consumer for opened in self._readers.values()),
            *(dead.consumer for dead in self._dead.values()),
        ]
