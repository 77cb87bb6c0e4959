"""Where a person reaches an object from this machine."""

from knlite.eventing.channels import channel_in
from knlite.kinds.eventing.broker import Broker
from knlite.kinds.eventing.eventtransform import EventTransform
from knlite.kinds.eventing.requestreply import RequestReply
from knlite.kinds.eventing.trigger import Trigger
from knlite.kinds.flows.parallel import Parallel
from knlite.kinds.flows.sequence import Sequence
from knlite.kinds.messaging.channel import Channel
from knlite.kinds.messaging.inmemorychannel import InMemoryChannel
from knlite.kinds.messaging.subscription import Subscription
from knlite.kinds.meta import Object
from knlite.kinds.serving.domainmapping import DomainMapping
from knlite.kinds.serving.service import Service
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
        case Channel() | InMemoryChannel() | Sequence() | Parallel():
            address = obj.status.address
            channel = None if address is None else channel_in(address.url)
            if channel is None:
                return ""
            return f"http://localhost:{port}/ns/{channel[0]}/channels/{channel[1]}"
        case Subscription():
            uri = obj.status.physical_subscription.subscriber_uri
            return f"→ {uri}" if uri else ""
        case Trigger():
            return f"→ {obj.status.subscriber_uri}" if obj.status.subscriber_uri else ""
        case SinkBinding():
            return f"→ {obj.status.sink_uri}" if obj.status.sink_uri else ""
        case _:
            return ""
