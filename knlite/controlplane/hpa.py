"""Scales revisions of the HPA class by what their instances use.

Every fifteen seconds, while there are such revisions, the runtimes are asked for the use of their
instances. The activator is out of the path as soon as one of them is ready.

Source: Knative reference §2.7; knative/serving ``pkg/reconciler/autoscaling/hpa``.
Not here: the arithmetic (``serving/autoscaling/hpa.py``).
"""

from collections.abc import Mapping
from typing import Protocol

import anyio
from anyio.abc import TaskStatus

from knlite.clock import Clock
from knlite.controlplane.podautoscalers import PodAutoscalerWriter, Standing
from knlite.controlplane.scaletargets import ScaleTargets
from knlite.kinds.conditions import is_true
from knlite.kinds.podspec.cpurequest import cpu_request
from knlite.kinds.serving.podautoscaler import SCALE_TARGET_INITIALIZED, PodAutoscaler
from knlite.kinds.serving.revision import Revision
from knlite.registry.registry import Notification, Registry
from knlite.runtime.port import Usage
from knlite.serving.autoscaling.hpa import SYNC, Hpa, HpaSpec, hpa_spec, scaled_by_hpa
from knlite.serving.autoscaling.path import Mode
from knlite.serving.instance import RevisionName
from knlite.serving.levels import InstanceCounts


class Fleet(Protocol):
    """Who keeps the instances."""

    def counts(self, revision: RevisionName) -> InstanceCounts:
        """How many instances there are in each part of their life."""
        ...

    async def usage(self, revision: RevisionName) -> Mapping[str, Usage | None]:
        """What each ready instance has used, by its name; None where that is not known."""
        ...


class HorizontalPodAutoscaler:
    """The scale of all revisions of the HPA class."""

    def __init__(
        self,
        registry: Registry,
        fleet: Fleet,
        targets: ScaleTargets,
        standings: PodAutoscalerWriter,
        clock: Clock,
    ) -> None:
        self._registry = registry
        self._fleet = fleet
        self._targets = targets
        self._standings = standings
        self._clock = clock
        self._units: dict[RevisionName, _Unit] = {}
        self._config = registry.config
        self._work = anyio.Event()

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Look every fifteen seconds while there are such revisions, until cancelled."""
        with self._registry.listening(self._note):
            task_status.started()
            while True:
                self._work = anyio.Event()
                if not self._units:
                    await self._work.wait()
                await self._clock.sleep_until(self._clock.now() + SYNC)
                for revision in tuple(self._units):
                    await self._look(revision)

    # From the supervisor.

    def ready_changed(self, revision: RevisionName, ready: int) -> None:
        """*revision* has *ready* instances."""
        unit = self._units.get(revision)
        if unit is None:
            return
        if ready >= max(unit.hpa.spec.min_scale, unit.hpa.spec.initial_scale):
            unit.initialised = True
        self._set_mode(revision, unit, "Serve" if ready else "Proxy")
        self._report(revision, unit)

    # From the registry.

    def _note(self, notification: Notification) -> None:
        if self._registry.config is not self._config:
            self._config = self._registry.config
            for revision in tuple(self._units):
                found = self._registry.view.get(PodAutoscaler, *revision)
                if found is not None:
                    self._follow(revision, found)
        obj = notification.obj
        if not isinstance(obj, PodAutoscaler):
            return
        revision = RevisionName(obj.metadata.namespace, obj.metadata.name)
        mine = scaled_by_hpa(obj.metadata.annotations, self._config.autoscaler)
        if notification.change == "deleted":
            if self._drop(revision):
                self._standings.forget(revision)
                self._targets.forsake(revision)
        elif not mine:
            self._drop(revision)
        elif revision in self._units:
            self._follow(revision, obj)
        else:
            self._add(revision, obj)

    def _add(self, revision: RevisionName, obj: PodAutoscaler) -> None:
        spec = self._spec_of(obj)
        counts = self._fleet.counts(revision)
        running = counts.ready + counts.not_ready + counts.pending
        unit = self._units[revision] = _Unit(Hpa(spec), running)
        # In an earlier run, or as one of the other class.
        unit.initialised = is_true(obj.status.conditions, SCALE_TARGET_INITIALIZED)
        before = running or (obj.status.desired_scale or 0 if unit.initialised else 0)
        why = "as many as before" if before else "initial-scale"
        self._scale(revision, unit, unit.hpa.bounded(before or spec.initial_scale), why)
        self.ready_changed(revision, counts.ready)
        self._work.set()

    def _follow(self, revision: RevisionName, obj: PodAutoscaler) -> None:
        self._standings.follow(obj)
        unit, spec = self._units[revision], self._spec_of(obj)
        if spec != unit.hpa.spec:
            unit.hpa.spec = spec
            bound = "min-scale" if unit.desired < spec.min_scale else "max-scale"
            self._scale(revision, unit, unit.hpa.bounded(unit.desired), bound)

    def _drop(self, revision: RevisionName) -> bool:
        return self._units.pop(revision, None) is not None

    def _spec_of(self, obj: PodAutoscaler) -> HpaSpec:
        return hpa_spec(
            obj.metadata.annotations,
            self._registry.config.autoscaler,
            reachable=obj.spec.reachability != "Unreachable",
        )

    async def _look(self, revision: RevisionName) -> None:
        """See what the instances of *revision* use, and decide."""
        usage = await self._fleet.usage(revision)
        unit = self._units.get(revision)
        if unit is None:
            return
        now = self._clock.now()
        metric = unit.hpa.spec.metric
        if metric == "memory":
            uses = [None if used is None else float(used.memory_bytes) for used in usage.values()]
        else:
            uses = unit.utilizations(now, usage, self._cpu_request(revision))
        counts = self._fleet.counts(revision)
        unready = counts.not_ready + counts.pending
        found = unit.hpa.recommend(now, unit.desired, uses, unready)
        unit.measured = None if found.average is None else round(found.average)
        self._scale(revision, unit, found.desired, found.why)

    def _cpu_request(self, revision: RevisionName) -> float | None:
        found = self._registry.view.get(Revision, *revision)
        return cpu_request(found.spec) if found is not None else None

    def _scale(self, revision: RevisionName, unit: "_Unit", desired: int, why: str) -> None:
        was, unit.desired = unit.desired, desired
        self._targets.scale(revision, was, desired, why)
        self._report(revision, unit)

    def _set_mode(self, revision: RevisionName, unit: "_Unit", mode: Mode) -> None:
        if mode == unit.mode:
            return
        unit.mode = mode
        why = "the HPA class needs no activator" if mode == "Serve" else "no instance is ready"
        self._targets.set_mode(revision, mode, why)

    def _report(self, revision: RevisionName, unit: "_Unit") -> None:
        ready = self._fleet.counts(revision).ready
        self._standings.report(
            revision,
            Standing(
                desired=unit.desired,
                ready=ready,
                # One of this class is always active.
                activity="active",
                initialised=unit.initialised,
                measured=unit.measured,
                mode=unit.mode,
            ),
        )


class _Unit:
    """One revision's scale, and how much processor time its instances had used when last seen."""

    def __init__(self, hpa: Hpa, desired: int) -> None:
        self.hpa = hpa
        self.desired = desired
        self.mode: Mode = "Proxy"
        self.initialised = False
        self.measured: float | None = None
        self._seen: dict[str, tuple[float, float]] = {}

    def utilizations(
        self, now: float, usage: Mapping[str, Usage | None], request: float | None
    ) -> list[float | None]:
        """Per cent of *request* cores that each instance has used since it was last seen."""
        before, self._seen = self._seen, {}
        uses: list[float | None] = []
        for instance, used in usage.items():
            if used is None:
                uses.append(None)
                continue
            self._seen[instance] = (now, used.cpu_seconds)
            since, seconds = before.get(instance, (now, 0.0))
            # One that was restarted counts from zero again.
            if now <= since or used.cpu_seconds < seconds or not request:
                uses.append(None)
            else:
                uses.append((used.cpu_seconds - seconds) / (now - since) / request * 100)
        return uses
