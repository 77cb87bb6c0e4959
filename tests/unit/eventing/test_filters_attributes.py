"""``spec.filter.attributes`` (Eventing data plane reference §5.2, §5.3)."""

import pytest

from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.filters.attributes import judge

EVENT = CloudEvent(
    {"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "ext": "v"},
    "application/json; charset=utf-8",
)


@pytest.mark.parametrize(
    ("wanted", "matched"),
    [
        pytest.param({}, True, id="no filter"),
        pytest.param({"type": "t"}, True, id="equal"),
        pytest.param({"type": "T"}, False, id="case counts"),
        pytest.param({"type": "t", "source": "/other"}, False, id="all must equal"),
        pytest.param({"ext": "v"}, True, id="extension"),
        pytest.param({"ext": ""}, True, id="presence"),
        pytest.param({"missing": ""}, False, id="absence"),
        pytest.param({"missing": "x"}, False, id="missing extension"),
        pytest.param({"subject": ""}, False, id="absent standard attribute"),
        pytest.param({"datamediatype": "application/json"}, True, id="media type"),
        pytest.param({"time": "0001-01-01T00:00:00Z"}, True, id="absent time"),
    ],
)
def test_every_entry_must_hold(wanted: dict[str, str], matched: bool) -> None:
    assert judge(wanted, EVENT).matched is matched


def test_the_verdict_says_which_entry_decided() -> None:
    assert judge({"type": "x"}, EVENT).why == "type is 't', not 'x'"
    assert judge({"missing": ""}, EVENT).why == "missing is absent"
