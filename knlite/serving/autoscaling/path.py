"""Whether the activator is in the path of a revision's requests, by the capacity there is to spare.

Knative calls it the mode of the revision's ServerlessService: in ``Proxy`` requests go through the
activator, which holds what the instances cannot take; in ``Serve`` they go to the instances, each
of which holds a few of its own.

Source: Knative reference §2.5 (excess burst capacity), §2.6 (activator in or out); knative/serving
``pkg/autoscaler/scaling/autoscaler.go``, ``pkg/reconciler/autoscaling/kpa/kpa.go``.
Not here: what the mode changes for a request (``serving/capacity/throttler.py``).
"""

import math
from dataclasses import dataclass
from typing import Literal

from knlite.serving.autoscaling.spec import ScalingSpec

Mode = Literal["Serve", "Proxy"]


@dataclass(frozen=True, slots=True)
class Excess:
    """Excess burst capacity: requests that could come at once beyond those that are there.

    Below 0 there is not enough of it. *why* is the sum that gave the number.
    """

    capacity: float
    why: str


@dataclass(frozen=True, slots=True)
class Path:
    """The mode, and the sentence that says why."""

    mode: Mode
    why: str


def excess(spec: ScalingSpec, ready: int, in_panic_window: float) -> Excess:
    """The excess when *ready* instances have had *in_panic_window* requests of late."""
    burst = spec.burst_capacity
    if burst <= 0:
        return _fixed(burst)
    capacity = math.floor(ready * spec.total - burst - in_panic_window)
    return _sum(capacity, f"{ready}×{spec.total:g} − {burst:g} − {in_panic_window:g}")


def initial_excess(spec: ScalingSpec) -> Excess:
    """The excess before anything is known of the load: that of the initial scale."""
    burst = spec.burst_capacity
    if burst <= 0:
        return _fixed(burst)
    capacity = math.floor(spec.initial_scale * spec.total - burst)
    return _sum(capacity, f"{spec.initial_scale}×{spec.total:g} − {burst:g}")


def path(want: int | None, excess: Excess, ready: int, *, inactive: bool) -> Path:
    """The path when *want* instances shall be there (None: not known) and *ready* are.

    *inactive* is whether the revision was last said to be without traffic.
    """
    if want == 0 or (want is None and inactive):
        return Path("Proxy", "no instance is wanted")
    if excess.capacity < 0:
        return Path("Proxy", excess.why)
    if not ready:
        # Serve, for upstream; but a service without endpoints gets those of the activator.
        return Path("Proxy", "no instance is ready")
    return Path("Serve", excess.why)


def _fixed(burst: float) -> Excess:
    if burst == 0:
        return Excess(0.0, "target-burst-capacity is 0")
    return Excess(-1.0, f"target-burst-capacity is {burst:g}")


def _sum(capacity: int, terms: str) -> Excess:
    return Excess(float(capacity), f"excess burst capacity {capacity} = {terms}")
