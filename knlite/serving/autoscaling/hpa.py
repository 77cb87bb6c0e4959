"""The HPA class: how many instances their use of processor or memory asks for.

As Kubernetes' HorizontalPodAutoscaler does it: the use of all ready instances over what they should
use gives the ratio by which their number changes, unless it is within a tenth of 1. What was
recommended lately holds back sudden steps. The last instance never goes.

Source: Knative reference §2.7; Kubernetes ``pkg/controller/podautoscaler``
(``replica_calculator.go``, ``horizontal.go``) and the defaults of ``autoscaling/v2``.
Differs: metrics of other names have no source on one machine, so that only the bounds count.
Not here: measuring (``controlplane/hpa.py``).
"""

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from knlite.kinds import labels
from knlite.kinds.config.autoscaler import AutoscalerConfig
from knlite.kinds.durations import InvalidDuration, parse_go
from knlite.kinds.serving.annotations import find
from knlite.kinds.serving.autoscaling import HPA, autoscaler_class
from knlite.serving.autoscaling.spec import scaling_spec

SYNC = 15.0
"""Seconds between two looks at the metrics."""
TOLERANCE = 0.1
STABILIZATION = 300.0
"""Seconds for which a higher recommendation keeps instances, unless ``window`` is set."""
DEFAULT_UTILIZATION = 80.0
MEBIBYTE = 1024 * 1024

Metric = Literal["cpu", "memory", "other"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HpaSpec:
    """How one revision is scaled."""

    metric: Metric = "cpu"
    target: float = DEFAULT_UTILIZATION
    """For ``cpu`` per cent of the request, for ``memory`` bytes, on average of all instances."""
    min_scale: int = 1
    max_scale: int = 0
    """0 means no limit."""
    initial_scale: int = 1
    up_window: float = 0.0
    """Seconds for which a lower recommendation holds instances back."""
    down_window: float = STABILIZATION


@dataclass(frozen=True, slots=True)
class Recommendation:
    """How many instances there shall be; *why* is a short sentence with the numbers."""

    desired: int
    why: str
    average: float | None = None
    """Of the metric over the ready instances, in the unit of the target; None if not known."""


def scaled_by_hpa(annotations: Mapping[str, str], config: AutoscalerConfig) -> bool:
    """Whether a revision with *annotations* is of the HPA class."""
    return autoscaler_class(annotations, config) == HPA


def hpa_spec(
    annotations: Mapping[str, str], config: AutoscalerConfig, *, reachable: bool = True
) -> HpaSpec:
    """The spec of a revision of the HPA class. Values that admission would have refused count as
    absent; without a target it is that of Kubernetes, for ``cpu``."""
    bounds = scaling_spec(annotations, 0, config, reachable=reachable)
    _, said = find(annotations, labels.METRIC)
    target = _number(find(annotations, labels.TARGET)[1])
    metric: Metric = "cpu"
    if target is None:
        target = DEFAULT_UTILIZATION
    elif said == "memory":
        metric, target = "memory", float(int(target) * MEBIBYTE)
    elif said in (None, "", "cpu"):
        target = float(math.ceil(target))
    else:
        metric = "other"
    window = _seconds(find(annotations, labels.WINDOW)[1])
    return HpaSpec(
        metric=metric,
        target=target,
        min_scale=max(1, bounds.min_scale),
        max_scale=bounds.max_scale,
        initial_scale=bounds.initial_scale,
        up_window=0.0 if window is None else window,
        down_window=STABILIZATION if window is None else window,
    )


class Hpa:
    """The recommendations for one revision over time."""

    def __init__(self, spec: HpaSpec) -> None:
        self.spec = spec
        self._recent: deque[tuple[float, int]] = deque()
        """(when, how many) of what the metric alone asked for."""

    def recommend(
        self, now: float, current: int, uses: Sequence[float | None], unready: int = 0
    ) -> Recommendation:
        """What *uses* ask for, one for each ready instance, in the unit of the target.

        None stands for an instance of which nothing is known yet; *unready* is how many are on
        their way; *current* is how many there shall be now.
        """
        known = [use for use in uses if use is not None]
        if self.spec.metric == "other" or not known:
            return Recommendation(self.bounded(current), "nothing is known of its use")
        average = sum(known) / len(known)
        wanted = self._wanted(current, known, len(uses) - len(known), unready)
        stable = self._stabilized(now, current, wanted)
        # Kubernetes' standard policy: twice as many, or four more, within a period.
        stepped = min(stable, max(2 * current, current + 4))
        desired = self.bounded(stepped)
        why = f"{self._shown(average)} on average, target {self._shown(self.spec.target)}"
        if stable != wanted:
            why += "; kept for the stabilization window"
        return Recommendation(desired, why, average)

    def bounded(self, count: int) -> int:
        """*count* within the bounds."""
        most = self.spec.max_scale
        count = max(count, self.spec.min_scale)
        return min(count, most) if most else count

    def _wanted(self, current: int, known: list[float], missing: int, unready: int) -> int:
        target = self.spec.target
        ratio = sum(known) / len(known) / target
        up_with_unready = bool(unready) and ratio > 1
        if not (missing or up_with_unready):
            return current if abs(ratio - 1) <= TOLERANCE else math.ceil(ratio * len(known))
        # What is not known must not make the step larger: idle on the way up, busy on the way down.
        assumed = max(100.0, target) if self.spec.metric == "cpu" else target
        filled = known + [assumed if ratio < 1 else 0.0] * missing
        if up_with_unready:
            filled += [0.0] * unready
        careful = sum(filled) / len(filled) / target
        turned = (ratio < 1 < careful) or (careful < 1 < ratio)
        if abs(careful - 1) <= TOLERANCE or turned:
            return current
        count = math.ceil(careful * len(filled))
        backwards = (careful < 1 and count > current) or (careful > 1 and count < current)
        return current if backwards else count

    def _stabilized(self, now: float, current: int, wanted: int) -> int:
        """No more than anything recommended lately on the way up, no less on the way down."""
        spec = self.spec
        oldest = now - max(spec.up_window, spec.down_window)
        while self._recent and self._recent[0][0] < oldest:
            self._recent.popleft()
        lowest = min([n for at, n in self._recent if at >= now - spec.up_window], default=wanted)
        highest = max([n for at, n in self._recent if at >= now - spec.down_window], default=wanted)
        self._recent.append((now, wanted))
        result = max(current, min(lowest, wanted))
        return min(result, max(highest, wanted))

    def _shown(self, value: float) -> str:
        if self.spec.metric == "memory":
            return f"{value / MEBIBYTE:.0f} MiB"
        return f"{value:.0f}% of the cpu request"


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) and value > 0 else None


def _seconds(text: str | None) -> float | None:
    try:
        return parse_go(text or "")
    except InvalidDuration:
        return None
