"""Events in records of Kafka: binary and structured mode, and what knlite sends along.

A record that knlite has written says in headers of its own, ``x-knlite-…``, what else it has to
know of the event. Other readers of CloudEvents pass over them. Nothing in a record is trusted:
anybody may have written it.

Source: CloudEvents Kafka protocol binding 1.0; Eventing data plane reference §9.1.
Differs: a header that says an attribute a second time makes a record one that is no event; the
binding says nothing, and what other readers make of it depends on their language.
Not here: records that are no events (``foreign.py``).
"""

from collections.abc import Sequence
from functools import lru_cache
from sys import intern

import msgspec

from knlite.eventing import jsonformat
from knlite.eventing.cloudevent import CloudEvent, Draft, Malformed, checked
from knlite.eventing.headers import travelled
from knlite.eventing.trace import CARRIED, TRACEPARENT

RecordHeaders = Sequence[tuple[str, bytes | None]]

PARTITION_KEY = "partitionkey"
CONTENT_TYPE = "content-type"
_STRUCTURED = "application/cloudevents"
_STRUCTURED_TYPE = b"application/cloudevents+json; charset=UTF-8"
_MARK = "ce_"
_OURS = "x-knlite-"
RUN = "x-knlite-run"
ARRIVAL = "x-knlite-arrival"
_TTL = "x-knlite-ttl"
_ONLY = "x-knlite-only"
_REPLAY_OF = "x-knlite-replay-of"
_HEADER = "x-knlite-header-"
_FORBIDDEN = frozenset(("data", "datacontenttype"))
_LONG = 100
"""Letters of a header's name beyond which it is not remembered, and is cut in what people read."""


class Beside(msgspec.Struct, frozen=True, gc=False):
    """What travels beside an event; all of it absent in records of others."""

    run: str = ""
    """The run of knlite that has taken the event in."""
    arrival: int = 0
    """As in ``eventlog.port.Record``, as are the rest; 0: there is none."""
    ttl: int = -1
    """-1: nobody has said."""
    headers: tuple[tuple[str, str], ...] = ()
    """Text as HTTP has it, one character for each byte."""
    only: tuple[str, ...] = ()
    """Names of the consumer groups that it is for; empty: all."""
    replay_of: int = 0


class Written(msgspec.Struct, frozen=True, gc=False):
    """Key, value and headers of a record."""

    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


class Read(msgspec.Struct, frozen=True, gc=False):
    """What a record holds."""

    event: CloudEvent | Malformed
    beside: Beside


def encode(event: CloudEvent, beside: Beside, *, structured: bool = False) -> Written:
    """The record that carries *event*, with the key that its ``partitionkey`` says."""
    attributes = event.attributes
    headers: list[tuple[str, bytes]] = []
    # First, so that who has written it knows it by a look.
    if beside.run:
        headers.append((RUN, beside.run.encode()))
    if beside.arrival:
        headers.append((ARRIVAL, b"%d" % beside.arrival))
    if structured:
        headers.append((CONTENT_TYPE, _STRUCTURED_TYPE))
        value: bytes | None = jsonformat.encode(event)
    else:
        headers += [(_MARK + name, text.encode()) for name, text in attributes.items()]
        if event.content_type is not None:
            headers.append((CONTENT_TYPE, event.content_type.encode()))
        value = event.data
    if beside.ttl >= 0:
        headers.append((_TTL, b"%d" % beside.ttl))
    for name, text in beside.headers:
        headers.append((_bare_or_ours(name), _on_wire(text)))
    for group in beside.only:
        headers.append((_ONLY, group.encode()))
    if beside.replay_of:
        headers.append((_REPLAY_OF, b"%d" % beside.replay_of))
    key = attributes.get(PARTITION_KEY)
    return Written(None if key is None else key.encode(), value, headers)


def decode(headers: RecordHeaders, value: bytes | None) -> Read:
    """The event that a record holds, if it is one."""
    attributes: dict[str, str] = {}
    content_type: str | None = None
    ours: list[tuple[str, str]] = []
    problem = ""
    for name, raw in headers:
        kind, meaning = _meaning(name) if len(name) < _LONG else _meant(name)
        if kind == _NONE:
            continue
        if raw is None:
            if kind in _SAYING:
                problem = problem or f"header {name[:_LONG]} has no value"
            continue
        if kind == _BESIDE:
            ours.append((meaning, raw.decode("latin-1")))
            continue
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            problem = problem or f"header {name[:_LONG]} is not UTF-8"
            continue
        if kind == _TYPE:
            content_type = text if content_type is None else content_type
        elif kind == _ILLEGAL or meaning in attributes:
            problem = problem or f"header {name[:_LONG]} is not allowed, or comes twice"
        else:
            attributes[meaning] = text
    beside = _beside(ours) if ours else _NOTHING
    if content_type is not None and content_type[:23].lower().startswith(_STRUCTURED):
        return Read(_structured(content_type, value), beside)
    if problem:
        return Read(Malformed(problem), beside)
    if not attributes:
        return Read(_NO_EVENT, beside)
    content_type = content_type if content_type and content_type.strip() else None
    return Read(checked(Draft(attributes, content_type, value)), beside)


_NOTHING = Beside()
_NO_EVENT = Malformed(
    "neither binary mode (headers ce_…) nor structured mode (content type application/cloudevents)"
)

# What a header is, and of an attribute or of what is ours, which.
_NONE, _ATTRIBUTE, _TYPE, _BESIDE, _ILLEGAL = range(5)
_SAYING = (_ATTRIBUTE, _ILLEGAL)


def _meant(name: str) -> tuple[int, str]:
    lower = name.lower()
    if lower == CONTENT_TYPE:
        return _TYPE, ""
    if lower.startswith(_OURS) or lower == TRACEPARENT or lower in CARRIED:
        return _BESIDE, lower
    if not lower.startswith(_MARK):
        return _NONE, ""
    attribute = lower[len(_MARK) :]
    legal = attribute.isascii() and attribute.isalnum() and attribute not in _FORBIDDEN
    return (_ATTRIBUTE, intern(attribute)) if legal else (_ILLEGAL, "")


# They are the same in all records.
_meaning = lru_cache(maxsize=1024)(_meant)


@lru_cache(maxsize=1024)
def _bare_or_ours(name: str) -> str:
    """As which header of a record the header *name* of a request travels."""
    lower = name.lower()
    return lower if lower == TRACEPARENT or lower in CARRIED else _HEADER + lower


def _structured(content_type: str, value: bytes | None) -> CloudEvent | Malformed:
    media = content_type.partition(";")[0].strip().lower()
    if media != jsonformat.CONTENT_TYPE:
        return Malformed(f"{media} is not supported, {jsonformat.CONTENT_TYPE} is")
    draft = jsonformat.decode(value or b"")
    return draft if isinstance(draft, Malformed) else checked(draft)


def _beside(headers: list[tuple[str, str]]) -> Beside:
    """What knlite has sent along, as far as it is what knlite sends."""
    run, arrival, ttl, replay_of = "", 0, -1, 0
    only: list[str] = []
    travelling: list[tuple[str, str]] = []
    for name, text in headers:
        if name == RUN:
            run = text
        elif name == ARRIVAL:
            arrival = number(text.encode("latin-1"))
        elif name == _TTL:
            ttl = number(text.encode("latin-1"))
        elif name == _REPLAY_OF:
            replay_of = number(text.encode("latin-1"))
        elif name == _ONLY:
            only.append(text.encode("latin-1").decode(errors="replace"))
        elif not name.startswith(_OURS):
            travelling.append((name, text))
        elif name.startswith(_HEADER):
            travelling.append((name[len(_HEADER) :], text))
    return Beside(run, arrival, ttl, travelled(travelling), tuple(only), replay_of)


def number(text: bytes) -> int:
    """A number of ours; what is none, or none that SQLite could keep, is 0."""
    return int(text) if len(text) < 18 and text.isdigit() else 0


def _on_wire(text: str) -> bytes:
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode()
