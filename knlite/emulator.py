"""Joins the rooms: builds every part of a run, starts them in order, stops them in order.

Wiring only; groups of parts that belong together are joined in ``wiring``.
"""

import os
import random
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import anyio
from anyio.abc import TaskGroup

from knlite.apiserver.app import make_app
from knlite.apiserver.serving import serve as serve_admin
from knlite.clock import SystemClock
from knlite.controlplane.applier import Applier
from knlite.controlplane.chooser import Chooser
from knlite.controlplane.claims import ClaimKeeper
from knlite.controlplane.controller import Controller
from knlite.controlplane.eventledger import EventLedger
from knlite.controlplane.eventrecorder import READ as TOLD
from knlite.controlplane.eventrecorder import EventRecorder
from knlite.controlplane.foundation import lay_foundation
from knlite.controlplane.images import Images
from knlite.controlplane.localcode import LocalCode
from knlite.controlplane.preparation import Preparation
from knlite.controlplane.readiness import ReadinessFacts, Undecided
from knlite.controlplane.reconcilers import RECONCILERS
from knlite.controlplane.reloader import Reloader
from knlite.controlplane.reporting import Reporter
from knlite.controlplane.settling import Settling
from knlite.controlplane.views import views_of_run
from knlite.dataplane.tracing import Tracing
from knlite.dataplane.wire.limits import Limits
from knlite.errors import InvalidInput
from knlite.eventing.binding import injected
from knlite.eventing.triggers.immutable import filter_kept
from knlite.eventlog.engines import LIMITS
from knlite.facts import EventAccepted, InstanceChanged, LogLine, Notice
from knlite.issuer import Issuer
from knlite.kinds.config.values import ConfigInvalid
from knlite.limits import limits_of
from knlite.limits import require_known as require_limits
from knlite.listening import LOOPBACK, Listening
from knlite.manifests.documents import Complaint
from knlite.manifests.project import Project
from knlite.registry.configmaps import require_known
from knlite.registry.registry import Registry
from knlite.runtime.available import open_runtimes
from knlite.serving.workload import policy_named
from knlite.settings import Settings
from knlite.telemetry.bus import Bus, Reader
from knlite.telemetry.logs import Logs
from knlite.telemetry.metrics import CONTENT_TYPE, READ, Metrics
from knlite.telemetry.resending import Resending
from knlite.wiring.basics import Basics
from knlite.wiring.console import Shown, open_console
from knlite.wiring.dataplane import open_dataplane
from knlite.wiring.eventing import make_sources, serve_answerers
from knlite.wiring.keeping import keeping
from knlite.wiring.reloading import change_in_place
from knlite.wiring.requestlog import log_requests
from knlite.wiring.runtimes import take_over
from knlite.wiring.scaling import make_scaling
from knlite.wiring.standings import keep_standings
from knlite.wiring.telemetry import send_telemetry


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
        self._chooser = Chooser(policy_named(settings.runtime), settings.environ)
        code = LocalCode(self._chooser, settings.cache_dir, settings.data_dir)
        self._reporter = Reporter(self._clock)
        require_limits(settings.limits, (Limits, *LIMITS))
        self._limits = limits_of(Limits, settings.limits)
        self._issuer = Issuer(self._clock.wall, settings.data_dir, self._warn)
        ledger = EventLedger(self._clock.wall)
        self.registry = Registry(
            wall=self._clock.wall,
            new_uid=lambda: str(uuid.uuid4()),
            overrides=settings.overrides,
            external_port=settings.port,
            external_tls_port=settings.tls_port,
            durable=settings.data_dir is not None,
            mutators=(injected, code.stamped),
            validators=(filter_kept,),
            derivations=(
                *views_of_run(LOOPBACK, settings.port, settings.tls_port, self._clock.wall()),
                ledger,
            ),
        )
        recorder = EventRecorder(self.registry, ledger, self._reporter, self._clock)
        self._basics = Basics(
            registry=self.registry,
            clock=self._clock,
            publish=bus.publish,
            draw=self._draw,
            reporter=self._reporter,
            issuer=self._issuer,
            tracing=Tracing(self._draw.getrandbits),
        )
        keep_standings(self._basics, bus, held)
        held.enter_context(bus.reading(recorder.read, *TOLD))
        held.enter_context(self.registry.listening(recorder.note))
        folder = settings.data_dir
        keeper = held.enter_context(keeping(self.registry, folder, self._warn)) if folder else None
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
        self.reloader = Reloader(
            self.registry,
            code,
            self._clock,
            bus.publish,
            in_place=settings.reload == "in-place",
        )
        self.settling = Settling(undecided, self._clock)
        for part in (self._controller, self._reporter):
            self.settling.ask(part, "changes are being worked on")
        log_requests(self._basics, bus, settings.data_dir, held)
        send_telemetry(self._basics, bus, metrics, settings, held)

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
        self.reloader.sources_changed()
        self.settling.applied()
        return self.registry.version != before

    async def start(self) -> None:
        """Open the ports and start every part. Raises ``KnliteError``."""
        settings, clock, publish = self.settings, self._clock, self._bus.publish
        issuer, basics = self._issuer, self._basics
        await anyio.to_thread.run_sync(issuer.require_usable)
        listening = Listening(settings, self._say)
        self._held.callback(listening.close)
        admin_socket = listening.admin()
        gateway_sockets = listening.gateway()
        inner_socket, inner = listening.inner()

        plane = await open_dataplane(
            basics, settings, self._limits, listening.https, self._bus, self._held, self._warn
        )
        activator, projector, gateway = plane.activator, plane.projector, plane.gateway
        brokers, sender = plane.brokers, plane.sender
        answerers = serve_answerers(basics, gateway, brokers, sender)
        self.settling.ask(answerers.tables, "routes are being made")
        self.settling.ask(answerers.secrets, "tokens are being made")
        available = await self._held.enter_async_context(
            open_runtimes(
                settings, port=settings.port, inner_port=inner.port, hosts=projector.cluster_hosts
            )
        )
        await take_over(available, settings, self._say, self._warn)
        self._chooser.no_engine = available.no_engine
        choose = self._chooser.choose
        # Root may give a process to any user.
        uid = os.geteuid() or None
        code = Preparation(self.registry, available.runtimes, choose, clock, publish, uid)
        images = Images(self.registry, code, clock)
        scaling, resting = make_scaling(
            basics, activator, projector, images, code, self._metrics, settings
        )
        self._held.enter_context(self._bus.reading(resting.read, InstanceChanged))
        change_in_place(self.reloader, basics, images, scaling.supervisor, resting, self._held)
        self.settling.ask(projector, "routes are being made")
        self.settling.ask(images, "code is being prepared")
        gateway_sockets += listening.towards_containers(available.bridges)
        shown = Shown(
            settings=settings,
            logs=self._logs,
            metrics=self._metrics,
            applier=self._applier,
            chooser=self._chooser,
            plane=plane,
            scaling=scaling,
            resting=resting,
        )
        door = make_app(
            self.registry,
            logs=self._logs,
            health=self.settling,
            metrics=lambda: (self._metrics.exposition(), CONTENT_TYPE),
            wall=clock.wall,
            events=plane.records,
            sending=Resending(plane.records, brokers, sender.post, clock, publish),
            rest=resting.rest,
            issuer=issuer,
            token=settings.admin_token,
            gateway=settings.gateway,
            runtime="docker" if "docker" in available.runtimes else "process",
            beside=open_console(basics, self._bus, self._held, shown),
        )
        claims = ClaimKeeper(self.registry, available.runtimes.values())
        for part in (
            images,
            claims,
            *scaling,
            activator,
            plane.https,
            answerers.transforms,
            answerers.tables,
            answerers.secrets,
            projector,
        ):
            await self._group.start(part.run)
        await self._group.start(plane.engines.run)
        await self._group.start(plane.dispatcher.run)
        sources = make_sources(basics, sender)
        self.settling.ask(sources.watching, "sources are being started")
        self._held.enter_context(self._bus.reading(sources.types.read, EventAccepted))
        self._held.enter_context(self.registry.listening(sources.types.note))
        await self._group.start(sources.pings.run)
        await self._group.start(sources.watching.run)
        inside = listening.inside(available.bridges) | {inner}
        await self._group.start(gateway.run, (*gateway_sockets, inner_socket), inside)
        await self._group.start(serve_admin, door, admin_socket)
        await self._group.start(self._controller.run)
        await self._group.start(self.reloader.run)

    def _warn(self, text: str) -> None:
        self._bus.publish(Notice(at=self._clock.wall(), level="error", text=text))

    def _say(self, text: str) -> None:
        self._bus.publish(Notice(at=self._clock.wall(), level="info", text=text))
