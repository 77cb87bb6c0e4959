"""Turns demand into a number of instances and a path for requests, revision by revision.

A decision is made every two seconds while a revision has instances or requests, and at once when a
request waits at a revision that has none. Nothing runs while all are at zero.

Source: Knative reference §2.5, §2.6.
Not here: the arithmetic (``serving/autoscaling``), the instances (``supervisor.py``), revisions of
the HPA class (``hpa.py``).
"""

import math
from collections.abc import Callable, Iterator
from typing import Protocol

import anyio
from anyio.abc import TaskStatus

from knlite.clock import Clock
from knlite.controlplane.podautoscalers import PodAutoscalerWriter, Standing
from knlite.facts import PathChanged, Publish, ScaleDecided
from knlite.kinds.conditions import is_false, is_true
from knlite.kinds.labels import CONFIGURATION
from knlite.kinds.serving.podautoscaler import ACTIVE, SCALE_TARGET_INITIALIZED, PodAutoscaler
from knlite.registry.registry import Notification, Registry
from knlite.serving.autoscaling.decider import TICK, Decider, Decision
from knlite.serving.autoscaling.hpa import scaled_by_hpa
from knlite.serving.autoscaling.path import Excess, Mode, initial_excess, path
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

    def set_desired(self, revision: RevisionName, count: int) -> None:
        """Have *count* instances."""
        ...

    def hurry(self, revision: RevisionName) -> None:
        """Start again now what would be started again later."""
        ...


class ModeListener(Protocol):
    """Who forwards requests."""

    def mode_changed(self, revision: RevisionName, mode: Mode) -> None:
        """Whether the activator is in the path of *revision*; until told otherwise it is."""
        ...


class Autoscaler:
    """The scale of all revisions."""

    def __init__(
        self,
        registry: Registry,
        fleet: Fleet,
        standings: PodAutoscalerWriter,
        clock: Clock,
        publish: Publish,
        service_of: Callable[[RevisionName], str],
    ) -> None:
        self._registry = registry
        self._fleet = fleet
        self._standings = standings
        self._clock = clock
        self._publish = publish
        self._service_of = service_of
        self._listeners: list[ModeListener] = []
        self._units: dict[RevisionName, _Unit] = {}
        self._config = registry.config
        self._work = anyio.Event()

    def report_to(self, listener: ModeListener) -> None:
        """Tell *listener* when a mode changes; to be called before ``run``."""
        self._listeners.append(listener)

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Decide every two seconds while any revision is awake, until cancelled."""
        with self._registry.listening(self._note):
            task_status.started()
            while True:
                self._work = anyio.Event()
                if not any(unit.awake for unit in self._units.values()):
                    await self._work.wait()
                await self._clock.sleep_until(self._clock.now() + TICK)
                for revision, unit in tuple(self._units.items()):
                    if unit.awake:
                        self._decide(revision, unit)

    def scales(self) -> Iterator[RevisionScale]:
        """The scale of every revision that there is."""
        for revision, unit in self._units.items():
            last, obj = unit.last, self._registry.view.get(PodAutoscaler, *revision)
            yield RevisionScale(
                namespace=revision.namespace,
                service=self._service_of(revision),
                revision=revision.name,
                configuration=obj.metadata.labels.get(CONFIGURATION, "") if obj else "",
                desired=last.desired if last is not None else None,
                requested=unit.desired,
                instances=self._fleet.counts(revision),
                excess=unit.excess.capacity,
                panic=last is not None and last.panic,
                metric=unit.spec.metric,
                stable=last.stable if last is not None else 0.0,
                in_panic_window=last.in_panic_window if last is not None else 0.0,
                target=unit.spec.target,
            )

    # From the activator.

    def demand(self, revision: RevisionName, sample: Sample) -> None:
        """*revision* was this busy during the last second."""
        unit = self._units.get(revision)
        if unit is not None:
            unit.record(self._clock.now(), sample)
            self._work.set()

    def waiting(self, revision: RevisionName) -> None:
        """A request waits, and no instance of *revision* is ready."""
        unit = self._units.get(revision)
        if unit is not None and unit.desired == 0:
            # Counted at once, so that the decision does not wait for the second to be over.
            unit.record_early(self._clock.now())
            self._decide(revision, unit)
        self._fleet.hurry(revision)
        self._work.set()

    # From the supervisor.

    def ready_changed(self, revision: RevisionName, ready: int) -> None:
        """*revision* has *ready* instances."""
        unit = self._units.get(revision)
        if unit is not None:
            unit.scaler.observe(self._clock.now(), ready)
            self._set_path(revision, unit, ready)
            self._report(revision, unit)

    # From the registry.

    def _note(self, notification: Notification) -> None:
        if self._registry.config is not self._config:
            self._config = self._registry.config
            for revision in tuple(self._units):
                self._follow(revision, self._registry.view.get(PodAutoscaler, *revision))
        obj = notification.obj
        if not isinstance(obj, PodAutoscaler):
            return
        revision = RevisionName(obj.metadata.namespace, obj.metadata.name)
        if notification.change == "deleted":
            if self._drop(revision):
                self._fleet.set_desired(revision, 0)
        elif scaled_by_hpa(obj.metadata.annotations, self._config.autoscaler):
            self._drop(revision)
        elif revision in self._units:
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
        unit = _Unit(Decider(spec, now, ready), scaler, spec, now)
        self._units[revision] = unit
        self._scaled(revision, unit, 0, "initial-scale", panic=False)
        self._report(revision, unit)
        self._work.set()

    def _follow(self, revision: RevisionName, obj: PodAutoscaler | None) -> None:
        """Go by what *obj* and the configuration say now, at once."""
        unit = self._units[revision]
        if obj is None:
            return
        self._standings.follow(obj)
        unit.scaler.deadline = self._deadline(obj)
        if unit.respec(self._clock.now(), self._spec_of(obj)):
            self._decide(revision, unit)
            self._work.set()

    def _drop(self, revision: RevisionName) -> bool:
        self._standings.forget(revision)
        return self._units.pop(revision, None) is not None

    def _deadline(self, obj: PodAutoscaler) -> float:
        return progress_deadline(obj.metadata.annotations, self._registry.config.deployment)

    def _spec_of(self, obj: PodAutoscaler) -> ScalingSpec:
        return scaling_spec(
            obj.metadata.annotations,
            obj.spec.container_concurrency,
            self._registry.config.autoscaler,
            reachable=obj.spec.reachability != "Unreachable",
        )

    def _decide(self, revision: RevisionName, unit: "_Unit") -> None:
        now, ready = self._clock.now(), self._fleet.ready(revision)
        was = unit.desired
        decision = unit.decider.decide(now, ready) if unit.decider.has_data(now) else None
        asked = decision.desired if decision else None
        scale = unit.scaler.scale(now, asked, ready, unit.in_path(now))
        why = scale.why or (decision.why if decision else "")
        unit.decided(decision)
        # Before the last instance goes, requests have to be held.
        self._set_path(revision, unit, ready)
        self._scaled(revision, unit, was, why, panic=decision is not None and decision.panic)
        self._report(revision, unit)

    def _set_path(self, revision: RevisionName, unit: "_Unit", ready: int) -> None:
        inactive = unit.scaler.activity == "inactive"
        found = path(unit.want, unit.excess, ready, inactive=inactive)
        if found.mode == unit.mode:
            return
        unit.become(found.mode, self._clock.now())
        for listener in self._listeners:
            listener.mode_changed(revision, found.mode)
        self._publish(
            PathChanged(
                at=self._clock.wall(),
                namespace=revision.namespace,
                service=self._service_of(revision),
                revision=revision.name,
                mode=found.mode,
                excess=unit.excess.capacity,
                why=found.why,
            )
        )

    def _scaled(
        self, revision: RevisionName, unit: "_Unit", was: int, why: str, *, panic: bool
    ) -> None:
        desired = unit.desired
        if desired != was:
            self._publish(
                ScaleDecided(
                    at=self._clock.wall(),
                    namespace=revision.namespace,
                    service=self._service_of(revision),
                    revision=revision.name,
                    desired=desired,
                    was=was,
                    why=why,
                    panic=panic,
                )
            )
        self._fleet.set_desired(revision, desired)

    def _report(self, revision: RevisionName, unit: "_Unit") -> None:
        scaler = unit.scaler
        self._standings.report(
            revision,
            Standing(
                desired=unit.desired,
                ready=self._fleet.ready(revision),
                activity=scaler.activity,
                timed_out=scaler.timed_out,
                initialised=scaler.initialised,
                mode=unit.mode,
            ),
        )


class _Unit:
    """One revision's load and scale."""

    def __init__(self, decider: Decider, scaler: Scaler, spec: ScalingSpec, now: float) -> None:
        self.decider = decider
        self.scaler = scaler
        self.last: Decision | None = None
        """The last decision that the load has led to."""
        self.want: int | None = None
        """What was decided last; None while the load is not known."""
        self.excess: Excess = initial_excess(spec)
        self.mode: Mode = "Proxy"
        self.spec = spec
        self._early = False
        self._proxied_since = now

    @property
    def desired(self) -> int:
        """How many instances there shall be."""
        return self.scaler.desired

    @property
    def awake(self) -> bool:
        """Whether decisions have to be made."""
        return not self.scaler.asleep

    def respec(self, now: float, spec: ScalingSpec) -> bool:
        """Go on with *spec*; whether it is another one."""
        if spec == self.spec:
            return False
        self.spec = spec
        self.decider.respec(now, spec)
        self.scaler.respec(spec)
        if self.last is None:
            self.excess = initial_excess(spec)
        return True

    def in_path(self, now: float) -> float:
        """For how many seconds the activator has been in the path."""
        return now - self._proxied_since

    def become(self, mode: Mode, now: float) -> None:
        """Take the activator into the path, or out of it."""
        self.mode = mode
        self._proxied_since = now if mode == "Proxy" else math.inf

    def decided(self, decision: Decision | None) -> None:
        """Keep *decision*; without one all but the wish stays as it was."""
        if decision is None:
            self.want = None
            return
        self.last, self.excess = decision, decision.excess
        self.want = 0 if self.scaler.activity == "inactive" else self.scaler.desired

    def record_early(self, now: float) -> None:
        """Count one request before its second is over."""
        self._early = True
        self.decider.record(now, Sample(1.0, 1.0))

    def record(self, now: float, sample: Sample) -> None:
        """Count the load of a second, without what was counted early."""
        if self._early:
            self._early = False
            sample = Sample(max(0.0, sample.concurrency - 1), max(0.0, sample.requests - 1))
        self.decider.record(now, sample)
