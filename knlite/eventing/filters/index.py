"""Which of many filters an event passes, without asking those that it cannot pass.

Most filters need some attribute to have some text (``clue.py``). They are kept under the attribute
and text that fewest of all need, so that an event finds by its own attributes the few that are
worth asking. What a filter without clues costs is not saved.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.filters.clue import Clue
from knlite.eventing.filters.filter import Filter
from knlite.eventing.filters.lookup import lookup


@runtime_checkable
class Clued(Protocol):
    """A filter of which something is known without an event."""

    def clues(self) -> tuple[Clue, ...]:
        """All of them are true of every event that passes."""
        ...


class Index:
    """Filters by key, in their order."""

    def __init__(self, filters: Mapping[str, Filter]) -> None:
        self._entries = tuple(filters.items())
        clues = [each.clues() if isinstance(each, Clued) else () for each in filters.values()]
        needed = Counter(
            entry for each in clues for entry in frozenset[tuple[str, str]]().union(*each)
        )
        self._always: list[int] = []
        by_text: dict[str, dict[str, list[int]]] = {}
        for number, each in enumerate(clues):
            if not each:
                self._always.append(number)
                continue
            for name, text in min(each, key=lambda clue: sum(needed[entry] for entry in clue)):
                by_text.setdefault(name, {}).setdefault(text, []).append(number)
        self._by_text: Sequence[tuple[str, Mapping[str, Sequence[int]]]] = tuple(by_text.items())

    def matching(self, event: CloudEvent) -> tuple[str, ...]:
        """The keys of the filters that *event* passes, in the order of the mapping."""
        worth = self._always
        for name, by_text in self._by_text:
            text = lookup(event, name)
            if text is not None and text in by_text:
                worth = [*worth, *by_text[text]]
        if worth is not self._always:
            # A filter with a choice of texts may have been found twice.
            worth = sorted(set(worth))
        entries = self._entries
        return tuple([entries[n][0] for n in worth if entries[n][1].passes(event)])
