"""Tells once of each event that a resource has it, under the arrival that names it everywhere.

Mostly that is when the resource has taken it in. But a server may hand out an event before it has
confirmed it, or without ever confirming it; and it may have events that this run has not taken in:
those of earlier runs, and of other programs, which are met when the first egress takes them.
"""

from collections import OrderedDict
from collections.abc import Hashable
from datetime import UTC, datetime, timedelta

from knlite.clock import Clock
from knlite.dataplane.inboxes import Inbox
from knlite.eventing import trace
from knlite.eventing.extensions import arriving_ttl
from knlite.eventlog.port import Record, Taken
from knlite.facts import EventAccepted, Publish

MET = 100_000
"""Foreign events that are known again when their next egress takes them."""
DOUBTFUL = 10_000
DOUBTFUL_BYTES = 64 * 1024 * 1024
"""Events of which no confirmation came, and which the server may have: the newest, and so many
bytes of their data."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Acceptances:
    """Those of a run."""

    def __init__(self, clock: Clock, publish: Publish, bits: trace.Bits, after: int) -> None:
        """Arrivals are above *after*."""
        self._clock = clock
        self._publish = publish
        self._bits = bits
        self.last_arrival = after
        """Of the newest event that was taken."""
        self._unconfirmed: dict[int, EventAccepted] = {}
        self._doubtful: OrderedDict[int, EventAccepted] = OrderedDict()
        self._doubtful_bytes = 0
        self._met: OrderedDict[tuple[str, Hashable], int] = OrderedDict()

    def arrival(self, now: datetime) -> int:
        """Microseconds since the epoch, above all others, also when the time of day goes back."""
        passed = now - _EPOCH
        micros = (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds
        self.last_arrival = max(micros, self.last_arrival + 1)
        return self.last_arrival

    def tell(self, fact: EventAccepted) -> None:
        """It is kept."""
        self._publish(fact)

    def begin(self, fact: EventAccepted) -> None:
        """A server is asked to keep it: whoever takes it from there may be quicker."""
        self._unconfirmed[fact.arrival] = fact

    def confirmed(self, arrival: int) -> None:
        """The server keeps it."""
        fact = self._unconfirmed.pop(arrival, None)
        if fact is not None:
            self._publish(fact)

    def refused(self, arrival: int) -> None:
        """The server does not keep it."""
        self._unconfirmed.pop(arrival, None)

    def doubted(self, arrival: int) -> None:
        """Nobody knows whether the server keeps it."""
        fact = self._unconfirmed.pop(arrival, None)
        if fact is None:
            return
        self._doubtful[arrival] = fact
        self._doubtful_bytes += len(fact.data or b"")
        while len(self._doubtful) > DOUBTFUL or self._doubtful_bytes > DOUBTFUL_BYTES:
            self._no_longer_doubtful(next(iter(self._doubtful)))

    def met(self, inbox: Inbox, engine: str, reader: str, taken: Taken) -> None:
        """*reader* has *taken* an event; its record gets what it lacks."""
        record = taken.record
        if inbox.beside is not None:
            # What a source finds is new to it, whoever has written it under whatever arrival.
            record.arrival = record.replay_of = 0
        if not record.arrival:
            self._meet(inbox, engine, taken)
        elif taken.again:
            _traced(record, self._bits)
            at = _EPOCH + timedelta(microseconds=record.arrival)
            only = tuple(inbox.uids(record.only))
            self._publish(
                accepted(inbox, engine, record, at, taken.origin, (reader,), only, again=True)
            )
        elif self._unconfirmed or self._doubtful:
            fact = self._unconfirmed.pop(record.arrival, None)
            fact = fact or self._no_longer_doubtful(record.arrival)
            if fact is not None:
                self._publish(fact)

    def _no_longer_doubtful(self, arrival: int) -> EventAccepted | None:
        fact = self._doubtful.pop(arrival, None)
        if fact is not None:
            self._doubtful_bytes -= len(fact.data or b"")
        return fact

    def _meet(self, inbox: Inbox, engine: str, taken: Taken) -> None:
        record, resource = taken.record, inbox.resource
        _traced(record, self._bits)
        if resource.kind == "Broker":
            record.ttl = record.ttl or arriving_ttl(record.event)
        key = (resource.uid, taken.same_as)
        shared = len(resource.egresses) > 1 and taken.same_as is not None
        record.arrival = self._met.get(key, 0) if shared else 0
        if record.arrival:
            return
        now = self._clock.wall()
        record.arrival = self.arrival(now)
        if shared:
            self._met[key] = record.arrival
            if len(self._met) > MET:
                self._met.popitem(last=False)
        only = frozenset[str]() if inbox.beside is not None else inbox.uids(record.only)
        readers = inbox.wanting(record.event, only)
        self._publish(accepted(inbox, engine, record, now, taken.origin, readers, tuple(only)))


def accepted(
    inbox: Inbox,
    engine: str,
    record: Record,
    at: datetime,
    sender: str,
    readers: tuple[str, ...],
    only: tuple[str, ...],
    *,
    again: bool = False,
) -> EventAccepted:
    """The fact that the resource of *inbox* has *record*."""
    event, resource = record.event, inbox.resource
    return EventAccepted(
        at,
        resource.kind,
        resource.namespace,
        resource.name,
        resource.uid,
        record.arrival,
        event.attributes,
        event.content_type,
        event.data,
        record.ttl,
        record.headers,
        sender,
        record.replay_of,
        only,
        engine,
        readers,
        again,
    )


def _traced(record: Record, bits: trace.Bits) -> None:
    """See to it that a ``traceparent`` is the last of its headers; others may have set none."""
    headers = record.headers
    if not headers or headers[-1][0] != trace.TRACEPARENT:
        kept = tuple(each for each in headers if each[0] not in trace.CARRIED | {trace.TRACEPARENT})
        record.headers = (*kept, *trace.begun(headers, bits))
