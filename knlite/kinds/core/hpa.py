"""HorizontalPodAutoscaler: what a revision of the HPA class is scaled by, as Kubernetes shows it.

Source: Kubernetes autoscaling/v2.
Not here: how it is made of a PodAutoscaler (``serving/views/hpa.py``).
"""

from knlite.kinds.conditions import Conditions
from knlite.kinds.meta import Fields, Object
from knlite.kinds.serving.podautoscaler import ScaleTargetRef


class MetricTarget(Fields):
    """Per cent of the request (``Utilization``), or an amount for each Pod (``AverageValue``)."""

    type: str = ""
    average_utilization: int | None = None
    average_value: str | None = None


class MetricValue(Fields):
    """What was measured last, on average."""

    average_utilization: int | None = None
    average_value: str | None = None


class MetricIdentifier(Fields):
    name: str = ""


class ResourceMetric(Fields):
    """``cpu`` or ``memory``; the target in a spec, the current value in a status."""

    name: str = ""
    target: MetricTarget | None = None
    current: MetricValue | None = None


class PodsMetric(Fields):
    """A metric of another name."""

    metric: MetricIdentifier = MetricIdentifier()
    target: MetricTarget | None = None
    current: MetricValue | None = None


class HpaMetric(Fields):
    """One metric; ``type`` is ``Resource`` or ``Pods``."""

    type: str = ""
    resource: ResourceMetric | None = None
    pods: PodsMetric | None = None


class ScalingRules(Fields):
    stabilization_window_seconds: int | None = None


class Behavior(Fields):
    scale_up: ScalingRules | None = None
    scale_down: ScalingRules | None = None


class HorizontalPodAutoscalerSpec(Fields):
    scale_target_ref: ScaleTargetRef = ScaleTargetRef()
    min_replicas: int | None = None
    max_replicas: int = 0
    metrics: tuple[HpaMetric, ...] = ()
    behavior: Behavior | None = None


class HorizontalPodAutoscalerStatus(Fields):
    observed_generation: int = 0
    current_replicas: int = 0
    desired_replicas: int = 0
    current_metrics: tuple[HpaMetric, ...] = ()
    conditions: Conditions = ()


class HorizontalPodAutoscaler(Object):
    """The scale of one revision by the use of its instances."""

    spec: HorizontalPodAutoscalerSpec = HorizontalPodAutoscalerSpec()
    status: HorizontalPodAutoscalerStatus = HorizontalPodAutoscalerStatus()


def reference_column(hpa: HorizontalPodAutoscaler) -> str:
    """``Deployment/NAME``."""
    return f"{hpa.spec.scale_target_ref.kind}/{hpa.spec.scale_target_ref.name}"


def targets_column(hpa: HorizontalPodAutoscaler) -> str:
    """``cpu: 12%/80%``: what was measured of what is aimed at."""
    found = {
        each.resource.name: each.resource.current
        for each in hpa.status.current_metrics
        if each.resource is not None
    }
    shown = []
    for each in hpa.spec.metrics:
        if each.resource is not None and each.resource.target is not None:
            name, target = each.resource.name, each.resource.target
            shown.append(f"{name}: {_current(found.get(name))}/{_target(target)}")
        elif each.pods is not None and each.pods.target is not None:
            shown.append(f"<unknown>/{_target(each.pods.target)}")
    return ", ".join(shown) or "<none>"


def _target(target: MetricTarget) -> str:
    if target.average_utilization is not None:
        return f"{target.average_utilization}%"
    return target.average_value or ""


def _current(value: MetricValue | None) -> str:
    if value is None:
        return "<unknown>"
    if value.average_utilization is not None:
        return f"{value.average_utilization}%"
    return value.average_value or "<unknown>"
