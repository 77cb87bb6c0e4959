"""How many instances the load asks for: stable and panic windows, rates, delays.

Source: Knative reference §2.5; knative/serving ``pkg/autoscaler/scaling/autoscaler.go``.
Not here: bounds, initial scale, scale to zero (``scaler.py``), the use of the excess burst capacity
(``path.py``).
"""

import math
from collections import deque
from dataclasses import dataclass

from knlite.serving.autoscaling.path import Excess, excess
from knlite.serving.autoscaling.spec import ScalingSpec
from knlite.serving.autoscaling.windows import Window
from knlite.serving.instance import Sample

TICK = 2.0
"""Seconds between decisions."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What the load asks for; *why* is a short sentence with the numbers."""

    desired: int
    excess: Excess
    panic: bool
    stable: float
    in_panic_window: float
    why: str


class Decider:
    """The load of one revision, and what it asks for."""

    def __init__(self, spec: ScalingSpec, now: float, ready: int = 0) -> None:
        self._spec = spec
        self._stable = Window(spec.stable_window)
        self._panic = Window(spec.panic_window)
        self._delayed: deque[tuple[float, int]] = deque()
        # One that takes over running instances must not begin by taking them away.
        self._panic_since: float | None = now if ready > 1 else None
        self._max_panic = ready if ready > 1 else 0

    def respec(self, now: float, spec: ScalingSpec) -> None:
        """Go on with another *spec*, and with the load as far as its windows reach back."""
        if spec.stable_window != self._spec.stable_window:
            self._stable = self._stable.resized(now, spec.stable_window)
        if spec.panic_window != self._spec.panic_window:
            self._panic = self._panic.resized(now, spec.panic_window)
        self._spec = spec

    def record(self, now: float, sample: Sample) -> None:
        """Take note of the load of one period."""
        value = sample.requests if self._spec.metric == "rps" else sample.concurrency
        self._stable.record(now, value)
        self._panic.record(now, value)

    def has_data(self, now: float) -> bool:
        """Whether there is any load, be it zero, to decide on."""
        return not self._stable.is_empty(now)

    def decide(self, now: float, ready: int) -> Decision:
        """What the load asks for when *ready* instances are ready."""
        spec = self._spec
        stable, panic = self._averages(now)
        known = max(1, ready)
        up = math.ceil(spec.max_scale_up_rate * known)
        down = math.floor(known / spec.max_scale_down_rate) if spec.reachable else 0
        for_stable = math.ceil(stable / spec.target)
        for_panic = math.ceil(panic / spec.target)
        desired = _activated(min(max(for_stable, down), up), for_stable, spec)
        in_panic = _activated(min(max(for_panic, down), up), for_panic, spec)
        self._judge_panic(now, for_panic / known >= spec.panic_threshold)
        if self._panic_since is not None:
            self._max_panic = max(self._max_panic, desired, in_panic)
            desired = self._max_panic
            why = f"panic: {_load(panic, spec.panic_window, spec)}"
        else:
            why = _load(stable, spec.stable_window, spec)
        if spec.scale_down_delay and spec.reachable:
            delayed = self._with_delay(now, desired)
            if delayed > desired:
                why += f"; kept for scale-down-delay {spec.scale_down_delay:g}s"
            desired = delayed
        return Decision(
            desired=desired,
            excess=excess(spec, ready, panic),
            panic=self._panic_since is not None,
            stable=stable,
            in_panic_window=panic,
            why=why,
        )

    def _averages(self, now: float) -> tuple[float, float]:
        if self._spec.weighted:
            return self._stable.weighted_average(now), self._panic.weighted_average(now)
        return self._stable.average(now), self._panic.average(now)

    def _judge_panic(self, now: float, over: bool) -> None:
        if over:
            self._panic_since = now
        elif self._panic_since is not None and self._panic_since + self._spec.stable_window < now:
            self._panic_since = None
            self._max_panic = 0

    def _with_delay(self, now: float, desired: int) -> int:
        """The largest of what was desired during the delay."""
        while self._delayed and self._delayed[0][0] <= now - self._spec.scale_down_delay:
            self._delayed.popleft()
        while self._delayed and self._delayed[-1][1] <= desired:
            self._delayed.pop()
        self._delayed.append((now, desired))
        return self._delayed[0][1]


def _activated(count: int, asked: int, spec: ScalingSpec) -> int:
    return max(count, spec.activation_scale) if spec.activation_scale > 1 and asked > 0 else count


def _load(average: float, window: float, spec: ScalingSpec) -> str:
    """An average load in words, with as many digits as tell something: ``0.02 requests at once …``.

    Averages are not rounded to nothing: what is not zero keeps its first digit.
    """
    digits = f"{average:.1f}" if average >= 1 else f"{average:.1g}"
    number = digits.removesuffix(".0")
    what = "request" if number == "1" else "requests"
    unit = f"{what}/s" if spec.metric == "rps" else f"{what} at once"
    return f"{number} {unit} over {window:g}s, {spec.target:g} per instance"
