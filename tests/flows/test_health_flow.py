"""Instances that are not well, on virtual time (Knative reference §3.7, §4.2, §1.11)."""

from collections.abc import Mapping

import pytest

from knlite.facts import InstanceChanged, ProbeFailed
from knlite.kinds.conditions import Condition, find
from knlite.kinds.core.namespace import Namespace
from knlite.kinds.core.pod import Pod
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.serving.revision import Revision
from knlite.reconcile import Key
from knlite.runtime.fake import Script
from knlite.serving.instance import RevisionName
from tests.flows import documents
from tests.flows.cell import Cell, on_virtual_time, opened

WEB = RevisionName("default", "web-00001")
LIVE = {"httpGet": {"path": "/healthz"}, "periodSeconds": 1}


def apply(cell: Cell, namespace: str = "default", **container: object) -> None:
    """Apply a Service that keeps one instance."""
    one = {"name": "user-container", "image": "web", **container}
    kept = {"annotations": {"autoscaling.knative.dev/min-scale": "1"}}
    cell.apply(documents.service(namespace=namespace, revision=kept, pod={"containers": [one]}))


def pods(cell: Cell) -> list[Pod]:
    return list(cell.registry.view.listed(Pod, "default"))


def condition(cell: Cell, name: str, revision: str = "web-00001") -> Condition:
    found = cell.registry.view.get(Revision, "default", revision)
    assert found is not None
    return find(found.status.conditions, name) or Condition(type=name, status="Unknown")


def states(cell: Cell) -> list[str]:
    return [fact.state for fact in cell.facts if isinstance(fact, InstanceChanged)]


@on_virtual_time
async def test_a_container_that_fails_its_liveness_probe_is_started_again_in_its_pod() -> None:
    async with opened() as cell:
        apply(cell, livenessProbe=LIVE)
        # Between two attempts, which come at full seconds.
        await cell.advance(5.2)
        (before,) = pods(cell)
        (endpoint,) = cell.requests.endpoints[WEB]
        cell.unwell["Liveness", "user-container"] = "HTTP probe failed with statuscode: 500"
        await cell.advance(2.1)
        assert cell.requests.endpoints[WEB] == (endpoint,), "not at the first failure"
        await cell.advance(1)
        cell.unwell.clear()
        assert cell.requests.endpoints[WEB] == ()
        await cell.advance(2)
        (after,) = pods(cell)
        (status,) = after.status.container_statuses
        assert after.metadata.uid == before.metadata.uid
        assert (status.restart_count, status.ready) == (1, True)
        ended = status.last_state.terminated
        assert ended is not None
        assert ended.exit_code == 143
        (again,) = cell.requests.endpoints[WEB]
        assert again.instance == endpoint.instance
        assert again.address != endpoint.address
        assert not cell.requests.failures, "who waits is not refused for a restart at once"
        failed = [fact.why for fact in cell.facts if isinstance(fact, ProbeFailed)]
        assert failed.count("HTTP probe failed with statuscode: 500") == 3
        assert states(cell)[-5:] == ["failed", "preparing", "starting", "started", "ready"]


@on_virtual_time
async def test_restarts_of_what_stays_unhealthy_come_later_and_later() -> None:
    async with opened() as cell:
        cell.unwell["Liveness", "user-container"] = "no"
        apply(cell, livenessProbe={**LIVE, "failureThreshold": 1})
        await cell.advance(9)
        assert len(cell.runtime.instances) == 2
        (pod,) = pods(cell)
        waiting = pod.status.container_statuses[0].state.waiting
        assert waiting is not None
        assert waiting.reason == "CrashLoopBackOff"
        assert "back-off 10s restarting failed container=user-container" in waiting.message
        await cell.advance(95)
        # After 10, 20 and 40 seconds more.
        assert len(cell.runtime.instances) == 5


@on_virtual_time
async def test_an_instance_that_is_not_ready_any_more_gets_no_requests_until_it_is() -> None:
    async with opened() as cell:
        apply(cell, readinessProbe={"httpGet": {"path": "/"}})
        await cell.advance(5)
        (endpoint,) = cell.requests.endpoints[WEB]
        cell.unwell["Readiness", "user-container"] = "HTTP probe failed with statuscode: 500"
        await cell.advance(19)
        assert cell.requests.endpoints[WEB] == (endpoint,)
        await cell.advance(12)
        assert cell.requests.endpoints[WEB] == ()
        (pod,) = pods(cell)
        ready = find(pod.status.conditions)
        assert ready is not None
        assert (ready.status, ready.reason) == ("False", "ContainersNotReady")
        assert pod.status.container_statuses[0].restart_count == 0
        assert "unready" in states(cell)
        cell.unwell.clear()
        await cell.advance(1)
        (again,) = cell.requests.endpoints[WEB]
        assert (again.instance, again.address) == (endpoint.instance, endpoint.address)
        assert len(cell.runtime.instances) == 1


@on_virtual_time
async def test_a_period_makes_it_faster_to_lose_readiness() -> None:
    async with opened() as cell:
        apply(cell, readinessProbe={"httpGet": {"path": "/"}, "periodSeconds": 1})
        await cell.advance(5)
        cell.unwell["Readiness", "user-container"] = "no"
        await cell.advance(3.5)
        assert cell.requests.endpoints[WEB] == ()


@on_virtual_time
async def test_liveness_and_readiness_wait_for_the_startup_probe() -> None:
    async with opened() as cell:
        cell.unwell["Startup", "user-container"] = "not yet"
        cell.unwell["Liveness", "user-container"] = "not yet"
        apply(
            cell,
            startupProbe={**LIVE, "failureThreshold": 20},
            livenessProbe={**LIVE, "failureThreshold": 1},
        )
        await cell.advance(10)
        assert not cell.requests.endpoints.get(WEB)
        cell.unwell.clear()
        await cell.advance(2)
        assert len(cell.requests.endpoints[WEB]) == 1
        assert len(cell.runtime.instances) == 1


@on_virtual_time
async def test_what_does_not_start_in_its_time_is_started_again_and_said() -> None:
    async with opened() as cell:
        cell.unwell["Startup", "user-container"] = "connection refused"
        apply(cell, startupProbe={**LIVE, "failureThreshold": 3})
        await cell.advance(5)
        assert len(cell.runtime.instances) == 2
        assert "startup probe failed: connection refused" in cell.requests.failures[0].message
        assert condition(cell, "ContainerHealthy").reason == "ExitCode143"


@on_virtual_time
async def test_a_readiness_probe_may_be_a_command() -> None:
    async with opened() as cell:
        apply(cell, readinessProbe={"exec": {"command": ["true"]}})
        await cell.advance(2)
        assert len(cell.requests.endpoints[WEB]) == 1


@on_virtual_time
async def test_a_pod_that_is_deleted_finishes_its_requests_and_is_replaced() -> None:
    async with opened() as cell:
        apply(cell)
        await cell.advance(5)
        (pod,) = pods(cell)
        cell.requests.busy = True
        cell.registry.delete(Key(Pod, "default", pod.metadata.name))
        await cell.advance(2)
        (endpoint,) = cell.requests.endpoints[WEB]
        assert endpoint.instance != pod.metadata.name
        old = cell.registry.view.get(Pod, "default", pod.metadata.name)
        assert old is not None
        assert old.metadata.deletion_timestamp is not None
        assert cell.runtime.instances[0].accepts, "it still has a request"
        for _, idle in cell.requests.draining:
            idle()
        await cell.advance(1)
        assert [each.metadata.name for each in pods(cell)] == [endpoint.instance]
        assert not cell.runtime.instances[0].accepts


@on_virtual_time
async def test_an_instance_that_is_not_needed_any_more_is_a_terminating_pod() -> None:
    async with opened() as cell:
        cell.service()
        await cell.advance(5)
        cell.requests.busy = True
        await cell.advance(70)
        (pod,) = pods(cell)
        assert pod.metadata.deletion_timestamp is not None
        for _, idle in cell.requests.draining:
            idle()
        await cell.advance(1)
        assert pods(cell) == []
        assert len(cell.runtime.instances) == 1, "and is not replaced"


@on_virtual_time
async def test_a_namespace_takes_its_pods_along() -> None:
    async with opened() as cell:
        cell.registry.create(Namespace(metadata=ObjectMeta(name="shop")), user="test")
        apply(cell, "shop")
        await cell.advance(5)
        assert len(cell.registry.view.listed(Pod, "shop")) == 1
        cell.requests.busy = True
        cell.registry.delete(Key(Namespace, "", "shop"))
        await cell.advance(5)
        assert cell.registry.view.get(Namespace, "", "shop") is not None
        (pod,) = cell.registry.view.listed(Pod, "shop")
        assert pod.metadata.deletion_timestamp is not None
        for _, idle in cell.requests.draining:
            idle()
        await cell.advance(1)
        assert cell.registry.view.get(Namespace, "", "shop") is None
        assert cell.running() == 0


@on_virtual_time
async def test_what_asks_for_more_than_the_machine_has_is_unschedulable_at_once() -> None:
    async with opened() as cell:
        apply(cell, resources={"requests": {"cpu": "50"}})
        await cell.advance(1)
        ready = condition(cell, "Ready")
        assert (ready.status, ready.reason) == ("False", "Unschedulable")
        assert "0/1 nodes are available: 1 Insufficient cpu." in ready.message
        (pod,) = pods(cell)
        assert pod.status.phase == "Pending"
        scheduled = find(pod.status.conditions, "PodScheduled")
        assert scheduled is not None
        assert (scheduled.status, scheduled.reason) == ("False", "Unschedulable")
        assert cell.runtime.instances == []


@on_virtual_time
async def test_a_revision_recovers_with_its_container() -> None:
    scripts: Mapping[str, Script] = {"web": Script(booting=0.5, lives=30.0, code=3, message="oh")}
    async with opened(dict(scripts)) as cell:
        apply(cell)
        await cell.advance(29)
        assert condition(cell, "ContainerHealthy").status == "True"
        await cell.advance(1.25)
        assert cell.requests.endpoints[WEB] == ()
        unwell = condition(cell, "ContainerHealthy")
        assert (unwell.status, unwell.reason) == ("False", "ExitCode3")
        assert unwell.message == "Container failed with: oh"
        await cell.advance(2)
        assert condition(cell, "ContainerHealthy").status == "True"
        assert condition(cell, "Ready").status == "True"


@pytest.mark.parametrize(
    ("script", "name"),
    [
        pytest.param(Script(start_fails=ValueError("secret")), "ResourcesAvailable", id="start"),
        pytest.param(Script(prepare_fails=KeyError("secret")), "ContainerHealthy", id="prepare"),
    ],
)
def test_what_nobody_expected_ends_only_the_instance_that_met_it(script: Script, name: str) -> None:
    @on_virtual_time
    async def test() -> None:
        async with opened({"odd": script}) as cell:
            cell.service("odd")
            await cell.advance(3)
            cell.service("web")
            await cell.advance(5)
            said = condition(cell, name, "odd-00001")
            assert (said.status, said.reason) == ("False", "InternalError")
            assert "fake.py:" in said.message
            assert "secret" not in said.message
            assert cell.ready("web").status == "True"

    test()


@on_virtual_time
async def test_what_a_program_says_last_is_no_longer_than_a_message_may_be() -> None:
    script = Script(booting=5, lives=1, code=0, says=("x" * 60_000,) * 20)
    async with opened({"web": script}) as cell:
        apply(cell)
        await cell.advance(3)
        said = condition(cell, "ContainerHealthy")
        assert said.reason == "ExitCode0"
        assert 1000 < len(said.message) < 3000
        assert all(len(each.message) < 3000 for each in cell.requests.failures)
