"""The event log in Kafka, on a real server (``knlite/eventlog/kafka``).

What it shares with the other engines is in ``test_eventlog.py``.
"""

import asyncio
import gc
import json
import random
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import anyio
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record._crc32c import crc

from knlite.clock import SystemClock
from knlite.errors import InvalidInput, Unavailable
from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.filters.attributes import Attributes
from knlite.eventing.kafka.backing import KafkaBacking, KafkaServer
from knlite.eventlog.kafka.engine import KafkaEngine
from knlite.eventlog.kafka.problems import GROUP_FAILED
from knlite.eventlog.port import Cursor, EventLog, Reader, Record, Taken
from knlite.facts import EventRefused, Fact, LogStanding
from tests.servers.kafka import Kafka

TRACE = ("traceparent", "00-" + "1" * 32 + "-" + "2" * 16 + "-01")
AT_ONCE = 8.0
"""Seconds, on a slow machine: less than the ten that a sender waits when nobody knows better."""
_numbers = count()


@dataclass(frozen=True)
class Owner:
    backing: KafkaBacking
    uid: str = "uid"
    kind: str = "Broker"
    namespace: str = "default"
    name: str = "main"


@dataclass
class Run:
    """A run of knlite, as far as an engine knows it."""

    engine: KafkaEngine
    facts: list[Fact]

    def standings(self, uid: str = "") -> list[tuple[bool | None, str]]:
        return [
            (fact.ready, fact.reason)
            for fact in self.facts
            if isinstance(fact, LogStanding) and fact.egress_uid == uid
        ]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def backing(kafka: Kafka) -> KafkaBacking:
    """A topic that nobody has used."""
    server = KafkaServer(bootstrap=(kafka.bootstrap,))
    return KafkaBacking(server=server, topics=(f"topic-{next(_numbers)}",), partitions=3)


NewRun = Callable[[], Awaitable[Run]]


class Runs:
    """Runs that come and go."""

    def __init__(self, group: anyio.abc.TaskGroup) -> None:
        self._group = group
        self._scopes: dict[int, tuple[anyio.CancelScope, anyio.Event]] = {}

    async def begin(self) -> Run:
        facts: list[Fact] = []
        run = Run(KafkaEngine(facts.append, SystemClock(), random.Random()), facts)
        scope, ended = anyio.CancelScope(), anyio.Event()
        self._scopes[id(run)] = (scope, ended)

        async def work(*, task_status: anyio.abc.TaskStatus[None]) -> None:
            with scope:
                await run.engine.run(task_status=task_status)
            ended.set()

        await self._group.start(work)
        return run

    async def end(self, run: Run) -> None:
        scope, ended = self._scopes[id(run)]
        scope.cancel()
        await ended.wait()


@pytest.fixture
async def runs() -> AsyncIterator[Runs]:
    async with anyio.create_task_group() as group:
        with anyio.fail_after(120):
            yield Runs(group)
        group.cancel_scope.cancel()


def record(name: str, *, key: str = "", only: tuple[str, ...] = (), kind: str = "t") -> Record:
    attributes = {"specversion": "1.0", "id": name, "source": "/s", "type": kind}
    if key:
        attributes["partitionkey"] = key
    event = CloudEvent(attributes, "text/plain", b"hello")
    headers = (("knative-a", "b"), TRACE)
    return Record(event, 17, headers, 1_000 + int(name), frozenset(only))


async def taken(cursor: Cursor, number: int) -> list[Taken]:
    found: list[Taken] = []
    while len(found) < number:
        next_one = cursor.take()
        if next_one is None:
            await cursor.wait()
        else:
            found.append(next_one)
    return found


async def names(cursor: Cursor, number: int) -> list[str]:
    """Take so many and be done with them."""
    found = await taken(cursor, number)
    for each in found:
        cursor.done(each.position)
    return [each.record.event.id for each in found]


def reader(name: str = "group", **more: Any) -> Reader:
    return Reader(uid=name, name=f"{name}-{next(_numbers)}", **more)


async def fill(log: EventLog, *numbers: int, key: str = "") -> None:
    async with anyio.create_task_group() as group:
        for each in numbers:
            group.start_soon(log.append, record(str(each), key=key))


async def test_an_event_comes_out_as_it_went_in(runs: Runs, backing: KafkaBacking) -> None:
    run = await runs.begin()
    log = run.engine.log(Owner(backing), ["group"])
    cursor = log.open(reader(), "end")
    sent = record("1")
    await log.append(sent)
    (found,) = await taken(cursor, 1)
    assert (found.record, found.again, found.origin) == (sent, False, "")
    assert cursor.take() is None


async def test_everybody_gets_every_event_that_passes(runs: Runs, backing: KafkaBacking) -> None:
    run = await runs.begin()
    log = run.engine.log(Owner(backing), [])
    everything = log.open(reader("a"), "end")
    few = log.open(reader("b", filter=Attributes({"type": "wanted"})), "end")
    await log.append(record("1"))
    await log.append(record("2", kind="wanted"))
    assert sorted(await names(everything, 2)) == ["1", "2"]
    assert await names(few, 1) == ["2"]


async def test_an_event_may_be_for_some_groups_only(runs: Runs, backing: KafkaBacking) -> None:
    run = await runs.begin()
    log = run.engine.log(Owner(backing), [])
    first, second = reader("a"), reader("b")
    one, other = log.open(first, "end"), log.open(second, "end")
    await log.append(record("1", only=(first.name,)))
    await log.append(record("2", only=(second.name,)))
    assert await names(one, 1) == ["1"]
    assert await names(other, 1) == ["2"]


async def test_what_was_not_done_comes_again_in_the_next_run(
    runs: Runs, backing: KafkaBacking
) -> None:
    owner, who = Owner(replace(backing, partitions=1)), reader()
    run = await runs.begin()
    log = run.engine.log(owner, [])
    cursor = log.open(who, "end")
    for each in range(5):
        await log.append(record(str(each)))
    found = await taken(cursor, 3)
    cursor.done(found[0].position)
    cursor.done(found[2].position)
    await runs.end(run)

    run = await runs.begin()
    cursor = run.engine.log(owner, []).open(who, "end")
    again = await taken(cursor, 4)
    assert [each.record.event.id for each in again] == ["1", "2", "3", "4"]
    assert {each.again for each in again} == {True}
    assert again[0].record.arrival == 1_001


async def test_after_a_crash_nobody_waits_for_the_member_that_is_gone(
    runs: Runs, backing: KafkaBacking
) -> None:
    who = reader()
    run = await runs.begin()
    log = run.engine.log(Owner(backing), [])
    log.open(who, "end")
    await log.append(record("1"))
    await runs.end(run)
    crashed = AIOKafkaConsumer(
        *backing.topics,
        bootstrap_servers=list(backing.server.bootstrap),
        client_id="knlite-group",
        group_id=who.name,
        # A static member does not say that it goes.
        group_instance_id="crashed",
        session_timeout_ms=120_000,
    )
    await crashed.start()
    await until(lambda: len(crashed.assignment()) == backing.partitions)
    await crashed.stop()

    run = await runs.begin()
    cursor = run.engine.log(Owner(backing), []).open(who, "end")
    with anyio.fail_after(30):
        assert await names(cursor, 1) == ["1"]


async def test_what_was_done_comes_never_again(runs: Runs, backing: KafkaBacking) -> None:
    owner, who = Owner(backing), reader()
    run = await runs.begin()
    log = run.engine.log(owner, [])
    cursor = log.open(who, "end")
    await fill(log, *range(20))
    await names(cursor, 20)
    await runs.end(run)

    run = await runs.begin()
    log = run.engine.log(owner, [])
    cursor = log.open(who, "end")
    await log.append(record("99"))
    assert await names(cursor, 1) == ["99"]


async def test_a_new_reader_begins_at_the_end(runs: Runs, backing: KafkaBacking) -> None:
    run = await runs.begin()
    log = run.engine.log(Owner(backing), [])
    await fill(log, *range(10))
    cursor = log.open(reader(), "end")
    await log.append(record("99"))
    assert await names(cursor, 1) == ["99"]


async def test_one_that_comes_with_its_resource_begins_at_the_start(
    runs: Runs, backing: KafkaBacking
) -> None:
    run = await runs.begin()
    log = run.engine.log(Owner(backing), [])
    await log.append(record("1"))
    assert await names(log.open(reader(), "start"), 1) == ["1"]


async def test_an_ordered_reader_has_one_of_each_partition_in_hand(
    runs: Runs, backing: KafkaBacking
) -> None:
    run = await runs.begin()
    log = run.engine.log(Owner(backing), [])
    cursor = log.open(reader(ordered=True), "end")
    for each in range(30):
        await log.append(record(str(each), key=str(each % 10)))
    in_hand = await taken(cursor, 3)
    assert cursor.orders == 3
    with anyio.move_on_after(0.3):
        await cursor.wait()
    assert cursor.take() is None
    order: dict[str, list[int]] = {}
    finished = 0
    while True:
        for each in in_hand:
            order.setdefault(each.record.event.attributes["partitionkey"], []).append(
                int(each.record.event.id)
            )
            cursor.done(each.position)
            finished += 1
        if finished == 30:
            break
        in_hand = await taken(cursor, 1)
    assert all(numbers == sorted(numbers) for numbers in order.values())
    assert len(order) == 10


async def test_what_nobody_takes_stays_on_the_server(runs: Runs, backing: KafkaBacking) -> None:
    run = await runs.begin()
    log = run.engine.log(Owner(backing), [])
    cursor = log.open(reader(parallelism=10), "end")
    large = record("1")
    large.event = CloudEvent(large.event.attributes, None, b"x" * 20_000)

    async def send() -> None:
        for _ in range(100):
            await log.append(large)

    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(send)
    await cursor.wait()
    await anyio.sleep(0.5)
    assert cursor._queued < 200  # type: ignore[attr-defined]
    assert len(await names(cursor, 500)) == 500


async def test_a_deleted_resource_takes_its_topic_along(runs: Runs, backing: KafkaBacking) -> None:
    run = await runs.begin()
    log = run.engine.log(Owner(backing), [])
    await log.append(record("1"))
    run.engine.forget("uid")
    log = run.engine.log(Owner(backing, uid="another"), [])
    cursor = log.open(reader(), "start")
    await log.append(record("2"))
    assert await names(cursor, 1) == ["2"]
    assert [ready for ready, _ in run.standings()] == [None, True, None, True]


async def test_a_server_that_nothing_is_kept_at_any_more_is_left(
    runs: Runs, backing: KafkaBacking
) -> None:
    def busy() -> list[str]:
        """What goes on in the library."""
        names = [str(task.get_coro()) for task in asyncio.all_tasks()]
        return [name for name in names if "AIOKafka" in name]

    run = await runs.begin()
    log = run.engine.log(Owner(backing), [])
    who = reader()
    log.open(who, "end")
    await log.append(record("1"))
    assert busy()
    log.close(who.uid)
    run.engine.forget("uid")
    await until(lambda: not busy())


async def test_a_group_of_an_earlier_topic_begins_anew_in_another(
    runs: Runs, backing: KafkaBacking
) -> None:
    who, one = reader(), replace(backing, partitions=1)
    run = await runs.begin()
    log = run.engine.log(Owner(one), [])
    cursor = log.open(who, "end")
    await fill(log, *range(10))
    await names(cursor, 10)
    await anyio.sleep(0.3)
    run.engine.forget("uid")

    log = run.engine.log(Owner(one, uid="another"), [])
    await fill(log, *range(20, 40))
    cursor = log.open(who, "start")
    assert len(await names(cursor, 20)) == 20


async def test_a_closed_reader_takes_its_group_along(runs: Runs, backing: KafkaBacking) -> None:
    run = await runs.begin()
    log = run.engine.log(Owner(backing), [])
    who = reader()
    log.open(who, "end")
    await log.append(record("1"))
    log.close(who.uid)
    cursor = log.open(who, "end")
    await log.append(record("2"))
    assert await names(cursor, 1) == ["2"]


async def test_an_event_without_data_is_a_record_without_value(
    runs: Runs, backing: KafkaBacking
) -> None:
    run = await runs.begin()
    log = run.engine.log(Owner(backing), [])
    cursor = log.open(reader(), "end")
    sent = record("1")
    sent.event = CloudEvent(sent.event.attributes)
    await log.append(sent)
    (found,) = await taken(cursor, 1)
    assert found.record == sent
    consumer = AIOKafkaConsumer(
        backing.topics[0],
        bootstrap_servers=backing.server.bootstrap[0],
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        assert (await consumer.getone()).value is None
    finally:
        await consumer.stop()


async def test_what_is_no_event_is_discarded_and_told_once(
    runs: Runs, backing: KafkaBacking
) -> None:
    run = await runs.begin()
    log = run.engine.log(Owner(backing), [])
    cursors = [log.open(reader("a"), "end"), log.open(reader("b"), "end")]
    await log.append(record("0"))
    producer = AIOKafkaProducer(bootstrap_servers=backing.server.bootstrap[0])
    await producer.start()
    for value in (b"1", b"2"):
        await producer.send_and_wait(backing.topics[0], value, partition=0)
    await producer.stop()
    await fill(log, *range(1, 10))
    for cursor in cursors:
        assert len(await names(cursor, 10)) == 10
    refused = [fact for fact in run.facts if isinstance(fact, EventRefused)]
    assert len(refused) == 2
    assert "neither binary mode" in refused[0].why


async def until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(30):
        while not condition():  # noqa: ASYNC110  the facts of an engine have no event
            await anyio.sleep(0.02)


@asynccontextmanager
async def away(kafka: Kafka) -> AsyncIterator[None]:
    """The server crashes, and is back at the end of the block."""
    await anyio.to_thread.run_sync(kafka.kill)
    try:
        yield
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(kafka.start)


async def test_a_lost_server_is_said_at_once_and_comes_back_by_itself(
    runs: Runs, backing: KafkaBacking, kafka: Kafka
) -> None:
    run, other = await runs.begin(), await runs.begin()
    log = run.engine.log(Owner(backing), [])
    cursor = log.open(reader(), "end")
    theirs = reader("theirs")
    others = other.engine.log(Owner(backing), []).open(theirs, "end")
    # An event waits for the readers of its own run only.
    await until(lambda: (True, "") in other.standings(theirs.uid))
    await fill(log, *range(10))
    in_hand = await taken(cursor, 10)
    await taken(others, 1)
    async with away(kafka):
        await until(lambda: run.standings()[-1][0] is False)
        with anyio.fail_after(AT_ONCE), pytest.raises(Unavailable) as caught:
            await log.append(record("10"))
        assert "Connection refused" in caught.value.cause
        assert f"start a Kafka at {kafka.bootstrap}" in caught.value.fix
        for each in in_hand[:5]:
            cursor.done(each.position)
        # A run ends when it is told to, without a server too.
        await until(lambda: other.standings()[-1][0] is False)
        with anyio.fail_after(30):
            await runs.end(other)
    await until(lambda: run.standings()[-1][0] is True)
    for each in in_hand[5:]:
        cursor.done(each.position)
    await fill(log, *range(11, 20))
    # Nothing comes twice: neither what was done meanwhile, nor what was in hand.
    assert sorted(await names(cursor, 9)) == [str(each) for each in range(11, 20)]
    with anyio.move_on_after(1):
        await cursor.wait()
    assert cursor.take() is None


async def test_what_is_sent_while_the_server_goes_is_confirmed_or_not_kept_for_sure(
    runs: Runs, backing: KafkaBacking, kafka: Kafka
) -> None:
    run = await runs.begin()
    log = run.engine.log(Owner(backing), [])
    cursor = log.open(reader(), "end")
    kept: list[str] = []
    stopped = anyio.Event()

    async def send() -> None:
        number = 0
        while not stopped.is_set():
            number += 1
            try:
                with anyio.fail_after(12):
                    await log.append(record(str(number)))
            except Unavailable:
                await anyio.sleep(0.1)
            else:
                kept.append(str(number))

    got: set[str] = set()

    async def receive() -> None:
        while True:
            got.update(await names(cursor, 1))

    async with anyio.create_task_group() as group:
        group.start_soon(receive)
        group.start_soon(send)
        await until(lambda: len(kept) > 50)
        async with away(kafka):
            pass
        before = len(kept)
        await until(lambda: len(kept) > before + 50)
        stopped.set()
        await until(lambda: got.issuperset(kept))
        group.cancel_scope.cancel()


async def test_a_run_without_a_server_ends_when_it_is_told_to(
    runs: Runs, backing: KafkaBacking
) -> None:
    nobody = KafkaServer(bootstrap=("127.0.0.1:1",))
    run = await runs.begin()
    log = run.engine.log(Owner(replace(backing, server=nobody)), [])
    log.open(reader(), "end")
    with pytest.raises(Unavailable):
        await log.append(record("1"))
    with anyio.fail_after(AT_ONCE):
        await runs.end(run)


async def test_a_run_that_ends_while_it_connects_leaves_no_connection(runs: Runs) -> None:
    asked, left = anyio.Event(), anyio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The versions of one question, as a Kafka has them; and nothing more."""
        request = await reader.readexactly(*struct.unpack(">i", await reader.readexactly(4)))
        metadata = struct.pack(">ihihhh", *struct.unpack_from(">i", request, 4), 0, 1, 3, 0, 1)
        writer.write(struct.pack(">i", len(metadata)) + metadata)
        await reader.readexactly(4)
        asked.set()
        while await reader.read(1024):
            pass
        writer.close()
        left.set()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as silent:
        address = f"127.0.0.1:{silent.sockets[0].getsockname()[1]}"
        backing = KafkaBacking(server=KafkaServer(bootstrap=(address,)), topics=("t",))
        run = await runs.begin()
        run.engine.log(Owner(backing), [])
        await asked.wait()
        # It is not the collector that closes it.
        gc.disable()
        try:
            with anyio.fail_after(AT_ONCE):
                await runs.end(run)
                await left.wait()
        finally:
            gc.enable()


async def test_wrong_credentials_are_said_in_the_servers_words(
    runs: Runs, backing: KafkaBacking, kafka: Kafka
) -> None:
    login = KafkaServer(
        bootstrap=(kafka.sasl_bootstrap,),
        protocol="SASL_PLAINTEXT",
        mechanism="PLAIN",
        user="admin",
        password="wrong-secret",
    )
    run = await runs.begin()
    log = run.engine.log(Owner(replace(backing, server=login)), [])
    with pytest.raises(Unavailable) as caught:
        await log.append(record("1"))
    assert "Invalid username or password" in caught.value.cause
    assert "correct user and password" in caught.value.fix
    assert "wrong-secret" not in f"{caught.value}{run.facts}"
    assert run.standings()[-1] == (False, "Failed to obtain Kafka cluster admin")

    right = replace(login, password="admin-secret")
    run.engine.log(Owner(replace(backing, server=right)), [])
    cursor = log.open(reader(), "end")
    await log.append(record("2"))
    assert await names(cursor, 1) == ["2"]


async def test_a_certificate_that_is_none_ends_nothing_else(
    runs: Runs, backing: KafkaBacking, kafka: Kafka
) -> None:
    run = await runs.begin()
    odd = KafkaServer(bootstrap=(kafka.bootstrap,), protocol="SSL", ca="é")
    log = run.engine.log(Owner(replace(backing, server=odd)), [])
    with pytest.raises(Unavailable) as caught:
        await log.append(record("1"))
    assert "the certificates cannot be read" in caught.value.cause


async def test_who_may_not_make_the_topic_is_told_so(
    runs: Runs, backing: KafkaBacking, kafka: Kafka
) -> None:
    stranger = KafkaServer(
        bootstrap=(kafka.sasl_bootstrap,),
        protocol="SASL_PLAINTEXT",
        user="stranger",
        password="stranger-secret",
    )
    run = await runs.begin()
    log = run.engine.log(Owner(replace(backing, server=stranger)), [])
    with pytest.raises(Unavailable) as caught:
        await log.append(record("1"))
    assert "AuthorizationFailed" in caught.value.cause
    assert "allow User:stranger" in caught.value.fix


@pytest.mark.parametrize(
    ("wrong", "reason", "why"),
    [
        ({"replication": 3}, "Failed to create topic", "InvalidReplicationFactor"),
        ({"settings": {"retention.ms": "soon"}}, "Failed to create topic", "InvalidConfig"),
        ({"external": True}, "Topic is not present or invalid", "there is no topic"),
        ({"topics": ("a b",)}, "", "InvalidTopic"),
    ],
)
async def test_a_topic_that_cannot_be_says_why(
    runs: Runs, backing: KafkaBacking, wrong: dict[str, Any], reason: str, why: str
) -> None:
    run = await runs.begin()
    log = run.engine.log(Owner(replace(backing, **wrong)), [])
    with pytest.raises(Unavailable) as caught:
        await log.append(record("1"))
    assert why in caught.value.cause
    assert caught.value.fix
    assert run.standings()[-1][0] is False
    assert reason in run.standings()[-1][1]


async def test_a_topic_that_appears_later_is_found(runs: Runs, backing: KafkaBacking) -> None:
    run = await runs.begin()
    external = replace(backing, external=True)
    log = run.engine.log(Owner(external), [])
    cursor = log.open(reader(), "end")
    await until(lambda: run.standings()[-1][0] is False)
    run.engine.log(Owner(backing, uid="maker"), [])
    await until(lambda: run.standings()[-1][0] is True)
    await until(lambda: len([r for r, _ in run.standings() if r]) == 2)
    await log.append(record("1"))
    assert await names(cursor, 1) == ["1"]


async def test_an_event_that_is_too_large_can_never_be_kept(
    runs: Runs, backing: KafkaBacking
) -> None:
    run = await runs.begin()
    log = run.engine.log(Owner(backing), [])
    large = record("1")
    large.event = CloudEvent(large.event.attributes, None, b"x" * 1_100_000)
    with pytest.raises(InvalidInput):
        await log.append(large)


async def poison(address: str, topic: str) -> None:
    """Write a record that Kafka takes and no client can read: a header whose name is not UTF-8."""
    producer = AIOKafkaProducer(bootstrap_servers=address)
    await producer.start()
    batch = producer.create_batch()
    batch.append(key=None, value=b"x", timestamp=None, headers=[("qzq", b"1")])
    batch.close()
    wire = bytearray(batch._build())
    start = wire.index(b"qzq")
    wire[start : start + 3] = b"\xff\xfe\xfd"
    struct.pack_into(">I", wire, 17, crc(bytes(wire[21:])))
    await producer.partitions_for(topic)
    request = ProduceRequest(
        transactional_id=None, required_acks=-1, timeout=5_000, topics=[(topic, [(0, bytes(wire))])]
    )
    await producer.client.send(producer.client.get_random_node(), request)
    await producer.stop()


async def test_a_record_that_nobody_can_read_keeps_up_nothing(
    runs: Runs, backing: KafkaBacking
) -> None:
    run = await runs.begin()
    log = run.engine.log(Owner(backing), [])
    cursor = log.open(reader(), "end")
    await fill(log, *range(20), key="a")
    await fill(log, *range(20, 40), key="b")
    for _ in range(2):
        await poison(backing.server.bootstrap[0], backing.topics[0])
    await fill(log, *range(40, 60), key="c")
    await fill(log, *range(60, 100))
    with anyio.fail_after(20):
        found = await names(cursor, 100)
    assert sorted(found, key=int) == [str(each) for each in range(100)]

    def refused() -> int:
        return sum(isinstance(fact, EventRefused) for fact in run.facts)

    # They may lie behind all others of their partition.
    await until(lambda: refused() == 2)


async def test_what_lies_before_a_record_that_nobody_can_read_stays_on_the_server_too(
    runs: Runs, backing: KafkaBacking
) -> None:
    run = await runs.begin()
    log = run.engine.log(Owner(replace(backing, partitions=1)), [])
    await fill(log, *range(300))
    await poison(backing.server.bootstrap[0], backing.topics[0])
    cursor = log.open(reader(), "start")
    await cursor.wait()
    await anyio.sleep(0.5)
    assert cursor._queued < 200  # type: ignore[attr-defined]
    assert len(await names(cursor, 300)) == 300
    await until(lambda: any(isinstance(fact, EventRefused) for fact in run.facts))


async def test_a_group_that_is_shared_is_shared_and_loses_nothing(
    runs: Runs, backing: KafkaBacking
) -> None:
    """Two runs at one topic, as on two machines: one joins while the other is at work, and goes."""
    who = reader()
    first, second = await runs.begin(), await runs.begin()
    log = first.engine.log(Owner(backing), [])
    got: dict[str, list[str]] = {"first": [], "second": []}

    async def work(name: str, cursor: Cursor) -> None:
        while True:
            (found,) = await taken(cursor, 1)
            await anyio.sleep(0.002)
            cursor.done(found.position)
            got[name].append(found.record.event.id)

    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(work, "first", log.open(who, "end"))
        await fill(log, *range(300))
        same = Reader(uid="there", name=who.name)
        other = second.engine.log(Owner(backing), []).open(same, "end")
        for _ in range(5):
            group.start_soon(work, "second", other)
        await fill(log, *range(300, 600))
        for each in range(600, 2000):
            if got["second"]:
                break
            await log.append(record(str(each)))
            await anyio.sleep(0.02)
        last = each
        await runs.end(second)
        await fill(log, *range(last, last + 100))
        wanted = {str(each) for each in range(last + 100)}
        await until(lambda: wanted <= {*got["first"], *got["second"]})
        group.cancel_scope.cancel()
    assert got["first"]
    assert got["second"]


async def test_a_topic_that_somebody_has_deleted_is_made_again(
    runs: Runs, backing: KafkaBacking
) -> None:
    run = await runs.begin()
    log = run.engine.log(Owner(backing), [])
    cursor = log.open(reader(), "end")
    await fill(log, *range(10))
    await names(cursor, 10)
    admin = AIOKafkaAdminClient(bootstrap_servers=backing.server.bootstrap[0])
    await admin.start()
    await admin.delete_topics([backing.topics[0]])
    await admin.close()
    # What is taken while it goes goes with it.
    with anyio.fail_after(40):
        while cursor.take() is None:
            with suppress(Unavailable):
                await log.append(record("99"))
            await anyio.sleep(0.2)
    assert [ready for ready, _ in run.standings()] == [None, True, None, True]


async def test_a_source_reads_what_others_have_written(
    runs: Runs, backing: KafkaBacking, kafka: Kafka
) -> None:
    run = await runs.begin()
    topics = (f"{backing.topics[0]}-a", f"{backing.topics[0]}-b")
    for topic in topics:
        run.engine.log(Owner(replace(backing, topics=(topic,)), uid=topic), [])
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap)
    await producer.start()
    await producer.send_and_wait(topics[0], b"early", b"key", timestamp_ms=1_700_000_000_000)
    of_source = replace(
        backing, topics=topics, external=True, initial="earliest", foreign="/sources/a"
    )
    log = run.engine.log(Owner(of_source, uid="source", kind="KafkaSource"), [])
    cursor = log.open(reader(ordered=True), "end")
    await producer.send_and_wait(topics[1], b"late", headers=[("color", b"red")])
    attributes = record("1").event.attributes
    headers = [(f"ce_{name}", value.encode()) for name, value in attributes.items()]
    await producer.send_and_wait(topics[1], b"{}", headers=[*headers, ("content-type", b"a/b")])
    await producer.stop()
    found = []
    for _ in range(3):
        (one,) = await taken(cursor, 1)
        cursor.done(one.position)
        found.append(one)
    by_data = {one.record.event.data: one for one in found}
    early, late, event = by_data[b"early"], by_data[b"late"], by_data[b"{}"]
    assert early.record.event.attributes["source"] == f"/sources/a#{topics[0]}"
    assert early.record.event.attributes["key"] == "key"
    assert early.record.event.attributes["time"] == "2023-11-14T22:13:20Z"
    assert late.record.event.attributes["kafkaheadercolor"] == "red"
    assert event.record.event == CloudEvent(attributes, "a/b", b"{}")
    assert {one.record.arrival for one in found} == {0}
    assert early.origin.startswith("record 0 of partition")
    assert early.record.headers[-1][0] == "traceparent"


async def test_a_sink_writes_what_others_read(
    runs: Runs, backing: KafkaBacking, kafka: Kafka
) -> None:
    run = await runs.begin()
    owner = Owner(replace(backing, structured=True), kind="KafkaSink")
    await run.engine.log(owner, []).append(record("1", key="k"))
    assert run.standings()[-1] == (
        True,
        f"Topic {backing.topics[0]} (owner kafkasink-controller)",
    )
    consumer = AIOKafkaConsumer(
        backing.topics[0], bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        found = await consumer.getone()
    finally:
        await consumer.stop()
    assert dict(found.headers)["content-type"].startswith(b"application/cloudevents+json")
    assert json.loads(found.value)["id"] == "1"
    assert found.key == b"k"


async def test_a_server_that_hangs_is_said_within_seconds(
    runs: Runs, backing: KafkaBacking, kafka: Kafka
) -> None:
    run = await runs.begin()
    log = run.engine.log(Owner(backing), [])
    cursor = log.open(reader(), "end")
    await log.append(record("0"))
    with kafka.halted(), anyio.fail_after(30), pytest.raises(Unavailable):
        await log.append(record("1"))
    await names(cursor, 1)
    with anyio.fail_after(30):
        while True:
            try:
                await log.append(record("2"))
            except Unavailable:
                await anyio.sleep(0.1)
                continue
            break
        while "2" not in await names(cursor, 1):
            pass


@asynccontextmanager
async def somebody_else_in(
    group: str, backing: KafkaBacking, assignor: type[object]
) -> AsyncIterator[AIOKafkaConsumer]:
    """Another program reads the topic with *group*."""
    other = AIOKafkaConsumer(
        *backing.topics,
        bootstrap_servers=backing.server.bootstrap[0],
        group_id=group,
        partition_assignment_strategy=(assignor,),
    )
    await other.start()
    try:
        yield other
    finally:
        await other.stop()


async def test_a_group_whose_members_share_in_another_way_is_told(
    runs: Runs, backing: KafkaBacking
) -> None:
    """Such as the group of a KafkaSource that another program reads with as well."""
    run = await runs.begin()
    log = run.engine.log(Owner(backing), [])
    await log.append(record("1"))
    who = reader()
    async with somebody_else_in(who.name, backing, StickyPartitionAssignor):
        log.open(who, "end")
        await until(lambda: (False, GROUP_FAILED) in run.standings(who.uid))
        (said,) = (f.message for f in run.facts if isinstance(f, LogStanding) and f.ready is False)
        assert said.startswith("InconsistentGroupProtocol: ")
        assert "with a group of your own" in said
    await until(lambda: run.standings(who.uid)[-1][0] is True)
    # It was not told as ready while it was not.
    assert run.standings(who.uid)[-2:] == [(False, GROUP_FAILED), (True, "")]


async def test_a_group_is_shared_with_members_that_know_ranges_only(
    runs: Runs, backing: KafkaBacking
) -> None:
    run = await runs.begin()
    log = run.engine.log(Owner(backing), [])
    await log.append(record("1"))
    who = reader()
    async with somebody_else_in(who.name, backing, RangePartitionAssignor) as other:
        assert len(other.assignment()) == 3
        log.open(who, "end")
        await until(lambda: 0 < len(other.assignment()) < 3)


@pytest.mark.parametrize("name", ["", "x" * 40_000, "a\x00b", "\ud800"])
async def test_a_group_that_cannot_be_stops_nobody_else(
    runs: Runs, backing: KafkaBacking, name: str
) -> None:
    run = await runs.begin()
    log = run.engine.log(Owner(backing), [])
    cursor = log.open(reader(), "end")
    log.open(Reader(uid="odd", name=name), "end")
    await log.append(record("1"))
    assert await names(cursor, 1) == ["1"]
