"""One member of a consumer group: brings the records of its partitions to a cursor.

While enough of them wait there, nothing is fetched: what nobody can take yet stays on the server.
What the reader is done with is committed a moment after it has nothing more to do, four times a
second while it has, when partitions are taken away, and at the end.

Source: Eventing data plane reference §9.2 (consumer), §7 (what is committed).
Differs: upstream commits every five seconds; what it delivers twice after a crash is more. Its
members are given up after ten seconds, ours after six. The assignor is not the sticky one, as the
library keeps what that remembers in one place for all groups of a process; the one by ranges is
for members of other programs, most of which know it.
"""

from collections.abc import Callable, Sequence
from typing import NoReturn

import anyio
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import CorruptRecordException, KafkaError
from anyio.lowlevel import checkpoint

from knlite.clock import Clock
from knlite.eventlog.kafka.connecting import client_of, connecting, nothing_left_open
from knlite.eventlog.kafka.cursor import KafkaCursor, Partition
from knlite.eventlog.kafka.decoder import Consumed, Decoder
from knlite.eventlog.kafka.server import Server, ended

FETCHED = 256 * 1024
"""Bytes that one answer brings; a record that is larger comes alone."""
LONG_POLL = 5_000
"""Milliseconds after which the server answers that there is nothing. A cluster answers one request
of a connection after the other, so after a rebalance the first fetch may wait as long."""
AT_ONCE = 100
"""Records after which others have their turn; they take a millisecond or two."""
FOREVER = 2**31 - 1
METADATA = 60_000
"""Milliseconds until new partitions are noticed, and a topic that was gone."""
SESSION, HEARTBEAT = 6_000, 2_000
"""Milliseconds: the least that a cluster allows if it is not set up otherwise."""
RETRY = 500
"""Milliseconds between attempts of the library to reach its brokers again."""
UNREADABLE = (UnicodeDecodeError, CorruptRecordException)
"""What the library says of records that it cannot read, such as one with a header whose name is not
UTF-8, which Kafka keeps for any producer."""
SOON, INTERVAL = 0.05, 0.25
"""Seconds until done work is committed: when nothing is left, and while there is more."""
COMMITTED = 2.0
"""Seconds that a commit may take where something waits for it."""


class Consumer:
    """Reads *topics* for *cursor* as a member of *group*."""

    def __init__(
        self,
        cursor: KafkaCursor,
        decoder: Decoder,
        server: Server,
        topics: tuple[str, ...],
        group: str,
        clock: Clock,
        joined: Callable[[], None],
    ) -> None:
        """*joined* is called when the group has taken us."""
        self._cursor = cursor
        self._decoder = decoder
        self._clock = clock
        self._joined = joined
        self._room = anyio.Event()
        self._progress = anyio.Event()
        self._progressed = False
        self._settled = anyio.Event()
        """Who was assigned what, and from where it is read, is known."""
        arguments = {**connecting(server.server), "client_id": client_of(cursor.reader.uid)}
        self._consumer = AIOKafkaConsumer(
            **arguments,
            group_id=group,
            partition_assignment_strategy=(RoundRobinPartitionAssignor, RangePartitionAssignor),
            enable_auto_commit=False,
            # Where the group began was committed before; what has no offset is a new partition.
            auto_offset_reset="earliest",
            fetch_max_wait_ms=LONG_POLL,
            fetch_max_bytes=FETCHED,
            max_partition_fetch_bytes=FETCHED,
            # How often the library looks whether it could fetch; all that matters wakes it.
            consumer_timeout_ms=60_000,
            metadata_max_age_ms=METADATA,
            # An event may wait for its subscriber for days.
            max_poll_interval_ms=FOREVER,
            session_timeout_ms=SESSION,
            heartbeat_interval_ms=HEARTBEAT,
            retry_backoff_ms=RETRY,
        )
        self._consumer.subscribe(topics, listener=_Listener(self))

    async def run(self) -> None:
        """Read until cancelled, or until the library gives up. Raises ``KafkaError``."""
        cursor = self._cursor
        cursor.on_room = self._room_again
        cursor.on_progress = self._progressing
        try:
            with nothing_left_open():
                await self._consumer.start()
            async with anyio.create_task_group() as group:
                group.start_soon(self._commit_now_and_then)
                # Not out of the group, which would wrap it.
                failure = await self._until_failure()
                group.cancel_scope.cancel()
            raise failure
        finally:
            with anyio.move_on_after(COMMITTED, shield=True):
                await self._commit()
            cursor.revoke_all()
            await ended(self._consumer.stop)

    async def _until_failure(self) -> KafkaError:
        try:
            await self._read()
        except KafkaError as exc:
            return exc

    async def _read(self) -> NoReturn:
        cursor, consumer = self._cursor, self._consumer
        while True:
            if cursor.full:
                await self._pause()
            try:
                batches = await consumer.getmany(timeout_ms=FOREVER)
            except UNREADABLE:
                await self._pass_over()
                continue
            if not self._settled.is_set():
                await self._settled.wait()
                assigned = consumer.assignment()
                batches = {each: found for each, found in batches.items() if each in assigned}
            await self._bring_all(batches)

    async def _bring_all(self, batches: "dict[TopicPartition, list[Consumed]]") -> None:
        """What is read in between from somewhere else is given up: it is handed out again."""
        assignment = self._settled
        for each, records in batches.items():
            partition = Partition(*each)
            for start in range(0, len(records), AT_ONCE):
                if start:
                    await checkpoint()
                if self._settled is not assignment:
                    return
                self._bring(partition, records[start : start + AT_ONCE])

    async def _pass_over(self) -> None:
        """Some record makes the library fail, each time that it is met: go to the one behind it.

        With it the library has lost what it had read of other partitions, so they begin anew.
        """
        cursor, consumer = self._cursor, self._consumer
        for each, position in cursor.positions().items():
            consumer.seek(TopicPartition(*each), position)
        assignment = self._settled
        while self._settled is assignment:
            here = False
            for each in cursor.positions():
                partition = TopicPartition(*each)
                await self._until_room()
                try:
                    # One by one, as the records before it are good.
                    found = await consumer.getmany(partition, timeout_ms=0, max_records=1)
                except UNREADABLE as exc:
                    offset = await consumer.position(partition)
                    consumer.seek(partition, offset + 1)
                    if cursor.meet(each, offset):
                        self._decoder.unreadable(*each, offset, str(exc))
                    return
                await self._bring_all(found)
                here = here or bool(found)
            if not here:
                # It is fetched again first; nothing says when it is here.
                await self._clock.sleep_until(self._clock.now() + SOON)

    def _bring(self, partition: Partition, records: Sequence[Consumed]) -> None:
        cursor, decoder = self._cursor, self._decoder
        for consumed in records:
            offset = consumed.offset
            if not cursor.meet(partition, offset):
                continue
            met = decoder.read(consumed)
            if met is None:
                continue
            if cursor.wants(met):
                cursor.put(partition, met)
        self._progressing()

    async def _pause(self) -> None:
        """Fetch nothing until there is room, of no partition: one that is fetched keeps the others
        waiting for as long as it has nothing."""
        self._consumer.pause(*self._consumer.assignment())
        await self._until_room()
        self._consumer.resume(*self._consumer.paused())

    async def _until_room(self) -> None:
        while self._cursor.full:
            self._room = anyio.Event()
            await self._room.wait()

    def _room_again(self) -> None:
        self._room.set()

    def _progressing(self) -> None:
        if not self._progressed:
            self._progressed = True
            self._progress.set()

    async def _commit_now_and_then(self) -> None:
        while True:
            await self._progress.wait()
            await self._clock.sleep_until(self._clock.now() + SOON)
            if not self._cursor.idle:
                await self._clock.sleep_until(self._clock.now() + INTERVAL - SOON)
            await self._commit()

    async def _commit(self) -> None:
        """What cannot be committed now is committed later, or done again."""
        self._progressed, self._progress = False, anyio.Event()
        marks = self._cursor.uncommitted()
        if not marks:
            return
        try:
            await self._consumer.commit(
                {TopicPartition(*each): mark for each, mark in marks.items()}
            )
        except KafkaError:
            self._progressing()
        else:
            self._cursor.committed(marks)

    async def revoked(self) -> None:
        """All partitions may go to others; they begin where we have committed."""
        if self._settled.is_set():
            self._settled = anyio.Event()
        with anyio.move_on_after(COMMITTED):
            await self._commit()
        self._cursor.revoke_all()

    async def assigned(self, partitions: "set[TopicPartition]") -> None:
        """These are ours, from where the group has been."""
        positions = {}
        for each in partitions:
            positions[Partition(*each)] = await self._consumer.position(each)
        self._cursor.assigned(positions)
        self._settled.set()
        self._joined()


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # the library has no types
    """What the library calls."""

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer

    async def on_partitions_revoked(self, revoked: object) -> None:
        await self._consumer.revoked()

    async def on_partitions_assigned(self, assigned: "set[TopicPartition]") -> None:
        await self._consumer.assigned(assigned)
