"""Runs the Pods of Deployments and Jobs, and those by themselves; one task per Pod.

A Pod is started when it appears and stopped when it is deleted. One that ends by itself is started
again as its restart policy says, at once the first time, then later and later; if it is not, the
Pod stays as Succeeded or Failed and keeps its log.

Source: Kubernetes' kubelet (restart policies, back-off).
Differs: an image that cannot be had, or a Secret that is missing, is tried again by the same
back-off, and at once when the Secret or ConfigMap appears. Of Pods that run to their end only so
many run at once, and the others wait for their turn: a burst of events at a JobSink is no burst of
processes.
Not here: which Pods there shall be (``workloads/``), instances of revisions (``supervisor.py``),
one start from beginning to end (``incarnation.py``).
"""

import math
from contextlib import suppress

import anyio
from anyio.abc import TaskGroup, TaskStatus

from knlite.clock import Clock
from knlite.controlplane.blueprint import Blueprint
from knlite.controlplane.chronicle import Chronicle
from knlite.controlplane.health import Attempt
from knlite.controlplane.incarnation import Ended, Incarnation, Parked, Surroundings
from knlite.controlplane.launches import launch_of_pod, volumes_of_pod
from knlite.controlplane.pods import PodWriter, is_of_revision
from knlite.controlplane.preparation import Code, Preparation, pod_code
from knlite.controlplane.probes import attempt
from knlite.controlplane.race import first_of
from knlite.controlplane.slot import Slot
from knlite.controlplane.supervisor import LONG_RUN
from knlite.controlplane.wanted import of_pod
from knlite.errors import InstanceFailed
from knlite.facts import Notice, Publish
from knlite.issuer import Issuer
from knlite.kinds.catalog import kind_named
from knlite.kinds.core.configmap import ConfigMap
from knlite.kinds.core.job import NEVER, ON_FAILURE
from knlite.kinds.core.persistentvolumeclaim import PersistentVolumeClaim
from knlite.kinds.core.pod import Pod
from knlite.kinds.core.secret import Secret
from knlite.kinds.meta import Object, controller_of
from knlite.kinds.podspec.fields import leading_container
from knlite.reconcile import Key, View, key_of
from knlite.registry.registry import Notification, Registry
from knlite.serving.contents import sources
from knlite.serving.instance import RevisionName
from knlite.serving.instancelife import restart_delay
from knlite.serving.probing import declared_probes
from knlite.serving.scheduling import Capacity, require_schedulable
from knlite.serving.volume import FileVolume
from knlite.workloads.pods import FAILED, SUCCEEDED, has_ended, is_leaving

GRACE = 30
"""terminationGracePeriodSeconds unless the Pod says otherwise."""
AT_ONCE = 110
"""Pods that run to their end at the same time: as many as a node of a cluster takes by default."""
ENDING = frozenset((NEVER, ON_FAILURE))
"""Restart policies of Pods that run to their end."""
CANNOT_START = 128
"""The exit code of a program that the runtime cannot start."""


class Kubelet:
    """All Pods of one run that are no instances of revisions."""

    def __init__(
        self,
        *,
        registry: Registry,
        preparation: Preparation,
        capacity: Capacity,
        pods: PodWriter,
        clock: Clock,
        publish: Publish,
        issuer: Issuer,
        probe: Attempt = attempt,
    ) -> None:
        self._registry = registry
        self._preparation = preparation
        self._capacity = capacity
        self._issuer = issuer
        self._clock = clock
        self._publish = publish
        self._chronicle = Chronicle(pods, clock, publish)
        self._around = Surroundings(
            blueprints=self._blueprint,
            attempt=probe,
            clock=clock,
            chronicle=self._chronicle,
            offered=lambda _: None,
            drained=_at_once,
            occupied=lambda _: False,
            let_go=lambda _: None,
        )
        self._slots: dict[Key, Slot] = {}
        self._turns = anyio.Semaphore(AT_ONCE)
        self._group: TaskGroup | None = None

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Own all these Pods until cancelled; then stop what runs and return."""
        try:
            async with anyio.create_task_group() as self._group:
                with self._registry.listening(self._note):
                    for pod in self._registry.view.listed(Pod, ""):
                        self._take(pod)
                    task_status.started()
                    await anyio.sleep_forever()
        finally:
            self._group = None

    def _note(self, notification: Notification) -> None:
        match notification.obj:
            case Pod() as pod if notification.change == "added":
                self._take(pod)
            case Pod() as pod if notification.change == "deleted" or is_leaving(pod):
                slot = self._slots.get(key_of(pod))
                if slot is not None and not slot.retired.is_set():
                    slot.retired.set()
                    self._chronicle.retired(slot)
            case ConfigMap() | Secret() | PersistentVolumeClaim() as obj:
                if notification.change != "deleted":
                    self._bring(obj)
            case _:
                pass

    def _take(self, pod: Pod) -> None:
        """Begin the life of *pod*, if it is one to run."""
        if is_of_revision(pod) or has_ended(pod) or not self._group:
            return
        meta = pod.metadata
        root = root_of(pod, self._registry.view)
        slot = Slot(meta.name, RevisionName(meta.namespace, ""), root.metadata.name)
        if is_leaving(pod):
            slot.retired.set()
        self._slots[key_of(pod)] = slot
        self._group.start_soon(self._keep, slot, pod, name=meta.name)

    def _bring(self, source: ConfigMap | Secret | PersistentVolumeClaim) -> None:
        """Start now what waits for *source*, and give its files to what runs."""
        named = (type(source).__name__, source.metadata.name)
        for key, slot in self._slots.items():
            if key.namespace != source.metadata.namespace:
                continue
            pod = self._registry.view.get(Pod, key.namespace, key.name)
            if pod is None or named not in sources(pod.spec):
                continue
            slot.hurry.set()
            if pod.spec.volumes and slot.instance is not None and self._group is not None:
                self._group.start_soon(self._refresh, slot, pod)

    async def _refresh(self, slot: Slot, pod: Pod) -> None:
        """Put what the volumes of *pod* hold now into those that it has."""
        if slot.runtime is None:
            return
        try:
            held = volumes_of_pod(pod, self._registry.view, self._issuer)
            files = {name: each for name, each in held.items() if isinstance(each, FileVolume)}
            await slot.runtime.refresh(slot.name, files)
        except InstanceFailed as exc:
            text = f"the volumes of {slot.name} stay as they are: {exc}"
            self._publish(Notice(at=self._clock.wall(), level="warning", text=text))

    async def _keep(self, slot: Slot, pod: Pod) -> None:
        """The whole life of *pod*."""
        over, its_turn = "", False
        try:
            if pod.spec.restart_policy in ENDING:
                its_turn = await self._turn(slot)
            while not slot.retired.is_set() and not over:
                since = self._clock.now()
                end = await Incarnation(slot, self._around).live()
                if end is None or isinstance(end, Parked):
                    break
                over = _phase_after(end, pod.spec.restart_policy)
                if not over:
                    if self._clock.now() - since > LONG_RUN:
                        slot.crashes = 0
                    await self._before_restart(slot)
        finally:
            if slot.runtime is not None:
                with anyio.CancelScope(shield=True):
                    await slot.runtime.discard(slot.name)
            if its_turn:
                self._turns.release()
            self._slots.pop(key_of(pod), None)
            if slot.retired.is_set():
                self._chronicle.gone(slot)
            elif over:
                self._chronicle.over(slot, over)
            # Else the run ends. To say that it is gone would have it replaced.

    async def _turn(self, slot: Slot) -> bool:
        """Wait until *slot* may run; False if it is retired before."""
        with suppress(anyio.WouldBlock):
            self._turns.acquire_nowait()
            return True
        self._chronicle.preparing(slot)
        got: list[bool] = []

        async def take() -> None:
            await self._turns.acquire()
            got.append(True)

        await first_of(take, slot.retired.wait)
        return bool(got)

    async def _before_restart(self, slot: Slot) -> None:
        slot.hurry = anyio.Event()
        delay = restart_delay(slot.crashes)
        slot.crashes += 1
        slot.restarts += 1
        self._chronicle.waiting(slot, delay)
        due = self._clock.now() + delay
        await first_of(lambda: self._clock.sleep_until(due), slot.hurry.wait, slot.retired.wait)

    async def _blueprint(self, owner: RevisionName, name: str) -> Blueprint:
        """Everything that the Pod called *name* is started with. Raises ``InstanceFailed``."""
        view = self._registry.view
        pod = view.get(Pod, owner.namespace, name)
        leading = leading_container(pod.spec) if pod is not None else None
        if pod is None or leading is None:
            raise InstanceFailed("ContainerMissing", f"pod {name} has no container")
        require_schedulable(pod.spec, self._capacity)
        wanted = of_pod(pod, root_of(pod, view))
        codes: dict[str, Code] = {}
        for container in (leading, *pod.spec.containers, *pod.spec.init_containers):
            if container.name not in codes:
                codes[container.name] = await self._preparation.code(wanted, container)
        code = pod_code(codes, leading.name)
        runtime, grace = code.serving.runtime, pod.spec.termination_grace_period_seconds
        return Blueprint(
            runtime=runtime,
            launch=launch_of_pod(
                pod, wanted.service, code.prepared, view, runtime.vantage, self._issuer
            ),
            probes=declared_probes(pod.spec),
            deadline=math.inf,
            grace=float(GRACE if grace is None else grace),
        )


def root_of(pod: Pod, view: View) -> Object:
    """What somebody has declared that led to *pod*: its Deployment's ContainerSource, …"""
    found: Object = pod
    while (owner := controller_of(found)) is not None:
        info = kind_named(owner.api_version, owner.kind)
        if info is None:
            break
        above = view.get(info.type, pod.metadata.namespace, owner.name)
        if above is None or above.metadata.uid != owner.uid:
            break
        found = above
    return found


def _phase_after(end: Ended, policy: str) -> str:
    """How a Pod has ended whose programs ended so; empty if it is started again."""
    code = CANNOT_START if end.why.reason == "StartError" else end.code
    if code is None or policy not in ENDING:
        return ""
    if code == 0:
        return SUCCEEDED
    return FAILED if policy == NEVER else ""


async def _at_once(_slot: Slot) -> None:
    """Nobody waits for answers of a plain Pod."""
