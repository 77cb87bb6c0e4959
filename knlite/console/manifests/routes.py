"""``/knlite/manifests``: what the Manifests page asks."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anyio
import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from knlite.apiserver import options
from knlite.apiserver.bodies import read_bytes
from knlite.apiserver.ownjson import own_json
from knlite.apiserver.verbs import user_of
from knlite.console.manifests.conditions import Change, ConditionHistory
from knlite.console.manifests.differences import Difference, differences
from knlite.console.manifests.listing import Listed, Place, Places, listed
from knlite.console.manifests.shown import edited, shown, state_of
from knlite.console.manifests.written import Opened, Result, read_text, write
from knlite.errors import InvalidInput, NotFound
from knlite.kinds.catalog import by_resource, tree_of
from knlite.kinds.core.secret import Secret
from knlite.kinds.kindinfo import KindInfo
from knlite.kinds.meta import Object, controller_of
from knlite.manifests.declared import load
from knlite.reconcile import Key, key_of
from knlite.registry.registry import Registry

NO_NAMESPACE = "-"
"""Stands for the namespace of what has none, as an empty part of a path would be lost."""
BATCH = 500
"""Objects that are listed at one go."""
MAX_TEXT = 512 * 1024
"""Bytes of a text that is edited; files of any size are for ``knlite up`` and kubectl."""


class Listing(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """All objects by name."""

    items: Sequence[Listed]


class Declaration(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The place that declares the object; what is not as it says there, null if that is unknown."""

    file: str
    line: int
    differences: Sequence[Difference] | None


class Opening(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One object. *state* goes along when the text comes back; *fixed* says why editing is of
    no use."""

    yaml: str
    state: str
    uid: str
    kind: str
    hidden: bool
    fixed: str
    declared: Declaration | None
    conditions: Sequence[Any]
    history: Sequence[Change]


class Manifests:
    """Answers from *registry*; *places* knows which file has declared an object."""

    def __init__(self, registry: Registry, places: Places, history: ConditionHistory) -> None:
        self._registry = registry
        self._places = places
        self._history = history

    def routes(self) -> list[BaseRoute]:
        """``GET`` all of them or one, ``POST`` a text."""
        one = "/knlite/manifests/{group}/{version}/{plural}/{namespace}/{name}"
        return [
            Route("/knlite/manifests", self._list),
            Route("/knlite/manifests", self._write, methods=["POST"]),
            Route(one, self._one),
        ]

    async def _list(self, _request: Request) -> Response:
        items = []
        for each in listed(self._registry.view, self._places):
            items.append(each)
            if len(items) % BATCH == 0:
                # Requests go on meanwhile: ten thousand objects take some 50 ms.
                await anyio.lowlevel.checkpoint()
        return own_json(Listing(items=items))

    async def _one(self, request: Request) -> Response:
        """Raises ``NotFound``."""
        params = request.path_params
        info, key = _named(tuple(params[name] for name in _PATH))
        obj = self._registry.at(key)
        if obj is None:
            raise NotFound(f'{info.resource} "{key.name}" not found')
        secrets = options.flag(request, "secrets")
        hidden = isinstance(obj, Secret) and not secrets
        place = self._places(key)
        return own_json(
            Opening(
                yaml=shown(obj, info, whole=options.flag(request, "whole"), secrets=secrets),
                state=state_of(obj),
                uid=obj.metadata.uid,
                kind=info.kind,
                hidden=hidden,
                fixed=_fixed(info, obj),
                declared=await _declaration(place, obj, hidden=hidden) if place else None,
                conditions=getattr(getattr(obj, "status", None), "conditions", None) or (),
                history=self._history.of(key),
            )
        )

    async def _write(self, request: Request) -> Response:
        """Try what the text in the body says, or do it. Raises ``InvalidInput``, ``TooLarge``."""
        body = await read_bytes(request, MAX_TEXT)
        try:
            text = body.decode()
        except UnicodeDecodeError as exc:
            raise InvalidInput(f"the text is not UTF-8: {exc.reason}") from exc
        opened = _opened(request)
        # Reading a long text takes a while, and requests go on meanwhile.
        declared, problems = await anyio.to_thread.run_sync(read_text, text)
        if problems:
            return own_json(Result(applied=False, documents=(), problems=problems))
        dry_run = options.flag(request, "dryRun")
        user = user_of(request)
        return own_json(write(self._registry, declared, opened, user=user, dry_run=dry_run))


_PATH = ("group", "version", "plural", "namespace", "name")


def _named(parts: Sequence[str]) -> tuple[KindInfo, Key]:
    """The kind and the key that the five parts of a path name. Raises ``NotFound``."""
    group, version, plural, namespace, name = parts
    info = by_resource("" if group == "core" else group, version, plural)
    if info is None:
        raise NotFound(f'there is no kind "{plural}" in {group}/{version}')
    return info, Key(info.key_type, "" if namespace == NO_NAMESPACE else namespace, name)


def _opened(request: Request) -> Opened | None:
    """The object that was opened for editing, if one was. Raises ``InvalidInput``."""
    path, state = request.query_params.get("object"), request.query_params.get("state")
    if not path or not state:
        return None
    parts = path.split("/")
    if len(parts) != len(_PATH):
        raise InvalidInput(f'"object" must be {"/".join(_PATH).upper()}, not "{path}"')
    return Opened(_named(parts)[1], state)


def _fixed(info: KindInfo, obj: Object) -> str:
    """Why editing the object is of no use; empty if it is."""
    if "update" not in info.verbs:
        return f"{info.kind} objects follow from others and cannot be written"
    owner = controller_of(obj)
    if owner is not None:
        return (
            f'{owner.kind} "{owner.name}" makes this object: what is changed here is changed back'
        )
    return ""


async def _declaration(place: Place, obj: Object, *, hidden: bool) -> Declaration:
    """Where *obj* was declared, and in what it differs from what the file says now."""
    file, line = place
    key = key_of(obj)
    found = await anyio.to_thread.run_sync(_in_file, file, key)
    if found is None or hidden:
        return Declaration(file=file, line=line, differences=None)
    wanted, at = found
    now = edited(tree_of(obj))
    return Declaration(file=file, line=at, differences=differences(edited(wanted), now))


def _in_file(file: str, key: Key) -> tuple[dict[str, Any], int] | None:
    """What *file* says of the object at *key*, and where; None if it is not there any more."""
    for each in load([Path(file)]).declared:
        if key_of(each.obj) == key:
            return tree_of(each.obj), each.manifest.line
    return None
