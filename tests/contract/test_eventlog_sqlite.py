"""What the log in SQLite promises beyond every log: across restarts, and when the disk fails."""

import os
import signal
import sqlite3
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from knlite.clock import SystemClock
from knlite.errors import Overloaded
from knlite.eventing.filters.attributes import Attributes
from knlite.eventlog import sqlitelog
from knlite.eventlog.bounds import Bounds
from knlite.eventlog.database import FILE, Database, open_database
from knlite.eventlog.port import Cursor, EventLog, Reader, Taken
from knlite.eventlog.sqlite import TABLES, SqliteEngine, open_sqlite
from tests.contract.eventlogs import Owner, record


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Run:
    """One run over the same folder."""

    def __init__(self, database: Database, engine: SqliteEngine, said: list[str]) -> None:
        self.database = database
        self.engine = engine
        self.said = said

    def log(self, readers: Collection[str] = ("a", "b"), uid: str = "uid") -> EventLog:
        return self.engine.log(Owner(uid=uid), readers)

    async def count(self, table: str = "log_events") -> int:
        self.engine.flush()
        ((count,),) = await self.database.query(f"SELECT count(*) FROM {table}")
        assert isinstance(count, int)
        return count


@asynccontextmanager
async def running(
    folder: Path, *, live: Collection[str] = ("uid",), bounds: Bounds | None = None
) -> AsyncIterator[Run]:
    said = list[str]()
    async with (
        open_database(folder, TABLES, SystemClock(), said.append) as database,
        open_sqlite(database, bounds or Bounds(), said.append, live) as engine,
        anyio.create_task_group() as group,
    ):
        await group.start(engine.run)
        yield Run(database, engine, said)
        group.cancel_scope.cancel()


async def take(cursor: Cursor, count: int) -> list[Taken]:
    found = list[Taken]()
    with anyio.fail_after(10):
        while len(found) < count:
            taken = cursor.take()
            if taken is None:
                await cursor.wait()
            else:
                found.append(taken)
    return found


def names(found: list[Taken]) -> list[str]:
    return [taken.record.event.id for taken in found]


def kill(run: Run) -> None:
    """End the writer as a crash of the machine would: nothing more is written."""
    os.kill(run.database.pid, signal.SIGKILL)


async def test_a_restart_brings_again_what_was_not_done_and_nothing_else(tmp_path: Path) -> None:
    async with running(tmp_path) as run:
        log = run.log()
        cursor = log.open(Reader("a"), "end")
        for name in "12345":
            await log.append(record(name, 100))
        found = await take(cursor, 4)
        for taken in (found[0], found[2]):
            cursor.done(taken.position)
    async with running(tmp_path) as run:
        assert run.engine.newest == 5
        again = await take(run.log().open(Reader("a"), "end"), 3)
        assert names(again) == ["2", "4", "5"]
        assert all(taken.again for taken in again)
        assert again[0].record == record("2", 100)


async def test_one_that_waits_long_brings_no_others_again(tmp_path: Path) -> None:
    async with running(tmp_path) as run:
        log = run.log()
        cursor = log.open(Reader("a"), "end")
        for number in range(1, 301):
            await log.append(record(str(number)))
        for taken in (await take(cursor, 300))[1:]:
            cursor.done(taken.position)
        assert await run.count() == 1
        kill(run)
    async with running(tmp_path) as run:
        cursor = run.log().open(Reader("a"), "end")
        assert names(await take(cursor, 1)) == ["1"]
        assert cursor.take() is None


async def test_what_was_accepted_survives_the_death_of_the_writer(tmp_path: Path) -> None:
    async with running(tmp_path) as run:
        log = run.log()
        log.open(Reader("a"), "end")
        await log.append(record("1"))
        kill(run)
    async with running(tmp_path) as run:
        assert names(await take(run.log().open(Reader("a"), "end"), 1)) == ["1"]


async def test_a_reader_that_is_opened_late_loses_nothing(tmp_path: Path) -> None:
    async with running(tmp_path) as run:
        log = run.log()
        log.open(Reader("a"), "end")
        await log.append(record("1"))
    async with running(tmp_path):
        pass
    async with running(tmp_path) as run:
        log = run.log()
        log.open(Reader("b"), "end")
        await log.append(record("2"))
        assert names(await take(log.open(Reader("a"), "end"), 1)) == ["1"]


async def test_readers_that_are_gone_leave_nothing_behind(tmp_path: Path) -> None:
    async with running(tmp_path) as run:
        log = run.log()
        log.open(Reader("a"), "end")
        log.open(Reader("b"), "end")
        await log.append(record("1"))
    async with running(tmp_path) as run:
        cursor = run.log(readers=["b"]).open(Reader("b"), "end")
        (taken,) = await take(cursor, 1)
        cursor.done(taken.position)
        assert (await run.count(), await run.count("log_readers")) == (0, 1)
        assert await run.count("log_left") == 0


async def test_resources_that_are_gone_leave_nothing_behind(tmp_path: Path) -> None:
    async with running(tmp_path) as run:
        for uid in ("uid", "other"):
            log = run.log(uid=uid)
            log.open(Reader("a"), "end")
            await log.append(record("1"))
        run.engine.forget("other")
        assert (await run.count(), await run.count("log_resources")) == (1, 1)
    async with running(tmp_path, live=()) as run:
        assert (await run.count(), await run.count("log_readers")) == (0, 0)
        assert await run.count("log_resources") == 0


async def test_a_filter_that_changes_while_nothing_runs_holds_for_what_comes(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as run:
        log = run.log()
        log.open(Reader("a"), "end")
        await log.append(record("1", kind="old"))
    async with running(tmp_path) as run:
        log = run.log()
        cursor = log.open(Reader("a", filter=Attributes({"type": "wanted"})), "end")
        await log.append(record("2", kind="old"))
        await log.append(record("3", kind="wanted"))
        assert names(await take(cursor, 2)) == ["1", "3"]


async def test_the_next_run_has_the_same_bounds(tmp_path: Path) -> None:
    async with running(tmp_path) as run:
        log = run.log()
        log.open(Reader("a"), "end")
        for name in "123":
            await log.append(record(name))
    async with running(tmp_path, bounds=Bounds(queued_events=3)) as run:
        log = run.log()
        cursor = log.open(Reader("a"), "end")
        with pytest.raises(Overloaded, match="3 events wait"):
            await log.append(record("4"))
        (taken,) = await take(cursor, 1)
        cursor.done(taken.position)
        await log.append(record("4"))
        assert names(await take(cursor, 3)) == ["2", "3", "4"]


@pytest.fixture
def little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlitelog, "RESIDENT", 2000)
    monkeypatch.setattr(sqlitelog, "READ_EVENTS", 3)


@pytest.mark.usefixtures("little_memory")
async def test_what_memory_does_not_hold_is_read_when_its_turn_comes(tmp_path: Path) -> None:
    async with running(tmp_path) as run:
        log = run.log()
        quick = log.open(Reader("a"), "end")
        slow = log.open(Reader("b"), "end")
        for number in range(1, 41):
            await log.append(record(str(number), 200))
        wanted = [str(number) for number in range(1, 41)]
        found = await take(quick, 40)
        assert names(found) == wanted
        for taken in found:
            quick.done(taken.position)
        assert [taken.record for taken in await take(slow, 40)] == [
            record(str(number), 200) for number in range(1, 41)
        ]


@pytest.mark.usefixtures("little_memory")
async def test_several_who_wait_share_what_is_read(tmp_path: Path) -> None:
    got = list[str]()
    async with running(tmp_path) as run:
        log = run.log()
        cursor = log.open(Reader("a"), "end")
        for number in range(1, 21):
            await log.append(record(str(number), 200))

        async def work() -> None:
            for taken in await take(cursor, 5):
                got.append(taken.record.event.id)
                cursor.done(taken.position)

        async with anyio.create_task_group() as group:
            for _ in range(4):
                group.start_soon(work)
        assert sorted(got, key=int) == [str(number) for number in range(1, 21)]
        assert await run.count() == 0


@pytest.mark.parametrize("body", [b"", b"\x63future", b"\x01garbage"])
async def test_an_event_that_cannot_be_read_is_told_and_stops_nobody(
    tmp_path: Path, body: bytes
) -> None:
    async with running(tmp_path) as run:
        log = run.log()
        log.open(Reader("a"), "end")
        for name in "123":
            await log.append(record(name))
    db = sqlite3.connect(tmp_path / FILE)
    db.execute("UPDATE log_events SET body = ? WHERE position = 2", (body,))
    db.commit()
    db.close()
    async with running(tmp_path) as run:
        cursor = run.log().open(Reader("a"), "end")
        found = await take(cursor, 2)
        assert names(found) == ["1", "3"]
        assert len(run.said) == 1
        assert "event 2 in the log cannot be read and is lost" in run.said[0]
        for taken in found:
            cursor.done(taken.position)
        assert await run.count() == 0


async def fill(log: EventLog) -> tuple[Overloaded, int]:
    """Append until one is refused; how, and how many were not."""
    for number in range(1, 100):
        try:
            await log.append(record(str(number), 10_000))
        except Overloaded as exc:
            return exc, number - 1
    raise AssertionError("nothing is refused")


async def test_a_full_disk_refuses_and_takes_events_again_by_itself(tmp_path: Path) -> None:
    async with running(tmp_path) as run:
        log = run.log()
        cursor = log.open(Reader("a"), "end")
        await run.database.query("PRAGMA max_page_count = 60")
        refusal, accepted = await fill(log)
        assert refusal.fix == "make room on the disk"
        found = await take(cursor, accepted)
        assert len(found) == accepted
        for taken in found:
            cursor.done(taken.position)
        assert await run.count() == 0
        await log.append(record("1000", 10_000))
        assert names(await take(cursor, 1)) == ["1000"]
        assert len(run.said) == 1


async def test_events_are_refused_while_the_writer_is_away(tmp_path: Path) -> None:
    async with running(tmp_path) as run:
        log = run.log()
        cursor = log.open(Reader("a"), "end")
        await log.append(record("1"))
        (taken,) = await take(cursor, 1)
        kill(run)
        cursor.done(taken.position)
        number = 1
        with anyio.fail_after(10):
            while True:
                number += 1
                try:
                    await log.append(record(str(number)))
                except Overloaded:
                    continue
                break
        assert number > 2
        assert await run.count() == 1


async def test_the_file_does_not_grow_with_what_is_done(tmp_path: Path) -> None:
    async with running(tmp_path) as run:
        log = run.log()
        cursor = log.open(Reader("a"), "end")
        sizes = list[int]()
        for start in (1, 301, 601):
            for number in range(start, start + 300):
                await log.append(record(str(number), 2_000))
                (taken,) = await take(cursor, 1)
                cursor.done(taken.position)
            ((pages,),) = await run.database.query("PRAGMA page_count")
            sizes.append(pages)
        assert sizes[-1] < 2 * sizes[0]
