"""What the entries of a filter have seen, where all of them decided."""

from collections.abc import Iterable
from itertools import islice

from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.filters.filter import MOST_PARTS, Part
from knlite.eventing.filters.lookup import lookup
from knlite.eventing.filters.words import seen


def all_seen(path: str, event: CloudEvent, names: Iterable[str]) -> tuple[Part, ...]:
    """The entries *names* at *path*, each of which was satisfied."""
    return tuple(
        Part(f"{path}[{name}]", True, seen(name, lookup(event, name)))
        for name in islice(names, MOST_PARTS)
    )
