"""What one expression of a filter comes to. There are three results, not two.

True: the event passes. False: it fails, and is not wanted. None: the expression says nothing, and
an event is held up only by one that fails. Only what holds an empty ``not`` ever says nothing.

Source: Eventing data plane reference §5.1, §5.3.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain, islice
from typing import Protocol, TypeAlias

from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.filters.clue import Clue
from knlite.eventing.filters.filter import MOST_PARTS, Part

Outcome: TypeAlias = bool | None

_SENTENCES = 5
"""Of members, that are told; a filter may have thousands."""


@dataclass(frozen=True, slots=True)
class Finding:
    """An outcome, explained: *why* is a sentence, *path* the entry that decided."""

    outcome: Outcome
    why: str
    path: str
    parts: tuple[Part, ...] = ()
    """As ``Verdict.parts``."""


class Dialect(Protocol):
    """One expression. Nothing here raises."""

    def outcome(self, event: CloudEvent) -> Outcome:
        """What it says about *event*; this is asked for every event."""
        ...

    def finding(self, event: CloudEvent) -> Finding:
        """The same, explained."""
        ...

    def clues(self) -> tuple[Clue, ...]:
        """What every event that passes has: all of them; none, if nothing is known."""
        ...


def joined(findings: Iterable[Finding], by: str) -> str:
    """Their sentences as one, cut where it gets long; none stands there twice."""
    sentences = list(dict.fromkeys(each.why for each in findings))
    if len(sentences) > _SENTENCES:
        more = len(sentences) - _SENTENCES
        sentences = [*sentences[:_SENTENCES], f"so it goes on, {more} times more"]
    return by.join(sentences)


def parts_of(findings: Iterable[Finding]) -> tuple[Part, ...]:
    """Theirs, as far as they are named."""
    return tuple(islice(chain.from_iterable(each.parts for each in findings), MOST_PARTS))
