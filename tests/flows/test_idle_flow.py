"""Idle tiers through the whole control plane: what becomes of instances at zero, and wakes them."""

from collections.abc import Callable

import pytest

from knlite.facts import InstanceChanged, Notice
from knlite.kinds.core.pod import Pod, status_column
from knlite.kinds.serving.service import Service
from knlite.reconcile import Key
from knlite.runtime.fake import Script
from knlite.runtime.port import Exit, Usage
from knlite.serving.instance import RevisionName
from knlite.serving.levels import InstanceCounts
from tests.flows import documents
from tests.flows.cell import Cell, on_virtual_time, opened

WEB = RevisionName("default", "web-00001")
FAST = {"scale-to-zero-grace-period": "1s", "stable-window": "6s"}
UNTIL_ZERO = 30.0


def idle(cell: Cell, tier: str, name: str = "web", image: str = "", **scaling: str) -> None:
    keys = {f"autoscaling.knative.dev/{k.replace('_', '-')}": v for k, v in scaling.items()}
    annotations = {"knlite.dev/idle": tier, **keys}
    cell.apply(documents.service(name, image=image, revision={"annotations": annotations}))


def states(cell: Cell, revision: str = "web-00001") -> list[str]:
    return [
        fact.state
        for fact in cell.facts
        if isinstance(fact, InstanceChanged) and fact.revision == revision
    ]


def endpoints(cell: Cell) -> int:
    return len(cell.requests.endpoints.get(WEB, ()))


async def at_zero(cell: Cell, tier: str = "freeze") -> None:
    idle(cell, tier)
    await cell.advance(UNTIL_ZERO)
    assert endpoints(cell) == 0


@on_virtual_time
async def test_the_last_instance_is_frozen_and_the_next_request_thaws_it() -> None:
    async with opened({"web": Script(booting=0.5, usage=Usage(1.0, 2**20))}, FAST) as cell:
        await at_zero(cell)
        (instance,) = cell.runtime.instances
        assert instance.frozen
        assert cell.supervisor.counts(WEB) == InstanceCounts(frozen=1)
        assert "holds 1 MiB" in [f.why for f in cell.facts if isinstance(f, InstanceChanged)]

        asked = cell.clock.now()
        cell.request()
        await cell.advance(0.001)
        (endpoint,) = cell.requests.endpoints[WEB]
        assert not instance.frozen
        assert endpoint.birth is not None
        assert endpoint.birth.how == "thawed"
        assert endpoint.birth.ordered == asked == endpoint.birth.ready
        assert len(cell.runtime.instances) == 1
        assert states(cell)[-2:] == ["frozen", "thawed"]

        await cell.advance(UNTIL_ZERO)
        assert instance.frozen, "and once more"


@on_virtual_time
async def test_a_frozen_instance_is_shown_as_frozen() -> None:
    async with opened(config=FAST) as cell:
        await at_zero(cell)
        (pod,) = cell.registry.view.listed(Pod, "default")
        ready = next(each for each in pod.status.conditions if each.type == "Ready")
        assert (ready.status, ready.reason) == ("False", "Frozen")
        assert status_column(pod) == "Frozen"
        assert pod.status.container_statuses[0].state.running is not None
        assert cell.ready().status == "True", "as every service at zero"

        cell.request()
        await cell.advance(1.0)
        (pod,) = cell.registry.view.listed(Pod, "default")
        assert status_column(pod) == "Running"


@on_virtual_time
async def test_a_stopped_instance_is_started_again_under_its_name() -> None:
    async with opened(config=FAST) as cell:
        await at_zero(cell, "stop")
        (first,) = cell.runtime.instances
        assert not first.accepts
        assert cell.runtime.discarded == []
        (pod,) = cell.registry.view.listed(Pod, "default")
        assert status_column(pod) == "Stopped"

        cell.request()
        await cell.advance(1.0)
        second = cell.runtime.instances[1]
        assert second.launch.instance == first.launch.instance
        assert endpoints(cell) == 1
        (pod,) = cell.registry.view.listed(Pod, "default")
        assert pod.status.container_statuses[0].restart_count == 0


@on_virtual_time
async def test_nobody_waits_for_one_that_takes_its_time_to_stop() -> None:
    async with opened({"web": Script(booting=0.5, stopping=20.0)}, FAST) as cell:
        await at_zero(cell, "stop")
        assert cell.supervisor.counts(WEB) == InstanceCounts(), "it has been stopped by now"
        cell.request()
        await cell.advance(1.0)
        cell.autoscaler.rest(WEB, "the test says so")
        await cell.advance(1.0)
        cell.request()
        await cell.advance(1.0)
        assert cell.supervisor.counts(WEB) == InstanceCounts(ready=1, terminating=1)
        assert len({one.launch.instance for one in cell.runtime.instances}) == 2


@on_virtual_time
async def test_without_the_annotation_nothing_is_kept() -> None:
    async with opened(config=FAST) as cell:
        await at_zero(cell, "remove")
        assert cell.running() == 0
        assert cell.supervisor.counts(WEB) == InstanceCounts()


@on_virtual_time
async def test_a_request_that_comes_while_it_is_drained_has_it_at_once() -> None:
    async with opened(config=FAST) as cell:
        idle(cell, "freeze")
        cell.requests.busy = True
        await cell.advance(UNTIL_ZERO)
        (instance,) = cell.runtime.instances
        assert not instance.frozen
        assert endpoints(cell) == 0

        cell.request()
        await cell.advance(0.001)
        assert endpoints(cell) == 1
        assert "frozen" not in states(cell)


@on_virtual_time
async def test_a_request_that_comes_before_anybody_saw_that_it_was_given_up_has_it() -> None:
    async with opened(config=FAST) as cell:
        idle(cell, "freeze")
        await cell.advance(3.0)
        for _ in range(3):
            cell.autoscaler.rest(WEB, "the test says so")
            cell.request()
            await cell.advance(0.001)
            assert endpoints(cell) == 1
            assert len(cell.runtime.instances) == 1


@on_virtual_time
async def test_a_request_that_comes_while_it_is_being_frozen_has_it_right_after() -> None:
    script = Script(booting=0.5, freezing=0.02, thawing=0.01)
    async with opened({"web": script}, FAST) as cell:
        idle(cell, "freeze")
        cell.requests.busy = True
        await cell.advance(UNTIL_ZERO)
        (instance,) = cell.runtime.instances
        cell.requests.draining.pop()[1]()
        await cell.clock.sleep_until(cell.clock.now() + 0.01)
        cell.request()
        await cell.clock.sleep_until(cell.clock.now() + 0.0199)
        assert endpoints(cell) == 0
        await cell.clock.sleep_until(cell.clock.now() + 0.0002)
        assert endpoints(cell) == 1
        assert instance.accepts
        assert len(cell.runtime.instances) == 1


@on_virtual_time
async def test_one_that_dies_while_frozen_is_followed_by_a_cold_start() -> None:
    async with opened(config=FAST) as cell:
        await at_zero(cell)
        cell.runtime.instances[0].end(Exit(137))
        await cell.advance(1.0)
        assert cell.supervisor.counts(WEB) == InstanceCounts()
        assert not cell.registry.view.listed(Pod, "default")
        assert len(cell.runtime.instances) == 1, "nobody wants another one"

        cell.request()
        await cell.advance(1.0)
        assert endpoints(cell) == 1
        assert cell.requests.failures == []


@on_virtual_time
async def test_one_that_dies_as_a_request_comes_is_started_again_at_once() -> None:
    async with opened(config=FAST) as cell:
        await at_zero(cell)
        cell.request()
        cell.runtime.instances[0].end(Exit(137))
        await cell.advance(1.0)
        assert endpoints(cell) == 1
        assert cell.requests.failures == []


@pytest.mark.parametrize("how", ["splice", "unfreezable"])
def test_what_cannot_be_frozen_ends(how: str) -> None:
    @on_virtual_time
    async def test() -> None:
        script = Script(booting=0.5, freezes=how != "unfreezable")
        async with opened({"web": script}, FAST) as cell:
            cell.requests.spliced = how == "splice"
            await at_zero(cell)
            assert cell.running() == 0
            assert "frozen" not in states(cell)
            told = [fact.text for fact in cell.facts if isinstance(fact, Notice)]
            assert any("cannot be frozen" in text for text in told) == (how == "unfreezable")
            assert cell.supervisor.counts(WEB) == InstanceCounts()

    test()


@on_virtual_time
async def test_a_request_that_comes_while_it_turns_out_that_it_cannot_be_frozen_has_it() -> None:
    script = Script(booting=0.5, freezing=0.02, freezes=False)
    async with opened({"web": script}, FAST) as cell:
        idle(cell, "freeze")
        await cell.advance(3.0)
        cell.autoscaler.rest(WEB, "the test says so")
        await cell.clock.sleep_until(cell.clock.now() + 0.01)
        cell.request()
        await cell.clock.sleep_until(cell.clock.now() + 0.011)
        assert endpoints(cell) == 1
        assert len(cell.runtime.instances) == 1


def _delete(cell: Cell) -> None:
    cell.delete_service()


def _supersede(cell: Cell) -> None:
    cell.service(image="other")


def _delete_pod(cell: Cell) -> None:
    (pod,) = cell.registry.view.listed(Pod, "default")
    cell.registry.delete(Key(Pod, "default", pod.metadata.name))


@pytest.mark.parametrize(
    "do", [_delete, _supersede, _delete_pod], ids=["deleted", "superseded", "pod deleted"]
)
def test_a_frozen_instance_goes_with_what_it_was_kept_for(do: Callable[[Cell], None]) -> None:
    @on_virtual_time
    async def test() -> None:
        async with opened({"other": Script(booting=0.5)}, FAST) as cell:
            await at_zero(cell)
            (frozen,) = cell.runtime.instances
            do(cell)
            await cell.advance(UNTIL_ZERO)
            assert not frozen.frozen
            assert not frozen.accepts
            assert cell.supervisor.counts(WEB) == InstanceCounts()
            assert frozen.launch.instance in cell.runtime.discarded

    test()


@on_virtual_time
async def test_several_are_kept_and_thawed_as_they_are_wanted() -> None:
    async with opened(config=FAST) as cell:
        await at_zero(cell)
        for wanted in (3, 0, 2, 4):
            cell.supervisor.set_desired(WEB, wanted)
            await cell.clock.sleep_until(cell.clock.now() + 1.0)
            counts = cell.supervisor.counts(WEB)
            assert counts == InstanceCounts(ready=wanted, frozen=max(0, 3 - wanted))
        assert len(cell.runtime.instances) == 4, "the three that were kept, and one more"


@on_virtual_time
async def test_too_many_instances_are_not_frozen_but_removed() -> None:
    async with opened(config=FAST) as cell:
        idle(cell, "freeze", min_scale="1", initial_scale="3")
        await cell.advance(UNTIL_ZERO)
        assert endpoints(cell) == 1
        assert cell.supervisor.counts(WEB) == InstanceCounts(ready=1)


@on_virtual_time
async def test_frozen_instances_stay_within_the_memory_that_they_may_hold() -> None:
    large = Usage(1.0, 600 * 2**20)
    scripts = {"dear": Script(booting=5.0, usage=large), "cheap": Script(booting=0.1, usage=large)}
    async with opened(scripts, FAST) as cell:
        idle(cell, "freeze", "one", "dear")
        await cell.advance(UNTIL_ZERO)
        idle(cell, "freeze", "two", "cheap")
        await cell.advance(UNTIL_ZERO)
        one, two = cell.runtime.instances
        assert one.frozen
        assert not two.frozen
        assert two.launch.instance in cell.runtime.discarded
        assert any("1.0 GiB" in f.text for f in cell.facts if isinstance(f, Notice))
        service = cell.registry.view.get(Service, "default", "two")
        assert service is not None
        assert cell.ready("two").status == "True", "it is at zero as any other"


@on_virtual_time
async def test_what_a_runtime_keeps_for_quick_starts_counts_as_well() -> None:
    script = Script(booting=0.5, usage=Usage(1.0, 600 * 2**20))
    async with opened({"web": script}, FAST) as cell:
        cell.runtime.warmed = 500 * 2**20
        await at_zero(cell)
        assert cell.supervisor.counts(WEB) == InstanceCounts()


@on_virtual_time
async def test_probes_rest_with_the_instance_and_go_on_after_it() -> None:
    async with opened(config=FAST) as cell:
        await at_zero(cell)
        cell.unwell["Readiness", "user-container"] = "overloaded"
        await cell.advance(300.0)
        assert cell.supervisor.counts(WEB) == InstanceCounts(frozen=1)
        cell.request()
        await cell.advance(0.001)
        assert endpoints(cell) == 1, "no probe comes before the request"
        cell.requests.load[WEB] = 1.0
        await cell.advance(60.0)
        assert endpoints(cell) == 0, "but later they do"


@on_virtual_time
async def test_a_frozen_instance_ends_with_the_run() -> None:
    async with opened(config=FAST) as cell:
        await at_zero(cell)
        (instance,) = cell.runtime.instances
    assert not instance.frozen
    assert not instance.accepts
