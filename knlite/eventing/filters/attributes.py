"""``spec.filter.attributes``: every entry must equal, an empty value asks for presence.

Source: Eventing data plane reference §5.2, §5.3.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.filters.filter import Verdict
from knlite.eventing.filters.lookup import lookup
from knlite.eventing.filters.words import quoted


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
            if not text:
                wanted = f"{quoted(value)} is wanted" if value else "some value is wanted"
                return Verdict(False, f"{name} is absent, and {wanted}", path)
            if value and text != value:
                return Verdict(
                    False, f"{name} is {quoted(text)}, and {quoted(value)} is wanted", path
                )
        return Verdict(
            True,
            " and ".join(f"{name} is {quoted(lookup(event, name) or '')}" for name in self.wanted),
            "filter.attributes",
        )
