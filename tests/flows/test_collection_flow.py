"""Revisions that nobody needs go by themselves (Knative reference §1.12, §7.5)."""

from datetime import timedelta

from knlite.kinds.labels import ROUTING_STATE
from knlite.kinds.serving.podautoscaler import PodAutoscaler
from knlite.kinds.serving.revision import Revision
from tests.flows.cell import Cell, on_virtual_time, opened


def gc(cell: Cell, **data: str) -> None:
    cell.apply(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "config-gc", "namespace": "knative-serving"},
            "data": {key.replace("_", "-"): value for key, value in data.items()},
        }
    )


def revisions(cell: Cell) -> dict[str, str]:
    return {
        each.metadata.name: each.metadata.labels[ROUTING_STATE]
        for each in cell.registry.view.listed(Revision, "default")
    }


@on_virtual_time
async def test_a_replaced_revision_goes_when_its_time_has_come_and_not_before() -> None:
    async with opened() as cell:
        cell.service()
        await cell.advance(3)
        cell.service(image="web:2")
        await cell.advance(3)
        assert revisions(cell) == {"web-00001": "reserve", "web-00002": "active"}
        # The change is noticed at once, and the end of the time needs no other event.
        gc(
            cell,
            retain_since_create_time="5s",
            retain_since_last_active_time="30s",
            min_non_active_revisions="0",
        )
        await cell.advance(20)
        assert len(revisions(cell)) == 2
        await cell.advance(15)
        assert revisions(cell) == {"web-00002": "active"}
        names = [each.metadata.name for each in cell.registry.view.listed(PodAutoscaler, "default")]
        assert names == ["web-00002"]
        assert cell.ready().status == "True"


@on_virtual_time
async def test_with_what_is_shipped_a_few_old_revisions_stay_for_ever() -> None:
    async with opened() as cell:
        for number in range(3):
            cell.service(image=f"web:{number}")
            await cell.advance(3)
        await cell.clock.sleep_until(cell.clock.now() + timedelta(hours=20).total_seconds())
        assert len(revisions(cell)) == 3
