"""config-autoscaler: how instances are counted out.

Source: knative/serving ``pkg/autoscaler/config/config.go``; Knative reference §2.1, §2.2.
A panic window is never shorter than a second, however small its share of the stable one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from knlite.kinds.config.values import ConfigInvalid, Values
from knlite.kinds.durations import format_go

NAME = "config-autoscaler"

_LEAST_TARGET = 0.01
_AT_SECOND_PRECISION = "must be specified with at most second precision"

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
    try:
        config = _read(Values(data))
    except ConfigInvalid as exc:
        raise ConfigInvalid(f"failed to parse data: {exc.text}") from exc
    for holds, text in _rules(config):
        if not holds:
            raise ConfigInvalid(text)
    return config


def _read(values: Values) -> AutoscalerConfig:
    standard = AutoscalerConfig()
    percentage = values.number(
        "container-concurrency-target-percentage", standard.container_concurrency_target_percentage
    )
    return AutoscalerConfig(
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
        initial_scale=values.integer("initial-scale", standard.initial_scale, bits=32),
        min_scale=values.integer("min-scale", standard.min_scale, bits=32),
        max_scale=values.integer("max-scale", standard.max_scale, bits=32),
        max_scale_limit=values.integer("max-scale-limit", standard.max_scale_limit, bits=32),
        scale_down_delay=values.duration("scale-down-delay", standard.scale_down_delay),
        activator_capacity=values.number("activator-capacity", standard.activator_capacity),
    )


def _rules(config: AutoscalerConfig) -> Iterator[tuple[bool, str]]:
    """The bounds that upstream's webhook enforces, in its order and words."""
    share = config.container_concurrency_target_percentage / 100
    yield (
        config.scale_to_zero_grace_period > 0,
        "scale-to-zero-grace-period must be positive, was:"
        f" {format_go(config.scale_to_zero_grace_period)}",
    )
    delay = config.scale_down_delay
    yield delay >= 0, f"scale-down-delay cannot be negative, was: {format_go(delay)}"
    yield (
        delay % 1 == 0,
        f"scale-down-delay = {format_go(delay)}, {_AT_SECOND_PRECISION}",
    )
    retention = config.scale_to_zero_pod_retention_period
    yield (
        retention >= 0,
        f"scale-to-zero-pod-retention-period cannot be negative, was: {format_go(retention)}",
    )
    burst = config.target_burst_capacity
    yield (
        burst >= 0 or burst == -1,
        f"target-burst-capacity must be either non-negative or -1 (for unlimited), was: {burst:f}",
    )
    yield (
        0 < share <= 1,
        f"container-concurrency-target-percentage = {share:f} is outside of valid range of"
        " (0, 100]",
    )
    target = share * config.container_concurrency_target_default
    yield (
        target >= _LEAST_TARGET,
        "container-concurrency-target-percentage and container-concurrency-target-default yield"
        f" target concurrency of {target:g}, can't be less than {_LEAST_TARGET}",
    )
    rps = config.requests_per_second_target_default
    yield (
        rps >= _LEAST_TARGET,
        f"requests-per-second-target-default must be at least {_LEAST_TARGET}, was: {rps:g}",
    )
    yield (
        config.activator_capacity >= 1,
        f"activator-capacity = {config.activator_capacity:g}, must be at least 1",
    )
    for name, rate in (
        ("max-scale-up-rate", config.max_scale_up_rate),
        ("max-scale-down-rate", config.max_scale_down_rate),
    ):
        yield rate > 1, f"{name} = {rate:g}, must be greater than 1.0"
    window = config.stable_window
    yield (
        6 <= window <= 3600,
        f"stable-window = {format_go(window)}, must be in [6s; 1h0m0s] range",
    )
    yield window % 1 == 0, f"stable-window = {format_go(window)}, {_AT_SECOND_PRECISION}"
    panic = config.panic_window_percentage
    yield 1 <= panic <= 100, f"panic-window-percentage = {panic:g}, must be in [1, 100] interval"
    yield from _scale_rules(config)


def _scale_rules(config: AutoscalerConfig) -> Iterator[tuple[bool, str]]:
    initial, least, most = config.initial_scale, config.min_scale, config.max_scale
    limit = config.max_scale_limit
    yield (
        initial > 0 or (initial == 0 and config.allow_zero_initial_scale),
        f"initial-scale = {initial}, must be at least 0 (or at least 1 when"
        " allow-zero-initial-scale is false)",
    )
    yield least >= 0, f"min-scale = {least}, must be at least 0"
    # With a limit, no limit is none of the choices.
    lowest = 1 if limit > 0 else 0
    yield (
        most >= lowest and (limit <= 0 or most <= limit),
        f"max-scale = {most}, must be in [{lowest}, max-scale-limit({limit})] range",
    )
    yield limit >= 0, f"max-scale-limit = {limit}, must be at least 0"
    yield (
        least <= most or most <= 0,
        f"min-scale ({least}) must be less than max-scale ({most})",
    )
