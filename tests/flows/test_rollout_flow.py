"""A gradual rollout from the new revision to its end, on virtual time (reference §5.5, §7.5)."""

import json
from typing import Any

from knlite.kinds.conditions import find
from knlite.kinds.serving.ingress import Ingress
from knlite.kinds.serving.route import Route
from knlite.kinds.serving.service import Service
from knlite.runtime.fake import Script
from tests.flows import documents
from tests.flows.cell import Cell, on_virtual_time, opened

DURATION = "serving.knative.dev/rollout-duration"


def service(cell: Cell, image: str, duration: str = "60s", **spec: Any) -> None:
    annotations = {DURATION: duration} if duration else {}
    cell.apply(documents.service(image=image, metadata={"annotations": annotations}, **spec))


def traffic(cell: Cell) -> list[tuple[str, int | None]]:
    found = cell.registry.view.get(Service, "default", "web")
    assert found is not None
    return [(each.revision_name, each.percent) for each in found.status.traffic]


def reason(cell: Cell) -> str:
    route = cell.registry.view.get(Route, "default", "web")
    assert route is not None
    ready = find(route.status.conditions, "IngressReady")
    assert ready is not None
    return ready.reason if ready.status == "Unknown" else ready.status


def served(cell: Cell) -> dict[str, int]:
    """Percents by revision, as the data plane knows them."""
    found = cell.requests.table.find(b"web.default.localhost")
    assert found is not None
    shares, before = {}, 0
    for revision, bound in zip(found.revisions, found.bounds, strict=True):
        shares[revision.name] = bound - before
        before = bound
    return shares


@on_virtual_time
async def test_a_minute_of_steps_moves_all_requests_to_the_new_revision() -> None:
    async with opened({"web": Script(booting=5)}) as cell:
        service(cell, "web")
        await cell.advance(10)
        assert cell.ready().status == "True"
        assert served(cell) == {"web-00001": 100}
        service(cell, "web:2")
        await cell.advance(6)
        assert reason(cell) == "RolloutInProgress"
        assert cell.ready().reason == "RolloutInProgress"
        seen = []
        for _ in range(80):
            if seen[-1:] != [traffic(cell)]:
                seen.append(traffic(cell))
            if cell.ready().status != "True":
                assert sum(share or 0 for _, share in traffic(cell)) == 100
                assert served(cell) == dict(traffic(cell))
            await cell.advance(1)
        assert seen[0] in (
            [("web-00001", 99), ("web-00002", 1)],
            [("web-00001", 97), ("web-00002", 3)],
        )
        assert all(len(each) == 2 for each in seen[:-1])
        shares = [each[-1][1] or 0 for each in seen]
        assert shares == sorted(shares)
        assert len(shares) > 40
        assert seen[-1] == [("web-00002", 100)]
        assert cell.ready().status == "True"
        assert served(cell) == {"web-00002": 100}


@on_virtual_time
async def test_a_newer_revision_midway_takes_over() -> None:
    async with opened() as cell:
        service(cell, "web")
        await cell.advance(3)
        service(cell, "web:2")
        await cell.advance(30)
        assert 20 < served(cell)["web-00002"] < 80
        service(cell, "web:3")
        await cell.advance(3)
        shares = served(cell)
        assert set(shares) == {"web-00001", "web-00002", "web-00003"}
        assert shares["web-00003"] < 10
        # The newest before it is drained first.
        await cell.advance(20)
        assert served(cell)["web-00001"] == shares["web-00001"]
        await cell.advance(60)
        assert served(cell) == {"web-00003": 100}
        assert cell.ready().status == "True"


@on_virtual_time
async def test_the_state_of_a_rollout_is_in_its_ingress() -> None:
    async with opened() as cell:
        service(cell, "web")
        await cell.advance(3)
        service(cell, "web:2")
        await cell.advance(20)
        (ingress,) = cell.registry.view.listed(Ingress, "default")
        state = json.loads(ingress.metadata.annotations["networking.internal.knative.dev/rollout"])
        (only,) = state["configurations"]
        assert only["configurationName"] == "web"
        assert only["percent"] == 100
        assert [each["revisionName"] for each in only["revisions"]] == ["web-00001", "web-00002"]
        assert only["stepParams"]["stepDuration"] == 1_000_000_000


@on_virtual_time
async def test_a_revision_that_fails_begins_no_rollout() -> None:
    async with opened({"bad": Script(booting=5, lives=0.1)}) as cell:
        service(cell, "web")
        await cell.advance(3)
        service(cell, "bad")
        await cell.advance(30)
        assert served(cell) == {"web-00001": 100}
        assert traffic(cell) == [("web-00001", 100)]


@on_virtual_time
async def test_the_duration_for_all_is_in_config_network() -> None:
    async with opened() as cell:
        cell.apply(
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "config-network", "namespace": "knative-serving"},
                "data": {"rollout-duration": "30"},
            }
        )
        service(cell, "web", duration="")
        await cell.advance(3)
        service(cell, "web:2", duration="")
        await cell.advance(15)
        assert reason(cell) == "RolloutInProgress"
        await cell.advance(30)
        assert reason(cell) == "True"


@on_virtual_time
async def test_pinned_shares_and_new_tags_are_given_at_once() -> None:
    async with opened() as cell:
        service(cell, "web")
        await cell.advance(3)
        split = [
            {"revisionName": "web-00001", "percent": 40},
            {"latestRevision": True, "percent": 60, "tag": "new"},
        ]
        service(cell, "web:2")
        await cell.advance(90)
        service(cell, "web:2", traffic=split)
        await cell.advance(1)
        tag = cell.requests.table.find(b"new-web.default.localhost")
        assert tag is not None
        assert [each.name for each in tag.revisions] == ["web-00002"]
        assert served(cell) == {"web-00001": 40, "web-00002": 60}
        assert cell.ready().status == "True"
