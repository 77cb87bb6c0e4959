"""``spec.filter.attributes``: every entry must equal, an empty value asks for presence.

Source: Eventing data plane reference §5.2, §5.3.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.filters.clue import Clue
from knlite.eventing.filters.filter import Part, Verdict
from knlite.eventing.filters.lookup import lookup
from knlite.eventing.filters.seen import all_seen
from knlite.eventing.filters.words import found, quoted, seen


@dataclass(frozen=True, slots=True)
class Attributes:
    """Attribute names and the texts that they must have; an empty text: any but none."""

    wanted: Mapping[str, str]

    def passes(self, event: CloudEvent) -> bool:
        """Whether *event* has all that is wanted."""
        for name, value in self.wanted.items():
            text = lookup(event, name)
            if not text or (value and text != value):
                return False
        return True

    def judge(self, event: CloudEvent) -> Verdict:
        """The first entry that *event* does not satisfy, or all that it has."""
        for name, value in self.wanted.items():
            text = lookup(event, name)
            path = f"filter.attributes[{name}]"
            if not text or (value and text != value):
                wanted = f"{quoted(value)} is wanted" if value else "some value is wanted"
                why = f"{found(name, text)}, and {wanted}"
                return Verdict(False, why, path, (Part(path, False, seen(name, text)),))
        had = " and ".join(found(name, lookup(event, name)) for name in self.wanted)
        path = "filter.attributes"
        return Verdict(True, had, path, all_seen(path, event, self.wanted))

    def clues(self) -> tuple[Clue, ...]:
        """What an event must have in order to pass."""
        return tuple(frozenset(((name, value),)) for name, value in self.wanted.items() if value)
