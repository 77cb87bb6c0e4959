"""config-autoscaler: how instances are counted out.

Source: knative/serving ``pkg/autoscaler/config/config.go``; Knative reference §2.1, §2.2.
Differs: upstream refuses a stable window whose panic window would be under a second, so that 6s
needs another percentage beside it. Here the panic window is then a second.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from knlite.kinds.config.values import ConfigInvalid, Values
from knlite.kinds.durations import format_go

NAME = "config-autoscaler"
KEYS: frozenset[str] = frozenset(
    {
        "pod-autoscaler-class",
        "container-concurrency-target-percentage",
        "container-concurrency-target-default",
        "requests-per-second-target-default",
        "target-burst-capacity",
        "stable-window",
        "panic-window-percentage",
        "panic-threshold-percentage",
        "max-scale-up-rate",
        "max-scale-down-rate",
        "enable-scale-to-zero",
        "scale-to-zero-grace-period",
        "scale-to-zero-pod-retention-period",
        "allow-zero-initial-scale",
        "initial-scale",
        "min-scale",
        "max-scale",
        "max-scale-limit",
        "scale-down-delay",
        "activator-capacity",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoscalerConfig:
    """Durations in seconds, rates as factors, percentages as 0 to 100 unless said otherwise."""

    pod_autoscaler_class: str = "kpa.autoscaling.knative.dev"
    container_concurrency_target_percentage: float = 70.0
    container_concurrency_target_default: float = 100.0
    requests_per_second_target_default: float = 200.0
    target_burst_capacity: float = 211.0
    """Requests; 0 takes the activator out of the path, -1 keeps it in for good."""
    stable_window: float = 60.0
    panic_window_percentage: float = 10.0
    panic_threshold_percentage: float = 200.0
    max_scale_up_rate: float = 1000.0
    max_scale_down_rate: float = 2.0
    enable_scale_to_zero: bool = True
    scale_to_zero_grace_period: float = 30.0
    scale_to_zero_pod_retention_period: float = 0.0
    allow_zero_initial_scale: bool = False
    initial_scale: int = 1
    min_scale: int = 0
    max_scale: int = 0
    """Instances; 0 means no limit."""
    max_scale_limit: int = 0
    scale_down_delay: float = 0.0
    activator_capacity: float = 100.0


def parse(data: Mapping[str, str]) -> AutoscalerConfig:
    """The section that *data* describes; raises ``ConfigInvalid``."""
    values = Values(data)
    standard = AutoscalerConfig()
    percentage = values.number(
        "container-concurrency-target-percentage", standard.container_concurrency_target_percentage
    )
    config = AutoscalerConfig(
        pod_autoscaler_class=values.text("pod-autoscaler-class", standard.pod_autoscaler_class),
        # Up to 1 it is read as a fraction, so that 0.7 and 70 mean the same.
        container_concurrency_target_percentage=percentage * 100 if percentage <= 1 else percentage,
        container_concurrency_target_default=values.number(
            "container-concurrency-target-default", standard.container_concurrency_target_default
        ),
        requests_per_second_target_default=values.number(
            "requests-per-second-target-default", standard.requests_per_second_target_default
        ),
        target_burst_capacity=values.number(
            "target-burst-capacity", standard.target_burst_capacity
        ),
        stable_window=values.duration("stable-window", standard.stable_window),
        panic_window_percentage=values.number(
            "panic-window-percentage", standard.panic_window_percentage
        ),
        panic_threshold_percentage=values.number(
            "panic-threshold-percentage", standard.panic_threshold_percentage
        ),
        max_scale_up_rate=values.number("max-scale-up-rate", standard.max_scale_up_rate),
        max_scale_down_rate=values.number("max-scale-down-rate", standard.max_scale_down_rate),
        enable_scale_to_zero=values.flag("enable-scale-to-zero", standard.enable_scale_to_zero),
        scale_to_zero_grace_period=values.duration(
            "scale-to-zero-grace-period", standard.scale_to_zero_grace_period
        ),
        scale_to_zero_pod_retention_period=values.duration(
            "scale-to-zero-pod-retention-period", standard.scale_to_zero_pod_retention_period
        ),
        allow_zero_initial_scale=values.flag(
            "allow-zero-initial-scale", standard.allow_zero_initial_scale
        ),
        initial_scale=values.integer("initial-scale", standard.initial_scale, at_least=0),
        min_scale=values.integer("min-scale", standard.min_scale, at_least=0),
        max_scale=values.integer("max-scale", standard.max_scale, at_least=0),
        max_scale_limit=values.integer("max-scale-limit", standard.max_scale_limit, at_least=0),
        scale_down_delay=values.duration("scale-down-delay", standard.scale_down_delay),
        activator_capacity=values.number("activator-capacity", standard.activator_capacity),
    )
    _check(config)
    return config


def _check(config: AutoscalerConfig) -> None:
    """The bounds that upstream's webhook enforces, first violation first."""
    percentage = config.container_concurrency_target_percentage
    rules = (
        (config.scale_to_zero_grace_period > 0, "scale-to-zero-grace-period must be positive"),
        (
            config.scale_to_zero_pod_retention_period >= 0,
            "scale-to-zero-pod-retention-period cannot be negative",
        ),
        (
            0 < percentage <= 100,
            "container-concurrency-target-percentage must be above 0 and at most 100",
        ),
        (
            config.container_concurrency_target_default * percentage / 100 >= 0.01,
            "container-concurrency-target-percentage and -default must give at least 0.01",
        ),
        (
            config.requests_per_second_target_default >= 0.01,
            "requests-per-second-target-default must be at least 0.01",
        ),
        (
            config.target_burst_capacity >= 0 or config.target_burst_capacity == -1,
            "target-burst-capacity must be 0 or more, or exactly -1",
        ),
        (config.activator_capacity >= 1, "activator-capacity must be at least 1"),
        (config.max_scale_up_rate > 1, "max-scale-up-rate must be greater than 1"),
        (config.max_scale_down_rate > 1, "max-scale-down-rate must be greater than 1"),
        (
            6 <= config.stable_window <= 3600,
            f"stable-window must be from 6s to 1h0m0s, got {format_go(config.stable_window)}",
        ),
        (
            config.stable_window % 1 == 0,
            "stable-window must be specified with at most second precision",
        ),
        (
            1 <= config.panic_window_percentage <= 100,
            "panic-window-percentage must be from 1 to 100",
        ),
        (
            config.initial_scale > 0 or config.allow_zero_initial_scale,
            "initial-scale = 0, but allow-zero-initial-scale is not true",
        ),
        (
            config.max_scale_limit == 0 or 0 < config.max_scale <= config.max_scale_limit,
            "max-scale must be from 1 to max-scale-limit",
        ),
        (0 <= config.scale_down_delay <= 3600, "scale-down-delay must be from 0s to 1h0m0s"),
    )
    for holds, text in rules:
        if not holds:
            raise ConfigInvalid(text)
