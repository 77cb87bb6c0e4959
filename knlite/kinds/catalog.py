"""All kinds by name: what a document's ``apiVersion`` and ``kind`` mean.

Each group lists its own kinds (``core/catalog.py``, ``serving/catalog.py``, …).

Source: Knative reference §1.1, Eventing reference §2 (names and short names).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import msgspec

from knlite.kinds.codec import Problem, decode, encode
from knlite.kinds.core import catalog as core
from knlite.kinds.eventing import catalog as eventing
from knlite.kinds.fielderror import Errors
from knlite.kinds.flows import catalog as flows
from knlite.kinds.kindinfo import KindInfo
from knlite.kinds.messaging import catalog as messaging
from knlite.kinds.meta import Object
from knlite.kinds.serving import catalog as serving
from knlite.kinds.sinks import catalog as sinks
from knlite.kinds.sources import catalog as sources

KINDS: tuple[KindInfo, ...] = (
    *serving.KINDS,
    *eventing.KINDS,
    *messaging.KINDS,
    *flows.KINDS,
    *sources.KINDS,
    *sinks.KINDS,
    *core.KINDS,
)

SERVED: tuple[KindInfo, ...] = tuple(each for info in KINDS for each in info.served())
"""The same in all the versions in which they are served."""

_BY_TYPE: Mapping[type[Object], KindInfo] = {info.type: info for info in KINDS}
_BY_NAME = {(info.api_version, info.kind): info for info in SERVED}
_BY_RESOURCE = {(info.group, info.version, info.plural): info for info in SERVED}
_BY_WORD: Mapping[str, KindInfo] = {
    word: info
    # The first kind listed wins an ambiguous word: a service is Knative's unless one says svc.
    # (kubectl looks into the core group first, where services are Kubernetes' own.)
    for info in reversed(KINDS)
    for word in (info.plural, info.singular, *info.short_names, info.resource)
}


def info_of(kind: type[Object]) -> KindInfo:
    """What the catalog says of *kind*."""
    return _BY_TYPE[kind]


def find_kind(word: str) -> KindInfo | None:
    """The kind that a person means by *word*: plural, singular or short name, in any case."""
    return _BY_WORD.get(word.lower())


def kind_named(api_version: str, kind: str) -> KindInfo | None:
    """The kind that a document or a reference names."""
    return _BY_NAME.get((api_version, kind))


def by_resource(group: str, version: str, plural: str) -> KindInfo | None:
    """The kind served at ``/apis/GROUP/VERSION/…/PLURAL``."""
    return _BY_RESOURCE.get((group, version, plural))


def document(obj: Object) -> dict[str, Any]:
    """*obj* as a whole document, ``apiVersion`` and ``kind`` first."""
    info = info_of(type(obj))
    return {"apiVersion": info.api_version, "kind": info.kind, **encode(obj)}


def tree_of(obj: Object, served: KindInfo | None = None) -> dict[str, Any]:
    """The same as a tree of lists and dicts only, as a client would have sent it.

    In the version *served*, if one is given.
    """
    whole = document(obj) if served is None else shown_in(served, obj)
    tree: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(whole))
    return tree


def shown_in(served: KindInfo, obj: Object) -> dict[str, Any]:
    """The stored *obj* as a whole document of the version *served* of its kind."""
    return {
        "apiVersion": served.api_version,
        "kind": served.kind,
        **encode(served.shown(obj)),
    }


@dataclass(frozen=True, slots=True)
class Read:
    """What a document turned out to be; *value* is None when there are problems."""

    value: Object | None
    problems: tuple[Problem, ...] = ()
    unknown: tuple[str, ...] = ()
    """What was pruned, in the words of field validation."""
    errors: Errors = ()
    """What admission says of *refused*, where its version has rules of its own."""
    refused: Object | None = None


def read(tree: object, *, strict: bool = True) -> Read:
    """The object that the document *tree* describes, or everything wrong with its shape.

    It is as it will be stored, in whichever version of its kind the document is.
    """
    if not isinstance(tree, Mapping):
        return Read(None, (Problem("", "a document must be a map with apiVersion and kind"),))
    absent = [name for name in ("apiVersion", "kind") if not isinstance(tree.get(name), str)]
    if absent:
        return Read(None, tuple(Problem("", f"{name}: Required value") for name in absent))
    api_version, kind = str(tree["apiVersion"]), str(tree["kind"])
    info = _BY_NAME.get((api_version, kind))
    if info is None:
        return Read(None, (Problem("kind", _no_match(api_version, kind)),))
    fields = {name: value for name, value in tree.items() if name not in {"apiVersion", "kind"}}
    decoded = decode(info.type, fields, strict=strict)
    if decoded.value is None:
        return Read(None, decoded.problems, decoded.unknown)
    errors = info.validated_before(decoded.value)
    if errors:
        problems = tuple(Problem("", str(each)) for each in errors)
        return Read(None, problems, decoded.unknown, errors, decoded.value)
    return Read(info.stored(decoded.value), (), decoded.unknown)


def _no_match(api_version: str, kind: str) -> str:
    text = f'no matches for kind "{kind}" in version "{api_version}"'
    known = {f"{info.kind} ({info.api_version})": info for info in SERVED if info.declared}
    same_kind = [name for name, info in known.items() if info.kind == kind]
    close = same_kind or get_close_matches(f"{kind} ({api_version})", known, n=1)
    return f"{text}; did you mean {close[0]}?" if close else f"{text}; knlite has no such kind"
