"""Conditions while things change: types, reasons, texts (Knative reference §1.8, §1.11)."""

from knlite.kinds.conditions import Condition, find
from knlite.kinds.serving.configuration import Configuration
from knlite.kinds.serving.revision import Revision
from knlite.kinds.serving.route import Route
from knlite.kinds.serving.service import Service
from knlite.runtime.fake import Script
from tests.flows import documents
from tests.flows.cell import Cell, on_virtual_time, opened


def service(cell: Cell, name: str = "", image: str = "web", **spec: object) -> None:
    cell.apply(documents.service(image=image, revision={"name": name} if name else None, **spec))


def condition(cell: Cell, kind: type, name: str, wanted: str) -> tuple[str, str, str]:
    found = cell.registry.view.get(kind, "default", name)
    assert found is not None
    of = find(found.status.conditions, wanted) or Condition(type=wanted, status="Unknown")
    return of.status, of.reason, of.message


@on_virtual_time
async def test_every_object_of_a_service_becomes_ready_under_its_name() -> None:
    async with opened() as cell:
        service(cell)
        await cell.advance(2)
        for kind, name in (
            (Service, "web"), (Configuration, "web"), (Route, "web"), (Revision, "web-00001"),
        ):  # fmt: skip
            assert condition(cell, kind, name, "Ready")[0] == "True", kind
        found = cell.registry.view.get(Service, "default", "web")
        assert found is not None
        assert found.status.url == "http://web.default.localhost:8080"
        assert found.status.address is not None
        assert found.status.address.url == "http://web.default.svc.cluster.local"
        assert [t.revision_name for t in found.status.traffic] == ["web-00001"]
        revision = cell.registry.view.get(Revision, "default", "web-00001")
        assert revision is not None
        assert revision.metadata.labels["serving.knative.dev/routingState"] == "active"
        assert revision.status.container_statuses[0].image_digest.startswith("web@sha256:")


@on_virtual_time
async def test_while_the_first_instance_starts_the_route_waits() -> None:
    async with opened() as cell:
        service(cell)
        await cell.advance(0.2)
        assert condition(cell, Route, "web", "AllTrafficAssigned") == (
            "Unknown",
            "RevisionMissing",
            'Configuration "web" is waiting for a Revision to become ready.',
        )
        assert condition(cell, Revision, "web-00001", "ContainerHealthy")[1] == "Deploying"


@on_virtual_time
async def test_a_revision_at_zero_is_ready_and_not_active() -> None:
    async with opened() as cell:
        service(cell)
        await cell.advance(80)
        assert condition(cell, Revision, "web-00001", "Active") == (
            "False",
            "NoTraffic",
            "The target is not receiving traffic.",
        )
        assert condition(cell, Revision, "web-00001", "Ready")[0] == "True"


@on_virtual_time
async def test_a_second_revision_that_fails_leaves_the_traffic_with_the_first() -> None:
    async with opened({"bad": Script(lives=0.1, booting=9.0, code=7, says=("boom",))}) as cell:
        service(cell)
        await cell.advance(2)
        service(cell, image="bad")
        await cell.advance(3)
        message = 'Revision "web-00002" failed with message: Container failed with: boom.'
        assert condition(cell, Configuration, "web", "Ready") == (
            "False",
            "RevisionFailed",
            message,
        )
        assert condition(cell, Service, "web", "ConfigurationsReady")[1] == "RevisionFailed"
        assert condition(cell, Service, "web", "RoutesReady")[0] == "True"
        assert condition(cell, Revision, "web-00002", "ContainerHealthy") == (
            "False", "ExitCode7", "Container failed with: boom",
        )  # fmt: skip
        assert "web-00001" in str(cell.requests.table.inside().match("web.default", "/", 0.0))


@on_virtual_time
async def test_a_split_with_tags_is_served_under_all_its_hosts() -> None:
    async with opened() as cell:
        service(cell, "web-one")
        await cell.advance(2)
        service(
            cell,
            "web-two",
            traffic=[
                {"revisionName": "web-one", "percent": 60},
                {"revisionName": "web-two", "percent": 40, "tag": "new"},
            ],
        )
        await cell.advance(3)
        table = cell.requests.table
        assert "web-one" in str(table.match("web.default.localhost", "/", 0.59))
        assert "web-two" in str(table.match("web.default.localhost", "/", 0.61))
        assert "web-two" in str(table.match("new-web.default.localhost", "/", 0.0))
        found = cell.registry.view.get(Service, "default", "web")
        assert found is not None
        assert [(t.revision_name, t.percent, t.tag, t.url) for t in found.status.traffic] == [
            ("web-one", 60, "", ""),
            ("web-two", 40, "new", "http://new-web.default.localhost:8080"),
        ]


@on_virtual_time
async def test_a_revision_that_traffic_names_and_nobody_made_is_missing() -> None:
    async with opened() as cell:
        service(cell, traffic=[{"revisionName": "web-none", "percent": 100}])
        await cell.advance(2)
        assert condition(cell, Route, "web", "AllTrafficAssigned") == (
            "False", "RevisionMissing", 'Revision "web-none" referenced in traffic not found.',
        )  # fmt: skip


@on_virtual_time
async def test_a_name_that_another_revision_has_stops_the_migration() -> None:
    async with opened({"other": Script()}) as cell:
        service(cell, "web-one")
        await cell.advance(2)
        service(cell, "web-two", image="other")
        await cell.advance(2)
        service(cell, "web-one", image="other")
        await cell.advance(2)
        assert condition(cell, Service, "web", "RoutesReady") == (
            "False",
            "RevisionNameTaken",
            'The revision name "web-one" is taken by a conflicting Revision, so traffic will not '
            "be migrated",
        )
        assert condition(cell, Configuration, "web", "Ready") == (
            "False",
            "RevisionFailed",
            "Revision creation failed with message: revisions.serving.knative.dev "
            '"web-one" already exists.',
        )


@on_virtual_time
async def test_going_back_to_a_named_revision_is_no_conflict() -> None:
    async with opened({"other": Script()}) as cell:
        service(cell, "web-one")
        await cell.advance(2)
        service(cell, "web-two", image="other")
        await cell.advance(2)
        service(cell, "web-one")
        await cell.advance(3)
        assert condition(cell, Service, "web", "Ready")[0] == "True"
        assert "web-one" in str(cell.requests.table.inside().match("web.default", "/", 0.0))


@on_virtual_time
async def test_cluster_local_services_have_no_name_outside() -> None:
    async with opened() as cell:
        hidden = {"networking.knative.dev/visibility": "cluster-local"}
        cell.apply(documents.service(metadata={"labels": hidden}))
        await cell.advance(2)
        found = cell.registry.view.get(Service, "default", "web")
        assert found is not None
        assert found.status.url == "http://web.default.svc.cluster.local"
        assert "Nowhere" in str(cell.requests.table.match("web.default.localhost", "/", 0.0))
        assert "web-00001" in str(cell.requests.table.inside().match("web.default", "/", 0.0))
