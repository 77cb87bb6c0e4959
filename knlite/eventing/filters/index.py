"""Which of many filters an event passes."""

from collections.abc import Mapping

from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.filters.filter import Filter


class Index:
    """Filters by key."""

    def __init__(self, filters: Mapping[str, Filter]) -> None:
        self._filters = dict(filters)

    def matching(self, event: CloudEvent) -> tuple[str, ...]:
        """The keys of those that *event* passes, in the mapping's order."""
        return tuple(key for key, filter_ in self._filters.items() if filter_.passes(event))
