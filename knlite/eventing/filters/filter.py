"""What a filter is to everybody who asks one.

Source: Eventing data plane reference §5.1. Not here: the dialects (one module each), and how the
spec of a Trigger becomes a filter (``build.py``).
"""

from dataclasses import dataclass
from typing import Protocol

from knlite.eventing.cloudevent import CloudEvent


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an event passes, in a sentence, and which entry of the spec decided."""

    matched: bool
    why: str
    path: str = ""
    """As ``filters[0].all[1].exact[type]``; empty when no single entry decided."""


class Filter(Protocol):
    """Both questions have the same answer; neither ever raises."""

    def passes(self, event: CloudEvent) -> bool:
        """Whether *event* is wanted; this is asked for every event."""
        ...

    def judge(self, event: CloudEvent) -> Verdict:
        """Whether *event* is wanted, and why."""
        ...
