"""Containers, volumes and images of a revision (Knative reference §1.9, §4.4)."""

from knlite.errors import InstanceFailed
from knlite.kinds.conditions import find
from knlite.kinds.core.persistentvolumeclaim import PersistentVolumeClaim
from knlite.kinds.core.pod import Pod
from knlite.kinds.serving.image import Image
from knlite.kinds.serving.revision import Revision
from knlite.kinds.serving.service import Service
from knlite.reconcile import Key
from knlite.runtime.fake import Script
from knlite.serving.volume import Claimed, EmptyDir, File, FileVolume
from tests.flows import documents
from tests.flows.cell import Cell, on_virtual_time, opened


def service(cell: Cell, **pod: object) -> None:
    cell.apply(documents.service(pod=pod))


def config_map(cell: Cell, **data: str) -> None:
    meta = {"name": "c", "namespace": "default"}
    cell.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data})


def features(cell: Cell, **flags: str) -> None:
    meta = {"name": "config-features", "namespace": "knative-serving"}
    cell.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": flags})


def mounting(**volume: object) -> dict[str, object]:
    """A pod of one container that mounts *volume*."""
    mount = {"name": "v", "mountPath": "/v"}
    return {
        "containers": [{"image": "web", "volumeMounts": [mount]}],
        "volumes": [{"name": "v", **volume}],
    }


def ready(cell: Cell) -> tuple[str, str, str]:
    revision = cell.registry.view.get(Revision, "default", "web-00001")
    assert revision is not None
    found = find(revision.status.conditions)
    assert found is not None
    return found.status, found.reason, found.message


def files(cell: Cell) -> dict[str, bytes]:
    """What the volume of the last instance held at its start."""
    found = cell.runtime.instances[-1].launch.volumes["v"]
    assert isinstance(found, FileVolume)
    return {path: file.content for path, file in found.files.items()}


@on_virtual_time
async def test_every_container_is_prepared_launched_and_named_in_the_status() -> None:
    async with opened({"web": Script(), "helper": Script()}) as cell:
        service(
            cell,
            containers=[
                {"name": "helper", "image": "helper", "env": [{"name": "A", "value": "1"}]},
                {"name": "main", "image": "web", "ports": [{"containerPort": 9000}]},
            ],
        )
        await cell.advance(2)
        launch = cell.runtime.instances[0].launch
        assert (launch.serving.name, launch.port) == ("main", 9000)
        (sidecar,) = launch.sidecars
        assert (sidecar.name, sidecar.env["A"], sidecar.env["K_SERVICE"]) == ("helper", "1", "web")
        revision = cell.registry.view.get(Revision, "default", "web-00001")
        assert revision is not None
        statuses = revision.status.container_statuses
        assert [each.name for each in statuses] == ["helper", "main"]
        assert statuses[0].image_digest.startswith("helper@sha256:")
        images = cell.registry.view.listed(Image, "default")
        assert [each.metadata.name for each in images] == [
            "web-00001-cache-helper",
            "web-00001-cache-main",
        ]


@on_virtual_time
async def test_a_missing_image_of_a_sidecar_fails_the_revision_in_knatives_words() -> None:
    missing = InstanceFailed("ErrImagePull", "it cannot be pulled", cause="no such host")
    scripts = {"web": Script(), "helper": Script(prepare_fails=missing)}
    async with opened(scripts) as cell:
        service(
            cell,
            containers=[{"image": "web", "ports": [{"containerPort": 9000}]}, {"image": "helper"}],
        )
        await cell.advance(2)
        status, reason, message = ready(cell)
        assert (status, reason) == ("False", "ContainerMissing")
        assert message == 'Unable to fetch image "helper": no such host'
        assert cell.runtime.instances == []


@on_virtual_time
async def test_an_edit_of_a_config_map_reaches_the_running_instance() -> None:
    async with opened({"web": Script()}) as cell:
        config_map(cell, key="old")
        service(cell, **mounting(configMap={"name": "c"}))
        await cell.advance(2)
        assert files(cell) == {"key": b"old"}
        config_map(cell, key="new")
        await cell.advance(1)
        (pod,) = cell.registry.view.listed(Pod, "default")
        expected = {"v": FileVolume({"key": File(b"new")})}
        assert cell.runtime.volumes == {pod.metadata.name: expected}
        assert len(cell.runtime.instances) == 1


@on_virtual_time
async def test_an_instance_starts_as_soon_as_what_it_waits_for_is_there() -> None:
    async with opened({"web": Script()}) as cell:
        service(cell, **mounting(configMap={"name": "c"}))
        await cell.advance(100)
        assert cell.runtime.instances == []
        config_map(cell, key="late")
        await cell.advance(1)
        assert files(cell) == {"key": b"late"}
        assert ready(cell)[0] == "True"


@on_virtual_time
async def test_an_optional_source_does_not_block_and_may_come_later() -> None:
    async with opened({"web": Script()}) as cell:
        service(cell, **mounting(configMap={"name": "c", "optional": True}))
        await cell.advance(2)
        assert files(cell) == {}
        config_map(cell, key="late")
        await cell.advance(1)
        (held,) = cell.runtime.volumes.values()
        assert held == {"v": FileVolume({"key": File(b"late")})}


@on_virtual_time
async def test_what_an_instance_kept_is_discarded_with_it_and_not_with_its_restarts() -> None:
    async with opened({"web": Script(lives=5.0)}) as cell:
        service(cell, **mounting(emptyDir={"medium": "Memory", "sizeLimit": "100M"}))
        await cell.advance(8)
        one, two = cell.runtime.instances[:2]
        assert one.launch.volumes == {"v": EmptyDir(in_memory=True, size_limit=100_000_000)}
        assert one.launch.instance == two.launch.instance
        assert cell.runtime.discarded == []
    assert one.launch.instance in cell.runtime.discarded


def claim(cell: Cell) -> None:
    cell.apply(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "data", "namespace": "default"},
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "1Gi"}},
            },
        }
    )


@on_virtual_time
async def test_an_instance_waits_for_its_claim_whose_storage_goes_with_it() -> None:
    async with opened() as cell:
        flags = ("persistent-volume-claim", "persistent-volume-write")
        features(cell, **{f"kubernetes.podspec-{flag}": "enabled" for flag in flags})
        service(cell, **mounting(persistentVolumeClaim={"claimName": "data"}))
        await cell.advance(5)
        assert not cell.runtime.instances
        claim(cell)
        await cell.advance(2)
        (instance,) = cell.runtime.instances
        assert instance.launch.volumes["v"] == Claimed("knlite.default.data", "default/data")
        cell.runtime.mounted.add("knlite.default.data")
        cell.registry.delete(Key(PersistentVolumeClaim, "default", "data"))
        await cell.advance(1)
        assert cell.runtime.released == ["knlite.default.data"]
        cell.registry.delete(Key(Service, "default", "web"))
        cell.runtime.mounted.clear()
        await cell.advance(400)
        assert cell.runtime.released[1:] == ["knlite.default.data"]
