"""A span, as OpenTelemetry has it, before any library of theirs is there.

Source: OpenTelemetry specification, trace API; W3C Trace Context §3.2 (ids).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from hashlib import blake2b
from typing import NamedTuple

Attribute = str | int | float | bool
LONGEST = 1024
"""Characters that a span tells of what others may have written."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Kind(Enum):
    """Which side of what a span is."""

    INTERNAL = "internal"
    SERVER = "server"
    CLIENT = "client"
    PRODUCER = "producer"
    CONSUMER = "consumer"


class Context(NamedTuple):
    """Which span of which trace."""

    trace: int
    span: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Something that happened during a span."""

    at: int
    """Nanoseconds since the epoch, as all times of spans."""
    name: str
    attributes: Mapping[str, Attribute]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Something that took time."""

    name: str
    """One of few: what differs each time is an attribute."""
    kind: Kind
    context: Context
    parent: Context | None
    start: int
    end: int
    attributes: Mapping[str, Attribute]
    moments: Sequence[Moment] = ()
    links: Sequence[Context] = ()
    """Spans of other traces that led to it."""
    error: str = ""
    """What went wrong; empty if nothing did."""


def context_of(traceparent: str) -> Context:
    """The span that *traceparent*, which is valid, names."""
    return Context(int(traceparent[3:35], 16), int(traceparent[36:52], 16))


def derived(trace: int, *of: object) -> Context:
    """A span of *trace* whose id follows from *of*, so that whoever knows these knows it."""
    digest = blake2b(repr((trace, of)).encode(), digest_size=8).digest()
    return Context(trace, int.from_bytes(digest) or 1)


def nanoseconds(at: datetime) -> int:
    """*at* as spans tell times."""
    passed = at - _EPOCH
    micros = (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds
    return micros * 1000
