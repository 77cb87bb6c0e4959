"""The filters that a reader on a server has had in this run.

A server hands out what came before an edit after it. Each decides about the events that came while
it was in force, as in the engines that route an event when it comes (ADR 0033).
"""

from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.filters.filter import Filter

KEPT = 100
"""Of one reader, the newest."""


class Filters:
    """Of one reader."""

    def __init__(self, first: Filter) -> None:
        self._newest = first
        self._since: list[tuple[int, Filter]] = [(0, first)]
        """Each for events above an arrival."""

    def replace(self, filter_: Filter, arrival: int) -> None:
        """*filter_* decides about what comes after *arrival*, the last event until now."""
        if filter_ is not self._newest:
            self._newest = filter_
            self._since.append((arrival, filter_))
            del self._since[:-KEPT]

    def passes(self, event: CloudEvent, arrival: int) -> bool:
        """Whether the one passes *event* that was in force when this run took it in.

        *arrival* is 0 for what another run or program has written, which is judged as of now.
        """
        if arrival and len(self._since) > 1:
            for since, filter_ in reversed(self._since):
                if arrival > since:
                    return filter_.passes(event)
        return self._newest.passes(event)
