"""Which questions an instance is asked, when, and what the answers amount to.

A ``ProbeSpec`` is one probe of one container; a ``ProbeRun`` is that probe over time: when the next
attempt is due, and whether it passes by what has been recorded.

Source: Knative reference §3.3 (readiness of pods), §3.7; Kubernetes' kubelet
(``pkg/kubelet/prober/worker.go``): its defaults, thresholds, and that a probe which has failed for
good does nothing until the container has been started again.
Differs: Knative's aggressive probing asks every 50 ms. Here it asks every 2 ms as long as a quick
program may need and then slows down to 50 ms, so that the probing does not show in a cold start.
Not here: how it is asked (``controlplane/probes.py``).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import msgspec

from knlite.kinds.podspec.fields import (
    Container,
    ExecAction,
    GRPCAction,
    HTTPGetAction,
    PodSpec,
    Port,
    Probe,
    TCPSocketAction,
    leading_container,
    serving_container,
    user_port,
)

FIRST_WAIT = 0.002
SLOWEST_WAIT = 0.05
BRISK_ATTEMPTS = 100
GROWTH = 1.05
ATTEMPT_TIMEOUT = 1.0
ACTIVATOR_PERIOD = 0.2
"""Seconds between the activator's own questions to what is not ready, whatever the period."""
EXEC_WAIT = 0.25
"""Seconds; a command inside a container costs far more than a connection."""
PERIOD = 10.0
FAILURE_THRESHOLD = 3

Role = Literal["Readiness", "Liveness", "Startup"]
Action = HTTPGetAction | TCPSocketAction | GRPCAction | ExecAction


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeSpec:
    """One probe of one container. Times in seconds."""

    role: Role
    container: str
    action: Action = TCPSocketAction()
    port: int = 0
    """Another port than the one requests go to; 0 for that one."""
    initial_delay: float = 0.0
    period: float = 0.0
    """0 for aggressive probing, which only readiness knows."""
    timeout: float = ATTEMPT_TIMEOUT
    success_threshold: int = 1
    failure_threshold: int = FAILURE_THRESHOLD
    grace: float | None = None
    """How long the container may take to end when this probe has failed for good; None for as long
    as always."""
    serving: bool = True
    """Whether it is the container that requests go to."""
    hasty: bool = True
    """Whether the activator asks as well as long as it is not ready: not where only the kubelet can
    (a command) or must be waited for (there is a startup probe)."""

    @property
    def kubelet_period(self) -> float:
        """Seconds between attempts once it is ready."""
        return self.period or PERIOD


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerProbes:
    """The probes of one container; without a readiness probe it is ready when it runs."""

    container: str
    readiness: ProbeSpec | None = None
    liveness: ProbeSpec | None = None
    startup: ProbeSpec | None = None

    def __iter__(self) -> Iterator[ProbeSpec]:
        """Those that there are."""
        return (each for each in (self.startup, self.readiness, self.liveness) if each is not None)


class ProbeRun:
    """One probe since its container was started."""

    def __init__(self, spec: ProbeSpec, started: float, now: float = 0.0) -> None:
        """It may be begun *now*, long after *started*: what comes first may take its time."""
        self.spec = spec
        self.due = max(started + spec.initial_delay, now)
        """When to ask next."""
        self.passing = spec.role == "Liveness"
        """What the answers amount to; as the kubelet, a container lives until shown otherwise."""
        self.exhausted = False
        """Whether a liveness or startup probe has failed for good."""
        self.passed_once = False
        self._in_a_row = 0
        """Successes if positive, failures if negative."""
        self._attempts = 0

    def record(self, now: float, passed: bool) -> bool:
        """Note the answer to the attempt that was due; whether ``passing`` changed."""
        row = self._in_a_row
        self._in_a_row = max(row, 0) + 1 if passed else min(row, 0) - 1
        self._attempts += 1
        before, spec = self.passing, self.spec
        if self._in_a_row >= spec.success_threshold:
            self.passing = self.passed_once = True
        elif -self._in_a_row >= spec.failure_threshold:
            self.passing = False
            self.exhausted = spec.role != "Readiness"
        self.due = max(now, self.due + spec.period) if self._by_period() else now + self._wait()
        return self.passing != before

    def _by_period(self) -> bool:
        spec = self.spec
        return bool(spec.period) and (self.passing or spec.role != "Readiness" or not spec.hasty)

    def _wait(self) -> float:
        """Seconds until the next attempt where the period does not say it."""
        spec = self.spec
        if self.passing:
            return PERIOD
        if spec.period:
            return min(spec.period, ACTIVATOR_PERIOD)
        if self.passed_once:
            return ACTIVATOR_PERIOD
        if isinstance(spec.action, ExecAction):
            return EXEC_WAIT
        slower = max(0, self._attempts - 1 - BRISK_ATTEMPTS)
        return min(FIRST_WAIT * GROWTH ** min(slower, 1000), SLOWEST_WAIT)


def resumed(spec: ProbeSpec, now: float) -> ProbeRun:
    """The run of a probe that has passed before nobody was asked for a while, from *now* on."""
    run = ProbeRun(spec, now)
    run.passing = run.passed_once = True
    run.due = now + (spec.period or PERIOD)
    return run


def probes(container: Container, *, serving: bool = True) -> ContainerProbes:
    """The probes of *container*. The serving container always has one for readiness."""
    readiness = container.readiness_probe
    if readiness is None and serving:
        readiness = Probe(tcp_socket=TCPSocketAction())
    startup = container.startup_probe
    make = _Maker(container, serving=serving, hasty=startup is None)
    return ContainerProbes(
        container=container.name,
        readiness=make("Readiness", readiness),
        liveness=make("Liveness", container.liveness_probe),
        startup=make("Startup", startup),
    )


def pod_probes(spec: PodSpec) -> tuple[ContainerProbes, ...]:
    """The probes of all containers of a pod, the serving one first."""
    serving = serving_container(spec)
    others = tuple(each for each in spec.containers if each is not serving)
    first = () if serving is None else (probes(serving),)
    return (*first, *(probes(each, serving=False) for each in others))


def declared_probes(spec: PodSpec) -> tuple[ContainerProbes, ...]:
    """The probes that the containers of a plain pod declare, with Kubernetes' period.

    A container that declares none is ready as soon as it runs.
    """
    leading = leading_container(spec)
    return tuple(_declared(each, serves=each is leading) for each in spec.containers)


def _declared(container: Container, *, serves: bool) -> ContainerProbes:
    # Without a port of its own there is none that could be another one here.
    serves = serves and bool(container.ports)
    make = _Maker(container, serving=serves, hasty=container.startup_probe is None)

    def made(role: Role, probe: Probe | None) -> ProbeSpec | None:
        if probe is not None and not probe.period_seconds:
            probe = msgspec.structs.replace(probe, period_seconds=int(PERIOD))
        return make(role, probe)

    return ContainerProbes(
        container=container.name,
        readiness=made("Readiness", container.readiness_probe),
        liveness=made("Liveness", container.liveness_probe),
        startup=made("Startup", container.startup_probe),
    )


@dataclass(frozen=True, slots=True)
class _Maker:
    container: Container
    serving: bool
    hasty: bool

    def __call__(self, role: Role, probe: Probe | None) -> ProbeSpec | None:
        if probe is None:
            return None
        action = probe.http_get or probe.tcp_socket or probe.grpc or probe.exec_
        if action is None:
            action = TCPSocketAction()
        grace = probe.termination_grace_period_seconds
        aggressive = role == "Readiness" and not probe.period_seconds
        return ProbeSpec(
            role=role,
            container=self.container.name,
            action=action,
            port=self._port(action),
            initial_delay=probe.initial_delay_seconds,
            period=0.0 if aggressive else probe.period_seconds or PERIOD,
            timeout=probe.timeout_seconds or ATTEMPT_TIMEOUT,
            success_threshold=max(1, probe.success_threshold),
            failure_threshold=probe.failure_threshold or FAILURE_THRESHOLD,
            grace=None if grace is None else float(grace),
            serving=self.serving,
            hasty=self.hasty and not isinstance(action, ExecAction),
        )

    def _port(self, action: Action) -> int:
        if isinstance(action, ExecAction):
            return 0
        port = _number(action.port, self.container)
        # A process serves on a port of its own, whatever the manifest says of the container's.
        return 0 if self.serving and port == user_port(self.container) else port


def _number(port: Port, container: Container) -> int:
    if isinstance(port, int):
        return port
    named = (each.container_port for each in container.ports if each.name == port)
    return next(named, int(port) if port.isdecimal() else 0)
