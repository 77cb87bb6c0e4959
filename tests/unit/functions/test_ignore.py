"""Which files of a folder are code: Knative Functions reference §4.7, and knlite's own names."""

from pathlib import Path

import pytest

from knlite.functions.ignore import ignored


@pytest.mark.parametrize(
    ("patterns", "path", "left_out"),
    [
        pytest.param("", "func.py", False, id="code"),
        pytest.param("", ".git", True, id="a dot in front"),
        pytest.param("", ".env", False, id="what programs read"),
        pytest.param("", "lib/__pycache__", True, id="compiled"),
        pytest.param("", "web/node_modules", True, id="installed"),
        pytest.param("", "func.py~", True, id="a backup of an editor"),
        pytest.param("", "#func.py#", True, id="an autosave of Emacs"),
        pytest.param("", "4913", True, id="a probe of Vim"),
        pytest.param("/build", "build", True, id="from the root"),
        pytest.param("/build", "lib/build", False, id="from the root only"),
        pytest.param("build", "lib/build", True, id="a name anywhere"),
        pytest.param("build/", "lib/build", True, id="a name with a slash behind"),
        pytest.param("*.log", "out/a.log", True, id="a glob of names"),
        pytest.param("out/*.log", "out/a.log", True, id="a glob of paths"),
        pytest.param("out/*.log", "out/x/a.log", False, id="a star stops at slashes"),
        pytest.param("[ab].txt", "b.txt", True, id="a set"),
        pytest.param("[ab.txt", "[ab.txt", True, id="a bracket that is not closed"),
        pytest.param("# build", "build", False, id="a comment"),
        pytest.param("/", "build", False, id="nothing"),
    ],
)
def test_what_is_left_out(tmp_path: Path, patterns: str, path: str, left_out: bool) -> None:
    (tmp_path / ".funcignore").write_text(patterns)
    assert ignored(tmp_path)(path, False) is left_out


def test_virtual_environments_are_left_out_whatever_they_are_called(tmp_path: Path) -> None:
    (tmp_path / "env").mkdir()
    assert not ignored(tmp_path)("env", True)
    (tmp_path / "env" / "pyvenv.cfg").touch()
    assert ignored(tmp_path)("env", True)


def test_patterns_that_cannot_be_read_name_nothing(tmp_path: Path) -> None:
    (tmp_path / ".funcignore").mkdir()
    assert not ignored(tmp_path)("func.py", False)
