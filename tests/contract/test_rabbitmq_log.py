"""What the event log on RabbitMQ promises beyond the contract, on a real server."""

import random
import re
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import anyio
import pytest

from knlite.clock import SystemClock
from knlite.errors import InvalidInput, Unavailable
from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.filters.attributes import Attributes
from knlite.eventing.filters.build import EVERYTHING
from knlite.eventing.rabbitmq.backing import RabbitmqBacking
from knlite.eventlog.port import Cursor, Reader, Record, Taken
from knlite.facts import Fact, LogStanding, Notice
from tests.contract.eventlogs import PATIENCE, Log, Owner, Side, on_rabbitmq
from tests.servers.rabbitmq import RabbitMQ, rights

aio_pika: Any = pytest.importorskip("aio_pika", reason="the extra rabbitmq is not installed")

LEAST = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Room:
    """One Broker or source on the server, with runs of the engine that follow each other."""

    def __init__(self, server: RabbitMQ, **changes: Any) -> None:
        self.server = server
        self.told = list[Fact]()
        self.uid = uuid.uuid4().hex
        self.backing = replace(on_rabbitmq(server, self.uid), **changes)

    def owner(self, **changes: Any) -> Owner:
        backing = replace(self.backing, **changes)
        return Owner(name=self.uid, uid=self.uid, backing=backing)

    @asynccontextmanager
    async def running(self, **changes: Any) -> AsyncIterator[Log]:
        from knlite.eventlog.rabbitmq.engine import RabbitmqEngine

        @asynccontextmanager
        async def opens() -> AsyncIterator[RabbitmqEngine]:
            yield RabbitmqEngine(self.told.append, SystemClock(), random.Random())

        async with Side("rabbitmq", self.owner(**changes), opens, self.told).running() as log:
            yield log

    @property
    def url(self) -> str:
        server = self.server
        return f"amqp://{server.username}:{server.password}@{server.host}:{server.port}/"

    async def send(
        self, headers: dict[str, Any], body: bytes = b"", *, exchange: str = "", key: str = ""
    ) -> None:
        """As somebody else would."""
        async with await aio_pika.connect(self.url) as connection:
            channel = await connection.channel()
            message = aio_pika.Message(body, headers=headers, content_type="text/plain")
            if exchange:
                there = await channel.get_exchange(exchange)
            else:
                there = channel.default_exchange
            await there.publish(message, key)

    async def has(self, messages: int, queue: str) -> None:
        """Wait until so many wait there: what was in hand takes a moment to return."""
        async with await aio_pika.connect(self.url) as connection:
            channel = await connection.channel()
            with anyio.fail_after(PATIENCE):
                while (await _declared(channel, queue)).message_count != messages:  # noqa: ASYNC110
                    await anyio.sleep(0.02)

    async def is_there(self, *, queue: str = "", exchange: str = "") -> bool:
        async with await aio_pika.connect(self.url) as connection:
            channel = await connection.channel()
            try:
                if queue:
                    await channel.declare_queue(queue, passive=True)
                else:
                    await channel.get_exchange(exchange, ensure=True)
            except aio_pika.exceptions.ChannelNotFoundEntity:
                return False
            return True


async def _declared(channel: Any, queue: str) -> Any:
    return (await channel.declare_queue(queue, passive=True)).declaration_result


@pytest.fixture
def room(rabbitmq: RabbitMQ) -> Room:
    return Room(rabbitmq)


async def until(log: Log, cursor: Cursor, name: str) -> Taken:
    taken = await log.next(cursor)
    assert taken.record.event.id == name
    return taken


# What others have written


async def test_an_event_of_somebody_else_reaches_those_whose_filter_it_passes(room: Room) -> None:
    async with room.running() as log:
        few, all_ = log.open("few", "t"), log.open("all")
        await log.append("7", kind="other")
        headers = {**LEAST, "number": 5, "flag": True, "x-own": "y"}
        await room.send(headers, b"hi", exchange=room.backing.exchange)
        taken = await log.next(few)
        assert taken.record.event == CloudEvent(
            {**LEAST, "number": "5", "flag": "true"}, "text/plain", b"hi"
        )
        assert (taken.record.arrival, taken.record.ttl, taken.again) == (0, 255, False)
        assert taken.origin == f"message of exchange {room.backing.exchange}"
        await until(log, all_, "7")
        assert (await log.next(all_)).same_as == taken.same_as
        await room.send({**LEAST, "id": "2", "type": "other"}, exchange=room.backing.exchange)
        await until(log, all_, "2")
        assert await log.names(few) == []
        log.engine.forget(room.uid)


async def test_what_is_no_event_is_dropped_and_told_and_what_follows_comes(room: Room) -> None:
    async with room.running() as log:
        cursor = log.open("a")
        await log.append("1")
        await until(log, cursor, "1")
        await room.send({"own": "x"}, b"hi", exchange=room.backing.exchange)
        await room.send({**LEAST, "id": "2"}, exchange=room.backing.exchange)
        await until(log, cursor, "2")
        notices = [fact.text for fact in room.told if isinstance(fact, Notice)]
        assert [log.name("a") in text and "specversion" in text for text in notices] == [True]
        log.engine.forget(room.uid)


async def test_a_header_that_no_client_can_read_ends_nothing(room: Room) -> None:
    """aio-pika would lose the connection, get the message again, and so on for ever."""
    from knlite.eventlog.rabbitmq.wire import connected

    async with room.running() as log:
        cursor = log.open("a")
        await log.append("1")
        await until(log, cursor, "1")
        async with connected(room.backing.server, "test") as wire, anyio.create_task_group() as g:
            g.start_soon(wire.write)
            channel = await wire.connection.channel()
            for at, table in enumerate((b"\x01aT" + b"\xff" * 8, b"\x01aF" + _deep())):
                wire.send(_message(channel.number, room.backing.exchange, table, str(at + 2)))
            await until(log, cursor, "2")
            await until(log, cursor, "3")
            g.cancel_scope.cancel()
        assert all(each.ready is not False for each in log.standings)
        log.engine.forget(room.uid)


def _deep() -> bytes:
    table = b""
    for _ in range(2000):
        table = b"\x01aF" + len(table).to_bytes(4, "big") + table
    return len(table).to_bytes(4, "big") + table


def _message(channel: int, exchange: str, table: bytes, name: str) -> bytes:
    """With a table in front that was written by hand."""
    from knlite.eventlog.rabbitmq import frames

    attributes = frames._table({**LEAST, "id": name})
    size = (len(table) + len(attributes)).to_bytes(4, "big")
    payload = b"\x00\x3c\x00\x00" + bytes(8) + b"\x20\x00" + size + attributes + table
    head = b"\x02" + channel.to_bytes(2, "big") + len(payload).to_bytes(4, "big")
    return frames.publish_method(channel, exchange, "") + head + payload + b"\xce"


async def test_an_event_that_has_come_back_too_often_is_dropped(room: Room) -> None:
    async with room.running() as log:
        cursor = log.open("a")
        await log.append("1")
        await until(log, cursor, "1")
        looping = {**LEAST, "id": "2", "knativebrokerttl": "1"}
        await room.send(looping, exchange=room.backing.exchange)
        await room.send({**LEAST, "id": "3"}, exchange=room.backing.exchange)
        await until(log, cursor, "3")
        log.engine.forget(room.uid)


# Filters


async def test_a_filter_that_asks_for_presence_is_asked(room: Room) -> None:
    async with room.running() as log:
        attributes = {"type": "t", "own": ""}
        reader = Reader("a", log.name("a"), Attributes(attributes), attributes, parallelism=10)
        cursor = log.port.open(reader, "end")
        log.open("all")
        for name, own in (("1", None), ("2", "x"), ("3", None), ("4", "y")):
            event = CloudEvent({**LEAST, "id": name, **({"own": own} if own else {})})
            await log.port.append(Record(event, 255, (), int(name)))
        await until(log, cursor, "2")
        await until(log, cursor, "4")
        log.engine.forget(room.uid)


async def test_what_came_before_a_filter_was_edited_is_judged_as_it_was_then(room: Room) -> None:
    """Also where the server knows nothing of the filter, as with the newer dialects."""
    async with room.running() as log:
        reader = Reader("a", log.name("a"), Attributes({"type": "old"}), {}, parallelism=1)
        cursor = log.port.open(reader, "end")
        for name, kind in (("1", "old"), ("2", "old"), ("3", "new")):
            await log.append(name, kind=kind)
        first = await until(log, cursor, "1")
        log.port.open(replace_filter(reader, Attributes({"type": "new"})), "end")
        await log.append("4", kind="old")
        await log.append("5", kind="new")
        cursor.done(first.position)
        cursor.done((await until(log, cursor, "2")).position)
        cursor.done((await until(log, cursor, "5")).position)
        log.engine.forget(room.uid)


def replace_filter(reader: Reader, filter_: Attributes) -> Reader:
    return Reader(reader.uid, reader.name, filter_, reader.attributes, parallelism=1)


async def test_a_binding_of_an_earlier_run_lets_nothing_through(room: Room) -> None:
    async with room.running() as log:
        log.open("a")
        await log.append("1")
    async with room.running() as log:
        cursor = log.open("a", "wanted")
        log.open("b")
        await log.append("2")
        await log.append("3", kind="wanted")
        assert await log.names(cursor) == ["3"]
        log.engine.forget(room.uid)


# Dead letters


def dead_letters(room: Room) -> dict[str, str]:
    return {"dead_letter_exchange": f"dlx.{room.uid}", "dead_letter_queue": f"dlq.{room.uid}"}


def dead_of(log: Log, uid: str) -> Cursor:
    found = log.port.dead_letters(log.reader(uid))
    assert found is not None
    return found


async def test_dead_letters_wait_for_the_sink_of_the_broker(room: Room) -> None:
    changes = dead_letters(room)
    async with room.running(**changes) as log:
        for uid in ("a", "b"):
            log.open(uid)
            dead_of(log, uid)
            assert dead_of(log, uid) is dead_of(log, uid)
        await log.append("1")
        for uid in ("a", "b"):
            cursor = log.open(uid)
            taken = await log.next(cursor)
            event = taken.record.event.with_attributes(knativeerrorcode=uid)
            assert await cursor.bury(taken.position, event)
            cursor.done(taken.position)
        dead = dead_of(log, "b")
        taken = await log.next(dead)
        assert taken.record.event.attributes["knativeerrorcode"] == "b"
        assert (taken.record.arrival, taken.again) == (1, False)
        dead.done(taken.position)
    async with room.running(**changes) as log:
        log.open("a")
        dead = dead_of(log, "a")
        taken = await log.next(dead)
        assert (taken.record.event.attributes["knativeerrorcode"], taken.again) == ("a", True)
        dead.done(taken.position)
        log.engine.forget(room.uid)


async def test_a_trigger_with_a_sink_of_its_own_has_its_own_queue(room: Room) -> None:
    async with room.running() as log:
        reader = replace_dead(log.reader("a"))
        cursor = log.port.open(reader, "end")
        dead = log.port.dead_letters(reader)
        assert dead is not None
        await log.append("1")
        taken = await log.next(cursor)
        assert await cursor.bury(taken.position, taken.record.event)
        cursor.done(taken.position)
        assert (await log.next(dead)).record.event.id == "1"
        queue = f"t.default.a.dlq.{reader.uid}"
        assert await room.is_there(queue=queue)
        log.port.close("a")
        with anyio.fail_after(PATIENCE):
            while await room.is_there(queue=queue):  # noqa: ASYNC110
                await anyio.sleep(0.02)
        log.engine.forget(room.uid)


def replace_dead(reader: Reader) -> Reader:
    return Reader(reader.uid, reader.name, EVERYTHING, {}, parallelism=10, dead_letters=True)


async def test_a_full_queue_of_dead_letters_is_no_place_for_another(room: Room) -> None:
    changes = dead_letters(room)
    control = room.server.control
    queue = changes["dead_letter_queue"]
    full = '{"max-length": 0, "overflow": "reject-publish"}'
    control("set_policy", room.uid, f"^{re.escape(queue)}$", full, "--apply-to", "queues")
    try:
        async with room.running(**changes) as log:
            cursor = log.open("a")
            with anyio.fail_after(PATIENCE):
                while True:
                    await log.append("1")
                    taken = await log.next(cursor)
                    # The policy reaches the queue a moment after it was made.
                    if not await cursor.bury(taken.position, taken.record.event):
                        break
            log.engine.forget(room.uid)
    finally:
        control("clear_policy", room.uid)


async def test_without_a_sink_nothing_is_buried(room: Room) -> None:
    async with room.running() as log:
        cursor = log.open("a")
        assert log.port.dead_letters(log.reader("a")) is None
        await log.append("1")
        taken = await log.next(cursor)
        assert not await cursor.bury(taken.position, taken.record.event)
        log.engine.forget(room.uid)


# Names, properties and sizes


async def test_what_is_closed_or_forgotten_is_gone_from_the_server(room: Room) -> None:
    async with room.running() as log:
        log.open("a")
        log.open("b")
        await log.append("1")
        assert await room.is_there(queue=log.name("a"))
        log.port.close("a")
        await log.append("2")
        with anyio.fail_after(PATIENCE):
            while await room.is_there(queue=log.name("a")):  # noqa: ASYNC110
                await anyio.sleep(0.02)
        assert await room.is_there(queue=log.name("b"))
        assert await room.is_there(exchange=room.backing.exchange)
        # The run ends at once.
        log.engine.forget(room.uid)
    assert not await room.is_there(queue=log.name("b"))
    assert not await room.is_there(exchange=room.backing.exchange)


async def test_at_the_end_of_a_run_everything_stays(room: Room) -> None:
    async with room.running() as log:
        log.open("a")
        await log.append("1")
    await room.has(1, log.name("a"))
    async with room.running() as log:
        log.open("a")
        await log.append("2")
        log.engine.forget(room.uid)


async def test_a_queue_of_another_type_is_told_and_others_go_on(room: Room) -> None:
    async with room.running(queue_type="classic") as log:
        log.open("a")
        await log.append("1")
    async with room.running() as log:
        log.open("a")
        other = log.open("b")
        standing = await log.stands(ready=False, uid="a")
        assert standing.reason == "QueueFailure"
        assert "PRECONDITION_FAILED - inequivalent arg 'x-queue-type'" in standing.message
        assert "delete it there" in standing.message
        await log.append("2")
        assert (await log.next(other)).record.event.id == "2"
        log.engine.forget(room.uid)


async def test_large_events_pass_and_what_can_never_pass_is_refused(room: Room) -> None:
    async with room.running() as log:
        cursor = log.open("a")
        body = random.Random(1).randbytes(3_000_000)
        event = CloudEvent({**LEAST, "long": "x" * 100_000}, "a/b", body)
        await log.port.append(Record(event, 255, (), 1))
        assert (await log.next(cursor)).record.event == event
        for attributes in ({"long": "x" * 140_000}, {"n" * 300: "x"}):
            with pytest.raises(InvalidInput):
                await log.port.append(Record(CloudEvent({**LEAST, **attributes}), 255, (), 2))
        await log.append("3")
        assert (await log.next(cursor)).record.event.id == "3"
        log.engine.forget(room.uid)


async def test_no_more_is_handed_out_than_is_asked_for(room: Room) -> None:
    async with room.running() as log:
        cursor = log.open("a", prefetch=1)
        await log.append("1", "2")
        taken = await log.next(cursor)
        await anyio.sleep(0.2)
        assert cursor.take() is None
        cursor.done(taken.position)
        await until(log, cursor, "2")
        log.engine.forget(room.uid)


# Sources


@pytest.fixture
def queue(room: Room) -> str:
    return f"orders-{room.uid}"


def source(room: Room, queue: str, **changes: Any) -> RabbitmqBacking:
    server = room.backing.server
    made = RabbitmqBacking(server=server, queue=queue, foreign="/queue", uid=room.uid, **changes)
    room.backing = made
    return made


async def test_a_source_makes_events_of_messages(room: Room, queue: str) -> None:
    source(room, queue)
    async with room.running() as log:
        cursor = log.open("sink")
        await log.stands(ready=True, uid="sink")
        await room.send({"own": "x"}, b"hi", key=queue)
        await room.send(LEAST, b"event", key=queue)
        taken = await log.next(cursor)
        made = taken.record.event
        assert made.attributes == {
            "specversion": "1.0",
            "id": made.id,
            "type": "dev.knative.rabbitmq.event",
            "source": "/queue",
            "subject": made.id,
        }
        assert (made.content_type, made.data, made.id != "") == ("text/plain", b"hi", True)
        assert taken.origin == f"message of queue {queue}"
        assert (await log.next(cursor)).record.event == CloudEvent(LEAST, "text/plain", b"event")
        log.engine.forget(room.uid)


async def test_what_fails_at_a_source_goes_where_its_queue_says(room: Room, queue: str) -> None:
    """Messages of others that nobody took, and those that are no events though they say so."""
    source(room, queue, predeclared=True)
    dead = f"{queue}-dead"
    async with await aio_pika.connect(room.url) as connection:
        channel = await connection.channel()
        await channel.declare_queue(dead, durable=True)
        arguments = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": dead}
        await channel.declare_queue(queue, durable=True, arguments=arguments)
        async with room.running() as log:
            cursor = log.open("sink")
            await log.stands(ready=True, uid="sink")
            for text in (b"taken", b"failed"):
                await room.send({}, text, key=queue)
            await room.send({**LEAST, "id": ""}, b"no event", key=queue)
            taken = await log.next(cursor)
            cursor.done(taken.position)
            taken = await log.next(cursor)
            cursor.failed(taken.position)
            await room.has(2, dead)
            await room.has(0, queue)
        for name in (queue, dead):
            await channel.queue_delete(name)


@pytest.mark.parametrize("kind", ["headers", "topic", "fanout"])
async def test_a_source_binds_its_queue_to_an_exchange_of_any_type(
    room: Room, queue: str, kind: str
) -> None:
    exchange = f"somebodys-{room.uid}"
    source(room, queue, exchange=exchange)
    async with await aio_pika.connect(room.url) as connection:
        channel = await connection.channel()
        await channel.declare_exchange(exchange, aio_pika.ExchangeType(kind), durable=True)
        async with room.running() as log:
            cursor = log.open("sink")
            await log.stands(ready=True, uid="sink")
            await room.send({**LEAST, "id": "9"}, exchange=exchange, key="a.b")
            await until(log, cursor, "9")
            log.engine.forget(room.uid)
        assert await room.is_there(exchange=exchange)
        assert not await room.is_there(queue=queue)
        await channel.exchange_delete(exchange)


async def test_a_source_makes_the_exchange_if_nobody_has(room: Room, queue: str) -> None:
    exchange = f"new-{room.uid}"
    source(room, queue, exchange=exchange)
    async with room.running() as log:
        log.open("sink")
        await log.stands(ready=True, uid="sink")
        assert await room.is_there(exchange=exchange)
        log.engine.forget(room.uid)
    assert not await room.is_there(exchange=exchange)


async def test_what_is_predeclared_is_waited_for_and_left_alone(room: Room, queue: str) -> None:
    source(room, queue, predeclared=True)
    async with room.running() as log:
        cursor = log.open("sink")
        standing = await log.stands(ready=False, uid="sink")
        assert f"NOT_FOUND - no queue '{queue}'" in standing.message
        async with await aio_pika.connect(room.url) as connection:
            channel = await connection.channel()
            await channel.declare_queue(queue, auto_delete=False)
            await log.stands(ready=True, uid="sink")
            await room.send(LEAST, key=queue)
            await until(log, cursor, "1")
            log.engine.forget(room.uid)
            await anyio.sleep(0.2)
            assert await room.is_there(queue=queue)
            await channel.queue_delete(queue)


# Credentials and rights


async def test_wrong_credentials_are_told_and_right_ones_work_at_once(room: Room) -> None:
    right = room.backing.server
    wrong = replace(right, password="s3cret-and-wrong")
    async with room.running(server=wrong) as log:
        cursor = log.open("a")
        standing = await log.stands(ready=False)
        assert standing.reason == "ExchangeCredentialsUnavailable"
        assert "ACCESS_REFUSED - Login was refused" in standing.message
        with pytest.raises(Unavailable) as caught:
            await log.append("1")
        assert "ACCESS_REFUSED" in caught.value.cause
        assert "s3cret" not in f"{room.told}{caught.value!r}{caught.value}"
        # Less than the ten seconds after which it would try again by itself.
        with anyio.fail_after(8):
            log.engine.log(room.owner(), ["a"])
            await log.append("2")
        await until(log, cursor, "2")
        assert (await log.stands(ready=True)).reason == ""
        log.engine.forget(room.uid)


async def test_a_virtual_host_that_is_not_there_is_told(room: Room) -> None:
    server = replace(room.backing.server, vhost="/nowhere")
    async with room.running(server=server) as log:
        standing = await log.stands(ready=False)
        assert standing.reason == "ExchangeCredentialsUnavailable"
        assert "vhost /nowhere not found" in standing.message
        assert "rabbitmqctl add_vhost" in standing.message


async def test_where_nobody_listens_is_told(room: Room) -> None:
    async with room.running(server=replace(room.backing.server, port=9)) as log:
        standing = await log.stands(ready=False)
        assert (standing.reason, "onnect" in standing.message) == ("ExchangeFailure", True)
        with pytest.raises(Unavailable):
            await log.append("1")


async def test_tls_where_there_is_none_is_told(room: Room) -> None:
    async with room.running(server=replace(room.backing.server, tls=True)) as log:
        standing = await log.stands(ready=False)
        assert "no https in uri" in standing.message


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param({"host": "a..b"}, "label empty or too long", id="host"),
        pytest.param({"host": "a b"}, "cannot contain", id="host in a url"),
        pytest.param({"tls": True, "ca": "é"}, "ca.crt holds no certificate", id="certificate"),
    ],
)
async def test_what_nobody_can_connect_to_is_told_and_ends_nothing_else(
    room: Room, changes: dict[str, Any], words: str
) -> None:
    async with room.running(server=replace(room.backing.server, **changes)) as log:
        assert words in (await log.stands(ready=False)).message
        with pytest.raises(Unavailable):
            await log.append("1")


async def test_missing_rights_are_told(room: Room) -> None:
    user = f"user-{room.uid}"
    login = {"name": user, "password": "pass", "tags": ""}
    room.server.define(users=[login], permissions=[rights(user, "/", "^nothing$")])
    server = replace(room.backing.server, username=user, password="pass")
    async with room.running(server=server) as log:
        standing = await log.stands(ready=False)
        assert standing.reason == "ExchangeFailure"
        assert "ACCESS_REFUSED - access to exchange" in standing.message
        assert "set_permissions" in standing.message
        with pytest.raises(Unavailable):
            await log.append("1")


# A server that is lost


async def test_what_is_in_hand_is_not_offered_again_when_connections_are_lost(room: Room) -> None:
    async with room.running() as log:
        cursor = log.open("a")
        await log.append("1", "2", "3")
        first, second = await until(log, cursor, "1"), await until(log, cursor, "2")
        room.server.control("close_all_connections", "as a test")
        await log.stands(ready=False)
        cursor.done(first.position)
        await log.stands(ready=True)
        await until(log, cursor, "3")
        cursor.done(second.position)
        assert await log.names(cursor) == []
        standing = next(each for each in log.standings if each.ready is False)
        assert "CONNECTION_FORCED - as a test" in standing.message
    await room.has(1, log.name("a"))
    async with room.running() as log:
        log.open("a")
        log.engine.forget(room.uid)


async def test_a_server_without_memory_takes_nothing_and_says_so(room: Room) -> None:
    control = room.server.control
    async with room.running() as log:
        cursor = log.open("a")
        await log.append("1")
        await anyio.to_thread.run_sync(control, "set_vm_memory_high_watermark", "0.00001")
        try:
            with pytest.raises(Unavailable) as caught, anyio.fail_after(PATIENCE):
                await log.append(*("2",) * 10_000)
            assert "low on memory" in caught.value.cause
            assert "low on memory" in (await log.stands(ready=False)).message
            # Who reads goes on.
            cursor.done((await until(log, cursor, "1")).position)
        finally:
            limit = ("absolute", "512MB")
            control("set_vm_memory_high_watermark", *limit)
        await log.stands(ready=True)
        await log.append("9")
        assert "9" in await log.names(cursor)
        log.engine.forget(room.uid)


async def test_a_queue_that_somebody_deletes_is_made_again(room: Room) -> None:
    async with room.running() as log:
        cursor = log.open("a")
        await log.append("1")
        await until(log, cursor, "1")
        async with await aio_pika.connect(room.url) as connection:
            channel = await connection.channel()
            await (await channel.declare_queue(log.name("a"), passive=True)).delete(
                if_unused=False, if_empty=False
            )
        with anyio.fail_after(PATIENCE):
            while not await room.is_there(queue=log.name("a")):  # noqa: ASYNC110
                await anyio.sleep(0.02)
        # What comes before it is bound again is for nobody.
        with anyio.fail_after(PATIENCE):
            while cursor.take() is None:
                await log.append("2")
                await anyio.sleep(0.02)
        log.engine.forget(room.uid)


async def test_a_name_that_is_too_long_is_told(room: Room) -> None:
    async with room.running(exchange="x" * 256) as log:
        standing = await log.stands(ready=False)
        assert "at most 255 bytes" in standing.message
    source(room, "q" * 256)
    async with room.running() as log:
        log.open("sink")
        assert "at most 255 bytes" in (await log.stands(ready=False, uid="sink")).message


async def test_as_many_are_in_our_hands_as_the_reader_says(room: Room) -> None:
    async with room.running() as log:
        for uid, prefetch in (("a", 3), ("b", 5)):
            log.port.open(Reader(uid, log.name(uid), prefetch=prefetch), "end")
        await log.append(*map(str, range(1, 11)))
        await room.has(7, log.name("a"))
        await room.has(5, log.name("b"))
        log.engine.forget(room.uid)


async def test_how_the_queue_of_dead_letters_stands_is_told(room: Room) -> None:
    async with room.running(**dead_letters(room)) as log:
        await log.stands(ready=True)
        assert [each.ready for each in of_dead_letters(log)] == [None, True]
    room.told.clear()
    async with room.running(**dead_letters(room), queue_type="classic") as log:
        # Events are taken in all the same.
        await log.append("1")
        (_, standing) = of_dead_letters(log)
        assert (standing.ready, standing.reason) == (False, "QueueFailure")
        assert "PRECONDITION_FAILED" in standing.message
        log.engine.forget(room.uid)


def of_dead_letters(log: Log) -> list[LogStanding]:
    return [each for each in log.standings if each.part == "dead letters"]
