"""Revision: its PodAutoscaler and Image, and what their states and its instances mean.

Source: knative/serving ``pkg/reconciler/revision``; Knative reference §1.9 to §1.11.
Differs: why an instance waits is told as soon as it is known; upstream waits for the progress
deadline, which nobody at a terminal wants to do.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

import msgspec

from knlite.kinds.conditions import ConditionEditor, find, is_false, is_true
from knlite.kinds.core.pod import Pod
from knlite.kinds.labels import REVISION, ROUTING_STATE
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.names import child_name
from knlite.kinds.ownership import owned_by
from knlite.kinds.podspec.fields import Container, protocol_of, serving_container
from knlite.kinds.serving.image import Image, ImageSpec, image_name
from knlite.kinds.serving.podautoscaler import ACTIVE as PA_ACTIVE
from knlite.kinds.serving.podautoscaler import (
    SCALE_TARGET_INITIALIZED,
    PodAutoscaler,
    PodAutoscalerSpec,
    Reachability,
    ScaleTargetRef,
)
from knlite.kinds.serving.revision import (
    ACTIVE,
    CONDITIONS,
    CONTAINER_HEALTHY,
    RESOURCES_AVAILABLE,
    ContainerStatus,
    Revision,
)
from knlite.reconcile import Change, Create, Key, Outcome, Update, UpdateStatus, View
from knlite.serving.imagename import at_digest, registry_of
from knlite.serving.podlife import AT_REST
from knlite.serving.views.deployment import SUFFIX as DEPLOYMENT

NEVER_SCALED = "Initial scale was never achieved"


def reconcile(key: Key, view: View, now: datetime) -> Outcome:
    """The children and the status of the Revision at *key*."""
    revision = view.get(Revision, key.namespace, key.name)
    if revision is None or revision.metadata.deletion_timestamp is not None:
        return Outcome()
    editor = CONDITIONS.edit(revision.status.conditions, now)
    images, changes = _images(revision, view)
    autoscaler, more = _autoscaler(revision, view)
    changes += more
    pods = view.labelled(Pod, key.namespace, REVISION, key.name)
    _judge(editor, _telling(images.values()), autoscaler, pods)
    skipped = view.config.deployment.registries_skipping_tag_resolving

    def statuses(containers: Sequence[Container]) -> tuple[ContainerStatus, ...]:
        return tuple(
            ContainerStatus(name=each.name, image_digest=_digest(images[each.name], skipped))
            for each in containers
        )

    status = msgspec.structs.replace(
        revision.status,
        observed_generation=revision.metadata.generation,
        conditions=editor.result(),
        log_url=view.config.observability.revision_url_template.replace(
            "${REVISION_UID}", revision.metadata.uid
        ),
        container_statuses=statuses(revision.spec.containers),
        init_container_statuses=statuses(revision.spec.init_containers),
        actual_replicas=autoscaler.status.actual_scale,
        desired_replicas=autoscaler.status.desired_scale,
    )
    if status != revision.status:
        changes += (UpdateStatus(msgspec.structs.replace(revision, status=status)),)
    return Outcome(changes)


def _telling(images: Iterable[Image]) -> Image:
    """The image that decides: one that cannot be had, else one that is not known yet."""

    def rank(image: Image) -> int:
        prepared = find(image.status.conditions)
        return {"False": 0, "Unknown": 1, "True": 2}[prepared.status if prepared else "Unknown"]

    return min(images, key=rank, default=Image())


def _digest(image: Image, skipped: Collection[str]) -> str:
    """``REPOSITORY@sha256:…``; empty until the code is known, and where tags are not resolved."""
    if not image.status.digest or registry_of(image.spec.image) in skipped:
        return ""
    return at_digest(image.spec.image, image.status.digest)


def _judge(
    editor: ConditionEditor, image: Image, autoscaler: PodAutoscaler, pods: Sequence[Pod]
) -> None:
    """The conditions that image, scale and instances amount to."""
    active = find(autoscaler.status.conditions, PA_ACTIVE)
    if active is None:
        editor.unknown(ACTIVE, "Deploying")
    else:
        editor.copy(ACTIVE, active)
    initialised = is_true(autoscaler.status.conditions, SCALE_TARGET_INITIALIZED)
    ready = (autoscaler.status.actual_scale or 0) > 0
    prepared = find(image.status.conditions)
    if ready:
        editor.true(CONTAINER_HEALTHY)
        if initialised:
            editor.true(RESOURCES_AVAILABLE)
        return
    if prepared is not None and prepared.status == "False":
        editor.false(CONTAINER_HEALTHY, prepared.reason, prepared.message)
        return
    failure = _failure(pods)
    if failure is not None:
        name, reason, message = failure
        editor.false(name, reason, message)
        return
    if initialised:
        # At zero it stays what it was; one that never needed an instance is taken to be well.
        for name in (CONTAINER_HEALTHY, RESOURCES_AVAILABLE):
            condition = editor.get(name)
            if condition is None or condition.status == "Unknown":
                editor.true(name)
        return
    if active is not None and active.reason == "TimedOut":
        if not editor.is_false(CONTAINER_HEALTHY):
            editor.false(RESOURCES_AVAILABLE, "ProgressDeadlineExceeded", NEVER_SCALED)
        return
    for name in (CONTAINER_HEALTHY, RESOURCES_AVAILABLE):
        if not editor.is_false(name):
            editor.unknown(name, "Deploying")


def _failure(pods: Sequence[Pod]) -> tuple[str, str, str] | None:
    """(condition, reason, message) of what is wrong with the instances."""
    for pod in pods:
        if pod.metadata.deletion_timestamp is not None or pod.status.reason in AT_REST:
            continue
        placed = find(pod.status.conditions, "PodScheduled")
        if placed is not None and placed.status == "False":
            return (RESOURCES_AVAILABLE, placed.reason, placed.message)
        for status in pod.status.container_statuses:
            ended = status.state.terminated or status.last_state.terminated
            if ended is not None:
                why = ended.message or "container exited with no error"
                message = f"Container failed with: {why}"
                return (CONTAINER_HEALTHY, f"ExitCode{ended.exit_code}", message)
            waiting = status.state.waiting
            if waiting is not None and waiting.reason not in {"", "ContainerCreating"}:
                return (RESOURCES_AVAILABLE, waiting.reason, waiting.message)
    return None


def _images(revision: Revision, view: View) -> tuple[dict[str, Image], tuple[Change, ...]]:
    """The Image of each container by the container's name."""
    meta = revision.metadata
    images: dict[str, Image] = {}
    changes: list[Change] = []
    for container in (*revision.spec.containers, *revision.spec.init_containers):
        name = image_name(meta.name, container.name)
        image = view.get(Image, meta.namespace, name)
        if image is None:
            image = Image(
                metadata=ObjectMeta(
                    name=name,
                    namespace=meta.namespace,
                    labels={**meta.labels, REVISION: meta.name},
                    owner_references=owned_by(revision),
                ),
                spec=ImageSpec(image=container.image),
            )
            changes.append(Create(image))
        images[container.name] = image
    return images, tuple(changes)


def _autoscaler(revision: Revision, view: View) -> tuple[PodAutoscaler, tuple[Change, ...]]:
    meta = revision.metadata
    container = serving_container(revision.spec)
    spec = PodAutoscalerSpec(
        container_concurrency=revision.spec.container_concurrency or 0,
        scale_target_ref=ScaleTargetRef(
            api_version="apps/v1", kind="Deployment", name=child_name(meta.name, DEPLOYMENT)
        ),
        protocol_type=protocol_of(container) if container is not None else "http1",
        reachability=_reachability(revision),
    )
    stored = view.get(PodAutoscaler, meta.namespace, meta.name)
    if stored is None:
        autoscaler = PodAutoscaler(
            metadata=ObjectMeta(
                name=meta.name,
                namespace=meta.namespace,
                labels={**meta.labels, REVISION: meta.name},
                annotations=meta.annotations,
                owner_references=owned_by(revision),
            ),
            spec=spec,
        )
        return autoscaler, (Create(autoscaler),)
    metadata = msgspec.structs.replace(stored.metadata, annotations=meta.annotations)
    changed = msgspec.structs.replace(stored, metadata=metadata, spec=spec)
    return changed, () if changed == stored else (Update(changed),)


def _reachability(revision: Revision) -> Reachability:
    unwell = any(
        is_false(revision.status.conditions, name)
        for name in (RESOURCES_AVAILABLE, CONTAINER_HEALTHY)
    )
    if unwell and not revision.status.actual_replicas:
        return "Unreachable"
    match revision.metadata.labels.get(ROUTING_STATE):
        case "active":
            return "Reachable"
        case "reserve":
            return "Unreachable"
        case _:
            return "Unknown"
