"""The work queue: each item once, failures later and later (client-go util/workqueue)."""

from hypothesis import given
from hypothesis import strategies as st

from knlite.controlplane.workqueue import MAX_DELAY, WorkQueue


def taken(queue: WorkQueue[str], now: float) -> list[str]:
    items = []
    while (item := queue.take(now)) is not None:
        items.append(item)
    return items


def test_an_item_that_is_added_twice_is_taken_once() -> None:
    queue = WorkQueue[str]()
    queue.add("a")
    queue.add("b")
    queue.add("a")
    assert taken(queue, 0) == ["a", "b"]


def test_a_delayed_item_is_due_at_its_time_and_not_before() -> None:
    queue = WorkQueue[str]()
    queue.add_at("a", 5)
    assert queue.next_due() == 5
    assert taken(queue, 4.9) == []
    assert taken(queue, 5) == ["a"]
    assert queue.next_due() is None


def test_the_sooner_of_two_times_counts() -> None:
    queue = WorkQueue[str]()
    queue.add_at("a", 5)
    queue.add_at("a", 3)
    queue.add_at("a", 7)
    assert queue.next_due() == 3
    assert taken(queue, 3) == ["a"]
    assert taken(queue, 10) == []


def test_failures_are_put_off_longer_each_time_until_one_succeeds() -> None:
    queue = WorkQueue[str]()
    delays = [queue.failed("a", 0) for _ in range(3)]
    assert delays == [0.005, 0.01, 0.02]
    queue.succeeded("a")
    assert queue.failed("b", 0) == 0.005
    assert queue.failed("a", 0) == 0.005


@given(st.integers(min_value=0, max_value=5000))
def test_the_delay_never_exceeds_its_maximum(failures: int) -> None:
    queue = WorkQueue[str]()
    for _ in range(min(failures, 60)):
        queue.failed("a", 0)
    assert queue.failed("a", 0) <= MAX_DELAY
