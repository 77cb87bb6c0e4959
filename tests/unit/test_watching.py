"""Which files have changed: real files, told by the kernel."""

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from knlite.functions.ignore import is_code
from knlite.watching import Watched, watch

PATIENCE = 30.0
LIMIT = Path("/proc/sys/fs/inotify/max_queued_events")


class Heard:
    """What has been told so far."""

    def __init__(self) -> None:
        self.batches: list[frozenset[Path]] = []
        self._more = anyio.Event()

    async def tell(self, paths: frozenset[Path]) -> None:
        self.batches.append(paths)
        self._more.set()
        self._more = anyio.Event()

    async def until(self, *wanted: Path) -> None:
        with anyio.fail_after(PATIENCE):
            while not {*wanted} <= {path for batch in self.batches for path in batch}:
                await self._more.wait()


@asynccontextmanager
async def watching(watched: Watched) -> AsyncIterator[Heard]:
    heard, complaints = Heard(), list[str]()
    async with anyio.create_task_group() as group:
        group.start_soon(watch, watched, heard.tell, complaints.append)
        await anyio.wait_all_tasks_blocked()
        yield heard
        group.cancel_scope.cancel()
    assert not complaints


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    (made / "lib").mkdir(parents=True)
    (made / "node_modules").mkdir()
    return made


def _plain(file: Path) -> None:
    file.write_text("new")


def _renamed(file: Path) -> None:
    beside = file.with_name(".hidden.tmp")
    beside.write_text("new")
    beside.rename(file)


def _linked(file: Path) -> None:
    file.symlink_to("/dev/null")


def _executable(file: Path) -> None:
    file.write_text("new")
    file.chmod(0o755)


@pytest.mark.parametrize("save", [_plain, _renamed, _linked, _executable])
async def test_a_save_is_told_once(root: Path, save: Callable[[Path], None]) -> None:
    watched = Watched(is_code)
    watched.watch([root])
    async with watching(watched) as heard:
        saved, later = root / "lib" / "words.py", root / "later.py"
        save(saved)
        await heard.until(saved)
        later.write_text("")
        await heard.until(later)
        # What an editor has written beside it may be told as well, but not apart from it.
        assert [saved in batch for batch in heard.batches] == [True, False]


async def test_what_is_installed_is_not_watched(root: Path) -> None:
    watched = Watched(is_code)
    watched.watch([root])
    async with watching(watched) as heard:
        (root / "node_modules" / "left.js").write_text("")
        (root / "func.py").write_text("")
        await heard.until(root / "func.py")
        assert heard.batches == [{root / "func.py"}]


async def test_a_folder_that_comes_is_watched_and_one_that_goes_is_told(root: Path) -> None:
    watched = Watched(is_code)
    watched.watch([root])
    async with watching(watched) as heard:
        (root / "new" / "inner").mkdir(parents=True)
        await heard.until(root / "new")
        (root / "new" / "inner" / "a.py").write_text("")
        await heard.until(root / "new" / "inner" / "a.py")
        shutil.rmtree(root / "lib")
        await heard.until(root / "lib")


async def test_a_folder_that_is_made_while_one_around_it_is_entered_is_watched(root: Path) -> None:
    late = root / "new" / "late"

    def enters(name: str) -> bool:
        if name == "first":
            late.mkdir(exist_ok=True)
        return is_code(name)

    watched = Watched(enters)
    watched.watch([root])
    async with watching(watched) as heard:
        (root / "away" / "first").mkdir(parents=True)
        (root / "away").rename(root / "new")
        await heard.until(root / "new")
        await anyio.wait_all_tasks_blocked()
        (late / "a.py").write_text("")
        await heard.until(late / "a.py")


async def test_what_the_kernel_could_not_keep_is_looked_for(root: Path) -> None:
    kept = int(await anyio.Path(LIMIT).read_text())
    if kept > 100_000:
        pytest.skip("this kernel keeps more than this test can bring about")
    watched = Watched(is_code)
    watched.watch([root])
    async with watching(watched) as heard:
        # All at once, and alternating: the kernel tells of what is repeated once.
        for number in range(kept + 10):
            (root / f"{number % 2}.py").touch()
        (root / "late").mkdir()
        await heard.until(root)
        (root / "late" / "a.py").write_text("")
        await heard.until(root / "late" / "a.py")


async def test_a_root_that_is_made_anew_is_watched_again(root: Path) -> None:
    watched = Watched(is_code)
    watched.watch([root])
    async with watching(watched) as heard:
        os.rename(root, root.with_name("away"))
        await heard.until(root)
        heard.batches.clear()
        os.mkdir(root)
        await heard.until(root)
        (root / "func.py").write_text("")
        await heard.until(root / "func.py")


async def test_other_folders_may_be_watched_later(root: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    watched = Watched(is_code)
    async with watching(watched) as heard:
        watched.watch([root], [other])
        await heard.until()
        await anyio.wait_all_tasks_blocked()
        (other / "below").mkdir()
        (root / "func.py").write_text("")
        (other / "web.yaml").write_text("")
        await heard.until(root / "func.py", other / "web.yaml")
        watched.watch([other])
        await heard.until(other)


async def test_what_changes_meanwhile_is_told_afterwards(root: Path) -> None:
    watched, gate = Watched(is_code), anyio.Event()
    watched.watch([root])
    heard = Heard()

    async def slowly(paths: frozenset[Path]) -> None:
        await heard.tell(paths)
        await gate.wait()

    tell: Callable[[frozenset[Path]], Awaitable[None]] = slowly
    async with anyio.create_task_group() as group:
        group.start_soon(watch, watched, tell, print)
        await anyio.wait_all_tasks_blocked()
        (root / "a.py").write_text("")
        await heard.until(root / "a.py")
        (root / "b.py").write_text("")
        gate.set()
        await heard.until(root / "b.py")
        group.cancel_scope.cancel()
