"""What the writer does while the disk is full."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from knlite.eventlog.writer import Keeper, Request, Reserve

INSERT = "INSERT INTO t VALUES (?, ?)"
DELETE = "DELETE FROM t WHERE n = ?"


class Disk(Reserve):
    """Space that is there or not."""

    def __init__(self, free: bool) -> None:
        self.free = free
        self.held = False

    def take(self) -> bool:
        self.held = self.held or self.free
        return self.held

    def give(self) -> None:
        self.held = False


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    db = sqlite3.connect(tmp_path / "db", isolation_level=None)
    db.execute("PRAGMA auto_vacuum = INCREMENTAL")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("CREATE TABLE t (n INTEGER PRIMARY KEY, body BLOB)")
    yield db
    db.close()


def insert(n: int, size: int = 10) -> Request:
    return n, False, [(INSERT, [(n, bytes(size))])]


def delete(n: int) -> Request:
    return n + 100, False, [(DELETE, [(n,)])]


def kept(db: sqlite3.Connection) -> list[int]:
    return [n for (n,) in db.execute("SELECT n FROM t ORDER BY n")]


def refused(keeper: Keeper, *batch: Request) -> list[int]:
    """The numbers of what the full disk refuses."""
    replies = keeper.serve(list(batch))
    assert sorted(number for number, _, _ in replies) == sorted(request[0] for request in batch)
    return [number for number, trouble, _ in replies if trouble == "full"]


def test_without_room_only_what_deletes_is_done(db: sqlite3.Connection) -> None:
    db.execute(INSERT, (1, b""))
    keeper = Keeper(db, Disk(free=False))
    assert refused(keeper, insert(2), delete(1), insert(3)) == [2, 3]
    assert kept(db) == []


def test_what_fits_into_free_pages_is_taken(db: sqlite3.Connection) -> None:
    db.execute(INSERT, (1, bytes(2_000_000)))
    keeper = Keeper(db, Disk(free=False))
    assert refused(keeper, insert(2)) == [2]
    assert refused(keeper, delete(1)) == []
    assert refused(keeper, insert(2, 100_000), insert(3, 3_000_000)) == [3]
    assert kept(db) == [2]


def test_what_is_read_is_read(db: sqlite3.Connection) -> None:
    keeper = Keeper(db, Disk(free=False))
    assert keeper.serve([(7, True, [("SELECT 1", [()])])]) == [(7, None, [(1,)])]


def test_when_there_is_room_again_everything_is_taken(db: sqlite3.Connection) -> None:
    disk = Disk(free=False)
    keeper = Keeper(db, disk)
    assert refused(keeper, insert(1)) == [1]
    disk.free = True
    assert refused(keeper, insert(1), insert(2)) == []
    assert disk.held


def test_a_disk_that_becomes_full_gives_up_the_reserve(db: sqlite3.Connection) -> None:
    disk = Disk(free=True)
    keeper = Keeper(db, disk)
    assert disk.held
    db.execute("PRAGMA max_page_count = 20")
    assert refused(keeper, insert(1), insert(2, 200_000)) == [2]
    assert not disk.held
    assert kept(db) == [1]


def test_the_reserve_is_space_and_is_given_back(tmp_path: Path) -> None:
    reserve = Reserve(str(tmp_path / "reserve"))
    assert reserve.take()
    held = (tmp_path / "reserve").stat()
    assert held.st_blocks * 512 >= held.st_size > 1_000_000
    reserve.give()
    assert list(tmp_path.iterdir()) == []
    assert not Reserve(str(tmp_path / "nowhere" / "reserve")).take()


def test_a_file_that_is_mostly_free_becomes_smaller(db: sqlite3.Connection) -> None:
    keeper = Keeper(db, Disk(free=True))
    assert refused(keeper, insert(1, 30_000_000), insert(2)) == []
    assert refused(keeper, delete(1)) == []
    (before,) = db.execute("PRAGMA page_count").fetchone()
    for _ in range(64 * 10):
        keeper.serve([(7, True, [("SELECT 1", [()])])])
    (after,) = db.execute("PRAGMA page_count").fetchone()
    assert after < before - 2000
    assert kept(db) == [2]


@pytest.mark.parametrize("value", [2**64, "\ud800"], ids=["a number", "a text"])
def test_what_sqlite_cannot_hold_fails_alone(db: sqlite3.Connection, value: object) -> None:
    keeper = Keeper(db, Disk(free=True))
    odd: Request = (7, False, [(INSERT, [(3, value)])])
    replies = {number: trouble for number, trouble, _ in keeper.serve([insert(1), odd, insert(2)])}
    assert replies == {1: None, 7: "failed", 2: None}
    assert kept(db) == [1, 2]
