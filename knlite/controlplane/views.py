"""Which objects are computed when they are read, and of what.

Source: ``docs/adr/0020-views-are-computed.md``.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from knlite.controlplane.machine import this_node
from knlite.eventing.channels import CHANNEL_ENDING
from knlite.eventing.views.channelservice import channel_service
from knlite.kinds.core.customresourcedefinition import CustomResourceDefinition
from knlite.kinds.core.deployment import Deployment
from knlite.kinds.core.endpoints import Endpoints, EndpointSlice
from knlite.kinds.core.hpa import HorizontalPodAutoscaler
from knlite.kinds.core.k8sservice import KubernetesService
from knlite.kinds.core.node import Node
from knlite.kinds.core.pod import Pod
from knlite.kinds.definitions import definitions
from knlite.kinds.labels import REVISION
from knlite.kinds.messaging.inmemorychannel import InMemoryChannel
from knlite.kinds.messaging.kafkachannel import KafkaChannel
from knlite.kinds.meta import Object
from knlite.kinds.serving.metric import Metric
from knlite.kinds.serving.podautoscaler import PodAutoscaler
from knlite.kinds.serving.revision import Revision
from knlite.kinds.serving.serverlessservice import ServerlessService
from knlite.reconcile import View
from knlite.registry.derived import ChildOf, Derivation, Fixed
from knlite.serving.views import endpoints, services
from knlite.serving.views.deployment import SUFFIX, deployment
from knlite.serving.views.hpa import horizontal_pod_autoscaler
from knlite.serving.views.ingressgateway import IngressGateways
from knlite.serving.views.metric import metric
from knlite.serving.views.serverlessservice import PRIVATE, serverless_service


def _same_name(obj: Object) -> str:
    return obj.metadata.name


def _revision_of(pod: Pod) -> str:
    return pod.metadata.labels.get(REVISION, "")


def _of_path(kind: type[Object], suffix: str, made: Callable[[Any, View], Object]) -> Derivation:
    inputs: dict[type[Object], Callable[[Any], str]] = {Revision: _same_name, Pod: _revision_of}
    return ChildOf(kind=kind, parent=PodAutoscaler, suffix=suffix, made=made, inputs=inputs)


VIEWS: tuple[Derivation, ...] = (
    ChildOf(
        kind=Deployment,
        parent=Revision,
        suffix=SUFFIX,
        made=deployment,
        inputs={PodAutoscaler: _same_name},
    ),
    ChildOf(kind=ServerlessService, parent=PodAutoscaler, made=serverless_service),
    ChildOf(kind=Metric, parent=PodAutoscaler, made=metric),
    ChildOf(kind=HorizontalPodAutoscaler, parent=PodAutoscaler, made=horizontal_pod_autoscaler),
    ChildOf(
        kind=KubernetesService,
        parent=InMemoryChannel,
        suffix=CHANNEL_ENDING,
        made=channel_service,
    ),
    ChildOf(
        kind=KubernetesService,
        parent=KafkaChannel,
        suffix=CHANNEL_ENDING,
        made=channel_service,
    ),
    _of_path(KubernetesService, "", services.public_service),
    _of_path(KubernetesService, PRIVATE, services.private_service),
    _of_path(EndpointSlice, "", endpoints.public_slice),
    _of_path(EndpointSlice, PRIVATE, endpoints.private_slice),
    _of_path(Endpoints, "", endpoints.public_endpoints),
    _of_path(Endpoints, PRIVATE, endpoints.private_endpoints),
)


def views_of_run(host: str, port: int, tls_port: int, now: datetime) -> tuple[Derivation, ...]:
    """All of ``VIEWS``, and what never changes while the gateway listens on *host*."""
    slices = Fixed(EndpointSlice, (endpoints.activator_slice(host, port, now),))
    older = Fixed(Endpoints, (endpoints.activator_endpoints(host, port, now),))
    nodes = Fixed(Node, (this_node(now, host),))
    kinds = Fixed(CustomResourceDefinition, definitions(now))
    return (*VIEWS, slices, older, nodes, kinds, IngressGateways(host, port, tls_port))
