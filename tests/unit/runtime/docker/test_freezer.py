"""Which control group is a container's own, as both versions lay them out."""

import asyncio
from pathlib import Path

import pytest

from knlite.runtime.docker.freezer import freezer_of, unusable

ID = "3ed0f579c538bd8d7ace624e653de693595d34aa4588b9d187b126e4ea810030"


def laid_out(tmp: Path, lines: str, folder: str, **files: str) -> tuple[Path, Path]:
    proc, root = tmp / "proc", tmp / "cgroup"
    (proc / "7").mkdir(parents=True)
    (proc / "7" / "cgroup").write_text(lines)
    group = root / folder
    group.mkdir(parents=True)
    for name, text in {"cgroup.procs": "7\n9\n", **files}.items():
        (group / name).write_text(text)
    return proc, root


@pytest.mark.parametrize(
    ("lines", "folder", "written", "state"),
    [
        (
            f"6:freezer:/docker/{ID}\n5:devices:/docker/{ID}\n0::/docker/{ID}\n",
            f"freezer/docker/{ID}",
            "freezer.state",
            "freezer.state",
        ),
        (
            f"0::/system.slice/docker-{ID}.scope\n",
            f"system.slice/docker-{ID}.scope",
            "cgroup.freeze",
            "cgroup.events",
        ),
    ],
    ids=["version 1", "version 2"],
)
def test_a_container_is_frozen_by_its_own_group(
    tmp_path: Path, lines: str, folder: str, written: str, state: str
) -> None:
    files = {written: "", state: "populated 1\nfrozen 1\n"}
    proc, root = laid_out(tmp_path, lines, folder, **files)
    found = freezer_of(ID, 7, root=root, proc=proc)
    assert found is not None
    assert asyncio.run(found.freeze())
    assert (root / folder / written).read_text() in ("FROZEN", "1")
    assert found.thaw()
    assert (root / folder / written).read_text() in ("THAWED", "0")


def test_what_does_not_get_frozen_in_time_goes_on(tmp_path: Path) -> None:
    lines = f"0::/docker/{ID}\n"
    files = {"cgroup.freeze": "", "cgroup.events": "populated 1\nfrozen 0\n"}
    proc, root = laid_out(tmp_path, lines, f"docker/{ID}", **files)
    found = freezer_of(ID, 7, root=root, proc=proc)
    assert found is not None
    assert not asyncio.run(found.freeze())
    assert (root / "docker" / ID / "cgroup.freeze").read_text() == "0"


def test_what_does_not_say_how_it_is_goes_on(tmp_path: Path) -> None:
    proc, root = laid_out(tmp_path, f"0::/docker/{ID}\n", f"docker/{ID}", **{"cgroup.freeze": ""})
    found = freezer_of(ID, 7, root=root, proc=proc)
    assert found is not None
    assert not asyncio.run(found.freeze())
    assert (root / "docker" / ID / "cgroup.freeze").read_text() == "0"


@pytest.mark.parametrize(
    ("lines", "folder"),
    [
        ("6:freezer:/\n0::/\n", "freezer"),
        ("6:freezer:/docker/other\n", "freezer/docker/other"),
        (f"5:memory:/docker/{ID}\n", f"memory/docker/{ID}"),
        (f"6:freezer:/docker/{ID}/inner\n", f"freezer/docker/{ID}/inner"),
        ("", "freezer"),
    ],
)
def test_a_group_that_is_not_the_containers_own_is_left_alone(
    tmp_path: Path, lines: str, folder: str
) -> None:
    proc, root = laid_out(tmp_path, lines, folder, **{"freezer.state": "THAWED\n"})
    assert freezer_of(ID, 7, root=root, proc=proc) is None


def test_another_process_of_that_number_is_no_container(tmp_path: Path) -> None:
    files = {"cgroup.procs": "8\n", "freezer.state": "THAWED\n"}
    proc, root = laid_out(tmp_path, f"6:freezer:/docker/{ID}\n", f"freezer/docker/{ID}", **files)
    assert freezer_of(ID, 7, root=root, proc=proc) is None
    assert freezer_of(ID, 12345, root=root, proc=proc) is None


def test_a_machine_without_control_groups_is_told(tmp_path: Path) -> None:
    assert "no control groups" in unusable(root=tmp_path)
    (tmp_path / "freezer").mkdir()
    assert unusable(root=tmp_path) == ""
