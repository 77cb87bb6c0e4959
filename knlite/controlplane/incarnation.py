"""One start of an instance, and its life until it ends: probed, offered, drained, stopped.

Source: Knative reference §3.7 (readiness), §3.8 (drain), §4.2 (restarts).
Not here: what comes after it (``supervisor.py``), what is told of it (``chronicle.py``).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import anyio

from knlite.clock import Clock
from knlite.controlplane.blueprint import Blueprint, Blueprints
from knlite.controlplane.chronicle import Chronicle, Tail
from knlite.controlplane.health import Attempt, Health, Unhealthy
from knlite.controlplane.idling import Idling
from knlite.controlplane.race import first_of
from knlite.controlplane.rest import Rest
from knlite.controlplane.slot import Slot
from knlite.errors import InstanceFailed, defect
from knlite.runtime.port import Exit, Instance
from knlite.serving.instance import Birth, Endpoint, StartFailure
from knlite.serving.probing import ProbeSpec

SHUTDOWN_GRACE = 10.0
"""Seconds an instance gets when the whole run ends; revisions may allow themselves far more."""
LEAST_GRACE = 2.0
"""Seconds from SIGTERM that an instance gets even if its last request took all of its grace."""


@dataclass(frozen=True, slots=True)
class Ended:
    """Why it ended, though it was wanted."""

    why: StartFailure
    was_ready: bool
    code: int | None = None
    """The exit code of the program that ended first; None if none had been started."""


@dataclass(frozen=True, slots=True)
class Parked:
    """Its programs have ended because nobody wants them now; they are started again when somebody
    does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What every incarnation needs."""

    blueprints: Blueprints
    attempt: Attempt
    clock: Clock
    chronicle: Chronicle
    offered: Callable[[Slot], None]
    """Its ``endpoint`` has changed."""
    drained: Callable[[Slot], Awaitable[None]]
    """Returns when it has no request any more but splices."""
    occupied: Callable[[Slot], bool]
    """Whether it has any request, splices among them."""
    let_go: Callable[[Slot], None]
    """It is not to come back: nobody waits for it any more."""
    idling: Idling | None = None
    """None where instances are never given up but for good."""


class Incarnation:
    """One start of *slot*."""

    def __init__(self, slot: Slot, around: Surroundings) -> None:
        self._slot = slot
        self._around = around
        self._clock = around.clock
        self._chronicle = around.chronicle
        self._tail = Tail()
        self._label = ""
        self._was_ready = False
        self._birth = Birth(0.0, 0.0, 0.0)
        self._containers = 0

    async def live(self) -> Ended | Parked | None:
        """Start it and see it through; None when it was retired."""
        try:
            end = await self._from_start_to_end()
        except Exception as exc:  # noqa: BLE001  what one program brings to light ends no others
            end = self._failed(defect(exc))
        if isinstance(end, Ended) and self._slot.resting:
            # Nobody wants it just now; the next request gets another one.
            self._around.let_go(self._slot)
            return None
        return end

    async def _from_start_to_end(self) -> Ended | Parked | None:
        slot, chronicle = self._slot, self._chronicle
        ordered = self._clock.now()
        chronicle.preparing(slot)
        try:
            blueprint = await self._unless_retired()
            if blueprint is None:
                return None
            created = self._clock.now()
            chronicle.starting(slot)
            slot.runtime = blueprint.runtime
            logs = chronicle.logs(slot, self._tail)
            instance = await blueprint.runtime.start(blueprint.launch, logs)
        except InstanceFailed as exc:
            return self._failed(exc)
        slot.instance = instance
        try:
            self._label = instance.label
            how = instance.origin.partition(":")[0]
            self._birth = Birth(ordered, self._clock.now(), 0.0, how, created)
            if instance.origin == "forked":
                self._label = f"{instance.label}, forked"
            chronicle.started(slot, instance.address, self._label)
            chronicle.unforked(slot, instance.origin.partition(": ")[2])
            return await self._serve(instance, blueprint)
        finally:
            with anyio.CancelScope(shield=True):
                await instance.stop(min(blueprint.grace, SHUTDOWN_GRACE))
            slot.instance = None

    async def _unless_retired(self) -> Blueprint | None:
        slot = self._slot
        made: list[Blueprint] = []

        async def make() -> None:
            made.append(await self._around.blueprints(slot.revision, slot.name))

        await first_of(make, slot.retired.wait)
        return made[0] if made and not slot.retired.is_set() else None

    async def _serve(self, instance: Instance, blueprint: Blueprint) -> Ended | Parked | None:
        """From the first probe until it ends, or has been given up and drained."""
        exits: list[Exit] = []

        async def ended() -> None:
            exits[:] = [await instance.wait()]

        try:
            while True:
                end = await self._wanted(instance, blueprint, exits, ended)
                if end is not None or self._slot.retired.is_set():
                    return end
                rested = await self._at_rest(instance, blueprint, exits, ended)
                if rested is not None or self._slot.retired.is_set():
                    return rested
        except InstanceFailed as exc:
            return self._failed(exc)

    async def _wanted(
        self,
        instance: Instance,
        blueprint: Blueprint,
        exits: list[Exit],
        ended: Callable[[], Awaitable[None]],
    ) -> Ended | None:
        """While it is wanted; None when it was retired, and drained, or has been given up."""
        slot = self._slot
        # From here on, as it may have been given up and be wanted again before a task looks.
        turned = slot.turned
        if slot.idle is not None:
            return None
        unhealthy: list[Unhealthy] = []
        self._containers = len(blueprint.probes)
        health = Health(
            blueprint.probes,
            instance,
            self._around.attempt,
            self._clock,
            self,
            blueprint.deadline,
            again=self._was_ready,
        )

        async def watch() -> None:
            unhealthy.append(await health.watch())

        await first_of(watch, ended, slot.retired.wait, turned.wait)
        if slot.retired.is_set():
            if not exits:
                await self._drain(instance, blueprint, ended)
            return None
        if exits:
            self._withdraw()
            return self._ended(exits[0])
        if unhealthy:
            self._withdraw()
            return await self._restarted(instance, blueprint, unhealthy[0])
        return None

    async def _at_rest(
        self,
        instance: Instance,
        blueprint: Blueprint,
        exits: list[Exit],
        ended: Callable[[], Awaitable[None]],
    ) -> Ended | Parked | None:
        """While it is given up; None when it is wanted again, or was retired, and drained."""
        slot, idling = self._slot, self._around.idling
        if idling is None:
            return None
        rest = Rest(slot, instance, self._around, idling, blueprint.grace)
        how = await rest.outcome(ended)
        if exits:
            # Nobody was using it, so this is no crash that would have a request wait.
            slot.crashes = 0
            return self._ended(exits[0])
        if how in ("wanted", "thawed"):
            self._offer_again(instance, blueprint, thawed=how == "thawed")
            return None
        if how == "stop":
            slot.parking = True
            try:
                await instance.park(max(LEAST_GRACE, blueprint.grace))
            finally:
                slot.parking = False
            return Parked()
        await self._drain(instance, blueprint, ended)
        return None

    def _offer_again(self, instance: Instance, blueprint: Blueprint, *, thawed: bool) -> None:
        """It gets requests at once: it was ready when it was given up, and no time has passed for
        it since."""
        slot, now = self._slot, self._clock.now()
        offered = slot.idle is None and not slot.retired.is_set()
        if offered:
            # Before it is told: somebody waits.
            birth = Birth(slot.since, now, now, "thawed") if thawed else None
            slot.endpoint = Endpoint(slot.name, instance.address, birth)
            self._around.offered(slot)
        if thawed:
            self._chronicle.thawed(slot, frozenset(each.container for each in blueprint.probes))
        elif offered:
            self._chronicle.ready(slot, self._label)

    async def _restarted(
        self, instance: Instance, blueprint: Blueprint, how: Unhealthy
    ) -> Ended | None:
        """Stop it, as one of its probes has failed for good."""
        slot, probe = self._slot, how.probe
        self._chronicle.restarting(slot, probe, how.why)
        await instance.stop(blueprint.grace if probe.grace is None else probe.grace)
        if slot.retired.is_set():
            return None
        exit_ = replace(await instance.wait(), container=probe.container)
        why = f"its {probe.role.lower()} probe failed: {how.why}"
        last_words = exit_.message or self._tail.text() or why
        self._chronicle.ended(slot, exit_, why, last_words)
        return Ended(StartFailure(f"ExitCode{exit_.code}", why), self._was_ready, exit_.code)

    async def _drain(
        self, instance: Instance, blueprint: Blueprint, ended: Callable[[], Awaitable[None]]
    ) -> None:
        slot, since = self._slot, self._clock.now()
        self._chronicle.draining(slot)
        await first_of(
            lambda: self._around.drained(slot),
            ended,
            lambda: self._clock.sleep_until(since + blueprint.grace),
        )
        # The end of the run cuts this long grace short.
        left = blueprint.grace - (self._clock.now() - since)
        await instance.stop(max(LEAST_GRACE, left))

    def _withdraw(self) -> None:
        """It gets no requests any more."""
        if self._slot.endpoint is not None:
            self._slot.endpoint = None
            self._around.offered(self._slot)

    # From its health.

    def readiness_changed(self, ready: frozenset[str], why: str) -> None:
        """These of its containers are ready."""
        slot, instance = self._slot, self._slot.instance
        if slot.retired.is_set() or slot.resting or instance is None:
            return
        if len(ready) < self._containers:
            if slot.endpoint is not None:
                self._withdraw()
                self._chronicle.unready(slot, why)
        elif slot.endpoint is None:
            # Whoever comes back from being unready has no cold start to tell of.
            birth = None if self._was_ready else replace(self._birth, ready=self._clock.now())
            if birth is not None:
                slot.cost = birth.ready - birth.ordered
            slot.endpoint = Endpoint(slot.name, instance.address, birth)
            self._was_ready = True
            self._around.offered(slot)
            self._chronicle.ready(slot, self._label)
        self._chronicle.containers_ready(slot, ready)

    def probe_failed(self, probe: ProbeSpec, why: str) -> None:
        """An attempt failed that a person may want to know of."""
        self._chronicle.probe_failed(self._slot, probe, why)

    # How it ended.

    def _ended(self, exit_: Exit) -> Ended:
        when = "" if self._was_ready else " before it was ready"
        why = f"the program ended with exit code {exit_.code}{when}"
        if exit_.oom:
            why = f"the program was killed for exceeding its memory limit{when}"
        last_words = exit_.message or self._tail.text()
        self._chronicle.ended(self._slot, exit_, why, last_words or why)
        message = f"{why}\n{self._tail.text() or exit_.message}".strip()
        return Ended(StartFailure(f"ExitCode{exit_.code}", message), self._was_ready, exit_.code)

    def _failed(self, exc: InstanceFailed) -> Ended:
        message = "\n".join(part for part in (str(exc), self._tail.text()) if part)
        self._withdraw()
        self._chronicle.failed(self._slot, exc, message)
        return Ended(StartFailure(exc.reason, message), self._was_ready)
