"""Knative reference §2.7, and how Kubernetes' HorizontalPodAutoscaler counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.kinds.config.autoscaler import AutoscalerConfig
from knlite.serving.autoscaling.hpa import Hpa, HpaSpec, hpa_spec, scaled_by_hpa

PREFIX = "autoscaling.knative.dev/"
HPA_CLASS = "hpa.autoscaling.knative.dev"


def spec(**annotations: str) -> HpaSpec:
    keys = {PREFIX + key.replace("_", "-"): value for key, value in annotations.items()}
    return hpa_spec(keys, AutoscalerConfig())


@pytest.mark.parametrize(
    ("annotations", "metric", "target"),
    [
        pytest.param({}, "cpu", 80, id="kubernetes' own target"),
        pytest.param({"metric": "memory"}, "cpu", 80, id="memory without a target"),
        pytest.param({"metric": "cpu", "target": "49.5"}, "cpu", 50, id="cpu is rounded up"),
        pytest.param({"target": "50"}, "cpu", 50, id="cpu is the standard"),
        pytest.param({"metric": "memory", "target": "200.7"}, "memory", 200 * 2**20, id="MiB"),
        pytest.param({"metric": "queue", "target": "5"}, "other", 5, id="a metric of its own"),
    ],
)
def test_what_the_annotations_aim_at(
    annotations: dict[str, str], metric: str, target: float
) -> None:
    found = spec(**annotations)
    assert (found.metric, found.target) == (metric, target)


def test_bounds_and_windows() -> None:
    plain = spec()
    assert (plain.min_scale, plain.max_scale) == (1, 0)
    assert (plain.up_window, plain.down_window) == (0, 300)
    said = spec(min_scale="2", max_scale="5", window="30s")
    assert (said.min_scale, said.max_scale) == (2, 5)
    assert (said.up_window, said.down_window) == (30, 30)


def test_the_class_is_the_annotations_or_the_clusters() -> None:
    assert not scaled_by_hpa({}, AutoscalerConfig())
    assert scaled_by_hpa({PREFIX + "class": HPA_CLASS}, AutoscalerConfig())
    assert scaled_by_hpa({}, AutoscalerConfig(pod_autoscaler_class=HPA_CLASS))


@pytest.mark.parametrize(
    ("uses", "unready", "current", "desired"),
    [
        pytest.param([100], 0, 1, 2, id="twice the target"),
        pytest.param([55, 54], 0, 2, 2, id="within a tenth"),
        pytest.param([56, 56], 0, 2, 3, id="above a tenth"),
        pytest.param([10, 10, 10, 10], 0, 4, 1, id="down by the ratio"),
        pytest.param([0, 0], 0, 2, 1, id="never the last one"),
        pytest.param([500], 0, 1, 5, id="four more at most"),
        pytest.param([1000] * 10, 0, 10, 20, id="twice as many at most"),
        pytest.param([100, None], 0, 2, 2, id="unknown counts as idle on the way up"),
        pytest.param([20, None], 0, 2, 2, id="unknown counts as busy on the way down"),
        pytest.param([None, None], 0, 2, 2, id="nothing known"),
        pytest.param([100], 3, 4, 4, id="those on their way count as idle"),
        pytest.param([10], 3, 4, 1, id="and do not count on the way down"),
    ],
)
def test_what_the_use_asks_for(
    uses: list[float | None], unready: int, current: int, desired: int
) -> None:
    assert Hpa(spec(target="50")).recommend(0.0, current, uses, unready).desired == desired


def test_memory_is_an_amount_for_each_instance() -> None:
    hpa = Hpa(spec(metric="memory", target="100"))
    found = hpa.recommend(0.0, 1, [250.0 * 2**20])
    assert (found.desired, found.why) == (3, "250 MiB on average, target 100 MiB")


def test_a_higher_recommendation_keeps_instances_for_five_minutes() -> None:
    hpa = Hpa(spec(target="50"))
    assert hpa.recommend(0.0, 4, [50] * 4).desired == 4
    assert hpa.recommend(15.0, 4, [5] * 4).why.endswith("kept for the stabilization window")
    assert hpa.recommend(300.0, 4, [5] * 4).desired == 4
    assert hpa.recommend(301.0, 4, [5] * 4).desired == 1


def test_the_window_holds_back_in_both_directions() -> None:
    hpa = Hpa(spec(target="50", window="30s"))
    assert hpa.recommend(0.0, 1, [50]).desired == 1
    assert hpa.recommend(15.0, 1, [200]).desired == 1
    assert hpa.recommend(31.0, 1, [200]).desired == 4


def test_bounds_hold_whatever_is_measured() -> None:
    hpa = Hpa(spec(min_scale="2", max_scale="3"))
    assert hpa.recommend(0.0, 1, []).desired == 2
    assert hpa.recommend(0.0, 3, [1000] * 3).desired == 3


@given(
    current=st.integers(1, 50),
    uses=st.lists(st.one_of(st.none(), st.floats(0, 10_000)), max_size=50),
    unready=st.integers(0, 10),
    most=st.integers(0, 20),
)
def test_there_is_always_at_least_one_and_never_more_than_allowed(
    current: int, uses: list[float | None], unready: int, most: int
) -> None:
    hpa = Hpa(HpaSpec(target=50.0, max_scale=most))
    for moment in range(3):
        desired = hpa.recommend(moment * 15.0, current, uses, unready).desired
        assert desired >= 1
        assert not most or desired <= most
