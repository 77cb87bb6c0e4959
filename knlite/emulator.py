"""Joins the rooms: builds every part of a run, starts them in order, stops them in order.

Wiring only. The one late binding is ``activator.report_to(autoscaler)``, which closes the ring of a
cold start: activator → autoscaler → supervisor → activator.
"""

import asyncio
import math
import os
import random
import socket
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import anyio
from anyio.abc import TaskGroup

from knlite.apiserver.app import make_app
from knlite.apiserver.serving import serve as serve_admin
from knlite.clock import SystemClock
from knlite.controlplane.applier import Applier
from knlite.controlplane.autoscaler import Autoscaler
from knlite.controlplane.blueprints import make_blueprints
from knlite.controlplane.claims import ClaimKeeper
from knlite.controlplane.controller import Controller
from knlite.controlplane.eventledger import EventLedger
from knlite.controlplane.eventrecorder import READ as TOLD
from knlite.controlplane.eventrecorder import EventRecorder
from knlite.controlplane.hpa import HorizontalPodAutoscaler
from knlite.controlplane.images import Images
from knlite.controlplane.podautoscalers import PodAutoscalerWriter
from knlite.controlplane.pods import PodWriter
from knlite.controlplane.projector import Projector
from knlite.controlplane.readiness import Undecided, readiness_facts
from knlite.controlplane.reporting import Reporter
from knlite.controlplane.supervisor import Supervisor
from knlite.controlplane.views import views_of_run
from knlite.controlplane.volumes import VolumeKeeper
from knlite.dataplane.activator import Activator
from knlite.dataplane.broker_ingress import BrokerIngress
from knlite.dataplane.dispatcher import Dispatcher
from knlite.dataplane.gateway import Gateway
from knlite.dataplane.sender import LoopbackSender
from knlite.dataplane.wire.limits import limits
from knlite.errors import Conflict, InvalidInput, Unreachable
from knlite.eventing.binding import injected
from knlite.eventing.reconcilers import broker, sinkbinding, trigger
from knlite.facts import InstanceChanged, LogLine, Notice, RequestDone
from knlite.kinds.config.shipped import shipped
from knlite.kinds.config.values import ConfigInvalid
from knlite.kinds.core.configmap import ConfigMap
from knlite.kinds.core.namespace import Namespace
from knlite.kinds.eventing.broker import Broker
from knlite.kinds.eventing.trigger import Trigger
from knlite.kinds.labels import CONFIGURATION, SERVICE
from knlite.kinds.meta import Object, ObjectMeta
from knlite.kinds.podspec.fields import Container, serving_container
from knlite.kinds.serving.configuration import Configuration
from knlite.kinds.serving.domainmapping import DomainMapping
from knlite.kinds.serving.revision import Revision
from knlite.kinds.serving.route import Route
from knlite.kinds.serving.service import Service
from knlite.kinds.sources.sinkbinding import SinkBinding
from knlite.manifests import Complaint, Project
from knlite.reconcile import Reconciler, key_of
from knlite.registry.configuration import require_known
from knlite.registry.keeping import Keeper
from knlite.registry.registry import CONTROLLER, Registry
from knlite.registry.sqlite import SqliteStorage
from knlite.runtime.port import Runtime
from knlite.serving.instance import Address
from knlite.serving.reconcilers import (
    configmap,
    configuration,
    domainmapping,
    namespace,
    revision,
    route,
    service,
)
from knlite.serving.scheduling import Node
from knlite.serving.workload import Choice, RuntimeName, Sources, Unrunnable, choose, policy_named
from knlite.settings import Settings, is_loopback
from knlite.telemetry.accesslog import AccessLog
from knlite.telemetry.bus import Bus, Reader
from knlite.telemetry.logs import Logs
from knlite.telemetry.metrics import CONTENT_TYPE, READ, Metrics

RECONCILERS: tuple[tuple[type[Object], Reconciler], ...] = (
    (Service, service.reconcile),
    (Configuration, configuration.reconcile),
    (Revision, revision.reconcile),
    (Route, route.reconcile),
    (ConfigMap, configmap.reconcile),
    (DomainMapping, domainmapping.reconcile),
    (Broker, broker.reconcile),
    (Trigger, trigger.reconcile),
    (SinkBinding, sinkbinding.reconcile),
    (Namespace, namespace.reconcile),
)
LOOPBACK = "127.0.0.1"
HTTP_PORT = 80
EVERYWHERE = frozenset(("0.0.0.0", "::"))
SETTLING = 0.02
"""Seconds between two looks at whether a run that starts has settled."""
NAMESPACES = ("default", "knative-serving", "knative-eventing")


@asynccontextmanager
async def open_emulator(settings: Settings, readers: Sequence[Reader]) -> AsyncIterator["Emulator"]:
    """A run that can check manifests; ``start`` makes it serve. Everything ends with the context.

    *readers* get every fact. Raises ``InvalidInput`` for overrides that set nothing.
    """
    require_known(settings.overrides)
    async with AsyncExitStack() as stack:
        bus = Bus()
        logs = Logs(settings.data_dir / "logs" if settings.data_dir else None)
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
        self._sources = Sources()
        self._images: Images | None = None
        self._projector: Projector | None = None
        self._reporter = Reporter(self._clock)
        self._limits = limits(settings.limits)
        self._no_engine = ""
        self._applied = False
        ledger = EventLedger(self._clock.wall)
        self.registry = Registry(
            wall=self._clock.wall,
            new_uid=lambda: str(uuid.uuid4()),
            overrides=settings.overrides,
            external_port=settings.port,
            external_tls_port=settings.tls_port,
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
        for name in NAMESPACES:
            self._have(Namespace(metadata=ObjectMeta(name=name)))
        for config_map in shipped().values():
            self._have(config_map)
        self._controller = Controller(self.registry, RECONCILERS, self._clock, bus.publish)
        self._applier = Applier(
            self.registry,
            self._controller.settle,
            self._clock,
            bus.publish,
            applied=keeper.applied if keeper else frozenset(),
            remember=keeper.remember_applied if keeper else None,
        )
        self._undecided = Undecided()
        held.enter_context(self.registry.listening(self._undecided.note))
        held.enter_context(self.registry.listening(readiness_facts(self._clock.wall, bus.publish)))
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
        self._sources = project.sources
        # What an earlier run has left begins to run now: where its code is has just been said.
        self.registry.announce()
        if declares:
            self._applier.apply(project.declared)
        self._applied = True
        return self.registry.version != before

    @property
    def port(self) -> int:
        """Where the gateway listens."""
        return self.settings.port

    async def start(self) -> None:
        """Open the ports and start every part. Raises ``KnliteError``."""
        settings, group, publish = self.settings, self._group, self._bus.publish
        port = settings.port
        if not (settings.admin_token or is_loopback(settings.admin_address)):
            raise InvalidInput(
                f"the admin port must not be open to others at {settings.admin_address}",
                cause="whoever reaches it may do everything, and no token is set",
                fix="set Settings.admin_token, or leave the admin port on loopback",
            )
        admin_socket = self._listen(settings.admin_address, settings.admin_port, "--admin-port")
        gateway_sockets = [self._listen(settings.address, port, "--port")]
        if settings.address == LOOPBACK:
            # Some clients try only the first address that *.localhost resolves to; where there is
            # no such address, or somebody has it, they try the other one.
            with suppress(Conflict):
                gateway_sockets.append(self._listen("::1", port, "--port"))
        inner_socket = self._listen(LOOPBACK, 0, "--port")
        inner = Address(LOOPBACK, inner_socket.getsockname()[1])

        activator = Activator(self._clock, publish, self._draw)
        brokers = BrokerIngress(self._clock, publish)
        gateway = Gateway(activator, brokers, self._draw, self._limits)
        sender = LoopbackSender(inner, gateway.serves)
        self._held.push_async_callback(sender.aclose)
        dispatcher = Dispatcher(brokers, sender, self._clock, publish)
        projector = self._projector = Projector(self.registry, self._clock)
        projector.report_to(gateway, activator, dispatcher)
        projector.certify(gateway)
        runtimes, bridges = await self._open_runtimes(port, inner.port, projector)
        self._images = images = Images(
            self.registry,
            runtimes,
            self._choose,
            self._clock,
            publish,
            # Root may give a process to any user.
            uid=os.geteuid() or None,
        )
        supervisor = Supervisor(
            blueprints=make_blueprints(self.registry, images, _machine(), self._clock.wall),
            service_of=projector.service_of,
            pods=PodWriter(self.registry, self._reporter, self._clock.wall),
            clock=self._clock,
            publish=publish,
            draw=self._draw,
        )
        standings = PodAutoscalerWriter(self.registry, self._reporter, self._clock)
        autoscaler = Autoscaler(
            self.registry, supervisor, standings, self._clock, publish, projector.service_of
        )
        hpa = HorizontalPodAutoscaler(
            self.registry, supervisor, standings, self._clock, publish, projector.service_of
        )
        volumes = VolumeKeeper(self.registry, images, supervisor.hurry, self._clock.wall, publish)
        claims = ClaimKeeper(self.registry, runtimes.values())
        supervisor.report_to(activator, autoscaler)
        supervisor.tell(hpa)
        activator.report_to(autoscaler)
        autoscaler.report_to(activator)
        hpa.report_to(activator)
        self._metrics.ask(loads=activator.loads, scales=autoscaler.scales)

        for runtime in runtimes.values():
            for removed in await runtime.sweep():
                self._say(f"removed what a crashed run left behind: {removed}")
        if settings.address not in EVERYWHERE:
            there = (host for host in bridges if host != LOOPBACK)
            gateway_sockets.extend(self._listen(host, port, "--port") for host in there)
        gateway_sockets.extend(self._listen_without_port(bridges))
        inside = frozenset(
            (inner, *(Address(host, each) for host in bridges for each in (port, HTTP_PORT)))
        )
        door = make_app(
            self.registry,
            logs=self._logs,
            health=self,
            metrics=lambda: (self._metrics.exposition(), CONTENT_TYPE),
            wall=self._clock.wall,
            token=settings.admin_token,
        )
        parts = (
            supervisor,
            images,
            volumes,
            claims,
            autoscaler,
            hpa,
            activator,
            projector,
            dispatcher,
        )
        for part in parts:
            await group.start(part.run)
        await group.start(
            gateway.run, (*gateway_sockets, inner_socket), inside, self._listen_for_https
        )
        await group.start(serve_admin, door, admin_socket)
        await group.start(self._controller.run)

    def unsettled(self) -> list[str]:
        """What is not settled yet, in words; empty when everything applied has settled."""
        waiting = self._undecided.words()
        if not self._applied:
            waiting.append("nothing has been applied yet")
        if not (self._controller.settled and self._reporter.settled):
            waiting.append("changes are being worked on")
        if self._projector is not None and not self._projector.settled:
            waiting.append("routes are being made")
        if self._images is not None and not self._images.settled:
            waiting.append("code is being prepared")
        return waiting

    async def wait_until_settled(self, patience: float) -> None:
        """Return once nothing is unsettled, or *patience* seconds after the last step towards it.

        A step is one more object that is decided; thousands of them take their time.
        """
        least, since = math.inf, self._clock.now()
        while (left := len(self._undecided)) or self.unsettled():
            now = self._clock.now()
            if left < least:
                least, since = left, now
            elif now - since >= patience:
                return
            # Not every cause of waiting shows as a change of an object.
            await self._clock.sleep_until(now + SETTLING)

    def url_of(self, obj: Object) -> str:
        """Where a person reaches *obj* from this machine; empty for what has no address."""
        base = f"http://localhost:{self.settings.port}"
        match obj:
            case Service() | DomainMapping():
                return obj.status.url
            case Broker():
                return f"{base}/ns/{obj.metadata.namespace}/brokers/{obj.metadata.name}"
            case Trigger():
                return f"→ {obj.status.subscriber_uri}" if obj.status.subscriber_uri else ""
            case SinkBinding():
                return f"→ {obj.status.sink_uri}" if obj.status.sink_uri else ""
            case _:
                return ""

    def _keep(self, folder: Path) -> Keeper:
        """Go on with what an earlier run has left in *folder*, and keep what happens now."""
        storage = SqliteStorage(folder)
        self._held.callback(storage.close)
        loop = asyncio.get_running_loop()

        def complain(text: str) -> None:
            notice = Notice(at=self._clock.wall(), level="error", text=text)
            loop.call_soon_threadsafe(self._bus.publish, notice)

        keeper = Keeper(self.registry, storage, complain)
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

    def _have(self, obj: Object) -> None:
        """See to it that *obj* is there; in a later run it may be, and may have been changed."""
        if self.registry.at(key_of(obj)) is None:
            self.registry.create(obj, user=CONTROLLER)

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

    def _choose(self, revision: Revision, container: Container) -> Choice | Unrunnable:
        meta = revision.metadata
        serves = container is serving_container(revision.spec)
        return choose(
            image=container.image,
            pull_policy=container.image_pull_policy,
            # A command, or the Dockerfile beside the manifest, is of what serves.
            annotations=meta.annotations if serves else {},
            namespace=meta.namespace,
            service=(meta.labels.get(SERVICE) or meta.labels.get(CONFIGURATION, ""))
            if serves
            else "",
            sources=self._sources,
            policy=policy_named(self.settings.runtime),
            no_engine=self._no_engine,
        )

    async def _open_runtimes(
        self, port: int, inner_port: int, projector: Projector
    ) -> tuple[dict[RuntimeName, Runtime], Sequence[str]]:
        """The runtimes that this run may use, and the hosts by which containers reach *port*.

        Local processes reach *inner_port* on loopback.
        """
        settings = self.settings
        runtimes: dict[RuntimeName, Runtime] = {}
        bridges: Sequence[str] = ()
        if settings.runtime != "docker":
            from knlite.runtime.process.runtime import ProcessRuntime

            runtimes["process"] = ProcessRuntime(
                gateway_port=inner_port,
                cache_dir=settings.cache_dir,
                owner=uuid.uuid4().hex,
                environ=settings.environ,
            )
        if settings.runtime != "process":
            from knlite.runtime.docker.engine import Engine, find_engine
            from knlite.runtime.docker.function_code import code_in
            from knlite.runtime.docker.runtime import open_runtime

            engine = await find_engine(settings.environ)
            if isinstance(engine, Engine):
                docker = await open_runtime(
                    engine,
                    gateway_port=port,
                    hosts=projector.cluster_hosts,
                    function_code=code_in(settings.cache_dir, settings.environ),
                )
                runtimes["docker"] = docker
                # An engine in a virtual machine leads to this one's loopback, where nothing tells
                # its containers from a person (docs/adr/0015).
                bridges = docker.bind_addresses() or (LOOPBACK,)
            elif settings.runtime == "docker":
                raise Unreachable("no container engine answers", cause=engine.why, fix=engine.fix)
            else:
                self._no_engine = engine.why
                self._say(f"{engine.why}; services run as local processes")
        else:
            self._no_engine = "knlite was told to use local processes only (--runtime process)"
        for runtime in runtimes.values():
            self._held.push_async_callback(runtime.aclose)
        return runtimes, bridges

    def _listen(self, host: str, port: int, option: str) -> socket.socket:
        """A listening socket that is closed with the run. Raises ``Conflict``."""
        listening = _listening(host, port, option)
        self._held.callback(listening.close)
        return listening

    def _listen_without_port(self, bridges: Sequence[str]) -> Iterator[socket.socket]:
        """Port 80 towards containers, of URLs as programs write them that know a cluster's names.

        Whoever may not have it does without.
        """
        port = self.settings.port
        for host in bridges:
            if host == LOOPBACK or port == HTTP_PORT:
                continue
            try:
                yield self._listen(host, HTTP_PORT, "--port")
            except Conflict as exc:
                self._say(
                    f"{exc.what} ({exc.cause}); containers reach services only with the port, as "
                    f"http://NAME.NAMESPACE.svc.cluster.local:{port}"
                )

    def _listen_for_https(self) -> list[socket.socket]:
        """Where clients come with HTTPS; nowhere if somebody else listens there."""
        settings = self.settings
        try:
            sockets = [self._listen(settings.address, settings.tls_port, "--tls-port")]
        except Conflict as exc:
            text = f"no domain is served by HTTPS: {exc}"
            self._bus.publish(Notice(at=self._clock.wall(), level="error", text=text))
            return []
        if settings.address == LOOPBACK:
            with suppress(Conflict):
                sockets.append(self._listen("::1", settings.tls_port, "--tls-port"))
        return sockets

    def _say(self, text: str) -> None:
        self._bus.publish(Notice(at=self._clock.wall(), level="info", text=text))


def _machine() -> Node:
    """What this machine has for instances."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Node(cpus=float(os.cpu_count() or 1), memory=memory)


def _listening(host: str, port: int, option: str) -> socket.socket:
    """A listening socket. Raises ``Conflict`` with the reason."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(1024)
        listening.setblocking(False)
    except OSError as exc:
        listening.close()
        raise Conflict(
            f"cannot listen on {host}:{port}",
            cause=os.strerror(exc.errno) if exc.errno else str(exc),
            fix=f"end the program that does, or choose another port with {option}",
        ) from exc
    return listening
