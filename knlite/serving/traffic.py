"""What a Route's traffic block means now: which revisions get how much, and under which tags.

Source: Knative reference §5.3, §1.11 (reasons and messages); knative/serving
``pkg/reconciler/route/traffic``.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from knlite.kinds.conditions import Status, is_false, is_true
from knlite.kinds.labels import SERVICE
from knlite.kinds.serving.configuration import Configuration
from knlite.kinds.serving.revision import Revision
from knlite.kinds.serving.route import Route, TrafficTarget
from knlite.reconcile import View


@dataclass(frozen=True, slots=True)
class Problem:
    """Why AllTrafficAssigned is not True."""

    status: Status
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Resolved targets in the order of the spec, or the problem that keeps them unresolved."""

    targets: tuple[TrafficTarget, ...] = ()
    problem: Problem | None = None


def plan(route: Route, view: View) -> Plan:
    """Resolve the targets of *route*. One that cannot be resolved spoils all."""
    targets: list[TrafficTarget] = []
    for target in route.spec.traffic:
        resolved = _resolved(route, target, view)
        if isinstance(resolved, Problem):
            return Plan(problem=resolved)
        targets.append(resolved)
    return Plan(tuple(targets))


def shares(targets: Iterable[TrafficTarget]) -> tuple[tuple[str, int], ...]:
    """(revision, percent) with equal revisions united; those with nothing are left out."""
    united: dict[str, int] = {}
    for target in targets:
        united[target.revision_name] = united.get(target.revision_name, 0) + (target.percent or 0)
    if len(united) == 1:
        return tuple((name, 100) for name in united)
    return tuple((name, percent) for name, percent in united.items() if percent)


def united(targets: Sequence[TrafficTarget]) -> tuple[TrafficTarget, ...]:
    """Targets with equal tag, revision and latestRevision as one, percents added."""
    found: dict[tuple[str, str, bool | None], TrafficTarget] = {}
    for target in targets:
        key = (target.tag, target.revision_name, target.latest_revision)
        earlier = found.get(key)
        if earlier is not None:
            percent = (earlier.percent or 0) + (target.percent or 0)
            target = msgspec.structs.replace(target, percent=percent)
        found[key] = target
    return tuple(found.values())


def _resolved(route: Route, target: TrafficTarget, view: View) -> TrafficTarget | Problem:
    namespace = route.metadata.namespace
    if target.revision_name:
        name = target.revision_name
        revision = view.get(Revision, namespace, name)
        if revision is None:
            message = f'Revision "{name}" referenced in traffic not found.'
            return Problem("False", "RevisionMissing", message)
        service = route.metadata.labels.get(SERVICE)
        if service and revision.metadata.labels.get(SERVICE) != service:
            message = f'Revision "{name}" does not belong to Service "{service}".'
            return Problem("False", "RevisionNotOwned", message)
        if not is_true(revision.status.conditions):
            return _not_ready_revision(revision)
    else:
        config = target.configuration_name or route.metadata.name
        configuration = view.get(Configuration, namespace, config)
        if configuration is None:
            message = f'Configuration "{config}" referenced in traffic not found.'
            return Problem("False", "ConfigurationMissing", message)
        name = configuration.status.latest_ready_revision_name
        latest = view.get(Revision, namespace, name) if name else None
        if latest is None or not is_true(latest.status.conditions):
            return _not_ready_configuration(configuration)
    return msgspec.structs.replace(
        target,
        revision_name=name,
        configuration_name="",
        latest_revision=not target.revision_name,
        percent=target.percent or 0,
        url="",
    )


def _not_ready_revision(revision: Revision) -> Problem:
    name = revision.metadata.name
    if is_false(revision.status.conditions):
        return Problem("False", "RevisionMissing", f'Revision "{name}" failed to become ready.')
    return Problem("Unknown", "RevisionMissing", f'Revision "{name}" is not yet ready.')


def _not_ready_configuration(configuration: Configuration) -> Problem:
    name = configuration.metadata.name
    if is_false(configuration.status.conditions):
        message = f'Configuration "{name}" does not have any ready Revision.'
        return Problem("False", "RevisionMissing", message)
    message = f'Configuration "{name}" is waiting for a Revision to become ready.'
    return Problem("Unknown", "RevisionMissing", message)
