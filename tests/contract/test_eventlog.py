"""What every event log promises (``knlite/eventlog/port.py``), of each of the four engines."""

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from knlite.eventlog.port import Cursor
from tests.contract.eventlogs import DURABLE, ENGINES, PATIENCE, Log, Side, record, side_of, whole


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=ENGINES)
def side(request: pytest.FixtureRequest, tmp_path: Path) -> Side:
    return side_of(request.param, request, tmp_path)


@pytest.fixture
async def log(side: Side) -> AsyncIterator[Log]:
    async with side.running() as log:
        yield log
        log.engine.forget(log.owner.uid)


only_durable = pytest.mark.parametrize("side", DURABLE, indirect=True)


async def test_a_cursor_sees_events_in_order_each_once(log: Log) -> None:
    cursor = log.open("a")
    await log.append("1", "2", "3")
    assert await log.names(cursor) == ["1", "2", "3"]
    assert await log.names(cursor) == []


async def test_a_record_comes_out_whole_and_for_the_first_time(log: Log) -> None:
    cursor = log.open("a")
    await log.port.append(record("1", 5))
    (taken,) = await log.rest(cursor)
    assert (whole(taken.record), taken.again) == (record("1", 5), False)


async def test_a_reader_gets_what_passes_its_filter(log: Log) -> None:
    everything, few = log.open("a"), log.open("b", "wanted")
    assert await log.port.append(record("1")) in {("a",), None}
    assert await log.port.append(record("2", kind="wanted")) in {("a", "b"), None}
    assert await log.names(everything) == ["1", "2"]
    assert await log.names(few) == ["2"]


async def test_another_filter_holds_for_what_comes(log: Log) -> None:
    cursor = log.open("a")
    await log.append("1")
    assert await log.names(cursor) == ["1"]
    assert log.open("a", "wanted") is cursor
    await log.append("2")
    await log.append("3", kind="wanted")
    assert await log.names(cursor) == ["3"]


async def test_an_event_may_be_for_some_readers_only_whatever_their_filters_say(log: Log) -> None:
    first, second = log.open("a", "wanted"), log.open("b")
    await log.port.append(record("1", only=log.only("a", "gone")))
    assert await log.names(first) == ["1"]
    assert await log.names(second) == []


async def test_cursors_do_not_depend_on_each_other(log: Log) -> None:
    first, second = log.open("a"), log.open("b")
    await log.append("1")
    assert await log.names(first) == ["1"]
    await log.append("2")
    assert await log.names(second) == ["1", "2"]
    assert await log.names(first) == ["2"]


async def test_a_reader_that_is_opened_later_gets_what_comes_later(log: Log) -> None:
    log.open("a")
    await log.append("1")
    late = log.open("c")
    await log.append("2")
    assert await log.names(late) == ["2"]


async def test_a_reader_that_was_open_goes_on_where_it_was(log: Log) -> None:
    cursor = log.open("a")
    await log.append("1", "2")
    assert (await log.next(cursor)).record.event.id == "1"
    assert await log.names(log.open("a", at="start")) == ["2"]


async def test_a_reader_that_was_closed_begins_anew(log: Log) -> None:
    log.open("a")
    await log.append("1")
    log.port.close("a")
    assert await log.names(log.open("a")) == []


async def test_events_may_be_done_in_any_order(log: Log) -> None:
    cursor = log.open("a")
    await log.append("1", "2", "3")
    for taken in reversed(await log.rest(cursor)):
        cursor.done(taken.position)
    await log.append("4", "5", "6")
    assert await log.finish(cursor) == ["4", "5", "6"]


async def test_what_a_closed_reader_finishes_later_does_no_harm(log: Log) -> None:
    cursor = log.open("a")
    await log.append("1")
    taken = await log.next(cursor)
    log.port.close("a")
    cursor.done(taken.position)
    other = log.open("b")
    await log.append("2")
    assert await log.finish(other) == ["2"]


async def test_an_ordered_reader_gets_events_in_order_one_after_the_other(log: Log) -> None:
    cursor = log.open("a", ordered=True)
    sent = [str(number) for number in range(1, 11)]
    await log.append(*sent)
    got = []
    for _ in sent:
        taken = await log.next(cursor)
        got.append(taken.record.event.id)
        cursor.done(taken.position)
    assert got == sent
    assert cursor.orders >= 1


async def test_who_waits_is_woken_by_the_next_event(log: Log) -> None:
    cursors = log.open("a"), log.open("b")
    woken: list[str] = []

    async def wait(cursor: Cursor) -> None:
        woken.append((await log.next(cursor)).record.event.id)

    with anyio.fail_after(PATIENCE):
        async with anyio.create_task_group() as group:
            for cursor in cursors:
                group.start_soon(wait, cursor)
            await anyio.wait_all_tasks_blocked()
            assert woken == []
            await log.append("1")
    assert woken == ["1", "1"]


async def test_as_many_are_woken_as_there_are_events(log: Log) -> None:
    cursor = log.open("a")
    got: list[str] = []

    async def work() -> None:
        got.append((await log.next(cursor)).record.event.id)

    with anyio.fail_after(PATIENCE):
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(work)
            await anyio.wait_all_tasks_blocked()
            await log.append("1", "2", "3")
    assert got == ["1", "2", "3"]


async def test_one_who_is_cancelled_when_it_is_woken_takes_nothing_along(log: Log) -> None:
    cursor = log.open("a")
    got: list[str] = []
    taken = anyio.Event()

    async def work(scope: anyio.CancelScope) -> None:
        with scope:
            got.append((await log.next(cursor)).record.event.id)
            taken.set()

    first, second = anyio.CancelScope(), anyio.CancelScope()
    with anyio.fail_after(PATIENCE):
        async with anyio.create_task_group() as group:
            for scope in (first, second):
                group.start_soon(work, scope)
            await anyio.wait_all_tasks_blocked()
            await log.append("1")
            first.cancel()
            await taken.wait()
            second.cancel()
    assert got == ["1"]


async def test_nobody_waits_for_what_is_there(log: Log) -> None:
    cursor = log.open("a")
    await log.append("1")
    with anyio.fail_after(PATIENCE):
        await cursor.wait()
    assert await log.names(cursor) == ["1"]


async def test_closing_a_reader_that_is_not_open_does_nothing(log: Log) -> None:
    log.port.close("nobody")


async def test_a_resource_keeps_its_log_until_it_is_forgotten(log: Log, side: Side) -> None:
    cursor = log.open("a")
    await side.log(log.engine).append("1")
    assert await log.names(cursor) == ["1"]
    log.engine.forget(log.owner.uid)
    again = side.log(log.engine)
    assert await again.names(again.open("a", at="start")) == []


@only_durable
async def test_the_next_run_gets_what_was_not_done_and_is_told_that_it_may_come_again(
    side: Side,
) -> None:
    async with side.running() as log:
        cursor = log.open("a")
        await log.append("1", "2", "3", "4", "5")
        first, second, third = [await log.next(cursor) for _ in range(3)]
        for taken in (first, second, third):
            cursor.done(taken.position)
        await log.next(cursor)
    async with side.running() as log:
        again = await log.rest(log.open("a"))
        assert [whole(taken.record) for taken in again] == [record("4"), record("5")]
        assert all(taken.again for taken in again)
        log.engine.forget(log.owner.uid)


@only_durable
async def test_what_is_done_out_of_order_does_not_lose_what_came_before(side: Side) -> None:
    async with side.running() as log:
        cursor = log.open("a")
        await log.append("1", "2", "3")
        _, second, third = [await log.next(cursor) for _ in range(3)]
        cursor.done(third.position)
        cursor.done(second.position)
    async with side.running() as log:
        cursor = log.open("a")
        taken = await log.next(cursor)
        assert whole(taken.record) == record("1")
        cursor.done(taken.position)
        # A log with offsets has those again that were done behind it.
        assert set(await log.finish(cursor)) <= {"2", "3"}
    async with side.running() as log:
        assert await log.names(log.open("a")) == []
        log.engine.forget(log.owner.uid)


@only_durable
async def test_what_comes_while_nobody_reads_waits(side: Side) -> None:
    async with side.running() as log:
        log.open("a")
        log.open("b")
        await log.append("1")
    async with side.running() as log:
        first, second = log.open("b"), log.open("a")
        await log.append("2")
        assert await log.names(first) == ["1", "2"]
        assert await log.names(second) == ["1", "2"]
        log.engine.forget(log.owner.uid)
