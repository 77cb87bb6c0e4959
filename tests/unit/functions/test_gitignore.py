"""``.func`` stays out of git, as long as the author does not want it there."""

from pathlib import Path

import pytest

from knlite.functions.gitignore import keep_func_out


@pytest.mark.parametrize(
    "given", [b"/.func\n", b"*.pyc\n.func/", b"# /.func\n", b"#/.func\r\n", b"\xff\n/.func"]
)
def test_what_speaks_of_it_stays_as_it_is(tmp_path: Path, given: bytes) -> None:
    file = tmp_path / ".gitignore"
    file.write_bytes(given)
    keep_func_out(tmp_path)
    assert file.read_bytes() == given


@pytest.mark.parametrize("given", [None, b"", b"*.pyc", b"a\r\nb\r\n", b"/.funcignore\n", b"\xff"])
def test_else_a_line_is_added_once(tmp_path: Path, given: bytes | None) -> None:
    file = tmp_path / ".gitignore"
    if given is not None:
        file.write_bytes(given)
    keep_func_out(tmp_path)
    keep_func_out(tmp_path)
    content = file.read_bytes()
    assert content.startswith(given or b"#")
    assert content.splitlines().count(b"/.func") == 1
