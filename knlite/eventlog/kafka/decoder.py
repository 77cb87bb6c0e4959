"""Records of Kafka as readers of a log get them.

Source: Eventing data plane reference §9.1; Eventing delivery reference §12, §15.2 (what is no event
is discarded and counted).
"""

from collections.abc import Callable
from typing import Protocol

from knlite.eventing.cloudevent import Malformed
from knlite.eventing.extensions import arriving_ttl
from knlite.eventing.kafka.backing import KafkaBacking
from knlite.eventing.kafka.codec import ARRIVAL, RUN, RecordHeaders, decode, number
from knlite.eventing.kafka.foreign import foreign_event
from knlite.eventing.trace import TRACEPARENT, Bits, begun
from knlite.eventlog.kafka.cursor import Met
from knlite.eventlog.port import Owner, Record
from knlite.eventlog.recent import Recent


class Consumed(Protocol):
    """A record as the library hands it out."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    """Milliseconds since 1970."""
    key: bytes | None
    value: bytes | None
    headers: RecordHeaders


class Decoder:
    """Reads the records of one resource."""

    def __init__(
        self,
        mark: str,
        recent: Recent,
        backing: KafkaBacking,
        bits: Bits,
        discard: Callable[[str, str], None],
    ) -> None:
        """*mark* is what this run writes for the resource, as ``marked`` makes it, *recent* what it
        has written. *discard* is told where a record is and why it is none."""
        self._mark = mark
        self._resource = _resource(mark)
        self._foreign = backing.foreign
        self._key_type = backing.key_type
        self._bits = bits
        self._discard = discard
        self._discarded: dict[tuple[str, int], int] = {}
        """The last of each partition: what several readers meet is told once."""
        self._head = (RUN, mark.encode())
        """What a record of ours begins with."""
        self._recent = recent

    def read(self, consumed: Consumed) -> Met | None:
        """What *consumed* holds; None: nothing that anybody could deliver."""
        headers = consumed.headers
        if len(headers) > 1 and headers[0] == self._head and headers[1][0] == ARRIVAL:
            known = self._recent.read(number(headers[1][1] or b""))
            if known is not None:
                return Met(consumed.offset, known, False, "", None)
        return self._read(consumed)

    def _read(self, consumed: Consumed) -> Met | None:
        found = decode(consumed.headers, consumed.value)
        event, beside = found.event, found.beside
        if isinstance(event, Malformed) and self._foreign:
            event = foreign_event(
                self._foreign,
                consumed.topic,
                consumed.partition,
                consumed.offset,
                consumed.timestamp,
                consumed.key,
                consumed.value,
                consumed.headers,
                self._key_type,
            )
        if isinstance(event, Malformed):
            self.unreadable(consumed.topic, consumed.partition, consumed.offset, event.why)
            return None
        headers = beside.headers
        ours = beside.run == self._mark
        if not ours or not headers or headers[-1][0] != TRACEPARENT:
            others = [each for each in headers if each[0] != TRACEPARENT]
            headers = (*others, *begun(headers, self._bits)[-1:])
        ttl = beside.ttl if beside.ttl >= 0 else arriving_ttl(event)
        record = Record(event, ttl, headers)
        if ours or _resource(beside.run) == self._resource:
            # What another resource has written into the same topic is new to this one.
            record.arrival, record.replay_of = beside.arrival, beside.replay_of
            record.only = frozenset(beside.only)
        if ours:
            return Met(consumed.offset, record, False, "", None)
        same = (consumed.topic, consumed.partition, consumed.offset)
        return Met(consumed.offset, record, bool(record.arrival), _place(*same), same)

    def unreadable(self, topic: str, partition: int, offset: int, why: str) -> None:
        """The record there holds no event."""
        if self._discarded.get((topic, partition), -1) < offset:
            self._discarded[topic, partition] = offset
            self._discard(_place(topic, partition, offset), why)


def marked(run: str, owner: Owner) -> str:
    """What the records of *owner* say that this *run* has written."""
    return f"{run} {owner.kind}/{owner.namespace}/{owner.name}"


def _resource(mark: str) -> str:
    return mark.partition(" ")[2]


def _place(topic: str, partition: int, offset: int) -> str:
    """Where a record is, for people."""
    return f"record {offset} of partition {partition} of topic {topic}"
