"""Lists: what the selectors of a request select, whole or in pieces.

A list in pieces is not a snapshot: what has changed since its first piece is listed as it is now,
and told again to who watches from the version that all pieces carry.

Source: Kubernetes API concepts (``limit`` and ``continue``); ``docs/adr/0014``.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.requests import Request

from knlite.apiserver import options
from knlite.apiserver.paths import Target
from knlite.apiserver.selectors import label_selector, named, predicate
from knlite.errors import Expired, InvalidInput
from knlite.kinds.meta import Object
from knlite.reconcile import Key
from knlite.registry.registry import Registry
from knlite.registry.watch import Predicate

_STALE_TOKEN = (
    "The provided continue parameter is too old to display a consistent list result. You must start"
    " a new list without the continue parameter."
)


@dataclass(frozen=True, slots=True)
class Page:
    """One piece of a list, and the list's own metadata."""

    objects: Sequence[Object]
    metadata: dict[str, Any]


def page(registry: Registry, request: Request, target: Target) -> Page:
    """The piece that *request* asks for. Raises ``InvalidInput``, ``Expired``."""
    found = _selected(registry, request, target)
    version = registry.version
    token = request.query_params.get("continue", "")
    if token:
        version, after = _continued(registry, target, token)
        found = [obj for obj in found if _place(obj) > after]
    metadata: dict[str, Any] = {"resourceVersion": str(version)}
    limit = options.number(request, "limit") or 0
    if limit and len(found) > limit:
        if question(request, target) is None:
            metadata["remainingItemCount"] = len(found) - limit
        found = found[:limit]
        metadata["continue"] = _token(version, found[-1])
    return Page(found, metadata)


def question(request: Request, target: Target) -> Predicate | None:
    """What the selectors of *request* ask of an object; None if everything will do."""
    query = request.query_params
    labels, fields = query.get("labelSelector", ""), query.get("fieldSelector", "")
    return predicate(target.info, labels, fields)


def _selected(registry: Registry, request: Request, target: Target) -> Sequence[Object]:
    """All that is selected, sorted by namespace and name."""
    query = request.query_params
    asked = question(request, target)
    kind, namespace, view = target.info.key_type, target.namespace, registry.view
    name = named(query.get("fieldSelector", ""))
    if name and (namespace or not target.info.namespaced):
        one = registry.at(Key(kind, namespace, name))
        found: Sequence[Object] = () if one is None else (one,)
    elif namespace and (label := _one_label(query.get("labelSelector", ""))) is not None:
        found = view.labelled(kind, namespace, *label)
    else:
        found = view.listed(kind, namespace)
    return found if asked is None else [obj for obj in found if asked(obj)]


def _one_label(text: str) -> tuple[str, str] | None:
    """Key and value if *text* asks for just one label to be equal; the registry has lists of it."""
    for requirement in label_selector(text).match_expressions:
        if requirement.operator == "In" and len(requirement.values) == 1:
            return requirement.key, requirement.values[0]
    return None


def _continued(registry: Registry, target: Target, token: str) -> tuple[int, tuple[str, str]]:
    """The version of the first piece, and the place of the last object so far."""
    try:
        version, namespace, name = msgspec.json.decode(
            urlsafe_b64decode(token), type=tuple[int, str, str]
        )
    except (ValueError, msgspec.DecodeError) as exc:
        raise InvalidInput("continue key is not valid") from exc
    try:
        registry.require_in_window(target.info.key_type, version)
    except Expired as exc:
        raise Expired(_STALE_TOKEN) from exc
    return version, (namespace, name)


def _place(obj: Object) -> tuple[str, str]:
    return (obj.metadata.namespace, obj.metadata.name)


def _token(version: int, last: Object) -> str:
    return urlsafe_b64encode(msgspec.json.encode((version, *_place(last)))).decode()
