"""One revision of the KPA class: its load, its scale, and whether the activator is in its path.

Source: Knative reference §2.5, §2.6; knative/serving ``pkg/autoscaler/scaling/multiscaler.go``.
Not here: when a decision is made and what is done with it (``autoscaler.py``).
"""

import math

from knlite.serving.autoscaling.decider import Decider, Decision
from knlite.serving.autoscaling.path import Excess, Mode, initial_excess
from knlite.serving.autoscaling.scaler import Scaler
from knlite.serving.autoscaling.spec import ScalingSpec
from knlite.serving.instance import Sample


class ScalerRunner:
    """What is known of the revision from one decision to the next. Times are the Clock's."""

    def __init__(self, decider: Decider, scaler: Scaler, spec: ScalingSpec, now: float) -> None:
        self.decider = decider
        self.scaler = scaler
        self.last: Decision | None = None
        """The last decision that the load has led to."""
        self.want: int | None = None
        """What was decided last; None while the load is not known."""
        self.excess: Excess = initial_excess(spec)
        self.mode: Mode = "Proxy"
        self.spec = spec
        self._early = False
        self._proxied_since = now

    @property
    def desired(self) -> int:
        """How many instances there shall be."""
        return self.scaler.desired

    @property
    def awake(self) -> bool:
        """Whether decisions have to be made."""
        return not self.scaler.asleep

    def respec(self, now: float, spec: ScalingSpec) -> bool:
        """Go on with *spec*; whether it is another one."""
        if spec == self.spec:
            return False
        self.spec = spec
        self.decider.respec(now, spec)
        self.scaler.respec(spec)
        if self.last is None:
            self.excess = initial_excess(spec)
        return True

    def kept(self) -> str:
        """Why it is never without an instance; empty if it may be."""
        if self.spec.min_scale:
            return f"min-scale is {self.spec.min_scale}"
        if not self.spec.scale_to_zero:
            return "enable-scale-to-zero is false"
        return ""

    def rest(self, now: float) -> None:
        """Go to zero, and begin anew with the load: what was before must not bring it back."""
        self.decider = Decider(self.spec, now)
        self.scaler.rest(now)
        self.want = None

    def in_path(self, now: float) -> float:
        """For how many seconds the activator has been in the path."""
        return now - self._proxied_since

    def become(self, mode: Mode, now: float) -> None:
        """Take the activator into the path, or out of it."""
        self.mode = mode
        self._proxied_since = now if mode == "Proxy" else math.inf

    def decided(self, decision: Decision | None) -> None:
        """Keep *decision*; without one all but the wish stays as it was."""
        if decision is None:
            self.want = None
            return
        self.last, self.excess = decision, decision.excess
        self.want = 0 if self.scaler.activity == "inactive" else self.scaler.desired

    def record_early(self, now: float) -> None:
        """Count one request before its second is over."""
        self._early = True
        self.decider.record(now, Sample(1.0, 1.0))

    def record(self, now: float, sample: Sample) -> None:
        """Count the load of a second, without what was counted early.

        What comes while it is at zero is the end of what was before: a request that needs it now
        has it decided on first.
        """
        if not self.awake:
            return
        if self._early:
            self._early = False
            sample = Sample(max(0.0, sample.concurrency - 1), max(0.0, sample.requests - 1))
        self.decider.record(now, sample)
