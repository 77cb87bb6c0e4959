"""Events in HTTP messages: binary and structured mode, requests and answers alike.

Source: CloudEvents HTTP protocol binding 1.0; Eventing data plane reference §1.3 (what upstream's
SDK does: no percent-coding, batches refused).
Headers are text as the wire has it, one character per byte; attributes are the UTF-8 therein.
"""

from collections.abc import Sequence

from knlite.eventing import jsonformat
from knlite.eventing.cloudevent import VERSIONS, CloudEvent, Draft, Malformed, checked

Headers = Sequence[tuple[str, str]]

BATCH = "application/cloudevents-batch+json"
_WHOLE = frozenset((jsonformat.CONTENT_TYPE, BATCH))
"""Media types of bodies that hold whole events."""
_FORBIDDEN = frozenset(("data", "datacontenttype"))
_TRIMMED = frozenset(("subject", "dataschema"))


def is_event(headers: Headers) -> bool:
    """Whether a message claims to hold an event."""
    content_type = version = None
    for name, value in headers:
        lower = name.lower()
        if lower == "content-type" and content_type is None:
            content_type = value
        elif lower == "ce-specversion" and version is None:
            version = value
    return version in VERSIONS or (content_type is not None and _media(content_type) in _WHOLE)


def decode(headers: Headers, body: bytes) -> CloudEvent | Malformed:
    """The event that a message holds."""
    content_type = None
    named = []
    for name, value in headers:
        lower = name.lower()
        if lower.startswith("ce-"):
            named.append((lower[3:], value))
        elif lower == "content-type" and content_type is None:
            content_type = value
    media = _media(content_type)
    if media == BATCH:
        return Malformed("batches are not supported")
    if media == jsonformat.CONTENT_TYPE:
        draft = jsonformat.decode(body)
    else:
        draft = _binary(named, content_type, body)
    return draft if isinstance(draft, Malformed) else checked(draft)


def carrying(headers: Headers) -> list[tuple[str, str]]:
    """Those of a message's headers that hold its event."""
    return [
        (name, value)
        for name, value in headers
        if name.lower() == "content-type" or name.lower().startswith("ce-")
    ]


def encode_binary(event: CloudEvent) -> tuple[list[tuple[str, str]], bytes]:
    """Headers and body of *event* in binary mode."""
    headers, body = wire_form(event)
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers], body


def wire_form(event: CloudEvent) -> tuple[tuple[tuple[bytes, bytes], ...], bytes]:
    """The same as a connection takes it."""
    headers = [
        (b"Ce-" + name.capitalize().encode(), value.encode())
        for name, value in event.attributes.items()
    ]
    if event.content_type is not None:
        headers.append((b"Content-Type", event.content_type.encode()))
    return tuple(headers), event.data or b""


def encode_structured(event: CloudEvent) -> tuple[list[tuple[str, str]], bytes]:
    """Headers and body of *event* in structured mode."""
    return [("Content-Type", jsonformat.CONTENT_TYPE)], jsonformat.encode(event)


def _binary(named: Headers, content_type: str | None, body: bytes) -> Draft | Malformed:
    """*named* are the headers for attributes, by the attribute's name."""
    attributes: dict[str, str] = {}
    for name, value in named:
        if name in _FORBIDDEN or not (name.isascii() and name.isalnum()):
            return Malformed(f"header ce-{name} is not allowed")
        if name in attributes or (name in _TRIMMED and not value.strip()):
            continue
        attributes[name] = value if value.isascii() else _from_wire(value)
    if attributes.get("specversion") not in VERSIONS:
        return Malformed(
            "neither binary mode (header ce-specversion) nor structured mode "
            f"(content type {jsonformat.CONTENT_TYPE})"
        )
    content_type = content_type if content_type and content_type.strip() else None
    return Draft(attributes, content_type and _from_wire(content_type), body or None)


def _from_wire(text: str) -> str:
    try:
        return text.encode("latin-1").decode()
    except UnicodeError:
        # Not UTF-8: then it is read as Latin-1, which it may well be.
        return text


def _media(content_type: str | None) -> str:
    return (content_type or "").partition(";")[0].strip().lower()
