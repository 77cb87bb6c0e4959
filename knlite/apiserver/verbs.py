"""The verbs on objects: get, list, create, update, patch, delete, deletecollection.

What may be stored, and what a write does, the registry decides; here its answers get the shapes
that clients ask for.

Source: Kubernetes API concepts; clients-api reference, Parts 4 and 6.
Not here: watching (``watching.py``), what is neither an object nor its status (``reviews.py``,
``podlogs.py``).
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from knlite.apiserver import options
from knlite.apiserver.bodies import (
    Body,
    decoded_json,
    decoded_yaml,
    media_type,
    read_bytes,
    read_object,
)
from knlite.apiserver.documents import encoded, encoded_list
from knlite.apiserver.negotiation import Accepted, accepted
from knlite.apiserver.paths import Target
from knlite.apiserver.refusals import MethodNotAllowed, NotAcceptable, Unsupported
from knlite.apiserver.selectors import Predicate, label_selector, named, predicate
from knlite.apiserver.status import success
from knlite.apiserver.tables import partial, table
from knlite.errors import Expired, InvalidInput, NotFound
from knlite.kinds.meta import Object
from knlite.kinds.patch.apply import ApplyPatch
from knlite.kinds.patch.jsonpatch import JsonPatch
from knlite.kinds.patch.merge import MergePatch
from knlite.kinds.patch.strategic import StrategicPatch
from knlite.reconcile import Key
from knlite.registry.reading import read_object as object_of
from knlite.registry.registry import Registry
from knlite.registry.writing import Write

USER = "kubernetes-admin"
"""In whose name clients of the API write, unless they impersonate somebody."""
_APPLY = frozenset(("application/apply-patch+yaml", "application/apply-patch+json"))
_STALE_TOKEN = (
    "The provided continue parameter is too old to display a consistent list result. You must start"
    " a new list without the continue parameter."
)


def user_of(request: Request) -> str:
    """Who asks."""
    return request.headers.get("impersonate-user") or USER


def wanted(request: Request) -> Accepted:
    """The shape of the answer. Raises ``NotAcceptable``."""
    found = accepted(request.headers.get("accept", ""))
    if found is None:
        raise NotAcceptable(
            "only the following media types are accepted: application/json,"
            " application/json;as=Table;v=v1;g=meta.k8s.io,"
            " application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
        )
    return found


def require_verb(target: Target, verb: str) -> None:
    """Refuse what a kind does not offer. Raises ``MethodNotAllowed``."""
    if verb not in target.info.verbs:
        raise MethodNotAllowed(
            f"{target.resource} is read-only: {verb} is not supported on resources of kind"
            f' "{target.resource}"'
        )


class Verbs:
    """The verbs over *registry*."""

    def __init__(self, registry: Registry, wall: Callable[[], datetime]) -> None:
        self._registry = registry
        self._wall = wall

    def get(self, request: Request, target: Target) -> Response:
        """One object. Raises ``NotFound``."""
        require_verb(target, "get")
        return self._answer(request, target, self.existing(target))

    def existing(self, target: Target) -> Object:
        """The object that *target* names. Raises ``NotFound``."""
        found = self._registry.at(key_of(target))
        if found is None:
            raise NotFound(f'{target.resource} "{target.name}" not found')
        return found

    def list(self, request: Request, target: Target) -> Response:
        """All objects of a kind or a namespace that the selectors select."""
        require_verb(target, "list")
        shape = wanted(request)
        found = self._selected(request, target)
        version = self._registry.version
        start = request.query_params.get("continue", "")
        limit = options.number(request, "limit") or 0
        if start:
            version, after = self._continued(target, start)
            found = [obj for obj in found if _place(obj) > after]
        metadata: dict[str, Any] = {"resourceVersion": str(version)}
        if limit and len(found) > limit:
            left = len(found) - limit
            found = found[:limit]
            metadata["continue"] = _token(version, found[-1])
            if not _selects(request):
                metadata["remainingItemCount"] = left
        return _json(self._listed(request, target, shape, found, metadata))

    async def create(self, request: Request, target: Target) -> Response:
        """Store the object in the body. Raises what ``Registry.create`` raises."""
        require_verb(target, "create")
        warnings = Warnings()
        write = options.writing(request, warnings)
        tree = _document(target, await read_object(request), write)
        if target.info.has_status:
            # It begins without one, whatever the body says.
            tree = {name: value for name, value in tree.items() if name != "status"}
        stored = self._registry.create(object_of(tree, write), user=user_of(request), write=write)
        return self._answer(request, target, stored, 201, warnings)

    async def update(self, request: Request, target: Target) -> Response:
        """Replace the object, or its status. Raises what ``Registry.update`` raises."""
        require_verb(target, "update")
        warnings = Warnings()
        write = options.writing(request, warnings)
        tree = _document(target, await read_object(request), write)
        obj, user = object_of(tree, write), user_of(request)
        change = self._registry.update_status if target.subresource else self._registry.update
        stored = change(obj, user=user, write=write, exact=True)
        return self._answer(request, target, stored, 200, warnings)

    async def patch(self, request: Request, target: Target) -> Response:
        """Change the object, or its status. Raises what ``Registry.patch`` raises."""
        require_verb(target, "patch")
        warnings = Warnings()
        write = options.writing(request, warnings)
        patch = await self._patch(request, target, write)
        key = key_of(target)
        existed = self._registry.at(key) is not None
        stored = self._registry.patch(
            key,
            patch,
            user=user_of(request),
            write=write,
            subresource="status" if target.subresource else "",
        )
        return self._answer(request, target, stored, 200 if existed else 201, warnings)

    async def delete(self, request: Request, target: Target) -> Response:
        """Delete one object: a Status if it is gone, else the object that waits."""
        require_verb(target, "delete")
        how = options.deleting(request, await self._delete_options(request))
        key = key_of(target)
        last = self._registry.delete(
            key,
            propagation=how.propagation,
            write=Write(dry_run=how.dry_run),
            uid=how.uid,
            resource_version=how.resource_version,
        )
        left = self._registry.at(key)
        if left is not None and left.metadata.uid == last.metadata.uid and not how.dry_run:
            return self._answer(request, target, left)
        return success(target, last.metadata.uid)

    async def delete_collection(self, request: Request, target: Target) -> Response:
        """Delete all objects that the selectors select, and answer with them."""
        require_verb(target, "deletecollection")
        how = options.deleting(request, await self._delete_options(request))
        question = _question(request, target)
        doomed = self._registry.delete_collection(
            target.info.type,
            target.namespace,
            predicate=question,
            propagation=how.propagation,
            write=Write(dry_run=how.dry_run),
        )
        metadata = {"resourceVersion": str(self._registry.version)}
        return _json(self._listed(request, target, wanted(request), doomed, metadata))

    def _selected(self, request: Request, target: Target) -> Sequence[Object]:
        """What the selectors of a list select, sorted by namespace and name."""
        query = request.query_params
        question = _question(request, target)
        kind, namespace, view = target.info.type, target.namespace, self._registry.view
        name = named(query.get("fieldSelector", ""))
        if name and (namespace or not target.info.namespaced):
            one = self._registry.at(Key(kind, namespace, name))
            found: Sequence[Object] = () if one is None else (one,)
        elif namespace and (label := _one_label(query.get("labelSelector", ""))) is not None:
            found = view.labelled(kind, namespace, *label)
        else:
            found = view.listed(kind, namespace)
        return found if question is None else [obj for obj in found if question(obj)]

    def _continued(self, target: Target, token: str) -> tuple[int, tuple[str, str]]:
        """The version and the last place that a ``continue`` token names.

        What has changed since is listed as it is now, and told again to who watches from that
        version on. Raises ``Expired`` when that is no longer possible, ``InvalidInput``.
        """
        try:
            version, namespace, name = msgspec.json.decode(
                urlsafe_b64decode(token), type=tuple[int, str, str]
            )
        except (ValueError, msgspec.DecodeError) as exc:
            raise InvalidInput("continue key is not valid") from exc
        try:
            self._registry.watch(target.info.type, target.namespace, since=version)
        except Expired as exc:
            raise Expired(_STALE_TOKEN) from exc
        return version, (namespace, name)

    async def _patch(
        self, request: Request, target: Target, write: Write
    ) -> ApplyPatch | JsonPatch | MergePatch | StrategicPatch:
        kind = media_type(request)
        if kind in _APPLY:
            if not request.query_params.get("fieldManager"):
                raise InvalidInput(
                    "PatchOptions.meta.k8s.io is invalid: fieldManager: Required value: is required"
                    " for apply patch"
                )
            body = decoded_yaml(await read_bytes(request))
            tree = _document(target, body, write)
            return ApplyPatch(tree, force=options.flag(request, "force"))
        if kind == "application/json-patch+json":
            return JsonPatch(decoded_json(await read_bytes(request)).tree)
        if kind == "application/merge-patch+json":
            return MergePatch(decoded_json(await read_bytes(request)).tree)
        if kind == "application/strategic-merge-patch+json" and not target.info.custom:
            return StrategicPatch(decoded_json(await read_bytes(request)).tree)
        served = ["application/json-patch+json", "application/merge-patch+json"]
        served += [] if target.info.custom else ["application/strategic-merge-patch+json"]
        raise Unsupported(
            "the body of the request was in an unknown format - accepted media types include:"
            f" {', '.join([*served, 'application/apply-patch+yaml'])}"
        )

    async def _delete_options(self, request: Request) -> Any:
        if not int(request.headers.get("content-length") or 0):
            # Chunked or absent; an empty body is none.
            body = await read_bytes(request)
            return decoded_json(body).tree if body.strip() else None
        return (await read_object(request)).tree

    def _listed(
        self,
        request: Request,
        target: Target,
        shape: Accepted,
        found: Sequence[Object],
        metadata: dict[str, Any],
    ) -> bytes:
        match shape.shape:
            case "Table":
                return table(
                    target.info,
                    found,
                    metadata=metadata,
                    include=options.included(request),
                    version=shape.version,
                    now=self._wall(),
                )
            case "Object":
                return encoded_list(target.info, found, metadata, target.version)
            case _:
                return msgspec.json.encode(
                    {
                        "kind": "PartialObjectMetadataList",
                        "apiVersion": f"meta.k8s.io/{shape.version}",
                        "metadata": metadata,
                        "items": [partial(target.info, obj, shape.version) for obj in found],
                    }
                )

    def _answer(
        self,
        request: Request,
        target: Target,
        obj: Object,
        code: int = 200,
        warnings: "Warnings | None" = None,
    ) -> Response:
        shape = wanted(request)
        match shape.shape:
            case "Table":
                metadata = {"resourceVersion": obj.metadata.resource_version}
                body = self._listed(request, target, shape, [obj], metadata)
            case "Object":
                body = encoded(target.info, obj, target.version)
            case _:
                body = msgspec.json.encode(partial(target.info, obj, shape.version))
        answer = _json(body, code)
        for text in warnings or ():
            answer.headers.append("Warning", text)
        return answer


class Warnings:
    """The texts that one write gives rise to, as values of ``Warning`` headers (RFC 9111 §5.5)."""

    def __init__(self) -> None:
        self._texts: dict[str, None] = {}

    def __call__(self, text: str) -> None:
        """Note *text*."""
        printable = "".join(letter if letter.isprintable() else " " for letter in text)
        escaped = printable.replace("\\", "\\\\").replace('"', '\\"')
        # Headers are Latin-1 by their transport; Kubernetes sends UTF-8 in them.
        value = f'299 - "{escaped}"'.encode().decode("latin-1")
        self._texts[value] = None

    def __iter__(self) -> Any:
        """The values, each once."""
        return iter(self._texts)


def key_of(target: Target) -> Key:
    """The key of the object that *target* names."""
    return Key(target.info.type, target.namespace, target.name)


def _json(body: bytes, code: int = 200) -> Response:
    return Response(body, code, media_type="application/json")


def _document(target: Target, body: Body, write: Write) -> dict[str, Any]:
    """The object in *body* as one of the kind and at the place that *target* names.

    Raises ``InvalidInput`` if it says that it is another.
    """
    if not isinstance(body.tree, Mapping):
        raise InvalidInput("the body of the request must be an object")
    info = target.info
    tree = dict(body.tree)
    served = f"{info.group}/{target.version}" if info.group else target.version
    kind, version = tree.get("kind") or info.kind, tree.get("apiVersion") or served
    if version != served:
        raise InvalidInput(
            f"the API version in the data ({version}) does not match the expected API version"
            f" ({served})"
        )
    if kind != info.kind:
        raise InvalidInput(
            f'{kind} in version "{target.version}" cannot be handled as a {info.kind}'
        )
    _judge_duplicates(target, body, write)
    meta = tree.get("metadata")
    if meta is None:
        meta = {}
    if not isinstance(meta, Mapping):
        # The registry knows how to complain.
        return {**tree, "apiVersion": info.api_version, "kind": info.kind}
    placed = dict(meta)
    if target.name and placed.setdefault("name", target.name) != target.name:
        raise InvalidInput(
            f"the name of the object ({placed['name']}) does not match the name on the URL"
            f" ({target.name})"
        )
    if not info.namespaced:
        placed.pop("namespace", None)
    elif (placed.get("namespace") or target.namespace) != target.namespace:
        raise InvalidInput(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    else:
        placed["namespace"] = target.namespace
    return {**tree, "apiVersion": info.api_version, "kind": info.kind, "metadata": placed}


def _judge_duplicates(target: Target, body: Body, write: Write) -> None:
    texts = [f'duplicate field "{path}"' for path in body.duplicates]
    if texts and write.field_validation == "Strict":
        kind = target.info.kind
        raise InvalidInput(
            f'{kind} in version "{target.version}" cannot be handled as a {kind}: strict decoding'
            f" error: {', '.join(texts)}"
        )
    if write.field_validation == "Warn":
        for text in texts:
            write.warn(text)


def _question(request: Request, target: Target) -> Predicate | None:
    query = request.query_params
    labels, fields = query.get("labelSelector", ""), query.get("fieldSelector", "")
    return predicate(target.info, labels, fields)


def _selects(request: Request) -> bool:
    query = request.query_params
    return bool(query.get("labelSelector") or query.get("fieldSelector"))


def _one_label(text: str) -> tuple[str, str] | None:
    """Key and value if *text* asks for just one label to be equal; the registry has lists of it."""
    for requirement in label_selector(text).match_expressions:
        if requirement.operator == "In" and len(requirement.values) == 1:
            return requirement.key, requirement.values[0]
    return None


def _place(obj: Object) -> tuple[str, str]:
    return (obj.metadata.namespace, obj.metadata.name)


def _token(version: int, last: Object) -> str:
    return urlsafe_b64encode(msgspec.json.encode((version, *_place(last)))).decode()
