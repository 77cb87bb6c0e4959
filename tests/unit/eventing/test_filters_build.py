"""Which filter a Trigger means (Eventing data plane reference §5.1)."""

import json

import pytest

from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.filters.build import EVERYTHING, filter_from, filter_of, filter_text
from knlite.kinds.eventing.trigger import TriggerFilter, TriggerSpec

EVENT = CloudEvent({"specversion": "1.0", "id": "1", "source": "/s", "type": "t"})


@pytest.mark.parametrize(
    "spec", [TriggerSpec(), TriggerSpec(filter=TriggerFilter())], ids=["none", "empty"]
)
def test_without_a_filter_everything_passes(spec: TriggerSpec) -> None:
    assert filter_of(spec) is EVERYTHING
    assert EVERYTHING.passes(EVENT)
    assert EVERYTHING.judge(EVENT).matched


def test_a_filter_that_was_written_down_is_the_same() -> None:
    spec = TriggerSpec(filter=TriggerFilter(attributes={"type": "x"}))
    assert filter_from(json.loads(filter_text(spec))) == filter_of(spec)
    assert filter_from(json.loads(filter_text(TriggerSpec()))) is EVERYTHING
