"""Percentiles of warm requests and of cold starts, and where the time of a start goes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.telemetry.latency import spread_of_counts, spread_of_starts
from knlite.telemetry.requests import FINE, SECONDS, Distribution, Requests
from tests.unit.telemetry.requestfacts import done, start


def test_nothing_has_no_percentiles() -> None:
    assert spread_of_counts(Distribution(FINE)).count == 0
    assert spread_of_starts([]).count == 0


@given(st.lists(st.floats(min_value=0.0001, max_value=600.0), min_size=1, max_size=200))
def test_percentiles_are_as_exact_as_their_buckets(taken: list[float]) -> None:
    counted = Distribution(FINE)
    for seconds in taken:
        counted.observe(seconds)
    found = spread_of_counts(counted)
    assert found.count == len(taken)
    assert sum(each.count for each in found.histogram) == len(taken)
    assert found.p50 <= found.p90 <= found.p95 <= found.p99
    ordered = sorted(taken)
    # The bucket in which the median is, one to the side for what lies between two.
    exact = ordered[(len(ordered) - 1) // 2]
    assert exact / 1.3 <= found.p50 <= max(exact * 1.3, ordered[len(ordered) // 2] * 1.3)


@given(st.floats(min_value=0.0, max_value=100.0))
def test_finer_buckets_leave_those_of_the_metrics_as_they_are(seconds: float) -> None:
    requests = Requests(lambda: None)
    requests.count(done(seconds=seconds))
    expected = Distribution(SECONDS)
    expected.observe(seconds)
    (series,) = requests
    assert series.duration().counts == expected.counts


def test_warm_are_those_that_an_instance_was_ready_for() -> None:
    requests = Requests(lambda: None)
    requests.count(done(seconds=0.01))
    requests.count(done(seconds=0.2, waited=0.1))
    requests.count(done(seconds=3.0, waited=2.9, cold=True))
    requests.count(done(seconds=5.0, instance="", status=503))
    requests.count(done(seconds=3600.0, status=101))
    warm = [series.warm() for series in requests]
    assert sum(sum(each.counts) for each in warm) == 2


def test_medians_tell_where_the_time_of_cold_starts_goes() -> None:
    starts = [start(), start(), start(ready=9.0, forwarded=9.0, first_byte=10.0)]
    found = spread_of_starts(starts)
    assert (found.count, found.p50, found.p99) == (3, 0.75, 10.0)
    assert {each.name: each.seconds for each in found.stages} == {
        "queued": 0.0, "prepare": 0.125, "create": 0.125, "ready": 0.25, "hand over": 0.0,
        "app": 0.25,
    }  # fmt: skip
    assert sum(each.count for each in found.histogram) == 3


def test_thaws_have_stages_of_their_own() -> None:
    thaw = start(how="thawed", created=0.0, started=0.002, ready=0.002, forwarded=0.002,
                 first_byte=0.004)  # fmt: skip
    found = spread_of_starts([thaw])
    assert [each.name for each in found.stages] == ["queued", "thaw", "hand over", "app"]
    assert found.stages[1].seconds == pytest.approx(0.002)
