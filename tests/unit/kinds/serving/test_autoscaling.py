"""Knative reference §2.1: rules of the annotations of autoscaling, and their texts."""

import pytest

from knlite.kinds.config.autoscaler import AutoscalerConfig
from knlite.kinds.fielderror import refusing, rendered
from knlite.kinds.podspec.fields import Container, PodSpec, Resources
from knlite.kinds.serving.annotations import find
from knlite.kinds.serving.autoscaling import HPA, autoscaling_errors, unmeasured_errors

A = "autoscaling.knative.dev"
SHIPPED = AutoscalerConfig()


def problems(annotations: dict[str, str], config: AutoscalerConfig = SHIPPED) -> str:
    keyed = {f"{A}/{key}": value for key, value in annotations.items()}
    return rendered(refusing(autoscaling_errors(keyed, config))).replace(f"{A}/", "")


@pytest.mark.parametrize(
    "annotations",
    [
        {},
        {"class": "hpa.autoscaling.knative.dev", "metric": "memory"},
        {"class": "hpa.autoscaling.knative.dev", "metric": "queue_depth"},
        {"class": "mine.example.com", "metric": ""},
        {"metric": "rps", "target": "0.01", "target-utilization-percentage": "100"},
        {"target-burst-capacity": "-1"},
        {"target-burst-capacity": "0"},
        {"window": "6s", "panic-window-percentage": "1.0", "panic-threshold-percentage": "1e3"},
        {"min-scale": "2", "max-scale": "2", "activation-scale": "2"},
        {"minScale": "2", "maxScale": "0", "initial-scale": "+3"},
        {"scale-down-delay": "1h", "scale-to-zero-pod-retention-period": "1.5s"},
        {"class": "kpa.autoscaling.knative.dev", "metric-aggregation-algorithm": "linear"},
        {"metric-aggregation-algorithm": "unknown, but the class is not said"},
        {"somethingNew": "x"},
    ],
    ids=str,
)
def test_accepts(annotations: dict[str, str]) -> None:
    assert problems(annotations) == ""


@pytest.mark.parametrize(
    ("annotations", "text"),
    [
        ({"class": "x.knative.dev"}, "invalid value: x.knative.dev: class"),
        ({"metric": "cpu"}, "invalid value: cpu: metric"),
        (
            {"class": "hpa.autoscaling.knative.dev", "metric": ""},
            "invalid value: : metric",
        ),
        ({"target": "0"}, "target 0 should be at least 0.01: target"),
        ({"target": "many"}, "invalid value: many: target"),
        ({"target": "nan"}, "invalid value: nan: target"),
        (
            {"target-utilization-percentage": "101"},
            "expected 1 <= 101 <= 100: target-utilization-percentage",
        ),
        ({"targetBurstCapacity": "-2"}, "invalid value: -2: targetBurstCapacity"),
        ({"window": "5s"}, "expected 6s <= 5s <= 1h0m0s: window"),
        ({"window": "90"}, "invalid value: 90: window"),
        ({"window": "6.5s"}, "must be specified with at most second precision: window"),
        (
            {"panic-window-percentage": "0.9"},
            "expected 1 <= 0.9 <= 100: panic-window-percentage",
        ),
        (
            {"panic-threshold-percentage": "109"},
            "expected 110 <= 109 <= 1000: panic-threshold-percentage",
        ),
        ({"min-scale": "-1"}, "expected 0 <= -1 <= 2147483647: min-scale"),
        ({"min-scale": "9999999999"}, "expected 0 <= 9999999999 <= 2147483647: min-scale"),
        ({"minScale": "one"}, "invalid value: one: minScale"),
        (
            {"min-scale": "2", "max-scale": "1"},
            "max-scale=1 is less than min-scale=2: max-scale, min-scale",
        ),
        ({"initial-scale": "-1"}, "invalid value: -1: initial-scale must be greater than 0"),
        ({"initial-scale": "0"}, "invalid value: 0: initial-scale=0 not allowed by cluster"),
        ({"initial-scale": "x"}, "invalid value: x: initial-scale"),
        ({"activation-scale": "x"}, "invalid value: x: activation-scale"),
        (
            {"activation-scale": "1"},
            "activation-scale=1 must be greater than 1: activation-scale",
        ),
        (
            {"min-scale": "5", "activation-scale": "3"},
            "min-scale=5 is greater than activation-scale=3: activation-scale",
        ),
        (
            {"max-scale": "2", "activation-scale": "3"},
            "max-scale=2 is less than activation-scale=3: activation-scale",
        ),
        ({"scale-down-delay": "2h"}, "expected 0s <= 2h <= 1h0m0s: scale-down-delay"),
        (
            {"scale-down-delay": "1.5s"},
            "must be specified with at most second precision: scale-down-delay",
        ),
        (
            {"scaleToZeroPodRetentionPeriod": "-1s"},
            "expected 0s <= -1s <= 1h0m0s: scaleToZeroPodRetentionPeriod",
        ),
        (
            {"class": "kpa.autoscaling.knative.dev", "metricAggregationAlgorithm": "x"},
            "invalid value: x: metricAggregationAlgorithm",
        ),
    ],
    ids=str,
)
def test_refuses(annotations: dict[str, str], text: str) -> None:
    assert problems(annotations) == text


@pytest.mark.parametrize(
    ("most", "text"),
    [
        ("11", "expected 1 <= 11 <= 10: max-scale"),
        ("0", "max-scale=0 (unlimited), must be less than 10: max-scale"),
        ("10", ""),
    ],
)
def test_a_cluster_may_limit_the_scale(most: str, text: str) -> None:
    config = AutoscalerConfig(max_scale=5, max_scale_limit=10)
    assert problems({"max-scale": most}, config) == text


def test_starting_with_nothing_may_be_allowed() -> None:
    assert problems({"initial-scale": "0"}, AutoscalerConfig(allow_zero_initial_scale=True)) == ""


def test_the_class_of_the_cluster_decides_about_the_metric() -> None:
    config = AutoscalerConfig(pod_autoscaler_class="hpa.autoscaling.knative.dev")
    assert problems({"metric": "cpu"}, config) == ""


def test_the_new_spelling_goes_before_the_old_one() -> None:
    both = {f"{A}/min-scale": "1", f"{A}/minScale": "x"}
    assert find(both, f"{A}/min-scale") == (f"{A}/min-scale", "1")
    assert find({f"{A}/minScale": "2"}, f"{A}/min-scale") == (f"{A}/minScale", "2")
    assert find({}, f"{A}/min-scale") == (f"{A}/min-scale", None)
    assert autoscaling_errors(both, SHIPPED) == ()


def test_a_class_without_an_autoscaler_gets_a_warning() -> None:
    [warning] = autoscaling_errors({f"{A}/class": "mine.example.com"}, SHIPPED)
    assert warning.level == "warning"
    assert str(warning) == (
        'there is no autoscaler of class "mine.example.com",'
        f" kpa.autoscaling.knative.dev stands in: {A}/class"
    )


@pytest.mark.parametrize(
    ("annotations", "requests", "warned"),
    [
        ({}, {}, False),
        ({"class": HPA}, {}, True),
        ({"class": HPA}, {"cpu": "1"}, False),
        ({"class": HPA, "metric": "memory", "target": "100"}, {}, False),
        ({"class": HPA, "metric": "memory"}, {}, True),
        ({"class": HPA, "metric": "cpu", "target": "50"}, {"memory": "1Gi"}, True),
    ],
)
def test_the_hpa_class_is_warned_where_it_has_nothing_to_measure_against(
    annotations: dict[str, str], requests: dict[str, str], warned: bool
) -> None:
    keyed = {f"{A}/{key}": value for key, value in annotations.items()}
    pod = PodSpec(containers=(Container(resources=Resources(requests=requests)),))
    errors = unmeasured_errors(keyed, pod, SHIPPED)
    assert bool(errors) is warned
    assert refusing(errors) == ()
