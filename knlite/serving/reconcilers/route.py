"""Route: from a traffic block to an Ingress, and the marks on what it refers to.

Source: knative/serving ``pkg/reconciler/route``, ``pkg/reconciler/labeler``; Knative reference §5,
§1.10, §1.11.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypeVar

import msgspec

from knlite.kinds.conditions import ConditionEditor, find, timestamp
from knlite.kinds.config.bundle import Config
from knlite.kinds.config.features import TAG_HEADER_BASED_ROUTING
from knlite.kinds.labels import (
    ROUTE,
    ROUTES,
    ROUTING_STATE,
    ROUTING_STATE_MODIFIED,
    routes_of,
)
from knlite.kinds.meta import Object, ObjectMeta
from knlite.kinds.serving.configuration import Configuration
from knlite.kinds.serving.ingress import (
    DEFAULT_ROUTE_HEADER,
    TAG_HEADER,
    HeaderMatch,
    Ingress,
    IngressSpec,
    Path,
    Rule,
    Split,
)
from knlite.kinds.serving.revision import Revision
from knlite.kinds.serving.route import (
    ALL_TRAFFIC_ASSIGNED,
    CERTIFICATE_PROVISIONED,
    CONDITIONS,
    INGRESS_READY,
    Addressable,
    Route,
    RouteStatus,
    TrafficTarget,
)
from knlite.reconcile import Change, Create, Key, Outcome, Update, UpdateStatus, View
from knlite.serving.domains import (
    DomainError,
    external_url,
    is_local,
    local_hosts,
    public_host,
    tagged_name,
)
from knlite.serving.reconcilers.ownership import controls, handed_down, owned_by
from knlite.serving.traffic import Plan, plan, shares, united
from knlite.serving.vantage import CLUSTER_DOMAIN

T = TypeVar("T", Configuration, Revision)

NOT_CONFIGURED = "Ingress has not yet been reconciled."


def reconcile(key: Key, view: View, now: datetime) -> Outcome:
    """The Ingress, the marks and the status of the Route at *key*."""
    route = view.get(Route, key.namespace, key.name)
    if route is None or route.metadata.deletion_timestamp is not None:
        return Outcome(tuple(_unmarked(key, view, now)))
    editor = CONDITIONS.edit(route.status.conditions, now)
    planned = plan(route, view)
    changes = tuple(_marks(route, planned, view, now))
    try:
        status, more = _programmed(route, planned, view, editor)
    except DomainError as exc:
        editor.false(ALL_TRAFFIC_ASSIGNED, "ErrorConfig", str(exc))
        status, more = route.status, ()
    status = msgspec.structs.replace(
        status,
        observed_generation=route.metadata.generation,
        conditions=editor.result(),
    )
    changes += more
    if status != route.status:
        changes += (UpdateStatus(msgspec.structs.replace(route, status=status)),)
    return Outcome(changes)


def _programmed(
    route: Route, planned: Plan, view: View, editor: ConditionEditor
) -> tuple[RouteStatus, tuple[Change, ...]]:
    config, meta = view.config, route.metadata
    local = is_local(route, config)
    status = msgspec.structs.replace(
        route.status,
        url=_url(route, "", local, config),
        address=Addressable(url=f"http://{meta.name}.{meta.namespace}.{CLUSTER_DOMAIN}"),
    )
    reason = "external-domain-tls is not enabled"
    if local:
        reason = "TLS is not enabled for cluster-local"
    editor.true(CERTIFICATE_PROVISIONED, "TLSNotEnabled", reason)
    stored = view.get(Ingress, meta.namespace, meta.name)
    if planned.problem is not None:
        problem = planned.problem
        if problem.status == "False":
            editor.false(ALL_TRAFFIC_ASSIGNED, problem.reason, problem.message)
        else:
            editor.unknown(ALL_TRAFFIC_ASSIGNED, problem.reason, problem.message)
        if stored is None:
            editor.unknown(INGRESS_READY, "IngressNotConfigured", NOT_CONFIGURED)
        return status, ()
    editor.true(ALL_TRAFFIC_ASSIGNED)
    ingress, changes = _ingress(route, stored, planned.targets, local, config)
    ready = find(ingress.status.conditions)
    current = ingress.status.observed_generation == ingress.metadata.generation
    if changes or ready is None or not current:
        editor.unknown(INGRESS_READY, "IngressNotConfigured", NOT_CONFIGURED)
    else:
        editor.copy(INGRESS_READY, ready)
        traffic = tuple(
            msgspec.structs.replace(target, url=_url(route, target.tag, local, config))
            if target.tag
            else target
            for target in united(planned.targets)
        )
        status = msgspec.structs.replace(status, traffic=traffic)
    return status, changes


def _url(route: Route, tag: str, local: bool, config: Config) -> str:
    if local:
        name = tagged_name(route, tag, config)
        return f"http://{name}.{route.metadata.namespace}.{CLUSTER_DOMAIN}"
    return external_url(public_host(route, tag, config), config)


def _ingress(
    route: Route,
    stored: Ingress | None,
    targets: Sequence[TrafficTarget],
    local: bool,
    config: Config,
) -> tuple[Ingress, tuple[Change, ...]]:
    meta = route.metadata
    spec = IngressSpec(rules=tuple(_rules(route, targets, local, config)))
    labels = {**handed_down(meta.labels), ROUTE: meta.name}
    if stored is None:
        ingress = Ingress(
            metadata=ObjectMeta(
                name=meta.name,
                namespace=meta.namespace,
                labels=labels,
                owner_references=owned_by(route),
            ),
            spec=spec,
        )
        return ingress, (Create(ingress),)
    metadata = msgspec.structs.replace(stored.metadata, labels=labels)
    changed = msgspec.structs.replace(stored, metadata=metadata, spec=spec)
    return changed, () if changed == stored else (Update(changed),)


def _rules(
    route: Route, targets: Sequence[TrafficTarget], local: bool, config: Config
) -> Iterable[Rule]:
    """The main hosts with all targets, then each tag with its own."""
    namespace = route.metadata.namespace
    tagged = {
        target.tag: _splits(namespace, [(target.revision_name, 100)])
        for target in targets
        if target.tag
    }
    by_header = config.features.enabled(TAG_HEADER_BASED_ROUTING)
    paths = tuple(
        Path(headers={TAG_HEADER: HeaderMatch(exact=tag)}, splits=splits)
        for tag, splits in tagged.items()
        if by_header
    )
    main = Rule(
        paths=paths,
        splits=_splits(namespace, shares(targets)),
        append_headers={DEFAULT_ROUTE_HEADER: "true"} if by_header else {},
    )
    yield from _on_hosts(main, route, "", local, config)
    for tag, splits in tagged.items():
        rule = Rule(splits=splits, append_headers={TAG_HEADER: tag} if by_header else {})
        yield from _on_hosts(rule, route, tag, local, config)


def _splits(namespace: str, chosen: Iterable[tuple[str, int]]) -> tuple[Split, ...]:
    return tuple(
        Split(service_namespace=namespace, service_name=name, percent=percent)
        for name, percent in chosen
    )


def _on_hosts(rule: Rule, route: Route, tag: str, local: bool, config: Config) -> Iterable[Rule]:
    """*rule* for the hosts inside the cluster and, unless the route is *local*, outside."""
    hosts = local_hosts(route.metadata.namespace, tagged_name(route, tag, config))
    yield msgspec.structs.replace(rule, hosts=hosts, visibility="ClusterLocal")
    if not local:
        host = public_host(route, tag, config)
        yield msgspec.structs.replace(rule, hosts=(host,), visibility="ExternalIP")


def _marks(route: Route, planned: Plan, view: View, now: datetime) -> Iterable[Change]:
    """Changes to the labels and annotations of what the Route refers to, or did."""
    if planned.problem is not None:
        # Routing stays as it was, and so do the marks.
        return
    name = route.metadata.name
    revisions = {target.revision_name for target in planned.targets}
    revisions |= {target.revision_name for target in route.status.traffic if _holds(view, route)}
    configurations = {
        target.configuration_name for target in route.spec.traffic if target.configuration_name
    }
    yield from _marked(_concerned(Revision, route, revisions, view), name, revisions, now)
    yield from _marked(
        _concerned(Configuration, route, configurations, view), name, configurations, now
    )


def _holds(view: View, route: Route) -> bool:
    """Whether the routing of before is still the one in force."""
    ingress = view.get(Ingress, route.metadata.namespace, route.metadata.name)
    if ingress is None or not controls(route, ingress):
        return False
    return ingress.status.observed_generation != ingress.metadata.generation


def _unmarked(key: Key, view: View, now: datetime) -> Iterable[Change]:
    yield from _marked(view.marked(Revision, key.namespace, key.name), key.name, set(), now)
    yield from _marked(view.marked(Configuration, key.namespace, key.name), key.name, set(), now)


def _concerned(kind: type[T], route: Route, chosen: set[str], view: View) -> Sequence[T]:
    """Those that carry the mark of *route* and those that shall, sorted by name."""
    namespace = route.metadata.namespace
    found = {obj.metadata.name: obj for obj in view.marked(kind, namespace, route.metadata.name)}
    for name in chosen - found.keys():
        obj = view.get(kind, namespace, name)
        if obj is not None:
            found[name] = obj
    return [found[name] for name in sorted(found)]


def _marked(objects: Iterable[T], route: str, chosen: set[str], now: datetime) -> Iterable[Change]:
    for obj in objects:
        marks: tuple[str, ...] = routes_of(obj.metadata.annotations)
        has = route in marks
        if (obj.metadata.name in chosen) == has:
            continue
        routes = [each for each in marks if each != route] if has else sorted([*marks, route])
        annotations = dict(obj.metadata.annotations)
        if routes:
            annotations[ROUTES] = ",".join(routes)
        else:
            annotations.pop(ROUTES, None)
        labels = dict(obj.metadata.labels)
        if isinstance(obj, Revision):
            state = "active" if routes else "reserve"
            if labels.get(ROUTING_STATE) != state:
                labels[ROUTING_STATE] = state
                annotations[ROUTING_STATE_MODIFIED] = timestamp(now)
        yield Update(_with(obj, labels, annotations))


def _with(obj: Object, labels: dict[str, str], annotations: dict[str, str]) -> Object:
    metadata = msgspec.structs.replace(obj.metadata, labels=labels, annotations=annotations)
    return msgspec.structs.replace(obj, metadata=metadata)
