"""What was last built, in the files that ``func`` has for it (reference §4.1, §4.7)."""

from pathlib import Path

from knlite.functions.built import built_image, is_built, stamp


def test_it_is_built_as_long_as_neither_code_nor_image_change(tmp_path: Path) -> None:
    assert not is_built(tmp_path, "example.org/f", "sha256:1")
    stamp(tmp_path, "example.org/f", "sha256:1")
    assert built_image(tmp_path) == "example.org/f"
    assert is_built(tmp_path, "example.org/f", "sha256:1")
    assert not is_built(tmp_path, "example.org/f", "sha256:2")
    assert not is_built(tmp_path, "example.org/g", "sha256:1")


def test_what_func_has_stamped_is_built_anew(tmp_path: Path) -> None:
    (tmp_path / ".func").mkdir()
    (tmp_path / ".func" / "built-image").write_text("example.org/f\n")
    (tmp_path / ".func" / "built-hash").write_text("0123456789abcdef")
    assert built_image(tmp_path) == "example.org/f"
    assert not is_built(tmp_path, "example.org/f", "sha256:1")


def test_git_is_told_once_to_leave_it_out(tmp_path: Path) -> None:
    file = tmp_path / ".gitignore"
    file.write_text("*.pyc")
    stamp(tmp_path, "f", "sha256:1")
    stamp(tmp_path, "f", "sha256:2")
    assert file.read_text().splitlines().count("/.func") == 1
    file.write_text("# /.func\n")
    stamp(tmp_path, "f", "sha256:3")
    assert file.read_text() == "# /.func\n"
