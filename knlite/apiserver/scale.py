"""The ``scale`` of an object: how many of something it wants and has, apart from all else it says.

Of a Deployment these are instances, of a KafkaSource consumers.

Source: Kubernetes autoscaling/v1 Scale; ``pkg/registry/apps/deployment/storage``. ``kubectl scale``
reads and writes it.
"""

from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from knlite.apiserver import options
from knlite.apiserver.bodies import decoded_json, media_type, read_body, read_bytes
from knlite.apiserver.incoming import JSON_PATCH, MERGE_PATCH
from knlite.apiserver.paths import Target
from knlite.apiserver.refusals import MethodNotAllowed, Unsupported
from knlite.apiserver.verbs import user_of
from knlite.apiserver.warnings import Warnings
from knlite.errors import Conflict, InvalidInput, NotFound
from knlite.kinds.core.deployment import Deployment, selector_column
from knlite.kinds.meta import Object
from knlite.kinds.patch.jsonpatch import JsonPatch
from knlite.kinds.patch.merge import MergePatch
from knlite.kinds.sources.kafkasource import KafkaSource
from knlite.reconcile import Key
from knlite.registry.registry import Registry

GROUP, VERSION, KIND = "autoscaling", "v1", "Scale"

Scaled = Deployment | KafkaSource
SCALED: Final[tuple[type[Object], ...]] = (Deployment, KafkaSource)
"""The kinds that have one."""
_MOST: Final = 2**31 - 1
"""An int32 in Go: clients could read no list with a larger number."""


async def scale(registry: Registry, request: Request, target: Target) -> Response:
    """Read or write it. Raises ``NotFound``, ``InvalidInput``, ``Conflict``, ``Forbidden``."""
    found = registry.at(Key(target.info.key_type, target.namespace, target.name))
    if not isinstance(found, Deployment | KafkaSource):
        raise NotFound(f'{target.resource} "{target.name}" not found')
    if request.method in {"GET", "HEAD"}:
        return JSONResponse(_document(found))
    warnings = Warnings()
    write = options.writing(request, warnings)
    wanted = _scaled(found, await _replicas(request, found, target.info.resource))
    return JSONResponse(_document(registry.update(wanted, user=user_of(request), write=write)))


async def _replicas(request: Request, found: Scaled, resource: str) -> int:
    """The number that the body asks for."""
    match request.method:
        case "PUT":
            tree = (await read_body(request)).tree
        case "PATCH":
            kind = media_type(request)
            patch = decoded_json(await read_bytes(request)).tree
            if kind == JSON_PATCH:
                tree = JsonPatch(patch).applied_to(_document(found))
            elif kind == MERGE_PATCH:
                tree = MergePatch(patch).applied_to(_document(found))
            else:
                raise Unsupported(f"a scale is patched with {MERGE_PATCH} or {JSON_PATCH}")
        case _:
            raise MethodNotAllowed(f"a scale is read, replaced or patched, not {request.method}")
    spec = tree.get("spec") if isinstance(tree, dict) else None
    replicas = spec.get("replicas", 0) if isinstance(spec, dict) else None
    if not isinstance(replicas, int) or isinstance(replicas, bool) or not 0 <= replicas <= _MOST:
        raise InvalidInput(f"spec.replicas of a scale must be a number from 0 to {_MOST}")
    meta = tree.get("metadata")
    version = meta.get("resourceVersion") if isinstance(meta, dict) else None
    if version and version != found.metadata.resource_version:
        raise Conflict(
            f'Operation cannot be fulfilled on {resource} "{found.metadata.name}": the object'
            " has been modified; please apply your changes to the latest version and try again"
        )
    return replicas


def _scaled(obj: Scaled, number: int) -> Scaled:
    """*obj* that wants *number* of what it runs."""
    if isinstance(obj, KafkaSource):
        consuming = msgspec.structs.replace(obj.spec, consumers=number)
        return msgspec.structs.replace(obj, spec=consuming)
    return msgspec.structs.replace(obj, spec=msgspec.structs.replace(obj.spec, replicas=number))


def _document(obj: Scaled) -> dict[str, Any]:
    meta = obj.metadata
    if isinstance(obj, KafkaSource):
        wanted, running, selector = obj.spec.consumers, obj.status.consumers, obj.status.selector
    else:
        wanted, running = obj.spec.replicas, obj.status.replicas
        selector = selector_column(obj)
    return {
        "kind": KIND,
        "apiVersion": f"{GROUP}/{VERSION}",
        "metadata": {
            "name": meta.name,
            "namespace": meta.namespace,
            "uid": meta.uid,
            "resourceVersion": meta.resource_version,
            "creationTimestamp": meta.creation_timestamp,
        },
        "spec": {"replicas": wanted or 0},
        "status": {"replicas": running, "selector": selector},
    }
