"""The code of a function as it was at one moment."""

import os
import stat
from pathlib import Path

import pytest

from knlite.errors import InstanceFailed
from knlite.functions import contents, snapshot


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "hello"
    (made / "lib").mkdir(parents=True)
    (made / "func.py").write_text("def main(context): ...\n")
    (made / "lib" / "words.py").write_text("WORDS = ()\n")
    (made / ".git").mkdir()
    return made


async def test_it_holds_the_code_and_nothing_else(folder: Path, tmp_path: Path) -> None:
    taken = await snapshot.take(folder, name="hello", cache_dir=tmp_path / "cache")
    assert taken.origin == folder
    assert taken.digest == contents.digest(folder)
    found = sorted(str(file.relative_to(taken.folder)) for file in taken.folder.rglob("*"))
    assert found == ["func.py", "lib", "lib/words.py"]


async def test_what_is_saved_later_does_not_reach_it(folder: Path, tmp_path: Path) -> None:
    first = await snapshot.take(folder, name="hello", cache_dir=tmp_path / "cache")
    (folder / "func.py").write_text("changed\n")
    second = await snapshot.take(folder, name="hello", cache_dir=tmp_path / "cache")
    assert first.folder != second.folder
    assert (first.folder / "func.py").read_text() == "def main(context): ...\n"
    again = await snapshot.take(
        folder, name="hello", cache_dir=tmp_path / "cache", code=first.digest
    )
    assert again == first


async def test_the_same_code_is_one_snapshot(folder: Path, tmp_path: Path) -> None:
    first = await snapshot.take(folder, name="hello", cache_dir=tmp_path / "cache")
    again = await snapshot.take(folder, name="hello", cache_dir=tmp_path / "cache")
    assert again == first
    assert [*first.folder.parent.iterdir()] == [first.folder]


@pytest.mark.parametrize("code", ["sha256:", "sha256:.", "..", "../../hello", "/", "sha256:0\n"])
async def test_what_is_no_digest_names_no_other_folder(
    folder: Path, tmp_path: Path, code: str
) -> None:
    cache = tmp_path / "cache"
    (cache / "sources" / "0").mkdir(parents=True)
    taken = await snapshot.take(folder, name="hello", cache_dir=cache, code=code)
    assert taken.digest == contents.digest(folder)
    assert taken.folder.parent == cache / "sources"


async def test_files_keep_their_times_and_permissions(folder: Path, tmp_path: Path) -> None:
    os.utime(folder / "func.py", (1, 2))
    (folder / "func.py").chmod(0o754)
    taken = await snapshot.take(folder, name="hello", cache_dir=tmp_path / "cache")
    found = (taken.folder / "func.py").stat()
    assert (found.st_mtime, stat.S_IMODE(found.st_mode)) == (2, 0o754)


async def test_links_lead_where_they_led(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (folder / "shared").symlink_to("../shared")
    (folder / "lib" / "inner").symlink_to(".")
    (folder / "lib" / "main.py").symlink_to("../func.py")
    taken = await snapshot.take(folder, name="hello", cache_dir=tmp_path / "cache")
    assert taken.digest == contents.digest(folder)
    assert (taken.folder / "shared").resolve() == tmp_path / "shared"
    assert (taken.folder / "lib" / "inner").resolve() == taken.folder / "lib"
    assert not (taken.folder / "lib" / "main.py").is_symlink()


async def test_large_data_is_not_copied_with_every_save(folder: Path, tmp_path: Path) -> None:
    (folder / "model.bin").write_bytes(bytes(contents.LARGE + 1))
    first = await snapshot.take(folder, name="hello", cache_dir=tmp_path / "cache")
    (folder / "func.py").write_text("changed\n")
    second = await snapshot.take(folder, name="hello", cache_dir=tmp_path / "cache")
    assert (second.folder / "model.bin").samefile(first.folder / "model.bin")
    (folder / "model.bin").write_bytes(bytes(contents.LARGE + 2))
    third = await snapshot.take(folder, name="hello", cache_dir=tmp_path / "cache")
    assert (third.folder / "model.bin").stat().st_size == contents.LARGE + 2
    assert (first.folder / "model.bin").stat().st_size == contents.LARGE + 1


async def test_a_secret_file_stays_secret(folder: Path, tmp_path: Path) -> None:
    (folder / ".env").write_text("KEY=1\n")
    (folder / ".env").chmod(0o600)
    taken = await snapshot.take(folder, name="hello", cache_dir=tmp_path / "cache")
    assert (taken.folder / ".env").stat().st_mode & 0o777 == 0o600


async def test_a_cache_that_cannot_be_written_is_said(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("in the way")
    with pytest.raises(InstanceFailed, match="cache cannot be filled") as failed:
        await snapshot.take(folder, name="hello", cache_dir=tmp_path / "cache")
    assert "XDG_CACHE_HOME" in failed.value.fix


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
async def test_a_file_that_cannot_be_read_is_named(folder: Path, tmp_path: Path) -> None:
    (folder / "func.py").chmod(0)
    with pytest.raises(InstanceFailed, match="the code of function hello cannot be copied"):
        await snapshot.take(folder, name="hello", cache_dir=tmp_path / "cache")
