"""The two core Services of a revision: the public one for requests, the private for its instances.

Source: knative/serving ``pkg/reconciler/serverlessservice/resources/services.go``.
Differs: there is no TLS inside the machine, and so no port for it.
"""

from knlite.kinds.core.k8sservice import (
    KubernetesService,
    KubernetesServiceSpec,
    ServicePort,
)
from knlite.kinds.derivedmeta import derived_meta
from knlite.kinds.labels import REVISION_UID
from knlite.kinds.names import child_name
from knlite.kinds.serving.podautoscaler import PodAutoscaler
from knlite.kinds.serving.revision import Revision
from knlite.kinds.serving.serverlessservice import LABEL, SERVICE_TYPE
from knlite.reconcile import View
from knlite.serving.views.deployment import HTTP2_PORT, HTTP_PORT
from knlite.serving.views.serverlessservice import PRIVATE, protocol

_QUEUE_METRICS = (("http-autometric", 9090), ("http-usermetric", 9091))


def public_service(autoscaler: PodAutoscaler, view: View) -> KubernetesService:
    """The one that the ingress sends requests to; it selects no pods."""
    port = _port(autoscaler, view)
    return _service(autoscaler, autoscaler.metadata.name, "Public", (port,), {})


def private_service(autoscaler: PodAutoscaler, view: View) -> KubernetesService:
    """The one that selects the instances."""
    meta = autoscaler.metadata
    metrics = (
        ServicePort(name=name, port=port, protocol="TCP", target_port=name)
        for name, port in _QUEUE_METRICS
    )
    revision = view.get(Revision, meta.namespace, meta.name)
    selector = {REVISION_UID: revision.metadata.uid} if revision is not None else {}
    ports = (_port(autoscaler, view), *metrics)
    return _service(autoscaler, child_name(meta.name, PRIVATE), "Private", ports, selector)


def _port(autoscaler: PodAutoscaler, view: View) -> ServicePort:
    meta = autoscaler.metadata
    if protocol(view.get(Revision, meta.namespace, meta.name)) == "h2c":
        return ServicePort(
            name="http2",
            app_protocol="kubernetes.io/h2c",
            port=80,
            protocol="TCP",
            target_port=HTTP2_PORT,
        )
    return ServicePort(name="http", port=80, protocol="TCP", target_port=HTTP_PORT)


def _service(
    autoscaler: PodAutoscaler,
    name: str,
    service_type: str,
    ports: tuple[ServicePort, ...],
    selector: dict[str, str],
) -> KubernetesService:
    meta = autoscaler.metadata
    labels = {**meta.labels, LABEL: meta.name, SERVICE_TYPE: service_type}
    return KubernetesService(
        metadata=derived_meta(autoscaler, "KubernetesService", name, labels=labels),
        spec=KubernetesServiceSpec(
            type="ClusterIP", selector=selector, ports=ports, session_affinity="None"
        ),
    )
