"""What a write carries: an object for the place that its path names, a patch, how to delete.

Source: Kubernetes API concepts (patch formats), ``apiserver/pkg/endpoints/handlers`` (texts).
Not here: whether it may be stored (the registry).
"""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from knlite.apiserver import options
from knlite.apiserver.bodies import (
    Body,
    decoded_json,
    decoded_yaml,
    media_type,
    read_body,
    read_bytes,
)
from knlite.apiserver.paths import Target
from knlite.apiserver.refusals import Unsupported
from knlite.errors import InvalidInput
from knlite.kinds.meta import Object
from knlite.kinds.patch.apply import ApplyPatch
from knlite.kinds.patch.jsonpatch import JsonPatch
from knlite.kinds.patch.merge import MergePatch
from knlite.kinds.patch.strategic import StrategicPatch
from knlite.registry.fieldvalidation import read_object
from knlite.registry.write import Write

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"


async def new_document(request: Request, target: Target, write: Write) -> dict[str, Any]:
    """The document of an object to create. Raises ``InvalidInput``, ``TooLarge``, ``Unsupported``.

    Its ``metadata`` may be anything yet.
    """
    tree = _document(target, await read_body(request), write)
    if target.info.has_status:
        # It begins without one, whatever the body says.
        return {name: value for name, value in tree.items() if name != "status"}
    return tree


def name_in(tree: Mapping[str, Any]) -> str:
    """The name that a document gives to its object; empty if it gives none."""
    meta = tree.get("metadata")
    name = meta.get("name") if isinstance(meta, Mapping) else ""
    return name if isinstance(name, str) else ""


async def whole_object(request: Request, target: Target, write: Write) -> Object:
    """The object to replace another with. Raises as ``new_document``."""
    return read_object(_document(target, await read_body(request), write), write)


async def patch(
    request: Request, target: Target, write: Write
) -> ApplyPatch | JsonPatch | MergePatch | StrategicPatch:
    """The patch in the body, of the kind that its media type says. Raises as ``new_document``."""
    kind = media_type(request)
    served = [JSON_PATCH, MERGE_PATCH, *([] if target.info.custom else [STRATEGIC_PATCH])]
    if kind == APPLY_PATCH:
        if not request.query_params.get("fieldManager"):
            raise InvalidInput(
                "PatchOptions.meta.k8s.io is invalid: fieldManager: Required value: is required for"
                " apply patch"
            )
        tree = _document(target, decoded_yaml(await read_bytes(request)), write)
        return ApplyPatch(tree, force=options.flag(request, "force"))
    if kind not in served:
        raise Unsupported(
            "the body of the request was in an unknown format - accepted media types include:"
            f" {', '.join([*served, APPLY_PATCH])}"
        )
    body = decoded_json(await read_bytes(request))
    if kind == JSON_PATCH:
        return JsonPatch(body.tree)
    _judge_duplicates(target, body, write)
    return MergePatch(body.tree) if kind == MERGE_PATCH else StrategicPatch(body.tree)


async def deletion(request: Request) -> options.Deleting:
    """How something is to be deleted. Raises as ``new_document``."""
    if int(request.headers.get("content-length") or 0):
        return options.deleting(request, (await read_body(request)).tree)
    # Chunked or absent; an empty body is none.
    body = await read_bytes(request)
    return options.deleting(request, decoded_json(body).tree if body.strip() else None)


def _document(target: Target, body: Body, write: Write) -> dict[str, Any]:
    """The object in *body* as one of the kind and at the place that *target* names.

    Raises ``InvalidInput`` if it says that it is another.
    """
    if not isinstance(body.tree, Mapping):
        raise InvalidInput("the body of the request must be an object")
    info = target.info
    tree = dict(body.tree)
    kind, version = tree.get("kind") or info.kind, tree.get("apiVersion") or info.api_version
    if version != info.api_version:
        raise InvalidInput(
            f"the API version in the data ({version}) does not match the expected API version"
            f" ({info.api_version})"
        )
    if kind != info.kind:
        raise InvalidInput(f'{kind} in version "{info.version}" cannot be handled as a {info.kind}')
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
        kind, version = target.info.kind, target.info.version
        raise InvalidInput(
            f'{kind} in version "{version}" cannot be handled as a {kind}: strict decoding'
            f" error: {', '.join(texts)}"
        )
    if write.field_validation == "Warn":
        for text in texts:
            write.warn(text)
