"""What running knlites use stays in the cache, however they end and whoever prunes.

The rule is knlite's own; locks are real ones, between descriptors of this process and another one.
"""

import subprocess
import sys
import threading
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from knlite.errors import KnliteError
from knlite.functions import cachecontents
from knlite.functions.cacheuse import CacheUse, pruning, used

HOLDER = """
import asyncio, sys
from pathlib import Path
from knlite.functions.cacheuse import CacheUse

async def main():
    use = CacheUse(Path(sys.argv[1]))
    async with use.preparing():
        use.note(["environments/theirs"])
    print("noted", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def fill(cache: Path, *names: str) -> None:
    for name in names:
        (cache / name).mkdir(parents=True)
        (cache / name / "file").write_text("x" * 5000)


def unused(cache: Path) -> set[str]:
    found = cachecontents.unused(cachecontents.entries(cache), used(cache))
    return {each.name for each in found}


async def test_what_a_run_uses_is_used_until_it_ends_also_by_force(tmp_path: Path) -> None:
    fill(tmp_path, "environments/mine", "environments/theirs", "sources/nobodys")
    mine = CacheUse(tmp_path)
    async with mine.preparing():
        python = tmp_path / "environments/mine/bin/python"
        mine.note_paths([str(python), "/usr/bin/env", "PORT"])
    other = await anyio.to_thread.run_sync(holder, tmp_path)
    try:
        assert unused(tmp_path) == {"sources/nobodys"}
    finally:
        other.kill()
        other.communicate()
    assert unused(tmp_path) == {"environments/theirs", "sources/nobodys"}
    mine.close()
    assert "environments/mine" in unused(tmp_path)
    assert list((tmp_path / "uses").iterdir()) == []


def holder(cache: Path) -> "subprocess.Popen[str]":
    """Another run, which has noted what it uses."""
    started = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(cache)], stdout=subprocess.PIPE, text=True
    )
    assert started.stdout is not None
    assert started.stdout.readline() == "noted\n"
    return started


async def test_what_a_used_entry_links_to_is_used_too(tmp_path: Path) -> None:
    fill(tmp_path, "node-functions/mine", "node-modules/mine", "node-modules/nobodys")
    modules = tmp_path / "node-modules/mine/node_modules"
    (tmp_path / "node-functions/mine/node_modules").symlink_to(modules)
    mine = CacheUse(tmp_path)
    async with mine.preparing():
        mine.note_paths([str(tmp_path / "node-functions/mine/index.js")])
    assert unused(tmp_path) == {"node-modules/nobodys"}
    mine.close()


async def test_what_is_forgotten_is_used_no_more(tmp_path: Path) -> None:
    use = CacheUse(tmp_path)
    async with use.preparing():
        use.note(["images/a", "images/b"])
        use.forget("images/a")
        use.note(["images/c"])
    assert used(tmp_path) == {"images/b", "images/c"}
    use.close()


async def test_many_threads_note_at_once_what_one_run_uses(tmp_path: Path) -> None:
    names = [f"images/{number}" for number in range(64)]
    use = CacheUse(tmp_path)
    begin = threading.Barrier(16)

    def note(some: list[str]) -> None:
        begin.wait()
        use.note(some)

    async with use.preparing(), anyio.create_task_group() as group:
        for first in range(16):
            group.start_soon(anyio.to_thread.run_sync, note, names[first::16])
    assert used(tmp_path) == set(names)
    assert len(list((tmp_path / "uses").iterdir())) == 1
    use.close()


async def test_what_is_noted_again_is_not_dropped_by_who_decided_before(tmp_path: Path) -> None:
    fill(tmp_path, "sources/a", "sources/b")
    use = CacheUse(tmp_path)
    async with use.preparing():
        use.note(["sources/a", "sources/b"])
        since = use.notes
        use.note(["sources/b"])
    await use.drop(["sources/a", "sources/b"], since)
    assert used(tmp_path) == {"sources/b"}
    assert [each.name for each in cachecontents.entries(tmp_path)] == ["sources/b"]
    use.close()


async def test_what_is_dropped_goes_unless_another_run_uses_it(tmp_path: Path) -> None:
    fill(tmp_path, "sources/alone", "sources/shared")
    use, other = CacheUse(tmp_path), CacheUse(tmp_path)
    async with use.preparing():
        use.note(["sources/alone", "sources/shared"])
        other.note(["sources/shared"])
        await use.drop(["sources/alone"])
    assert (tmp_path / "sources/alone").exists()
    await use.drop(["sources/alone", "sources/shared"])
    assert [each.name for each in cachecontents.entries(tmp_path)] == ["sources/shared"]
    other.close()


async def test_preparing_and_pruning_wait_for_each_other(tmp_path: Path) -> None:
    use = CacheUse(tmp_path)
    async with use.preparing(), CacheUse(tmp_path).preparing():
        with pytest.raises(KnliteError, match="being filled"):
            async with pruning(tmp_path, patience=0.0):
                pytest.fail("pruned while code is prepared")
    prepared = anyio.Event()

    async def prepare() -> None:
        async with use.preparing():
            prepared.set()

    async with anyio.create_task_group() as group:
        async with pruning(tmp_path):
            group.start_soon(prepare)
            await anyio.wait_all_tasks_blocked()
            assert not prepared.is_set()
        with anyio.fail_after(5):
            await prepared.wait()


async def test_what_killed_runs_left_goes_with_what_is_unused(tmp_path: Path) -> None:
    drafts = {"environments/e1.x8_k2", "sources/draft.abc", "node-modules/n1.zz"}
    fill(tmp_path, "environments/e1", "sources/s1", *drafts, ".pruned.1")
    for lock in ("environments/e1.lock", "environments/e2.lock", "bases/b.draft"):
        (tmp_path / lock).parent.mkdir(exist_ok=True)
        (tmp_path / lock).touch()
    (tmp_path / "data").mkdir()
    left = {each.name for each in cachecontents.entries(tmp_path) if each.leftover}
    locks = {"environments/e1.lock", "environments/e2.lock", "bases/b.draft"}
    assert left == drafts | locks | {".pruned.1"}
    names = unused(tmp_path)
    assert names == left | {"environments/e1", "sources/s1"}
    async with pruning(tmp_path):
        away = cachecontents.take_out(tmp_path, names)
    assert cachecontents.entries(tmp_path)[-1].name == away.name
    cachecontents.remove(away)
    assert cachecontents.entries(tmp_path) == []
    assert (tmp_path / "data").exists()


async def test_folders_that_may_not_be_written_go_too(tmp_path: Path) -> None:
    fill(tmp_path, "go-functions/g/module")
    (tmp_path / "go-functions/g/module").chmod(0o500)
    away = cachecontents.take_out(tmp_path, ["go-functions/g"])
    cachecontents.remove(away)
    assert not away.exists()


def test_a_size_is_what_it_takes_on_the_disk(tmp_path: Path) -> None:
    fill(tmp_path, "environments/e")
    assert cachecontents.size(tmp_path / "environments/e") >= 5000
    assert cachecontents.size(tmp_path / "gone") == 0
