"""Structured events: the JSON format.

Data that is JSON stays as it was written, byte for byte.

Source: CloudEvents JSON event format 1.0; Eventing data plane reference §1.3.
"""

import base64

import msgspec

from knlite.eventing.cloudevent import CloudEvent, Draft, Malformed

CONTENT_TYPE = "application/cloudevents+json"

_SPEC = frozenset(
    (
        "specversion",
        "id",
        "source",
        "type",
        "subject",
        "time",
        "dataschema",
        "datacontenttype",
        "data",
        "datacontentencoding",
    )
)
_INT32 = range(-(2**31), 2**31)
_BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])


def decode(body: bytes) -> Draft | Malformed:
    """The draft that the JSON text *body* holds."""
    try:
        # The decoder passes over what it leaves raw without a look at its encoding.
        body.decode()
        return _draft(_decoder.decode(body))
    except _BROKEN as exc:
        return Malformed(f"not a JSON object: {exc}")


def encode(event: CloudEvent) -> bytes:
    """*event* as JSON text."""
    members: dict[str, object] = dict(event.attributes)
    if event.content_type is not None:
        members["datacontenttype"] = event.content_type
    if event.data:
        if is_json(event.content_type) and is_document(event.data):
            members["data"] = msgspec.Raw(event.data)
        else:
            members["data_base64"] = base64.b64encode(event.data).decode()
    return msgspec.json.encode(members)


def is_json(content_type: str | None) -> bool:
    """Whether data of *content_type* is JSON; without one it is."""
    if content_type is None:
        return True
    media = content_type.partition(";")[0].strip().lower()
    return media.endswith(("/json", "+json"))


def is_document(data: bytes) -> bool:
    """Whether *data* is JSON text."""
    try:
        data.decode()
        msgspec.json.decode(data, type=msgspec.Raw)
    except _BROKEN:
        return False
    return True


def _draft(members: dict[str, msgspec.Raw]) -> Draft | Malformed:
    attributes: dict[str, str] = {}
    for name, raw in members.items():
        if name in {"data", "data_base64"}:
            continue
        value = msgspec.json.decode(raw)
        if value is None or (value == "" and name in _SPEC):
            continue
        text = _text(value)
        if text is None or (name in _SPEC and not (isinstance(value, str) and text.strip())):
            return Malformed(f"{name} has an unfit value")
        if name not in _SPEC and not (name.isascii() and name.isalnum()):
            return Malformed(f"{name!r} is not a name of an attribute")
        if name.lower() != name and name.lower() in _SPEC:
            return Malformed(f"{name} is written in another case")
        attributes[name.lower()] = text
    content_type = attributes.pop("datacontenttype", None)
    # An attribute of version 0.3; later it is an extension like any other.
    old = attributes.get("specversion") == "0.3"
    encoding = attributes.pop("datacontentencoding", "") if old else ""
    data = _data(members, encoding, content_type)
    if isinstance(data, Malformed):
        return data
    return Draft(attributes, content_type, data)


def _data(
    members: dict[str, msgspec.Raw], encoding: str, content_type: str | None
) -> bytes | Malformed | None:
    if "data_base64" in members:
        return _unbase64(msgspec.json.decode(members["data_base64"]))
    if "data" not in members:
        return None
    raw = bytes(members["data"])
    if raw == b"null":
        return None
    if encoding == "base64":
        return _unbase64(msgspec.json.decode(raw))
    if not is_json(content_type) and raw.startswith(b'"'):
        return msgspec.json.decode(raw, type=str).encode() or None
    return raw


def _unbase64(value: object) -> bytes | Malformed | None:
    if not isinstance(value, str):
        return Malformed("data_base64 is not text")
    try:
        return base64.b64decode(value, validate=True) or None
    except ValueError:
        return Malformed("data_base64 is not base64")


def _text(value: object) -> str | None:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(int(value)) if int(value) in _INT32 else None
        case str():
            return value
        case _:
            return None
