"""What an ApiServerSource watches, and the event that it makes of a change.

Source: knative/eventing ``pkg/adapter/apiserver/{adapter,delegate}.go``,
``events/events.go``; Eventing reference §10.
Not here: watching (``controlplane/sources.py``).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import msgspec

from knlite.eventing.cloudevent import CloudEvent, timestamp
from knlite.eventing.filters.build import EVERYTHING, filter_of_items
from knlite.eventing.filters.filter import Filter
from knlite.eventing.sources import Outlet, outlet_of, sends
from knlite.kinds.catalog import kind_named, shown_in
from knlite.kinds.core.namespace import Namespace
from knlite.kinds.eventing.filters import SubscriptionsAPIFilter
from knlite.kinds.kindinfo import KindInfo
from knlite.kinds.meta import Object, controller_of
from knlite.kinds.selectors import LabelSelector, matches
from knlite.kinds.sources.apiserversource import (
    API_SERVER,
    RESOURCE,
    ApiServerSource,
    ResourceOwner,
    WatchedResource,
    event_types,
)
from knlite.reconcile import View

ALL_NAMESPACES = ""

Change = Literal["ADDED", "MODIFIED", "DELETED"]


class _Reference(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """How the mode ``Reference`` names the object."""

    kind: str
    namespace: str = ""
    name: str = ""
    api_version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """Objects of one kind in one namespace (or all, "") that a source watches."""

    info: KindInfo
    namespace: str
    selector: LabelSelector | None = None

    def selects(self, obj: Object) -> bool:
        """Whether the labels of *obj* are wanted."""
        return self.selector is None or matches(self.selector, obj.metadata.labels)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiServerPlan:
    """One ApiServerSource."""

    outlet: Outlet
    watching: tuple[Watching, ...]
    mode: str
    owner: ResourceOwner | None = None
    filters: tuple[SubscriptionsAPIFilter, ...] = ()

    def filter(self) -> Filter:
        """What its events must pass."""
        return filter_of_items(self.filters) if self.filters else EVERYTHING

    def event(
        self, info: KindInfo, change: Change, obj: Object, new_id: str, now: datetime
    ) -> CloudEvent | None:
        """What is sent of *change* of *obj*; None if it is no object that is wanted."""
        if not self._owned(obj):
            return None
        meta = obj.metadata
        added, deleted, updated = event_types(self.mode)
        attributes = {
            "specversion": "1.0",
            "id": new_id,
            "source": API_SERVER,
            "type": {"ADDED": added, "DELETED": deleted, "MODIFIED": updated}[change],
            "time": timestamp(now),
            "subject": f"/apis/{info.api_version}/namespaces/{meta.namespace}"
            f"/{info.plural}/{meta.name}",
            "kind": info.kind,
            "apiversion": info.api_version,
            "name": meta.name,
        }
        if meta.namespace:
            attributes["namespace"] = meta.namespace
        if self.mode == RESOURCE:
            data = msgspec.json.encode(shown_in(info, obj))
        else:
            data = msgspec.json.encode(
                _Reference(info.kind, meta.namespace, meta.name, info.api_version)
            )
        return self.outlet.finished(CloudEvent(attributes, "application/json", data))

    def _owned(self, obj: Object) -> bool:
        if self.owner is None:
            return True
        controller = controller_of(obj)
        return controller is not None and (controller.api_version, controller.kind) == (
            self.owner.api_version,
            self.owner.kind,
        )


def namespaces_of(source: ApiServerSource, view: View) -> tuple[str, ...]:
    """The namespaces that *source* watches; ``ALL_NAMESPACES`` alone stands for each there is."""
    selector = source.spec.namespace_selector
    if selector is None:
        return (source.metadata.namespace,)
    if selector == LabelSelector():
        return (ALL_NAMESPACES,)
    found = view.listed(Namespace, "")
    return tuple(
        sorted(each.metadata.name for each in found if matches(selector, each.metadata.labels))
    )


def unknown_resources(source: ApiServerSource) -> tuple[str, ...]:
    """Kinds that *source* names and that do not exist here, as ``Kind of group/version``."""
    return tuple(
        f"{each.kind} of {each.api_version}"
        for each in source.spec.resources
        if kind_named(each.api_version, each.kind) is None
    )


def apiserver_plans(view: View) -> tuple[ApiServerPlan, ...]:
    """The ApiServerSources that send, sorted by namespace and name."""
    return tuple(_plan(each) for each in view.listed(ApiServerSource, "") if sends(each))


def _plan(source: ApiServerSource) -> ApiServerPlan:
    spec = source.spec
    watching = tuple(_watching(spec.resources, source.status.namespaces))
    return ApiServerPlan(
        outlet=outlet_of(source),
        watching=watching,
        mode=spec.mode,
        owner=spec.owner,
        filters=spec.filters,
    )


def _watching(
    resources: Sequence[WatchedResource], namespaces: Sequence[str]
) -> Iterator[Watching]:
    for resource in resources:
        info = kind_named(resource.api_version, resource.kind)
        if info is None:
            continue
        # Objects of the whole cluster have no namespace to be watched in.
        for namespace in namespaces if info.namespaced else (ALL_NAMESPACES,):
            yield Watching(info=info, namespace=namespace, selector=resource.selector)
