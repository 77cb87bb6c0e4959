"""The filter of a Trigger in a few words, for an edge of the map.

It is a reminder: ``verdicts`` say what a filter means for an event (``telemetry/xray.py``).
"""

from collections.abc import Iterable, Mapping

from knlite.kinds.eventing.filters import SubscriptionsAPIFilter
from knlite.kinds.eventing.trigger import TriggerSpec

LONGEST = 200
"""Characters; the whole filter is in the Trigger."""


def filter_words(spec: TriggerSpec) -> str:
    """What *spec* lets through; empty: everything."""
    if spec.filters:
        words = _all(spec.filters)
    elif spec.filter is not None:
        words = _pairs(spec.filter.attributes, "=", present=True)
    else:
        words = ""
    return words if len(words) <= LONGEST else f"{words[: LONGEST - 1]}…"


def _all(items: Iterable[SubscriptionsAPIFilter], joint: str = " and ") -> str:
    return joint.join(words for each in items if (words := _one(each)))


def _one(item: SubscriptionsAPIFilter) -> str:
    """In the order in which the data plane reads an item that has got past admission."""
    if item.exact:
        return _pairs(item.exact, "=")
    if item.prefix:
        return _pairs(item.prefix, "begins with")
    if item.suffix:
        return _pairs(item.suffix, "ends with")
    if item.all:
        return f"({_all(item.all)})"
    if item.any:
        return f"({_all(item.any, ' or ')})"
    if item.not_ is not None:
        return f"not {_one(item.not_)}"
    return item.cesql


def _pairs(wanted: Mapping[str, str], word: str, *, present: bool = False) -> str:
    return " and ".join(
        f"{name} is there" if present and not value else f"{name} {word} {value}"
        for name, value in wanted.items()
    )
