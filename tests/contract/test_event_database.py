"""The database of events: what is answered is kept, and all ways in which that fails (ADR 0024)."""

import os
import signal
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from knlite.clock import Clock, SystemClock
from knlite.errors import Conflict, InvalidInput, KnliteError, Overloaded, Unreachable
from knlite.eventlog.database import FILE, Database, Row, open_database

TABLE = "CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY, body BLOB)"
INSERT = "INSERT INTO t VALUES (?, ?)"

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Watch(SystemClock):
    """The machine's time, which may be put ahead."""

    def __init__(self) -> None:
        super().__init__()
        self.ahead = 0.0
        machine = self.now
        self.now = lambda: machine() + self.ahead


@asynccontextmanager
async def opened(
    folder: Path, said: list[str] | None = None, clock: Clock | None = None
) -> AsyncIterator[Database]:
    tell = ([] if said is None else said).append
    async with (
        open_database(folder, [TABLE], clock or SystemClock(), tell) as database,
        anyio.create_task_group() as group,
    ):
        await group.start(database.run)
        yield database
        group.cancel_scope.cancel()


async def write(database: Database, *rows: Row) -> KnliteError | None:
    """What became of an insert of *rows*."""
    outcomes, over = list[KnliteError | None](), anyio.Event()

    def settled(error: KnliteError | None) -> None:
        outcomes.append(error)
        over.set()

    database.submit([(INSERT, rows)], settled)
    with anyio.fail_after(10):
        await over.wait()
    return outcomes[0]


async def test_the_next_run_finds_what_was_answered(tmp_path: Path) -> None:
    async with opened(tmp_path) as database:
        assert await write(database, (1, b"\x00one"), (2, b"two")) is None
    async with opened(tmp_path) as database:
        assert await database.query("SELECT n, body FROM t ORDER BY n") == [
            (1, b"\x00one"),
            (2, b"two"),
        ]


async def test_what_was_submitted_is_kept_when_the_run_ends_at_once(tmp_path: Path) -> None:
    async with opened(tmp_path) as database:
        for n in range(500):
            database.submit([(INSERT, [(n, b"x" * 1000)])], lambda error: None)
    async with opened(tmp_path) as database:
        assert await database.query("SELECT count(*) FROM t") == [(500,)]


async def test_one_that_fails_takes_no_other_with_it(tmp_path: Path) -> None:
    outcomes = list[KnliteError | None]()
    async with opened(tmp_path) as database:
        for rows in ([(1, b"")], [(2, b""), (1, b"again")], [(3, b"")]):
            database.submit([(INSERT, rows)], outcomes.append)
        assert await database.query("SELECT n FROM t") == [(1,), (3,)]
    assert [type(each) for each in outcomes] == [type(None), Unreachable, type(None)]


async def test_a_full_file_is_told_and_takes_events_again_when_there_is_room(
    tmp_path: Path,
) -> None:
    said, clock = list[str](), Watch()
    async with opened(tmp_path, said, clock) as database:
        await database.query("PRAGMA max_page_count = 40")
        assert await write(database, (1, b"x" * 50_000)) is None
        error = await write(database, (2, b"x" * 150_000))
        assert isinstance(error, Overloaded)
        assert "make room on the disk" in error.fix
        assert await write(database, (3, b"small")) is None
        await database.query("PRAGMA max_page_count = 400")
        assert await write(database, (2, b"x" * 150_000)) is None
        clock.ahead += 1
        assert await write(database, (4, b"")) is None
    assert [text.partition(":")[0] for text in said] == [
        "events are not kept at present",
        "events are kept again",
    ]


async def test_a_file_that_another_run_has_is_not_shared(tmp_path: Path) -> None:
    async with opened(tmp_path):
        with pytest.raises(Conflict, match="is in use"):
            async with opened(tmp_path):
                pass


async def test_a_damaged_file_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database " * 1000)
    with pytest.raises(InvalidInput, match=FILE) as caught:
        async with opened(tmp_path):
            pass
    assert "move it away" in caught.value.fix


async def test_a_file_of_a_newer_knlite_is_left_alone(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / FILE)
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(InvalidInput) as caught:
        async with opened(tmp_path):
            pass
    assert "newer knlite" in caught.value.cause


async def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unreachable):
        async with opened(tmp_path / "file" / "data"):
            pass


async def test_a_writer_that_dies_is_started_again(tmp_path: Path) -> None:
    said, clock = list[str](), Watch()
    async with opened(tmp_path, said, clock) as database:
        assert await write(database, (1, b"")) is None
        os.kill(database.pid, signal.SIGKILL)
        with anyio.fail_after(10):
            n = 2
            while await write(database, (n, b"")) is not None:
                n += 1
                await anyio.lowlevel.checkpoint()
        clock.ahead += 1
        assert await write(database, (n + 1, b"")) is None
        assert (1,) in await database.query("SELECT n FROM t")
    assert said[-1] == "events are kept again"


async def test_only_its_owner_may_read_the_file(tmp_path: Path) -> None:
    async with opened(tmp_path):
        assert (tmp_path / FILE).stat().st_mode & 0o077 == 0
