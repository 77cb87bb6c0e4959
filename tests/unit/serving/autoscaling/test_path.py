"""When the activator is in the path (Knative reference §2.5, the worked values, and §2.6)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.serving.autoscaling.path import Excess, Mode, excess, initial_excess, path
from knlite.serving.autoscaling.spec import ScalingSpec

CC_10 = ScalingSpec(total=10, target=7, burst_capacity=7)


@pytest.mark.parametrize(
    ("spec", "ready", "load", "capacity", "mode"),
    [
        pytest.param(ScalingSpec(), 1, 10, -121, "Proxy", id="one instance"),
        pytest.param(ScalingSpec(), 1, 140, -251, "Proxy", id="one in panic"),
        pytest.param(ScalingSpec(), 3, 80, 9, "Serve", id="three instances"),
        pytest.param(ScalingSpec(), 3, 89, 0, "Serve", id="just enough"),
        pytest.param(ScalingSpec(), 3, 89.5, -1, "Proxy", id="just not enough, rounded down"),
        pytest.param(ScalingSpec(), 10, 0, 789, "Serve", id="ten instances"),
        pytest.param(ScalingSpec(), 2, 0, -11, "Proxy", id="two of them left"),
        pytest.param(CC_10, 4, 12, 21, "Serve", id="CC 10, target 7, TBC 7"),
        pytest.param(ScalingSpec(burst_capacity=0), 1, 9000, 0, "Serve", id="TBC 0"),
        pytest.param(ScalingSpec(burst_capacity=-1), 99, 0, -1, "Proxy", id="TBC -1"),
    ],
)
def test_worked_values(
    spec: ScalingSpec, ready: int, load: float, capacity: float, mode: Mode
) -> None:
    found = excess(spec, ready, load)
    assert found.capacity == capacity
    assert path(ready, found, ready, inactive=False).mode == mode


@pytest.mark.parametrize(
    ("spec", "capacity"),
    [
        pytest.param(ScalingSpec(), -111, id="one instance"),
        pytest.param(ScalingSpec(initial_scale=3), 89, id="three"),
        pytest.param(ScalingSpec(burst_capacity=0), 0, id="TBC 0"),
        pytest.param(ScalingSpec(burst_capacity=-1, initial_scale=9), -1, id="TBC -1"),
    ],
)
def test_it_begins_with_the_capacity_of_the_initial_scale(
    spec: ScalingSpec, capacity: float
) -> None:
    assert initial_excess(spec).capacity == capacity


@pytest.mark.parametrize(
    ("found", "why"),
    [
        pytest.param(
            path(3, excess(ScalingSpec(), 3, 80), 3, inactive=False),
            "excess burst capacity 9 = 3×100 − 211 − 80",
            id="enough",
        ),
        pytest.param(
            path(1, excess(ScalingSpec(), 1, 10), 1, inactive=False),
            "excess burst capacity -121 = 1×100 − 211 − 10",
            id="not enough",
        ),
        pytest.param(
            path(1, excess(ScalingSpec(burst_capacity=0), 1, 5), 1, inactive=False),
            "target-burst-capacity is 0",
            id="TBC 0",
        ),
        pytest.param(
            path(1, excess(ScalingSpec(burst_capacity=-1), 1, 5), 1, inactive=False),
            "target-burst-capacity is -1",
            id="TBC -1",
        ),
        pytest.param(
            path(0, excess(ScalingSpec(burst_capacity=0), 1, 0), 1, inactive=False),
            "no instance is wanted",
            id="to zero",
        ),
        pytest.param(
            path(1, excess(ScalingSpec(burst_capacity=0), 0, 1), 0, inactive=False),
            "no instance is ready",
            id="from zero",
        ),
    ],
)  # fmt: skip
def test_the_sentence_has_the_numbers(found: object, why: str) -> None:
    assert found.why == why  # type: ignore[attr-defined]  # a Path


def test_what_is_not_known_goes_by_what_was_said_last() -> None:
    spare = Excess(5.0, "x")
    assert path(None, spare, 1, inactive=True).mode == "Proxy"
    assert path(None, spare, 1, inactive=False).mode == "Serve"


@given(
    st.none() | st.integers(0, 100),
    st.floats(-1e6, 1e6),
    st.integers(0, 100),
    st.booleans(),
)
def test_it_is_out_only_with_capacity_to_spare_and_somebody_to_serve(
    want: int | None, capacity: float, ready: int, inactive: bool
) -> None:
    if path(want, Excess(capacity, ""), ready, inactive=inactive).mode == "Serve":
        assert capacity >= 0
        assert ready
        assert want != 0
