"""From what the load asks for to how many instances there shall be, down to none.

Source: Knative reference §2.6; knative/serving ``pkg/reconciler/autoscaling/kpa/scaler.go``.
"""

import math
from dataclasses import dataclass
from typing import Literal

from knlite.serving.autoscaling.spec import ScalingSpec

Activity = Literal["activating", "active", "inactive"]

ACTIVATION_SLACK = 30.0
"""Seconds beyond the progress deadline before a start counts as failed."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How many instances there shall be, and what the Active condition says of it."""

    desired: int
    activity: Activity
    timed_out: bool = False
    """Inactive because it never became active, not for want of traffic."""
    why: str = ""
    """What else than the load decided; empty if the load did."""


class Scaler:
    """The scale of one revision over time."""

    def __init__(self, spec: ScalingSpec, now: float, progress_deadline: float) -> None:
        self._spec = spec
        self.deadline = progress_deadline
        """Seconds that the first instance may take."""
        self.activity: Activity = "activating" if spec.initial_scale else "inactive"
        self._since = now
        self.timed_out = False
        self.initialised = spec.initial_scale == 0
        """Whether initial-scale was reached once."""
        # Upstream starts the initial scale, and the rest when it looks again.
        self.desired = max(spec.initial_scale, spec.min_scale) if spec.initial_scale else 0

    def respec(self, spec: ScalingSpec) -> None:
        """Go on with another *spec*."""
        self._spec = spec

    @property
    def asleep(self) -> bool:
        """Whether nothing has to be looked at until a request comes."""
        return self.desired == 0 and self.activity == "inactive"

    def scale(self, now: float, asked: int | None, ready: int, in_path: float = math.inf) -> Scale:
        """The scale at *now*, when the load asks for *asked* instances (None: it is not known).

        *in_path* is for how many seconds the activator has been in the path.
        """
        self.observe(now, ready)
        if self.activity == "activating" and not (asked or self._least()) and self._expired(now):
            self.timed_out = True
            self._become("inactive", now)
            self.desired = 0
            return Scale(0, self.activity, self.timed_out, "it could not be activated")
        desired, why = self._bounded(self.desired if asked is None else asked)
        if desired > 0:
            self.desired = desired
            if self.activity == "inactive":
                self._become("activating", now)
            self.observe(now, ready)
        else:
            why = self._towards_zero(now, in_path) or why
        return Scale(self.desired, self.activity, self.timed_out, why)

    def resume(self, now: float, desired: int, *, active: bool) -> None:
        """Go on where an earlier run was: it reached its initial scale, and wanted *desired*."""
        self.initialised = True
        least = max(self._spec.min_scale, 1 if active else 0)
        self.desired = max(desired if active else 0, least)
        self._become("activating" if self.desired else "inactive", now)

    def rest(self, now: float) -> None:
        """Have no instance from *now* on, as after a stable window without traffic."""
        self.desired = 0
        self._become("inactive", now)

    def _least(self) -> int:
        """How many there have to be whatever the load."""
        spec = self._spec
        if not self.initialised and spec.reachable and spec.initial_scale > 1:
            return max(spec.min_scale, spec.initial_scale)
        return spec.min_scale

    def _bounded(self, desired: int) -> tuple[int, str]:
        spec, least = self._spec, self._least()
        if not self.initialised and desired == 0 and self.activity == "activating":
            least = max(least, spec.initial_scale)
        if desired < least:
            name = "min-scale" if least == spec.min_scale else "initial-scale"
            return least, f"{name} {least}"
        if spec.max_scale and desired > spec.max_scale:
            return spec.max_scale, f"max-scale {spec.max_scale}"
        return desired, ""

    def observe(self, now: float, ready: int) -> None:
        """Take note that *ready* instances are ready."""
        spec = self._spec
        threshold = max(spec.min_scale, 1)
        if not self.initialised:
            threshold = max(spec.min_scale, spec.initial_scale)
        if ready >= threshold:
            self.initialised = True
            if self.activity == "activating":
                self._become("active", now)
        elif self.activity == "active" and self.desired > 0:
            self._become("activating", now)

    def _expired(self, now: float) -> bool:
        return now - self._since >= self.deadline + ACTIVATION_SLACK

    def _towards_zero(self, now: float, in_path: float) -> str:
        spec = self._spec
        if not spec.scale_to_zero:
            self.desired = 1
            return "enable-scale-to-zero is false"
        match self.activity:
            case "activating":
                self.desired = max(1, self.desired)
                return "its first instance is still starting"
            case "active" if now - self._since < spec.stable_window:
                self.desired = 1
                return f"active for less than the stable window of {spec.stable_window:g}s"
            case "active":
                self._become("inactive", now)
            case _:
                pass
        return self._last_steps(now, in_path)

    def _last_steps(self, now: float, in_path: float) -> str:
        """Without traffic for a stable window: wait out the retention period and the grace.

        The grace is for the activator to come into the path, where it mostly is already.
        """
        if not self.desired:
            return ""  # It is there, and was brought there by somebody else than the load.
        spec, idle = self._spec, now - self._since
        backed = max(idle, in_path) >= spec.grace
        if idle >= spec.retention and backed:
            self.desired = 0
            return f"no traffic for {spec.stable_window + idle:.0f}s"
        self.desired = max(1, self.desired)
        if idle < spec.retention:
            return "no traffic; kept for the retention period"
        return "no traffic; kept until the activator has been in the path for the grace period"

    def _become(self, activity: Activity, now: float) -> None:
        if activity != "inactive":
            self.timed_out = False
        self.activity = activity
        self._since = now
