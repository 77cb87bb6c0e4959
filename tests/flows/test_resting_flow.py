"""Scale to zero when somebody asks for it: at once, and never while a request needs an instance."""

import anyio
import pytest

from knlite.controlplane.resting import Resting
from knlite.errors import Conflict, NotFound
from knlite.facts import InstanceChanged
from knlite.runtime.fake import Script
from knlite.serving.instance import RevisionName, Sample
from knlite.serving.levels import RevisionLoad
from tests.flows.cell import Cell, on_virtual_time, opened

FIRST = RevisionName("default", "web-00001")


def resting(cell: Cell, active: int = 0) -> Resting:
    load = RevisionLoad(
        namespace="default", service="web", revision="web-00001", queued=0, active=active,
        concurrency=0.0,
    )  # fmt: skip
    made = Resting(cell.registry, cell.autoscaler, cell.supervisor.counts, lambda: [load])
    cell.readers.append(lambda fact: made.read(fact) if isinstance(fact, InstanceChanged) else None)
    return made


@on_virtual_time
async def test_a_service_rests_at_once_and_the_next_request_starts_one_instance() -> None:
    async with opened() as cell:
        cell.service()
        cell.requests.load[FIRST] = 300.0
        await cell.advance(10)
        assert cell.running() > 1
        cell.requests.load[FIRST] = 0.0
        began = cell.clock.now()
        await resting(cell).rest("default", "web")
        assert cell.running() == 0
        assert cell.clock.now() - began < 1
        assert cell.facts_of_scale()[-1].desired == 0
        assert cell.requests.modes.get(FIRST, "Proxy") == "Proxy"
        await cell.advance(30)
        assert cell.running() == 0
        assert cell.ready().status == "True"
        cell.request()
        await cell.advance(1)
        # The load before the rest does not count any more.
        assert cell.running() == 1


@on_virtual_time
async def test_two_services_may_rest_at_the_same_time() -> None:
    async with opened({"slow": Script(booting=0.5, stopping=1.0)}) as cell:
        cell.service()
        cell.service("slow", "slow")
        await cell.advance(5)
        made = resting(cell)
        with anyio.fail_after(10):
            async with anyio.create_task_group() as group:
                group.start_soon(made.rest, "default", "slow")
                group.start_soon(made.rest, "default", "web")
        assert cell.running() == 0


@on_virtual_time
async def test_the_load_of_its_last_second_does_not_bring_it_back() -> None:
    async with opened() as cell:
        cell.service()
        cell.requests.load[FIRST] = 5.0
        await cell.advance(10)
        await resting(cell).rest("default", "web")
        # The activator tells of a second when it is over.
        cell.autoscaler.demand(FIRST, Sample(5.0, 5.0))
        cell.requests.load[FIRST] = 0.0
        # What has the scale decided on anew.
        cell.annotate(FIRST, target="7")
        await cell.advance(5)
        assert cell.running() == 0


@on_virtual_time
async def test_a_service_that_rests_already_is_left_alone() -> None:
    async with opened() as cell:
        cell.service()
        await cell.advance(100)
        assert cell.running() == 0
        decided = len(cell.facts_of_scale())
        await resting(cell).rest("default", "web")
        assert len(cell.facts_of_scale()) == decided


@on_virtual_time
async def test_a_request_under_way_is_not_cut_off() -> None:
    async with opened() as cell:
        cell.service()
        await cell.advance(5)
        with pytest.raises(Conflict, match="2 requests are under way"):
            await resting(cell, active=2).rest("default", "web")
        assert cell.running() == 1


@on_virtual_time
async def test_what_may_not_be_without_an_instance_says_why() -> None:
    async with opened() as cell:
        with pytest.raises(NotFound, match="there is no service web in namespace default"):
            await resting(cell).rest("default", "web")
        cell.service(min_scale="2")
        await cell.advance(5)
        with pytest.raises(Conflict, match="min-scale is 2"):
            await resting(cell).rest("default", "web")
        cell.service("other", **{"class": "hpa.autoscaling.knative.dev"})
        await cell.advance(5)
        with pytest.raises(Conflict, match="HPA"):
            await resting(cell).rest("default", "other")


@on_virtual_time
async def test_an_instance_that_starts_is_not_taken_away() -> None:
    async with opened() as cell:
        cell.service()
        await cell.advance(0.2)
        with pytest.raises(Conflict, match="still starting"):
            await resting(cell).rest("default", "web")
        await cell.advance(2)
        assert cell.running() == 1
