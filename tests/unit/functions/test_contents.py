"""The content address of a folder of code."""

import os
from pathlib import Path

import pytest

from knlite.functions.contents import combined, digest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "hello"
    (made / "lib").mkdir(parents=True)
    (made / "func.py").write_text("def main(context): ...\n")
    (made / "lib" / "words.py").write_text("WORDS = ()\n")
    return made


def test_it_changes_with_a_file_and_comes_back_with_it(folder: Path) -> None:
    before = digest(folder)
    (folder / "lib" / "words.py").write_text("WORDS = (1,)\n")
    assert digest(folder) != before
    (folder / "lib" / "words.py").write_text("WORDS = ()\n")
    assert digest(folder) == before


def test_times_do_not_count(folder: Path) -> None:
    before = digest(folder)
    os.utime(folder / "func.py", (1, 1))
    assert digest(folder) == before


def test_what_is_made_from_the_code_does_not_count(folder: Path) -> None:
    before = digest(folder)
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "func.pyc").write_text("")
    (folder / ".func.py.swp").write_text("")
    assert digest(folder) == before


def test_a_name_and_the_right_to_execute_count(folder: Path) -> None:
    before = digest(folder)
    (folder / "func.py").chmod(0o755)
    executable = digest(folder)
    (folder / "func.py").rename(folder / "other.py")
    assert len({before, executable, digest(folder)}) == 3


def test_links_are_not_walked_in_a_circle(folder: Path) -> None:
    before = digest(folder)
    (folder / "lib" / "again").symlink_to(folder)
    assert digest(folder) != before


def test_a_link_to_nothing_and_a_pipe_do_not_count(folder: Path) -> None:
    before = digest(folder)
    (folder / "lost").symlink_to(folder / "nowhere")
    os.mkfifo(folder / "pipe")
    assert digest(folder) == before


def test_a_digest_that_is_known_can_cover_more() -> None:
    known = combined("sha256:1", "a")
    assert known == combined("sha256:1", "a")
    assert len({known, combined("sha256:1", "b"), combined("sha256:2", "a")}) == 3
