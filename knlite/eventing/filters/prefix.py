"""The ``prefix`` dialect: every named attribute begins with the given text.

Source: Eventing data plane reference §5.2, §5.3.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.filters.clue import Clue
from knlite.eventing.filters.filter import Part
from knlite.eventing.filters.lookup import lookup
from knlite.eventing.filters.outcome import Finding, Outcome
from knlite.eventing.filters.seen import all_seen
from knlite.eventing.filters.words import found, quoted, seen


@dataclass(frozen=True, slots=True)
class Prefix:
    """Attributes and their beginnings; none of either is empty."""

    wanted: Mapping[str, str]
    path: str

    def outcome(self, event: CloudEvent) -> Outcome:
        # What is missing has no beginning either: no beginning is empty.
        return all(
            (lookup(event, name) or "").startswith(text) for name, text in self.wanted.items()
        )

    def finding(self, event: CloudEvent) -> Finding:
        for name, text in self.wanted.items():
            actual = lookup(event, name)
            if not (actual or "").startswith(text):
                why = f"{found(name, actual)}, which does not begin with {quoted(text)}"
                path = f"{self.path}[{name}]"
                return Finding(False, why, path, (Part(path, False, seen(name, actual)),))
        why = " and ".join(
            f"{found(name, lookup(event, name))}, which begins with {quoted(text)}"
            for name, text in self.wanted.items()
        )
        return Finding(True, why, self.path, all_seen(self.path, event, self.wanted))

    def clues(self) -> tuple[Clue, ...]:
        return ()
