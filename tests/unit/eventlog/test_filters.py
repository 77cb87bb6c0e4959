"""Which filter decides about an event of a server."""

from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.filters.attributes import Attributes
from knlite.eventlog.filters import KEPT, Filters

A, B = Attributes({"type": "a"}), Attributes({"type": "b"})


def event(kind: str) -> CloudEvent:
    return CloudEvent({"specversion": "1.0", "id": "1", "source": "/s", "type": kind})


def test_what_came_before_an_edit_is_judged_as_it_was_then() -> None:
    filters = Filters(A)
    filters.replace(B, 10)
    filters.replace(B, 20)
    assert [filters.passes(event(kind), 10) for kind in "ab"] == [True, False]
    assert [filters.passes(event(kind), 11) for kind in "ab"] == [False, True]


def test_what_others_have_written_is_judged_as_it_is_now() -> None:
    filters = Filters(A)
    filters.replace(B, 10)
    assert [filters.passes(event(kind), 0) for kind in "ab"] == [False, True]


def test_of_many_edits_the_newest_are_known() -> None:
    filters = Filters(A)
    for since in range(1, KEPT + 10):
        filters.replace(Attributes({"type": f"t{since}"}), since)
    assert filters.passes(event(f"t{KEPT - 1}"), KEPT)
    # What is older than that is judged as it is now.
    assert filters.passes(event(f"t{KEPT + 9}"), 1)
