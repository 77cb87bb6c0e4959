"""Keeps as many instances of each revision as the autoscaler wants; one task per instance.

An instance is prepared, started, probed until it is ready, offered to the balancer, and in the end
drained and stopped. One that fails is started again, at once the first time, then later and later;
a request that waits overrides that delay.

Source: Knative reference §3.7 (readiness), §3.8 (drain), §4.2 (restarts).
Not here: how many (``autoscaler.py``), how code is prepared (``images.py``), how it is run
(``runtime/``), what the instance is told (``serving/contract.py``).
"""

import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import anyio
from anyio.abc import TaskGroup, TaskStatus

from knlite.clock import Clock
from knlite.controlplane.pods import PodWriter
from knlite.controlplane.probes import attempt
from knlite.controlplane.race import first_of
from knlite.errors import InstanceFailed
from knlite.facts import InstanceChanged, InstanceState, LogLine, Publish
from knlite.runtime.port import Exit, Instance, Launch, Log, Logs, Runtime, Usage
from knlite.serving.instance import Address, Birth, Endpoint, RevisionName, StartFailure
from knlite.serving.instancelife import instance_name, restart_delay
from knlite.serving.levels import InstanceCounts
from knlite.serving.probing import ReadinessProbe

SHUTDOWN_GRACE = 10.0
"""Seconds an instance gets when the whole run ends; revisions may allow themselves far more."""
DIAGNOSIS_AFTER = 3.0
"""Seconds without an answer before it is worth asking where the program listens in truth."""
LONG_RUN = 600.0
"""Seconds of running after which an instance is no longer held to crash again and again."""
TAIL_LINES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Blueprint:
    """Everything needed to start an instance of one revision."""

    runtime: Runtime
    launch: Launch
    probe: ReadinessProbe
    deadline: float
    """Seconds that an instance may take to become ready."""
    grace: float
    """Seconds that it may take to finish its requests, and then to end."""


Blueprints = Callable[[RevisionName, str], Awaitable[Blueprint]]
"""Makes the blueprint for one instance by name. Raises ``InstanceFailed``."""

Probe = Callable[[ReadinessProbe, Address], Awaitable[str]]
"""One attempt: an empty text if it passed, else what was wrong."""


class Balancer(Protocol):
    """What has to know of instances, at once and before anybody else."""

    def endpoints_changed(self, revision: RevisionName, endpoints: Sequence[Endpoint]) -> None:
        """These are the instances of *revision* that may get requests."""
        ...

    def start_failed(self, revision: RevisionName, why: StartFailure) -> None:
        """No instance of *revision* is ready, and none is about to be."""
        ...

    def when_idle(self, revision: RevisionName, instance: str, idle: Callable[[], None]) -> None:
        """Call *idle* once *instance*, which is no endpoint any more, has no request left."""
        ...


class ScaleListener(Protocol):
    """Who wants to know when the number of ready instances changes."""

    def ready_changed(self, revision: RevisionName, ready: int) -> None:
        """*revision* has *ready* instances."""
        ...


@dataclass(eq=False, slots=True)
class _Slot:
    """One instance that the autoscaler asked for, through all its restarts."""

    name: str
    service: str
    """Under which people know it, also when it is being deleted."""
    retired: anyio.Event = field(default_factory=anyio.Event)
    hurry: anyio.Event = field(default_factory=anyio.Event)
    endpoint: Endpoint | None = None
    instance: Instance | None = None
    """Its program, while that runs."""
    running: bool = False
    """Whether its program has been started and has not ended."""
    runtime: Runtime | None = None
    """Who has started it, and remembers it until it is discarded."""
    trying: bool = True
    """Whether it is on its way to ready, rather than waiting to be tried again."""
    restarts: int = 0


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
        probe: Probe = attempt,
    ) -> None:
        self._probe = probe
        self._blueprints = blueprints
        self._service_of = service_of
        self._pods = pods
        self._clock = clock
        self._publish = publish
        self._draw = draw
        self._slots: dict[RevisionName, dict[str, _Slot]] = {}
        self._balancers: list[Balancer] = []
        self._listeners: list[ScaleListener] = []
        self._group: TaskGroup | None = None

    def report_to(self, balancer: Balancer, listener: ScaleListener) -> None:
        """Tell *balancer*, then *listener*, of changes; to be called before ``run``."""
        self._balancers.append(balancer)
        self._listeners.append(listener)

    def tell(self, listener: ScaleListener) -> None:
        """Tell *listener* of changes too; to be called before ``run``."""
        self._listeners.append(listener)

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Own all instances until cancelled; then stop them all and return."""
        try:
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
        ready = not_ready = pending = terminating = 0
        for slot in self._slots.get(revision, {}).values():
            if slot.endpoint is not None:
                ready += 1
            elif slot.retired.is_set():
                terminating += 1
            elif slot.running:
                not_ready += 1
            else:
                pending += 1
        return InstanceCounts(ready, not_ready, pending, terminating)

    async def usage(self, revision: RevisionName) -> dict[str, Usage | None]:
        """What each ready instance of *revision* has used, by its name; None if not known."""
        slots = [slot for slot in self._slots.get(revision, {}).values() if slot.endpoint]
        return {
            slot.name: await slot.instance.usage() if slot.instance is not None else None
            for slot in slots
        }

    def set_desired(self, revision: RevisionName, count: int) -> None:
        """Have *count* instances of *revision*, as soon as possible."""
        slots = self._slots.setdefault(revision, {})
        kept = [slot for slot in slots.values() if not slot.retired.is_set()]
        for _ in range(count - len(kept)):
            self._add(revision)
        # Those that serve nobody yet go first, then the youngest.
        kept.reverse()
        kept.sort(key=lambda slot: slot.endpoint is not None)
        for slot in kept[: max(0, len(kept) - count)]:
            self._retire(revision, slot)
        if not slots:
            del self._slots[revision]

    def hurry(self, revision: RevisionName) -> None:
        """A request waits: start again now what would be started again later."""
        for slot in self._slots.get(revision, {}).values():
            slot.hurry.set()

    def _add(self, revision: RevisionName) -> None:
        if self._group is None:
            return
        slot = _Slot(instance_name(revision.name, self._draw), self._service_of(revision))
        self._slots[revision][slot.name] = slot
        self._group.start_soon(self._keep, revision, slot, name=slot.name)

    def _retire(self, revision: RevisionName, slot: _Slot) -> None:
        slot.retired.set()
        if slot.endpoint is not None:
            slot.endpoint = None
            self._changed(revision)

    async def _keep(self, revision: RevisionName, slot: _Slot) -> None:
        """The whole life of *slot*."""
        try:
            while not slot.retired.is_set():
                since = self._clock.now()
                failure = await self._incarnation(revision, slot)
                if failure is None:
                    break
                slot.trying = False
                if not (self.ready(revision) or self._trying(revision)):
                    for balancer in self._balancers:
                        balancer.start_failed(revision, failure)
                if self._clock.now() - since > LONG_RUN:
                    slot.restarts = 0
                await self._before_restart(revision, slot, failure)
        finally:
            if slot.runtime is not None:
                with anyio.CancelScope(shield=True):
                    await slot.runtime.discard(slot.name)
            self._forget(revision, slot)

    def _forget(self, revision: RevisionName, slot: _Slot) -> None:
        self._tell(revision, slot, "gone")
        self._pods.gone(revision, slot.name)
        slots = self._slots.get(revision, {})
        slots.pop(slot.name, None)
        if not slots:
            self._slots.pop(revision, None)

    def _trying(self, revision: RevisionName) -> bool:
        return any(
            slot.trying and not slot.retired.is_set()
            for slot in self._slots.get(revision, {}).values()
        )

    async def _before_restart(
        self, revision: RevisionName, slot: _Slot, failure: StartFailure
    ) -> None:
        slot.hurry = anyio.Event()
        due = self._clock.now() + restart_delay(slot.restarts)
        slot.restarts += 1
        self._pods.waiting(revision, slot.name, slot.restarts, failure)
        await first_of(lambda: self._clock.sleep_until(due), slot.hurry.wait, slot.retired.wait)
        slot.trying = True

    async def _incarnation(self, revision: RevisionName, slot: _Slot) -> StartFailure | None:
        """Start once and see it through; None when it was retired, else why it ended."""
        tail = _Tail()
        ordered = self._clock.now()
        self._tell(revision, slot, "preparing")
        try:
            blueprint = await self._unless_retired(slot, revision)
            if blueprint is None:
                return None
            self._tell(revision, slot, "starting")
            self._pods.starting(revision, slot.name, slot.restarts)
            slot.runtime = blueprint.runtime
            logs = self._logs(revision, slot, tail)
            instance = await blueprint.runtime.start(blueprint.launch, logs)
        except InstanceFailed as exc:
            return self._failed(revision, slot, exc)
        slot.running, slot.instance = True, instance
        try:
            birth = Birth(ordered, self._clock.now(), 0.0)
            return await self._serve(revision, slot, instance, blueprint, birth, tail)
        finally:
            with anyio.CancelScope(shield=True):
                await instance.stop(min(blueprint.grace, SHUTDOWN_GRACE))
            slot.running, slot.instance = False, None

    async def _unless_retired(self, slot: _Slot, revision: RevisionName) -> Blueprint | None:
        made: list[Blueprint] = []

        async def make() -> None:
            made.append(await self._blueprints(revision, slot.name))

        await first_of(make, slot.retired.wait)
        return made[0] if made and not slot.retired.is_set() else None

    async def _serve(
        self,
        revision: RevisionName,
        slot: _Slot,
        instance: Instance,
        blueprint: Blueprint,
        birth: Birth,
        tail: "_Tail",
    ) -> StartFailure | None:
        """From the first probe until it ends or is retired and drained."""
        exits: list[Exit] = []

        async def ended() -> None:
            exits.append(await instance.wait())

        async def become_ready() -> None:
            await self._probe_until_ready(instance, blueprint)
            if slot.retired.is_set():
                return
            ready = replace(birth, ready=self._clock.now())
            slot.endpoint = Endpoint(slot.name, instance.address, ready)
            self._changed(revision)
            self._tell(revision, slot, "ready", instance.label)
            self._pods.ready(revision, slot.name, slot.restarts, instance.address)

        try:
            await first_of(become_ready, ended, slot.retired.wait)
        except InstanceFailed as exc:
            return self._failed(revision, slot, exc, tail)
        if not exits and not slot.retired.is_set():
            await first_of(ended, slot.retired.wait)
        if exits:
            was_ready = slot.endpoint is not None
            if was_ready:
                slot.endpoint = None
                self._changed(revision)
            if not slot.retired.is_set():
                return self._ended(revision, slot, exits[0], tail, was_ready=was_ready)
            return None
        self._tell(revision, slot, "draining")
        self._pods.draining(revision, slot.name)
        await first_of(
            lambda: self._drained(revision, slot),
            ended,
            lambda: self._clock.sleep_until(self._clock.now() + blueprint.grace),
        )
        # The end of the run cuts this long grace short.
        await instance.stop(blueprint.grace)
        return None

    async def _drained(self, revision: RevisionName, slot: _Slot) -> None:
        idle = anyio.Event()
        for balancer in self._balancers:
            balancer.when_idle(revision, slot.name, idle.set)
        await idle.wait()

    async def _probe_until_ready(self, instance: Instance, blueprint: Blueprint) -> None:
        started = self._clock.now()
        successes = tries = 0
        suspicion = ""
        diagnosis_at = started + DIAGNOSIS_AFTER
        address, probe = instance.address, blueprint.probe
        if probe.initial_delay:
            await self._clock.sleep_until(started + probe.initial_delay)
        while True:
            problem = await self._probe(probe, address)
            successes = 0 if problem else successes + 1
            if successes >= probe.success_threshold:
                return
            now = self._clock.now()
            if now >= diagnosis_at:
                diagnosis_at = now + 1.0
                found = _misdirected(address, await instance.listening())
                if found and found == suspicion:
                    raise InstanceFailed("ContainerUnhealthy", found, fix=_LISTEN)
                suspicion = found
            if now - started >= blueprint.deadline:
                raise InstanceFailed(
                    "ProgressDeadlineExceeded",
                    f"not ready after {blueprint.deadline:g} s",
                    cause=f"readiness probe: {problem}",
                )
            await self._clock.sleep_until(now + probe.wait(tries))
            tries += 1

    def _changed(self, revision: RevisionName) -> None:
        slots = self._slots.get(revision, {}).values()
        endpoints = [slot.endpoint for slot in slots if slot.endpoint is not None]
        for balancer in self._balancers:
            balancer.endpoints_changed(revision, endpoints)
        for listener in self._listeners:
            listener.ready_changed(revision, len(endpoints))

    def _ended(
        self, revision: RevisionName, slot: _Slot, exit_: Exit, tail: "_Tail", *, was_ready: bool
    ) -> StartFailure:
        when = "" if was_ready else " before it was ready"
        why = f"the program ended with exit code {exit_.code}{when}"
        failure = StartFailure(f"ExitCode{exit_.code}", exit_.message or tail.text() or why)
        self._tell(revision, slot, "failed", why)
        self._pods.ended(revision, slot.name, slot.restarts, exit_.code, failure.message)
        return StartFailure(failure.reason, f"{why}\n{tail.text()}".strip())

    def _failed(
        self, revision: RevisionName, slot: _Slot, exc: InstanceFailed, tail: "_Tail | None" = None
    ) -> StartFailure:
        message = "\n".join(part for part in (str(exc), tail.text() if tail else "") if part)
        failure = StartFailure(exc.reason, message)
        self._tell(revision, slot, "failed", str(exc))
        self._pods.waiting(revision, slot.name, slot.restarts, failure)
        return failure

    def _tell(
        self, revision: RevisionName, slot: _Slot, state: InstanceState, why: str = ""
    ) -> None:
        self._publish(
            InstanceChanged(
                at=self._clock.wall(),
                namespace=revision.namespace,
                service=slot.service,
                revision=revision.name,
                instance=slot.name,
                state=state,
                why=why,
            )
        )

    def _logs(self, revision: RevisionName, slot: _Slot, tail: "_Tail") -> Logs:
        def of(container: str) -> Log:
            def log(stream: str, text: str) -> None:
                tail.add(text)
                self._publish(
                    LogLine(
                        at=self._clock.wall(),
                        namespace=revision.namespace,
                        service=slot.service,
                        revision=revision.name,
                        instance=slot.name,
                        container=container,
                        stream="stderr" if stream == "stderr" else "stdout",
                        text=text,
                    )
                )

            return log

        return of


_LISTEN = "listen on the port that the variable PORT names, on all addresses (0.0.0.0)"


def _misdirected(wanted: Address, found: tuple[Address, ...] | None) -> str:
    """A sentence if the program listens, but not where requests go; else ""."""
    if not found or any(each.port == wanted.port and each.host == wanted.host for each in found):
        return ""
    everywhere = {"0.0.0.0", "::", "", "*"}
    if any(each.port == wanted.port and each.host in everywhere for each in found):
        return ""
    where = ", ".join(sorted(f"{each.host or '*'}:{each.port}" for each in found))
    return f"the program listens on {where}, not on its PORT"


class _Tail:
    """The last lines that an instance wrote, for the sentence about its end."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def add(self, line: str) -> None:
        self._lines.append(line)
        del self._lines[:-TAIL_LINES]

    def text(self) -> str:
        return "\n".join(self._lines)
