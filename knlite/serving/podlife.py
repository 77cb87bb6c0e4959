"""What a Pod says of an instance: its containers, phase and conditions, through all restarts.

Source: Kubernetes core/v1 Pod (phases, container states, conditions); Knative reference §1.11.
Differs: the queue-proxy is no container here, so a Pod shows the containers of its manifest alone.
When one container has to be started again all of them are; only its own restarts count it.
Not here: when which of these happens (``controlplane/supervisor.py``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from knlite.kinds.conditions import Condition, Conditions, Status
from knlite.kinds.core.pod import (
    ContainerState,
    PodContainerStatus,
    PodIP,
    PodStatus,
    RunningState,
    TerminatedState,
    WaitingState,
)
from knlite.kinds.podspec.fields import Container

COMING = "ContainerCreating"
"""The reason of a container that waits for nothing but its start."""
CREATING = ContainerState(waiting=WaitingState(reason=COMING))
UNSCHEDULABLE = "Unschedulable"
BACK_OFF = "CrashLoopBackOff"
FROZEN, STOPPED = "Frozen", "Stopped"
AT_REST = frozenset((FROZEN, STOPPED))
"""Reasons of Pods whose instances are kept while nobody wants them; nothing is wrong with those."""
_RESTING = {
    "": "",
    FROZEN: "kept in memory without processor time until a request comes (knlite.dev/idle: freeze)",
    STOPPED: "kept on disk until a request comes (knlite.dev/idle: stop)",
}
_PULL_ERRORS = frozenset(("ErrImagePull", "ImagePullBackOff"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerLife:
    """One container."""

    state: ContainerState = CREATING
    last: ContainerState = ContainerState()
    """How it ended the last time."""
    ready: bool = False
    restarts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PodLife:
    """One instance. Every method gives the life that follows; *now* is a timestamp."""

    containers: Mapping[str, ContainerLife]
    address: str = ""
    ran: bool = False
    """Whether its containers have been started once."""
    unschedulable: str = ""
    """Why it can run nowhere."""
    resting: str = ""
    """How it is kept while nobody wants it, ``Frozen`` or ``Stopped``; empty while it is wanted."""
    draining: bool = False
    over: str = ""
    """``Succeeded`` or ``Failed`` once it is never started again."""

    def starting(self) -> "PodLife":
        """It is being started, for the first time or again."""
        containers = {name: _again(each) for name, each in self.containers.items()}
        return replace(self, containers=containers, address="", unschedulable="", resting="")

    def started(self, address: str, now: str) -> "PodLife":
        """Its programs run, and will answer at *address*."""
        running = ContainerState(running=RunningState(started_at=now))
        containers = {
            name: replace(each, state=running, ready=False)
            for name, each in self.containers.items()
        }
        return replace(self, containers=containers, address=address, ran=True)

    def answering(self, ready: frozenset[str]) -> "PodLife":
        """These of its containers are ready."""
        containers = {
            name: replace(each, ready=name in ready) for name, each in self.containers.items()
        }
        return replace(self, containers=containers, resting="")

    def frozen(self) -> "PodLife":
        """Its programs are there, but do not run."""
        containers = {name: replace(each, ready=False) for name, each in self.containers.items()}
        return replace(self, containers=containers, resting=FROZEN)

    def stopped(self) -> "PodLife":
        """Its programs have ended, and are started again when it is wanted."""
        waiting = ContainerState(waiting=WaitingState(reason=STOPPED, message=_RESTING[STOPPED]))
        containers = {
            name: replace(each, state=waiting, ready=False)
            for name, each in self.containers.items()
        }
        return replace(self, containers=containers, resting=STOPPED)

    def ended(self, container: str, how: TerminatedState) -> "PodLife":
        """The program of *container* has ended, and with it the others."""
        ended = ContainerState(terminated=how)
        containers = {name: replace(each, ready=False) for name, each in self.containers.items()}
        container = container if container in containers else next(iter(containers), container)
        one = containers.get(container, ContainerLife())
        containers[container] = replace(one, state=ended, last=ended, ready=False)
        return replace(self, containers=containers)

    def failed(self, reason: str, message: str) -> "PodLife":
        """It could not be started, or not become ready."""
        if reason == UNSCHEDULABLE:
            return replace(self, unschedulable=message)
        waiting = ContainerState(waiting=WaitingState(reason=reason, message=message))
        containers = {
            name: replace(each, state=waiting, ready=False)
            for name, each in self.containers.items()
        }
        return replace(self, containers=containers)

    def backing_off(self, seconds: float, pod: str) -> "PodLife":
        """It will be started again in *seconds*."""
        containers = {
            name: _backing_off(name, each, seconds, pod) for name, each in self.containers.items()
        }
        return replace(self, containers=containers)

    def status(self, containers: tuple[Container, ...], images: Mapping[str, str]) -> PodStatus:
        """Its status but for the moments of its conditions; *images* are image ids by container."""
        unready = [name for name, each in self.containers.items() if not each.ready]
        return PodStatus(
            phase=self.over or ("Running" if self.ran else "Pending"),
            reason=self.resting,
            message=_RESTING.get(self.resting, ""),
            conditions=self._conditions(unready),
            pod_ip=self.address,
            pod_ips=(PodIP(ip=self.address),) if self.address else (),
            container_statuses=tuple(
                _container_status(each, self.containers.get(each.name, ContainerLife()), images)
                for each in containers
                if not self.unschedulable
            ),
        )

    def _conditions(self, unready: list[str]) -> Conditions:
        if self.unschedulable:
            return (_no("PodScheduled", UNSCHEDULABLE, self.unschedulable),)
        if self.over:
            reason = "PodCompleted" if self.over == "Succeeded" else "PodFailed"
            ready = tuple(_no(name, reason, "") for name in ("ContainersReady", "Ready"))
        elif self.resting and not self.draining:
            why = _RESTING[self.resting]
            ready = tuple(_no(name, self.resting, why) for name in ("ContainersReady", "Ready"))
        elif self.draining or unready:
            why = f"containers with unready status: [{' '.join(unready)}]"
            ready = tuple(
                _no(name, "ContainersNotReady", why) for name in ("ContainersReady", "Ready")
            )
        else:
            ready = (_yes("ContainersReady"), _yes("Ready"))
        return (_yes("Initialized"), _yes("PodScheduled"), *ready)


def new_life(containers: tuple[Container, ...]) -> PodLife:
    """The life of an instance that has been ordered."""
    return PodLife(containers={each.name: ContainerLife() for each in containers})


def termination(code: int, *, oom: bool, message: str, began: str, now: str) -> TerminatedState:
    """How a program ended, as Kubernetes words it."""
    reason = "OOMKilled" if oom else "Completed" if code == 0 else "Error"
    return TerminatedState(
        exit_code=code, reason=reason, message=message, started_at=began, finished_at=now
    )


def _again(life: ContainerLife) -> ContainerLife:
    ended = life.state.terminated is not None or _waits_for_restart(life)
    return replace(life, state=CREATING, ready=False, restarts=life.restarts + ended)


def _waits_for_restart(life: ContainerLife) -> bool:
    return life.state.waiting is not None and life.state.waiting.reason == BACK_OFF


def _backing_off(name: str, life: ContainerLife, seconds: float, pod: str) -> ContainerLife:
    waiting = life.state.waiting
    if life.state.terminated is not None:
        why = f"back-off {_go_seconds(seconds)} restarting failed container={name} pod={pod}"
        return replace(
            life, state=ContainerState(waiting=WaitingState(reason=BACK_OFF, message=why))
        )
    if waiting is not None and waiting.reason in _PULL_ERRORS:
        why = f"Back-off pulling image: {waiting.message}"
        if waiting.reason != "ErrImagePull":
            why = waiting.message
        return replace(
            life, state=ContainerState(waiting=WaitingState(reason="ImagePullBackOff", message=why))
        )
    return life


def _go_seconds(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


def _container_status(
    container: Container, life: ContainerLife, images: Mapping[str, str]
) -> PodContainerStatus:
    return PodContainerStatus(
        name=container.name,
        ready=life.ready,
        started=life.state.running is not None,
        restart_count=life.restarts,
        image=container.image,
        image_id=images.get(container.name, ""),
        state=life.state,
        last_state=life.last,
    )


def _yes(name: str) -> Condition:
    return Condition(type=name, status="True")


def _no(name: str, reason: str, message: str) -> Condition:
    status: Status = "False"
    return Condition(type=name, status=status, reason=reason, message=message)
