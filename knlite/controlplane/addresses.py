"""Where a person reaches an object from this machine."""

from knlite.kinds.eventing.broker import Broker
from knlite.kinds.eventing.trigger import Trigger
from knlite.kinds.meta import Object
from knlite.kinds.serving.domainmapping import DomainMapping
from knlite.kinds.serving.service import Service
from knlite.kinds.sinks.jobsink import JobSink
from knlite.kinds.sources.container import ContainerSource
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
        case Trigger():
            return f"→ {obj.status.subscriber_uri}" if obj.status.subscriber_uri else ""
        case JobSink():
            meta = obj.metadata
            sinks = f"http://localhost:{port}/ns/knative-eventing/services/job-sink"
            return f"{sinks}/{meta.namespace}/{meta.name}"
        case SinkBinding() | ContainerSource():
            return f"→ {obj.status.sink_uri}" if obj.status.sink_uri else ""
        case _:
            return ""
