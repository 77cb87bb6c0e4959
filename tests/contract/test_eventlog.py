"""What every event log promises (``knlite/eventlog/port.py``)."""

from collections.abc import Callable

import anyio
import pytest

from knlite.errors import Overloaded
from knlite.eventing.cloudevent import CloudEvent
from knlite.eventlog.memory import MemoryLog
from knlite.eventlog.port import Cursor, EventLog, Record

NewLog = Callable[[int, int], EventLog]
"""Makes a log that keeps at most so many events, and so many bytes."""

PLENTY = 2**30


@pytest.fixture(params=[pytest.param(MemoryLog, id="memory")])
def new_log(request: pytest.FixtureRequest) -> NewLog:
    made: NewLog = request.param
    return made


@pytest.fixture
def log(new_log: NewLog) -> EventLog:
    return new_log(3, PLENTY)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def record(name: str, size: int = 0) -> Record:
    attributes = {"specversion": "1.0", "id": name, "source": "/s", "type": "t"}
    return Record(CloudEvent(attributes, None, b"x" * size), 255, (("knative-a", name),))


def taken(cursor: Cursor) -> list[str]:
    names = []
    while (found := cursor.take()) is not None:
        names.append(found[1].event.id)
    return names


async def test_a_cursor_sees_events_in_order_each_once(log: EventLog) -> None:
    cursor = log.open("a", "end")
    for name in "123":
        await log.append(record(name))
    assert taken(cursor) == ["1", "2", "3"]
    assert cursor.take() is None


async def test_a_record_comes_out_whole_at_the_position_it_got(log: EventLog) -> None:
    cursor = log.open("a", "end")
    positions = [await log.append(record(name, 5)) for name in "12"]
    assert positions == sorted(set(positions))
    assert cursor.take() == (positions[0], record("1", 5))
    assert cursor.take() == (positions[1], record("2", 5))


async def test_cursors_do_not_depend_on_each_other(log: EventLog) -> None:
    first, second = log.open("a", "end"), log.open("b", "end")
    await log.append(record("1"))
    assert taken(first) == ["1"]
    await log.append(record("2"))
    assert taken(second) == ["1", "2"]
    assert taken(first) == ["2"]


async def test_a_cursor_opens_at_the_start_or_at_the_end(log: EventLog) -> None:
    log.open("a", "end")
    await log.append(record("1"))
    early, late = log.open("b", "start"), log.open("c", "end")
    await log.append(record("2"))
    assert taken(early) == ["1", "2"]
    assert taken(late) == ["2"]


async def test_a_reader_that_was_open_goes_on_where_it_was(log: EventLog) -> None:
    cursor = log.open("a", "end")
    await log.append(record("1"))
    await log.append(record("2"))
    assert cursor.take() is not None
    assert taken(log.open("a", "start")) == ["2"]


async def test_a_reader_that_was_closed_begins_anew(log: EventLog) -> None:
    log.open("a", "end")
    await log.append(record("1"))
    log.close("a")
    assert taken(log.open("a", "start")) == []


async def test_a_full_log_refuses(log: EventLog) -> None:
    cursor = log.open("a", "end")
    for name in "123":
        await log.append(record(name))
    with pytest.raises(Overloaded):
        await log.append(record("4"))
    assert taken(cursor) == ["1", "2", "3"]


async def test_too_many_bytes_are_refused(new_log: NewLog) -> None:
    log = new_log(100, 10_000)
    log.open("a", "end")
    await log.append(record("1", 5_000))
    with pytest.raises(Overloaded):
        await log.append(record("2", 5_000))


async def test_what_is_acknowledged_makes_room(log: EventLog) -> None:
    cursor = log.open("a", "end")
    for number in range(20):
        position = await log.append(record(str(number), 100))
        assert taken(cursor) == [str(number)]
        cursor.ack(position + 1)


async def test_acknowledged_bytes_make_room(new_log: NewLog) -> None:
    log = new_log(100, 10_000)
    cursor = log.open("a", "end")
    for number in range(20):
        position = await log.append(record(str(number), 5_000))
        taken(cursor)
        cursor.ack(position + 1)


async def test_taking_alone_makes_no_room(log: EventLog) -> None:
    cursor = log.open("a", "end")
    for name in "123":
        await log.append(record(name))
    taken(cursor)
    with pytest.raises(Overloaded):
        await log.append(record("4"))


async def test_the_slowest_reader_decides_what_is_kept(log: EventLog) -> None:
    quick, slow = log.open("a", "end"), log.open("b", "end")
    for name in "123":
        position = await log.append(record(name))
    quick.ack(position + 1)
    with pytest.raises(Overloaded):
        await log.append(record("4"))
    assert taken(slow) == ["1", "2", "3"]


async def test_closing_the_slowest_reader_makes_room(log: EventLog) -> None:
    quick, _ = log.open("a", "end"), log.open("b", "end")
    for name in "123":
        position = await log.append(record(name))
    taken(quick)
    quick.ack(position + 1)
    log.close("b")
    await log.append(record("4"))
    assert taken(quick) == ["4"]


async def test_an_earlier_acknowledgement_takes_nothing_back(log: EventLog) -> None:
    cursor = log.open("a", "end")
    first = await log.append(record("1"))
    second = await log.append(record("2"))
    taken(cursor)
    cursor.ack(second + 1)
    cursor.ack(first + 1)
    for name in "345":
        await log.append(record(name))
    assert taken(cursor) == ["3", "4", "5"]


async def test_without_readers_nothing_is_kept(log: EventLog) -> None:
    positions = [await log.append(record(str(number))) for number in range(20)]
    assert positions == sorted(set(positions))
    assert taken(log.open("a", "start")) == []


async def test_who_waits_is_woken_by_the_next_event(log: EventLog) -> None:
    cursors = [log.open("a", "end"), log.open("b", "end")]
    woken: list[list[str]] = []

    async def wait(cursor: Cursor) -> None:
        await cursor.wait()
        woken.append(taken(cursor))

    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            for cursor in cursors:
                group.start_soon(wait, cursor)
            await anyio.wait_all_tasks_blocked()
            assert woken == []
            await log.append(record("1"))
    assert woken == [["1"], ["1"]]


async def test_nobody_waits_for_what_is_there(log: EventLog) -> None:
    cursor = log.open("a", "end")
    await log.append(record("1"))
    with anyio.fail_after(5):
        await cursor.wait()
    assert taken(cursor) == ["1"]


async def test_closing_a_reader_that_is_not_open_does_nothing(log: EventLog) -> None:
    log.close("nobody")
