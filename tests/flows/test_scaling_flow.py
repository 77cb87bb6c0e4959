"""From a manifest to instances and back to zero, on virtual time (Knative reference §2, §1.11)."""

from knlite.errors import InstanceFailed
from knlite.facts import InstanceChanged
from knlite.kinds.conditions import find
from knlite.kinds.serving.revision import Revision
from knlite.kinds.serving.service import Service
from knlite.reconcile import Key
from knlite.runtime.fake import Script
from knlite.serving.instance import RevisionName
from knlite.serving.levels import InstanceCounts
from tests.flows.cell import on_virtual_time, opened

WEB = RevisionName("default", "web-00001")


@on_virtual_time
async def test_a_service_becomes_ready_with_its_first_instance_and_goes_to_zero() -> None:
    async with opened() as cell:
        cell.service()
        await cell.advance(0.4)
        assert cell.ready().status == "Unknown"
        await cell.advance(1.6)
        assert cell.ready().status == "True"
        assert cell.running() == 1
        await cell.advance(57)
        assert cell.running() == 1, "kept for the stable window"
        await cell.advance(10)
        assert cell.running() == 0
        assert cell.ready().status == "True", "a service at zero stays ready"


@on_virtual_time
async def test_a_request_at_zero_starts_one_instance_whoever_else_asks() -> None:
    async with opened() as cell:
        cell.service()
        await cell.advance(80)
        assert cell.running() == 0
        began = len(cell.runtime.instances)
        for _ in range(200):
            cell.request()
        await cell.advance(1)
        assert len(cell.runtime.instances) == began + 1
        assert len(cell.requests.endpoints[WEB]) == 1
        assert cell.scales()[-1] == (0, 1)


@on_virtual_time
async def test_nothing_is_scheduled_while_everything_is_at_zero() -> None:
    async with opened() as cell:
        cell.service()
        await cell.advance(80)
        quiet = len(cell.facts)
        await cell.clock.sleep_until(cell.clock.now() + 10_000)
        assert len(cell.facts) == quiet


@on_virtual_time
async def test_load_adds_instances_up_to_the_maximum() -> None:
    async with opened() as cell:
        cell.service(max_scale="3")
        await cell.advance(2)
        cell.requests.load[WEB] = 1000.0
        await cell.advance(10)
        assert cell.running() == 3
        assert (1, 3) in cell.scales()


@on_virtual_time
async def test_min_scale_keeps_instances() -> None:
    async with opened() as cell:
        cell.service(min_scale="2")
        await cell.advance(200)
        assert cell.running() == 2


@on_virtual_time
async def test_a_start_that_fails_tells_who_waits_and_the_next_request_tries_again() -> None:
    scripts = {"broken": Script(lives=0.1, booting=9.0, code=3, says=("no such table",))}
    async with opened(scripts) as cell:
        cell.service(image="broken")
        await cell.advance(2)
        first = cell.requests.failures[0]
        assert first.reason == "ExitCode3"
        assert "no such table" in first.message
        assert cell.ready().status == "False"
        assert "no such table" in cell.ready().message
        tries = len(cell.runtime.instances)
        cell.request()
        await cell.advance(1)
        assert len(cell.runtime.instances) == tries + 1, "the request overrides the backoff"


@on_virtual_time
async def test_restarts_come_later_and_later() -> None:
    async with opened({"broken": Script(lives=0.1, booting=9.0)}) as cell:
        cell.service(image="broken")
        await cell.advance(100)
        # At once, then after 10, 20 and 40 seconds.
        assert len(cell.runtime.instances) == 5


@on_virtual_time
async def test_code_that_cannot_be_prepared_is_said_in_the_condition() -> None:
    failure = InstanceFailed("ErrImagePull", "the image broken cannot be pulled")
    async with opened({"broken": Script(prepare_fails=failure)}) as cell:
        cell.service(image="broken")
        await cell.advance(2)
        assert cell.ready().reason == "RevisionFailed"
        assert "the image broken cannot be pulled" in cell.ready().message
        assert cell.requests.failures[0].reason == "ErrImagePull"


@on_virtual_time
async def test_an_image_by_digest_that_cannot_be_had_is_said_in_kubernetes_words() -> None:
    failure = InstanceFailed("ErrImagePull", "the image broken cannot be pulled")
    async with opened({"broken": Script(prepare_fails=failure)}) as cell:
        cell.service(image=f"broken@sha256:{64 * '0'}")
        await cell.advance(2)
        revision = cell.registry.view.get(Revision, *WEB)
        assert revision is not None
        ready = find(revision.status.conditions)
        assert ready is not None
        assert ready.reason == "ErrImagePull"


@on_virtual_time
async def test_an_instance_that_crashes_is_replaced_and_gets_no_requests_meanwhile() -> None:
    async with opened({"web": Script(lives=30.0)}) as cell:
        cell.service(min_scale="1")
        await cell.advance(29)
        (first,) = cell.requests.endpoints[WEB]
        await cell.advance(2)
        (second,) = cell.requests.endpoints[WEB]
        assert second.address != first.address
        assert cell.running() == 1


@on_virtual_time
async def test_an_instance_is_stopped_only_when_its_last_request_is_over() -> None:
    async with opened() as cell:
        cell.service()
        await cell.advance(2)
        cell.requests.busy = True
        await cell.advance(80)
        assert cell.requests.endpoints[WEB] == ()
        assert cell.running() == 1
        (drained,) = cell.requests.draining
        drained[1]()
        await cell.advance(1)
        assert cell.running() == 0


@on_virtual_time
async def test_a_new_template_takes_over_when_it_is_ready_and_the_old_one_goes_to_zero() -> None:
    async with opened({"next": Script(booting=3.0)}) as cell:
        cell.service()
        await cell.advance(2)
        cell.service(image="next")
        await cell.advance(1)
        target = cell.requests.table.match("web.default.localhost", "/", 0.0)
        assert "web-00001" in str(target), "the old one serves until the new one is ready"
        await cell.advance(5)
        target = cell.requests.table.match("web.default.localhost", "/", 0.0)
        assert "web-00002" in str(target)
        await cell.advance(70)
        assert cell.requests.endpoints[WEB] == ()


@on_virtual_time
async def test_a_deleted_service_leaves_nothing_running() -> None:
    async with opened() as cell:
        cell.service(min_scale="1")
        await cell.advance(2)
        cell.registry.delete(Key(Service, "default", "web"))
        await cell.advance(2)
        assert cell.running() == 0
        changes = [f for f in cell.facts if isinstance(f, InstanceChanged)]
        assert changes[-1].state == "gone"
        assert {f.service for f in changes} == {"web"}, "told under its name to the end"


@on_virtual_time
async def test_the_end_of_a_run_stops_every_instance() -> None:
    async with opened() as cell:
        cell.service(min_scale="3")
        await cell.advance(5)
        assert cell.running() == 3
    assert cell.running() == 0


@on_virtual_time
async def test_the_end_of_a_run_does_not_wait_for_a_program_that_ignores_its_signal() -> None:
    async with opened({"web": Script(stopping=1e6)}) as cell:
        cell.service()
        await cell.advance(75)
        began = cell.clock.now()
    assert cell.clock.now() - began <= 11
    assert cell.running() == 0


@on_virtual_time
async def test_the_scale_can_be_read_at_any_moment() -> None:
    async with opened({"web": Script(booting=0.5, stopping=3.0)}) as cell:
        cell.service()
        await cell.advance(0.2)
        (scale,) = cell.autoscaler.scales()
        assert (scale.service, scale.configuration, scale.revision) == ("web", "web", "web-00001")
        assert (scale.desired, scale.requested) == (None, 1)
        assert scale.instances == InstanceCounts(not_ready=1)
        assert (scale.excess, scale.target, scale.panic) == (-111, 70, False)
        cell.requests.load[WEB] = 280.0
        await cell.advance(6)
        (scale,) = cell.autoscaler.scales()
        assert (scale.requested, scale.panic) == (4, True)
        assert scale.instances == InstanceCounts(ready=4)
        assert scale.in_panic_window > 0
        cell.registry.delete(Key(Service, "default", "web"))
        await cell.advance(1)
        assert not list(cell.autoscaler.scales())
        assert cell.supervisor.counts(WEB) == InstanceCounts(terminating=4)
