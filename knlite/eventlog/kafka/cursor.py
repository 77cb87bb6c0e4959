"""What one reader has of its partitions in memory: events that wait for a worker, and in hands.

Only a little is here, the rest waits on the server: who fetches stops while there is enough.

A partition is one order. Each has its turn, so that a long one does not keep the others waiting; an
ordered reader has one event of each in hand at most.
"""

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import NamedTuple

from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.kafka.offsets import Offsets
from knlite.eventlog.filters import Filters
from knlite.eventlog.port import Reader, Record, Taken
from knlite.eventlog.waiting import Waiting

LEAST = 64
"""Events that wait in memory before no more are fetched, however few are brought at once."""


class Partition(NamedTuple):
    """Of a topic; equal to what the library calls ``TopicPartition``."""

    topic: str
    partition: int


class Met:
    """A record that is for the reader; its own position when it is taken."""

    __slots__ = ("again", "age", "lane", "offset", "origin", "record", "same_as")

    def __init__(
        self, offset: int, record: Record, again: bool, origin: str, same_as: Hashable
    ) -> None:
        self.offset = offset
        self.record = record
        self.again = again
        self.origin = origin
        self.same_as = same_as
        self.lane: _Lane | None = None
        """While it waits or is in hand."""
        self.age = 0


class KafkaCursor:
    """Implements ``port.Cursor``."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self._filters = Filters(reader.filter)
        self._lanes: dict[Partition, _Lane] = {}
        self._assigned: set[Partition] = set()
        self._turns: deque[_Lane] = deque()
        """Those that have an event to give now."""
        self._queued = 0
        self._in_hand = 0
        self._waiting = Waiting()
        self.on_room: Callable[[], None] = _nobody
        """Called when so few events wait that more should be fetched."""
        self.on_progress: Callable[[], None] = _nobody
        """Called when there may be something to commit."""

    # What the lane of an egress asks.

    @property
    def orders(self) -> int:
        return max(1, len(self._assigned))

    def take(self) -> Taken | None:
        if not self._turns:
            return None
        lane = self._turns.popleft()
        lane.has_turn = False
        met = lane.queue.popleft()
        lane.in_hand += 1
        self._in_hand += 1
        self._give_turn(lane)
        self._queued -= 1
        if self._queued == self.few:
            self.on_room()
        return Taken(met, met.record, met.again, met.origin, met.same_as)

    def done(self, position: Hashable) -> None:
        assert isinstance(position, Met)
        lane, position.lane = position.lane, None
        if lane is None:
            return
        lane.in_hand -= 1
        self._in_hand -= 1
        if lane.offsets.done(position.offset, position.age):
            self.on_progress()
        if self._give_turn(lane):
            self._waiting.wake()
        elif not lane.in_hand and lane.partition not in self._assigned:
            self._forget(lane)

    def failed(self, position: Hashable) -> None:
        self.done(position)

    async def wait(self) -> None:
        if self._turns:
            return
        await self._waiting.wait()

    async def bury(self, position: Hashable, dead_letter: CloudEvent) -> bool:
        """Kafka has no such place."""
        return False

    # What who fetches tells.

    @property
    def few(self) -> int:
        """Events that may wait when more are fetched."""
        return max(LEAST, self.reader.parallelism)

    @property
    def full(self) -> bool:
        """There is enough; ``on_room`` will be called."""
        return self._queued > self.few

    @property
    def idle(self) -> bool:
        """Nothing waits, and nothing is in hand."""
        return not self._queued and not self._in_hand

    def read_as(self, reader: Reader, newest: int) -> None:
        """Go on as *reader* says; *newest* is the last arrival that its filter of now is for."""
        before, self.reader = self.reader, reader
        self._filters.replace(reader.filter, newest)
        if before.ordered and not reader.ordered:
            for lane in self._lanes.values():
                if self._give_turn(lane):
                    self._waiting.wake()

    def wants(self, met: Met) -> bool:
        """Whether what is at *met* is for the reader."""
        record = met.record
        if record.only:
            return self.reader.name in record.only
        return self._filters.passes(record.event, 0 if met.origin else record.arrival)

    def assigned(self, positions: Mapping[Partition, int]) -> None:
        """These are read from their positions on."""
        for partition, position in positions.items():
            lane = self._lanes.get(partition)
            if lane is None:
                self._lanes[partition] = _Lane(partition, Offsets(position))
            else:
                lane.offsets.assigned(position)
        self._assigned.update(positions)
        self._waiting.wake(len(self._waiting))

    def revoked(self, partitions: Iterable[Partition]) -> None:
        """Somebody else may read these now. What is in hand goes on; what waits is given back."""
        for partition in partitions:
            self._assigned.discard(partition)
            lane = self._lanes.get(partition)
            if lane is None:
                continue
            if lane.queue:
                lane.offsets.give_back(lane.queue[0].offset)
                self._queued -= len(lane.queue)
                lane.queue.clear()
            if lane.has_turn:
                lane.has_turn = False
                self._turns.remove(lane)
            if not lane.in_hand:
                del self._lanes[partition]
        if not self.full:
            self.on_room()

    def revoke_all(self) -> None:
        """Nothing is read any more."""
        self.revoked(tuple(self._assigned))

    def drop(self) -> None:
        """Nothing is to be done any more."""
        self.revoke_all()
        self._lanes.clear()

    def meet(self, partition: Partition, offset: int) -> bool:
        """The server hands this out; False: it was met before, or is nothing of ours any more."""
        lane = self._lanes.get(partition)
        return lane is not None and lane.offsets.meet(offset)

    def put(self, partition: Partition, met: Met) -> None:
        """What was just met is for this reader."""
        lane = met.lane = self._lanes[partition]
        met.age = lane.offsets.age
        lane.offsets.hold(met.offset)
        lane.queue.append(met)
        self._queued += 1
        if self._give_turn(lane) or not self.reader.ordered:
            self._waiting.wake()

    def positions(self) -> Mapping[Partition, int]:
        """The next records that have not been met, of the partitions that are read."""
        return {each: self._lanes[each].offsets.position for each in self._assigned}

    def uncommitted(self) -> Mapping[Partition, int]:
        """What may be committed and is not, of the partitions that are read."""
        found = {}
        for partition in self._assigned:
            offsets = self._lanes[partition].offsets
            if offsets.mark > offsets.committed:
                found[partition] = offsets.mark
        return found

    def committed(self, marks: Mapping[Partition, int]) -> None:
        """The server knows these now."""
        for partition, mark in marks.items():
            lane = self._lanes.get(partition)
            if lane is not None:
                lane.offsets.committed = max(lane.offsets.committed, mark)

    def _forget(self, lane: "_Lane") -> None:
        # There may be another one by now.
        if self._lanes.get(lane.partition) is lane:
            del self._lanes[lane.partition]

    def _give_turn(self, lane: "_Lane") -> bool:
        """Have *lane* give its next event, if it has one and may."""
        if lane.has_turn or not lane.queue or (lane.in_hand and self.reader.ordered):
            return False
        lane.has_turn = True
        self._turns.append(lane)
        return True


class _Lane:
    """One partition at this reader."""

    __slots__ = ("has_turn", "in_hand", "offsets", "partition", "queue")

    def __init__(self, partition: Partition, offsets: Offsets) -> None:
        self.partition = partition
        self.offsets = offsets
        self.queue: deque[Met] = deque()
        self.in_hand = 0
        self.has_turn = False


def _nobody() -> None:
    """There is nobody who fetches."""
