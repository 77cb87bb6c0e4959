"""Probes of several containers of one instance, on virtual time (Knative reference §4.4)."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

import anyio
import pytest

from knlite.clock import LoopClock
from knlite.controlplane.health import Health, Unhealthy
from knlite.errors import InstanceFailed
from knlite.runtime.port import ExecResult, Exit, Instance, Usage
from knlite.serving.instance import Address
from knlite.serving.probing import ContainerProbes, ProbeSpec
from tests.flows.cell import on_virtual_time

HERE = Address("127.0.0.1", 8080)


class Listening:
    """An instance whose program listens at *where*."""

    label = "test"

    def __init__(self, *where: Address) -> None:
        self.address = HERE
        self._where = where

    async def wait(self) -> Exit:
        raise NotImplementedError

    async def stop(self, grace: float) -> None:
        raise NotImplementedError

    async def exec(self, container: str, command: Sequence[str], seconds: float) -> ExecResult:
        raise NotImplementedError

    async def usage(self) -> Usage | None:
        raise NotImplementedError

    async def listening(self) -> tuple[Address, ...] | None:
        return self._where


class Patient:
    """Remembers what it was told, and what its probes say by role and container."""

    def __init__(self, **unwell: str) -> None:
        self.unwell = unwell
        self.ready: list[tuple[set[str], str]] = []
        self.failed: list[str] = []

    async def attempt(self, probe: ProbeSpec, _: Instance) -> str:
        return self.unwell.get(f"{probe.role}_{probe.container}", "")

    def readiness_changed(self, ready: frozenset[str], why: str) -> None:
        self.ready.append((set(ready), why))

    def probe_failed(self, probe: ProbeSpec, why: str) -> None:
        self.failed.append(f"{probe.role} {probe.container}: {why}")


APP = ContainerProbes(container="app", readiness=ProbeSpec(role="Readiness", container="app"))
SIDE = ContainerProbes(
    container="side",
    readiness=ProbeSpec(role="Readiness", container="side", period=1.0, serving=False),
    liveness=ProbeSpec(role="Liveness", container="side", period=1.0, serving=False),
)
PLAIN = ContainerProbes(container="plain")


async def watched(
    patient: Patient,
    containers: Sequence[ContainerProbes],
    story: Callable[[], Awaitable[None]],
    instance: Instance | None = None,
    deadline: float = 600.0,
) -> list[Unhealthy]:
    clock = LoopClock(datetime(2026, 1, 2, tzinfo=UTC))
    where = instance or Listening(HERE)
    health = Health(containers, where, patient.attempt, clock, patient, deadline)
    found: list[Unhealthy] = []

    async def watch() -> None:
        found.append(await health.watch())

    async with anyio.create_task_group() as group:
        group.start_soon(watch)
        await story()
        group.cancel_scope.cancel()
    return found


@on_virtual_time
async def test_an_instance_is_ready_when_all_its_containers_are() -> None:
    patient = Patient(Readiness_side="not yet")

    async def story() -> None:
        await anyio.sleep(1)
        assert patient.ready[-1][0] == {"app", "plain"}
        patient.unwell.clear()
        await anyio.sleep(1)
        assert patient.ready[-1][0] == {"app", "plain", "side"}
        patient.unwell["Readiness_side"] = "gone"
        await anyio.sleep(4)
        assert patient.ready[-1] == ({"app", "plain"}, "gone")

    assert await watched(patient, (APP, SIDE, PLAIN), story) == []


@on_virtual_time
async def test_a_sidecar_that_is_not_alive_is_named() -> None:
    patient = Patient(Liveness_side="no")

    async def story() -> None:
        await anyio.sleep(5)

    (unhealthy,) = await watched(patient, (APP, SIDE), story)
    assert (unhealthy.probe.container, unhealthy.why) == ("side", "no")
    assert patient.failed == ["Liveness side: no"] * 3


@on_virtual_time
async def test_what_listens_elsewhere_is_told_and_not_waited_for() -> None:
    patient = Patient(Readiness_app="connection refused")
    elsewhere = Listening(Address("127.0.0.1", 3000))

    async def story() -> None:
        await anyio.sleep(10)

    with pytest.raises(ExceptionGroup) as raised:
        await watched(patient, (APP,), story, elsewhere)
    (error,) = raised.value.exceptions
    assert isinstance(error, InstanceFailed)
    assert error.what == "the program listens on 127.0.0.1:3000, not on its PORT"


@on_virtual_time
async def test_what_is_not_ready_by_its_deadline_has_failed() -> None:
    patient = Patient(Readiness_app="HTTP probe failed with statuscode: 503")

    async def story() -> None:
        await anyio.sleep(30)

    with pytest.raises(ExceptionGroup) as raised:
        await watched(patient, (APP,), story, deadline=20.0)
    (error,) = raised.value.exceptions
    assert isinstance(error, InstanceFailed)
    assert error.reason == "ProgressDeadlineExceeded"
    assert error.cause == "readiness probe: HTTP probe failed with statuscode: 503"
    # Not each of hundreds of attempts, but as often as a kubelet asks.
    assert len(patient.failed) == 2
