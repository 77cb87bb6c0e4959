"""What a Route's traffic block means now: which revisions get how much, and under which tags.

Source: Knative reference §5.3, §1.11 (reasons and messages); knative/serving
``pkg/reconciler/route/traffic``.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from knlite.kinds.conditions import Status, is_false, is_true
from knlite.kinds.labels import CONFIGURATION, SERVICE
from knlite.kinds.serving.configuration import Configuration
from knlite.kinds.serving.revision import Revision
from knlite.kinds.serving.route import Route, TrafficTarget
from knlite.reconcile import View
from knlite.serving.rollout import Rollout


@dataclass(frozen=True, slots=True)
class Problem:
    """Why AllTrafficAssigned is not True."""

    status: Status
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Resolved targets in the order of the spec, or the problem that keeps them unresolved.

    Targets keep the name of their Configuration, also those that name a revision.
    """

    targets: tuple[TrafficTarget, ...] = ()
    problem: Problem | None = None


def plan(route: Route, view: View) -> Plan:
    """Resolve the targets of *route*. One that cannot be resolved spoils all.

    Of several problems the last that is final is told, else the first.
    """
    targets: list[TrafficTarget] = []
    worst: Problem | None = None
    for target in route.spec.traffic:
        resolved = _resolved(route, target, view)
        if isinstance(resolved, TrafficTarget):
            targets.append(resolved)
        elif worst is None or resolved.status == "False":
            worst = resolved
    return Plan(tuple(targets)) if worst is None else Plan(problem=worst)


def by_tag(targets: Sequence[TrafficTarget]) -> dict[str, tuple[TrafficTarget, ...]]:
    """All of *targets* under "", each that has a tag under its tag; equal revisions as one.

    A single revision has 100 percent, whatever the share of its target.
    """
    groups: dict[str, list[TrafficTarget]] = {"": list(targets)}
    for target in targets:
        if target.tag:
            groups.setdefault(target.tag, []).append(target)
    return {tag: _by_revision(group) for tag, group in groups.items()}


def shares(
    targets: Iterable[TrafficTarget], rollout: Rollout, tag: str
) -> tuple[tuple[str, int], ...]:
    """(revision, percent) under *tag* as far as *rollout* has come; none is without a share."""
    found: dict[str, int] = {}
    for target in targets:
        if not target.percent:
            continue
        moving = rollout.of(target, tag)
        if moving is None or len(moving.revisions) < 2:
            parts = [(target.revision_name, target.percent)]
        else:
            parts = [(each.revision_name, each.percent) for each in moving.revisions]
        for name, percent in parts:
            found[name] = found.get(name, 0) + percent
    return tuple(found.items())


def shown(targets: Sequence[TrafficTarget], rollout: Rollout) -> tuple[TrafficTarget, ...]:
    """What the status says of *targets*: revisions with their shares, those without any as well.

    Targets with equal tag, revision and latestRevision are one, their percents added.
    """
    found: dict[tuple[str, str, bool | None], TrafficTarget] = {}
    for target in targets:
        key = (target.tag, target.revision_name, target.latest_revision)
        if key in found:
            percent = (found[key].percent or 0) + (target.percent or 0)
            target = msgspec.structs.replace(target, percent=percent)
        found[key] = target
    said = []
    for target in found.values():
        moving = rollout.of(target, target.tag)
        plain = msgspec.structs.replace(target, configuration_name="")
        if moving is None or len(moving.revisions) < 2:
            said.append(plain)
        else:
            said += (
                msgspec.structs.replace(
                    plain, revision_name=each.revision_name, percent=each.percent
                )
                for each in moving.revisions
            )
    return tuple(said)


def _by_revision(targets: Iterable[TrafficTarget]) -> tuple[TrafficTarget, ...]:
    found: dict[str, TrafficTarget] = {}
    for target in targets:
        earlier = found.get(target.revision_name)
        if earlier is not None:
            percent = (earlier.percent or 0) + (target.percent or 0)
            target = msgspec.structs.replace(earlier, percent=percent)
        found[target.revision_name] = target
    if len(found) == 1:
        return tuple(msgspec.structs.replace(each, percent=100) for each in found.values())
    return tuple(found.values())


def _resolved(route: Route, target: TrafficTarget, view: View) -> TrafficTarget | Problem:
    found = _pinned(route, target, view) if target.revision_name else _latest(route, target, view)
    if isinstance(found, Problem):
        return found
    revision, configuration = found
    return msgspec.structs.replace(
        target,
        revision_name=revision.metadata.name,
        configuration_name=configuration,
        latest_revision=not target.revision_name,
        percent=target.percent or 0,
        url="",
    )


def _pinned(route: Route, target: TrafficTarget, view: View) -> tuple[Revision, str] | Problem:
    """The revision that *target* names, and the name of its Configuration."""
    namespace, name = route.metadata.namespace, target.revision_name
    revision = view.get(Revision, namespace, name)
    if revision is None:
        return _missing("Revision", name)
    service = route.metadata.labels.get(SERVICE)
    actual = revision.metadata.labels.get(SERVICE)
    if service and actual != service:
        text = f'Revision "{name}" does not belong to Service "{service}".'
        if actual:
            text = f'Revision "{name}" belongs to Service "{actual}", not Service "{service}".'
        return Problem("False", "RevisionNotOwned", text)
    if not is_true(revision.status.conditions):
        return _not_ready_revision(revision)
    configuration = revision.metadata.labels.get(CONFIGURATION, "")
    if configuration and view.get(Configuration, namespace, configuration) is None:
        return _missing("Configuration", configuration)
    return revision, configuration


def _latest(route: Route, target: TrafficTarget, view: View) -> tuple[Revision, str] | Problem:
    """The newest ready revision of the Configuration that *target* names, and its name."""
    namespace, name = route.metadata.namespace, target.configuration_name
    configuration = view.get(Configuration, namespace, name)
    if configuration is None:
        return _missing("Configuration", name)
    latest = configuration.status.latest_ready_revision_name
    if not latest:
        return _not_ready_configuration(configuration)
    revision = view.get(Revision, namespace, latest)
    if revision is None:
        return _missing("Revision", latest)
    if not is_true(revision.status.conditions):
        return _not_ready_revision(revision)
    return revision, name


def _missing(kind: str, name: str) -> Problem:
    text = f'{kind} "{name}" referenced in traffic not found.'
    return Problem("False", f"{kind}Missing", text)


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
