"""Route: from a traffic block to an Ingress, and the marks on what it refers to.

Source: knative/serving ``pkg/reconciler/route``, ``pkg/reconciler/labeler``; Knative reference §5,
§1.10, §1.11.
Differs: an annotation that asks for an unknown protocol makes IngressReady False with that
sentence; upstream tries again for ever and says it in its log.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from knlite.kinds.addressable import Addressable
from knlite.kinds.conditions import ConditionEditor, is_true
from knlite.kinds.config.bundle import Config
from knlite.kinds.labels import ROLLOUT, ROUTE, ROUTE_NAMESPACE
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.ownership import owned_by
from knlite.kinds.serving.annotations import rollout_duration
from knlite.kinds.serving.ingress import Ingress, IngressSpec
from knlite.kinds.serving.route import (
    ALL_TRAFFIC_ASSIGNED,
    CERTIFICATE_PROVISIONED,
    CONDITIONS,
    INGRESS_READY,
    Route,
    RouteStatus,
    TrafficTarget,
)
from knlite.reconcile import Change, Create, Key, Outcome, Update, UpdateStatus, View
from knlite.serving import rollout
from knlite.serving.domains import DomainError, is_local, url_of
from knlite.serving.ingressready import TLS_NOT_ENABLED, as_said_by, cannot_be, not_configured
from knlite.serving.ingressrules import HTTPProtocolError, ingress_spec
from knlite.serving.labeling import cleared, marked
from knlite.serving.ownership import handed_down
from knlite.serving.placeholders import placed, placeholders_of
from knlite.serving.rollout import SECOND, Rollout, nanoseconds
from knlite.serving.traffic import Plan, Problem, by_tag, plan, shown
from knlite.serving.vantage import CLUSTER_DOMAIN
from knlite.serving.visibility import local_tags

IN_PROGRESS = "A gradual rollout of the latest revision(s) is in progress."
TLS_NOT_ENABLED_INSIDE = "TLS is not enabled for cluster-local"


@dataclass(frozen=True, slots=True)
class _Result:
    """What the Route says from now on, what changes, and when the next step is due."""

    status: RouteStatus
    changes: tuple[Change, ...] = ()
    requeue_after: float | None = None


def reconcile(key: Key, view: View, now: datetime) -> Outcome:
    """The Ingress, the placeholder Services, the marks and the status of the Route at *key*."""
    route = view.get(Route, key.namespace, key.name)
    if route is None or route.metadata.deletion_timestamp is not None:
        return Outcome(cleared(key, view, now))
    editor = CONDITIONS.edit(route.status.conditions, now)
    if route.status.observed_generation != route.metadata.generation:
        # Whatever goes wrong below, a new generation is not ready because the old one was.
        not_configured(editor)
    try:
        result = _programmed(route, plan(route, view), view, editor, now)
    except DomainError as exc:
        editor.false(ALL_TRAFFIC_ASSIGNED, "ErrorConfig", str(exc))
        result = _Result(route.status)
    except HTTPProtocolError as exc:
        cannot_be(editor, str(exc))
        result = _Result(route.status)
    status = msgspec.structs.replace(
        result.status,
        observed_generation=route.metadata.generation,
        conditions=editor.result(),
    )
    changes = (*marked(route, view, now), *result.changes)
    if status != route.status:
        changes += (UpdateStatus(msgspec.structs.replace(route, status=status)),)
    return Outcome(changes, result.requeue_after)


def _programmed(
    route: Route, planned: Plan, view: View, editor: ConditionEditor, now: datetime
) -> _Result:
    config, meta = view.config, route.metadata
    tags = ("", *(target.tag for target in route.spec.traffic if target.tag))
    local = local_tags(route, tags, placeholders_of(route, view), config)
    status = msgspec.structs.replace(
        route.status,
        url=url_of(route, "", "" in local, config),
        address=Addressable(url=f"http://{meta.name}.{meta.namespace}.{CLUSTER_DOMAIN}"),
    )
    reason = TLS_NOT_ENABLED_INSIDE if is_local(route, config) else TLS_NOT_ENABLED
    editor.true(CERTIFICATE_PROVISIONED, "TLSNotEnabled", reason)
    if planned.problem is not None:
        _mark(editor, planned.problem)
        if editor.get(INGRESS_READY) is None or not route.status.observed_generation:
            not_configured(editor)
        return _Result(status)
    editor.true(ALL_TRAFFIC_ASSIGNED)
    groups = by_tag(planned.targets)
    services = placed(route, groups, local, view)
    if services.taken:
        text = f'There is an existing placeholder Service "{services.taken}" that we do not own.'
        editor.false(INGRESS_READY, "NotOwned", text)
        return _Result(status)
    stored = view.get(Ingress, meta.namespace, meta.name)
    moving, due = _rolled(route, stored, rollout.goal(groups), config, nanoseconds(now))
    spec = ingress_spec(route, groups, moving, local, config)
    ingress, changes = _ingress(route, stored, spec, moving)
    as_said_by(editor, ingress, stored)
    if not moving.done:
        editor.unknown(INGRESS_READY, "RolloutInProgress", IN_PROGRESS)
    # As the URL above: whoever sees the one in a status sees the others with it.
    traffic = _with_urls(route, shown(planned.targets, moving), local, config)
    status = msgspec.structs.replace(status, traffic=traffic)
    wait = max(0.0, (due - nanoseconds(now)) / SECOND) if due else None
    return _Result(status, (*services.changes, *changes), wait)


def _mark(editor: ConditionEditor, problem: Problem) -> None:
    if problem.status == "False":
        editor.false(ALL_TRAFFIC_ASSIGNED, problem.reason, problem.message)
    else:
        editor.unknown(ALL_TRAFFIC_ASSIGNED, problem.reason, problem.message)


def _rolled(
    route: Route, stored: Ingress | None, wanted: Rollout, config: Config, now: int
) -> tuple[Rollout, int]:
    """How far the rollouts have come, and when the next step is due (0: none is)."""
    duration = rollout_duration(route.metadata.annotations) or config.network.rollout_duration
    if stored is None or duration <= 0:
        return wanted, 0
    before = rollout.read(stored.metadata.annotations.get(ROLLOUT, ""))
    if before is not None and _has_become_ready(route, stored):
        before = rollout.observed_ready(before, now, duration)
    return rollout.stepped(wanted, before, now)


def _has_become_ready(route: Route, ingress: Ingress) -> bool:
    current = ingress.status.observed_generation == ingress.metadata.generation
    ready = current and is_true(ingress.status.conditions)
    return ready and not is_true(route.status.conditions, INGRESS_READY)


def _with_urls(
    route: Route, traffic: Sequence[TrafficTarget], local: frozenset[str], config: Config
) -> tuple[TrafficTarget, ...]:
    return tuple(
        msgspec.structs.replace(target, url=url_of(route, target.tag, target.tag in local, config))
        if target.tag
        else target
        for target in traffic
    )


def _ingress(
    route: Route, stored: Ingress | None, spec: IngressSpec, moving: Rollout
) -> tuple[Ingress, tuple[Change, ...]]:
    meta = route.metadata
    labels = {**handed_down(meta.labels), ROUTE: meta.name, ROUTE_NAMESPACE: meta.namespace}
    annotations = {**handed_down(meta.annotations), ROLLOUT: rollout.written(moving)}
    if stored is None:
        ingress = Ingress(
            metadata=ObjectMeta(
                name=meta.name,
                namespace=meta.namespace,
                labels=labels,
                annotations=annotations,
                owner_references=owned_by(route),
            ),
            spec=spec,
        )
        return ingress, (Create(ingress),)
    metadata = msgspec.structs.replace(stored.metadata, labels=labels, annotations=annotations)
    changed = msgspec.structs.replace(stored, metadata=metadata, spec=spec)
    return changed, () if changed == stored else (Update(changed),)
