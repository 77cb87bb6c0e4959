"""What holds for every event log (``eventlog/port.py``)."""

from collections.abc import Callable

import anyio
import pytest

from knlite.errors import Overloaded
from knlite.eventing.cloudevent import CloudEvent
from knlite.eventlog.memory import MemoryLog
from knlite.eventlog.port import Cursor, EventLog, Record

pytestmark = pytest.mark.anyio


@pytest.fixture(params=[pytest.param(MemoryLog, id="memory")])
def log(request: pytest.FixtureRequest) -> EventLog:
    make: Callable[[], EventLog] = request.param
    return make()


def record(number: int, size: int = 1) -> Record:
    return Record(CloudEvent({"id": str(number)}, None, b"x" * size), 255)


def ids(cursor: Cursor) -> list[str]:
    found = []
    while (taken := cursor.take()) is not None:
        found.append(taken[1].event.id)
    return found


async def test_a_cursor_sees_every_event_once_and_in_order(log: EventLog) -> None:
    cursor = log.open("a", "start")
    positions = [await log.append(record(n)) for n in range(3)]
    assert positions == sorted(positions)
    assert ids(cursor) == ["0", "1", "2"]
    assert cursor.take() is None


async def test_cursors_do_not_know_each_other(log: EventLog) -> None:
    first = log.open("a", "start")
    await log.append(record(0))
    late = log.open("b", "end")
    await log.append(record(1))
    assert ids(first) == ["0", "1"]
    assert ids(late) == ["1"]


async def test_a_reader_that_comes_back_goes_on_where_it_was(log: EventLog) -> None:
    cursor = log.open("a", "start")
    await log.append(record(0))
    await log.append(record(1))
    cursor.take()
    assert ids(log.open("a", "start")) == ["1"]


async def test_who_waits_is_woken_by_the_next_event(log: EventLog) -> None:
    cursor = log.open("a", "start")
    async with anyio.create_task_group() as group:
        group.start_soon(cursor.wait)
        await anyio.wait_all_tasks_blocked()
        await log.append(record(0))
    assert ids(cursor) == ["0"]


async def test_memory_is_given_back_when_all_are_done() -> None:
    log = MemoryLog()
    first, second = log.open("a", "start"), log.open("b", "start")
    for number in range(10):
        await log.append(record(number))
    first.ack(10)
    assert len(log) == 10
    second.ack(4)
    assert len(log) == 6
    log.close("b")
    assert len(log) == 0


async def test_without_a_reader_nothing_is_kept() -> None:
    log = MemoryLog()
    await log.append(record(0))
    assert len(log) == 0


@pytest.mark.parametrize(
    "full",
    [
        pytest.param(lambda: MemoryLog(max_events=2), id="events"),
        pytest.param(lambda: MemoryLog(max_bytes=2000), id="bytes"),
    ],
)
async def test_a_full_log_refuses_and_takes_again_when_there_is_room(
    full: Callable[[], MemoryLog],
) -> None:
    log = full()
    cursor = log.open("a", "start")
    for number in range(2):
        await log.append(record(number, 400))
    with pytest.raises(Overloaded):
        await log.append(record(2, 400))
    cursor.ack(1)
    await log.append(record(3, 400))
    assert ids(cursor)[-1] == "3"
