"""Build contexts: what counts as a change, what is left out (.dockerignore)."""

import os
import tarfile
from pathlib import Path

import pytest

from knlite.runtime.docker.context import Context, folder_context


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "app"
    (made / "pkg").mkdir(parents=True)
    (made / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    (made / "a.py").write_text("a")
    (made / "pkg/b.py").write_text("b")
    return made


def names(context: Context) -> set[str]:
    with context.tar() as file, tarfile.open(fileobj=file) as archive:
        return {member.name for member in archive.getmembers() if not member.isdir()}


def test_a_new_time_is_no_change(folder: Path) -> None:
    before = folder_context(folder).digest()
    os.utime(folder / "a.py", (1, 1))
    assert folder_context(folder).digest() == before


def test_content_mode_name_and_salt_are_changes(folder: Path) -> None:
    seen = {folder_context(folder).digest(), folder_context(folder, salt="other").digest()}
    (folder / "a.py").write_text("A")
    seen.add(folder_context(folder).digest())
    (folder / "a.py").chmod(0o755)
    seen.add(folder_context(folder).digest())
    (folder / "a.py").rename(folder / "c.py")
    seen.add(folder_context(folder).digest())
    (folder / "a.py").symlink_to("c.py")
    seen.add(folder_context(folder).digest())
    assert len(seen) == 6


def test_ignored_files_neither_travel_nor_count(folder: Path) -> None:
    (folder / ".dockerignore").write_text("# comment\n\n**/*.log\nDockerfile\npkg\n!pkg/b.py\n")
    before = folder_context(folder).digest()
    (folder / "x.log").write_text("x")
    (folder / "pkg/y.log").write_text("y")
    context = folder_context(folder)
    assert context.digest() == before
    assert names(context) == {".dockerignore", "Dockerfile", "a.py", "pkg/b.py"}


def test_second_names_of_a_file_are_sent_whole_and_sockets_not_at_all(folder: Path) -> None:
    os.link(folder / "a.py", folder / "z.py")
    with folder_context(folder).tar() as file, tarfile.open(fileobj=file) as archive:
        member = archive.extractfile("z.py")
        assert member is not None
        assert member.read() == b"a"
