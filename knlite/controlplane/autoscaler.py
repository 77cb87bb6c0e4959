"""Turns demand into a number of instances and a path for requests, revision by revision.

A decision is made every two seconds while a revision has instances or requests, and at once when a
request waits at a revision that has none. Nothing runs while all are at zero.

Source: Knative reference §2.5, §2.6.
Not here: one revision's load and scale (``scalerrunner.py``), the arithmetic
(``serving/autoscaling``), the instances (``supervisor.py``), the HPA class (``hpa.py``).
"""

from collections.abc import Iterator
from typing import Protocol

import anyio
from anyio.abc import TaskStatus

from knlite.clock import Clock
from knlite.controlplane.podautoscalers import PodAutoscalerWriter, Standing
from knlite.controlplane.scalerrunner import ScalerRunner
from knlite.controlplane.scaletargets import ScaleTargets
from knlite.errors import Cause, Conflict
from knlite.kinds.conditions import is_false, is_true
from knlite.kinds.labels import CONFIGURATION
from knlite.kinds.serving.podautoscaler import ACTIVE, SCALE_TARGET_INITIALIZED, PodAutoscaler
from knlite.registry.registry import Notification, Registry
from knlite.serving.autoscaling.decider import TICK, Decider
from knlite.serving.autoscaling.hpa import scaled_by_hpa
from knlite.serving.autoscaling.path import path
from knlite.serving.autoscaling.scaler import Scaler
from knlite.serving.autoscaling.spec import ScalingSpec, scaling_spec
from knlite.serving.contract import progress_deadline
from knlite.serving.instance import RevisionName, Sample
from knlite.serving.levels import InstanceCounts, RevisionScale


class Fleet(Protocol):
    """Who keeps the instances."""

    def ready(self, revision: RevisionName) -> int:
        """How many instances are ready."""
        ...

    def counts(self, revision: RevisionName) -> InstanceCounts:
        """How many instances there are in each part of their life."""
        ...

    def hurry(self, revision: RevisionName) -> None:
        """Start again now what would be started again later."""
        ...


class Autoscaler:
    """The scale of all revisions."""

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
        self._runners: dict[RevisionName, ScalerRunner] = {}
        self._config = registry.config
        self._work = anyio.Event()

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Decide every two seconds while any revision is awake, until cancelled."""
        with self._registry.listening(self._note):
            task_status.started()
            while True:
                self._work = anyio.Event()
                if not any(runner.awake for runner in self._runners.values()):
                    await self._work.wait()
                await self._clock.sleep_until(self._clock.now() + TICK)
                for revision, runner in tuple(self._runners.items()):
                    if runner.awake:
                        self._decide(revision, runner)

    def scales(self) -> Iterator[RevisionScale]:
        """The scale of every revision that there is."""
        for revision, runner in self._runners.items():
            yield self._scale(revision, runner)

    def scale(self, revision: RevisionName) -> RevisionScale | None:
        """The scale of *revision*; None if there is none, or another class scales it."""
        runner = self._runners.get(revision)
        return self._scale(revision, runner) if runner is not None else None

    def _scale(self, revision: RevisionName, runner: ScalerRunner) -> RevisionScale:
        last, obj = runner.last, self._registry.view.get(PodAutoscaler, *revision)
        return RevisionScale(
            namespace=revision.namespace,
            service=self._targets.service_of(revision),
            revision=revision.name,
            configuration=obj.metadata.labels.get(CONFIGURATION, "") if obj else "",
            desired=last.desired if last is not None else None,
            requested=runner.desired,
            instances=self._fleet.counts(revision),
            excess=runner.excess.capacity,
            panic=last is not None and last.panic,
            metric=runner.spec.metric,
            stable=last.stable if last is not None else 0.0,
            in_panic_window=last.in_panic_window if last is not None else 0.0,
            target=runner.spec.target,
        )

    # From the activator.

    def demand(self, revision: RevisionName, sample: Sample) -> None:
        """*revision* was this busy during the last second."""
        runner = self._runners.get(revision)
        if runner is not None:
            runner.record(self._clock.now(), sample)
            self._work.set()

    def waiting(self, revision: RevisionName) -> None:
        """A request waits, and no instance of *revision* is ready."""
        runner = self._runners.get(revision)
        if runner is not None and runner.desired == 0:
            # Counted at once, so that the decision does not wait for the second to be over.
            runner.record_early(self._clock.now())
            self._decide(revision, runner)
        self._fleet.hurry(revision)
        self._work.set()

    # From whoever asks for it.

    def rest(self, revision: RevisionName, why: str) -> None:
        """Have no instance of *revision* now; the next request starts one again. *why* is told.

        Raises ``Conflict`` if the revision may not be without one.
        """
        runner = self._runners.get(revision)
        kept = "the HPA class never goes to zero" if runner is None else runner.kept()
        what = f"{revision.name} cannot be brought to zero"
        if runner is None or kept:
            raise Conflict(what, cause=kept)
        if runner.scaler.activity == "activating":
            starting = "an instance of it is still starting"
            raise Conflict(what, cause=starting, causes=[Cause("Starting", starting)])
        was = runner.desired
        runner.rest(self._clock.now())
        # Before the last instance goes, requests have to be held.
        self._set_path(revision, runner, self._fleet.ready(revision))
        self._targets.scale(revision, was, 0, why)
        self._report(revision, runner)

    # From the supervisor.

    def ready_changed(self, revision: RevisionName, ready: int) -> None:
        """*revision* has *ready* instances."""
        runner = self._runners.get(revision)
        if runner is not None:
            runner.scaler.observe(self._clock.now(), ready)
            self._set_path(revision, runner, ready)
            self._report(revision, runner)

    # From the registry.

    def _note(self, notification: Notification) -> None:
        if self._registry.config is not self._config:
            self._config = self._registry.config
            for revision in tuple(self._runners):
                self._follow(revision, self._registry.view.get(PodAutoscaler, *revision))
        obj = notification.obj
        if not isinstance(obj, PodAutoscaler):
            return
        revision = RevisionName(obj.metadata.namespace, obj.metadata.name)
        if notification.change == "deleted":
            if self._drop(revision):
                self._standings.forget(revision)
                self._targets.forsake(revision)
        elif scaled_by_hpa(obj.metadata.annotations, self._config.autoscaler):
            self._drop(revision)
        elif revision in self._runners:
            self._follow(revision, obj)
        else:
            self._add(revision, obj)

    def _add(self, revision: RevisionName, obj: PodAutoscaler) -> None:
        now, spec = self._clock.now(), self._spec_of(obj)
        ready = self._fleet.ready(revision)
        scaler = Scaler(spec, now, self._deadline(obj))
        if is_true(obj.status.conditions, SCALE_TARGET_INITIALIZED):
            active = not is_false(obj.status.conditions, ACTIVE)
            scaler.resume(now, obj.status.desired_scale or 0, active=active)
        runner = ScalerRunner(Decider(spec, now, ready), scaler, spec, now)
        self._runners[revision] = runner
        self._targets.scale(revision, 0, runner.desired, "initial-scale")
        self._report(revision, runner)
        self._work.set()

    def _follow(self, revision: RevisionName, obj: PodAutoscaler | None) -> None:
        """Go by what *obj* and the configuration say now, at once."""
        runner = self._runners[revision]
        if obj is None:
            return
        self._standings.follow(obj)
        runner.scaler.deadline = self._deadline(obj)
        if runner.respec(self._clock.now(), self._spec_of(obj)):
            self._decide(revision, runner)
            self._work.set()

    def _drop(self, revision: RevisionName) -> bool:
        return self._runners.pop(revision, None) is not None

    def _deadline(self, obj: PodAutoscaler) -> float:
        return progress_deadline(obj.metadata.annotations, self._registry.config.deployment)

    def _spec_of(self, obj: PodAutoscaler) -> ScalingSpec:
        return scaling_spec(
            obj.metadata.annotations,
            obj.spec.container_concurrency,
            self._registry.config.autoscaler,
            reachable=obj.spec.reachability != "Unreachable",
        )

    def _decide(self, revision: RevisionName, runner: ScalerRunner) -> None:
        now, ready = self._clock.now(), self._fleet.ready(revision)
        was = runner.desired
        decision = runner.decider.decide(now, ready) if runner.decider.has_data(now) else None
        asked = decision.desired if decision else None
        scale = runner.scaler.scale(now, asked, ready, runner.in_path(now))
        why = scale.why or (decision.why if decision else "")
        runner.decided(decision)
        # Before the last instance goes, requests have to be held.
        self._set_path(revision, runner, ready)
        panic = decision is not None and decision.panic
        self._targets.scale(revision, was, runner.desired, why, panic=panic)
        self._report(revision, runner)

    def _set_path(self, revision: RevisionName, runner: ScalerRunner, ready: int) -> None:
        inactive = runner.scaler.activity == "inactive"
        found = path(runner.want, runner.excess, ready, inactive=inactive)
        if found.mode == runner.mode:
            return
        runner.become(found.mode, self._clock.now())
        self._targets.set_mode(revision, found.mode, found.why, runner.excess.capacity)

    def _report(self, revision: RevisionName, runner: ScalerRunner) -> None:
        scaler = runner.scaler
        self._standings.report(
            revision,
            Standing(
                desired=runner.desired,
                ready=self._fleet.ready(revision),
                activity=scaler.activity,
                timed_out=scaler.timed_out,
                initialised=scaler.initialised,
                mode=runner.mode,
            ),
        )
