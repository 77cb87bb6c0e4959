"""The logs of all resources, each opened with the engine that keeps it.

Not here: who may put something into them (``eventingress.py``), who reads (``dispatcher.py``).
"""

from collections.abc import Mapping

from knlite.errors import Unavailable
from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.filters.index import Index
from knlite.eventing.topology import ON_SERVERS, Resource, ResourceKey, Topology
from knlite.eventlog.absent import AbsentLog
from knlite.eventlog.port import Engine, EventLog

STAND_IN = "memory"
"""The engine for resources whose own is not there."""
_SOURCES = frozenset(("KafkaSource", "RabbitmqSource"))


class Inbox:
    """One resource and its log."""

    def __init__(self, resource: Resource, log: EventLog, beside: EventLog | None) -> None:
        self.resource = resource
        self.log = log
        self.beside = beside
        """Of a source, for what is sent again: others write to the log that it reads."""
        self.is_remote = resource.engine in ON_SERVERS
        self._index: Index | None = None

    @property
    def entrance(self) -> EventLog:
        """The log that takes what is given to the resource here."""
        return self.log if self.beside is None else self.beside

    def become(self, resource: Resource) -> None:
        """The resource is like this now."""
        if self.is_remote and _filters(resource) != _filters(self.resource):
            self._index = None
        self.resource = resource

    def wanting(self, event: CloudEvent, only: frozenset[str]) -> tuple[str, ...]:
        """The uids of the egresses that are to get *event*, where an engine cannot say."""
        egresses = self.resource.egresses
        if only:
            return tuple(egress.uid for egress in egresses if egress.uid in only)
        if self._index is None:
            self._index = Index({egress.uid: egress.filter for egress in egresses})
        return self._index.matching(event)

    def readers(self, uids: frozenset[str]) -> frozenset[str]:
        """The egresses *uids* as the engine knows them."""
        if not self.is_remote or self.beside is not None:
            return uids
        return frozenset(each.reader for each in self.resource.egresses if each.uid in uids)

    def uids(self, readers: frozenset[str]) -> frozenset[str]:
        """The egresses that the engine calls *readers*; of an earlier run or of another one."""
        if not self.is_remote:
            return readers
        return frozenset(each.uid for each in self.resource.egresses if each.reader in readers)


class Inboxes:
    """All of a run."""

    def __init__(self, engines: Mapping[str, Engine]) -> None:
        self._engines = engines
        self._open: dict[ResourceKey, Inbox] = {}

    def topology_changed(self, topology: Topology) -> None:
        """These are the resources now; one that was replaced begins with an empty log."""
        for key, known in tuple(self._open.items()):
            wanted = topology.resources.get(key)
            if wanted is None or wanted.uid != known.resource.uid:
                del self._open[key]
                self._engine(known.resource).forget(known.resource.uid)
                if known.beside is not None:
                    self._engines[STAND_IN].forget(known.resource.uid)
        for key, resource in topology.resources.items():
            inbox = self._open.get(key)
            if inbox is None:
                self._open[key] = self._opened(resource)
                continue
            if inbox.resource.backing != resource.backing:
                inbox.log = self._log(resource)
            inbox.become(resource)

    def get(self, key: ResourceKey) -> Inbox | None:
        """The inbox of a resource, if there is one."""
        return self._open.get(key)

    def of(self, key: ResourceKey) -> Inbox:
        """The inbox of a resource that there is."""
        return self._open[key]

    def keys(self) -> tuple[ResourceKey, ...]:
        """All resources."""
        return tuple(self._open)

    def called(self, host: str) -> ResourceKey | None:
        """The resource that has *host* for its own."""
        return next((key for key, it in self._open.items() if host in it.resource.hosts), None)

    def engine_name(self, resource: Resource) -> str:
        """What keeps the events of *resource*."""
        return resource.engine if resource.engine in self._engines else STAND_IN

    def _opened(self, resource: Resource) -> Inbox:
        beside = None
        if resource.kind in _SOURCES:
            beside = self._engines[STAND_IN].log(resource, ())
        return Inbox(resource, self._log(resource), beside)

    def _log(self, resource: Resource) -> EventLog:
        if resource.engine in ON_SERVERS and resource.backing is None:
            who = f"{resource.kind} {resource.namespace}/{resource.name}"
            return AbsentLog(Unavailable(f"{who} cannot keep events", cause=resource.problem))
        readers = [egress.uid for egress in resource.egresses]
        return self._engine(resource).log(resource, readers)

    def _engine(self, resource: Resource) -> Engine:
        return self._engines[self.engine_name(resource)]


def _filters(resource: Resource) -> list[tuple[str, str]]:
    return [(egress.uid, egress.filter_spec) for egress in resource.egresses]
