"""Files of local programs: where a variable says they are (Kubernetes core/v1 Volume)."""

import os
from pathlib import Path

import pytest

from knlite.errors import InstanceFailed
from knlite.runtime.port import ContainerLaunch, Launch, Prepared
from knlite.runtime.process import owner
from knlite.runtime.process.files import Files
from knlite.serving.container import Mount
from knlite.serving.volume import EmptyDir, File, FileVolume

VOLUMES = {"event": FileVolume({"event": File(b"{}"), "sub/more": File(b"x")}), "e": EmptyDir()}


def launch(*mounts: Mount, **env: str) -> Launch:
    container = ContainerLaunch(name="main", prepared=Prepared(None, ""), env=env, mounts=mounts)
    return Launch(
        namespace="default",
        service="s",
        revision="",
        instance="../one",
        port=0,
        serving=container,
        volumes=VOLUMES,
    )


def mount(path: str = "/etc/event", volume: str = "event", sub_path: str = "") -> Mount:
    return Mount(volume=volume, path=path, sub_path=sub_path, read_only=True)


def test_the_variable_gets_the_path_of_the_files(tmp_path: Path) -> None:
    files = Files(tmp_path, owner.marker("run"))
    changed = files.lay_out(launch(mount(), EVENTS="/etc/event", OTHER="/etc"), None)
    assert list(changed) == ["EVENTS"]
    folder = Path(changed["EVENTS"])
    assert folder.is_relative_to(tmp_path), "names do not lead out of it"
    assert (folder / "event").read_bytes() == b"{}"
    assert (folder / "sub" / "more").read_bytes() == b"x"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "event").stat().st_mode & 0o777 == 0o600
    files.remove("../one")
    assert not folder.exists()


def test_a_part_of_a_volume_is_told_as_such(tmp_path: Path) -> None:
    files = Files(tmp_path, owner.marker("run"))
    changed = files.lay_out(launch(mount(sub_path="event"), EVENTS="/etc/event"), None)
    assert Path(changed["EVENTS"]).read_bytes() == b"{}"


def test_what_no_variable_tells_and_what_has_no_files_is_left(tmp_path: Path) -> None:
    files = Files(tmp_path, owner.marker("run"))
    untold = launch(mount(), mount("/e", "e"), OTHER="/etc", E="/e")
    assert files.lay_out(untold, None) == {}


def test_a_restart_writes_them_anew(tmp_path: Path) -> None:
    files = Files(tmp_path, owner.marker("run"))
    for _ in range(2):
        changed = files.lay_out(launch(mount(), EVENTS="/etc/event"), None)
        (Path(changed["EVENTS"]) / "event").write_bytes(b"changed")


def test_those_of_runs_that_have_ended_are_swept(tmp_path: Path) -> None:
    mine = Files(tmp_path, owner.marker("run"))
    name, pid, _, namespace = owner.marker("crashed").rsplit(":", 3)
    theirs = Files(tmp_path, f"{name}:{pid}:1:{namespace}")
    kept = mine.lay_out(launch(mount(), EVENTS="/etc/event"), None)["EVENTS"]
    left = theirs.lay_out(launch(mount(), EVENTS="/etc/event"), None)["EVENTS"]
    mine.sweep()
    assert Path(kept).exists()
    assert not Path(left).exists()
    mine.close()
    assert not Path(kept).exists()


def test_a_folder_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    files = Files(tmp_path / "file", owner.marker("run"))
    with pytest.raises(InstanceFailed, match="cannot be written to") as failed:
        files.lay_out(launch(mount(), EVENTS="/etc/event"), os.geteuid())
    assert failed.value.reason == "FailedMount"
