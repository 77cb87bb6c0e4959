"""Kubernetes' protobuf bodies of the few kinds that kubectl sends so, as JSON trees.

kubectl 1.32 and later send what they create by a typed command (``create configmap``) as protobuf
and do not fall back to JSON. Answers are JSON all the same.

Source: ``runtime.Unknown`` (magic ``k8s\\0``, 1 = typeMeta, 2 = raw) and the field numbers of
k8s.io/api ``generated.proto``. Fields that are not in the tables are skipped, as protobuf does, but
those of pods: half a pod is none.
Not here: the tables (``protobufmessages.py``, ``protobufpods.py``).
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from knlite.apiserver import protobufpods
from knlite.apiserver.protobufmessages import DELETE_OPTIONS, KINDS, Field, Message, Whole

MAGIC = b"k8s\x00"
MAX_DEPTH = 16


class Malformed(ValueError):
    """The bytes are no protobuf, or not of the kind that they claim to be."""


class Unknown(ValueError):
    """A kind, or a field of one, that is not read here."""


_KINDS = {**KINDS, **protobufpods.KINDS}


def decode(body: bytes) -> dict[str, Any]:
    """The object in *body* as a JSON tree. Raises ``Malformed``, ``Unknown``."""
    if not body.startswith(MAGIC):
        raise Malformed("it does not begin with the magic number of Kubernetes")
    api_version, kind, raw = "", "", b""
    for number, value in _fields(body[len(MAGIC) :]):
        if number == 1 and isinstance(value, bytes):
            type_meta = _tree({1: Field("apiVersion"), 2: Field("kind")}, value, 0)
            api_version, kind = type_meta.get("apiVersion", ""), type_meta.get("kind", "")
        elif number == 2 and isinstance(value, bytes):
            raw = value
    # Every group has DeleteOptions of its own, all alike.
    message = DELETE_OPTIONS if kind == "DeleteOptions" else _KINDS.get((api_version, kind))
    if message is None:
        raise Unknown(f"protobuf is not read for {kind or 'this kind'} of {api_version}; send JSON")
    return {"apiVersion": api_version, "kind": kind, **_tree(message, raw, 0)}


def _tree(message: Message, data: bytes, depth: int) -> dict[str, Any]:
    if depth > MAX_DEPTH:
        raise Malformed("it is nested too deeply")
    tree: dict[str, Any] = {}
    for number, raw in _fields(data):
        field = message.get(number)
        if field is None:
            if raw and isinstance(message, Whole):
                beside = next(iter(message.values())).name
                raise Unknown(
                    f"field {number} of a pod's part (the one with {beside}) is not read as"
                    " protobuf; send JSON (kubectl apply -f FILE)"
                )
            continue
        if isinstance(field.type, str) and field.type.endswith("map"):
            key, entry = _entry(field.type, raw)
            tree.setdefault(field.name, {})[key] = entry
            continue
        value = _value(field, raw, depth)
        if field.inline:
            tree.update(value)
            continue
        if field.many:
            tree.setdefault(field.name, []).append(value)
        elif value not in ("", None):
            tree[field.name] = value
    return tree


def _value(field: Field, raw: int | bytes, depth: int) -> Any:
    match field.type, raw:
        case "text", bytes():
            return _text(raw)
        case "integer", int():
            return _signed(raw)
        case "count", int():
            return _signed(raw) or None
        case "boolean", int():
            return bool(raw)
        case "flag", int():
            return bool(raw) or None
        case "quantity", bytes():
            return _quantity(raw)
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


def _entry(type_: str, raw: int | bytes) -> tuple[str, str]:
    if not isinstance(raw, bytes):
        raise Malformed("a map has an unexpected wire type")
    parts = dict(_fields(raw))
    key, value = parts.get(1, b""), parts.get(2, b"")
    if not (isinstance(key, bytes) and isinstance(value, bytes)):
        raise Malformed("an entry of a map has an unexpected wire type")
    match type_:
        case "bytes map":
            return _text(key), b64encode(value).decode()
        case "quantity map":
            return _text(key), _quantity(value)
        case _:
            return _text(key), _text(value)


def _quantity(raw: bytes) -> str:
    text = dict(_fields(raw)).get(1, b"")
    if not isinstance(text, bytes):
        raise Malformed("a quantity has an unexpected wire type")
    return _text(text)


def _signed(raw: int) -> int:
    return raw - (1 << 64) if raw >= 1 << 63 else raw


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
