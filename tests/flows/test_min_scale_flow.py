"""Minimum and initial scale, as upstream's e2e tests see them (Knative reference §2.6, §7.5)."""

from knlite.kinds.conditions import Condition, find, is_true
from knlite.kinds.serving.revision import Revision
from knlite.kinds.serving.service import Service
from knlite.reconcile import Key
from knlite.runtime.fake import Script
from knlite.serving.instance import RevisionName
from tests.flows.cell import Cell, on_virtual_time, opened

FIRST, SECOND = RevisionName("default", "web-00001"), RevisionName("default", "web-00002")
SLOW = {"slow": Script(booting=20.0)}


def ready(cell: Cell, revision: RevisionName) -> int:
    return len(cell.requests.endpoints.get(revision, ()))


def condition(cell: Cell, name: str, revision: RevisionName = FIRST) -> Condition:
    found = cell.registry.view.get(Revision, *revision)
    assert found is not None
    return find(found.status.conditions, name) or Condition(type=name, status="Unknown")


@on_virtual_time
async def test_min_scale_has_to_be_reached_before_it_is_ready_and_goes_with_the_route() -> None:
    async with opened() as cell:
        cell.service(min_scale="4")
        await cell.advance(0.25)
        assert cell.ready().status == "Unknown"
        await cell.advance(1)
        assert ready(cell, FIRST) == 4
        assert cell.ready().status == "True"
        await cell.advance(300)
        assert ready(cell, FIRST) == 4
        cell.registry.delete(Key(Service, "default", "web"))
        await cell.advance(2)
        assert cell.running() == 0


@on_virtual_time
async def test_the_old_revision_keeps_its_minimum_until_all_of_the_new_one_are_ready() -> None:
    async with opened(SLOW) as cell:
        cell.service(min_scale="4")
        await cell.advance(5)
        cell.service(image="slow", min_scale="4")
        for _ in range(19):
            await cell.advance(1)
            assert ready(cell, FIRST) == 4
        await cell.advance(3)
        assert ready(cell, SECOND) == 4
        await cell.advance(70)
        assert ready(cell, FIRST) < 4
        assert ready(cell, SECOND) == 4


@on_virtual_time
async def test_initial_scale_is_reached_before_it_is_ready_and_not_kept() -> None:
    async with opened() as cell:
        cell.service(initial_scale="3")
        await cell.advance(1)
        assert ready(cell, FIRST) == 3
        assert cell.ready().status == "True"
        await cell.advance(100)
        assert cell.running() == 0
        cell.request()
        await cell.advance(2)
        assert cell.running() == 1


@on_virtual_time
async def test_activation_scale_is_how_many_come_for_the_first_request() -> None:
    async with opened() as cell:
        cell.service(activation_scale="5")
        await cell.advance(80)
        assert cell.running() == 0
        cell.request()
        await cell.advance(2)
        assert cell.running() == 5


@on_virtual_time
async def test_active_follows_the_instances() -> None:
    async with opened() as cell:
        cell.service(min_scale="1")
        await cell.advance(5)
        assert condition(cell, "Active").status == "True"
        cell.unwell["Readiness", "user-container"] = "no"
        await cell.advance(40)
        waiting = condition(cell, "Active")
        assert (waiting.status, waiting.reason) == ("Unknown", "Queued")
        assert is_true((condition(cell, "Ready"),)), "what was well once stays ready"
        cell.unwell.clear()
        await cell.advance(2)
        assert condition(cell, "Active").status == "True"


@on_virtual_time
async def test_a_revision_that_never_became_ready_is_given_up_for_good() -> None:
    async with opened({"web": Script(booting=10_000.0)}) as cell:
        cell.service()
        await cell.advance(605)
        failed = condition(cell, "ResourcesAvailable")
        assert (failed.status, failed.reason) == ("False", "ProgressDeadlineExceeded")
        await cell.advance(60)
        active = condition(cell, "Active")
        assert (active.status, active.reason) == ("False", "TimedOut")
        assert cell.running() == 0
        quiet = len(cell.facts)
        await cell.clock.sleep_until(cell.clock.now() + 1000)
        assert len(cell.facts) == quiet
