"""What event logs in the process promise: how much they keep, and that all is there at once.

Servers have bounds of their own, and what they keep they tell nobody who comes later.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from knlite.errors import InvalidInput, Overloaded
from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.filters.attributes import Attributes
from knlite.eventlog.bounds import Bounds
from knlite.eventlog.port import Cursor, EventLog, Reader, Taken
from tests.contract.eventlogs import Owner, memory, record, sqlite

NewLog = Callable[[int, int], Awaitable[EventLog]]
"""Makes a log that keeps at most so many events, and so many bytes."""

PLENTY = 2**30


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["memory", "sqlite"])
async def new_log(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[NewLog]:
    async with AsyncExitStack() as stack:

        async def make(events: int, size: int) -> EventLog:
            bounds = Bounds(queued_events=events, queued_bytes=size)
            opened = memory(bounds) if request.param == "memory" else sqlite(tmp_path, bounds)
            engine = await stack.enter_async_context(opened)
            return engine.log(Owner(), ["a", "b", "c"])

        yield make


@pytest.fixture
async def log(new_log: NewLog) -> EventLog:
    return await new_log(3, PLENTY)


def take(cursor: Cursor) -> list[Taken]:
    found = []
    while (taken := cursor.take()) is not None:
        found.append(taken)
    return found


def names(cursor: Cursor) -> list[str]:
    return [taken.record.event.id for taken in take(cursor)]


def finish(cursor: Cursor) -> list[str]:
    """Take everything, and be done with it."""
    found = take(cursor)
    for taken in found:
        cursor.done(taken.position)
    return [taken.record.event.id for taken in found]


async def test_a_full_log_refuses(log: EventLog) -> None:
    cursor = log.open(Reader("a"), "end")
    for name in "123":
        await log.append(record(name))
    with pytest.raises(Overloaded):
        await log.append(record("4"))
    assert names(cursor) == ["1", "2", "3"]


async def test_too_many_bytes_are_refused(new_log: NewLog) -> None:
    log = await new_log(100, 10_000)
    log.open(Reader("a"), "end")
    await log.append(record("1", 5_000))
    with pytest.raises(Overloaded):
        await log.append(record("2", 5_000))


@pytest.mark.parametrize("where", ["attribute", "header"])
async def test_what_an_event_says_counts_wherever_it_stands(new_log: NewLog, where: str) -> None:
    log = await new_log(100, 10_000)
    log.open(Reader("a"), "end")
    long, plain = "x" * 9_000, record("1")
    await log.append(record("0", 1000))
    if where == "header":
        plain.headers = (("knative-a", long),)
    else:
        plain.event = CloudEvent({**plain.event.attributes, "ext": long}, None, None)
    with pytest.raises(Overloaded):
        await log.append(plain)


async def test_what_there_will_never_be_room_for_is_no_matter_of_waiting(
    new_log: NewLog,
) -> None:
    log = await new_log(100, 10_000)
    log.open(Reader("a"), "end")
    with pytest.raises(InvalidInput):
        await log.append(record("1", 10_000))


async def test_what_is_for_nobody_takes_no_room(log: EventLog) -> None:
    cursor = log.open(Reader("a", filter=Attributes({"type": "wanted"})), "end")
    for name in range(1, 21):
        assert await log.append(record(str(name))) in {(), None}
    assert names(cursor) == []


async def test_what_is_done_makes_room(log: EventLog) -> None:
    cursor = log.open(Reader("a"), "end")
    for number in range(20):
        await log.append(record(str(number), 100))
        assert finish(cursor) == [str(number)]


async def test_bytes_that_are_done_make_room(new_log: NewLog) -> None:
    log = await new_log(100, 10_000)
    cursor = log.open(Reader("a"), "end")
    for number in range(20):
        await log.append(record(str(number), 5_000))
        finish(cursor)


async def test_events_may_be_done_in_any_order(log: EventLog) -> None:
    cursor = log.open(Reader("a"), "end")
    for name in "123":
        await log.append(record(name))
    for taken in reversed(take(cursor)):
        cursor.done(taken.position)
    for name in "456":
        await log.append(record(name))
    assert finish(cursor) == ["4", "5", "6"]


async def test_taking_alone_makes_no_room(log: EventLog) -> None:
    cursor = log.open(Reader("a"), "end")
    for name in "123":
        await log.append(record(name))
    names(cursor)
    with pytest.raises(Overloaded):
        await log.append(record("4"))


async def test_the_slowest_reader_decides_what_is_kept(log: EventLog) -> None:
    quick, slow = (
        log.open(Reader("a"), "end"),
        log.open(Reader("b"), "end"),
    )
    for name in "123":
        await log.append(record(name))
    finish(quick)
    with pytest.raises(Overloaded):
        await log.append(record("4"))
    assert names(slow) == ["1", "2", "3"]


async def test_closing_the_slowest_reader_makes_room(log: EventLog) -> None:
    quick, slow = (
        log.open(Reader("a"), "end"),
        log.open(Reader("b"), "end"),
    )
    for name in "123":
        await log.append(record(name))
    finish(quick)
    slow.take()
    log.close("b")
    await log.append(record("4"))
    assert names(quick) == ["4"]


async def test_without_readers_nothing_is_kept(log: EventLog) -> None:
    for number in range(20):
        await log.append(record(str(number)))
    assert names(log.open(Reader("a"), "end")) == []


async def test_another_filter_holds_for_what_comes(log: EventLog) -> None:
    cursor = log.open(Reader("a"), "end")
    await log.append(record("1"))
    assert log.open(Reader("a", filter=Attributes({"type": "wanted"})), "end") is cursor
    await log.append(record("2"))
    await log.append(record("3", kind="wanted"))
    assert names(cursor) == ["1", "3"]


async def test_a_cursor_opens_at_the_start_or_at_the_end(log: EventLog) -> None:
    log.open(Reader("a"), "end")
    await log.append(record("1"))
    early, late = (
        log.open(Reader("b"), "start"),
        log.open(Reader("c"), "end"),
    )
    await log.append(record("2"))
    assert names(early) == ["1", "2"]
    assert names(late) == ["2"]
