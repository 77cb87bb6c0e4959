"""Pod: an instance as Kubernetes clients look at it; or one that somebody wants by itself.

Source: Kubernetes core/v1 Pod (``pkg/apis/core/validation``); Knative reference §1.10 (labels),
§1.11 (what conditions read).
Differs: nothing of the spec of a Pod by itself can be changed, also not its image. None outlives a
run.
"""

import msgspec

from knlite.kinds.conditions import Conditions
from knlite.kinds.config.bundle import Config
from knlite.kinds.core.podtemplate import PodTemplate, template_defaulted, template_errors
from knlite.kinds.fielderror import Errors, FieldError, generic
from knlite.kinds.meta import Fields, Object, controller_of
from knlite.kinds.objectname import name_errors
from knlite.kinds.podspec.fields import PodSpec

INSTANCE = "knlite.dev/instance"
"""Finalizer of a Pod whose instance has not gone yet."""
RESTART_POLICIES = ("Always", "OnFailure", "Never")


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
    """One instance: of a revision, a Deployment, a Job, or by itself."""

    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()


def defaulted(obj: Pod, old: Pod | None, config: Config) -> Pod:
    """*obj* with Kubernetes' defaults; whoever makes Pods of a template has filled them in."""
    if controller_of(obj) is not None:
        return obj
    metadata = obj.metadata
    if old is None and INSTANCE not in metadata.finalizers:
        metadata = msgspec.structs.replace(metadata, finalizers=(*metadata.finalizers, INSTANCE))
    spec = template_defaulted(PodTemplate(spec=obj.spec), "Always").spec
    return msgspec.structs.replace(obj, metadata=metadata, spec=spec)


def validated(obj: Pod, old: Pod | None, config: Config) -> Errors:
    """What is wrong with *obj*, which has its defaults."""
    if controller_of(obj) is not None:
        return ()
    template = PodTemplate(metadata=obj.metadata, spec=obj.spec)
    errors: list[FieldError] = [*name_errors(obj), *template_errors(template, RESTART_POLICIES)]
    if old is not None and old.spec != obj.spec:
        text = "Forbidden: the spec of a pod cannot be changed; delete it and create another one"
        errors.append(generic(text, "spec"))
    return tuple(errors)


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
