"""Which files of a folder that a program runs in are its code."""

from pathlib import Path

import pytest

from knlite.functions.sourcelike import not_sources


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("app.py", True),
        ("server.mjs", True),
        ("page.TSX", True),
        ("index.html", True),
        ("requirements-dev.txt", True),
        ("package.json", True),
        ("go.sum", True),
        ("Makefile", True),
        (".env", True),
        ("state.db", False),
        ("app.log", False),
        ("upload.json", False),
        ("service.yaml", False),
        ("notes", False),
        (".app.py.swp", False),
    ],
)
def test_what_counts_by_its_name(tmp_path: Path, name: str, counts: bool) -> None:
    assert not_sources(tmp_path)(name, False) is not counts


def test_a_program_that_was_compiled_counts(tmp_path: Path) -> None:
    (tmp_path / "server").touch(mode=0o755)
    assert not not_sources(tmp_path)("server", False)


def test_folders_are_looked_into(tmp_path: Path) -> None:
    rule = not_sources(tmp_path)
    assert not rule("lib", True)
    assert rule("node_modules", True)
