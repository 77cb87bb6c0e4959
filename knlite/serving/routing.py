"""Which revision a request goes to, by its host, path and tag: one table for the data plane.

Most requests name a host of a revision. ``find`` is for them: it knows the bytes of a Host header
that it has seen before, whatever the number of hosts. What it does not know is for ``match``.

Source: Knative reference §5.1 to §5.3 (hosts, visibility, shares), §5.4 (tags by header); knlite's
path addresses, README "Addresses"; knative/serving ``pkg/queue/routetag_handler.go``.
Differs: a host whose route has no ready revision leads to its newest one, so that the request is
held and its answer says what is wrong; upstream answers 404.
Not here: who builds the table (``controlplane/projector.py``), who asks it (``dataplane``).
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import accumulate

from knlite.kinds.serving.ingress import DEFAULT_ROUTE_HEADER, TAG_HEADER, Ingress, Rule, Split
from knlite.serving.instance import RevisionName
from knlite.serving.vantage import BROKER_INGRESS, CLUSTER_DOMAIN

DISABLED = "kn:disabled"
DEFAULT = "kn:default"
UNDEFINED = "kn:undefined"
"""What stands for the tag in metrics: tags are not told apart, none was asked for, no such one."""
MEMO_PER_HOST = 4
MEMO_LEAST = 256
"""Spellings of hosts that are remembered: letter case and port make many of each."""
_LOOPBACK = frozenset(("localhost", "127.0.0.1", "[::1]", "::1"))

Appended = tuple[tuple[bytes, bytes], ...]
"""Headers that are set on a request, in the place of the client's own."""


@dataclass(frozen=True, slots=True)
class ToRevision:
    """The request goes to *revision*, with *path* and, if it is not empty, *host* as its Host."""

    revision: RevisionName
    path: str
    host: str = ""
    append: Appended = ()
    route_tag: str = DISABLED


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
    append: Appended = ()
    """Not empty where requests may ask for a tag; ``under`` says where those go."""
    route_tag: str = DISABLED
    """Which tag serves the request, for metrics."""
    tags: Mapping[bytes, "Backends"] = field(default_factory=dict)
    """By the value of Knative-Serving-Tag."""
    unknown: "Backends | None" = None
    """For requests that ask for a tag that there is not: the same as for those that ask for none.

    None where tags are not asked for, or the host is a tag's own.
    """

    def pick(self, draw: Callable[[], float]) -> RevisionName:
        """One of the revisions; *draw* gives numbers from 0 to below 1, evenly spread."""
        revisions = self.revisions
        if len(revisions) == 1:
            return revisions[0]
        return revisions[bisect_right(self.bounds, draw() * self.bounds[-1])]

    def under(self, tag: bytes | None) -> "Backends":
        """Those for a request whose Knative-Serving-Tag is *tag* (None: it has none)."""
        if not tag or self.unknown is None:
            return self
        return self.tags.get(tag, self.unknown)


@dataclass(frozen=True, slots=True)
class RoutingTable:
    """All hosts. Hosts are in lower case and have no port."""

    hosts: Mapping[str, Backends] = field(default_factory=dict)
    brokers: frozenset[tuple[str, str]] = frozenset()
    _seen: dict[bytes, Backends] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def find(self, host: bytes) -> Backends | None:
        """What is behind the Host header *host*, if that is a revision's; allocates nothing."""
        found = self._seen.get(host)
        return found if found is not None else self._look_up(host)

    def match(self, authority: str, path: str, draw: float, tag: bytes | None = None) -> Match:
        """Where a request with the Host *authority* for *path* goes.

        *tag* is the value of its Knative-Serving-Tag.
        """
        host = _host(authority)
        backends = self.hosts.get(host)
        if backends is not None:
            return _to(backends.under(tag), draw, path)
        if host in _LOOPBACK or not host:
            return self._by_path(path, draw, tag)
        if host in _BROKER_HOSTS:
            namespace, _, broker = path.strip("/").partition("/")
            return ToBroker(namespace, broker)
        return Nowhere()

    def _look_up(self, authority: bytes) -> Backends | None:
        found = self.hosts.get(_host(authority.decode("latin-1")))
        if found is not None:
            # Only what exists is remembered, and of that not more spellings than anybody needs:
            # a client may write a host in as many ways as it likes.
            if len(self._seen) >= max(MEMO_LEAST, MEMO_PER_HOST * len(self.hosts)):
                self._seen.clear()
            self._seen[authority] = found
        return found

    def _by_path(self, path: str, draw: float, tag: bytes | None) -> Match:
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
        return _to(backends.under(tag), draw, rest, host)


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
            backends = _of_rule(rule)
            if backends is None:
                continue
            for host in rule.hosts:
                found[host.lower()] = backends
    return RoutingTable(found, frozenset(brokers))


def _to(backends: Backends, draw: float, path: str, host: str = "") -> ToRevision:
    revision = backends.pick(lambda: draw)
    return ToRevision(revision, path, host, backends.append, backends.route_tag)


def _of_rule(rule: Rule) -> Backends | None:
    main = _backends(rule.splits)
    if main is None:
        return None
    append = tuple((k.encode(), v.encode()) for k, v in rule.append_headers.items())
    if DEFAULT_ROUTE_HEADER not in rule.append_headers:
        return replace(main, append=append, route_tag=rule.append_headers.get(TAG_HEADER, DISABLED))
    tags = {}
    for path in rule.paths:
        wanted, found = path.headers.get(TAG_HEADER), _backends(path.splits)
        if wanted is not None and found is not None:
            tags[wanted.exact.encode()] = replace(found, route_tag=wanted.exact)
    main = replace(main, append=append)
    unknown = replace(main, route_tag=UNDEFINED)
    return replace(main, route_tag=DEFAULT, tags=tags, unknown=unknown)


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
