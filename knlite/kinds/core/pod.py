"""Pod: an instance as Kubernetes clients look at it. Written by the supervisor alone.

Source: Kubernetes core/v1 Pod; Knative reference §1.10 (labels), §1.11 (what conditions read).
"""

import msgspec

from knlite.kinds.conditions import Conditions
from knlite.kinds.meta import Fields, Object
from knlite.kinds.podspec.fields import PodSpec

INSTANCE = "knlite.dev/instance"
"""Finalizer of a Pod whose instance has not gone yet."""


class WaitingState(Fields):
    reason: str = ""
    message: str = ""


class RunningState(Fields):
    started_at: str = ""


class TerminatedState(Fields):
    exit_code: int
    reason: str = ""
    message: str = ""
    started_at: str = ""
    finished_at: str = ""


class ContainerState(Fields):
    """Exactly one of the three."""

    waiting: WaitingState | None = None
    running: RunningState | None = None
    terminated: TerminatedState | None = None


class PodContainerStatus(Fields):
    """One container; what has no default is shown even when it is zero or empty."""

    name: str
    ready: bool
    restart_count: int
    image: str
    image_id: str = msgspec.field(name="imageID")
    started: bool = False
    state: ContainerState = ContainerState()
    last_state: ContainerState = ContainerState()


class PodIP(Fields):
    ip: str = ""


class PodStatus(Fields):
    phase: str = ""
    conditions: Conditions = ()
    reason: str = ""
    message: str = ""
    host_ip: str = msgspec.field(default="", name="hostIP")
    pod_ip: str = msgspec.field(default="", name="podIP")
    pod_ips: tuple[PodIP, ...] = msgspec.field(default=(), name="podIPs")
    start_time: str | None = None
    container_statuses: tuple[PodContainerStatus, ...] = ()


class Pod(Object):
    """One instance of a revision, a Deployment or a Job."""

    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()


def ready_column(pod: Pod) -> str:
    """``1/1``: ready containers of all."""
    statuses = pod.status.container_statuses
    return f"{sum(status.ready for status in statuses)}/{max(len(statuses), 1)}"


def status_column(pod: Pod) -> str:
    """The phase, or the reason of a container that waits or has ended."""
    if pod.metadata.deletion_timestamp is not None:
        return "Terminating"
    for status in pod.status.container_statuses:
        for state in (status.state.waiting, status.state.terminated):
            if state is not None and state.reason:
                return state.reason
    return pod.status.reason or pod.status.phase


def restarts_column(pod: Pod) -> str:
    """How often its containers were started again."""
    return str(sum(status.restart_count for status in pod.status.container_statuses))
