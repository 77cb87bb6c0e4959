"""The event that a person writes on the command line."""

import os
import sys
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from knlite.clock import present
from knlite.errors import InvalidInput
from knlite.eventing.cloudevent import CloudEvent, Draft, Malformed, checked, timestamp

_RESERVED = frozenset(("data", "datacontenttype", "specversion"))


def written_event(
    attributes: Mapping[str, str], *, extensions: Sequence[str], data: str, content_type: str
) -> CloudEvent:
    """The event; what is empty is left out, an id is made up. Raises ``InvalidInput``."""
    given = {name: value for name, value in attributes.items() if value}
    given.setdefault("id", uuid.uuid4().hex[:12])
    given.setdefault("time", timestamp(present()))
    for text in extensions:
        name, equals, value = text.partition("=")
        if not equals or not (name.isascii() and name.isalnum() and name == name.lower()):
            raise InvalidInput(
                f'--ext "{text}" cannot be read',
                cause="an extension is NAME=VALUE, its name of lower-case letters and digits",
                fix="write for example --ext tenant=eu",
            )
        if name in _RESERVED:
            raise InvalidInput(f'--ext "{text}" cannot be read', cause=f"{name} is no extension")
        given[name] = value
    body = body_of(data)
    kind = content_type or kind_of(body)
    event = checked(Draft({"specversion": "1.0", **given}, kind if body else None, body or None))
    if isinstance(event, Malformed):
        raise InvalidInput("that is no CloudEvent", cause=event.why)
    return event


def body_of(data: str) -> bytes:
    """The bytes of TEXT, @FILE, or @- for standard input. Raises ``InvalidInput``."""
    if not data.startswith("@"):
        # What the shell gave, also where that is no text.
        return os.fsencode(data)
    if data == "@-":
        return sys.stdin.buffer.read()
    return read_file(data[1:])


def read_file(name: str) -> bytes:
    """What is in a file. Raises ``InvalidInput``."""
    try:
        return Path(name).read_bytes()
    except (OSError, ValueError) as exc:
        raise InvalidInput(f"{name} cannot be read", cause=str(exc)) from exc


def kind_of(body: bytes) -> str:
    """The media type that *body* most likely has."""
    try:
        body.decode()
        msgspec.json.decode(body, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return "text/plain" if _is_text(body) else "application/octet-stream"
    return "application/json"


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True
