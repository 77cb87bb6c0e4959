"""The ``exact`` dialect: every named attribute has the given text.

Source: Eventing data plane reference §5.2, §5.3.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.filters.clue import Clue
from knlite.eventing.filters.lookup import lookup
from knlite.eventing.filters.outcome import Finding, Outcome
from knlite.eventing.filters.words import found, quoted


@dataclass(frozen=True, slots=True)
class Exact:
    """Attributes and their texts; none of either is empty."""

    wanted: Mapping[str, str]
    path: str

    def outcome(self, event: CloudEvent) -> Outcome:
        for name, text in self.wanted.items():  # noqa: SIM110  all() takes twice as long
            if lookup(event, name) != text:
                return False
        return True

    def finding(self, event: CloudEvent) -> Finding:
        for name, text in self.wanted.items():
            actual = lookup(event, name)
            if actual != text:
                why = f"{found(name, actual)}, and {quoted(text)} is wanted"
                return Finding(False, why, f"{self.path}[{name}]")
        return Finding(
            True, " and ".join(found(name, text) for name, text in self.wanted.items()), self.path
        )

    def clues(self) -> tuple[Clue, ...]:
        return tuple(frozenset((entry,)) for entry in self.wanted.items())
