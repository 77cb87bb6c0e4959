"""An object as a node of the map.

Not here: which objects have one of their own (``whole.py``), what is not there (``places.py``).
"""

from collections.abc import Mapping
from typing import Final

from knlite.console.graph.filters import filter_words
from knlite.console.graph.values import Node, NodeRole, node_id
from knlite.console.standing import standing
from knlite.kinds.catalog import info_of
from knlite.kinds.core.k8sservice import KubernetesService
from knlite.kinds.eventing.broker import Broker, class_of
from knlite.kinds.eventing.eventtransform import EventTransform
from knlite.kinds.eventing.kafkasink import KafkaSink
from knlite.kinds.eventing.requestreply import RequestReply
from knlite.kinds.eventing.trigger import Trigger
from knlite.kinds.flows.parallel import Parallel
from knlite.kinds.flows.sequence import Sequence
from knlite.kinds.messaging.channel import Channel
from knlite.kinds.messaging.inmemorychannel import InMemoryChannel
from knlite.kinds.messaging.kafkachannel import KafkaChannel
from knlite.kinds.messaging.subscription import Subscription
from knlite.kinds.meta import Object
from knlite.kinds.serving.domainmapping import DomainMapping
from knlite.kinds.serving.route import Route
from knlite.kinds.serving.service import Service
from knlite.kinds.sinks.jobsink import JobSink
from knlite.kinds.sources.apiserversource import ApiServerSource
from knlite.kinds.sources.container import ContainerSource
from knlite.kinds.sources.kafkasource import KafkaSource
from knlite.kinds.sources.pingsource import PingSource
from knlite.kinds.sources.rabbitmqsource import RabbitmqSource
from knlite.kinds.sources.sinkbinding import SinkBinding

ROLES: Final[Mapping[type[Object], NodeRole]] = {
    PingSource: "source",
    ApiServerSource: "source",
    ContainerSource: "source",
    SinkBinding: "source",
    KafkaSource: "source",
    RabbitmqSource: "source",
    Broker: "broker",
    Trigger: "trigger",
    Channel: "channel",
    InMemoryChannel: "channel",
    KafkaChannel: "channel",
    Subscription: "subscription",
    Sequence: "flow",
    Parallel: "flow",
    EventTransform: "flow",
    RequestReply: "flow",
    Service: "service",
    JobSink: "sink",
    KafkaSink: "sink",
}
"""Kinds whose objects are all on the map. Others are when something leads to them."""


def role_of(kind: type[Object]) -> NodeRole:
    """What the map takes objects of *kind* for; what is not always on it, for a service."""
    return ROLES.get(kind, "service")


def kind_name(kind: type[Object]) -> str:
    """How nodes name *kind*: the class, as two kinds are a ``Service``."""
    return kind.__name__


def id_of(obj: Object) -> str:
    """Which node *obj* is, if it is one of its own."""
    return node_id(kind_name(type(obj)), obj.metadata.namespace, obj.metadata.name)


def node_of(obj: Object, inbox: str, external_port: int) -> Node:
    """The node of *obj*, whose events *inbox* takes in; the gateway is at *external_port*."""
    info = info_of(type(obj))
    how = standing(obj)
    return Node(
        id=id_of(obj),
        kind=kind_name(type(obj)),
        api_version=info.api_version,
        plural=info.plural,
        namespace=obj.metadata.namespace,
        name=obj.metadata.name,
        role=role_of(type(obj)),
        ready=how.status,
        reason=how.reason,
        message=how.message,
        url=_url(obj, inbox, external_port),
        detail=_detail(obj),
        inbox=inbox,
    )


def _url(obj: Object, inbox: str, port: int) -> str:
    """Path addresses, as every program on this machine can resolve them."""
    namespace, name = obj.metadata.namespace, obj.metadata.name
    base = f"http://localhost:{port}/ns/{namespace}"
    match obj:
        case Service() | Route() | DomainMapping():
            return obj.status.url
        case Broker():
            return f"{base}/brokers/{name}"
        case Channel() | InMemoryChannel() | KafkaChannel() | Sequence() | Parallel():
            return f"{base}/channels/{inbox.rpartition('/')[2]}" if inbox else ""
        case EventTransform():
            return f"{base}/eventtransforms/{name}"
        case RequestReply():
            return f"{base}/requestreplies/{name}"
        case KafkaSink():
            return f"{base}/kafkasinks/{name}"
        case JobSink():
            sinks = f"http://localhost:{port}/ns/knative-eventing/services/job-sink"
            return f"{sinks}/{namespace}/{name}"
        case _:
            return ""


def _detail(obj: Object) -> str:
    match obj:
        case PingSource():
            return " ".join(each for each in (obj.spec.schedule, obj.spec.timezone) if each)
        case ApiServerSource():
            return ", ".join(dict.fromkeys(each.kind for each in obj.spec.resources))
        case KafkaSource():
            return ", ".join(obj.spec.topics)
        case RabbitmqSource():
            config = obj.spec.rabbitmq_resources_config
            return "" if config is None else config.queue_name or config.exchange_name
        case Broker():
            return class_of(obj)
        case Trigger():
            return filter_words(obj.spec)
        case KafkaSink():
            return obj.spec.topic
        case Sequence():
            return _counted(len(obj.spec.steps), "step")
        case Parallel():
            return _counted(len(obj.spec.branches), "branch", "branches")
        case KubernetesService():
            return obj.spec.external_name
        case _:
            return ""


def _counted(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or f'{one}s'}"
