"""From objects to the tables that the data plane works with, pushed whenever they change.

Tables are made once for a batch of changes. After they have been pushed, the Ingresses are told so.

Not here: what is in a table (``serving/routing.py``, ``eventing/topology.py``).
"""

from collections.abc import Mapping
from typing import Protocol

import anyio
import msgspec
from anyio.abc import TaskStatus

from knlite.clock import Clock
from knlite.controlplane.addresses import address_of
from knlite.controlplane.certificates import Certificates, CertificatesListener
from knlite.controlplane.clusterhosts import cluster_hosts
from knlite.controlplane.routes import Routes
from knlite.eventing.authorization import decides_about_senders
from knlite.eventing.credentials import credited
from knlite.eventing.resources import topology
from knlite.eventing.topology import ON_SERVERS, Topology
from knlite.kinds.conditions import is_true
from knlite.kinds.core.configmap import ConfigMap
from knlite.kinds.core.secret import Secret
from knlite.kinds.eventing.broker import Broker
from knlite.kinds.eventing.eventtransform import EventTransform
from knlite.kinds.eventing.kafkasink import KafkaSink
from knlite.kinds.eventing.rabbitmqbrokerconfig import RabbitmqBrokerConfig
from knlite.kinds.eventing.requestreply import RequestReply
from knlite.kinds.eventing.trigger import Trigger
from knlite.kinds.flows.parallel import Parallel
from knlite.kinds.flows.sequence import Sequence
from knlite.kinds.labels import CONFIGURATION, SERVICE
from knlite.kinds.messaging.channel import Channel
from knlite.kinds.messaging.inmemorychannel import InMemoryChannel
from knlite.kinds.messaging.kafkachannel import KafkaChannel
from knlite.kinds.messaging.subscription import Subscription
from knlite.kinds.meta import Object, controller_of
from knlite.kinds.podspec.fields import protocol_of, serving_container
from knlite.kinds.serving.domainmapping import DomainMapping
from knlite.kinds.serving.ingress import CONDITIONS, IngressStatus
from knlite.kinds.serving.revision import Revision
from knlite.kinds.serving.service import Service
from knlite.kinds.sources.kafkasource import KafkaSource
from knlite.kinds.sources.rabbitmqsource import RabbitmqSource
from knlite.registry.registry import Notification, Registry
from knlite.serving.certificates import Certificate, Unusable
from knlite.serving.instance import RevisionName, RevisionSettings
from knlite.serving.routing import RoutingTable

_EVENTING = (
    Broker,
    Trigger,
    InMemoryChannel,
    Subscription,
    KafkaChannel,
    KafkaSink,
    KafkaSource,
    RabbitmqBrokerConfig,
    RabbitmqSource,
)
_OF_SERVERS = (ConfigMap, Secret)
"""They say where servers are, and how to log in there."""
_SHOWN = (
    Service,
    DomainMapping,
    Broker,
    Sequence,
    Parallel,
    Channel,
    InMemoryChannel,
    KafkaChannel,
    KafkaSink,
    EventTransform,
    RequestReply,
)
"""What people are shown, in this order."""
REST = 4.0
"""Times as long as a push took, before the next: many objects that change one after another would
otherwise keep the projector busy with tables that nobody needs."""


class RoutesListener(Protocol):
    """Who sends requests on their way."""

    def routes_changed(self, table: RoutingTable, listing: tuple[tuple[str, str], ...]) -> None:
        """This is the table now, seen from outside; *listing* is (what, URL) of what people use."""
        ...


class SettingsListener(Protocol):
    """Who holds requests to revisions."""

    def settings_changed(self, revision: RevisionName, settings: RevisionSettings | None) -> None:
        """These are the settings of *revision*; None when it is gone."""
        ...


class TopologyListener(Protocol):
    """Who delivers events."""

    def topology_changed(self, topology: Topology) -> None:
        """These are the brokers and triggers now."""
        ...


class Projector:
    """Watches the registry on behalf of the data plane."""

    def __init__(self, registry: Registry, clock: Clock) -> None:
        self._registry = registry
        self._clock = clock
        self._routes: RoutesListener | None = None
        self._settings: SettingsListener | None = None
        self._topology: TopologyListener | None = None
        self._certificates = Certificates()
        self._sources = Routes(registry)
        self._table = RoutingTable()
        self._urls: dict[tuple[int, str, str], str] = {}
        """What people are shown, by place in ``_SHOWN``, namespace and name."""
        self._listing: tuple[tuple[str, str], ...] = ()
        self._stale: set[str] = {"routes", "listing", "topology"}
        self._on_servers = False
        """Whether anything of the topology is kept on a server."""
        self._work = anyio.Event()

    @property
    def settled(self) -> bool:
        """Whether the data plane knows all that there is to know."""
        return not self._stale

    def report_to(
        self, routes: RoutesListener, settings: SettingsListener, topology: TopologyListener
    ) -> None:
        """Push tables to these; to be called before ``run``."""
        self._routes, self._settings, self._topology = routes, settings, topology

    def certify(self, certificates: CertificatesListener) -> None:
        """Push certificates to this one; to be called before ``run``."""
        self._certificates.report_to(certificates)

    def certificates_judged(self, judged: Mapping[Certificate, Unusable | None]) -> None:
        """These certificates are presented to clients (None), or why they are not."""
        self._certificates.judged(judged)
        # In its turn: an Ingress must not hear that it is served before its table has been pushed.
        self._stale.add("certificates")
        self._work.set()

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Push tables until cancelled."""
        with self._registry.listening(self._note):
            self._sources.begin()
            for kind in _SHOWN:
                for obj in self._registry.view.listed(kind, ""):
                    self._list(Notification("added", obj, None))
            task_status.started()
            while True:
                self._work = anyio.Event()
                if not self._stale:
                    await self._work.wait()
                # One turn, so that a batch of changes makes one table.
                await self._clock.sleep_until(self._clock.now())
                began = self._clock.now()
                self._push()
                now = self._clock.now()
                await self._clock.sleep_until(now + REST * (now - began))

    def catch_up(self) -> None:
        """Push the topology at once if it is not what objects say, for who cannot wait a moment."""
        if "topology" in self._stale:
            self._stale.discard("topology")
            self._push_topology()

    def service_of(self, revision: RevisionName) -> str:
        """The name under which people know *revision*: its service's, else its configuration's."""
        found = self._registry.view.get(Revision, *revision)
        return _service(found) if found is not None else revision.name

    def cluster_hosts(self) -> tuple[str, ...]:
        """The cluster's host names of everything that can be addressed."""
        return cluster_hosts(self._registry.view)

    def _note(self, notification: Notification) -> None:
        obj = notification.obj
        if isinstance(obj, Revision):
            self._note_revision(notification, obj)
        if self._sources.note(notification):
            self._stale.add("routes")
        if self._list(notification):
            self._stale.add("listing")
        about_servers = self._on_servers and isinstance(obj, _OF_SERVERS)
        if isinstance(obj, _EVENTING) or about_servers or decides_about_senders(obj):
            self._stale.add("topology")
        if self._stale:
            self._work.set()

    def _note_revision(self, notification: Notification, revision: Revision) -> None:
        if self._settings is None:
            return
        name = RevisionName(revision.metadata.namespace, revision.metadata.name)
        match notification.change:
            case "deleted":
                self._settings.settings_changed(name, None)
            case "added":
                self._settings.settings_changed(name, _settings(revision))
            case _:
                pass

    def _push(self) -> None:
        stale, self._stale = self._stale, set()
        if "listing" in stale:
            self._listing = self._listing_now()
        if "routes" in stale:
            self._certificates.push(self._sources.secured(), self._registry.view)
            self._table = self._sources.table()
        if stale & {"routes", "listing"} and self._routes is not None:
            self._routes.routes_changed(self._table, self._listing)
        if stale & {"routes", "certificates"}:
            self._tell_ingresses()
        if "topology" in stale:
            self._push_topology()

    def _push_topology(self) -> None:
        if self._topology is not None:
            view = self._registry.view
            found = topology(view)
            self._on_servers = any(each.engine in ON_SERVERS for each in found.resources.values())
            self._topology.topology_changed(credited(found, view))

    def _list(self, notification: Notification) -> bool:
        """Whether the change changes what people are shown, which it then has done."""
        obj = notification.obj
        if not isinstance(obj, _SHOWN):
            return False
        place = (_SHOWN.index(type(obj)), obj.metadata.namespace, obj.metadata.name)
        url = "" if notification.change == "deleted" else self._url_of(obj)
        if url == self._urls.get(place, ""):
            return False
        if url:
            self._urls[place] = url
        else:
            del self._urls[place]
        return True

    def _url_of(self, obj: Object) -> str:
        """Where people reach *obj*; empty if they cannot, or if they know it by what owns it."""
        if (
            isinstance(obj, Channel | InMemoryChannel | KafkaChannel)
            and controller_of(obj) is not None
        ):
            return ""
        if isinstance(obj, DomainMapping) and not is_true(obj.status.conditions):
            return ""
        return address_of(obj, self._registry.config.external_port)

    def _listing_now(self) -> tuple[tuple[str, str], ...]:
        return tuple(
            (f"{_SHOWN[place[0]].__name__} {place[1]}/{place[2]}", self._urls[place])
            for place in sorted(self._urls)
        )

    def _tell_ingresses(self) -> None:
        for ingress in self._sources.told():
            current = ingress.status.observed_generation == ingress.metadata.generation
            if current and not ingress.spec.tls:
                # Nobody else writes this status, so it says all of what follows already.
                continue
            editor = CONDITIONS.edit(ingress.status.conditions, self._clock.wall())
            if not self._certificates.configured(ingress, editor):
                # Those that have certificates are told again when these have been looked at.
                continue
            status = IngressStatus(
                observed_generation=ingress.metadata.generation, conditions=editor.result()
            )
            if status != ingress.status:
                self._registry.update_status(msgspec.structs.replace(ingress, status=status))


def _settings(revision: Revision) -> RevisionSettings:
    spec = revision.spec
    container = serving_container(spec)
    return RevisionSettings(
        service=_service(revision),
        configuration=revision.metadata.labels.get(CONFIGURATION, ""),
        protocol=protocol_of(container) if container is not None else "http1",
        container_concurrency=spec.container_concurrency or 0,
        timeout=float(spec.timeout_seconds or 0),
        response_start_timeout=float(spec.response_start_timeout_seconds or 0),
        idle_timeout=float(spec.idle_timeout_seconds or 0),
    )


def _service(revision: Object) -> str:
    labels = revision.metadata.labels
    return labels.get(SERVICE) or labels.get(CONFIGURATION, "")
