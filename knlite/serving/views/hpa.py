"""The HorizontalPodAutoscaler of a revision of the HPA class, from its PodAutoscaler.

Source: knative/serving ``pkg/reconciler/autoscaling/hpa/resources/hpa.go``; Kubernetes
``pkg/apis/autoscaling/v2/defaults.go``.
Differs: it follows from what knlite's own autoscaler does, and scales nothing itself.
"""

from knlite.kinds.conditions import Condition
from knlite.kinds.core.hpa import (
    Behavior,
    HorizontalPodAutoscaler,
    HorizontalPodAutoscalerSpec,
    HorizontalPodAutoscalerStatus,
    HpaMetric,
    MetricIdentifier,
    MetricTarget,
    MetricValue,
    PodsMetric,
    ResourceMetric,
    ScalingRules,
)
from knlite.kinds.derivedmeta import derived_meta
from knlite.kinds.labels import METRIC
from knlite.kinds.serving.podautoscaler import PodAutoscaler
from knlite.reconcile import View
from knlite.serving.autoscaling.hpa import MEBIBYTE, HpaSpec, hpa_spec, scaled_by_hpa

_NO_LIMIT = 2**31 - 1


def horizontal_pod_autoscaler(
    autoscaler: PodAutoscaler, view: View
) -> HorizontalPodAutoscaler | None:
    """The HorizontalPodAutoscaler of the revision that *autoscaler* scales, if there is one."""
    meta, config = autoscaler.metadata, view.config.autoscaler
    if not scaled_by_hpa(meta.annotations, config):
        return None
    reachable = autoscaler.spec.reachability != "Unreachable"
    spec = hpa_spec(meta.annotations, config, reachable=reachable)
    return HorizontalPodAutoscaler(
        metadata=derived_meta(
            autoscaler,
            "HorizontalPodAutoscaler",
            meta.name,
            labels=meta.labels,
            annotations=meta.annotations,
        ),
        spec=HorizontalPodAutoscalerSpec(
            scale_target_ref=autoscaler.spec.scale_target_ref,
            min_replicas=spec.min_scale,
            max_replicas=spec.max_scale or _NO_LIMIT,
            metrics=(_metric(spec, meta.annotations.get(METRIC, ""), target=True),),
            behavior=Behavior(
                scale_up=ScalingRules(stabilization_window_seconds=round(spec.up_window)),
                scale_down=ScalingRules(stabilization_window_seconds=round(spec.down_window)),
            ),
        ),
        status=_status(autoscaler, spec),
    )


def _status(autoscaler: PodAutoscaler, spec: HpaSpec) -> HorizontalPodAutoscalerStatus:
    status = autoscaler.status
    measured = status.measured
    found: tuple[HpaMetric, ...] = ()
    if measured is not None:
        found = (_metric(spec, "", target=False, measured=measured),)
    active = Condition(
        type="ScalingActive",
        status="False" if measured is None else "True",
        reason="FailedGetResourceMetric" if measured is None else "ValidMetricFound",
        message="nothing has been measured yet" if measured is None else "",
        last_transition_time=autoscaler.metadata.creation_timestamp,
    )
    return HorizontalPodAutoscalerStatus(
        observed_generation=1,
        current_replicas=status.actual_scale or 0,
        desired_replicas=status.desired_scale or 0,
        current_metrics=found,
        conditions=(active,),
    )


def _metric(spec: HpaSpec, name: str, *, target: bool, measured: float = 0.0) -> HpaMetric:
    """The metric of *spec* with its target, or with what was measured."""
    match spec.metric:
        case "cpu":
            per_cent = round(spec.target if target else measured)
            aim = MetricTarget(type="Utilization", average_utilization=per_cent)
            value = MetricValue(average_utilization=per_cent)
        case "memory":
            amount = f"{round((spec.target if target else measured) / MEBIBYTE)}Mi"
            aim = MetricTarget(type="AverageValue", average_value=amount)
            value = MetricValue(average_value=amount)
        case _:
            of_pods = MetricTarget(type="AverageValue", average_value=f"{int(spec.target)}")
            identifier = MetricIdentifier(name=name)
            return HpaMetric(type="Pods", pods=PodsMetric(metric=identifier, target=of_pods))
    resource = ResourceMetric(
        name=spec.metric, target=aim if target else None, current=None if target else value
    )
    return HpaMetric(type="Resource", resource=resource)
