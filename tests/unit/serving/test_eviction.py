"""Which frozen instances are let go, and that no more is held than may be."""

from hypothesis import given
from hypothesis import strategies as st

from knlite.serving.eviction import SMALLEST, GreedyDual

MIB = 2**20


def test_the_one_that_is_cheap_to_start_for_its_size_goes_first() -> None:
    held = GreedyDual[str]()
    assert held.add("dear", 4 * MIB, 5.0, 10 * MIB) == ()
    assert held.add("cheap", 4 * MIB, 0.1, 10 * MIB) == ()
    assert held.add("other", 4 * MIB, 1.0, 10 * MIB) == ("cheap",)
    assert "dear" in held


def test_of_equals_the_one_that_was_frozen_first_goes_first() -> None:
    held = GreedyDual[str]()
    held.add("a", MIB, 1.0, 2 * MIB)
    held.add("b", MIB, 1.0, 2 * MIB)
    held.add("a", MIB, 1.0, 2 * MIB)
    assert held.add("c", MIB, 1.0, 2 * MIB) == ("b",)


def test_a_dear_one_that_nobody_uses_does_not_stay_for_ever() -> None:
    held = GreedyDual[str]()
    held.add("dear", MIB, 5.0, 2 * MIB)
    rounds = 0
    while "dear" in held:
        rounds += 1
        held.add(f"cheap {rounds}", MIB, 1.0, 2 * MIB)
        assert rounds < 20


def test_what_is_larger_than_all_that_may_be_held_pushes_nobody_out() -> None:
    held = GreedyDual[str]()
    held.add("a", MIB, 1.0, 2 * MIB)
    assert held.add("huge", 3 * MIB, 100.0, 2 * MIB) == ("huge",)
    assert "a" in held


def test_what_may_be_held_may_become_less() -> None:
    held = GreedyDual[str]()
    held.add("a", MIB, 1.0, 3 * MIB)
    held.add("b", MIB, 2.0, 3 * MIB)
    assert held.add("c", MIB, 3.0, MIB) == ("a", "b")


@given(
    st.integers(0, 40 * SMALLEST),
    st.lists(
        st.tuples(
            st.integers(0, 9),
            st.integers(0, 50 * SMALLEST),
            st.floats(0, 100),
            st.booleans(),
        ),
        max_size=60,
    ),
)
def test_never_more_than_the_limit_and_everyone_who_is_out_was_told(
    limit: int, steps: list[tuple[int, int, float, bool]]
) -> None:
    held, inside = GreedyDual[int](), dict[int, int]()
    for key, size, cost, leaves in steps:
        inside.pop(key, None)
        if leaves:
            held.remove(key)
        else:
            inside[key] = max(size, SMALLEST)
            for gone in held.add(key, size, cost, limit):
                del inside[gone]
        assert held.size == sum(inside.values()) <= limit
        assert all((each in held) == (each in inside) for each in range(10))
