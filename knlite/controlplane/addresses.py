"""Where a person reaches an object from this machine."""

from knlite.kinds.eventing.broker import Broker
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
from knlite.kinds.serving.service import Service
from knlite.kinds.sinks.jobsink import JobSink
from knlite.kinds.sources.apiserversource import ApiServerSource
from knlite.kinds.sources.container import ContainerSource
from knlite.kinds.sources.kafkasource import KafkaSource
from knlite.kinds.sources.pingsource import PingSource
from knlite.kinds.sources.rabbitmqsource import RabbitmqSource
from knlite.kinds.sources.sinkbinding import SinkBinding


def address_of(obj: Object, port: int) -> str:
    """The URL of *obj*, or an arrow to where it sends; empty for what has no address.

    The gateway listens on *port*.
    """
    match obj:
        case Service() | DomainMapping():
            return obj.status.url
        case Broker():
            meta = obj.metadata
            return f"http://localhost:{port}/ns/{meta.namespace}/brokers/{meta.name}"
        case EventTransform() | RequestReply():
            kind = "eventtransforms" if isinstance(obj, EventTransform) else "requestreplies"
            meta = obj.metadata
            url = f"http://localhost:{port}/ns/{meta.namespace}/{kind}/{meta.name}"
            return url if obj.status.address is not None else ""
        case KafkaSink():
            meta = obj.metadata
            url = f"http://localhost:{port}/ns/{meta.namespace}/kafkasinks/{meta.name}"
            return url if obj.status.address is not None else ""
        case Channel() | InMemoryChannel() | KafkaChannel() | Sequence() | Parallel():
            if obj.status.address is None:
                return ""
            return f"http://localhost:{port}/ns/{obj.metadata.namespace}/channels/{_first(obj)}"
        case Subscription():
            uri = obj.status.physical_subscription.subscriber_uri
            return f"→ {uri}" if uri else ""
        case Trigger():
            return f"→ {obj.status.subscriber_uri}" if obj.status.subscriber_uri else ""
        case JobSink():
            meta = obj.metadata
            sinks = f"http://localhost:{port}/ns/knative-eventing/services/job-sink"
            return f"{sinks}/{meta.namespace}/{meta.name}"
        case (
            SinkBinding()
            | ContainerSource()
            | PingSource()
            | RabbitmqSource()
            | ApiServerSource()
            | KafkaSource()
        ):
            return f"→ {obj.status.sink_uri}" if obj.status.sink_uri else ""
        case _:
            return ""


def _first(obj: Channel | InMemoryChannel | KafkaChannel | Sequence | Parallel) -> str:
    """The channel that takes in the events for *obj*."""
    match obj:
        case Sequence():
            return obj.status.channel_statuses[0].channel.name
        case Parallel():
            return obj.status.ingress_channel_status.channel.name
        case _:
            return obj.metadata.name
