"""Messages of AMQP 0-9-1 as events, and the other way round.

Written as eventing-rabbitmq does it: attributes are headers with bare names. Read are also names
that begin with ``ce-``, those of the CloudEvents AMQP 1.0 binding, and structured mode. Headers
that begin with ``x-`` are no attributes; what travels beside an event is in those of ours.

Source: Eventing data plane reference §9.3; CloudEvents AMQP protocol binding 1.0;
knative-extensions/eventing-rabbitmq ``pkg/rabbit/message.go``.
Differs: a time before all times, which upstream writes for events without one, is read as none.
"""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from knlite.eventing import jsonformat
from knlite.eventing.cloudevent import CloudEvent, Draft, Malformed, checked, timestamp
from knlite.eventing.headers import travelled
from knlite.kinds.sources.rabbitmqsource import EVENT_TYPE

TRACEPARENT = "traceparent"
TRACESTATE = "tracestate"
ARRIVAL = "x-knlite-arrival"
TTL = "x-knlite-ttl"
RUN = "x-knlite-run"
ONLY = "x-knlite-only"
REPLAY_OF = "x-knlite-replay-of"
READER = "x-knlite-reader"
"""Whose dead letter it is: the name of the reader's queue."""
TRAVELLING = "x-knlite-header-"
"""Before the names of headers that travel with an event."""

NO_TIME = "0001-01-01T00:00:00Z"
SHORT = 255
"""Bytes of a name of a header, or of a property."""

_BEYOND = 10**17
"""Microseconds since the epoch, in the year 5138."""
_CONTENT_TYPE = "content-type"
_BARE = frozenset((TRACEPARENT, TRACESTATE))
_SPECVERSION = "specversion"
_BINDING = ("cloudevents_", "cloudevents:")
_CE = "ce-"
_OPTIONAL = frozenset(("subject", "dataschema", "time"))
"""Absent when they are empty."""
_BATCH = "application/cloudevents-batch"


class Message(msgspec.Struct, frozen=True, gc=False):
    """A message, as far as it matters."""

    headers: Mapping[str, object]
    body: bytes = b""
    content_type: str | None = None
    """The property; it alone says whether the body is the event."""
    message_id: str | None = None
    timestamp: datetime | None = None


class Written(msgspec.Struct, frozen=True, gc=False):
    """A message to be sent."""

    headers: Mapping[str, str | int | list[str]]
    body: bytes
    content_type: str | None
    message_id: str | None


class Beside(msgspec.Struct, frozen=True, gc=False):
    """What we have written beside an event, or nothing of it."""

    arrival: int = 0
    ttl: int | None = None
    run: str = ""
    only: frozenset[str] = frozenset()
    replay_of: int = 0
    reader: str = ""
    headers: tuple[tuple[str, str], ...] = ()


class Origin(msgspec.Struct, frozen=True, gc=False):
    """Where a message was found, for what it does not say itself."""

    source: str
    """Of events that have none."""
    convert: bool = False
    """Make an event of a message that is none."""


def headers_of(event: CloudEvent, beside: Beside) -> dict[str, str | int | list[str]]:
    """The headers of the message for *event*."""
    written: dict[str, str | int | list[str]] = {}
    # First, so that who has written it knows it by a look.
    if beside.run:
        written[RUN] = beside.run
    if beside.arrival:
        written[ARRIVAL] = beside.arrival
    written |= event.attributes
    for name in _BARE & event.attributes.keys():
        # An extension of that name; the header is the trace of whoever has sent the message.
        written[_CE + name] = written.pop(name)
    if "time" not in written:
        written["time"] = NO_TIME
    if event.content_type is not None:
        written[_CONTENT_TYPE] = event.content_type
    if beside.ttl is not None:
        written[TTL] = beside.ttl
    if beside.only:
        written[ONLY] = sorted(beside.only)
    if beside.replay_of:
        written[REPLAY_OF] = beside.replay_of
    if beside.reader:
        written[READER] = beside.reader
    for name, value in beside.headers:
        # Case means nothing in names of HTTP headers, and everything in those of messages.
        lower = name.lower()
        key = lower if lower in _BARE else TRAVELLING + name
        before = written.get(key)
        if key not in written or lower in _BARE:
            written[key] = value
        elif isinstance(before, list):
            written[key] = [*before, value]
        else:
            written[key] = [str(before), value]
    return written


def written(event: CloudEvent, beside: Beside) -> Written:
    """The message for *event*. Its headers may be more than a server takes."""
    content_type, message_id = event.content_type, event.id
    return Written(
        headers_of(event, beside),
        event.data or b"",
        content_type if content_type is not None and _fits(content_type) else None,
        # The header of the same name holds all of it.
        message_id if _fits(message_id) else None,
    )


def beside(headers: Mapping[str, object]) -> Beside:
    """What *headers* say beside the event, which anybody may have written; what makes no sense is
    left out."""
    only = headers.get(ONLY)
    ttl = headers.get(TTL)
    travelling = list[tuple[str, str]]()
    for key, value in headers.items():
        if key in _BARE:
            if isinstance(value, str) and value:
                travelling.append((key, value))
        elif key.startswith(TRAVELLING):
            name = key[len(TRAVELLING) :]
            values = value if isinstance(value, list) else [value]
            travelling += [(name, each) for each in values if isinstance(each, str)]
    return Beside(
        _count(headers.get(ARRIVAL)),
        _count(ttl) if ttl is not None else None,
        _text(headers.get(RUN)) or "",
        frozenset(each for each in only if isinstance(each, str))
        if isinstance(only, list)
        else frozenset(),
        _count(headers.get(REPLAY_OF)),
        _text(headers.get(READER)) or "",
        travelled(travelling) if travelling else (),
    )


def read(message: Message, origin: Origin) -> CloudEvent | Malformed:
    """The event that *message* holds, or that is made of it."""
    media = (message.content_type or "").partition(";")[0].strip().lower()
    if media == jsonformat.CONTENT_TYPE:
        draft = jsonformat.decode(message.body)
        return draft if isinstance(draft, Malformed) else _event(draft)
    if media.startswith(_BATCH):
        return Malformed("batches are not supported")
    attributes, content_type = _attributes(message.headers)
    if _SPECVERSION not in attributes:
        if origin.convert:
            return _foreign(message, origin)
        return Malformed(
            f"neither binary mode (header {_SPECVERSION}) nor structured mode (property"
            f" content_type {jsonformat.CONTENT_TYPE})"
        )
    attributes.setdefault("source", origin.source)
    if message.message_id:
        attributes.setdefault("id", message.message_id)
    return _event(Draft(attributes, content_type or message.content_type, message.body or None))


def _event(draft: Draft) -> CloudEvent | Malformed:
    if draft.attributes.get("time") == NO_TIME:
        del draft.attributes["time"]
    return checked(draft)


def _attributes(headers: Mapping[str, object]) -> tuple[dict[str, str], str | None]:
    """Attributes that stand in *headers*, and the content type among them."""
    plain = dict[str, str]()
    bound = dict[str, str]()
    content_type = None
    for name, value in headers.items():
        if name[:2] in {"x-", "X-"} or name in _BARE:
            continue
        text = value if isinstance(value, str) else _text(value)
        if text is None:
            continue
        lower = name.lower()
        if lower == _CONTENT_TYPE:
            content_type = text or None
        elif lower.startswith(_BINDING):
            bound[lower[len(_BINDING[0]) :]] = text
        elif lower.startswith(_CE):
            plain[lower[len(_CE) :]] = text
        else:
            plain[lower] = text
    # Properties without a prefix are the application's own, where attributes have one.
    found = bound if _SPECVERSION in bound else plain
    content_type = found.pop("datacontenttype", None) or content_type
    return {name: text for name, text in found.items() if _is_kept(name, text)}, content_type


def _foreign(message: Message, origin: Origin) -> CloudEvent | Malformed:
    """Upstream makes up the id of a message that has none; so does who calls this."""
    if not message.message_id:
        return Malformed("the message has no message_id")
    attributes = {
        _SPECVERSION: "1.0",
        "id": message.message_id,
        "type": EVENT_TYPE,
        "source": origin.source,
        "subject": message.message_id,
    }
    if message.timestamp is not None:
        attributes["time"] = timestamp(message.timestamp.astimezone(UTC))
    return checked(Draft(attributes, message.content_type or None, message.body or None))


def _text(value: object) -> str | None:
    """A value of a header as text; None for what is no value of an attribute."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | Decimal():
            return str(value)
        case float():
            whole = math.isfinite(value) and value.is_integer()
            return str(int(value)) if whole else repr(value)
        case bytes() | bytearray():
            return bytes(value).decode("utf-8", "replace")
        case datetime():
            return timestamp(value if value.tzinfo is not None else value.replace(tzinfo=UTC))
        case _:
            return None


def _count(value: object) -> int:
    """A number of ours; what is none, or no moment that there will be, is 0."""
    number = isinstance(value, int) and not isinstance(value, bool)
    return value if number and isinstance(value, int) and 0 < value < _BEYOND else 0


def _is_kept(name: str, text: str) -> bool:
    """Whether an attribute can have that *name*, and says something with *text*."""
    named = name.isascii() and name.isalnum() and name != "data"
    return named and (text != "" or name not in _OPTIONAL)


def _fits(text: str) -> bool:
    return len(text) <= SHORT and (text.isascii() or len(text.encode()) <= SHORT)
