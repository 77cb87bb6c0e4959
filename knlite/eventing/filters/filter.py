"""What a filter is to everybody who asks one.

Source: Eventing data plane reference §5.1. Not here: the dialects (one module each), and how the
spec of a Trigger becomes a filter (``build.py``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from knlite.eventing.cloudevent import CloudEvent

MOST_PARTS = 20
"""Parts of a filter that are named; it may have thousands."""


@dataclass(frozen=True, slots=True)
class Part:
    """A smallest part of a filter that decided, and what it saw."""

    path: str
    """The entry of the spec, as ``filters[0].all[1].exact[type]``."""
    value: bool | None
    """What it came to; None if that is no Boolean, or an error."""
    seen: Mapping[str, str | None] = field(default_factory=dict)
    """Attributes by name, cut where they are long; None: absent."""
    start: int = 0
    """Of an expression in CESQL, the characters of it from here …"""
    end: int = 0
    """… up to here; both 0 where the whole entry decided."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an event passes, in a sentence, and which entry of the spec decided."""

    matched: bool
    why: str
    path: str = ""
    """As ``filters[0].all[1].exact[type]``; empty when no single entry decided."""
    parts: tuple[Part, ...] = ()
    """What decided, together: without any of them it could have come out otherwise."""


class Filter(Protocol):
    """Both questions have the same answer; neither ever raises."""

    def passes(self, event: CloudEvent) -> bool:
        """Whether *event* is wanted; this is asked for every event."""
        ...

    def judge(self, event: CloudEvent) -> Verdict:
        """Whether *event* is wanted, and why."""
        ...
