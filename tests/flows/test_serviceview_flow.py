"""What the page of a service is told, of a service that lives."""

import msgspec
import pytest

from knlite.console.revisionview import Known
from knlite.console.serviceview import service_detail, service_rows
from knlite.errors import NotFound
from knlite.facts import Fact
from knlite.kinds.serving.revision import Revision
from knlite.runtime.fake import Script
from knlite.runtime.port import Exit
from knlite.telemetry.scalehistory import ScaleHistory
from tests.flows import documents
from tests.flows.cell import Cell, on_virtual_time, opened

SERVING = {"apiVersion": "serving.knative.dev/v1"}


def named(name: str, **spec: object) -> dict[str, object]:
    return {"metadata": {"name": name, "namespace": "default"}, "spec": spec}


def told(revision: Revision) -> str:
    return f"image {revision.metadata.name}"


def nothing() -> Known:
    return Known(history=ScaleHistory(), origin=told, scale=lambda _: None)


def history(cell: Cell) -> ScaleHistory:
    found = ScaleHistory()

    def read(fact: Fact) -> None:
        found.read(fact)

    cell.readers.append(read)
    return found


@on_virtual_time
async def test_a_service_is_told_with_its_revisions_traffic_and_instances() -> None:
    async with opened() as cell:
        known = Known(history=history(cell), origin=told, scale=cell.autoscaler.scale)
        cell.service(min_scale="2", max_scale="5", target="10")
        await cell.advance(5)
        cell.apply(
            documents.service(
                revision={"annotations": {"autoscaling.knative.dev/min-scale": "1"}},
                traffic=[
                    {"revisionName": "web-00001", "percent": 70, "tag": "old"},
                    {"latestRevision": True, "percent": 30},
                ],
            )
        )
        await cell.advance(5)
        (row,) = service_rows(cell.registry.view)
        assert (row.kind, row.name, row.ready, row.revisions) == ("Service", "web", "True", 2)
        detail = service_detail(cell.registry.view, "default", "web", known)
        assert detail.service == row
        assert [(each.revision, each.percent, each.latest) for each in row.traffic] == [
            ("web-00001", 70, False),
            ("web-00002", 30, True),
        ]
        new, old = detail.revisions
        assert (new.name, old.name) == ("web-00002", "web-00001")
        assert (old.percent, old.tags, old.actual) == (70, ["old"], 2)
        assert (old.scaling.min_scale, old.scaling.max_scale) == (2, 5)
        assert (old.scaling.metric, old.scaling.target) == ("concurrency", 7.0)
        assert old.decisions[-1].desired == 2
        assert old.decisions[-1].why
        assert old.origin == "image web-00001"
        # Two that can carry ten each, less what a burst may bring.
        assert old.excess == 2 * 10 - 211
        assert sorted(each.revision for each in detail.instances) == [
            "web-00001",
            "web-00001",
            "web-00002",
        ]
        assert all(each.ready and each.state == "Running" for each in detail.instances)
        # What is to be written back is what was written.
        assert list(msgspec.to_builtins(detail.wanted)) == [
            {"revisionName": "web-00001", "latestRevision": False, "percent": 70, "tag": "old"},
            {"latestRevision": True, "percent": 30},
        ]
        assert msgspec.json.encode(detail)


@on_virtual_time
async def test_an_instance_tells_how_it_ended_last() -> None:
    async with opened({"web": Script(booting=0.5)}) as cell:
        cell.service(min_scale="1")
        await cell.advance(5)
        cell.runtime.instances[-1].end(Exit(137, "user-container", oom=True))
        await cell.advance(5)
        detail = service_detail(cell.registry.view, "default", "web", nothing())
        (instance,) = detail.instances
        assert instance.restarts == 1
        assert instance.last_exit is not None
        assert (instance.last_exit.exit_code, instance.last_exit.reason) == (137, "OOMKilled")


@on_virtual_time
async def test_a_route_of_its_own_stands_beside_the_services() -> None:
    async with opened() as cell:
        template = {"spec": {"containers": [{"image": "web"}]}}
        cell.apply({**SERVING, "kind": "Configuration", **named("job", template=template)})
        traffic = [{"configurationName": "job", "percent": 100}]
        cell.apply({**SERVING, "kind": "Route", **named("door", traffic=traffic)})
        await cell.advance(5)
        (row,) = service_rows(cell.registry.view)
        assert (row.kind, row.name, row.url) == (
            "Route",
            "door",
            "http://door.default.localhost:8080",
        )
        detail = service_detail(cell.registry.view, "default", "door", nothing())
        assert [each.name for each in detail.revisions] == ["job-00001"]
        assert detail.revisions[0].percent == 100


@on_virtual_time
async def test_there_is_no_page_of_a_service_that_does_not_exist() -> None:
    async with opened() as cell:
        with pytest.raises(NotFound, match="no service nix"):
            service_detail(cell.registry.view, "default", "nix", nothing())
