"""Which revision a request goes to, by its host and path: one table for the data plane.

Source: Knative reference §5.1 to §5.3 (hosts, visibility, shares); knlite's path addresses, README
"Addresses".
Differs: a host whose route has no ready revision leads to its newest one, so that the request is
held and its answer says what is wrong; upstream answers 404.
Not here: who builds the table (``controlplane/projector.py``), who asks it (``dataplane``).
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate

from knlite.kinds.serving.ingress import Ingress, Split
from knlite.serving.instance import RevisionName
from knlite.serving.vantage import BROKER_INGRESS, CLUSTER_DOMAIN

_LOOPBACK = frozenset(("localhost", "127.0.0.1", "[::1]", "::1"))


@dataclass(frozen=True, slots=True)
class ToRevision:
    """The request goes to *revision*, with *path* and, if it is not empty, *host* as its Host."""

    revision: RevisionName
    path: str
    host: str = ""


@dataclass(frozen=True, slots=True)
class ToBroker:
    """The request carries events for a broker."""

    namespace: str
    broker: str


@dataclass(frozen=True, slots=True)
class ToIndex:
    """The request asks what there is."""


@dataclass(frozen=True, slots=True)
class Nowhere:
    """Nothing is served there."""


Match = ToRevision | ToBroker | ToIndex | Nowhere


@dataclass(frozen=True, slots=True)
class Backends:
    """The revisions behind a host: *bounds* are their cumulated shares, in percent."""

    revisions: tuple[RevisionName, ...]
    bounds: tuple[int, ...]

    def pick(self, draw: float) -> RevisionName:
        """The revision for *draw*, which is evenly spread over 0 to 1."""
        if len(self.revisions) == 1:
            return self.revisions[0]
        return self.revisions[bisect_right(self.bounds, draw * self.bounds[-1])]


@dataclass(frozen=True, slots=True)
class RoutingTable:
    """All hosts. Hosts are in lower case and have no port."""

    hosts: Mapping[str, Backends] = field(default_factory=dict)
    brokers: frozenset[tuple[str, str]] = frozenset()

    def match(self, authority: str, path: str, draw: float) -> Match:
        """Where a request with the Host *authority* for *path* goes."""
        host = _host(authority)
        backends = self.hosts.get(host)
        if backends is not None:
            return ToRevision(backends.pick(draw), path)
        if host in _LOOPBACK or not host:
            return self._by_path(path, draw)
        if host in _BROKER_HOSTS:
            namespace, _, broker = path.strip("/").partition("/")
            return ToBroker(namespace, broker)
        return Nowhere()

    def _by_path(self, path: str, draw: float) -> Match:
        if path == "/":
            return ToIndex()
        parts = path.split("/", 5)
        if len(parts) < 5 or parts[1] != "ns":
            return Nowhere()
        namespace, collection, name = parts[2], parts[3], parts[4]
        if collection == "brokers":
            rest = parts[5] if len(parts) > 5 else ""
            return ToBroker(namespace, f"{name}/{rest}" if rest else name)
        if collection != "services":
            return Nowhere()
        host = f"{name}.{namespace}.{CLUSTER_DOMAIN}"
        backends = self.hosts.get(host)
        if backends is None:
            return Nowhere()
        rest = "/" + parts[5] if len(parts) > 5 else "/"
        return ToRevision(backends.pick(draw), rest, host)


def routing_table(
    ingresses: Iterable[Ingress],
    newest: Mapping[tuple[str, str], RevisionName],
    hosts: Mapping[tuple[str, str], Iterable[str]],
    brokers: Iterable[tuple[str, str]],
) -> RoutingTable:
    """The table for *ingresses*; routes (namespace, name) without one lead to their *newest*.

    *hosts* are those of such routes.
    """
    found: dict[str, Backends] = {}
    for route, revision in newest.items():
        for host in hosts.get(route, ()):
            found[host] = Backends((revision,), (100,))
    for ingress in ingresses:
        for rule in ingress.spec.rules:
            backends = _backends(rule.splits)
            if backends is None:
                continue
            for host in rule.hosts:
                found[host.lower()] = backends
    return RoutingTable(found, frozenset(brokers))


def _backends(splits: Iterable[Split]) -> Backends | None:
    chosen = [split for split in splits if split.percent]
    if not chosen:
        return None
    return Backends(
        tuple(RevisionName(split.service_namespace, split.service_name) for split in chosen),
        tuple(accumulate(split.percent for split in chosen)),
    )


def _host(authority: str) -> str:
    """*authority* in lower case, without port and final dot."""
    host = authority.lower()
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0].rstrip(".")


_BROKER_HOSTS = frozenset(
    (
        BROKER_INGRESS,
        BROKER_INGRESS.removesuffix(".cluster.local"),
        BROKER_INGRESS.removesuffix(".svc.cluster.local"),
    )
)
