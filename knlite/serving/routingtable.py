"""Ingresses to the routing table, in time linear in their number.

Source: Knative reference §5.1 to §5.4, §5.6.
Not here: what the table answers (``routing.py``), when it is built (``controlplane/projector.py``).
"""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, replace
from itertools import accumulate

from knlite.kinds.serving.ingress import (
    DEFAULT_ROUTE_HEADER,
    TAG_HEADER,
    Ingress,
    Rule,
    Split,
)
from knlite.serving.domains import local_hosts
from knlite.serving.instance import RevisionName
from knlite.serving.routing import DEFAULT, DISABLED, UNDEFINED, Backends, RoutingTable


@dataclass(frozen=True, slots=True)
class Hosts:
    """One rule as the table has it: lower-case hosts, and what is behind them.

    Those that rewrite the host have that host in the place of backends.
    """

    names: tuple[str, ...]
    behind: Backends | str
    is_local: bool
    secure: frozenset[str] = frozenset()
    """Those of *names* for which there shall be a certificate."""
    redirected: bool = False
    """Whether those are served by HTTPS only."""


Hosting = tuple[Hosts, ...]


def hosting(ingress: Ingress) -> Hosting:
    """What *ingress* comes to.

    The rule for outside comes right after the one for inside, whose backends it shares.
    """
    found: list[Hosts] = []
    rules = ingress.spec.rules
    before: Rule | None = None
    """The rule for inside that the rule at hand may be the other side of."""
    backends: Backends | None = None
    certified = frozenset(host.lower() for tls in ingress.spec.tls for host in tls.hosts)
    redirected = ingress.spec.http_option == "Redirected"
    for index, rule in enumerate(rules):
        names = tuple(host.lower() for host in rule.hosts)
        if rule.rewrite_host:
            secure = certified.intersection(names)
            found.append(Hosts(names, rule.rewrite_host, False, secure, redirected))
            continue
        outside = rule.visibility == "ExternalIP"
        if not (outside and before is not None and _alike(before, rule)):
            following = rules[index + 1] if index + 1 < len(rules) else None
            shared = (
                following is not None
                and following.visibility == "ExternalIP"
                and _alike(rule, following)
            )
            backends = _of_rule(rule, outside or shared)
        before = None if outside else rule
        if backends is not None:
            found.append(Hosts(names, backends, not outside))
    return tuple(found)


def routing_table(
    ingresses: Iterable[Ingress],
    newest: Mapping[tuple[str, str], RevisionName],
    hosts: Mapping[tuple[str, str], Iterable[str]],
    brokers: Iterable[tuple[str, str]],
    revisions: Set[RevisionName] = frozenset(),
) -> RoutingTable:
    """The table for *ingresses*; the rest is as for ``table_of``."""
    return table_of(map(hosting, ingresses), newest, hosts, brokers, revisions)


def table_of(
    hostings: Iterable[Hosting],
    newest: Mapping[tuple[str, str], RevisionName],
    hosts: Mapping[tuple[str, str], Iterable[str]],
    brokers: Iterable[tuple[str, str]],
    revisions: Set[RevisionName],
) -> RoutingTable:
    """The table for what Ingresses come to, as it is seen from outside.

    Routes (namespace, name) without an Ingress lead to their *newest* revision; *hosts* are the
    public ones of such routes.
    """
    public: dict[str, Backends] = {}
    local: dict[str, Backends] = {}
    for route, revision in newest.items():
        outside = tuple(hosts.get(route, ()))
        backends = Backends((revision,), (100,), public=bool(outside))
        local.update(dict.fromkeys(local_hosts(*route), backends))
        public.update((host.lower(), backends) for host in outside)
    secured: dict[str, Backends] = {}
    redirected: set[str] = set()
    mapped: list[tuple[Hosts, str]] = []
    for each in hostings:
        for rule in each:
            behind = rule.behind
            if isinstance(behind, str):
                mapped.append((rule, behind))
                continue
            side = local if rule.is_local else public
            for name in rule.names:
                side[name] = behind
    for rule, rewritten in mapped:
        target = local.get(rewritten)
        # A route keeps its own host, whoever maps it.
        for name in () if target is None else rule.names:
            if target is None or name in public:
                continue
            if name in rule.secure:
                secured.setdefault(name, target)
            if name in rule.secure and rule.redirected:
                redirected.add(name)
            else:
                public[name] = target
    return RoutingTable(public, local, frozenset(brokers), revisions, secured, redirected)


def _alike(rule: Rule, other: Rule) -> bool:
    """Whether they differ in nothing but who may ask, and by which hosts."""
    return (rule.splits, rule.paths, rule.append_headers) == (
        other.splits,
        other.paths,
        other.append_headers,
    )


def _of_rule(rule: Rule, public: bool) -> Backends | None:
    main = _backends(rule.splits, public)
    if main is None:
        return None
    append = tuple((k.encode(), v.encode()) for k, v in rule.append_headers.items())
    if DEFAULT_ROUTE_HEADER not in rule.append_headers:
        return replace(main, append=append, route_tag=rule.append_headers.get(TAG_HEADER, DISABLED))
    tags = {}
    for path in rule.paths:
        wanted, found = path.headers.get(TAG_HEADER), _backends(path.splits, public)
        if wanted is not None and found is not None:
            tags[wanted.exact.encode()] = replace(found, route_tag=wanted.exact)
    main = replace(main, append=append)
    unknown = replace(main, route_tag=UNDEFINED)
    return replace(main, route_tag=DEFAULT, tags=tags, unknown=unknown)


def _backends(splits: Iterable[Split], public: bool) -> Backends | None:
    chosen = [split for split in splits if split.percent]
    if not chosen:
        return None
    return Backends(
        tuple([RevisionName(split.service_namespace, split.service_name) for split in chosen]),
        tuple(accumulate([split.percent for split in chosen])),
        public=public,
    )
