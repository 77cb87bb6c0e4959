"""Layers are the same archive whoever makes them, when, and in which order (reference Part 6)."""

import hashlib
import os
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.functions.ignore import ignored
from knlite.runtime.docker.layer import (
    Entry,
    File,
    Folder,
    Layer,
    Link,
    kept_layer,
    layer,
    layer_file,
)
from knlite.runtime.docker.sourcetree import UnfitLink, entries

NAMES = st.text(min_size=1, max_size=120).filter(
    lambda text: "/" not in text and "\0" not in text and text not in (".", "..")
)
ENTRIES = st.one_of(
    st.builds(File, st.binary(max_size=64), st.booleans()),
    st.builds(Link, st.text("ab./", min_size=1, max_size=150)),
    st.just(Folder()),
)


def digest(found: Iterable[tuple[str, Entry]]) -> str:
    made = layer(found, "x")
    made.close()
    return made.diff_id


def members_of(made: Layer) -> list[tarfile.TarInfo]:
    """What is in the archive, which is then closed."""
    with made.open() as file, tarfile.open(fileobj=file, encoding="utf-8") as archive:
        members = archive.getmembers()
    made.close()
    return members


@given(found=st.dictionaries(NAMES, ENTRIES, max_size=6), data=st.data())
def test_the_order_in_which_a_folder_lists_its_files_does_not_matter(
    found: Mapping[str, Entry], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(list(found.items())))
    assert digest(shuffled) == digest(found.items())


@given(found=st.dictionaries(NAMES, ENTRIES, max_size=6))
def test_every_name_comes_out_as_it_went_in(found: Mapping[str, Entry]) -> None:
    members = {member.name: member for member in members_of(layer(found.items(), "x"))}
    assert set(members) == set(found)
    assert {member.mtime for member in members.values()} <= {0}
    assert {(member.uid, member.uname) for member in members.values()} <= {(0, "")}


def test_names_and_links_of_any_length_and_bytes_fit() -> None:
    odd = os.fsdecode(b"caf\xe9 \xff")
    deep = "/".join(["folder"] * 60)
    made = layer([(odd, File(b"1")), (deep, File(b"2")), ("l", Link("x" * 300))], "x")
    members = {member.name: member for member in members_of(made)}
    assert {odd, deep} <= set(members)
    assert members["l"].linkname == "x" * 300


def test_a_folder_stands_before_what_is_in_it() -> None:
    made = layer([("a/b/c", File(b"")), ("a.b", File(b"")), ("a", Folder())], "x")
    assert [member.name for member in members_of(made)] == ["a", "a/b", "a/b/c", "a.b"]


def test_the_digest_is_that_of_the_archive_wherever_it_lies(tmp_path: Path) -> None:
    made = layer([("a", File(b"x" * 3_000_000))], "x")
    with made.open() as file:
        content = file.read()
    made.close()
    (tmp_path / "kept.tar").write_bytes(content)
    kept = layer_file(tmp_path / "kept.tar", "x")
    assert made.diff_id == kept.diff_id == f"sha256:{hashlib.sha256(content).hexdigest()}"
    with kept.open() as file:
        assert file.read() == content


def test_a_kept_layer_is_made_once_and_again_when_it_was_cut_off(tmp_path: Path) -> None:
    made: list[str] = []

    def found() -> Iterable[tuple[str, Entry]]:
        made.append("made")
        return [("a", File(b"x"))]

    place = tmp_path / "layers/a.tar"
    first = kept_layer(place, "x", found)
    assert kept_layer(place, "x", found) == first
    assert made == ["made"]
    place.with_suffix(".id").write_text("sha256:12")
    assert kept_layer(place, "x", found) == first
    place.unlink()
    assert kept_layer(place, "x", found) == first
    assert made == ["made"] * 3
    assert sorted(each.name for each in place.parent.iterdir()) == ["a.id", "a.tar"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    (made / "pkg").mkdir(parents=True)
    (made / "func.py").write_text("code")
    (made / "run.sh").write_text("#!/bin/sh\n")
    (made / "run.sh").chmod(0o755)
    (made / "pkg/data.bin").write_bytes(b"d" * 2_000_000)
    (made / "pkg/link").symlink_to("../func.py")
    return made


def of(folder: Path) -> Layer:
    return layer(entries(folder, ignored(folder), below="function"), "function", owner=1000)


def digest_of(folder: Path) -> str:
    made = of(folder)
    made.close()
    return made.diff_id


def test_times_and_umasks_are_no_change(project: Path) -> None:
    before = digest_of(project)
    os.utime(project / "func.py", (1, 1))
    (project / "func.py").chmod(0o600)
    (project / "run.sh").chmod(0o700)
    (project / "pkg").chmod(0o700)
    assert digest_of(project) == before


def test_content_names_links_and_what_may_run_are_changes(project: Path) -> None:
    seen = [digest_of(project)]
    (project / "func.py").write_text("edit")
    seen.append(digest_of(project))
    (project / "func.py").chmod(0o755)
    seen.append(digest_of(project))
    (project / "func.py").rename(project / "other.py")
    seen.append(digest_of(project))
    (project / "pkg/link").unlink()
    (project / "pkg/link").symlink_to("data.bin")
    seen.append(digest_of(project))
    assert len(set(seen)) == len(seen)


def test_what_is_ignored_and_what_is_no_file_stays_out(project: Path) -> None:
    (project / ".funcignore").write_text("pkg\n")
    (project / ".git").mkdir()
    (project / ".git/config").write_text("x")
    os.mkfifo(project / "pipe")
    members = members_of(of(project))
    assert [each.name for each in members] == ["function", "function/func.py", "function/run.sh"]
    assert {member.uid for member in members} == {1000}


@pytest.mark.parametrize("target", ["/etc/passwd", "../outside", "pkg/../../outside"])
def test_a_link_that_leads_out_of_the_project_is_refused(project: Path, target: str) -> None:
    (project / "bad").symlink_to(target)
    with pytest.raises(UnfitLink) as refused:
        of(project)
    assert (refused.value.path, refused.value.target) == ("bad", target)


def test_a_link_that_is_ignored_may_lead_anywhere(project: Path) -> None:
    (project / "bad").symlink_to("/etc/passwd")
    (project / ".funcignore").write_text("/bad\n")
    assert digest_of(project)
