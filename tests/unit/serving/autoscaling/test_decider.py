"""What a load asks for (Knative reference §2.3, §2.5: the worked values)."""

import pytest

from knlite.kinds.config.autoscaler import AutoscalerConfig
from knlite.serving.autoscaling.decider import Decider
from knlite.serving.autoscaling.spec import ScalingSpec, scaling_spec
from knlite.serving.instance import Sample

PREFIX = "autoscaling.knative.dev/"


def decided(
    spec: ScalingSpec, ready: int, load: float, seconds: int = 60
) -> tuple[int, float, bool]:
    decider = Decider(spec, 0.0)
    for second in range(seconds):
        decider.record(float(second), Sample(load, load))
    decision = decider.decide(float(seconds - 1), ready)
    return decision.desired, decision.excess.capacity, decision.panic


@pytest.mark.parametrize(
    ("spec", "ready", "load", "expected"),
    [
        pytest.param(ScalingSpec(), 1, 10, (1, -121, False), id="one is enough"),
        pytest.param(ScalingSpec(), 1, 140, (2, -251, True), id="twice the load is panic"),
        pytest.param(ScalingSpec(), 3, 80, (2, 9, False), id="down by one"),
        pytest.param(ScalingSpec(), 10, 0, (5, 789, False), id="down by half at most"),
        pytest.param(ScalingSpec(), 2, 0, (1, -11, False), id="to one"),
        pytest.param(ScalingSpec(), 1, 0, (0, -111, False), id="to none"),
        pytest.param(
            ScalingSpec(total=10, target=7, burst_capacity=7), 4, 12, (2, 21, False), id="CC 10"
        ),
        pytest.param(ScalingSpec(burst_capacity=0), 1, 10, (1, 0, False), id="no burst capacity"),
        pytest.param(ScalingSpec(burst_capacity=-1), 1, 10, (1, -1, False), id="always activator"),
        pytest.param(ScalingSpec(reachable=False), 10, 0, (0, 789, False), id="unreachable"),
        pytest.param(ScalingSpec(activation_scale=3), 1, 10, (3, -121, False), id="activation"),
        pytest.param(
            ScalingSpec(max_scale_up_rate=2.0, panic_threshold=1e9), 2, 1000, (4, -1011, False),
            id="up rate",
        ),
    ],
)  # fmt: skip
def test_worked_values(
    spec: ScalingSpec, ready: int, load: float, expected: tuple[int, float, bool]
) -> None:
    assert decided(spec, ready, load) == expected


def test_in_panic_the_number_never_goes_down_until_a_stable_window_has_passed() -> None:
    decider = Decider(ScalingSpec(), 0.0)
    for second in range(10):
        decider.record(float(second), Sample(700.0, 0.0))
    assert decider.decide(9.0, 1).desired == 10
    wanted = []
    for second in range(10, 80):
        decider.record(float(second), Sample(0.0, 0.0))
        wanted.append((second, decider.decide(float(second), 10)))
    assert all(decision.desired == 10 for second, decision in wanted if second <= 69)
    assert wanted[-1][1].desired < 10
    assert not wanted[-1][1].panic


def test_one_that_takes_over_running_instances_begins_in_panic() -> None:
    decider = Decider(ScalingSpec(), 0.0, ready=5)
    decider.record(0.0, Sample(0.0, 0.0))
    assert decider.decide(1.0, 5).desired == 5


def test_scale_down_delay_keeps_the_largest_of_its_time() -> None:
    decider = Decider(ScalingSpec(scale_down_delay=30.0, panic_threshold=1e9), 0.0)
    decider.record(0.0, Sample(350.0, 0.0))
    assert decider.decide(0.0, 5).desired == 5
    for second in range(1, 90):
        decider.record(float(second), Sample(0.0, 0.0))
        desired = decider.decide(float(second), 5).desired
        if second < 30:
            assert desired == 5
    assert desired < 5


def test_requests_per_second_are_counted_when_they_are_the_metric() -> None:
    spec = scaling_spec({f"{PREFIX}metric": "rps"}, 0, AutoscalerConfig())
    assert spec.target == pytest.approx(140)
    decider = Decider(spec, 0.0)
    for second in range(60):
        decider.record(float(second), Sample(1.0, 280.0))
    assert decider.decide(59.0, 2).desired == 2


@pytest.mark.parametrize(
    ("annotations", "concurrency", "total", "target"),
    [
        pytest.param({}, 0, 100, 70, id="defaults"),
        pytest.param({}, 10, 10, 7, id="containerConcurrency"),
        pytest.param({"target": "50"}, 10, 10, 7, id="not more than containerConcurrency"),
        pytest.param({"target": "5"}, 10, 5, 3.5, id="less than it"),
        pytest.param({"target-utilization-percentage": "100"}, 0, 100, 100, id="utilization"),
        pytest.param({"targetUtilizationPercentage": "50"}, 0, 100, 50, id="old spelling"),
    ],
)
def test_the_target(
    annotations: dict[str, str], concurrency: int, total: float, target: float
) -> None:
    keys = {PREFIX + key: value for key, value in annotations.items()}
    spec = scaling_spec(keys, concurrency, AutoscalerConfig())
    assert (spec.total, spec.target) == (total, pytest.approx(target))


def test_annotations_win_over_the_configuration_and_nonsense_is_passed_over() -> None:
    keys = {"window": "20s", "min-scale": "2", "maxScale": "9", "initial-scale": "many"}
    spec = scaling_spec({PREFIX + k: v for k, v in keys.items()}, 0, AutoscalerConfig())
    assert (spec.stable_window, spec.panic_window) == (20, 2)
    assert (spec.min_scale, spec.max_scale, spec.initial_scale) == (2, 9, 1)


def test_an_unreachable_revision_keeps_nothing_alive() -> None:
    keys = {f"{PREFIX}min-scale": "2", f"{PREFIX}scale-down-delay": "60s"}
    spec = scaling_spec(keys, 0, AutoscalerConfig(), reachable=False)
    assert (spec.min_scale, spec.scale_down_delay) == (0, 0)


@pytest.mark.parametrize(
    ("load", "words"),
    [
        (0.0166667, "0.02 requests at once over 60s, 70 per instance"),
        (1.0, "1 request at once over 60s, 70 per instance"),
        (7.32693, "7.3 requests at once over 60s, 70 per instance"),
        (69.0, "69 requests at once over 60s, 70 per instance"),
        (700.0, "panic: 700 requests at once over 6s, 70 per instance"),
    ],
)
def test_the_reason_has_no_more_digits_than_people_read(load: float, words: str) -> None:
    decider = Decider(ScalingSpec(), 0.0)
    for second in range(60):
        decider.record(float(second), Sample(load, load))
    assert decider.decide(59.0, 1).why == words
