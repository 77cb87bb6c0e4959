"""The ServerlessService of a revision, from its PodAutoscaler.

Source: knative/serving ``pkg/reconciler/autoscaling/resources/sks.go``,
``pkg/reconciler/serverlessservice``; Knative reference §2.6.
Differs: there is one activator, whatever the load.
"""

from knlite.kinds.conditions import Condition, Status
from knlite.kinds.core.objectreference import ObjectReference
from knlite.kinds.derivedmeta import derived_meta
from knlite.kinds.labels import METRIC
from knlite.kinds.names import child_name
from knlite.kinds.podspec.fields import protocol_of, serving_container
from knlite.kinds.serving.podautoscaler import PodAutoscaler
from knlite.kinds.serving.revision import Revision
from knlite.kinds.serving.serverlessservice import (
    ACTIVATOR_ENDPOINTS_POPULATED,
    ENDPOINTS_POPULATED,
    ServerlessService,
    ServerlessServiceSpec,
    ServerlessServiceStatus,
)
from knlite.reconcile import View
from knlite.serving.views.deployment import SUFFIX as DEPLOYMENT

PRIVATE = "-private"
ACTIVATORS = 1


def serverless_service(autoscaler: PodAutoscaler, view: View) -> ServerlessService:
    """The ServerlessService of the revision that *autoscaler* scales."""
    meta = autoscaler.metadata
    metric = {METRIC: meta.annotations[METRIC]} if METRIC in meta.annotations else {}
    return ServerlessService(
        metadata=derived_meta(
            autoscaler,
            "ServerlessService",
            meta.name,
            labels=meta.labels,
            annotations=metric,
        ),
        spec=ServerlessServiceSpec(
            mode=autoscaler.status.mode,
            object_ref=ObjectReference(
                api_version="apps/v1", kind="Deployment", name=child_name(meta.name, DEPLOYMENT)
            ),
            protocol_type=protocol(view.get(Revision, meta.namespace, meta.name)),
            num_activators=ACTIVATORS,
        ),
        status=_status(autoscaler),
    )


def protocol(revision: Revision | None) -> str:
    """``http1`` or ``h2c``."""
    container = serving_container(revision.spec) if revision is not None else None
    return protocol_of(container) if container is not None else "http1"


def _status(autoscaler: PodAutoscaler) -> ServerlessServiceStatus:
    name = autoscaler.metadata.name
    since = autoscaler.status.mode_since or autoscaler.metadata.creation_timestamp
    populated = bool(autoscaler.status.actual_scale)
    proxied: Status = "True" if autoscaler.status.mode == "Proxy" or not populated else "False"
    status: Status = "True" if populated else "Unknown"
    reason, message = ("", "") if populated else ("NoHealthyBackends", "K8s Service is not ready")
    endpoints, ready = (
        Condition(
            type=type_, status=status, reason=reason, message=message, last_transition_time=since
        )
        for type_ in (ENDPOINTS_POPULATED, "Ready")
    )
    activator = Condition(
        type=ACTIVATOR_ENDPOINTS_POPULATED,
        status=proxied,
        severity="Info",
        reason="ActivatorEndpointsPopulated",
        message="Revision is backed by Activator",
        last_transition_time=since,
    )
    return ServerlessServiceStatus(
        observed_generation=1,
        conditions=(activator, endpoints, ready),
        service_name=name,
        private_service_name=child_name(name, PRIVATE),
    )
