"""The Metric of a revision, from its PodAutoscaler.

Source: knative/serving ``pkg/reconciler/autoscaling/resources/metric.go``.
Differs: nothing is scraped; the activator and the instances' proxies tell the autoscaler.
"""

from knlite.kinds.conditions import Condition
from knlite.kinds.derivedmeta import derived_meta
from knlite.kinds.names import child_name
from knlite.kinds.serving.metric import Metric, MetricSpec, MetricStatus
from knlite.kinds.serving.podautoscaler import PodAutoscaler
from knlite.reconcile import View
from knlite.serving.autoscaling.spec import scaling_spec
from knlite.serving.views.serverlessservice import PRIVATE

_NANOSECONDS = 1_000_000_000


def metric(autoscaler: PodAutoscaler, view: View) -> Metric:
    """The Metric of the revision that *autoscaler* scales."""
    meta = autoscaler.metadata
    spec = scaling_spec(
        meta.annotations, autoscaler.spec.container_concurrency, view.config.autoscaler
    )
    ready = Condition(type="Ready", status="True", last_transition_time=meta.creation_timestamp)
    return Metric(
        metadata=derived_meta(
            autoscaler,
            "Metric",
            meta.name,
            labels=meta.labels,
            annotations=meta.annotations,
        ),
        spec=MetricSpec(
            stable_window=round(spec.stable_window) * _NANOSECONDS,
            panic_window=max(1, round(spec.panic_window)) * _NANOSECONDS,
            scrape_target=child_name(meta.name, PRIVATE),
        ),
        status=MetricStatus(observed_generation=1, conditions=(ready,)),
    )
