"""Metric: over which time the autoscaler averages the load of a revision.

Source: ``autoscaling.internal.knative.dev/v1alpha1`` Metric.
Not here: how it is made of a PodAutoscaler (``serving/views/metric.py``).
"""

from knlite.kinds.conditions import Conditions
from knlite.kinds.meta import Fields, Object


class MetricSpec(Fields):
    """Windows in nanoseconds, as Go writes durations."""

    stable_window: int = 0
    panic_window: int = 0
    scrape_target: str = ""


class MetricStatus(Fields):
    observed_generation: int = 0
    conditions: Conditions = ()


class Metric(Object):
    """What is measured of one revision."""

    spec: MetricSpec = MetricSpec()
    status: MetricStatus = MetricStatus()
