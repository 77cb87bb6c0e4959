"""PodAutoscaler: what a revision asks of the autoscaler, and what the autoscaler answers.

The spec is written by the Revision's reconciler, the status by the autoscaler alone.

Source: Knative reference §2.6; knative/serving ``pkg/apis/autoscaling/v1alpha1``.
"""

from collections.abc import Mapping
from typing import Literal

from knlite.kinds.conditions import Conditions, ConditionSet
from knlite.kinds.meta import Fields, Object

ACTIVE = "Active"
SCALE_TARGET_INITIALIZED = "ScaleTargetInitialized"
SKS_READY = "SKSReady"

CONDITIONS = ConditionSet((ACTIVE, SCALE_TARGET_INITIALIZED, SKS_READY))

Reachability = Literal["", "Reachable", "Unreachable", "Unknown"]


class ScaleTargetRef(Fields):
    """The Deployment whose number of instances is set."""

    api_version: str = ""
    kind: str = ""
    name: str = ""


class PodAutoscalerSpec(Fields):
    container_concurrency: int = 0
    scale_target_ref: ScaleTargetRef = ScaleTargetRef()
    protocol_type: str = ""
    reachability: Reachability = ""


class PodAutoscalerStatus(Fields):
    observed_generation: int = 0
    conditions: Conditions = ()
    annotations: Mapping[str, str] | None = None
    service_name: str = ""
    metrics_service_name: str = ""
    desired_scale: int | None = None
    actual_scale: int | None = None
    mode: Literal["Serve", "Proxy"] = "Proxy"
    """The mode of the ServerlessService, which is computed of this (``docs/adr/0020``)."""
    mode_since: str | None = None
    """When it took that mode; None if it has had no other."""
    measured: float | None = None
    """What the HPA class has measured last, in the unit of its target."""


class PodAutoscaler(Object):
    """Scaling of one revision; its annotations are the revision's."""

    spec: PodAutoscalerSpec = PodAutoscalerSpec()
    status: PodAutoscalerStatus = PodAutoscalerStatus()
