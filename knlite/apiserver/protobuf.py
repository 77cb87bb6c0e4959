"""Kubernetes' protobuf bodies of the few kinds that kubectl sends so, as JSON trees.

kubectl 1.32 and later send what they create by a typed command (``create configmap``) as protobuf
and do not fall back to JSON. Answers are JSON all the same.

Source: ``runtime.Unknown`` (magic ``k8s\\0``, 1 = typeMeta, 2 = raw) and the field numbers of
k8s.io/api ``generated.proto``. Fields that are not in these tables are skipped, as protobuf does.
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

MAGIC = b"k8s\x00"
MAX_DEPTH = 16


class Malformed(ValueError):
    """The bytes are no protobuf, or not of the kind that they claim to be."""


class Unknown(ValueError):
    """A kind whose messages are not known here."""


@dataclass(frozen=True, slots=True)
class _Field:
    """*type* is one of text, bytes, integer, boolean, time, map, bytes map, or a message."""

    name: str
    type: "str | _Message" = "text"
    many: bool = False


_Message = Mapping[int, _Field]

_OWNER: _Message = {
    1: _Field("kind"),
    3: _Field("name"),
    4: _Field("uid"),
    5: _Field("apiVersion"),
    6: _Field("controller", "boolean"),
    7: _Field("blockOwnerDeletion", "boolean"),
}
_META: _Message = {
    1: _Field("name"),
    2: _Field("generateName"),
    3: _Field("namespace"),
    5: _Field("uid"),
    6: _Field("resourceVersion"),
    7: _Field("generation", "integer"),
    8: _Field("creationTimestamp", "time"),
    9: _Field("deletionTimestamp", "time"),
    10: _Field("deletionGracePeriodSeconds", "integer"),
    11: _Field("labels", "map"),
    12: _Field("annotations", "map"),
    13: _Field("ownerReferences", _OWNER, many=True),
    14: _Field("finalizers", many=True),
}
_REFERENCE: _Message = {
    1: _Field("kind"),
    2: _Field("namespace"),
    3: _Field("name"),
    4: _Field("uid"),
    5: _Field("apiVersion"),
    6: _Field("resourceVersion"),
    7: _Field("fieldPath"),
}
_PORT: _Message = {
    1: _Field("name"),
    2: _Field("protocol"),
    3: _Field("port", "integer"),
    4: _Field("targetPort", "number or name"),
    5: _Field("nodePort", "integer"),
    6: _Field("appProtocol"),
}
_SERVICE_SPEC: _Message = {
    1: _Field("ports", _PORT, many=True),
    2: _Field("selector", "map"),
    3: _Field("clusterIP"),
    4: _Field("type"),
    5: _Field("externalIPs", many=True),
    7: _Field("sessionAffinity"),
    10: _Field("externalName"),
}
_META_FIELD = _Field("metadata", _META)
_ACCESS: _Message = {
    1: _Field("namespace"),
    2: _Field("verb"),
    3: _Field("group"),
    4: _Field("version"),
    5: _Field("resource"),
    6: _Field("subresource"),
    7: _Field("name"),
}
_TOKEN_SPEC: _Message = {
    1: _Field("audiences", many=True),
    3: _Field(
        "boundObjectRef",
        {1: _Field("kind"), 2: _Field("apiVersion"), 3: _Field("name"), 4: _Field("uid")},
    ),
    4: _Field("expirationSeconds", "integer"),
}
_PATH: _Message = {1: _Field("path"), 2: _Field("verb")}

_KINDS: Mapping[tuple[str, str], _Message] = {
    ("v1", "Namespace"): {1: _META_FIELD},
    ("v1", "ConfigMap"): {
        1: _META_FIELD,
        2: _Field("data", "map"),
        3: _Field("binaryData", "bytes map"),
        4: _Field("immutable", "boolean"),
    },
    ("v1", "Secret"): {
        1: _META_FIELD,
        2: _Field("data", "bytes map"),
        3: _Field("type"),
        4: _Field("stringData", "map"),
        5: _Field("immutable", "boolean"),
    },
    ("v1", "ServiceAccount"): {
        1: _META_FIELD,
        2: _Field("secrets", _REFERENCE, many=True),
        3: _Field("imagePullSecrets", {1: _Field("name")}, many=True),
        4: _Field("automountServiceAccountToken", "boolean"),
    },
    ("v1", "Service"): {1: _META_FIELD, 2: _Field("spec", _SERVICE_SPEC)},
    ("v1", "DeleteOptions"): {},
    ("authorization.k8s.io/v1", "SelfSubjectAccessReview"): {
        1: _META_FIELD,
        2: _Field(
            "spec",
            {1: _Field("resourceAttributes", _ACCESS), 2: _Field("nonResourceAttributes", _PATH)},
        ),
    },
    ("authorization.k8s.io/v1", "SelfSubjectRulesReview"): {
        1: _META_FIELD,
        2: _Field("spec", {1: _Field("namespace")}),
    },
    ("authentication.k8s.io/v1", "SelfSubjectReview"): {1: _META_FIELD},
    ("authentication.k8s.io/v1", "TokenRequest"): {1: _META_FIELD, 2: _Field("spec", _TOKEN_SPEC)},
}
_DELETE_OPTIONS: _Message = {
    1: _Field("gracePeriodSeconds", "integer"),
    2: _Field("preconditions", {1: _Field("uid"), 2: _Field("resourceVersion")}),
    3: _Field("orphanDependents", "boolean"),
    4: _Field("propagationPolicy"),
    5: _Field("dryRun", many=True),
}


def decode(body: bytes) -> dict[str, Any]:
    """The object in *body* as a JSON tree. Raises ``Malformed``, ``Unknown``."""
    if not body.startswith(MAGIC):
        raise Malformed("it does not begin with the magic number of Kubernetes")
    api_version, kind, raw = "", "", b""
    for number, value in _fields(body[len(MAGIC) :]):
        if number == 1 and isinstance(value, bytes):
            type_meta = _tree({1: _Field("apiVersion"), 2: _Field("kind")}, value, 0)
            api_version, kind = type_meta.get("apiVersion", ""), type_meta.get("kind", "")
        elif number == 2 and isinstance(value, bytes):
            raw = value
    # Every group has DeleteOptions of its own, all alike.
    message = _DELETE_OPTIONS if kind == "DeleteOptions" else _KINDS.get((api_version, kind))
    if message is None:
        raise Unknown(f"protobuf is not read for {kind or 'this kind'} of {api_version}; send JSON")
    return {"apiVersion": api_version, "kind": kind, **_tree(message, raw, 0)}


def _tree(message: _Message, data: bytes, depth: int) -> dict[str, Any]:
    if depth > MAX_DEPTH:
        raise Malformed("it is nested too deeply")
    tree: dict[str, Any] = {}
    for number, raw in _fields(data):
        field = message.get(number)
        if field is None:
            continue
        if field.type in ("map", "bytes map"):
            key, value = _entry(raw, as_bytes=field.type == "bytes map")
            tree.setdefault(field.name, {})[key] = value
            continue
        value = _value(field, raw, depth)
        if field.many:
            tree.setdefault(field.name, []).append(value)
        elif value not in ("", None):
            tree[field.name] = value
    return tree


def _value(field: _Field, raw: int | bytes, depth: int) -> Any:
    match field.type, raw:
        case "text", bytes():
            return _text(raw)
        case "integer", int():
            return raw - (1 << 64) if raw >= 1 << 63 else raw
        case "boolean", int():
            return bool(raw)
        case "time", bytes():
            return _time(raw)
        case "number or name", bytes():
            parts = dict(_fields(raw))
            text = parts.get(3, b"")
            return _text(text) if parts.get(1) and isinstance(text, bytes) else parts.get(2, 0)
        case Mapping() as message, bytes():
            return _tree(message, raw, depth + 1)
        case _:
            raise Malformed(f"{field.name} has an unexpected wire type")


def _entry(raw: int | bytes, *, as_bytes: bool) -> tuple[str, str]:
    if not isinstance(raw, bytes):
        raise Malformed("a map has an unexpected wire type")
    parts = dict(_fields(raw))
    key, value = parts.get(1, b""), parts.get(2, b"")
    if not (isinstance(key, bytes) and isinstance(value, bytes)):
        raise Malformed("an entry of a map has an unexpected wire type")
    return _text(key), b64encode(value).decode() if as_bytes else _text(value)


def _time(raw: bytes) -> str | None:
    seconds = dict(_fields(raw)).get(1, 0)
    if not isinstance(seconds, int) or not 0 < seconds < 1 << 37:
        return None
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as exc:
        raise Malformed("a text is not UTF-8") from exc


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """(field number, value) of everything in one message."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == 0:
            value, at = _varint(data, at)
            yield number, value
            continue
        size = {1: 8, 5: 4}.get(wire_type)
        if wire_type == 2:
            size, at = _varint(data, at)
        if size is None or number == 0 or at + size > len(data):
            raise Malformed("a field is cut off or of an unknown wire type")
        yield number, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift < 64:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise Malformed("a number is cut off")
