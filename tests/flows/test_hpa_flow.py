"""The HPA class on virtual time: from what instances use to their number (reference §2.7)."""

from collections.abc import Callable

from knlite.kinds.conditions import is_true
from knlite.kinds.core.hpa import (
    HorizontalPodAutoscaler,
    ScalingRules,
    reference_column,
    targets_column,
)
from knlite.kinds.serving.podautoscaler import PodAutoscaler
from knlite.runtime.port import Usage
from knlite.serving.instance import RevisionName
from tests.flows import documents
from tests.flows.cell import Cell, on_virtual_time, opened

WEB = RevisionName("default", "web-00001")
CLASS = "hpa.autoscaling.knative.dev"
MEBIBYTE = 2**20


def service(cell: Cell, *, cpu: str = "100m", **annotations: str) -> None:
    keys = {f"autoscaling.knative.dev/{k.replace('_', '-')}": v for k, v in annotations.items()}
    container = {"image": "web", "resources": {"requests": {"cpu": cpu} if cpu else {}}}
    annotations = {"autoscaling.knative.dev/class": CLASS, **keys}
    cell.apply(
        documents.service(revision={"annotations": annotations}, pod={"containers": [container]})
    )


def uses(cell: Cell, cores: float = 0.0, memory: int = 0) -> None:
    """Let every instance, also those to come, use that much from now on."""

    def of(since: float) -> Callable[[], Usage]:
        return lambda: Usage(cores * (cell.clock.now() - since), memory)

    for instance in cell.runtime.instances:
        instance.uses = of(cell.clock.now() - 1000)


@on_virtual_time
async def test_it_never_goes_to_zero_and_the_activator_is_out_of_the_path() -> None:
    async with opened() as cell:
        service(cell)
        await cell.advance(2)
        assert cell.ready().status == "True"
        assert cell.requests.modes[WEB] == "Serve"
        await cell.advance(2000)
        assert cell.running() == 1


@on_virtual_time
async def test_busy_instances_get_company_and_idle_ones_lose_it() -> None:
    async with opened() as cell:
        service(cell, metric="cpu", target="50", max_scale="4", window="6s")
        await cell.advance(2)
        uses(cell, cores=0.1)
        await cell.advance(45)
        assert (1, 2) in cell.scales()
        uses(cell, cores=0.0)
        await cell.advance(60)
        assert cell.running() == 1
        assert "% of the cpu request on average" in cell.facts_of_scale()[-1].why


@on_virtual_time
async def test_it_is_shown_as_kubernetes_shows_it() -> None:
    async with opened() as cell:
        service(cell, metric="cpu", target="50", max_scale="4", window="20s")
        await cell.advance(2)
        shown = cell.registry.view.get(HorizontalPodAutoscaler, *WEB)
        assert shown is not None
        assert shown.status.current_metrics == ()
        assert targets_column(shown) == "cpu: <unknown>/50%"
        uses(cell, cores=0.1)
        await cell.advance(45)
        shown = cell.registry.view.get(HorizontalPodAutoscaler, *WEB)
        assert shown is not None
        assert reference_column(shown) == "Deployment/web-00001-deployment"
        assert targets_column(shown) == "cpu: 100%/50%"
        assert (shown.spec.min_replicas, shown.spec.max_replicas) == (1, 4)
        assert shown.status.desired_replicas == 2
        assert shown.spec.behavior is not None
        assert shown.spec.behavior.scale_up == ScalingRules(stabilization_window_seconds=20)
        cell.annotate(WEB, **{"class": "kpa.autoscaling.knative.dev", "metric": ""})
        await cell.advance(1)
        assert cell.registry.view.get(HorizontalPodAutoscaler, *WEB) is None
        assert cell.registry.view.listed(HorizontalPodAutoscaler, "") == []


@on_virtual_time
async def test_memory_is_measured_against_an_amount() -> None:
    async with opened() as cell:
        service(cell, metric="memory", target="100", max_scale="3", cpu="")
        await cell.advance(2)
        uses(cell, memory=250 * MEBIBYTE)
        await cell.advance(16)
        assert cell.running() == 3


@on_virtual_time
async def test_without_a_request_there_is_nothing_to_measure_against() -> None:
    async with opened() as cell:
        service(cell, metric="cpu", target="50", cpu="")
        await cell.advance(2)
        uses(cell, cores=4.0)
        await cell.advance(100)
        assert cell.running() == 1


@on_virtual_time
async def test_bounds_that_are_edited_count_at_once() -> None:
    async with opened() as cell:
        service(cell)
        await cell.advance(2)
        cell.annotate(WEB, min_scale="3")
        await cell.advance(2)
        assert cell.running() == 3


@on_virtual_time
async def test_it_is_ready_only_with_its_initial_scale_and_always_active() -> None:
    async with opened() as cell:
        service(cell, initial_scale="2")
        await cell.advance(0.3)
        found = cell.registry.view.get(PodAutoscaler, *WEB)
        assert found is not None
        assert is_true(found.status.conditions, "Active")
        assert not is_true(found.status.conditions, "ScaleTargetInitialized")
        await cell.advance(2)
        found = cell.registry.view.get(PodAutoscaler, *WEB)
        assert found is not None
        assert is_true(found.status.conditions)
        assert (found.status.actual_scale, found.status.desired_scale) == (2, 2)


@on_virtual_time
async def test_the_class_can_be_changed_while_it_runs() -> None:
    async with opened() as cell:
        service(cell, min_scale="2")
        await cell.advance(2)
        cell.annotate(WEB, **{"class": "kpa.autoscaling.knative.dev", "min_scale": ""})
        await cell.advance(200)
        assert cell.running() == 0
        cell.annotate(WEB, **{"class": CLASS})
        await cell.advance(2)
        assert cell.running() == 1


@on_virtual_time
async def test_an_edit_that_changes_no_bound_is_observed_as_well() -> None:
    async with opened() as cell:
        service(cell)
        await cell.advance(2)
        before = cell.registry.view.get(PodAutoscaler, *WEB)
        service(cell, target="90")
        await cell.advance(5)
        after = cell.registry.view.get(PodAutoscaler, *WEB)
        assert before is not None
        assert after is not None
        assert after.spec.reachability == "Unreachable" != before.spec.reachability
        assert after.status.observed_generation == after.metadata.generation


@on_virtual_time
async def test_a_deleted_one_leaves_nothing_and_nothing_is_looked_at() -> None:
    async with opened() as cell:
        service(cell)
        await cell.advance(2)
        cell.delete_service()
        await cell.advance(5)
        assert cell.running() == 0
        quiet = len(cell.facts)
        await cell.clock.sleep_until(cell.clock.now() + 10_000)
        assert len(cell.facts) == quiet
