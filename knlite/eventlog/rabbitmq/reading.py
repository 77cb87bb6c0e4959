"""Whose queues are read: those of readers, and those of dead letters."""

from typing import Protocol

from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.rabbitmq.backing import RabbitmqBacking
from knlite.eventing.rabbitmq.codec import Beside, Origin
from knlite.eventlog.filters import Filters
from knlite.eventlog.port import Owner, Reader
from knlite.eventlog.rabbitmq import complaints
from knlite.eventlog.rabbitmq.around import Around
from knlite.eventlog.rabbitmq.consumer import Consumer
from knlite.eventlog.rabbitmq.cursor import Entry, RabbitmqCursor
from knlite.eventlog.rabbitmq.link import Session
from knlite.eventlog.rabbitmq.plans import PREFETCH, DeadLetters, Plan, dead_letter_plan, plan_of
from knlite.eventlog.recent import Recent
from knlite.eventlog.standings import Standings

_DROPPED = 1000
"""After so many messages that could not be read it is told again."""


class Log(Protocol):
    """The log that they are part of."""

    owner: Owner
    around: Around
    newest: int
    recent: Recent
    standings: Standings

    @property
    def backing(self) -> RabbitmqBacking: ...
    def session(self, queue: str) -> Session | None: ...
    def set_up(self, queue: "ReaderQueue") -> None: ...
    async def bury(self, entry: Entry, event: CloudEvent, reader: Reader) -> bool: ...


class ReaderQueue:
    """Implements ``consumer.Events`` for the queue of a reader."""

    def __init__(self, log: Log, reader: Reader) -> None:
        self.reader = reader
        self.inbox = RabbitmqCursor(self._bury)
        self.run = log.around.run
        self.recent = log.recent
        self.consumer = Consumer(self, log.around.clock, log.around.draw)
        self._log = log
        self._filters = Filters(reader.filter)
        self._unread = 0
        log.standings.reader(reader.uid, None)

    @property
    def origin(self) -> Origin:
        backing, owner = self._log.backing, self._log.owner
        return Origin(backing.foreign or _made_up(owner, self.plan().queue), backing.is_source)

    def replan(self, reader: Reader) -> bool:
        """The reader is as *reader* says now; whether that makes a difference on the server."""
        self._filters.replace(reader.filter, self._log.newest)
        before = self.plan()
        self.reader = reader
        if self.plan() == before:
            return False
        self.consumer.replan()
        return True

    def names(self) -> tuple[set[str], set[str]]:
        """Queues and exchanges that are the reader's own."""
        plan = self.plan()
        queues = set[str]() if plan.predeclared else {plan.queue}
        if plan.dead_letters is None:
            return queues, set()
        return queues | {plan.dead_letters.queue}, {plan.dead_letters.exchange}

    def session(self) -> Session | None:
        return self._log.session(self.plan().queue)

    def plan(self) -> Plan:
        return plan_of(self._log.owner, self._log.backing, self.reader)

    def cursor(self, beside: Beside) -> RabbitmqCursor | None:
        return self.inbox

    def cursors(self) -> tuple[RabbitmqCursor, ...]:
        return (self.inbox,)

    def wanted(self, event: CloudEvent, beside: Beside) -> bool:
        return self._filters.passes(event, beside.arrival if beside.run == self.run else 0)

    def set_up(self) -> None:
        self._log.standings.reader(self.reader.uid, True)
        self._log.set_up(self)

    def failed(self, exc: BaseException) -> None:
        plan = self.plan()
        trouble = complaints.of_setting_up(exc, plan.queue, self._log.backing.server)
        self._log.standings.reader(self.reader.uid, False, "QueueFailure", trouble.message)
        self._log.set_up(self)

    def dropped(self, why: str) -> None:
        self._unread += 1
        if self._unread % _DROPPED == 1:
            queue = self.plan().queue
            self._log.around.complain(
                f"a message of queue {queue} was dropped, since it is no event that can be read:"
                f" {why} ({self._unread} so far)",
            )

    async def _bury(self, entry: Entry, event: CloudEvent) -> bool:
        return await self._log.bury(entry, event, self.reader)


class DeadLetterQueue:
    """Implements ``consumer.Events`` for a queue of dead letters, which readers may share."""

    def __init__(self, log: Log, dead: DeadLetters) -> None:
        self.dead = dead
        self.run = log.around.run
        self.recent = Recent()
        """Nothing: what is here is another event than the one of its arrival."""
        self.consumer = Consumer(self, log.around.clock, log.around.draw)
        self.origin = Origin(_made_up(log.owner, dead.queue))
        self._log = log
        self._cursors: dict[str, RabbitmqCursor] = {}
        """By the name of the reader."""
        self._prefetch = 1

    def cursor_of(self, reader: Reader) -> RabbitmqCursor:
        """What *reader* has to bring to the dead letter sink."""
        cursor = self._cursors.get(reader.name)
        if cursor is None:
            cursor = self._cursors[reader.name] = RabbitmqCursor(self._bury)
            # What nobody was there for comes again.
            self.consumer.replan()
        wanted = reader.prefetch or PREFETCH
        if wanted > self._prefetch:
            self._prefetch = wanted
            self.consumer.replan()
        return cursor

    def close(self, reader: Reader) -> None:
        """*reader* is gone: what it has left is brought by another, if there is one."""
        if self._cursors.pop(reader.name, None) is not None:
            self.consumer.replan()

    def session(self) -> Session | None:
        return self._log.session(self.dead.queue)

    def plan(self) -> Plan:
        return dead_letter_plan(self._log.backing, self.dead, self._prefetch)

    def cursor(self, beside: Beside) -> RabbitmqCursor | None:
        return self._cursors.get(beside.reader) or next(iter(self._cursors.values()), None)

    def cursors(self) -> tuple[RabbitmqCursor, ...]:
        return tuple(self._cursors.values())

    def wanted(self, event: CloudEvent, beside: Beside) -> bool:
        return True

    def set_up(self) -> None:
        """Nobody waits for it."""

    def failed(self, exc: BaseException) -> None:
        """Whoever has made the queue has told of it."""

    def dropped(self, why: str) -> None:
        text = f"a message of queue {self.dead.queue} was dropped: {why}"
        self._log.around.complain(text)

    async def _bury(self, entry: Entry, event: CloudEvent) -> bool:
        """Dead letters of dead letters there are none."""
        return False


def _made_up(owner: Owner, queue: str) -> str:
    """The source of events that have none, in the words of upstream."""
    return f"/apis/v1/namespaces/{owner.namespace}/rabbitmqsources/{owner.name}#{queue}"
