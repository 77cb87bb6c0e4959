"""Deployment: as many Pods as it wants, of its present template; new ones come before old ones go.

Source: Kubernetes ``pkg/controller/deployment`` (status and its texts).
Differs: its Pods are its own children. There are no ReplicaSets, hence no history to roll back to;
messages name the ReplicaSet that a cluster would have made. While it is paused, what scaling adds
is of the present template.
Not here: which Pods come and go when (``workloads/rolling.py``).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from knlite.kinds.conditions import Condition, Conditions, find, since, timestamp
from knlite.kinds.core.deployment import Deployment, DeploymentStatus
from knlite.kinds.core.pod import Pod
from knlite.reconcile import Change, Create, Delete, Key, Outcome, UpdateStatus, View
from knlite.workloads.pods import (
    TEMPLATE_HASH,
    has_ended,
    is_leaving,
    moment,
    new_pod,
    ready_since,
    template_hash,
)
from knlite.workloads.rolling import Standing, max_unavailable, next_step

AVAILABLE, PROGRESSING = "Available", "Progressing"
NEW_AVAILABLE = "NewReplicaSetAvailable"


def reconcile(key: Key, view: View, now: datetime) -> Outcome:
    """The Pods and the status of the Deployment at *key*."""
    deployment = view.get(Deployment, key.namespace, key.name)
    if deployment is None or deployment.metadata.deletion_timestamp is not None:
        return Outcome()
    spec = deployment.spec
    digest = template_hash(spec.template)
    mine = view.owned(Pod, deployment)
    # The names end in random letters: the oldest are found by their times.
    living = sorted(
        (each for each in mine if not is_leaving(each) and not has_ended(each)),
        key=lambda each: (each.metadata.creation_timestamp or "", each.metadata.name),
    )
    pods = [_standing(each, digest, spec.min_ready_seconds, now) for each in living]
    leaving = any(is_leaving(each) and not _is_of(each, digest) for each in mine)
    step = next_step(spec, pods, leaving=leaving)
    changes: list[Change] = [Delete(Key(Pod, key.namespace, name)) for name in step.delete]
    prefix = f"{key.name}-{digest}-"
    pod = new_pod(deployment, spec.template, prefix, {TEMPLATE_HASH: digest})
    changes.extend(Create(pod) for _ in range(step.create))
    deadline = _deadline(deployment, living, digest)
    status = _status(deployment, living, pods, digest, deadline, now)
    if status != deployment.status:
        changes.append(UpdateStatus(msgspec.structs.replace(deployment, status=status)))
    times = [deadline if _is_progressing(status) else None]
    times += [_available_at(each, spec.min_ready_seconds) for each in living]
    due = [(each - now).total_seconds() for each in times if each is not None and each > now]
    return Outcome(tuple(changes), min(due, default=None))


def _standing(pod: Pod, digest: str, min_ready: int, now: datetime) -> Standing:
    available = _available_at(pod, min_ready)
    return Standing(
        pod.metadata.name, _is_of(pod, digest), available is not None and available <= now
    )


def _is_of(pod: Pod, digest: str) -> bool:
    return pod.metadata.labels.get(TEMPLATE_HASH) == digest


def _available_at(pod: Pod, min_ready: int) -> datetime | None:
    ready = ready_since(pod)
    return None if ready is None else ready + timedelta(seconds=min_ready)


def _deadline(deployment: Deployment, pods: Sequence[Pod], digest: str) -> datetime | None:
    """When the rollout counts as failed: so long after its last visible step."""
    steps = [moment(deployment.metadata.creation_timestamp)]
    for pod in pods:
        if _is_of(pod, digest):
            steps += [moment(pod.metadata.creation_timestamp), ready_since(pod)]
    last = max((each for each in steps if each is not None), default=None)
    seconds = deployment.spec.progress_deadline_seconds or 0
    return None if last is None else last + timedelta(seconds=seconds)


def _status(
    deployment: Deployment,
    living: Sequence[Pod],
    pods: Sequence[Standing],
    digest: str,
    deadline: datetime | None,
    now: datetime,
) -> DeploymentStatus:
    wanted = deployment.spec.replicas or 0
    available = sum(each.available for each in pods)
    updated = sum(each.current for each in pods)
    enough = available >= wanted - max_unavailable(deployment.spec)
    conditions = (
        Condition(
            type=AVAILABLE,
            status="True" if enough else "False",
            reason="MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable",
            message=f"Deployment {'has' if enough else 'does not have'} minimum availability.",
        ),
        _progressing(
            f'ReplicaSet "{deployment.metadata.name}-{digest}"',
            complete=updated == wanted == len(pods) and available >= wanted,
            settled=_was_complete(deployment) and updated == len(pods),
            late=deadline is not None and deadline <= now,
        ),
    )
    return DeploymentStatus(
        observed_generation=deployment.metadata.generation,
        replicas=len(pods),
        updated_replicas=updated,
        ready_replicas=sum(ready_since(each) is not None for each in living),
        available_replicas=available,
        unavailable_replicas=max(0, wanted - available),
        conditions=_carried(conditions, deployment.status.conditions, now),
    )


def _progressing(replica_set: str, *, complete: bool, settled: bool, late: bool) -> Condition:
    if complete or settled:
        text = f"{replica_set} has successfully progressed."
        return Condition(type=PROGRESSING, status="True", reason=NEW_AVAILABLE, message=text)
    if late:
        text = f"{replica_set} has timed out progressing."
        return Condition(
            type=PROGRESSING, status="False", reason="ProgressDeadlineExceeded", message=text
        )
    text = f"{replica_set} is progressing."
    return Condition(type=PROGRESSING, status="True", reason="ReplicaSetUpdated", message=text)


def _was_complete(deployment: Deployment) -> bool:
    """Whether this generation has been rolled out; what fails later is no rollout any more."""
    found = find(deployment.status.conditions, PROGRESSING)
    seen = deployment.status.observed_generation == deployment.metadata.generation
    return seen and found is not None and found.reason == NEW_AVAILABLE


def _is_progressing(status: DeploymentStatus) -> bool:
    found = find(status.conditions, PROGRESSING)
    return found is not None and found.reason == "ReplicaSetUpdated"


def _carried(conditions: Conditions, before: Conditions, now: datetime) -> Conditions:
    return since(conditions, before, timestamp(now))
