"""What the autoscalers say of each revision, as the status of its PodAutoscaler.

Source: Knative reference §2.6; knative/serving ``pkg/apis/autoscaling/v1alpha1/pa_lifecycle.go``,
``pkg/reconciler/autoscaling/{kpa,hpa}``.
"""

from dataclasses import dataclass

import msgspec

from knlite.clock import Clock
from knlite.controlplane.reporting import Reporter
from knlite.kinds.conditions import timestamp
from knlite.kinds.names import child_name
from knlite.kinds.serving.podautoscaler import (
    ACTIVE,
    CONDITIONS,
    SCALE_TARGET_INITIALIZED,
    SKS_READY,
    PodAutoscaler,
)
from knlite.registry.registry import Registry
from knlite.serving.autoscaling.path import Mode
from knlite.serving.autoscaling.scaler import Activity
from knlite.serving.code import code_of
from knlite.serving.instance import RevisionName
from knlite.serving.views.serverlessservice import PRIVATE

NO_TRAFFIC = "The target is not receiving traffic."
TIMED_OUT = "The target could not be activated."
QUEUED = "Requests to the target are being buffered as resources are provisioned."
NO_ENDPOINTS = "K8s Service is not ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a revision stands."""

    desired: int
    ready: int
    activity: Activity
    timed_out: bool = False
    """Inactive because it never became active."""
    initialised: bool
    """Whether initial-scale was reached once."""
    measured: float | None = None
    """What an instance uses on average, for those of the HPA class."""
    mode: Mode
    """Whether the activator is in the path; the ServerlessService is computed of it."""


class PodAutoscalerWriter:
    """Writes the newest standing of every revision, a moment later."""

    def __init__(self, registry: Registry, reporter: Reporter, clock: Clock) -> None:
        self._registry = registry
        self._reporter = reporter
        self._clock = clock
        self._said: dict[RevisionName, Standing] = {}

    def report(self, revision: RevisionName, standing: Standing) -> None:
        """Let the PodAutoscaler of *revision* say *standing*, soon."""
        before = self._said.get(revision)
        if before == standing:
            return
        self._said[revision] = standing
        if standing.initialised and not (before and before.initialised):
            obj = self._registry.view.get(PodAutoscaler, *revision)
            if obj is not None and code_of(obj.metadata.annotations):
                # Somebody has saved a file and waits for this very moment.
                self._write(revision)
                return
        self._reporter.report(("autoscaler", revision), lambda: self._write(revision))

    def follow(self, obj: PodAutoscaler) -> None:
        """Say again what stands, if *obj* has another spec than it was last said of."""
        revision = RevisionName(obj.metadata.namespace, obj.metadata.name)
        if obj.metadata.generation != obj.status.observed_generation and revision in self._said:
            self._reporter.report(("autoscaler", revision), lambda: self._write(revision))

    def forget(self, revision: RevisionName) -> None:
        """*revision* is gone. One that another autoscaler takes over is that one's to report."""
        self._said.pop(revision, None)

    def _write(self, revision: RevisionName) -> None:
        obj = self._registry.view.get(PodAutoscaler, *revision)
        standing = self._said.get(revision)
        if obj is None or standing is None:
            return
        editor = CONDITIONS.edit(obj.status.conditions, self._clock.wall())
        match standing.activity:
            case "active":
                editor.true(ACTIVE)
            case "activating":
                editor.unknown(ACTIVE, "Queued", QUEUED)
            case "inactive" if standing.timed_out:
                editor.false(ACTIVE, "TimedOut", TIMED_OUT)
            case _:
                editor.false(ACTIVE, "NoTraffic", NO_TRAFFIC)
        if standing.initialised:
            editor.true(SCALE_TARGET_INITIALIZED)
        if standing.ready:
            editor.true(SKS_READY)
        else:
            editor.unknown(SKS_READY, "NotReady", NO_ENDPOINTS)
        mode_since = obj.status.mode_since
        if standing.mode != obj.status.mode:
            mode_since = timestamp(self._clock.wall())
        status = msgspec.structs.replace(
            obj.status,
            observed_generation=obj.metadata.generation,
            conditions=editor.result(),
            service_name=revision.name,
            metrics_service_name=child_name(revision.name, PRIVATE),
            desired_scale=standing.desired,
            actual_scale=standing.ready,
            mode=standing.mode,
            mode_since=mode_since,
            measured=standing.measured,
        )
        self._registry.update_status(msgspec.structs.replace(obj, status=status))
