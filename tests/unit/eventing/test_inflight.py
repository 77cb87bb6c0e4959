"""The low-water mark of a trigger."""

from hypothesis import given
from hypothesis import strategies as st

from knlite.eventing.inflight import Inflight


def test_the_mark_waits_for_the_oldest() -> None:
    inflight = Inflight(5)
    for position in (5, 6, 7):
        inflight.begin(position)
    assert inflight.end(6) == 5
    assert inflight.end(5) == 7
    assert inflight.end(7) == 8


def test_before_anything_begins_the_mark_is_the_start() -> None:
    assert Inflight(5).low_water == 5


def test_positions_that_were_passed_over_are_done_with() -> None:
    inflight = Inflight(0)
    inflight.begin(3)
    inflight.begin(9)
    assert inflight.end(3) == 9
    assert inflight.end(9) == 10


@given(st.integers(0, 5), st.integers(1, 12).flatmap(lambda n: st.permutations(range(n))))
def test_the_mark_is_the_oldest_that_is_open(start: int, ends: list[int]) -> None:
    inflight = Inflight(start)
    for position in range(len(ends)):
        inflight.begin(start + position)
    still_open = set(ends)
    for position in ends:
        still_open.remove(position)
        assert inflight.end(start + position) == start + min(still_open, default=len(ends))
