"""From what a Trigger says to the filter that it means.

Source: Eventing data plane reference §5.1.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.filters.attributes import Attributes
from knlite.eventing.filters.filter import Filter, Verdict
from knlite.kinds.eventing.trigger import TriggerSpec


@dataclass(frozen=True, slots=True)
class _Everything:
    def passes(self, event: CloudEvent) -> bool:
        return True

    def judge(self, event: CloudEvent) -> Verdict:
        return Verdict(True, "there is no filter: everything passes")


EVERYTHING: Filter = _Everything()
"""What Subscriptions have, and Triggers without a filter."""


def filter_of(spec: TriggerSpec) -> Filter:
    """The filter that *spec* asks for."""
    if spec.filter is None or not spec.filter.attributes:
        return EVERYTHING
    return Attributes(spec.filter.attributes)


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
