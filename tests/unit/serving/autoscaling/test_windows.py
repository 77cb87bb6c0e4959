"""Averages over windows, and of concurrency (Knative reference §2.4)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.serving.autoscaling.average import ConcurrencyMeter
from knlite.serving.autoscaling.windows import Window


def test_a_young_window_averages_over_its_life() -> None:
    window = Window(60)
    window.record(0.0, 10.0)
    window.record(1.0, 20.0)
    assert window.average(1.0) == 15.0


def test_seconds_without_a_value_count_as_zero() -> None:
    window = Window(60)
    window.record(0.0, 10.0)
    window.record(4.0, 10.0)
    assert window.average(4.0) == 4.0


def test_silence_drops_the_oldest_seconds() -> None:
    window = Window(4)
    for second in range(4):
        window.record(float(second), 8.0)
    assert window.average(5.0) == 8.0
    assert window.average(7.0) == 0.0


def test_values_of_one_second_add_up() -> None:
    window = Window(10)
    window.record(0.1, 1.0)
    window.record(0.9, 2.0)
    assert window.average(0.9) == 3.0


@given(
    st.integers(1, 12),
    st.integers(1, 12),
    st.lists(st.floats(0, 100), min_size=1, max_size=30),
)
def test_a_resized_window_averages_what_both_remember(
    before: int, after: int, values: list[float]
) -> None:
    window = Window(before)
    for second, value in enumerate(values):
        window.record(float(second), value)
    now = float(len(values) - 1)
    known = values[-min(before, after) :]
    resized = window.resized(now, after)
    assert resized.average(now) == pytest.approx(sum(known) / len(known), abs=1e-5)
    resized.record(now + 1, 50.0)
    following = [*values[-before:], 50.0][-after:]
    assert resized.average(now + 1) == pytest.approx(sum(following) / len(following), abs=1e-5)


def test_what_a_window_has_forgotten_does_not_come_back() -> None:
    assert Window(6).resized(0.0, 60).is_empty(0.0)
    window = Window(6)
    window.record(0.0, 8.0)
    assert window.resized(6.0, 60).is_empty(6.0)


@given(
    st.integers(1, 12),
    st.lists(st.tuples(st.integers(0, 5), st.floats(0, 100)), min_size=1, max_size=40),
)
def test_the_average_is_that_of_the_buckets_that_are_still_inside(
    size: int, steps: list[tuple[int, float]]
) -> None:
    window, now, buckets, first, last = Window(size), 0, dict[int, float](), 0, 0
    for gap, value in steps:
        now += gap
        if buckets and now - last >= size:
            buckets.clear()
        if not buckets:
            first = now
        buckets[now] = buckets.get(now, 0.0) + value
        last = now
        window.record(float(now), value)
        inside = [value for second, value in buckets.items() if now - second < size]
        assert window.average(float(now)) == pytest.approx(
            sum(inside) / min(now - first + 1, size), abs=1e-5
        )


def test_the_weighted_average_favours_the_present() -> None:
    window = Window(10)
    for second in range(9):
        window.record(float(second), 0.0)
    window.record(9.0, 100.0)
    assert window.weighted_average(9.0) > window.average(9.0)


@given(st.lists(st.tuples(st.floats(0, 3), st.booleans()), max_size=50), st.floats(0.1, 3))
def test_concurrency_is_the_area_under_its_level(
    steps: list[tuple[float, bool]], rest: float
) -> None:
    meter, now, level, area, arrivals = ConcurrencyMeter(0.0), 0.0, 0, 0.0, 0
    for gap, begins in steps:
        area += level * gap
        now += gap
        if begins:
            meter.begin(now)
            level, arrivals = level + 1, arrivals + 1
        elif level:
            meter.end(now)
            level -= 1
    area += level * rest
    now += rest
    sample = meter.sample(now)
    assert sample.concurrency == pytest.approx(area / now)
    assert sample.requests == pytest.approx(arrivals / now)
    assert meter.current == level
    assert meter.sample(now + 1).concurrency == pytest.approx(level)
