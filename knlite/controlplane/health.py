"""The probes of one started instance: who is asked when, and what follows.

Containers begin with their startup probe, if they have one; only then readiness and liveness are
asked for. The instance is ready when all its containers are. ``watch`` returns when a container has
to be started again.

Source: Knative reference §3.7, §4.4; Kubernetes' kubelet.
Not here: schedules (``serving/probing.py``), attempts (``probes.py``), what is done about it
(``incarnation.py``).
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import anyio

from knlite.clock import Clock
from knlite.controlplane.race import first_of
from knlite.errors import InstanceFailed
from knlite.kinds.podspec.fields import ExecAction
from knlite.runtime.port import Instance
from knlite.serving.instance import Address
from knlite.serving.probing import ContainerProbes, ProbeRun, ProbeSpec, resumed

DIAGNOSIS_AFTER = 3.0
"""Seconds without an answer before it is worth asking where the program listens in truth."""
DIAGNOSIS_EVERY = 1.0
_LISTEN = "listen on the port that the variable PORT names, on all addresses (0.0.0.0)"

Attempt = Callable[[ProbeSpec, Instance], Awaitable[str]]
"""Asks once: an empty text if it passed, else what was wrong."""


@dataclass(frozen=True, slots=True)
class Unhealthy:
    """A liveness or startup probe that has failed for good, and what it said last."""

    probe: ProbeSpec
    why: str


class Patient(Protocol):
    """Who is told how the instance is."""

    def readiness_changed(self, ready: frozenset[str], why: str) -> None:
        """These of its containers are ready; *why* is what ended the readiness of another one."""
        ...

    def probe_failed(self, probe: ProbeSpec, why: str) -> None:
        """An attempt failed that a person may want to know of."""
        ...


class Health:
    """The probes of one instance from its start to its end."""

    def __init__(
        self,
        containers: Sequence[ContainerProbes],
        instance: Instance,
        attempt: Attempt,
        clock: Clock,
        patient: Patient,
        deadline: float,
        *,
        again: bool = False,
    ) -> None:
        """*deadline* is how many seconds it may take to become ready; one that is looked after
        *again* is ready from the beginning, and asked when its periods are over."""
        self._again = again
        self._containers = containers
        self._instance = instance
        self._attempt = attempt
        self._clock = clock
        self._patient = patient
        self._deadline = deadline
        self._started = clock.now()
        self._ready: frozenset[str] = frozenset()
        self._was_ready = again
        if again:
            self._ready = frozenset(each.container for each in containers)
        self._unhealthy: Unhealthy | None = None

    async def watch(self) -> Unhealthy:
        """Ask until a container has to be started again.

        Raises ``InstanceFailed`` if it does not become ready in time, or cannot.
        """
        if len(self._containers) == 1:
            await self._container(self._containers[0])
        else:
            await first_of(*(partial(self._container, each) for each in self._containers))
        if self._unhealthy is None:
            raise RuntimeError("probing ended without a reason")
        return self._unhealthy

    async def _container(self, probes: ContainerProbes) -> None:
        startup = None if self._again else probes.startup
        if startup is not None and not await self._startup(startup):
            return
        readiness, liveness = probes.readiness, probes.liveness
        if readiness is None and not self._again:
            self._set_ready(probes.container, ready=True)
        if readiness is not None and liveness is not None:
            await first_of(partial(self._readiness, readiness), partial(self._liveness, liveness))
        elif readiness is not None:
            await self._readiness(readiness)
        elif liveness is not None:
            await self._liveness(liveness)
        else:
            await anyio.sleep_forever()

    async def _startup(self, spec: ProbeSpec) -> bool:
        """Whether it has started; else it has to be started again."""
        run = ProbeRun(spec, self._started)
        while True:
            problem = await self._ask(run)
            if run.passing:
                return True
            if problem and self._gave_up(run, problem):
                return False
            self._check_deadline(spec, problem)

    async def _liveness(self, spec: ProbeSpec) -> None:
        run = self._run(spec)
        while True:
            problem = await self._ask(run)
            if problem and self._gave_up(run, problem):
                return

    def _gave_up(self, run: ProbeRun, problem: str) -> bool:
        self._patient.probe_failed(run.spec, problem)
        if run.exhausted:
            self._unhealthy = Unhealthy(run.spec, problem)
        return run.exhausted

    async def _readiness(self, spec: ProbeSpec) -> None:
        run = self._run(spec)
        diagnosis = _Diagnosis(self._instance, self._started)
        tell_from = self._started + spec.initial_delay + spec.kubelet_period
        while True:
            was = run.passing
            problem = await self._ask(run)
            if problem and (was or self._clock.now() >= tell_from):
                # Not more often than a kubelet would, which asks once in a period.
                tell_from = self._clock.now() + spec.kubelet_period
                self._patient.probe_failed(spec, problem)
            if was != run.passing:
                self._set_ready(spec.container, ready=run.passing, why=problem)
            if problem and not self._was_ready:
                self._check_deadline(spec, problem)
                if spec.serving and not isinstance(spec.action, ExecAction):
                    await diagnosis.look(self._clock.now())

    def _run(self, spec: ProbeSpec) -> ProbeRun:
        now = self._clock.now()
        return resumed(spec, now) if self._again else ProbeRun(spec, self._started, now)

    async def _ask(self, run: ProbeRun) -> str:
        if run.due > self._clock.now():
            await self._clock.sleep_until(run.due)
        problem = await self._attempt(run.spec, self._instance)
        run.record(self._clock.now(), not problem)
        return problem

    def _set_ready(self, container: str, *, ready: bool, why: str = "") -> None:
        self._ready = self._ready | {container} if ready else self._ready - {container}
        if len(self._ready) == len(self._containers):
            self._was_ready = True
        self._patient.readiness_changed(self._ready, why)

    def _check_deadline(self, spec: ProbeSpec, problem: str) -> None:
        if self._clock.now() - self._started >= self._deadline:
            raise InstanceFailed(
                "ProgressDeadlineExceeded",
                f"not ready after {self._deadline:g} s",
                cause=f"{spec.role.lower()} probe: {problem}",
            )


class _Diagnosis:
    """Finds out that the program listens somewhere else, by looking twice."""

    def __init__(self, instance: Instance, started: float) -> None:
        self._instance = instance
        self._due = started + DIAGNOSIS_AFTER
        self._suspicion = ""

    async def look(self, now: float) -> None:
        """Raise ``InstanceFailed`` if no request can ever reach it."""
        if now < self._due:
            return
        self._due = now + DIAGNOSIS_EVERY
        found = misdirected(self._instance.address, await self._instance.listening())
        if found and found == self._suspicion:
            raise InstanceFailed("ContainerUnhealthy", found, fix=_LISTEN)
        self._suspicion = found


def misdirected(wanted: Address, found: tuple[Address, ...] | None) -> str:
    """A sentence if the program listens, but not where requests go; else ""."""
    if not found or any(each.port == wanted.port and each.host == wanted.host for each in found):
        return ""
    everywhere = {"0.0.0.0", "::", "", "*"}
    if any(each.port == wanted.port and each.host in everywhere for each in found):
        return ""
    where = ", ".join(sorted(f"{each.host or '*'}:{each.port}" for each in found))
    return f"the program listens on {where}, not on its PORT"
