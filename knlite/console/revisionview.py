"""A revision as the page of its service shows it: what runs, how it is scaled, how it stands.

Source: Knative reference §1.11 (conditions), §2.1 (annotations).
Not here: its load from moment to moment, which the feed's topic ``load`` tells.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Protocol, dataclass_transform

import msgspec

from knlite.console.standing import standing
from knlite.facts import PathChanged
from knlite.kinds.conditions import Conditions
from knlite.kinds.core.pod import ContainerState, Pod, status_column
from knlite.kinds.labels import REVISION, ROUTING_STATE
from knlite.kinds.podspec.fields import leading_container
from knlite.kinds.serving.revision import Revision
from knlite.reconcile import View
from knlite.serving.autoscaling.spec import scaling_spec
from knlite.serving.code import code_of
from knlite.serving.instance import RevisionName
from knlite.serving.levels import RevisionScale
from knlite.telemetry.scalehistory import Decision, Step


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Row(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is sent to the page."""


class Share(Row):
    """One target of a service's traffic, as it is now or as it shall be."""

    revision: str
    """Empty where it is the latest and there is none yet."""
    latest: bool
    percent: int
    tag: str = ""
    url: str = ""
    """Of the tag."""


class Scaling(Row):
    """How the revision asks to be scaled. Times in seconds."""

    metric: str
    target: float
    """What one instance should carry."""
    min_scale: int
    max_scale: int
    """0: no limit."""
    initial_scale: int
    stable_window: float
    panic_window: float
    panic_threshold: float
    burst_capacity: float
    container_concurrency: int
    """Requests that one instance gets at once; 0: no limit."""


class PathView(Row):
    """Whether the activator holds the revision's requests when there are too many."""

    at: str
    mode: str
    why: str


class LastExit(Row):
    """How a program of an instance ended last."""

    container: str
    reason: str
    exit_code: int
    message: str
    at: str


class InstanceView(Row):
    """An instance as its Pod tells it; its state from moment to moment is in the feed."""

    name: str
    revision: str
    created: str
    started: str
    """Empty if it does not run."""
    state: str
    """As kubectl shows it: Running, Terminating, CrashLoopBackOff, …"""
    ready: bool
    restarts: int
    containers: int
    last_exit: LastExit | None


class RevisionView(Row):
    """One revision."""

    name: str
    created: str
    image: str
    digest: str
    origin: str
    """What runs the image here, in words; empty if it is not known."""
    code: str
    """The digest of local code that has changed since it was first seen."""
    ready: str
    reason: str
    message: str
    conditions: Conditions
    percent: int
    tags: Sequence[str]
    routing: str
    """``active``, ``reserve`` or ``pending``."""
    actual: int
    desired: int
    timeout: int
    scaling: Scaling
    decisions: Sequence[Decision]
    excess: float | None
    """Excess burst capacity, in requests; None if it is not known, or has no bound."""
    path: PathView | None
    steps: Sequence[Step]


class History(Protocol):
    """What the autoscaler has said."""

    def decisions(self, namespace: str, revision: str) -> Sequence[Decision]: ...
    def steps(self, namespace: str, revision: str) -> Sequence[Step]: ...
    def path(self, namespace: str, revision: str) -> PathChanged | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of revisions besides their objects."""

    history: History
    origin: Callable[[Revision], str]
    """What runs a revision here, in words."""
    scale: Callable[[RevisionName], RevisionScale | None]
    """How it is scaled now."""


def revision_view(
    revision: Revision, shares: Sequence[Share], view: View, known: Known
) -> RevisionView:
    """*revision*, which gets some of *shares*."""
    history = known.history
    meta, status = revision.metadata, revision.status
    namespace, name = meta.namespace, meta.name
    container = leading_container(revision.spec)
    how = standing(revision)
    own = [share for share in shares if share.revision == name]
    scale = known.scale(RevisionName(namespace, name))
    excess = scale.excess if scale is not None else None
    return RevisionView(
        name=name,
        created=meta.creation_timestamp or "",
        image=container.image if container is not None else "",
        digest=next((each.image_digest for each in status.container_statuses), ""),
        origin=known.origin(revision),
        code=code_of(meta.annotations),
        ready=how.status,
        reason=how.reason,
        message=how.message,
        conditions=status.conditions,
        percent=sum(share.percent for share in own),
        tags=[share.tag for share in own if share.tag],
        routing=meta.labels.get(ROUTING_STATE, ""),
        actual=status.actual_replicas or 0,
        desired=status.desired_replicas or 0,
        timeout=revision.spec.timeout_seconds or 0,
        scaling=_scaling(revision, view),
        decisions=history.decisions(namespace, name),
        excess=excess if excess is not None and isfinite(excess) else None,
        path=_path_view(history.path(namespace, name)),
        steps=history.steps(namespace, name),
    )


def _path_view(path: PathChanged | None) -> PathView | None:
    if path is None:
        return None
    return PathView(at=path.at.isoformat(), mode=path.mode, why=path.why)


def instance_view(pod: Pod) -> InstanceView:
    """The instance of *pod*."""
    statuses = pod.status.container_statuses
    running = [each.state.running.started_at for each in statuses if each.state.running is not None]
    return InstanceView(
        name=pod.metadata.name,
        revision=pod.metadata.labels.get(REVISION, ""),
        created=pod.metadata.creation_timestamp or "",
        started=min(running, default=""),
        state=status_column(pod),
        ready=bool(statuses) and all(each.ready for each in statuses),
        restarts=sum(each.restart_count for each in statuses),
        containers=len(statuses),
        last_exit=_last_exit(pod),
    )


def _last_exit(pod: Pod) -> LastExit | None:
    found: list[LastExit] = []
    for each in pod.status.container_statuses:
        for state in (each.state, each.last_state):
            exit_ = _exit(each.name, state)
            if exit_ is not None:
                found.append(exit_)
    return max(found, key=lambda each: each.at, default=None)


def _exit(container: str, state: ContainerState) -> LastExit | None:
    ended = state.terminated
    if ended is None:
        return None
    return LastExit(
        container=container,
        reason=ended.reason,
        exit_code=ended.exit_code,
        message=ended.message,
        at=ended.finished_at,
    )


def _scaling(revision: Revision, view: View) -> Scaling:
    concurrency = revision.spec.container_concurrency or 0
    spec = scaling_spec(revision.metadata.annotations, concurrency, view.config.autoscaler)
    return Scaling(
        metric=spec.metric,
        target=spec.target,
        min_scale=spec.min_scale,
        max_scale=spec.max_scale,
        initial_scale=spec.initial_scale,
        stable_window=spec.stable_window,
        panic_window=spec.panic_window,
        panic_threshold=spec.panic_threshold,
        burst_capacity=spec.burst_capacity,
        container_concurrency=concurrency,
    )
