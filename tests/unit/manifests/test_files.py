"""Which files below a path are looked at."""

import os
from pathlib import Path

import pytest

from knlite.errors import InvalidInput
from knlite.manifests.files import find


def test_folders_are_searched_but_for_what_belongs_to_other_tools(tmp_path: Path) -> None:
    for name in (
        "b/deep/x.yml",
        "a.yaml",
        ".git/y.yaml",
        "node_modules/z.yaml",
        "fn/func.yaml",
        "docker-compose.yml",
        "img/Dockerfile",
        "package.json",
        "notes.txt",
    ):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("")
    found = find([tmp_path])
    assert [str(file.relative_to(tmp_path)) for file in found.manifests] == [
        "a.yaml",
        "b/deep/x.yml",
    ]
    assert [file.parent.name for file in found.functions] == ["fn"]
    assert [file.parent.name for file in found.dockerfiles] == ["img"]


def test_a_path_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="nowhere does not exist"):
        find([tmp_path / "nowhere"])


def test_what_goes_while_it_is_looked_for_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    (tmp_path / "web.yaml").write_text("a: 1")
    listed = os.scandir

    def scandir(folder: Path) -> object:
        if Path(folder) == tmp_path / "gone":
            (tmp_path / "gone").rmdir()
        return listed(folder)

    monkeypatch.setattr(os, "scandir", scandir)
    assert find([tmp_path]).manifests == (tmp_path / "web.yaml",)
    assert not (tmp_path / "gone").exists()
