"""All objects by name, with what a person looks for them by. Pure."""

from collections.abc import Callable, Iterator

import msgspec

from knlite.console.standing import standing
from knlite.kinds.catalog import KINDS
from knlite.kinds.config.bundle import EVENTING_NAMESPACE, SERVING_NAMESPACE
from knlite.kinds.core.event import Event
from knlite.kinds.kindinfo import KindInfo
from knlite.kinds.meta import Object, controller_of
from knlite.reconcile import Key, View, key_of

PLATFORM = frozenset((SERVING_NAMESPACE, EVENTING_NAMESPACE, "kube-system", "kube-public"))
"""Namespaces whose objects come with knlite."""
_OF_PLATFORM = frozenset(("CustomResourceDefinition", "Node"))

Place = tuple[str, int]
"""A file, and the line in it where a document begins."""
Places = Callable[[Key], Place | None]
"""Where an object was declared, if a file has declared it."""


class Listed(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One object. *own* says whose it is, if it is no person's: ``owned`` or ``platform``."""

    group: str
    version: str
    api_version: str
    plural: str
    kind: str
    namespace: str
    name: str
    ready: str
    reason: str
    message: str
    created: str
    source: str
    own: str


def listed(view: View, places: Places) -> Iterator[Listed]:
    """Every object but Events, which are looked at where they belong to."""
    for info in KINDS:
        if info.type is not Event:
            for obj in view.listed(info.type, ""):
                yield _listed(info, obj, places(key_of(obj)))


def _listed(info: KindInfo, obj: Object, place: Place | None) -> Listed:
    meta = obj.metadata
    how = standing(obj)
    return Listed(
        group=info.group,
        version=info.version,
        api_version=info.api_version,
        plural=info.plural,
        kind=info.kind,
        namespace=meta.namespace,
        name=meta.name,
        ready=how.status,
        reason=how.reason,
        message=how.message,
        created=meta.creation_timestamp or "",
        source=f"{place[0]}:{place[1]}" if place else "",
        own=_own(info, obj),
    )


def _own(info: KindInfo, obj: Object) -> str:
    meta = obj.metadata
    if meta.namespace in PLATFORM or meta.name in PLATFORM or info.kind in _OF_PLATFORM:
        return "platform"
    if controller_of(obj) is not None or not info.declared:
        return "owned"
    return ""
