"""Service: one Configuration and one Route of the same name, and what they say.

Source: knative/serving ``pkg/reconciler/service``; Knative reference §1.3, §1.10, §1.11.
"""

from datetime import datetime
from typing import TypeVar

import msgspec

from knlite.kinds.conditions import ConditionEditor, find, is_true
from knlite.kinds.labels import (
    ROLLOUT_DURATION,
    ROLLOUT_DURATION_OLD,
    ROUTES,
    SERVICE,
    SERVICE_UID,
)
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.ownership import controls, owned_by
from knlite.kinds.serving.configuration import Configuration, ConfigurationSpec
from knlite.kinds.serving.revision import Revision
from knlite.kinds.serving.route import Route, RouteSpec, TrafficTarget
from knlite.kinds.serving.service import (
    CONDITIONS,
    CONFIGURATIONS_READY,
    ROUTES_READY,
    Service,
    ServiceStatus,
)
from knlite.reconcile import Change, Create, Key, Outcome, Update, UpdateStatus, View
from knlite.serving.ownership import handed_down, is_taken

OUT_OF_DATE = "The {kind} is still working to reflect the latest desired specification."
NOT_OWNED = 'There is an existing {kind} "{name}" that we do not own.'
NAME_TAKEN = (
    'The revision name "{name}" is taken by a conflicting Revision, so traffic will not be migrated'
)
NOT_MIGRATED = "Traffic is not yet migrated to the latest revision."

Child = TypeVar("Child", Configuration, Route)


def reconcile(key: Key, view: View, now: datetime) -> Outcome:
    """The children and the status of the Service at *key*."""
    service = view.get(Service, key.namespace, key.name)
    if service is None or service.metadata.deletion_timestamp is not None:
        return Outcome()
    editor = CONDITIONS.edit(service.status.conditions, now)
    existing = view.get(Configuration, key.namespace, key.name)
    configuration, changes = _child(service, existing, _configuration(service, existing))
    renewed = configuration is not None and _renewed(existing, configuration)
    status = service.status
    if configuration is None:
        editor.false(CONFIGURATIONS_READY, "NotOwned", _not_owned("Configuration", service))
    else:
        _copy(editor, CONFIGURATIONS_READY, configuration, "Configuration", renewed)
        status = msgspec.structs.replace(
            status,
            latest_created_revision_name=configuration.status.latest_created_revision_name,
            latest_ready_revision_name=configuration.status.latest_ready_revision_name,
        )
    stored_route = view.get(Route, key.namespace, key.name)
    taken = _taken_name(configuration, view)
    if taken:
        editor.false(ROUTES_READY, "RevisionNameTaken", NAME_TAKEN.format(name=taken))
    elif configuration is not None and _must_wait(service, configuration, renewed):
        # The traffic may name a revision that is still to be made.
        if stored_route is None or not controls(service, stored_route):
            editor.unknown(ROUTES_READY, "OutOfDate", OUT_OF_DATE.format(kind="Route"))
    else:
        route, more = _child(service, stored_route, _route(service))
        changes += more
        if route is None:
            editor.false(ROUTES_READY, "NotOwned", _not_owned("Route", service))
        else:
            renewed = _renewed(stored_route, route)
            _copy(editor, ROUTES_READY, route, "Route", renewed)
            status = msgspec.structs.replace(
                status,
                url=route.status.url,
                address=route.status.address,
                traffic=route.status.traffic,
            )
            settled = not renewed and is_true(route.status.conditions)
            if settled and not _migrated(service, status):
                editor.unknown(ROUTES_READY, "TrafficNotMigrated", NOT_MIGRATED)
    status = msgspec.structs.replace(
        status,
        observed_generation=service.metadata.generation,
        conditions=editor.result(),
    )
    if status != service.status:
        changes += (UpdateStatus(msgspec.structs.replace(service, status=status)),)
    return Outcome(changes)


def _configuration(service: Service, existing: Configuration | None) -> Configuration:
    """What the Configuration shall be. Its Route will refer to it, which is marked beforehand."""
    meta = service.metadata
    marks = {ROUTES: meta.name}
    if existing is not None:
        before = existing.metadata.annotations
        marks = {ROUTES: before[ROUTES]} if ROUTES in before else {}
    return Configuration(
        metadata=ObjectMeta(
            name=meta.name,
            namespace=meta.namespace,
            labels={**handed_down(meta.labels), SERVICE: meta.name, SERVICE_UID: meta.uid},
            annotations={
                **handed_down(meta.annotations, ROLLOUT_DURATION, ROLLOUT_DURATION_OLD),
                **marks,
            },
            owner_references=owned_by(service),
        ),
        spec=ConfigurationSpec(template=service.spec.template),
    )


def _route(service: Service) -> Route:
    meta = service.metadata
    return Route(
        metadata=ObjectMeta(
            name=meta.name,
            namespace=meta.namespace,
            labels={**handed_down(meta.labels), SERVICE: meta.name},
            annotations=handed_down(meta.annotations),
            owner_references=owned_by(service),
        ),
        spec=RouteSpec(
            traffic=tuple(_with_configuration(service, t) for t in service.spec.traffic)
        ),
    )


def _with_configuration(service: Service, target: TrafficTarget) -> TrafficTarget:
    if target.revision_name:
        return target
    return msgspec.structs.replace(target, configuration_name=service.metadata.name)


def _child(
    service: Service, stored: Child | None, wanted: Child
) -> tuple[Child | None, tuple[Change, ...]]:
    """The child as it will be and the change that makes it so; None if it is somebody else's."""
    if stored is None:
        return wanted, (Create(wanted),)
    if not controls(service, stored):
        return None, ()
    metadata = msgspec.structs.replace(
        stored.metadata,
        labels=wanted.metadata.labels,
        annotations=wanted.metadata.annotations,
    )
    changed = msgspec.structs.replace(stored, metadata=metadata, spec=wanted.spec)
    return changed, () if changed == stored else (Update(changed),)


def _renewed(stored: Child | None, child: Child) -> bool:
    """Whether *child* gets a new generation; labels and annotations do not make one."""
    return stored is None or child.spec != stored.spec


def _copy(
    editor: ConditionEditor, name: str, child: Configuration | Route, kind: str, renewed: bool
) -> None:
    current = child.status.observed_generation == child.metadata.generation
    ready = find(child.status.conditions)
    if renewed or not current or ready is None:
        editor.unknown(name, "OutOfDate", OUT_OF_DATE.format(kind=kind))
    else:
        editor.copy(name, ready)


def _taken_name(configuration: Configuration | None, view: View) -> str:
    """The name that the template asks for, if another revision has it; else ""."""
    name = configuration.spec.template.metadata.name if configuration is not None else ""
    if configuration is None or not name:
        return ""
    revision = view.get(Revision, configuration.metadata.namespace, name)
    return name if revision is not None and is_taken(configuration, revision) else ""


def _must_wait(service: Service, configuration: Configuration, renewed: bool) -> bool:
    """Whether the Route has to wait for a revision that its author has named."""
    if not service.spec.template.metadata.name:
        return False
    observed = configuration.status.observed_generation == configuration.metadata.generation
    return renewed or not observed


def _migrated(service: Service, status: ServiceStatus) -> bool:
    latest = status.latest_ready_revision_name
    wanted = [(t.revision_name or latest, t.percent or 0, t.tag) for t in service.spec.traffic]
    return wanted == [(t.revision_name, t.percent or 0, t.tag) for t in status.traffic]


def _not_owned(kind: str, service: Service) -> str:
    return NOT_OWNED.format(kind=kind, name=service.metadata.name)
