"""The Deployment of a Revision, from the Revision and its PodAutoscaler.

Source: knative/serving ``pkg/reconciler/revision/resources/deploy.go``; Knative reference §2.6,
§4.1; Kubernetes' Deployment status.
Differs: nothing is made of it. The queue-proxy is part of knlite itself; its container is listed
because clients look for it by name.
"""

import msgspec

from knlite.kinds.conditions import Condition, find
from knlite.kinds.core.deployment import (
    Deployment,
    DeploymentSpec,
    DeploymentStatus,
    RollingUpdate,
    Strategy,
)
from knlite.kinds.core.podtemplate import PodTemplate
from knlite.kinds.derivedmeta import derived_meta
from knlite.kinds.labels import CONFIGURATION, REVISION_UID, SERVICE
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.names import child_name
from knlite.kinds.podspec.fields import (
    Container,
    ContainerPort,
    EnvVar,
    PodSpec,
    protocol_of,
    serving_container,
    user_port,
)
from knlite.kinds.selectors import LabelSelector
from knlite.kinds.serving.podautoscaler import ACTIVE, PodAutoscaler
from knlite.kinds.serving.revision import RESOURCES_AVAILABLE, Revision
from knlite.reconcile import View
from knlite.serving.autoscaling.spec import scaling_spec
from knlite.serving.contract import progress_deadline
from knlite.serving.views.derived import instance_annotations, instance_labels

SUFFIX = "-deployment"
QUEUE_PROXY = "queue-proxy"
QUEUE_PROXY_IMAGE = "knlite.dev/queue-proxy"
"""No image: says that it is knlite's own."""
HTTP_PORT, HTTP2_PORT = 8012, 8013
"""Where a queue-proxy listens on a cluster."""

_DEADLINE_EXCEEDED = "ProgressDeadlineExceeded"
_DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"


def deployment(revision: Revision, view: View) -> Deployment:
    """The Deployment that says how many instances of *revision* shall be there and are."""
    meta = revision.metadata
    autoscaler = view.get(PodAutoscaler, meta.namespace, meta.name)
    config = view.config
    labels, annotations = instance_labels(revision), instance_annotations(revision)
    wanted = autoscaler.status.desired_scale if autoscaler is not None else None
    if wanted is None:
        wanted = scaling_spec(meta.annotations, 0, config.autoscaler).initial_scale
    container = serving_container(revision.spec)
    shown = {_DEFAULT_CONTAINER: container.name} if container is not None else {}
    return Deployment(
        metadata=derived_meta(
            revision,
            "Deployment",
            child_name(meta.name, SUFFIX),
            autoscaler,
            labels=labels,
            annotations=annotations,
        ),
        spec=DeploymentSpec(
            replicas=wanted,
            selector=LabelSelector(match_labels={REVISION_UID: meta.uid}),
            template=PodTemplate(
                metadata=ObjectMeta(labels=labels, annotations={**annotations, **shown}),
                spec=pod_spec(revision),
            ),
            strategy=Strategy(
                type="RollingUpdate",
                rolling_update=RollingUpdate(max_unavailable=0, max_surge="25%"),
            ),
            revision_history_limit=0,
            progress_deadline_seconds=int(progress_deadline(meta.annotations, config.deployment)),
        ),
        status=_status(revision, autoscaler, wanted),
    )


def pod_spec(revision: Revision) -> PodSpec:
    """The pods of *revision* as a cluster would make them."""
    spec = revision.spec
    common = {name: getattr(spec, name) for name in PodSpec.__struct_fields__}
    serving = serving_container(spec)
    digests = {each.name: each.image_digest for each in revision.status.container_statuses}
    containers = tuple(
        _container(revision, each, digests.get(each.name, ""), serves=each is serving)
        for each in spec.containers
    )
    common["containers"] = (*containers, _queue_proxy(serving))
    common["termination_grace_period_seconds"] = spec.timeout_seconds
    return PodSpec(**common)


def _container(revision: Revision, container: Container, digest: str, *, serves: bool) -> Container:
    labels = revision.metadata.labels
    env = [
        EnvVar(name="K_REVISION", value=revision.metadata.name),
        EnvVar(name="K_CONFIGURATION", value=labels.get(CONFIGURATION, "")),
        EnvVar(name="K_SERVICE", value=labels.get(SERVICE, "")),
    ]
    fields = {name: getattr(container, name) for name in Container.__struct_fields__}
    if serves:
        port = user_port(container)
        env.insert(0, EnvVar(name="PORT", value=str(port)))
        fields["ports"] = (ContainerPort(name="user-port", container_port=port, protocol="TCP"),)
    fields["env"] = (*container.env, *env)
    fields["image"] = digest or container.image
    return Container(**fields)


def _queue_proxy(serving: Container | None) -> Container:
    port = HTTP2_PORT if serving is not None and protocol_of(serving) == "h2c" else HTTP_PORT
    return Container(
        name=QUEUE_PROXY,
        image=QUEUE_PROXY_IMAGE,
        ports=(ContainerPort(name="queue-port", container_port=port, protocol="TCP"),),
    )


def _status(revision: Revision, autoscaler: PodAutoscaler | None, wanted: int) -> DeploymentStatus:
    ready = (autoscaler.status.actual_scale or 0) if autoscaler is not None else 0
    ready = min(ready, wanted)
    active = find(autoscaler.status.conditions, ACTIVE) if autoscaler is not None else None
    created = revision.metadata.creation_timestamp
    since = (active.last_transition_time if active is not None else None) or created
    resources = find(revision.status.conditions, RESOURCES_AVAILABLE)
    enough = ready >= wanted
    available = Condition(
        type="Available",
        status="True" if enough else "False",
        reason="MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable",
        message=f"Deployment {'has' if enough else 'does not have'} minimum availability.",
        last_transition_time=since,
    )
    if resources is not None and resources.reason == _DEADLINE_EXCEEDED:
        progressing = msgspec.structs.replace(resources, type="Progressing", severity="")
    else:
        progressing = Condition(
            type="Progressing",
            status="True",
            reason="NewReplicaSetAvailable" if enough else "ReplicaSetUpdated",
            last_transition_time=since,
        )
    return DeploymentStatus(
        observed_generation=1,
        replicas=wanted,
        updated_replicas=wanted,
        ready_replicas=ready,
        available_replicas=ready,
        unavailable_replicas=wanted - ready,
        conditions=(available, progressing),
    )
