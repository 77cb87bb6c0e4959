"""Knative reference §2.1, §1.2, §1.4, §1.6: rules of annotations and labels, and their texts."""

import pytest

from knlite.kinds.config.autoscaler import AutoscalerConfig
from knlite.kinds.fielderror import refusing, rendered
from knlite.kinds.labels import COMMAND, ROLLOUT_DURATION, WORKDIR
from knlite.kinds.podspec.fields import Container, PodSpec, Resources
from knlite.kinds.serving.annotations import (
    HPA,
    author_errors,
    autoscaling_errors,
    duration_errors,
    find,
    misplaced_autoscaling_errors,
    networking_errors,
    sidecar_errors,
    template_errors,
    unmeasured_errors,
    visibility_errors,
)

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


def test_autoscaling_annotations_belong_on_the_template() -> None:
    assert rendered(misplaced_autoscaling_errors({f"{A}/min-scale": "1", "x": "y"})) == (
        'invalid key name "autoscaling.knative.dev/min-scale": \n'
        'autoscaling annotations must be put under "spec.template.metadata.annotations" to work'
    )


def test_a_template_has_known_networking_annotations_only() -> None:
    annotations = {"networking.knative.dev/http-protocol": "x", "networking.knative.dev/x": "y"}
    assert rendered(networking_errors(annotations)) == (
        'invalid key name "networking.knative.dev/x": '
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("10s", ""),
        ("0s", ""),
        ("2m", ""),
        ("x", "invalid value: x: {key}"),
        ("1.5s", "rollout-duration=1.5s is not at second precision: {key}"),
        ("-1s", "rollout-duration=-1s must be positive: {key}"),
    ],
)
@pytest.mark.parametrize("key", [ROLLOUT_DURATION, "serving.knative.dev/rolloutDuration"])
def test_durations_are_whole_seconds(key: str, text: str, expected: str) -> None:
    errors = duration_errors({key: text}, ROLLOUT_DURATION, "rollout-duration")
    assert rendered(errors) == expected.format(key=key)


def test_sizes_of_the_sidecar_are_quantities() -> None:
    prefix = "queue.sidecar.serving.knative.dev"
    errors = sidecar_errors(
        {
            f"{prefix}/cpu-resource-request": "1m",
            f"{prefix}/memory-resource-limit": "x",
            f"{prefix}/resource-percentage": "0.05",
        }
    )
    assert rendered(refusing(errors)) == (
        f"expected 0.1 <= 0.05 <= 100: [{prefix}/resource-percentage]\n"
        f"invalid value: x: [{prefix}/memory-resource-limit]"
    )
    old = sidecar_errors({f"{prefix}/resourcePercentage": "x"})
    assert rendered(refusing(old)) == f"invalid value: x: [{prefix}/resourcePercentage]"
    deprecated = sidecar_errors({f"{prefix}/resource-percentage": "50"})
    assert refusing(deprecated) == ()
    assert rendered(deprecated).startswith("Queue proxy resource percentage annotation is depr")


def test_annotations_of_knlite_and_of_others_are_welcome() -> None:
    annotations = {COMMAND: "./run", WORKDIR: ".", "serving.knative.dev/new": "x", "a": "b"}
    assert template_errors(annotations, SHIPPED) == ()


CREATOR = "serving.knative.dev/creator"
MODIFIER = "serving.knative.dev/lastModifier"


@pytest.mark.parametrize(
    ("new", "spec_changed", "text"),
    [
        ({CREATOR: "a", MODIFIER: "a"}, False, ""),
        ({CREATOR: "a", MODIFIER: "b"}, True, ""),
        ({CREATOR: "a", MODIFIER: "b"}, False, f"invalid value: b: {MODIFIER}"),
        ({CREATOR: "b", MODIFIER: "a"}, True, f"annotation value is immutable: {CREATOR}"),
        ({MODIFIER: "a"}, True, f"annotation value is immutable: {CREATOR}"),
    ],
)
def test_authors_are_not_rewritten(new: dict[str, str], spec_changed: bool, text: str) -> None:
    old = {CREATOR: "a", MODIFIER: "a"}
    assert rendered(author_errors(new, old, spec_changed=spec_changed)) == text


def test_a_visibility_that_hides_nothing_gets_a_warning() -> None:
    key = "networking.knative.dev/visibility"
    assert visibility_errors({}) == ()
    assert visibility_errors({key: "cluster-local"}) == ()
    warnings = visibility_errors({key: "cluster_local"})
    assert refusing(warnings) == ()
    assert rendered(warnings).startswith(f"invalid value: cluster_local: {key}\n")


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
