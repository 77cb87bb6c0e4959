"""Knative reference §2.1, §2.3: annotations over the cluster's settings, and the target."""

import pytest

from knlite.kinds.config.autoscaler import AutoscalerConfig
from knlite.serving.autoscaling.spec import ScalingSpec, scaling_spec

A = "autoscaling.knative.dev"
CONFIG = AutoscalerConfig()


def spec(
    annotations: dict[str, str] | None = None,
    concurrency: int = 0,
    config: AutoscalerConfig = CONFIG,
    *,
    reachable: bool = True,
) -> ScalingSpec:
    keyed = {f"{A}/{key}": value for key, value in (annotations or {}).items()}
    return scaling_spec(keyed, concurrency, config, reachable=reachable)


def test_without_annotations_the_settings_count() -> None:
    assert spec() == ScalingSpec()


@pytest.mark.parametrize(
    ("annotations", "field", "value"),
    [
        ({"metric": "rps"}, "metric", "rps"),
        ({"target-burst-capacity": "-1"}, "burst_capacity", -1),
        ({"targetBurstCapacity": "0"}, "burst_capacity", 0),
        ({"window": "30s"}, "stable_window", 30),
        ({"window": "30s"}, "panic_window", 3),
        ({"window": "6s"}, "panic_window", 1),
        ({"panic-window-percentage": "50"}, "panic_window", 30),
        ({"panicWindowPercentage": "20"}, "panic_window", 12),
        ({"panic-threshold-percentage": "150"}, "panic_threshold", 1.5),
        ({"panicThresholdPercentage": "110"}, "panic_threshold", 1.1),
        ({"min-scale": "2"}, "min_scale", 2),
        ({"minScale": "3"}, "min_scale", 3),
        ({"minScale": "3", "min-scale": "1"}, "min_scale", 1),
        ({"max-scale": "4"}, "max_scale", 4),
        ({"maxScale": "5"}, "max_scale", 5),
        ({"initial-scale": "3"}, "initial_scale", 3),
        ({"initialScale": "2"}, "initial_scale", 2),
        ({"initial-scale": "0"}, "initial_scale", 1),
        ({"activation-scale": "5"}, "activation_scale", 5),
        ({"scale-down-delay": "5m"}, "scale_down_delay", 300),
        ({"scaleDownDelay": "1m"}, "scale_down_delay", 60),
        ({"scale-to-zero-pod-retention-period": "42s"}, "retention", 42),
        ({"scaleToZeroPodRetentionPeriod": "1m1s"}, "retention", 61),
        ({"metric-aggregation-algorithm": "weighted-exponential"}, "weighted", True),
        ({"metricAggregationAlgorithm": "weightedExponential"}, "weighted", True),
    ],
    ids=str,
)
def test_every_annotation_has_its_say(
    annotations: dict[str, str], field: str, value: object
) -> None:
    assert getattr(spec(annotations), field) == pytest.approx(value)


@pytest.mark.parametrize(
    ("annotations", "concurrency", "total", "target"),
    [
        ({}, 0, 100, 70),
        ({}, 10, 10, 7),
        ({"metric": "rps"}, 10, 200, 140),
        ({"target": "10"}, 0, 10, 7),
        ({"target": "10"}, 5, 5, 3.5),
        ({"target": "3"}, 5, 3, 2.1),
        ({"metric": "rps", "target": "10"}, 5, 10, 7),
        ({"target": "10", "target-utilization-percentage": "100"}, 0, 10, 10),
        ({"target": "10", "targetUtilizationPercentage": "50"}, 0, 10, 5),
        ({"target": "0.01", "target-utilization-percentage": "1"}, 0, 0.01, 0.01),
    ],
    ids=str,
)
def test_what_one_instance_can_and_should_carry(
    annotations: dict[str, str], concurrency: int, total: float, target: float
) -> None:
    found = spec(annotations, concurrency)
    assert (found.total, found.target) == (pytest.approx(total), pytest.approx(target))


def test_what_nobody_reaches_ignores_what_would_keep_it() -> None:
    annotations = {
        "min-scale": "2",
        "scale-down-delay": "5m",
        "scale-to-zero-pod-retention-period": "5m",
    }
    found = spec(annotations, reachable=False)
    assert (found.min_scale, found.scale_down_delay, found.retention) == (0, 0, 0)


def test_an_initial_scale_of_zero_where_the_cluster_allows_it() -> None:
    allowing = AutoscalerConfig(allow_zero_initial_scale=True)
    assert spec({"initial-scale": "0"}, config=allowing).initial_scale == 0


def test_what_admission_would_have_refused_counts_as_absent() -> None:
    assert spec({"min-scale": "many", "window": "soon", "target": "x"}) == ScalingSpec()
