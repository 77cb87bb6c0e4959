"""The marks on what a Route refers to: which Routes do, and whether a revision is in use.

Source: knative/serving ``pkg/reconciler/labeler``; Knative reference §1.10, §5.3 (8).
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypeVar

import msgspec

from knlite.kinds.conditions import find, timestamp
from knlite.kinds.labels import ROUTES, ROUTING_STATE, ROUTING_STATE_MODIFIED, routes_of
from knlite.kinds.meta import controller_of
from knlite.kinds.serving.configuration import Configuration
from knlite.kinds.serving.revision import Revision
from knlite.kinds.serving.route import Route
from knlite.reconcile import Change, Key, Update, View

T = TypeVar("T", Configuration, Revision)


def marked(route: Route, view: View, now: datetime) -> tuple[Change, ...]:
    """Changes to the labels and annotations of what *route* refers to, or did.

    A revision is in use as long as the status names it, and from the moment when it becomes the
    newest of a Configuration that gets traffic. Nothing is taken out of use while the Route is
    still being worked on.
    """
    revisions, configurations = _referred(route, view)
    name = route.metadata.name
    settled = _is_settled(route)
    return (
        *_changes(_concerned(Revision, route, revisions, settled, view), name, revisions, now),
        *_changes(
            _concerned(Configuration, route, configurations, settled, view),
            name,
            configurations,
            now,
        ),
    )


def cleared(key: Key, view: View, now: datetime) -> tuple[Change, ...]:
    """The same for a Route that is gone."""
    namespace, name = key.namespace, key.name
    return (
        *_changes(view.marked(Revision, namespace, name), name, frozenset(), now),
        *_changes(view.marked(Configuration, namespace, name), name, frozenset(), now),
    )


def _referred(route: Route, view: View) -> tuple[frozenset[str], frozenset[str]]:
    """Names of Revisions and of Configurations."""
    namespace = route.metadata.namespace
    revisions, configurations = set(), set()
    for target in (*route.status.traffic, *route.spec.traffic):
        name = target.configuration_name
        if target.revision_name:
            revision = view.get(Revision, namespace, target.revision_name)
            if revision is None:
                continue
            revisions.add(target.revision_name)
            owner = controller_of(revision)
            if owner is not None and owner.kind == "Configuration":
                name = owner.name
        configuration = view.get(Configuration, namespace, name) if name else None
        if configuration is None:
            continue
        configurations.add(name)
        newest = configuration.status.latest_created_revision_name
        if newest and target.latest_revision:
            revisions.add(newest)
    return frozenset(revisions), frozenset(configurations)


def _is_settled(route: Route) -> bool:
    ready = find(route.status.conditions)
    current = route.status.observed_generation == route.metadata.generation
    return current and ready is not None and ready.status != "Unknown"


def _concerned(
    kind: type[T], route: Route, chosen: frozenset[str], settled: bool, view: View
) -> Sequence[T]:
    """Those that shall carry the mark of *route* and, once it is settled, those that do."""
    namespace = route.metadata.namespace
    found = {}
    for obj in view.marked(kind, namespace, route.metadata.name):
        if settled or obj.metadata.name in chosen:
            found[obj.metadata.name] = obj
    for name in chosen - found.keys():
        chosen_one = view.get(kind, namespace, name)
        if chosen_one is not None:
            found[name] = chosen_one
    return [found[name] for name in sorted(found)]


def _changes(
    objects: Iterable[T], route: str, chosen: frozenset[str], now: datetime
) -> Iterable[Change]:
    for obj in objects:
        labels, annotations = dict(obj.metadata.labels), dict(obj.metadata.annotations)
        routes = set(routes_of(annotations))
        if obj.metadata.name in chosen:
            routes.add(route)
        else:
            routes.discard(route)
        if routes != set(routes_of(annotations)):
            annotations[ROUTES] = ",".join(sorted(routes))
        if not routes:
            annotations.pop(ROUTES, None)
        if isinstance(obj, Revision):
            state = "active" if routes else "reserve"
            if labels.get(ROUTING_STATE) != state:
                labels[ROUTING_STATE] = state
                annotations[ROUTING_STATE_MODIFIED] = timestamp(now)
        meta = obj.metadata
        if labels != meta.labels or annotations != meta.annotations:
            metadata = msgspec.structs.replace(meta, labels=labels, annotations=annotations)
            yield Update(msgspec.structs.replace(obj, metadata=metadata))
