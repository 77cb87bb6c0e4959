"""What a revision asks of the autoscaler: its annotations over the cluster's configuration.

Source: Knative reference §2.1 (annotations), §2.3 (target).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

from knlite.kinds import labels
from knlite.kinds.config.autoscaler import AutoscalerConfig
from knlite.kinds.durations import InvalidDuration, parse_go
from knlite.kinds.serving.annotations import find

T = TypeVar("T")

MIN_TARGET = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalingSpec:
    """How one revision is scaled. Times in seconds, rates as factors."""

    metric: Literal["concurrency", "rps"] = "concurrency"
    total: float = 100.0
    """What one instance is able to carry."""
    target: float = 70.0
    """What one instance should carry."""
    burst_capacity: float = 211.0
    stable_window: float = 60.0
    panic_window: float = 6.0
    panic_threshold: float = 2.0
    """Times the ready instances."""
    max_scale_up_rate: float = 1000.0
    max_scale_down_rate: float = 2.0
    min_scale: int = 0
    max_scale: int = 0
    """0 means no limit."""
    initial_scale: int = 1
    activation_scale: int = 0
    scale_down_delay: float = 0.0
    retention: float = 0.0
    grace: float = 30.0
    scale_to_zero: bool = True
    reachable: bool = True
    weighted: bool = False
    """Averages weigh recent seconds more."""


def scaling_spec(
    annotations: Mapping[str, str],
    container_concurrency: int,
    config: AutoscalerConfig,
    *,
    reachable: bool = True,
) -> ScalingSpec:
    """The spec of a revision. Values that admission would have refused count as absent."""
    read = _Annotations(annotations)
    metric: Literal["concurrency", "rps"] = (
        "rps" if read.text(labels.METRIC, "concurrency") == "rps" else "concurrency"
    )
    total, target = _target(read, metric, container_concurrency, config)
    window = read.number(labels.WINDOW, parse_go, config.stable_window)
    panic = read.number(labels.PANIC_WINDOW, float, config.panic_window_percentage)
    threshold = read.number(labels.PANIC_THRESHOLD, float, config.panic_threshold_percentage)
    initial = read.number(labels.INITIAL_SCALE, int, config.initial_scale)
    return ScalingSpec(
        metric=metric,
        total=total,
        target=target,
        burst_capacity=read.number(
            labels.TARGET_BURST_CAPACITY, float, config.target_burst_capacity
        ),
        stable_window=window,
        panic_window=max(1.0, window * panic / 100),
        panic_threshold=threshold / 100,
        max_scale_up_rate=config.max_scale_up_rate,
        max_scale_down_rate=config.max_scale_down_rate,
        min_scale=read.number(labels.MIN_SCALE, int, config.min_scale) if reachable else 0,
        max_scale=read.number(labels.MAX_SCALE, int, config.max_scale),
        initial_scale=initial if initial or config.allow_zero_initial_scale else 1,
        activation_scale=read.number(labels.ACTIVATION_SCALE, int, 0),
        scale_down_delay=(
            read.number(labels.SCALE_DOWN_DELAY, parse_go, config.scale_down_delay)
            if reachable
            else 0.0
        ),
        retention=(
            read.number(labels.POD_RETENTION, parse_go, config.scale_to_zero_pod_retention_period)
            if reachable
            else 0.0
        ),
        grace=config.scale_to_zero_grace_period,
        scale_to_zero=config.enable_scale_to_zero,
        reachable=reachable,
        weighted=read.text(labels.AGGREGATION, "linear").startswith("weighted"),
    )


def _target(
    read: "_Annotations", metric: str, container_concurrency: int, config: AutoscalerConfig
) -> tuple[float, float]:
    if metric == "rps":
        total, share = config.requests_per_second_target_default, 0.7
    else:
        total = float(container_concurrency) or config.container_concurrency_target_default
        share = config.container_concurrency_target_percentage / 100
    wanted = read.number(labels.TARGET, float, 0.0)
    if wanted:
        total = wanted
        if metric == "concurrency" and container_concurrency:
            total = min(wanted, float(container_concurrency))
    share = read.number(labels.TARGET_UTILIZATION, float, share * 100) / 100
    return total, max(MIN_TARGET, total * share)


class _Annotations:
    def __init__(self, annotations: Mapping[str, str]) -> None:
        self._annotations = annotations

    def text(self, key: str, default: str) -> str:
        _, found = find(self._annotations, key)
        return default if found is None else found

    def number(self, key: str, parse: Callable[[str], T], default: T) -> T:
        text = self.text(key, "")
        if not text:
            return default
        try:
            return parse(text)
        except (ValueError, InvalidDuration):
            return default
