"""What is worth telling of an object, in the words of Kubernetes Events.

Source: the events that knative/serving's reconcilers, Kubernetes' deployment controller and kubelet
record. Differs: a Service also gets what happens to its revisions and instances, so that
``kubectl describe ksvc`` tells the whole story.
Not here: counting and keeping them (``controlplane/eventledger.py``).
"""

from collections.abc import Iterator, Mapping

from knlite.facts import (
    CertificateDoubted,
    InstanceChanged,
    PathChanged,
    PreparationStep,
    ProbeFailed,
    ReadyChanged,
    ReconcileFailed,
    ScaleDecided,
)
from knlite.kinds.conditions import is_true
from knlite.kinds.core.job import COMPLETE, Job, finished
from knlite.kinds.core.k8sservice import KubernetesService
from knlite.kinds.core.pod import Pod
from knlite.kinds.happening import EventType, Happening, told_by_controller
from knlite.kinds.labels import SERVICE
from knlite.kinds.meta import Object, controller_of
from knlite.kinds.names import child_name
from knlite.kinds.serving.configuration import Configuration
from knlite.kinds.serving.ingress import Ingress
from knlite.kinds.serving.revision import Revision
from knlite.kinds.serving.route import Route
from knlite.serving.views.deployment import SUFFIX as DEPLOYMENT

Telling = (
    ReadyChanged
    | ScaleDecided
    | PathChanged
    | InstanceChanged
    | ProbeFailed
    | PreparationStep
    | ReconcileFailed
    | CertificateDoubted
)
"""Facts that something is told of."""


def of_fact(fact: Telling) -> Iterator[Happening]:
    """What *fact* means for the objects it is about."""
    match fact:
        case ReadyChanged():
            yield from _ready(fact)
        case ScaleDecided():
            yield from _scaled(fact)
        case PathChanged():
            where = "through the activator" if fact.mode == "Proxy" else "straight to instances"
            text = f"Requests go {where}: {fact.why}"
            yield Happening(
                "Revision", fact.namespace, fact.revision, "Normal", "Path", text, "autoscaler"
            )
        case InstanceChanged():
            yield from _instance(fact)
        case ProbeFailed():
            text = f"{fact.probe} probe failed: {fact.why}"
            yield Happening(
                "Pod", fact.namespace, fact.instance, "Warning", "Unhealthy", text, "kubelet"
            )
        case PreparationStep():
            if fact.share:
                return  # Has been told when it began.
            for kind, name in _told(fact.service, fact.revision):
                yield Happening(
                    kind, fact.namespace, name, "Normal", "Preparing", fact.text, "kubelet"
                )
        case ReconcileFailed():
            component = f"{fact.kind.lower()}-controller"
            yield Happening(
                fact.kind,
                fact.namespace,
                fact.name,
                "Warning",
                "InternalError",
                fact.why,
                component,
            )
        case CertificateDoubted():
            text = f'Clients may refuse the certificate of Secret "{fact.secret}": {fact.why}'
            yield Happening(
                "DomainMapping",
                fact.namespace,
                fact.host,
                "Warning",
                "CertificateDoubtful",
                text,
                "domainmapping-controller",
            )


def of_addition(obj: Object) -> Iterator[Happening]:
    """What the existence of *obj* means for those above it."""
    owner = controller_of(obj)
    if owner is None:
        return
    meta = obj.metadata
    match obj:
        case Configuration() | Route() | Revision() | Ingress():
            text = f'Created {type(obj).__name__} "{meta.name}"'
        case KubernetesService():
            text = f'Created placeholder service "{meta.name}"'
        case Job() if owner.kind == "CronJob":
            text = f"Created job {meta.name}"
            who = "cronjob-controller"
            yield Happening(
                "CronJob", meta.namespace, owner.name, "Normal", "SuccessfulCreate", text, who
            )
            return
        case Pod() if owner.kind in {"Deployment", "Job"}:
            component = f"{owner.kind.lower()}-controller"
            text = f"Created pod: {meta.name}"
            yield Happening(
                owner.kind,
                meta.namespace,
                owner.name,
                "Normal",
                "SuccessfulCreate",
                text,
                component,
            )
            return
        case _:
            return
    component = f"{owner.kind.lower()}-controller"
    yield Happening(owner.kind, meta.namespace, owner.name, "Normal", "Created", text, component)
    service = meta.labels.get(SERVICE, "")
    if isinstance(obj, Revision) and service:
        yield Happening("Service", meta.namespace, service, "Normal", "Created", text, component)


def of_change(old: Object, new: Object) -> Iterator[Happening]:
    """What it means that *old* has become *new*."""
    match old, new:
        case Revision(), Revision():
            before, now = is_true(old.status.conditions), is_true(new.status.conditions)
            if now and not before:
                text = "Revision becomes ready upon all resources being ready"
                yield told_by_controller(new, "Normal", "RevisionReady", text)
        case Configuration(), Configuration():
            yield from _latest(old, new)
        case Job(), Job():
            how = finished(new)
            if how is not None and finished(old) is None:
                completed = how.type == COMPLETE
                reason = "Completed" if completed else how.reason
                text = "Job completed" if completed else how.message
                yield told_by_controller(new, "Normal" if completed else "Warning", reason, text)
        case _:
            pass


def _latest(old: Configuration, new: Configuration) -> Iterator[Happening]:
    latest = new.status.latest_ready_revision_name
    if latest and latest != old.status.latest_ready_revision_name:
        if not old.status.latest_ready_revision_name:
            yield told_by_controller(
                new, "Normal", "ConfigurationReady", "Configuration becomes ready"
            )
        text = f'LatestReadyRevisionName updated to "{latest}"'
        yield told_by_controller(new, "Normal", "LatestReadyUpdate", text)
    failed, before = (
        next((c for c in each.status.conditions if c.type == "Ready" and c.status == "False"), None)
        for each in (new, old)
    )
    if failed is not None and failed != before and failed.reason == "RevisionFailed":
        created = new.status.latest_created_revision_name
        which = "ready" if created == latest else "created"
        text = f'Latest {which} revision "{created}" has failed'
        yield told_by_controller(new, "Warning", f"Latest{which.capitalize()}Failed", text)


_REASONS: Mapping[tuple[str, str], str] = {
    ("PingSource", "NotFound"): "SinkNotFound",
    ("ApiServerSource", "NotFound"): "SinkNotFound",
}
"""Where an Event has another reason than the condition, by kind and reason of the condition."""


def _ready(fact: ReadyChanged) -> Iterator[Happening]:
    component = f"{fact.kind.lower()}-controller"
    if fact.status == "True":
        text = f"{fact.kind} is ready"
        yield Happening(fact.kind, fact.namespace, fact.name, "Normal", "Ready", text, component)
    elif fact.status == "False":
        reason = _REASONS.get((fact.kind, fact.reason), fact.reason) or "NotReady"
        yield Happening(
            fact.kind, fact.namespace, fact.name, "Warning", reason, fact.message, component
        )


def _scaled(fact: ScaleDecided) -> Iterator[Happening]:
    direction = "Up" if fact.desired > fact.was else "Down"
    panic = " (panic)" if fact.panic else ""
    why = f": {fact.why}" if fact.why else ""
    text = f'Scaled "{fact.revision}" from {fact.was} to {fact.desired}{panic}{why}'
    for kind, name in _told(fact.service, fact.revision):
        yield Happening(
            kind, fact.namespace, name, "Normal", f"Scaled{direction}", text, "autoscaler"
        )
    name = child_name(fact.revision, DEPLOYMENT)
    text = f"Scaled {direction.lower()} to {fact.desired} from {fact.was}"
    yield Happening(
        "Deployment",
        fact.namespace,
        name,
        "Normal",
        "ScalingReplicaSet",
        text,
        "deployment-controller",
    )


def _instance(fact: InstanceChanged) -> Iterator[Happening]:
    kubelet = _kubelet(fact)
    if kubelet is not None:
        type_, reason, text = kubelet
        yield Happening("Pod", fact.namespace, fact.instance, type_, reason, text, "kubelet")
    story = _STORIES.get(fact.state)
    if story is not None:
        type_, reason, text = story
        # How it is called at its start is another name each time, and would not be counted.
        why = f": {fact.why}" if fact.why and fact.state != "ready" else ""
        text = f'Instance "{fact.instance}" {text}{why}'
        for kind, name in _told(fact.service, fact.revision):
            yield Happening(kind, fact.namespace, name, type_, reason, text, "kubelet")


_STORIES: Mapping[str, tuple[EventType, str, str]] = {
    "ready": ("Normal", "InstanceReady", "is ready"),
    "unready": ("Warning", "InstanceUnready", "is not ready any more"),
    "restarting": ("Warning", "InstanceRestarting", "is unhealthy and is started again"),
    "failed": ("Warning", "InstanceFailed", "has failed"),
}
"""What a revision and its service tell of an instance."""


def _kubelet(fact: InstanceChanged) -> tuple[EventType, str, str] | None:
    """What the Pod tells of itself, in the kubelet's words where it has some."""
    container = f"container {fact.container}" if fact.container else "the containers"
    match fact.state:
        case "starting":
            return "Normal", "Created", f"Created {container}"
        case "started":
            return "Normal", "Started", f"Started {container}"
        case "ready":
            return "Normal", "Ready", "Its readiness probes have passed"
        case "draining":
            return "Normal", "Killing", f"Stopping {container}"
        case "restarting":
            return "Normal", "Killing", f"{container.capitalize()} will be restarted: {fact.why}"
        case "failed":
            return "Warning", "Failed", f"Error: {fact.reason or 'failed'}: {fact.why}"
        case "waiting":
            return (
                "Warning",
                "BackOff",
                f"Back-off restarting failed {container.removeprefix('the ')}",
            )
        case "frozen":
            return "Normal", "Frozen", "Kept in memory without processor time until a request comes"
        case "thawed":
            return "Normal", "Thawed", "Goes on from where it was frozen"
        case "stopped":
            return "Normal", "Stopped", "Kept on disk until a request comes"
        case "completed":
            return "Normal", "Completed", f"{container.capitalize()} ended without an error"
        case "preparing" | "unready" | "gone":
            # What comes of a preparation is told by itself, and each failed probe is.
            return None


def _told(service: str, revision: str) -> Iterator[tuple[str, str]]:
    if not revision:
        # A pod that belongs to no revision tells its story itself.
        return
    yield "Revision", revision
    if service:
        yield "Service", service
