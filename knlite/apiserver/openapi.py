"""OpenAPI v3 documents made from the kinds' structs: what ``kubectl explain`` shows.

kubectl looks here whether the server checks fields itself (the parameter ``fieldValidation``), and
else refuses to create anything. OpenAPI v2 is an empty document, which all clients take.

Source: Kubernetes ``/openapi/v3`` (an index of documents whose address holds their hash, so that
clients may keep them); the parts of a document that kubectl reads.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import msgspec
from msgspec import inspect

from knlite.apiserver.discovery import resources
from knlite.apiserver.fieldtexts import description_of
from knlite.kinds.catalog import SERVED
from knlite.kinds.kindinfo import KindInfo, group_version
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.podspec.fieldmask import acceptable

V2_TYPE = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_QUERY = {
    "list": (
        "labelSelector",
        "fieldSelector",
        "limit",
        "continue",
        "watch",
        "resourceVersion",
        "resourceVersionMatch",
        "allowWatchBookmarks",
        "sendInitialEvents",
        "timeoutSeconds",
    ),
    "post": ("dryRun", "fieldManager", "fieldValidation"),
    "put": ("dryRun", "fieldManager", "fieldValidation"),
    "patch": ("dryRun", "fieldManager", "fieldValidation", "force"),
    "delete": ("dryRun", "gracePeriodSeconds", "propagationPolicy"),
}
_TYPES = {
    "limit": "integer",
    "timeoutSeconds": "integer",
    "gracePeriodSeconds": "integer",
    "watch": "boolean",
    "allowWatchBookmarks": "boolean",
    "sendInitialEvents": "boolean",
    "force": "boolean",
}
_PATCHES = ("application/json-patch+json", "application/merge-patch+json")
_APPLY = "application/apply-patch+yaml"
_STRATEGIC = "application/strategic-merge-patch+json"


@cache
def documents() -> Mapping[str, tuple[bytes, str]]:
    """``apis/GROUP/VERSION`` or ``api/v1`` to its encoded document and the hash of that."""
    versions = dict.fromkeys((each.group, each.version) for each in resources())
    found = {}
    for group, version in versions:
        body = msgspec.json.encode(_document(group, version))
        # A name, not a seal.
        digest = hashlib.sha256(body).hexdigest().upper()
        found[_path(group, version)] = (body, digest)
    return found


@cache
def index() -> bytes:
    """``/openapi/v3``."""
    paths = {
        path: {"serverRelativeURL": f"/openapi/v3/{path}?hash={digest}"}
        for path, (_, digest) in documents().items()
    }
    return msgspec.json.encode({"paths": paths})


def _path(group: str, version: str) -> str:
    return f"apis/{group}/{version}" if group else f"api/{version}"


def _document(group: str, version: str) -> dict[str, Any]:
    schemas = _Schemas()
    paths: dict[str, Any] = {}
    for info in SERVED:
        if (info.group, info.version) == (group, version):
            schemas.add_kind(info)
            paths.update(_paths(info))
    return {
        "openapi": "3.0.0",
        "info": {"title": "knlite", "version": group_version(group, version)},
        "paths": paths,
        "components": {"schemas": schemas.found},
    }


def _paths(info: KindInfo) -> Iterator[tuple[str, dict[str, Any]]]:
    root = "/" + _path(info.group, info.version)
    scope = "/namespaces/{namespace}" if info.namespaced else ""
    collection, single = f"{root}{scope}/{info.plural}", f"{root}{scope}/{info.plural}/{{name}}"
    yield collection, _operations(info, {"list": "get", "create": "post"}, ("namespace",))
    verbs = {"get": "get", "update": "put", "patch": "patch", "delete": "delete"}
    yield single, _operations(info, verbs, ("namespace", "name"))
    if info.has_status:
        verbs.pop("delete")
        yield f"{single}/status", _operations(info, verbs, ("namespace", "name"))
    if info.namespaced:
        yield f"{root}/{info.plural}", _operations(info, {"list": "get"}, ())


def _operations(info: KindInfo, verbs: Mapping[str, str], steps: Sequence[str]) -> dict[str, Any]:
    reference = {"$ref": f"#/components/schemas/{_kind_name(info)}"}
    found: dict[str, Any] = {}
    for verb, method in verbs.items():
        if verb not in info.verbs:
            continue
        operation: dict[str, Any] = {
            "x-kubernetes-action": method if verb != "list" else "list",
            "x-kubernetes-group-version-kind": _gvk(info),
            "parameters": _parameters("list" if verb == "list" else method),
            "responses": {
                "200": {"description": "OK", "content": {"application/json": {"schema": reference}}}
            },
        }
        if method in {"post", "put"}:
            operation["requestBody"] = {"content": {"*/*": {"schema": reference}}}
        if method == "patch":
            kinds = (*_PATCHES, _APPLY, *(() if info.custom else (_STRATEGIC,)))
            operation["requestBody"] = {
                "content": {kind: {"schema": {"type": "object"}} for kind in kinds}
            }
        found[method] = operation
    if not found:
        return {}
    needed = [step for step in steps if step == "name" or info.namespaced]
    found["parameters"] = [
        {"name": step, "in": "path", "required": True, "schema": {"type": "string"}}
        for step in needed
    ]
    return found


def _parameters(method: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "query", "schema": {"type": _TYPES.get(name, "string")}}
        for name in _QUERY.get(method, ())
    ]


def _gvk(info: KindInfo) -> dict[str, str]:
    return {"group": info.group, "version": info.version, "kind": info.kind}


def _kind_name(info: KindInfo) -> str:
    """``dev.knative.serving.v1.Service``, as generated clients name it."""
    if not info.group:
        return f"io.k8s.api.core.{info.version}.{info.kind}"
    if "." not in info.group:
        return f"io.k8s.api.{info.group}.{info.version}.{info.kind}"
    return ".".join([*reversed(info.group.split(".")), info.version, info.kind])


class _Schemas:
    """The schemas of one document; structs become schemas of their own, once each."""

    def __init__(self) -> None:
        self.found: dict[str, Any] = {}

    def add_kind(self, info: KindInfo) -> None:
        """The schema of a whole object."""
        struct = inspect.type_info(info.type)
        assert isinstance(struct, inspect.StructType)
        schema = self._struct(struct)
        properties = {
            "apiVersion": {"type": "string", "description": description_of(None, "apiVersion")},
            "kind": {"type": "string", "description": description_of(None, "kind")},
            **schema["properties"],
        }
        self.found[_kind_name(info)] = {
            **schema,
            "properties": properties,
            "x-kubernetes-group-version-kind": [_gvk(info)],
        }

    def _struct(self, struct: inspect.StructType) -> dict[str, Any]:
        properties = {}
        shown = acceptable(struct.cls)
        for field in struct.fields:
            if shown is not None and field.encode_name not in shown:
                continue
            schema = self._of(field.type)
            text = description_of(struct.cls, field.encode_name)
            if text:
                # Beside a $ref nothing else is read.
                schema = {"allOf": [schema]} if "$ref" in schema else schema
                schema["description"] = text
            properties[field.encode_name] = schema
        required = [each.encode_name for each in struct.fields if each.required]
        return {
            "type": "object",
            "description": description_of(struct.cls, ""),
            "properties": properties,
            **({"required": required} if required else {}),
        }

    def _of(self, info: inspect.Type) -> dict[str, Any]:
        match info:
            case inspect.StructType():
                return {"$ref": f"#/components/schemas/{self._reference(info)}"}
            case inspect.DictType(value_type=item):
                return {"type": "object", "additionalProperties": self._of(item)}
            case inspect.VarTupleType(item_type=item) | inspect.ListType(item_type=item):
                return {"type": "array", "items": self._of(item)}
            case inspect.UnionType(types=choices):
                return self._one_of(choices)
            case inspect.LiteralType(values=values):
                return {"type": "string", "enum": list(values)}
            case inspect.StrType():
                return {"type": "string"}
            case inspect.BoolType():
                return {"type": "boolean"}
            case inspect.IntType(le=most):
                return {"type": "integer", "format": "int64" if most is None else "int32"}
            case inspect.FloatType():
                return {"type": "number", "format": "double"}
            case _:
                return {"type": "object", "x-kubernetes-preserve-unknown-fields": True}

    def _one_of(self, choices: Sequence[inspect.Type]) -> dict[str, Any]:
        some = [each for each in choices if not isinstance(each, inspect.NoneType)]
        if len(some) == 1:
            return self._of(some[0])
        kinds = {type(each) for each in some}
        if inspect.StrType in kinds and inspect.IntType in kinds:
            # A quantity, or a port by number or by name.
            return {"type": "string", "x-kubernetes-int-or-string": True}
        return {"x-kubernetes-preserve-unknown-fields": True}

    def _reference(self, struct: inspect.StructType) -> str:
        name = META if struct.cls is ObjectMeta else _struct_name(struct.cls)
        if name not in self.found:
            # Its name first: what it holds may refer to it.
            self.found[name] = {}
            self.found[name] = self._struct(struct)
        return name


def _struct_name(kind: type) -> str:
    module = kind.__module__.removeprefix("knlite.kinds.")
    return f"io.knlite.{module}.{kind.__name__}"
