"""From what a Trigger says to the filter that it means.

``filters`` with at least one item replaces ``filter``. Items that say nothing are thrown away.

Source: Eventing data plane reference §5.1, §5.3.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from knlite.eventing.cesql.program import program_of
from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.filters.all import All
from knlite.eventing.filters.any import Any
from knlite.eventing.filters.attributes import Attributes
from knlite.eventing.filters.cesql import CESQL, Unreadable
from knlite.eventing.filters.clue import Clue
from knlite.eventing.filters.exact import Exact
from knlite.eventing.filters.filter import Filter, Verdict
from knlite.eventing.filters.not_ import Not
from knlite.eventing.filters.outcome import Dialect
from knlite.eventing.filters.prefix import Prefix
from knlite.eventing.filters.suffix import Suffix
from knlite.kinds.cesql.syntax import NotCESQL
from knlite.kinds.eventing.filters import SubscriptionsAPIFilter
from knlite.kinds.eventing.trigger import TriggerSpec


@dataclass(frozen=True, slots=True)
class _Everything:
    def passes(self, event: CloudEvent) -> bool:
        return True

    def judge(self, event: CloudEvent) -> Verdict:
        return Verdict(True, "there is no filter: everything passes")


EVERYTHING: Filter = _Everything()
"""What Subscriptions have, and Triggers without a filter."""


@dataclass(frozen=True, slots=True)
class Filters:
    """A list of expressions, of which none may fail."""

    all: All

    def passes(self, event: CloudEvent) -> bool:
        return self.all.outcome(event) is not False

    def judge(self, event: CloudEvent) -> Verdict:
        finding = self.all.finding(event)
        return Verdict(finding.outcome is not False, finding.why, finding.path, finding.parts)

    def clues(self) -> tuple[Clue, ...]:
        """What an event must have in order to pass."""
        return self.all.clues()


def filter_of(spec: TriggerSpec) -> Filter:
    """The filter that *spec* asks for."""
    if spec.filters:
        return filter_of_items(spec.filters)
    if spec.filter is None or not spec.filter.attributes:
        return EVERYTHING
    return Attributes(spec.filter.attributes)


def filter_of_items(items: Sequence[SubscriptionsAPIFilter], path: str = "filters") -> Filter:
    """The filter that a list of expressions asks for; *path* is where it stands in its spec."""
    members = _members(items, path)
    return Filters(All(members, path)) if members else EVERYTHING


def filter_text(spec: TriggerSpec) -> str:
    """The filters of *spec* as JSON, for ``filter_from`` to read another time."""
    document: dict[str, object] = {}
    if spec.filter is not None and spec.filter.attributes:
        document["filter"] = spec.filter
    if spec.filters:
        document["filters"] = spec.filters
    return msgspec.json.encode(document).decode()


def filter_from(document: Mapping[str, object]) -> Filter:
    """The filter that ``filter_text`` once wrote down (its JSON, decoded)."""
    return filter_of(msgspec.convert(document, TriggerSpec))


def _members(items: Sequence[SubscriptionsAPIFilter], path: str) -> tuple[Dialect, ...]:
    dialects = (_dialect(item, f"{path}[{index}]") for index, item in enumerate(items))
    return tuple(each for each in dialects if each is not None)


def _dialect(item: SubscriptionsAPIFilter, path: str) -> Dialect | None:
    """What *item* means; None if it is to be thrown away."""
    # In this order, should several have got past admission.
    if item.exact:
        return Exact(item.exact, f"{path}.exact") if all(item.exact.values()) else None
    if item.prefix:
        return Prefix(item.prefix, f"{path}.prefix") if all(item.prefix.values()) else None
    if item.suffix:
        return Suffix(item.suffix, f"{path}.suffix") if all(item.suffix.values()) else None
    if item.all:
        return All(_members(item.all, f"{path}.all"), f"{path}.all")
    if item.any:
        return Any(_members(item.any, f"{path}.any"), f"{path}.any")
    if item.not_ is not None:
        return Not(_dialect(item.not_, f"{path}.not"), f"{path}.not")
    return _cesql(item.cesql, f"{path}.cesql") if item.cesql else None


def _cesql(expression: str, path: str) -> Dialect:
    try:
        return CESQL(program_of(expression), path)
    except NotCESQL as exc:
        return Unreadable(str(exc), path)
