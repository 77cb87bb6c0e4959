"""Instances as Pods, for reconcilers and for people who look.

Source: Kubernetes core/v1 Pod (phases, container states); Knative reference §1.10, §1.11.
Differs: nothing schedules a Pod. It is a report, written a moment after the fact; what it says of
ports is where the instance is reached from this machine.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from knlite.controlplane.reporting import Reporter
from knlite.errors import KnliteError
from knlite.kinds.conditions import Condition, Status, timestamp
from knlite.kinds.core.pod import (
    ContainerState,
    Pod,
    PodContainerStatus,
    PodStatus,
    RunningState,
    TerminatedState,
    WaitingState,
)
from knlite.kinds.labels import REVISION, REVISION_UID
from knlite.kinds.meta import ObjectMeta, OwnerReference
from knlite.kinds.podspec.fields import PodSpec, serving_container
from knlite.kinds.serving.revision import Revision
from knlite.reconcile import Key
from knlite.registry.registry import CONTROLLER, Registry
from knlite.serving.instance import Address, RevisionName, StartFailure

_CONDITIONS = ("Initialized", "PodScheduled", "ContainersReady", "Ready")


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    phase: str
    container: ContainerState
    last: ContainerState = ContainerState()
    ready: bool = False
    restarts: int = 0
    address: Address | None = None
    started: str = ""


class PodWriter:
    """Writes the Pod of each instance; nobody else writes Pods."""

    def __init__(
        self, registry: Registry, reporter: Reporter, wall: Callable[[], datetime]
    ) -> None:
        self._registry = registry
        self._reporter = reporter
        self._wall = wall
        self._states: dict[tuple[RevisionName, str], _State] = {}

    def starting(self, revision: RevisionName, name: str, restarts: int) -> None:
        """It is being started."""
        creating = ContainerState(waiting=WaitingState(reason="ContainerCreating"))
        state = _State(phase="Pending", container=creating, restarts=restarts)
        old = self._states.get((revision, name))
        self._put(revision, name, replace(state, last=old.last) if old else state)

    def ready(self, revision: RevisionName, name: str, restarts: int, address: Address) -> None:
        """It answers at *address*."""
        running = ContainerState(running=RunningState(started_at=timestamp(self._wall())))
        state = _State(
            phase="Running", container=running, ready=True, restarts=restarts, address=address
        )
        old = self._states.get((revision, name))
        self._put(revision, name, replace(state, last=old.last) if old else state)

    def waiting(
        self, revision: RevisionName, name: str, restarts: int, failure: StartFailure
    ) -> None:
        """It will be tried again; *failure* is why it has to be."""
        reason = failure.reason
        if reason.startswith("ExitCode"):
            reason = "CrashLoopBackOff"
        state = ContainerState(waiting=WaitingState(reason=reason, message=failure.message))
        old = self._states.get((revision, name))
        last = old.last if old else ContainerState()
        self._put(
            revision, name, _State(phase="Running", container=state, last=last, restarts=restarts)
        )

    def ended(
        self, revision: RevisionName, name: str, restarts: int, code: int, message: str
    ) -> None:
        """Its program has ended by itself."""
        terminated = ContainerState(
            terminated=TerminatedState(
                exit_code=code,
                reason="Completed" if code == 0 else "OOMKilled" if code == 137 else "Error",
                message=message,
                finished_at=timestamp(self._wall()),
            )
        )
        state = _State(phase="Running", container=terminated, last=terminated, restarts=restarts)
        self._put(revision, name, state)

    def draining(self, revision: RevisionName, name: str) -> None:
        """It gets no new requests and will be stopped."""
        old = self._states.get((revision, name))
        if old is not None:
            self._put(revision, name, replace(old, ready=False))

    def gone(self, revision: RevisionName, name: str) -> None:
        """It is no more."""
        self._states.pop((revision, name), None)
        key = Key(Pod, revision.namespace, name)
        self._reporter.report(key, lambda: self._delete(key))

    def _put(self, revision: RevisionName, name: str, state: _State) -> None:
        self._states[revision, name] = state
        key = Key(Pod, revision.namespace, name)
        self._reporter.report(key, lambda: self._write(revision, name, state))

    def _delete(self, key: Key) -> None:
        if self._registry.at(key) is not None:
            self._registry.delete(key)

    def _write(self, name_of: RevisionName, name: str, state: _State) -> None:
        revision = self._registry.view.get(Revision, name_of.namespace, name_of.name)
        if revision is None:
            return
        pod = self._registry.view.get(Pod, name_of.namespace, name)
        if pod is None:
            try:
                pod = self._registry.create(_pod(revision, name), user=CONTROLLER)
            except KnliteError:
                # The namespace is going away, and takes the Pod along.
                return
        status = _status(revision, pod, state, timestamp(self._wall()))
        self._registry.update_status(msgspec.structs.replace(pod, status=status))


def _pod(revision: Revision, name: str) -> Pod:
    meta = revision.metadata
    owner = OwnerReference(
        api_version="serving.knative.dev/v1",
        kind="Revision",
        name=meta.name,
        uid=meta.uid,
        controller=True,
        block_owner_deletion=True,
    )
    return Pod(
        metadata=ObjectMeta(
            name=name,
            namespace=meta.namespace,
            labels={
                **meta.labels,
                REVISION: meta.name,
                REVISION_UID: meta.uid,
                "app": meta.name,
            },
            owner_references=(owner,),
        ),
        spec=PodSpec(containers=revision.spec.containers),
    )


def _status(revision: Revision, pod: Pod, state: _State, now: str) -> PodStatus:
    container = serving_container(revision.spec)
    name = container.name if container is not None else "user-container"
    image = container.image if container is not None else ""
    digests = {status.name: status.image_digest for status in revision.status.container_statuses}
    return PodStatus(
        phase=state.phase,
        conditions=_conditions(pod, ready=state.ready, now=now),
        pod_ip=state.address.host if state.address else "",
        start_time=pod.status.start_time or now,
        container_statuses=(
            PodContainerStatus(
                name=name,
                ready=state.ready,
                restart_count=state.restarts,
                image=image,
                image_id=digests.get(name, ""),
                state=state.container,
                last_state=state.last,
            ),
        ),
    )


def _conditions(pod: Pod, *, ready: bool, now: str) -> tuple[Condition, ...]:
    old = {condition.type: condition for condition in pod.status.conditions}
    result = []
    for name in _CONDITIONS:
        status: Status = "True" if ready or name in {"Initialized", "PodScheduled"} else "False"
        before = old.get(name)
        since = before.last_transition_time if before and before.status == status else now
        result.append(Condition(type=name, status=status, last_transition_time=since))
    return tuple(result)
