"""From objects to the routing table, on virtual time (Knative reference §5.3, §5.4, §1.4)."""

from collections.abc import Sequence

from knlite.kinds.serving.ingress import Ingress
from knlite.serving.instance import RevisionName, RevisionSettings
from knlite.serving.routing import Backends
from tests.flows import documents
from tests.flows.cell import Cell, on_virtual_time, opened


def service(cell: Cell, image: str, traffic: Sequence[object] = (), port: str = "http1") -> None:
    container = {"image": image, "ports": [{"name": port, "containerPort": 8080}]}
    spec = {"traffic": list(traffic)} if traffic else {}
    cell.apply(documents.service(pod={"containers": [container]}, **spec))


def tags_by_header(cell: Cell, value: str) -> None:
    cell.apply(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "config-features", "namespace": "knative-serving"},
            "data": {"tag-header-based-routing": value},
        }
    )


def behind(cell: Cell, host: str) -> Backends:
    found = cell.requests.table.find(f"{host}.default.localhost:8080".encode())
    assert found is not None
    return found


def draw() -> float:
    return 0.5


SPLIT = (
    {"revisionName": "web-00001", "percent": 100, "tag": "old"},
    {"latestRevision": True, "percent": 0, "tag": "new"},
)


@on_virtual_time
async def test_tags_by_header_follow_the_feature_without_a_restart() -> None:
    async with opened() as cell:
        service(cell, "web")
        await cell.advance(2)
        service(cell, "web:2", SPLIT)
        await cell.advance(5)
        assert behind(cell, "web").pick(draw).name == "web-00001"
        assert behind(cell, "new-web").pick(draw).name == "web-00002"
        assert not behind(cell, "web").append
        assert not behind(cell, "new-web").append

        tags_by_header(cell, "Enabled")
        await cell.advance(1)
        main = behind(cell, "web")
        assert main.append == ((b"Knative-Serving-Default-Route", b"true"),)
        assert main.under(b"new").pick(draw).name == "web-00002"
        assert main.under(b"old").pick(draw).name == "web-00001"
        assert main.under(b"none").pick(draw).name == "web-00001"
        assert behind(cell, "new-web").append == ((b"Knative-Serving-Tag", b"new"),)
        (ingress,) = cell.registry.view.listed(Ingress, "default")
        first = ingress.spec.rules[0]
        assert [path.headers["Knative-Serving-Tag"].exact for path in first.paths] == ["old", "new"]
        assert cell.ready().status == "True"

        tags_by_header(cell, "Disabled")
        await cell.advance(1)
        assert not behind(cell, "web").append
        assert not behind(cell, "web").tags


@on_virtual_time
async def test_allowed_is_not_enabled() -> None:
    async with opened() as cell:
        tags_by_header(cell, "Allowed")
        service(cell, "web")
        await cell.advance(2)
        assert not behind(cell, "web").append


@on_virtual_time
async def test_the_data_plane_knows_what_a_revision_speaks_and_is_stamped_from() -> None:
    async with opened() as cell:
        service(cell, "web", port="h2c")
        await cell.advance(2)
        name = RevisionName("default", "web-00001")
        assert cell.requests.settings[name] == RevisionSettings(
            service="web", configuration="web", protocol="h2c", timeout=300.0
        )
        service(cell, "web:2")
        await cell.advance(2)
        later = cell.requests.settings[RevisionName("default", "web-00002")]
        assert later is not None
        assert later.protocol == "http1"
