"""Keeps as many instances of each revision as the autoscaler wants; one task per instance.

An instance that ends though it is wanted is started again under its name: at once the first time,
then later and later; a request that waits overrides that delay. One whose Pod is deleted is drained
and replaced.

Source: Knative reference §4.2 (restarts).
Not here: how many (``autoscaler.py``), which of them (``roster.py``), one start from beginning to
end (``incarnation.py``), new ones in the place of old ones (``succession.py``), how code is
prepared (``images.py``) and run (``runtime/``), what it is told (``serving/contract.py``).
"""

import random
from collections.abc import Callable

import anyio
from anyio.abc import TaskGroup, TaskStatus

from knlite.clock import Clock
from knlite.controlplane.blueprint import Blueprints
from knlite.controlplane.chronicle import Chronicle
from knlite.controlplane.health import Attempt
from knlite.controlplane.idling import Idling
from knlite.controlplane.incarnation import Ended, Incarnation, Parked, Surroundings
from knlite.controlplane.pods import PodWriter
from knlite.controlplane.probes import attempt
from knlite.controlplane.race import first_of
from knlite.controlplane.roster import counted, step_to
from knlite.controlplane.scalelisteners import Balancer, ScaleListener
from knlite.controlplane.slot import Idle, Slot
from knlite.controlplane.succession import Succession
from knlite.facts import Publish
from knlite.runtime.port import Runtime, Usage
from knlite.serving.instance import RevisionName, StartFailure
from knlite.serving.instancelife import instance_name, restart_delay
from knlite.serving.levels import InstanceCounts

LONG_RUN = 600.0
"""Seconds of running after which an instance is no longer held to crash again and again."""


class Supervisor:
    """All instances of one run."""

    def __init__(
        self,
        *,
        blueprints: Blueprints,
        service_of: Callable[[RevisionName], str],
        pods: PodWriter,
        clock: Clock,
        publish: Publish,
        draw: random.Random,
        idling: Idling,
        probe: Attempt = attempt,
    ) -> None:
        self._service_of = service_of
        self._pods = pods
        self._clock = clock
        self._draw = draw
        self._chronicle = Chronicle(pods, clock, publish)
        self._around = Surroundings(
            blueprints=blueprints,
            attempt=probe,
            clock=clock,
            chronicle=self._chronicle,
            offered=self._offered,
            drained=self._drained,
            occupied=self._occupied,
            let_go=self.retire,
            idling=idling,
        )
        self._idling = idling
        self._succession = Succession(self)
        self._slots: dict[RevisionName, dict[str, Slot]] = {}
        self._desired: dict[RevisionName, int] = {}
        self._balancers: list[Balancer] = []
        self._listeners: list[ScaleListener] = []
        self._group: TaskGroup | None = None

    def report_to(self, balancer: Balancer, *listeners: ScaleListener) -> None:
        """Tell *balancer*, then *listeners*, of changes; to be called before ``run``."""
        self._balancers.append(balancer)
        self._listeners.extend(listeners)

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Own all instances until cancelled; then stop them all and return."""
        try:
            with (
                self._pods.watching(self._pod_deleted),
                self._idling.watching(self._idle_changed),
            ):
                async with anyio.create_task_group() as self._group:
                    task_status.started()
                    await anyio.sleep_forever()
        finally:
            self._group = None

    def ready(self, revision: RevisionName) -> int:
        """How many instances of *revision* are ready."""
        return sum(slot.endpoint is not None for slot in self._slots.get(revision, {}).values())

    def counts(self, revision: RevisionName) -> InstanceCounts:
        """How many instances of *revision* there are in each part of their life."""
        return counted(self._slots.get(revision, {}).values())

    def runtimes(self, revision: RevisionName) -> dict[str, Runtime]:
        """Who has been told to start each instance of *revision*, by the instance's name."""
        slots = self._slots.get(revision, {}).values()
        return {slot.name: slot.runtime for slot in slots if slot.runtime is not None}

    async def usage(self, revision: RevisionName) -> dict[str, Usage | None]:
        """What each ready instance of *revision* has used, by its name; None if not known."""
        slots = [slot for slot in self._slots.get(revision, {}).values() if slot.endpoint]
        return {
            slot.name: await slot.instance.usage() if slot.instance is not None else None
            for slot in slots
        }

    def set_desired(self, revision: RevisionName, count: int) -> None:
        """Have *count* instances of *revision*, as soon as possible."""
        if count:
            self._desired[revision] = count
        else:
            self._desired.pop(revision, None)
        slots = self._slots.setdefault(revision, {})
        step = step_to(count, slots.values())
        for slot in step.woken:
            slot.turn(None, self._clock.now())
        for _ in range(step.started):
            self._add(revision)
        tier = self._idling.tier(revision) if step.surplus and not count else "remove"
        for slot in step.surplus:
            if tier == "remove" or slot.endpoint is None:
                self.retire(slot)
            else:
                self._lay_to_rest(slot, tier)
        if not slots:
            del self._slots[revision]

    def forsake(self, revision: RevisionName) -> None:
        """Have none any more, for good: *revision* is gone."""
        self.set_desired(revision, 0)
        self.let_go(revision)
        for slot in tuple(self._slots.get(revision, {}).values()):
            if slot.incoming:
                self.retire(slot)

    async def replace(self, revision: RevisionName) -> StartFailure | None:
        """Have new instances in the place of those that there are, all of them or none."""
        return await self._succession.all_at_once(revision)

    async def renew(self, revision: RevisionName) -> StartFailure | None:
        """Have new instances in the place of those that there are, one after the other."""
        return await self._succession.one_by_one(revision)

    def let_go(self, revision: RevisionName) -> None:
        """Keep none of those that are given up: they would not be what a new one is."""
        for slot in tuple(self._slots.get(revision, {}).values()):
            if slot.resting:
                self.retire(slot)

    def hurry(self, revision: RevisionName) -> None:
        """Start again now what would be started again later: a request waits, or what it lacked is
        there."""
        for slot in self._slots.get(revision, {}).values():
            slot.hurry.set()

    def standing(self, revision: RevisionName) -> list[Slot]:
        """Those of *revision* that are neither given up for good nor to replace another one."""
        slots = self._slots.get(revision, {}).values()
        return [slot for slot in slots if not (slot.retired.is_set() or slot.incoming)]

    def add_incoming(self, revision: RevisionName) -> Slot | None:
        """One more of *revision*, which counts for nothing yet; None if the run is over."""
        return self._add(revision, incoming=True)

    def retire(self, slot: Slot) -> None:
        """Let *slot* finish what it has, and go."""
        if slot.retired.is_set():
            return
        slot.retired.set()
        if slot.endpoint is not None:
            slot.endpoint = None
            self._changed(slot.revision)
        self._chronicle.retired(slot)

    def refill(self, revision: RevisionName) -> None:
        """Have as many instances of *revision* as are wanted."""
        self.set_desired(revision, self._desired.get(revision, 0))

    def _pod_deleted(self, revision: RevisionName, name: str) -> None:
        """Let that instance go; the revision gets another one if it wants as many as before."""
        slot = self._slots.get(revision, {}).get(name)
        if slot is not None and not slot.retired.is_set():
            self.retire(slot)
            # Not at once: whatever deletes the Pod may be about to delete the revision.
            self._clock.call_at(self._clock.now(), lambda: self.refill(revision))

    def _idle_changed(self, revision: RevisionName) -> None:
        if revision in self._slots and self._idling.tier(revision) == "remove":
            self.let_go(revision)

    def _add(self, revision: RevisionName, *, incoming: bool = False) -> Slot | None:
        if self._group is None:
            return None
        name = instance_name(revision.name, self._draw)
        slot = Slot(name, revision, self._service_of(revision), incoming=incoming)
        self._slots.setdefault(revision, {})[slot.name] = slot
        self._group.start_soon(self._keep, slot, name=slot.name)
        return slot

    def _lay_to_rest(self, slot: Slot, tier: Idle) -> None:
        slot.turn(tier, self._clock.now())
        slot.endpoint = None
        self._changed(slot.revision)

    async def _keep(self, slot: Slot) -> None:
        """The whole life of *slot*."""
        try:
            while not slot.retired.is_set():
                since = self._clock.now()
                end = await Incarnation(slot, self._around).live()
                if end is None:
                    break
                if isinstance(end, Parked):
                    await self._until_wanted(slot)
                    continue
                if slot.incoming:
                    slot.failure = end.why
                    self.retire(slot)
                    break
                if self._clock.now() - since > LONG_RUN:
                    slot.crashes = 0
                await self._before_restart(slot, end)
        finally:
            slot.decided.set()
            if slot.runtime is not None:
                with anyio.CancelScope(shield=True):
                    await slot.runtime.discard(slot.name)
            self._forget(slot)

    async def _until_wanted(self, slot: Slot) -> None:
        self._chronicle.stopped(slot)
        while slot.resting:
            await first_of(slot.turned.wait, slot.retired.wait)

    def _forget(self, slot: Slot) -> None:
        self._chronicle.gone(slot)
        slots = self._slots.get(slot.revision, {})
        slots.pop(slot.name, None)
        if not slots:
            self._slots.pop(slot.revision, None)

    async def _before_restart(self, slot: Slot, end: Ended) -> None:
        slot.hurry = anyio.Event()
        delay = restart_delay(slot.crashes)
        slot.crashes += 1
        slot.restarts += 1
        if delay or not end.was_ready:
            slot.trying = False
            if not (self.ready(slot.revision) or self._trying(slot.revision)):
                for balancer in self._balancers:
                    balancer.start_failed(slot.revision, end.why)
        self._chronicle.waiting(slot, delay)
        due = self._clock.now() + delay
        await first_of(lambda: self._clock.sleep_until(due), slot.hurry.wait, slot.retired.wait)
        slot.trying = True

    def _trying(self, revision: RevisionName) -> bool:
        return any(
            slot.trying and not slot.retired.is_set() and not slot.resting
            for slot in self._slots.get(revision, {}).values()
        )

    async def _drained(self, slot: Slot) -> None:
        idle = anyio.Event()
        for balancer in self._balancers:
            balancer.when_idle(slot.revision, slot.name, idle.set)
        await idle.wait()

    def _occupied(self, slot: Slot) -> bool:
        return any(balancer.occupied(slot.revision, slot.name) for balancer in self._balancers)

    def _offered(self, slot: Slot) -> None:
        if slot.endpoint is not None:
            slot.decided.set()
        self._changed(slot.revision)

    def _changed(self, revision: RevisionName) -> None:
        slots = self._slots.get(revision, {}).values()
        endpoints = [slot.endpoint for slot in slots if slot.endpoint is not None]
        for balancer in self._balancers:
            balancer.endpoints_changed(revision, endpoints)
        for listener in self._listeners:
            listener.ready_changed(revision, len(endpoints))
