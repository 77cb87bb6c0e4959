"""Joins the rooms: builds every part of a run, starts them in order, stops them in order.

Wiring only. The one late binding is ``activator.report_to(autoscaler)``, which closes the ring of a
cold start: activator → autoscaler → supervisor → activator.
"""

import asyncio
import os
import random
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import anyio
from anyio.abc import TaskGroup

from knlite.apiserver.app import make_app
from knlite.apiserver.serving import serve as serve_admin
from knlite.clock import SystemClock
from knlite.controlplane.applier import Applier
from knlite.controlplane.autoscaler import Autoscaler
from knlite.controlplane.blueprints import make_blueprints
from knlite.controlplane.chooser import Chooser
from knlite.controlplane.claims import ClaimKeeper
from knlite.controlplane.controller import Controller
from knlite.controlplane.eventanswerers import EventAnswerers
from knlite.controlplane.eventledger import EventLedger
from knlite.controlplane.eventrecorder import READ as TOLD
from knlite.controlplane.eventrecorder import EventRecorder
from knlite.controlplane.eventtypes import EventTypeRecorder
from knlite.controlplane.foundation import lay_foundation
from knlite.controlplane.hpa import HorizontalPodAutoscaler
from knlite.controlplane.images import Images
from knlite.controlplane.jobsinks import JobSinks
from knlite.controlplane.kubelet import Kubelet
from knlite.controlplane.machine import this_capacity
from knlite.controlplane.podautoscalers import PodAutoscalerWriter
from knlite.controlplane.pods import PodWriter
from knlite.controlplane.preparation import Preparation
from knlite.controlplane.projector import Projector
from knlite.controlplane.readiness import ReadinessFacts, Undecided
from knlite.controlplane.reconcilers import RECONCILERS
from knlite.controlplane.reporting import Reporter
from knlite.controlplane.scaletargets import ScaleTargets
from knlite.controlplane.settling import Settling
from knlite.controlplane.sources import Sources
from knlite.controlplane.supervisor import Supervisor
from knlite.controlplane.views import views_of_run
from knlite.controlplane.volumes import VolumeKeeper
from knlite.dataplane.activator import Activator
from knlite.dataplane.dispatcher import Dispatcher
from knlite.dataplane.eventingress import EventIngress
from knlite.dataplane.gateway import Gateway
from knlite.dataplane.https import Https
from knlite.dataplane.jobsink import JobSinkIngress
from knlite.dataplane.requestreply import RequestReplyIngress
from knlite.dataplane.sender import EventSender
from knlite.dataplane.sources.outbound import Outbound
from knlite.dataplane.sources.ping import PingAdapter
from knlite.dataplane.transforms import EventTransforms
from knlite.dataplane.wire.limits import Limits
from knlite.errors import InvalidInput
from knlite.eventing.binding import injected
from knlite.eventing.requestreplies import HOST as REQUEST_REPLY_HOST
from knlite.eventing.transforms import ENDING as TRANSFORM_ENDING
from knlite.eventlog.engines import LIMITS, open_engines
from knlite.facts import EventAccepted, InstanceChanged, LogLine, Notice, RequestDone
from knlite.issuer import Issuer
from knlite.kinds.config.values import ConfigInvalid
from knlite.kinds.sinks.jobsink import HOST as JOB_SINKS
from knlite.limits import limits_of
from knlite.limits import require_known as require_limits
from knlite.listening import LOOPBACK, Listening
from knlite.manifests import Complaint, Project
from knlite.registry.configmaps import require_known
from knlite.registry.registry import Registry
from knlite.registry.sqlite import SqliteStorage
from knlite.registry.writebehind import WriteBehind
from knlite.runtime.available import open_runtimes
from knlite.serving.workload import policy_named
from knlite.settings import Settings
from knlite.telemetry.accesslog import AccessLog
from knlite.telemetry.bus import Bus, Reader
from knlite.telemetry.eventrecords import READ as EVENTS
from knlite.telemetry.eventrecords import EventRecords
from knlite.telemetry.logs import Logs
from knlite.telemetry.metrics import CONTENT_TYPE, READ, Metrics
from knlite.telemetry.resending import Resending


@asynccontextmanager
async def open_emulator(settings: Settings, readers: Sequence[Reader]) -> AsyncIterator["Emulator"]:
    """A run that can check manifests; ``start`` makes it serve. Everything ends with the context.

    *readers* get every fact. Raises ``InvalidInput`` for overrides that set nothing.
    """
    require_known(settings.overrides)
    async with AsyncExitStack() as stack:
        bus = Bus()
        logs = Logs(settings.data_dir / "logs" if settings.data_dir else None, bus.publish)
        metrics = Metrics()
        stack.callback(logs.close)
        stack.enter_context(bus.reading(logs.read, LogLine, InstanceChanged))
        stack.enter_context(bus.reading(metrics.read, *READ))
        for reader in readers:
            stack.enter_context(bus.reading(reader))
        # Entered before the tasks, so that it is given back after the last of them has ended.
        held = await stack.enter_async_context(AsyncExitStack())
        group = await stack.enter_async_context(anyio.create_task_group())
        try:
            yield Emulator(settings, bus, logs, metrics, held, group)
        except ConfigInvalid as exc:
            raise InvalidInput(f"--set cannot be used: {exc}") from exc
        finally:
            group.cancel_scope.cancel()


class Emulator:
    """One run; made by ``open_emulator``."""

    def __init__(
        self,
        settings: Settings,
        bus: Bus,
        logs: Logs,
        metrics: Metrics,
        held: AsyncExitStack,
        group: TaskGroup,
    ) -> None:
        self.settings = settings
        self._bus, self._logs, self._metrics = bus, logs, metrics
        self._held, self._group = held, group
        self._clock = SystemClock()
        self._draw = random.Random()
        self._chooser = Chooser(policy_named(settings.runtime))
        self._reporter = Reporter(self._clock)
        require_limits(settings.limits, (Limits, *LIMITS))
        self._limits = limits_of(Limits, settings.limits)
        self._issuer = Issuer(self._clock.wall, settings.data_dir)
        ledger = EventLedger(self._clock.wall)
        self.registry = Registry(
            wall=self._clock.wall,
            new_uid=lambda: str(uuid.uuid4()),
            overrides=settings.overrides,
            external_port=settings.port,
            external_tls_port=settings.tls_port,
            durable=settings.data_dir is not None,
            mutators=(injected,),
            derivations=(
                *views_of_run(LOOPBACK, settings.port, settings.tls_port, self._clock.wall()),
                ledger,
            ),
        )
        recorder = EventRecorder(self.registry, ledger, self._reporter, self._clock)
        held.enter_context(bus.reading(recorder.read, *TOLD))
        held.enter_context(self.registry.listening(recorder.note))
        keeper = self._keep(settings.data_dir) if settings.data_dir else None
        lay_foundation(self.registry)
        self._controller = Controller(self.registry, RECONCILERS, self._clock, bus.publish)
        self._applier = Applier(
            self.registry,
            self._controller.settle,
            self._clock,
            bus.publish,
            applied=keeper.applied if keeper else frozenset(),
            remember=keeper.remember_applied if keeper else None,
        )
        undecided = Undecided()
        held.enter_context(self.registry.listening(undecided.note))
        ready = ReadinessFacts(self._clock.wall, bus.publish, self._reporter.report)
        held.enter_context(self.registry.listening(ready.note))
        self.settling = Settling(undecided, self._clock)
        for part in (self._controller, self._reporter):
            self.settling.ask(part, "changes are being worked on")
        self._log_requests()

    def check(self, project: Project) -> list[Complaint]:
        """Everything that admission refuses; nothing changes."""
        return self._applier.check(project.declared)

    def apply(self, project: Project, *, declares: bool = True) -> bool:
        """Make the run what *project* says, which has been checked; whether anything changed.

        One that *declares* nothing only says where code is: what files of earlier runs have
        declared stays.
        """
        before = self.registry.version
        self._chooser.sources = project.sources
        # What an earlier run has left begins to run now: where its code is has just been said.
        self.registry.announce()
        if declares:
            self._applier.apply(project.declared)
        self.settling.applied()
        return self.registry.version != before

    async def start(self) -> None:
        """Open the ports and start every part. Raises ``KnliteError``."""
        settings, clock, publish = self.settings, self._clock, self._bus.publish
        issuer = self._issuer
        listening = Listening(settings, self._say)
        self._held.callback(listening.close)
        admin_socket = listening.admin()
        gateway_sockets = listening.gateway()
        inner_socket, inner = listening.inner()

        activator = Activator(clock, publish, self._draw)
        opened = await self._held.enter_async_context(
            open_engines(settings, self.registry.view, clock, self._warn)
        )
        records = EventRecords(opened.history)
        self._held.enter_context(self._bus.reading(records.read, *EVENTS))
        brokers = EventIngress(
            clock, publish, opened.engines, after=opened.history.newest, tokens=issuer
        )
        gateway = Gateway(
            activator, brokers, self._draw, self._limits, settings.tls_port, complain=self._warn
        )
        job_sinks = JobSinkIngress(JobSinks(self.registry), clock, publish, issuer)
        gateway.event_hosts.serve(JOB_SINKS, job_sinks.handle)
        sender = EventSender(gateway)
        self._held.push_async_callback(sender.aclose)
        dispatcher = Dispatcher(brokers, sender, clock, publish, tokens=issuer)
        transforming = EventTransforms(sender, clock, publish, issuer, self._draw)
        requests = RequestReplyIngress(brokers, clock, self._draw, publish, issuer)
        gateway.event_hosts.serve_all(TRANSFORM_ENDING, transforming.at)
        gateway.event_hosts.serve(REQUEST_REPLY_HOST, requests.receive, waits=True)
        answerers = EventAnswerers(self.registry, clock, transforming, requests)
        self.settling.ask(answerers, "routes are being made")
        projector = Projector(self.registry, clock)
        projector.report_to(gateway, activator, dispatcher)
        brokers.ask_first(projector.catch_up)
        https = Https(
            gateway.secure.handle, listening.https, projector, clock, publish, self._limits
        )
        projector.certify(https)
        available = await self._held.enter_async_context(
            open_runtimes(
                settings, port=settings.port, inner_port=inner.port, hosts=projector.cluster_hosts
            )
        )
        if available.no_engine and settings.runtime == "auto":
            self._say(f"{available.no_engine}; services run as local processes")
        self._chooser.no_engine = available.no_engine
        choose = self._chooser.choose
        # Root may give a process to any user.
        uid = os.geteuid() or None
        code = Preparation(self.registry, available.runtimes, choose, clock, publish, uid)
        images = Images(self.registry, code, clock)
        scaling = self._scaling(activator, projector, images, code)
        self.settling.ask(projector, "routes are being made")
        self.settling.ask(images, "code is being prepared")

        for runtime in available.runtimes.values():
            for removed in await runtime.sweep():
                self._say(f"removed what a crashed run left behind: {removed}")
        gateway_sockets += listening.towards_containers(available.bridges)
        door = make_app(
            self.registry,
            logs=self._logs,
            health=self.settling,
            metrics=lambda: (self._metrics.exposition(), CONTENT_TYPE),
            wall=clock.wall,
            events=records,
            sending=Resending(records, brokers, sender.post, clock, publish),
            issuer=issuer,
            token=settings.admin_token,
        )
        claims = ClaimKeeper(self.registry, available.runtimes.values())
        for part in (
            images,
            claims,
            *scaling,
            activator,
            https,
            transforming,
            answerers,
            projector,
        ):
            await self._group.start(part.run)
        await self._group.start(opened.run)
        await self._group.start(dispatcher.run)
        for source in self._sources(sender):
            await self._group.start(source.run)
        inside = listening.inside(available.bridges) | {inner}
        await self._group.start(gateway.run, (*gateway_sockets, inner_socket), inside)
        await self._group.start(serve_admin, door, admin_socket)
        await self._group.start(self._controller.run)

    def _sources(self, sender: EventSender) -> tuple[PingAdapter, Sources]:
        """Who sends the events of sources, and who watches objects for them."""
        outbound = Outbound(
            sender, self._clock, self._bus.publish, self._draw.getrandbits, self._issuer
        )
        pings = PingAdapter(outbound, self._clock)
        sources = Sources(self.registry, self._clock, self._bus.publish)
        sources.report_to(pings, outbound)
        self.settling.ask(sources, "sources are being started")
        types = EventTypeRecorder(self.registry, self._reporter)
        self._held.enter_context(self._bus.reading(types.read, EventAccepted))
        self._held.enter_context(self.registry.listening(types.note))
        return pings, sources

    def _scaling(
        self, activator: Activator, projector: Projector, images: Images, code: Preparation
    ) -> tuple[Supervisor, Kubelet, VolumeKeeper, Autoscaler, HorizontalPodAutoscaler]:
        """Who decides how many instances there are, and who keeps them."""
        registry, clock, publish = self.registry, self._clock, self._bus.publish
        service_of = projector.service_of
        pods, capacity = PodWriter(registry, self._reporter, clock.wall), this_capacity()
        kubelet = Kubelet(
            registry=registry,
            preparation=code,
            capacity=capacity,
            pods=pods,
            clock=clock,
            publish=publish,
            issuer=self._issuer,
        )
        supervisor = Supervisor(
            blueprints=make_blueprints(registry, images, capacity, self._issuer),
            service_of=service_of,
            pods=pods,
            clock=clock,
            publish=publish,
            draw=self._draw,
        )
        volumes = VolumeKeeper(registry, supervisor, self._issuer, clock.wall, publish)
        standings = PodAutoscalerWriter(registry, self._reporter, clock)
        targets = ScaleTargets(supervisor, service_of, clock, publish)
        autoscaler = Autoscaler(registry, supervisor, targets, standings, clock)
        hpa = HorizontalPodAutoscaler(registry, supervisor, targets, standings, clock)
        supervisor.report_to(activator, autoscaler, hpa)
        activator.report_to(autoscaler)
        targets.report_to(activator)
        self._metrics.ask(loads=activator.loads, scales=autoscaler.scales)
        return supervisor, kubelet, volumes, autoscaler, hpa

    def _keep(self, folder: Path) -> WriteBehind:
        """Go on with what an earlier run has left in *folder*, and keep what happens now."""
        storage = SqliteStorage(folder)
        self._held.callback(storage.close)
        loop = asyncio.get_running_loop()

        def complain(text: str) -> None:
            notice = Notice(at=self._clock.wall(), level="error", text=text)
            loop.call_soon_threadsafe(self._bus.publish, notice)

        keeper = WriteBehind(self.registry, storage, complain)
        try:
            keeper.restore()
        except ConfigInvalid as exc:
            raise InvalidInput(
                f"what {folder} has kept cannot be used",
                cause=str(exc),
                fix="correct --set, or move the folder away and apply the manifests again",
            ) from exc
        self._held.enter_context(keeper.keeping())
        return keeper

    def _log_requests(self) -> None:
        """Log requests as long as config-observability says so."""
        folder = self.settings.data_dir / "logs" if self.settings.data_dir else None
        log = AccessLog(folder, self._clock, self._bus.publish)
        self._held.callback(log.close)
        self._held.enter_context(self._bus.reading(log.read, RequestDone))

        def configure(_: object = None) -> None:
            log.configure(self.registry.config.observability)

        configure()
        self._held.enter_context(self.registry.listening(configure))

    def _warn(self, text: str) -> None:
        self._bus.publish(Notice(at=self._clock.wall(), level="error", text=text))

    def _say(self, text: str) -> None:
        self._bus.publish(Notice(at=self._clock.wall(), level="info", text=text))
