"""The control plane of one run on virtual time: everything but sockets and programs is real."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import anyio
import looptime
from msgspec.structs import replace

from knlite.clock import LoopClock
from knlite.controlplane.autoscaler import Autoscaler
from knlite.controlplane.blueprints import make_blueprints
from knlite.controlplane.chooser import Chooser
from knlite.controlplane.claims import ClaimKeeper
from knlite.controlplane.controller import Controller
from knlite.controlplane.eventledger import EventLedger
from knlite.controlplane.eventrecorder import EventRecorder
from knlite.controlplane.foundation import NAMESPACES
from knlite.controlplane.hpa import HorizontalPodAutoscaler
from knlite.controlplane.idling import Idling
from knlite.controlplane.images import Images
from knlite.controlplane.inplace import InPlace
from knlite.controlplane.kubelet import Kubelet
from knlite.controlplane.localcode import Local, LocalCode
from knlite.controlplane.outofuse import OutOfUse
from knlite.controlplane.podautoscalers import PodAutoscalerWriter
from knlite.controlplane.pods import PodWriter
from knlite.controlplane.preparation import Preparation
from knlite.controlplane.projector import Projector
from knlite.controlplane.readiness import ReadinessFacts
from knlite.controlplane.reconcilers import RECONCILERS
from knlite.controlplane.reloader import Reloader
from knlite.controlplane.reporting import Reporter
from knlite.controlplane.resting import Resting
from knlite.controlplane.scaletargets import ScaleTargets
from knlite.controlplane.supervisor import Supervisor
from knlite.controlplane.views import views_of_run
from knlite.controlplane.volumes import VolumeKeeper
from knlite.errors import InstanceFailed
from knlite.eventing.binding import injected
from knlite.eventing.topology import Topology
from knlite.eventing.triggers.immutable import filter_kept
from knlite.facts import Fact, ScaleDecided
from knlite.issuer import Issuer
from knlite.kinds.catalog import read
from knlite.kinds.conditions import Condition, find
from knlite.kinds.core.configmap import ConfigMap
from knlite.kinds.core.namespace import Namespace
from knlite.kinds.meta import Object, ObjectMeta
from knlite.kinds.serving.revision import Revision
from knlite.kinds.serving.service import Service
from knlite.reconcile import Key, key_of
from knlite.registry.registry import Notification, Registry
from knlite.runtime.fake import FakeRuntime, Script
from knlite.runtime.port import Instance
from knlite.serving.autoscaling.path import Mode
from knlite.serving.certificates import Certificate
from knlite.serving.instance import (
    Endpoint,
    RevisionName,
    RevisionSettings,
    Sample,
    StartFailure,
)
from knlite.serving.probing import ProbeSpec, Role
from knlite.serving.routing import RoutingTable
from knlite.serving.scheduling import Capacity
from knlite.serving.workload import Choice, FunctionProject, Sources, StoredImage
from tests.flows import documents

CAPACITY = Capacity(cpus=4.0, memory=8 * 2**30)
MEMORY = 2**30
"""Bytes that frozen instances may hold."""
UNREADABLE = "unreadable"
"""The digest of code that cannot be read."""
STARTED = datetime(2026, 1, 2, tzinfo=UTC)


class Requests:
    """Stands where the data plane stands, and holds one number of requests per revision."""

    def __init__(self) -> None:
        self.endpoints: dict[RevisionName, tuple[Endpoint, ...]] = {}
        self.failures: list[StartFailure] = []
        self.load: dict[RevisionName, float] = {}
        self.draining: list[tuple[str, Callable[[], None]]] = []
        self.busy = False
        """Whether instances that are drained still have a request."""
        self.spliced = False
        """Whether instances that are drained still have a splice."""
        self.table = RoutingTable()
        self.certificates: tuple[Certificate, ...] = ()
        self.modes: dict[RevisionName, Mode] = {}
        self.settings: dict[RevisionName, RevisionSettings | None] = {}
        self.topology = Topology()

    def mode_changed(self, revision: RevisionName, mode: Mode) -> None:
        self.modes[revision] = mode

    def endpoints_changed(self, revision: RevisionName, endpoints: Sequence[Endpoint]) -> None:
        self.endpoints[revision] = tuple(endpoints)

    def start_failed(self, revision: RevisionName, why: StartFailure) -> None:
        self.failures.append(why)

    def when_idle(self, revision: RevisionName, instance: str, idle: Callable[[], None]) -> None:
        if self.busy:
            self.draining.append((instance, idle))
        else:
            idle()

    def occupied(self, revision: RevisionName, instance: str) -> bool:
        return self.spliced

    def settings_changed(self, revision: RevisionName, settings: RevisionSettings | None) -> None:
        self.settings[revision] = settings

    def topology_changed(self, topology: Topology) -> None:
        self.topology = topology

    def certificates_changed(self, certificates: tuple[Certificate, ...]) -> None:
        self.certificates = certificates

    def routes_changed(self, table: RoutingTable, listing: tuple[tuple[str, str], ...]) -> None:
        self.table = table


class SavedCode(LocalCode):
    """Functions in folders of which a test says what is in them: ``/code/IMAGE``."""

    def __init__(self) -> None:
        self.chooser = Chooser("process", {})
        super().__init__(self.chooser, Path("/cache"))
        self.saved: dict[str, str] = {}
        """The digest of the code by its image."""
        self.reading = 0.0
        """Seconds that it takes to look through a folder."""

    def save(self, image: str, digest: str) -> None:
        """Write a function, for the first time or again."""
        self.saved[image] = digest
        self.chooser.sources = Sources(
            projects=tuple(
                FunctionProject(folder=f"/code/{each}", name=each, language="python", image=each)
                for each in self.saved
            )
        )

    async def look(self, code: Local, folder: Path) -> str:
        found = self.saved[folder.name]
        if found == UNREADABLE:
            raise InstanceFailed("SourcesUnreadable", f"{folder} cannot be read")
        if self.reading:
            await anyio.sleep(self.reading)
        return found


class Cell:
    """One control plane, and what is told to it and by it."""

    def __init__(
        self, scripts: dict[str, Script], config: dict[str, str], *, in_place: bool = False
    ) -> None:
        # The wall goes on from one cell to the next.
        self.clock = LoopClock(STARTED + timedelta(seconds=asyncio.get_running_loop().time()))
        self.facts: list[Fact] = []
        self.readers: list[Callable[[Fact], None]] = []
        self.unwell: dict[tuple[Role, str], str] = {}
        """What probes of a role say of the container of a name, where it is not well."""
        self.requests = Requests()
        self.runtime = FakeRuntime(self.clock, lambda workload: scripts[_image(workload)])
        self.code = SavedCode()
        # What a later cell makes must not be taken for what an earlier one has made.
        began, uids = asyncio.get_running_loop().time(), count(1)
        ledger = EventLedger(self.clock.wall)
        self.registry = Registry(
            wall=self.clock.wall,
            new_uid=lambda: f"uid-{began:g}-{next(uids)}",
            overrides={"config-autoscaler": config},
            external_port=8080,
            mutators=(injected, self.code.stamped),
            validators=(filter_kept,),
            derivations=(*views_of_run("127.0.0.9", 8080, 8443, STARTED), ledger),
        )
        self.kept: dict[Key, Object] = {}
        """What a later run would find."""
        for name in NAMESPACES:
            self.registry.create(Namespace(metadata=ObjectMeta(name=name)), user="test")
        self.reporter = Reporter(self.clock)
        self.recorder = EventRecorder(self.registry, ledger, self.reporter, self.clock)

        def publish(fact: Fact) -> None:
            self.facts.append(fact)
            self.recorder.read(fact)
            for reader in self.readers:
                reader(fact)

        self.controller = Controller(self.registry, RECONCILERS, self.clock, publish)
        self.projector = Projector(self.registry, self.clock)
        self.projector.report_to(self.requests, self.requests, self.requests)
        self.projector.certify(self.requests)
        issuer = Issuer(self.clock.wall)
        code = Preparation(
            self.registry,
            {"docker": self.runtime},
            lambda _, container: Choice(StoredImage(container.image), "docker", "the test says so"),
            self.clock,
            publish,
        )
        images = Images(self.registry, code, self.clock)
        pods = PodWriter(self.registry, self.reporter, self.clock.wall)
        self.kubelet = Kubelet(
            registry=self.registry,
            preparation=code,
            capacity=CAPACITY,
            pods=pods,
            clock=self.clock,
            publish=publish,
            issuer=issuer,
            probe=self._probe,
        )
        self.supervisor = Supervisor(
            blueprints=make_blueprints(self.registry, images, CAPACITY, issuer),
            service_of=self.projector.service_of,
            pods=pods,
            clock=self.clock,
            publish=publish,
            draw=random.Random(1),
            idling=Idling(self.registry, self.clock, publish, MEMORY),
            probe=self._probe,
        )
        standings = PodAutoscalerWriter(self.registry, self.reporter, self.clock)
        targets = ScaleTargets(self.supervisor, self.projector.service_of, self.clock, publish)
        targets.report_to(self.requests)
        self.autoscaler = Autoscaler(self.registry, self.supervisor, targets, standings, self.clock)
        self.hpa = HorizontalPodAutoscaler(
            self.registry, self.supervisor, targets, standings, self.clock
        )
        self.volumes = VolumeKeeper(
            self.registry, self.supervisor, issuer, self.clock.wall, publish
        )
        resting = Resting(self.registry, self.autoscaler, self.supervisor.counts, lambda: ())
        self.reloader = Reloader(self.registry, self.code, self.clock, publish, in_place=in_place)
        replacing = InPlace(images, self.supervisor, resting)
        self.reloader.replace_by(replacing.replace)
        self.claims = ClaimKeeper(self.registry, (self.runtime,))
        self.supervisor.report_to(self.requests, self.autoscaler, self.hpa)
        self.listeners = (
            self._keep,
            self.recorder.note,
            OutOfUse(self.registry, self.clock, replacing.rest).note,
            ReadinessFacts(self.clock.wall, publish, self.reporter.report).note,
        )
        self.parts = (
            self.supervisor,
            self.kubelet,
            images,
            self.volumes,
            self.claims,
            self.autoscaler,
            self.hpa,
            self.projector,
            self.controller,
            self.reloader,
        )

    def apply(self, document: dict[str, object]) -> None:
        """Apply a document, as ``kubectl apply`` does."""
        found = read({"metadata": {"namespace": "default"}, **document})
        assert found.value is not None, found.problems
        self.registry.apply(found.value, user="test")

    def service(self, name: str = "web", image: str = "", **annotations: str) -> None:
        """Apply a Service whose revision is *name*-00001 when it is the first."""
        keys = {f"autoscaling.knative.dev/{k.replace('_', '-')}": v for k, v in annotations.items()}
        self.apply(documents.service(name, image=image, revision={"annotations": keys}))

    def annotate(self, revision: RevisionName, **annotations: str) -> None:
        """Edit annotations of autoscaling of a live Revision; an empty one is removed."""
        found = self.registry.view.get(Revision, *revision)
        assert found is not None
        kept = dict(found.metadata.annotations)
        for name, value in annotations.items():
            key = f"autoscaling.knative.dev/{name.replace('_', '-')}"
            kept.pop(key, None)
            kept.update({key: value} if value else {})
        metadata = replace(found.metadata, annotations=kept)
        self.registry.update(replace(found, metadata=metadata), user="test")

    def configure(self, name: str, **settings: str) -> None:
        """Write a ConfigMap of Serving's."""
        data = {key.replace("_", "-"): value for key, value in settings.items()}
        metadata = ObjectMeta(name=name, namespace="knative-serving")
        self.registry.apply(ConfigMap(metadata=metadata, data=data), user="test")

    def delete_service(self, name: str = "web") -> None:
        """Delete a Service and all that is its."""
        self.registry.delete(Key(Service, "default", name))

    def facts_of_scale(self) -> list[ScaleDecided]:
        """Every decision."""
        return [fact for fact in self.facts if isinstance(fact, ScaleDecided)]

    def ready(self, name: str = "web") -> Condition:
        """The Ready condition of a Service."""
        service = self.registry.view.get(Service, "default", name)
        assert service is not None
        condition = find(service.status.conditions)
        return condition or Condition(type="Ready", status="Unknown")

    def request(self, revision: str = "web-00001") -> None:
        """A request arrives at a revision that may have no instance."""
        name = RevisionName("default", revision)
        if not self.requests.endpoints.get(name):
            self.autoscaler.waiting(name)

    async def advance(self, seconds: float) -> None:
        """Let time pass, telling the autoscaler of the load each second."""
        end = self.clock.now() + seconds
        while self.clock.now() < end:
            await self.clock.sleep_until(min(end, self.clock.now() + 1.0))
            for revision, endpoints in tuple(self.requests.endpoints.items()):
                load = self.requests.load.get(revision, 0.0)
                if endpoints or load:
                    self.autoscaler.demand(revision, Sample(load, load))

    def running(self) -> int:
        """How many programs run."""
        return sum(instance.accepts for instance in self.runtime.instances)

    def scales(self) -> list[tuple[int, int]]:
        """(was, desired) of every decision."""
        return [(fact.was, fact.desired) for fact in self.facts_of_scale()]

    def _keep(self, notification: Notification) -> None:
        key = key_of(notification.obj)
        if notification.change == "deleted":
            self.kept.pop(key, None)
        else:
            self.kept[key] = notification.obj

    async def _probe(self, probe: ProbeSpec, instance: Instance) -> str:
        if not self.runtime.accepts(instance.address):
            return "connection refused"
        return self.unwell.get((probe.role, probe.container), "")


@asynccontextmanager
async def opened(
    scripts: dict[str, Script] | None = None,
    config: dict[str, str] | None = None,
    *,
    kept: Iterable[Object] = (),
    in_place: bool = False,
) -> AsyncIterator[Cell]:
    """A running cell; *scripts* by image, ``web`` being an ordinary one.

    *kept* is what an earlier one has left.
    """
    scripts = {} if scripts is None else scripts
    scripts.setdefault("web", Script(booting=0.5))
    cell = Cell(scripts, config or {}, in_place=in_place)
    left = tuple(kept)
    versions = (int(each.metadata.resource_version) for each in left)
    cell.registry.restore(left, max((cell.registry.version, *versions)))
    async with AsyncExitStack() as stack:
        for listener in cell.listeners:
            stack.enter_context(cell.registry.listening(listener))
        group = await stack.enter_async_context(anyio.create_task_group())
        for part in cell.parts:
            await group.start(part.run)
        cell.registry.announce()
        yield cell
        group.cancel_scope.cancel()


def on_virtual_time(test: Callable[[], Coroutine[object, object, None]]) -> Callable[[], None]:
    """Run *test* on an event loop whose time jumps to the next timer."""

    def run() -> None:
        loop = looptime.new_event_loop(start=0.0, end=100_000.0)
        try:
            asyncio.set_event_loop(loop)
            loop.run_until_complete(test())
        finally:
            asyncio.set_event_loop(None)
            loop.close()

    run.__name__ = test.__name__
    return run


def _image(workload: object) -> str:
    assert isinstance(workload, StoredImage)
    return workload.reference.partition(":")[0].partition("@")[0]
