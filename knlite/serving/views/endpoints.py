"""Where requests for a revision go: EndpointSlices and Endpoints of its two core Services.

The private ones list its instances. The public ones list the same, or the activator's address
while the activator is in the path.

Source: knative/serving ``pkg/reconciler/serverlessservice``; Knative reference §2.6.
Differs: a slice has the name of its service. Ports are what a queue-proxy has on a cluster; where
an instance listens on this machine is knlite's own affair.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from knlite.kinds.conditions import timestamp
from knlite.kinds.config.bundle import SERVING_NAMESPACE
from knlite.kinds.core.endpoints import (
    MANAGED_BY,
    SERVICE_NAME,
    EndpointAddress,
    EndpointConditions,
    EndpointPort,
    Endpoints,
    EndpointSlice,
    EndpointSubset,
    SliceEndpoint,
)
from knlite.kinds.core.objectreference import ObjectReference
from knlite.kinds.core.pod import Pod
from knlite.kinds.derivedmeta import derived_meta
from knlite.kinds.labels import REVISION
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.names import child_name
from knlite.kinds.serving.podautoscaler import PodAutoscaler
from knlite.kinds.serving.revision import Revision
from knlite.kinds.serving.serverlessservice import LABEL, SERVICE_TYPE
from knlite.reconcile import View
from knlite.serving.views.deployment import HTTP2_PORT, HTTP_PORT
from knlite.serving.views.serverlessservice import PRIVATE, protocol

ACTIVATOR = "activator-service"
"""The core Service of the activator, in ``knative-serving``."""


def public_slice(autoscaler: PodAutoscaler, view: View) -> EndpointSlice:
    """Where the ingress sends requests."""
    pods = _pods(autoscaler, view)
    endpoints, ports = _public(autoscaler, pods, view)
    name = autoscaler.metadata.name
    labels = _slice_labels(autoscaler, name, "Public")
    meta = _meta(autoscaler, pods, "EndpointSlice", name, labels)
    return EndpointSlice(
        metadata=meta, address_type=_family(endpoints), endpoints=endpoints, ports=ports
    )


def private_slice(autoscaler: PodAutoscaler, view: View) -> EndpointSlice:
    """The instances, also those that are not ready."""
    pods = _pods(autoscaler, view)
    name = child_name(autoscaler.metadata.name, PRIVATE)
    labels = _slice_labels(autoscaler, name, "Private")
    found = _private(pods)
    return EndpointSlice(
        metadata=_meta(autoscaler, pods, "EndpointSlice", name, labels),
        address_type=_family(found),
        endpoints=found,
        ports=_ports(autoscaler, view),
    )


def public_endpoints(autoscaler: PodAutoscaler, view: View) -> Endpoints:
    """The public slice in the older spelling."""
    pods = _pods(autoscaler, view)
    name, labels = autoscaler.metadata.name, _labels(autoscaler, "Public")
    meta = _meta(autoscaler, pods, "Endpoints", name, labels)
    return _endpoints(meta, *_public(autoscaler, pods, view))


def private_endpoints(autoscaler: PodAutoscaler, view: View) -> Endpoints:
    """The private slice in the older spelling."""
    pods = _pods(autoscaler, view)
    name = child_name(autoscaler.metadata.name, PRIVATE)
    meta = _meta(autoscaler, pods, "Endpoints", name, _labels(autoscaler, "Private"))
    return _endpoints(meta, _private(pods), _ports(autoscaler, view))


def activator_slice(host: str, port: int, now: datetime) -> EndpointSlice:
    """The address of the activator, which the public slices of all revisions refer to."""
    endpoint = SliceEndpoint(addresses=(host,), conditions=_conditions(ready=True))
    return EndpointSlice(
        metadata=_activator_meta(now, {SERVICE_NAME: ACTIVATOR}),
        address_type=_family((endpoint,)),
        endpoints=(endpoint,),
        ports=(EndpointPort(name="http", port=port, protocol="TCP"),),
    )


def activator_endpoints(host: str, port: int, now: datetime) -> Endpoints:
    """The same in the older spelling."""
    found = activator_slice(host, port, now)
    return _endpoints(_activator_meta(now, {}), found.endpoints, found.ports)


def _activator_meta(now: datetime, labels: Mapping[str, str]) -> ObjectMeta:
    return ObjectMeta(
        name=ACTIVATOR,
        namespace=SERVING_NAMESPACE,
        uid=f"{ACTIVATOR}-{len(labels)}",
        resource_version="1",
        creation_timestamp=timestamp(now),
        labels={"app": "activator", **labels},
    )


def _pods(autoscaler: PodAutoscaler, view: View) -> Sequence[Pod]:
    meta = autoscaler.metadata
    return view.labelled(Pod, meta.namespace, REVISION, meta.name)


def _ready(pod: Pod) -> bool:
    if pod.metadata.deletion_timestamp is not None:
        return False
    statuses = pod.status.container_statuses
    return bool(pod.status.pod_ip and statuses) and all(status.ready for status in statuses)


def _public(
    autoscaler: PodAutoscaler, pods: Sequence[Pod], view: View
) -> tuple[tuple[SliceEndpoint, ...], tuple[EndpointPort, ...]]:
    activator = view.get(EndpointSlice, SERVING_NAMESPACE, ACTIVATOR)
    ready = tuple(_slice_endpoint(pod) for pod in pods if _ready(pod))
    if activator is not None and (autoscaler.status.mode == "Proxy" or not ready):
        return activator.endpoints, activator.ports
    return ready, _ports(autoscaler, view)


def _family(endpoints: Sequence[SliceEndpoint]) -> str:
    """``IPv4`` unless the addresses, which are of one family, have colons."""
    return "IPv6" if endpoints and ":" in endpoints[0].addresses[0] else "IPv4"


def _private(pods: Sequence[Pod]) -> tuple[SliceEndpoint, ...]:
    return tuple(_slice_endpoint(pod) for pod in pods if pod.status.pod_ip)


def _ports(autoscaler: PodAutoscaler, view: View) -> tuple[EndpointPort, ...]:
    meta = autoscaler.metadata
    if protocol(view.get(Revision, meta.namespace, meta.name)) == "h2c":
        return (EndpointPort(name="http2", port=HTTP2_PORT, protocol="TCP"),)
    return (EndpointPort(name="http", port=HTTP_PORT, protocol="TCP"),)


def _conditions(*, ready: bool, terminating: bool = False) -> EndpointConditions:
    return EndpointConditions(ready=ready, serving=ready, terminating=terminating)


def _slice_endpoint(pod: Pod) -> SliceEndpoint:
    meta = pod.metadata
    return SliceEndpoint(
        addresses=(pod.status.pod_ip,),
        conditions=_conditions(
            ready=_ready(pod), terminating=pod.metadata.deletion_timestamp is not None
        ),
        target_ref=ObjectReference(
            kind="Pod", namespace=meta.namespace, name=meta.name, uid=meta.uid
        ),
    )


def _labels(autoscaler: PodAutoscaler, service_type: str) -> dict[str, str]:
    meta = autoscaler.metadata
    return {**meta.labels, LABEL: meta.name, SERVICE_TYPE: service_type}


def _slice_labels(autoscaler: PodAutoscaler, service: str, service_type: str) -> dict[str, str]:
    labels = _labels(autoscaler, service_type)
    return {**labels, SERVICE_NAME: service, MANAGED_BY: "endpointslice-controller.k8s.io"}


def _meta(
    autoscaler: PodAutoscaler,
    pods: Sequence[Pod],
    kind: str,
    name: str,
    labels: Mapping[str, str],
) -> ObjectMeta:
    return derived_meta(autoscaler, kind, name, *pods, labels=labels)


def _endpoints(
    meta: ObjectMeta, endpoints: Sequence[SliceEndpoint], ports: tuple[EndpointPort, ...]
) -> Endpoints:
    ready, waiting = (
        tuple(
            EndpointAddress(ip=each.addresses[0], target_ref=each.target_ref)
            for each in endpoints
            if bool(each.conditions.ready) is wanted
        )
        for wanted in (True, False)
    )
    subset = EndpointSubset(addresses=ready, not_ready_addresses=waiting, ports=ports)
    return Endpoints(metadata=meta, subsets=(subset,) if endpoints else ())
