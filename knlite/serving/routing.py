"""Which revision a request goes to, by its host, path and tag: one table for the data plane.

Most requests name a host of a revision. ``find`` is for them: it knows the bytes of a Host header
that it has seen before, whatever the number of hosts. What it does not know is for ``match``.

There are two sides of a table. From outside, public hosts are known, mapped domains among them;
from inside the cluster's names are known as well, and those of revisions (``docs/adr/0015``).

Source: Knative reference §5.1 to §5.3 (hosts, visibility, shares), §5.4 (tags by header), §5.6
(mapped domains); knlite's path addresses, README "Addresses"; knative/serving
``pkg/queue/routetag_handler.go``.
Differs: a host whose route has no ready revision leads to its newest one, so that the request is
held and its answer says what is wrong; upstream answers 404.
Not here: how a table is built (``routingtable.py``), who asks it (``dataplane``).
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field, replace

from knlite.serving.instance import RevisionName
from knlite.serving.vantage import BROKER_HOSTS, CLUSTER_DOMAIN

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
class InsideOnly:
    """The host is known, but not to those who ask from outside; *public* if it has another name."""

    host: str
    public: bool


@dataclass(frozen=True, slots=True)
class ToHTTPS:
    """The same is to be asked for by HTTPS."""

    host: str


@dataclass(frozen=True, slots=True)
class Nowhere:
    """Nothing is served there."""


Match = ToRevision | ToBroker | ToIndex | InsideOnly | ToHTTPS | Nowhere


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
    public: bool = False
    """Whether they have a host outside."""

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
    """One side of all hosts. Hosts are in lower case and have no port."""

    hosts: Mapping[str, Backends] = field(default_factory=dict)
    """Public ones."""
    local: Mapping[str, Backends] = field(default_factory=dict)
    """Those inside the cluster."""
    brokers: frozenset[tuple[str, str]] = frozenset()
    revisions: Set[RevisionName] = frozenset()
    """All of them, for ``REVISION.NAMESPACE.svc.cluster.local``."""
    secured: Mapping[str, Backends] = field(default_factory=dict)
    """Public ones that have a certificate."""
    redirected: Set[str] = frozenset()
    """Those of ``secured`` that are not served without it, and so are not among ``hosts``."""
    is_inside: bool = False
    front: Backends | None = None
    """For hosts that nobody has; None where those are answered otherwise."""
    _seen: dict[bytes, Backends] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def inside(self) -> "RoutingTable":
        """The side for callers inside the cluster."""
        return replace(self, is_inside=True)

    def fronted(self, namespace: str, name: str) -> "RoutingTable":
        """The side where hosts that nobody has, and localhost, are those of a route."""
        return replace(self, front=self.local.get(f"{name}.{namespace}.{CLUSTER_DOMAIN}"))

    @property
    def remembered(self) -> int:
        """How many spellings of hosts are remembered."""
        return len(self._seen)

    def secure(self) -> "RoutingTable":
        """The side for callers who come by HTTPS: hosts with a certificate, and nothing else."""
        return RoutingTable(self.secured)

    def find(self, host: bytes) -> Backends | None:
        """What is behind the Host header *host*, if that is a revision's; allocates nothing."""
        found = self._seen.get(host)
        return found if found is not None else self._look_up(host)

    def match(self, authority: str, path: str, draw: float, tag: bytes | None = None) -> Match:
        """Where a request with the Host *authority* for *path* goes.

        *tag* is the value of its Knative-Serving-Tag.
        """
        host = _host(authority)
        backends = self._behind(host)
        if backends is not None:
            return _to(backends.under(tag), draw, path)
        if host in self.redirected:
            return ToHTTPS(host)
        if host in _LOOPBACK or not host:
            return self._by_path(path, draw, tag)
        if host in BROKER_HOSTS:
            namespace, _, broker = path.strip("/").partition("/")
            return ToBroker(namespace, broker)
        hidden = self._named_inside(host)
        return Nowhere() if hidden is None else InsideOnly(host, hidden.public)

    def _look_up(self, authority: bytes) -> Backends | None:
        found = self._behind(_host(authority.decode("latin-1")))
        if found is not None:
            # Only what exists is remembered, and of that not more spellings than anybody needs:
            # a client may write a host in as many ways as it likes.
            if len(self._seen) >= max(MEMO_LEAST, MEMO_PER_HOST * len(self.hosts)):
                self._seen.clear()
            self._seen[authority] = found
        return found

    def _behind(self, host: str) -> Backends | None:
        found = self.hosts.get(host)
        if found is None and self.is_inside:
            found = self._named_inside(host)
        return self.front if found is None else found

    def _named_inside(self, host: str) -> Backends | None:
        """What *host* is inside the cluster: a name of a route, or of a revision."""
        found = self.local.get(host)
        if found is not None:
            return found
        short = host.removesuffix(".cluster.local").removesuffix(".svc")
        name, _, namespace = short.partition(".")
        revision = RevisionName(namespace, name)
        return Backends((revision,), (100,)) if revision in self.revisions else None

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
        backends = self._named_inside(host) or self.hosts.get(host)
        if backends is None:
            return Nowhere()
        if not (self.is_inside or backends.public):
            return InsideOnly(host, False)
        rest = "/" + parts[5] if len(parts) > 5 else "/"
        return _to(backends.under(tag), draw, rest, host)


def _to(backends: Backends, draw: float, path: str, host: str = "") -> ToRevision:
    revision = backends.pick(lambda: draw)
    return ToRevision(revision, path, host, backends.append, backends.route_tag)


def _host(authority: str) -> str:
    """*authority* in lower case, without port and final dot."""
    host = authority.lower()
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0].rstrip(".")
