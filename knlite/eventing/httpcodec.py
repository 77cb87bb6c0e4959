"""Events in HTTP messages: binary and structured mode, requests and answers alike.

Source: CloudEvents HTTP protocol binding 1.0; Eventing data plane reference §1.3 (what upstream's
SDK does: no percent-coding, batches refused).
Headers are text as the wire has it, one character per byte; attributes are the UTF-8 therein.
"""

from collections.abc import Sequence
from functools import lru_cache
from sys import intern

from knlite.eventing import jsonformat
from knlite.eventing.cloudevent import VERSIONS, CloudEvent, Draft, Malformed, checked

Headers = Sequence[tuple[str, str]]

BATCH = "application/cloudevents-batch+json"
_FORBIDDEN = frozenset(("data", "datacontenttype"))
_TRIMMED = frozenset(("subject", "dataschema"))
_WHOLE = frozenset((jsonformat.CONTENT_TYPE, BATCH))
"""Media types of which the body is the event."""


def is_event(headers: Headers) -> bool:
    """Whether a message claims to hold an event."""
    version = content_type = None
    for name, value in headers:
        # The length first: this is asked of every answer.
        if len(name) == 12 and content_type is None and name.lower() == "content-type":
            content_type = value
        elif len(name) == 14 and version is None and name.lower() == "ce-specversion":
            version = value
    return version in VERSIONS or _media(content_type) in _WHOLE


def decode(headers: Headers, body: bytes) -> CloudEvent | Malformed:
    """The event that a message holds."""
    content_type = _first(headers, "content-type")
    media = _media(content_type)
    if media == BATCH:
        return Malformed("batches are not supported")
    if media == jsonformat.CONTENT_TYPE:
        draft = jsonformat.decode(body)
    else:
        draft = _binary(headers, content_type, body)
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
    headers = [
        (f"Ce-{name.capitalize()}", _on_wire(value)) for name, value in event.attributes.items()
    ]
    if event.content_type is not None:
        headers.append(("Content-Type", _on_wire(event.content_type)))
    return headers, event.data or b""


def wire_form(event: CloudEvent) -> tuple[tuple[tuple[bytes, bytes], ...], bytes]:
    """The same as a connection takes it."""
    headers = [(_header_of(name), value.encode()) for name, value in event.attributes.items()]
    if event.content_type is not None:
        headers.append((b"Content-Type", event.content_type.encode()))
    return tuple(headers), event.data or b""


def encode_structured(event: CloudEvent) -> tuple[list[tuple[str, str]], bytes]:
    """Headers and body of *event* in structured mode."""
    return [("Content-Type", jsonformat.CONTENT_TYPE)], jsonformat.encode(event)


def _binary(headers: Headers, content_type: str | None, body: bytes) -> Draft | Malformed:
    attributes: dict[str, str] = {}
    for name, value in headers:
        if name[:3].lower() != "ce-":
            continue
        attribute = name[3:].lower()
        if attribute in _FORBIDDEN or not (attribute.isascii() and attribute.isalnum()):
            return Malformed(f"header {name} is not allowed")
        if attribute in _TRIMMED and not value.strip():
            continue
        if attribute not in attributes:
            # Thousands of events may wait, and their names are the same.
            attributes[intern(attribute)] = value if value.isascii() else _from_wire(value)
    if attributes.get("specversion") not in VERSIONS:
        return Malformed(
            "neither binary mode (header ce-specversion) nor structured mode "
            f"(content type {jsonformat.CONTENT_TYPE})"
        )
    content_type = content_type if content_type and content_type.strip() else None
    return Draft(attributes, content_type and _from_wire(content_type), body or None)


@lru_cache(maxsize=1024)
def _header_of(attribute: str) -> bytes:
    return f"Ce-{attribute.capitalize()}".encode()


def _from_wire(text: str) -> str:
    try:
        return text.encode("latin-1").decode()
    except UnicodeError:
        # Not UTF-8: then it is read as Latin-1, which it may well be.
        return text


def _on_wire(text: str) -> str:
    return text if text.isascii() else text.encode().decode("latin-1")


def _first(headers: Headers, name: str) -> str | None:
    for key, value in headers:
        if len(key) == len(name) and key.lower() == name:
            return value
    return None


def _media(content_type: str | None) -> str:
    return content_type.partition(";")[0].strip().lower() if content_type else ""
