"""How many requests ran at once (Knative reference §2.4)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.serving.autoscaling.average import ConcurrencyMeter
from knlite.serving.instance import Sample

BOOTED = 3e6
"""A machine that has run for a month."""


def test_the_average_weighs_by_time() -> None:
    meter = ConcurrencyMeter(BOOTED)
    meter.begin(BOOTED)
    meter.begin(BOOTED + 0.5)
    meter.end(BOOTED + 0.75)
    sample = meter.sample(BOOTED + 1)
    assert sample.concurrency == pytest.approx(1.25)
    assert sample.requests == 2
    assert meter.current == 1


def test_one_that_runs_on_counts_in_every_period() -> None:
    meter = ConcurrencyMeter(BOOTED)
    meter.begin(BOOTED + 0.5)
    assert meter.sample(BOOTED + 1).concurrency == pytest.approx(0.5)
    assert meter.sample(BOOTED + 2) == Sample(1.0, 0.0)
    meter.end(BOOTED + 2)
    assert meter.sample(BOOTED + 3) == Sample(0.0, 0.0)


def test_the_last_sample_is_kept() -> None:
    meter = ConcurrencyMeter(BOOTED)
    assert meter.last == Sample(0.0, 0.0)
    meter.begin(BOOTED)
    assert meter.sample(BOOTED + 1) is meter.last


def test_no_time_is_no_average() -> None:
    meter = ConcurrencyMeter(BOOTED)
    meter.begin(BOOTED)
    assert meter.sample(BOOTED) == Sample(1.0, 1.0)


@given(
    st.lists(st.tuples(st.floats(0, 0.1), st.booleans()), max_size=60),
    st.integers(0, 60),
)
def test_it_is_the_area_below_the_level(steps: list[tuple[float, bool]], sampled: int) -> None:
    meter = ConcurrencyMeter(BOOTED)
    now = since = BOOTED
    area, level = 0.0, 0
    for index, (wait, begins) in enumerate(steps):
        now += wait
        area += level * wait
        if index == sampled and now > since:
            assert meter.sample(now).concurrency * (now - since) == pytest.approx(area, abs=1e-6)
            area, since = 0.0, now
        if begins or not level:
            meter.begin(now)
            level += 1
        else:
            meter.end(now)
            level -= 1
        assert meter.current == level
    sample = meter.sample(now + 1)
    area += level
    assert sample.concurrency * (now + 1 - since) == pytest.approx(area, abs=1e-6)
    assert sample.concurrency >= 0


def test_a_busy_month_leaves_no_trace() -> None:
    meter = ConcurrencyMeter(BOOTED)
    for index in range(100_000):
        meter.begin(BOOTED + index * 1e-5)
        meter.end(BOOTED + index * 1e-5 + 0.0003)
    assert meter.sample(BOOTED + 1.1).concurrency == pytest.approx(30 / 1.1, rel=1e-4)
    assert meter.sample(BOOTED + 2.1) == Sample(0.0, 0.0)
