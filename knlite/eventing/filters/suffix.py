"""The ``suffix`` dialect: every named attribute ends with the given text.

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
class Suffix:
    """Attributes and their ends; none of either is empty."""

    wanted: Mapping[str, str]
    path: str

    def outcome(self, event: CloudEvent) -> Outcome:
        # What is missing has no end either: no end is empty.
        for name, text in self.wanted.items():  # noqa: SIM110  all() takes twice as long
            if not (lookup(event, name) or "").endswith(text):
                return False
        return True

    def finding(self, event: CloudEvent) -> Finding:
        for name, text in self.wanted.items():
            actual = lookup(event, name)
            if not (actual or "").endswith(text):
                why = f"{found(name, actual)}, which does not end with {quoted(text)}"
                path = f"{self.path}[{name}]"
                return Finding(False, why, path, (Part(path, False, seen(name, actual)),))
        why = " and ".join(
            f"{found(name, lookup(event, name))}, which ends with {quoted(text)}"
            for name, text in self.wanted.items()
        )
        return Finding(True, why, self.path, all_seen(self.path, event, self.wanted))

    def clues(self) -> tuple[Clue, ...]:
        return ()
