"""What every event log promises (``knlite/eventlog/port.py``)."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest

from knlite.clock import SystemClock
from knlite.errors import InvalidInput, Overloaded
from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.filters.attributes import Attributes
from knlite.eventlog.bounds import Bounds
from knlite.eventlog.database import open_database
from knlite.eventlog.memory import MemoryEngine
from knlite.eventlog.port import Cursor, Engine, EventLog, Reader, Record, Taken
from knlite.eventlog.sqlite import TABLES, SqliteEngine

NewEngine = Callable[[int, int], Engine]
"""Makes an engine whose logs keep at most so many events, and so many bytes, each."""

PLENTY = 2**30


@dataclass(frozen=True)
class Owner:
    kind: str = "Broker"
    namespace: str = "default"
    name: str = "main"
    uid: str = "uid"
    backing: None = None


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["memory", "sqlite"])
async def new_engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[NewEngine]:
    if request.param == "memory":
        yield lambda events, size: MemoryEngine(Bounds(queued_events=events, queued_bytes=size))
        return

    def complain(text: str) -> None:
        raise AssertionError(text)

    async with open_database(tmp_path, TABLES, SystemClock(), complain) as database:
        made = list[SqliteEngine]()

        def make(events: int, size: int) -> Engine:
            bounds = Bounds(queued_events=events, queued_bytes=size)
            made.append(SqliteEngine(database, bounds, complain))
            return made[-1]

        yield make
        for engine in made:
            engine.flush()


@pytest.fixture
async def log(new_engine: NewEngine) -> EventLog:
    return log_of(new_engine(3, PLENTY))


def log_of(engine: Engine) -> EventLog:
    return engine.log(Owner(), ["a", "b", "c"])


def record(name: str, size: int = 0, *, only: tuple[str, ...] = (), kind: str = "t") -> Record:
    attributes = {"specversion": "1.0", "id": name, "source": "/s", "type": kind}
    event = CloudEvent(attributes, None, b"x" * size)
    return Record(event, 255, (("knative-a", name),), int(name), frozenset(only))


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


async def test_a_cursor_sees_events_in_order_each_once(log: EventLog) -> None:
    cursor = log.open(Reader("a"), "end")
    for name in "123":
        await log.append(record(name))
    assert names(cursor) == ["1", "2", "3"]
    assert cursor.take() is None


async def test_a_record_comes_out_whole_and_for_the_first_time(log: EventLog) -> None:
    cursor = log.open(Reader("a"), "end")
    await log.append(record("1", 5))
    (taken,) = take(cursor)
    assert (taken.record, taken.again) == (record("1", 5), False)


async def test_a_reader_gets_what_passes_its_filter(log: EventLog) -> None:
    everything = log.open(Reader("a"), "end")
    few = log.open(Reader("b", filter=Attributes({"type": "wanted"})), "end")
    assert await log.append(record("1")) in {("a",), None}
    assert await log.append(record("2", kind="wanted")) in {("a", "b"), None}
    assert names(everything) == ["1", "2"]
    assert names(few) == ["2"]


async def test_what_is_for_nobody_takes_no_room(log: EventLog) -> None:
    cursor = log.open(Reader("a", filter=Attributes({"type": "wanted"})), "end")
    for name in range(1, 21):
        assert await log.append(record(str(name))) in {(), None}
    assert names(cursor) == []


async def test_another_filter_holds_for_what_comes(log: EventLog) -> None:
    cursor = log.open(Reader("a"), "end")
    await log.append(record("1"))
    assert log.open(Reader("a", filter=Attributes({"type": "wanted"})), "end") is cursor
    await log.append(record("2"))
    await log.append(record("3", kind="wanted"))
    assert names(cursor) == ["1", "3"]


async def test_an_event_may_be_for_some_readers_only_whatever_their_filters_say(
    log: EventLog,
) -> None:
    first = log.open(Reader("a", filter=Attributes({"type": "wanted"})), "end")
    second = log.open(Reader("b"), "end")
    await log.append(record("1", only=("a", "gone")))
    assert (names(first), names(second)) == (["1"], [])


async def test_cursors_do_not_depend_on_each_other(log: EventLog) -> None:
    first, second = (
        log.open(Reader("a"), "end"),
        log.open(Reader("b"), "end"),
    )
    await log.append(record("1"))
    assert names(first) == ["1"]
    await log.append(record("2"))
    assert names(second) == ["1", "2"]
    assert names(first) == ["2"]


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


async def test_a_reader_that_was_open_goes_on_where_it_was(log: EventLog) -> None:
    cursor = log.open(Reader("a"), "end")
    await log.append(record("1"))
    await log.append(record("2"))
    assert cursor.take() is not None
    assert names(log.open(Reader("a"), "start")) == ["2"]


async def test_a_reader_that_was_closed_begins_anew(log: EventLog) -> None:
    log.open(Reader("a"), "end")
    await log.append(record("1"))
    log.close("a")
    assert names(log.open(Reader("a"), "end")) == []


async def test_a_full_log_refuses(log: EventLog) -> None:
    cursor = log.open(Reader("a"), "end")
    for name in "123":
        await log.append(record(name))
    with pytest.raises(Overloaded):
        await log.append(record("4"))
    assert names(cursor) == ["1", "2", "3"]


async def test_too_many_bytes_are_refused(new_engine: NewEngine) -> None:
    log = log_of(new_engine(100, 10_000))
    log.open(Reader("a"), "end")
    await log.append(record("1", 5_000))
    with pytest.raises(Overloaded):
        await log.append(record("2", 5_000))


@pytest.mark.parametrize("where", ["attribute", "header"])
async def test_what_an_event_says_counts_wherever_it_stands(
    new_engine: NewEngine, where: str
) -> None:
    log = log_of(new_engine(100, 10_000))
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
    new_engine: NewEngine,
) -> None:
    log = log_of(new_engine(100, 10_000))
    log.open(Reader("a"), "end")
    with pytest.raises(InvalidInput):
        await log.append(record("1", 10_000))


async def test_what_is_done_makes_room(log: EventLog) -> None:
    cursor = log.open(Reader("a"), "end")
    for number in range(20):
        await log.append(record(str(number), 100))
        assert finish(cursor) == [str(number)]


async def test_bytes_that_are_done_make_room(new_engine: NewEngine) -> None:
    log = log_of(new_engine(100, 10_000))
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


async def test_what_a_closed_reader_finishes_later_does_no_harm(log: EventLog) -> None:
    cursor = log.open(Reader("a"), "end")
    await log.append(record("1"))
    (taken,) = take(cursor)
    log.close("a")
    cursor.done(taken.position)
    other = log.open(Reader("b"), "end")
    await log.append(record("2"))
    assert finish(other) == ["2"]


async def test_without_readers_nothing_is_kept(log: EventLog) -> None:
    for number in range(20):
        await log.append(record(str(number)))
    assert names(log.open(Reader("a"), "end")) == []


async def test_who_waits_is_woken_by_the_next_event(log: EventLog) -> None:
    cursors = [
        log.open(Reader("a"), "end"),
        log.open(Reader("b"), "end"),
    ]
    woken: list[list[str]] = []

    async def wait(cursor: Cursor) -> None:
        await cursor.wait()
        woken.append(names(cursor))

    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            for cursor in cursors:
                group.start_soon(wait, cursor)
            await anyio.wait_all_tasks_blocked()
            assert woken == []
            await log.append(record("1"))
    assert woken == [["1"], ["1"]]


async def test_as_many_are_woken_as_there_are_events(log: EventLog) -> None:
    cursor = log.open(Reader("a"), "end")
    got: list[str] = []

    async def work() -> None:
        while (taken := cursor.take()) is None:
            await cursor.wait()
        got.append(taken.record.event.id)

    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(work)
            await anyio.wait_all_tasks_blocked()
            for name in "123":
                await log.append(record(name))
    assert got == ["1", "2", "3"]


async def test_one_who_is_cancelled_when_it_is_woken_takes_nothing_along(log: EventLog) -> None:
    cursor = log.open(Reader("a"), "end")
    got: list[str] = []

    async def work(scope: anyio.CancelScope) -> None:
        with scope:
            while (taken := cursor.take()) is None:
                await cursor.wait()
            got.append(taken.record.event.id)

    first, second = anyio.CancelScope(), anyio.CancelScope()
    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            for scope in (first, second):
                group.start_soon(work, scope)
            await anyio.wait_all_tasks_blocked()
            await log.append(record("1"))
            first.cancel()
            await anyio.wait_all_tasks_blocked()
            second.cancel()
    assert got == ["1"]


async def test_nobody_waits_for_what_is_there(log: EventLog) -> None:
    cursor = log.open(Reader("a"), "end")
    await log.append(record("1"))
    with anyio.fail_after(5):
        await cursor.wait()
    assert names(cursor) == ["1"]


async def test_closing_a_reader_that_is_not_open_does_nothing(log: EventLog) -> None:
    log.close("nobody")


async def test_a_resource_keeps_its_log_until_it_is_forgotten(new_engine: NewEngine) -> None:
    engine = new_engine(3, PLENTY)
    cursor = log_of(engine).open(Reader("a"), "end")
    await log_of(engine).append(record("1"))
    assert names(cursor) == ["1"]
    engine.forget("uid")
    assert names(log_of(engine).open(Reader("a"), "start")) == []
