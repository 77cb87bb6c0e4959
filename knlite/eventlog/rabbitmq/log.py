"""The log of one resource on a server: an exchange, and a queue for each reader.

A Broker publishes to its exchange, which knows by the bindings whose queues an event goes into. A
source has one queue, into which others publish.

Not here: who reads a queue (``reading.py``), how connections come back (``link.py``).
"""

import re
from dataclasses import dataclass
from typing import Literal

import anyio
from anyio.abc import TaskGroup

from knlite.errors import InvalidInput, Overloaded, Unavailable
from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.rabbitmq import codec
from knlite.eventing.rabbitmq.backing import RabbitmqBacking
from knlite.eventing.rabbitmq.codec import Beside
from knlite.eventlog.port import Cursor, Owner, Reader, Record
from knlite.eventlog.rabbitmq import complaints, declaring
from knlite.eventlog.rabbitmq.complaints import Trouble
from knlite.eventlog.rabbitmq.consumer import Consumer
from knlite.eventlog.rabbitmq.cursor import Entry
from knlite.eventlog.rabbitmq.link import Link, Session, Signal, pause
from knlite.eventlog.rabbitmq.plans import DeadLetters, broker_dead_letters, dead_letters_of
from knlite.eventlog.rabbitmq.publisher import Publisher
from knlite.eventlog.rabbitmq.reading import DeadLetterQueue, ReaderQueue
from knlite.eventlog.rabbitmq.standing import Around, Standings
from knlite.eventlog.rabbitmq.wire import FAILURES

PATIENCE = 10.0
"""Seconds that an event waits at most for exchange and queues to be set up."""
GRACE = 1.0
"""Seconds for a server that takes nothing now: a memory that is full may be tidied up soon."""
_SETTING_UP = 30.0
_LASTED = 10.0

_TOO_LARGE = re.compile(r"message size \d+ .*max size (\d+)")
"""What a server says of a message that is too large, before it closes the channel."""


@dataclass(frozen=True, slots=True, eq=False)
class Up:
    """What there is while exchange and connections are there."""

    session: Session
    publisher: Publisher


class RabbitmqLog:
    """Implements ``port.EventLog``."""

    def __init__(self, around: Around, owner: Owner, backing: RabbitmqBacking, link: Link) -> None:
        self.owner = owner
        self.backing = backing
        self.around = around
        self.up: Up | None = None
        self.newest = 0
        """The highest arrival that was appended."""
        self.scope = anyio.CancelScope()
        self.finished = anyio.Event()
        """Set when a log that was deleted is gone from the server."""
        self.after: RabbitmqLog | None = None
        """One whose exchange has the same name, and which is being deleted."""
        self.standings = Standings(around, owner)
        self._link = link
        self._signal = Signal()
        self._group: TaskGroup | None = None
        self._stale = self._doomed = False
        self._trouble: Trouble | None = None
        """Why the exchange cannot be set up although there is a connection."""
        self._readers: dict[str, ReaderQueue] = {}
        self._dead: dict[str, DeadLetterQueue] = {}
        """By queue."""
        self._unready: set[object] = set()
        """Queues that are being set up, for which events wait."""
        self._queues = set[str]()
        self._exchanges = set[str]()
        """To be deleted."""
        self._made_exchange = False
        """That of a source, which nobody else had made."""
        self._largest: int | None = None
        """Bytes of a message that the server takes, once it has refused one."""
        link.users[self] = self._look

    async def append(self, record: Record) -> None:
        event = record.event
        self.newest = max(self.newest, record.arrival)
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
                await self._publish("", queue, event, beside)
        else:
            await self._publish(self.backing.exchange, "", event, beside)

    def open(self, reader: Reader, at: Literal["start", "end"]) -> Cursor:
        opened = self._readers.get(reader.uid)
        if opened is None:
            opened = self._readers[reader.uid] = ReaderQueue(self, reader)
            self._unready.add(opened)
            self._begin(opened.consumer)
        elif opened.replan(reader):
            self._unready.add(opened)
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
        self._unready.discard(opened)
        self.standings.forget(reader)
        queues, exchanges = opened.names()
        for queue in queues:
            dead = self._dead.pop(queue, None)
            if dead is not None:
                dead.consumer.scope.cancel()
        for dead in self._dead.values():
            dead.close(opened.reader)
        self._queues |= queues
        self._exchanges |= exchanges
        self._look()

    def rebase(self, backing: RabbitmqBacking, link: Link) -> None:
        """Everything is as *backing* says now."""
        self._link.users.pop(self, None)
        self.backing, self._link = backing, link
        link.users[self] = self._look
        self._stale, self._trouble = True, None
        for opened in self._readers.values():
            opened.consumer.replan()
        self._look()

    def doom(self) -> None:
        """The resource is deleted: delete what is on the server, and end."""
        for uid in tuple(self._readers):
            self.close(uid)
        backing, owner = self.backing, self.owner
        if not backing.is_source:
            self._exchanges.add(backing.exchange)
            dead = broker_dead_letters(owner, backing)
            if dead is not None:
                self._queues.add(dead.queue)
                self._exchanges.add(dead.exchange)
        elif self._made_exchange:
            self._exchanges.add(backing.exchange)
        for each in self._dead.values():
            each.consumer.scope.cancel()
        self._doomed = True
        self._look()

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
                    await self._stay()
                    group.cancel_scope.cancel()
        finally:
            self._group = None
            if not self._left:
                self._link.users.pop(self, None)

    async def delete_all(self) -> None:
        """Delete on the server what is still there of a log that is deleted."""
        session = self._link.session
        if session is not None:
            await self._delete(session)
        self._link.users.pop(self, None)

    def session(self, queue: str) -> Session | None:
        """The connections, while the exchange is there and *queue* is not being deleted."""
        return self.up.session if self.up is not None and queue not in self._queues else None

    def set_up(self, queue: ReaderQueue) -> None:
        """The queue of a reader is there, or cannot be."""
        self._unready.discard(queue)
        self._signal.tell()

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
            await self._publish(dead.exchange, "", event, beside)
        except InvalidInput:
            # What it says of the failure has made it too large.
            return False
        return True

    async def _publish(self, exchange: str, key: str, event: CloudEvent, beside: Beside) -> None:
        up = self.up
        if up is None or self._unready or up.session.publishing.blocked:
            up = await self._ready()
        size = len(event.data or b"")
        if self._largest is not None and size > self._largest:
            raise InvalidInput(
                f"the event has {size} bytes of data",
                cause=f"the RabbitMQ server takes {self._largest} at most",
                fix="set max_message_size on the server",
            )
        message = codec.written(event, beside)
        if not await up.publisher.publish(exchange, key, message):
            raise Overloaded(
                f"RabbitMQ refuses the event for {exchange or key}",
                cause="a queue is full, as a policy on the server says, or it is not available",
                fix="see what keeps the subscribers from answering, and the policies there",
            )

    async def _ready(self) -> Up:
        """Wait until events can be taken. Raises ``Unavailable``."""
        with anyio.move_on_after(PATIENCE):
            while True:
                up = self.up
                trouble = self._link.trouble or self._trouble
                if trouble is not None:
                    raise trouble.unavailable(self._what())
                if up is not None and up.session.publishing.blocked:
                    if await self._stays_blocked(up.session):
                        raise _blocked(up.session).unavailable(self._what())
                elif up is not None and not self._unready:
                    return up
                else:
                    await self._signal.wait()
        raise self._late()

    async def _stays_blocked(self, session: Session) -> bool:
        with anyio.move_on_after(GRACE):
            while session.publishing.blocked and self._link.session is session:
                await self._signal.wait()
            return False
        return True

    def _late(self) -> Unavailable:
        return Unavailable(
            self._what(),
            cause=f"exchange and queues have not been set up within {PATIENCE:g} s",
            fix="send it again; see what the Broker and its Triggers say",
        )

    def _what(self) -> str:
        return f"{self.owner.kind} {self.owner.namespace}/{self.owner.name} takes no events now"

    def _begin(self, consumer: Consumer) -> None:
        if self._group is not None:
            self._group.start_soon(consumer.run)

    def _look(self) -> None:
        """Something may have changed."""
        self._signal.tell()
        for consumer in self._consumers():
            consumer.look()

    def _consumers(self) -> list[Consumer]:
        return [
            *(opened.consumer for opened in self._readers.values()),
            *(dead.consumer for dead in self._dead.values()),
        ]

    async def _stay(self) -> None:
        failures = 0
        while True:
            session = self._link.session
            if session is None:
                self._tell_link()
                await self._signal.wait()
                continue
            began = self.around.clock.now()
            trouble: Trouble | None = None
            try:
                await self._serve(session)
            except FAILURES as exc:
                trouble = complaints.of_setting_up(exc, self.backing.exchange, self.backing.server)
            if self._doomed and trouble is None and not self._left:
                return
            if self._stale or self._link.session is not session:
                self._stale = False
                continue
            if trouble is not None:
                self._trouble = trouble
                self._tell(trouble)
            failures = 0 if self.around.clock.now() - began > _LASTED else failures + 1
            with anyio.move_on_after(pause(failures, self.around.draw)):
                while not self._stale:
                    await self._signal.wait()

    @property
    def _left(self) -> bool:
        return bool(self._queues or self._exchanges)

    async def _serve(self, session: Session) -> None:
        """Set up the exchange, and let events go to it until something is lost or different."""
        self._stale = False
        wire = session.publishing
        if self._left:
            await self._delete(session)
        if self._doomed:
            return
        with anyio.fail_after(_SETTING_UP):
            channel = await wire.connection.channel()
            await self._declare(session)
        assert channel.number is not None
        publisher = Publisher(wire, channel.number)
        closing = channel.closing
        closing.add_done_callback(lambda _: self._look())
        self._trouble = None
        self._unready |= set(self._readers.values())
        self.up = Up(session, publisher)
        self._look()
        try:
            while (
                self._link.session is session
                and not channel.is_closed
                and not self._stale
                and not self._doomed
            ):
                if not wire.blocked:
                    self._tell(None)
                elif await self._stays_blocked(session):
                    publisher.give_up(_blocked(session).unavailable(self._what()))
                    self._tell(_blocked(session))
                else:
                    continue
                if self._left:
                    await self._delete(session)
                    continue
                await self._signal.wait()
        finally:
            self.up = None
            why = self._link.trouble or Trouble("the channel was closed", "send it again")
            if channel.is_closed and closing.done() and not closing.cancelled():
                exc = closing.exception()
                if exc is not None and self._link.session is session:
                    why = self._learn(exc)
            publisher.close(why.unavailable(self._what()))
            self._look()
        if not channel.is_closed:
            with anyio.fail_after(PATIENCE):
                await channel.close()

    async def _declare(self, session: Session) -> None:
        wire, backing = session.publishing, self.backing
        if not backing.is_source:
            channel = await wire.connection.channel(publisher_confirms=False)
            await declaring.declare_exchange(channel, backing.exchange)
            await channel.close()
            await self._declare_dead(session, broker_dead_letters(self.owner, backing))
        elif backing.exchange and not backing.predeclared:
            made = await declaring.make_exchange_if_missing(wire, backing.exchange)
            self._made_exchange = self._made_exchange or made

    async def _declare_dead(self, session: Session, dead: DeadLetters | None) -> None:
        """The Broker's own; events are taken in also without it."""
        if dead is None:
            return
        wire = session.publishing
        channel = await wire.connection.channel(publisher_confirms=False)
        try:
            kind = self.backing.queue_type
            await declaring.declare_dead_letters(wire, channel, dead, kind)
        except FAILURES as exc:
            if not channel.is_closed or wire.connection.is_closed:
                raise
            trouble = complaints.of_setting_up(exc, dead.queue, self.backing.server)
            self.standings.dead_letters("QueueFailure", trouble.message)
            return
        await channel.close()
        self.standings.dead_letters("", "")

    async def _delete(self, session: Session) -> None:
        """Delete what is to be deleted; what cannot be is told, and left."""
        wire = session.publishing
        # For sources one at a time, in the order in which they are used.
        queues, exchanges = tuple(self._queues), tuple(self._exchanges)
        for names, of_queues in ((queues, True), (exchanges, False)):
            for name in names:
                try:
                    with anyio.fail_after(PATIENCE):
                        channel = await wire.connection.channel(publisher_confirms=False)
                        only = ((name,), ()) if of_queues else ((), (name,))
                        await declaring.delete(channel, *only)
                        await channel.close()
                except FAILURES as exc:
                    if wire.connection.is_closed:
                        raise
                    trouble = complaints.of_setting_up(exc, name, self.backing.server)
                    text = f"RabbitMQ has not deleted {name}: {trouble.message}"
                    self.standings.notice("warning", text)
                self._queues.discard(name)
                self._exchanges.discard(name)
        self._look()

    def _learn(self, exc: BaseException) -> Trouble:
        """Why the server has closed the channel on which events are published."""
        words = complaints.words_of(exc)
        too_large = _TOO_LARGE.search(words)
        if too_large is not None:
            self._largest = int(too_large[1])
        return complaints.of_setting_up(exc, self.backing.exchange, self.backing.server)

    def _tell_link(self) -> None:
        trouble = self._link.trouble
        if trouble is None:
            self.standings.resource(None, "", "")
        else:
            self._tell(trouble)

    def _tell(self, trouble: Trouble | None) -> None:
        if trouble is None:
            self.standings.resource(True, "", "")
        else:
            reason = "ExchangeCredentialsUnavailable" if trouble.credentials else "ExchangeFailure"
            self.standings.resource(False, reason, trouble.message)


def _blocked(session: Session) -> Trouble:
    words = f"RabbitMQ takes no messages now: {session.publishing.blocked}"
    return Trouble(words, "give the server more memory or disk, or let the queues become shorter")
