"""Volumes of a launch as volumes of the engine (Knative reference §4.4)."""

from dataclasses import replace

import pytest

from knlite.errors import InstanceFailed
from knlite.runtime.docker.mounts import EngineMount, Plan, plan
from knlite.runtime.port import ContainerLaunch, Launch, Prepared
from knlite.serving.container import Mount
from knlite.serving.volume import Claimed, EmptyDir, File, FileVolume, VolumeContent

CODE = Prepared(None, "sha256:1")
FILES = FileVolume({"a/b": File(b"x"), "c": File(b"y")})


def planned(content: VolumeContent, *serving: Mount, sidecar: Mount | None = None) -> Plan:
    """The plan for the volume ``v``."""
    launch = Launch(
        namespace="n",
        service="s",
        revision="r",
        instance="i",
        port=1,
        serving=ContainerLaunch(name="main", prepared=CODE, mounts=serving),
        volumes={"v": content, "unused": FILES},
    )
    if sidecar is not None:
        other = ContainerLaunch(name="side", prepared=CODE, mounts=(sidecar,))
        launch = replace(launch, sidecars=(other,))
    return plan(launch)


def at(path: str, sub_path: str = "", *, read_only: bool = False) -> Mount:
    return Mount(volume="v", path=path, sub_path=sub_path, read_only=read_only)


def test_a_launch_without_mounts_needs_nothing() -> None:
    assert planned(FILES) == Plan()


def test_files_are_read_only_whatever_the_mount_says() -> None:
    found = planned(FILES, at("/etc/app"))
    (volume,) = found.volumes
    assert (volume.name, volume.files) == ("i.v", FILES)
    mount = EngineMount(kind="volume", path="/etc/app", volume="i.v", read_only=True)
    assert found.mounts == {"main": (mount,)}


def test_a_part_of_files_is_mounted_from_inside() -> None:
    (mount,) = planned(FILES, at("/etc/c", "c")).mounts["main"]
    assert (mount.kind, mount.inside, mount.read_only) == ("inside", "c", True)


CLAIMED = Claimed("knlite.n.data", "n/data")


def test_a_claim_is_mounted_whole_and_is_the_claims_own_volume() -> None:
    found = planned(CLAIMED, at("/data"), sidecar=at("/backup", read_only=True))
    (volume,) = found.volumes
    assert (volume.name, volume.claim, volume.files) == ("knlite.n.data", "n/data", None)
    assert found.mounts == {
        "main": (EngineMount(kind="volume", path="/data", volume="knlite.n.data"),),
        "side": (
            EngineMount(kind="volume", path="/backup", volume="knlite.n.data", read_only=True),
        ),
    }


def test_a_part_of_a_claim_is_refused_with_a_way_out() -> None:
    with pytest.raises(InstanceFailed, match="cannot be had") as refused:
        planned(CLAIMED, at("/data", "db"))
    assert "whole volume" in refused.value.fix


def test_memory_of_one_container_needs_no_volume() -> None:
    found = planned(EmptyDir(in_memory=True, size_limit=100), at("/data"))
    assert found.volumes == ()
    assert found.mounts["main"] == (EngineMount(kind="tmpfs", path="/data", size=100),)


def test_memory_that_is_shared_is_a_volume_in_memory() -> None:
    memory = EmptyDir(in_memory=True)
    found = planned(memory, at("/data"), sidecar=at("/other", read_only=True))
    assert [each.memory for each in found.volumes] == [memory]
    assert found.mounts["side"][0].read_only


def test_a_part_of_an_empty_folder_is_a_volume_of_its_own_that_lies_inside_the_whole() -> None:
    found = planned(EmptyDir(), at("/whole"), sidecar=at("/part", "a/b"))
    assert [(each.name, each.folders) for each in found.volumes] == [
        ("i.v", ("a/b",)),
        ("i.v.1", ()),
    ]
    assert [(each.path, each.volume) for each in found.mounts["main"]] == [
        ("/whole", "i.v"),
        ("/whole/a/b", "i.v.1"),
    ]
    assert [(each.path, each.volume) for each in found.mounts["side"]] == [("/part", "i.v.1")]


@pytest.mark.parametrize("path", ["..", "../x", "a/../../x", "/etc"])
@pytest.mark.parametrize("content", [FILES, EmptyDir()])
def test_a_sub_path_that_leads_out_is_refused(path: str, content: VolumeContent) -> None:
    with pytest.raises(InstanceFailed, match="leads out of the volume"):
        planned(content, at("/x", path))


def test_a_name_that_only_begins_with_dots_leads_nowhere_else() -> None:
    (mount,) = planned(FILES, at("/x", "..key")).mounts["main"]
    assert mount.inside == "..key"
