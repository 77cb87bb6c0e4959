"""A later run goes on with the objects that an earlier one has kept, on virtual time."""

from knlite.kinds.serving.podautoscaler import PodAutoscaler
from knlite.kinds.serving.service import Service
from knlite.serving.instance import RevisionName
from tests.flows import documents
from tests.flows.cell import Cell, on_virtual_time, opened

WEB = RevisionName("default", "web-00001")
DURATION = "serving.knative.dev/rollout-duration"
HPA = {"class": "hpa.autoscaling.knative.dev"}


def shares(cell: Cell) -> dict[str, int]:
    service = cell.registry.view.get(Service, "default", "web")
    assert service is not None
    return {each.revision_name: each.percent or 0 for each in service.status.traffic}


def slowly(cell: Cell, image: str) -> None:
    cell.apply(documents.service(image=image, metadata={"annotations": {DURATION: "60s"}}))


@on_virtual_time
async def test_a_gradual_rollout_goes_on_where_it_was() -> None:
    async with opened() as cell:
        slowly(cell, "web")
        await cell.advance(3)
        slowly(cell, "web:2")
        await cell.advance(30)
        before = shares(cell)["web-00002"]
        kept = tuple(cell.kept.values())
    assert 30 < before < 70
    async with opened(kept=kept) as cell:
        await cell.advance(2)
        assert before <= shares(cell)["web-00002"] < before + 10
        await cell.advance(60)
        assert shares(cell) == {"web-00002": 100}
        assert cell.ready().status == "True"


@on_virtual_time
async def test_what_was_at_zero_stays_there() -> None:
    async with opened() as cell:
        cell.service()
        await cell.advance(200)
        assert cell.running() == 0
        kept = tuple(cell.kept.values())
    async with opened(kept=kept) as cell:
        await cell.advance(10)
        assert cell.runtime.instances == []
        assert cell.ready().status == "True"


@on_virtual_time
async def test_the_hpa_class_has_as_many_instances_as_before() -> None:
    async with opened() as cell:
        cell.service(min_scale="3", **HPA)
        await cell.advance(3)
        cell.annotate(WEB, min_scale="")
        await cell.advance(3)
        assert cell.running() == 3
        kept = tuple(cell.kept.values())
    async with opened(kept=kept) as cell:
        await cell.advance(3)
        assert cell.running() == 3
        found = cell.registry.view.get(PodAutoscaler, *WEB)
        assert found is not None
        assert found.status.desired_scale == 3
