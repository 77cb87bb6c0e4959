"""References by ``apiVersion`` and ``kind``: the kind they mean, and the words for what is gone.

The version counts for nothing: every kind here has one.

Source: knative/pkg ``resolver/addressable_resolver.go``, ``apis/kind2resource.go``; Eventing
reference §1.4. Not here: all kinds with their columns (``kinds/catalog.py``).
"""

from collections.abc import Mapping

from knlite.kinds.core.deployment import Deployment
from knlite.kinds.core.job import Job
from knlite.kinds.eventing.broker import Broker
from knlite.kinds.eventing.eventpolicy import EventPolicy
from knlite.kinds.eventing.eventtransform import EventTransform
from knlite.kinds.eventing.eventtype import EventType
from knlite.kinds.eventing.requestreply import RequestReply
from knlite.kinds.eventing.trigger import Trigger
from knlite.kinds.flows.parallel import Parallel
from knlite.kinds.flows.sequence import Sequence
from knlite.kinds.messaging.channel import Channel
from knlite.kinds.messaging.inmemorychannel import InMemoryChannel
from knlite.kinds.messaging.subscription import Subscription
from knlite.kinds.meta import Object
from knlite.kinds.serving.configuration import Configuration
from knlite.kinds.serving.domainmapping import DomainMapping
from knlite.kinds.serving.revision import Revision
from knlite.kinds.serving.route import Route
from knlite.kinds.serving.service import Service
from knlite.kinds.sinks.jobsink import JobSink
from knlite.kinds.sources.apiserversource import ApiServerSource
from knlite.kinds.sources.container import ContainerSource
from knlite.kinds.sources.pingsource import PingSource
from knlite.kinds.sources.sinkbinding import SinkBinding

SERVING = "serving.knative.dev"

_KINDS: Mapping[tuple[str, str], type[Object]] = {
    (SERVING, "Service"): Service,
    (SERVING, "Configuration"): Configuration,
    (SERVING, "Revision"): Revision,
    (SERVING, "Route"): Route,
    (SERVING, "DomainMapping"): DomainMapping,
    ("eventing.knative.dev", "Broker"): Broker,
    ("eventing.knative.dev", "Trigger"): Trigger,
    ("eventing.knative.dev", "EventType"): EventType,
    ("sources.knative.dev", "ApiServerSource"): ApiServerSource,
    ("sources.knative.dev", "PingSource"): PingSource,
    ("eventing.knative.dev", "EventPolicy"): EventPolicy,
    ("messaging.knative.dev", "Channel"): Channel,
    ("messaging.knative.dev", "InMemoryChannel"): InMemoryChannel,
    ("messaging.knative.dev", "Subscription"): Subscription,
    ("flows.knative.dev", "Sequence"): Sequence,
    ("flows.knative.dev", "Parallel"): Parallel,
    ("eventing.knative.dev", "EventTransform"): EventTransform,
    ("eventing.knative.dev", "RequestReply"): RequestReply,
    ("sources.knative.dev", "SinkBinding"): SinkBinding,
    ("sources.knative.dev", "ContainerSource"): ContainerSource,
    ("sinks.knative.dev", "JobSink"): JobSink,
    ("apps", "Deployment"): Deployment,
    ("batch", "Job"): Job,
}


def kind_of(group: str, kind: str) -> type[Object] | None:
    """The type behind *kind* of *group*, if objects of it can exist here."""
    return _KINDS.get((group, kind))


def group_in(api_version: str) -> str:
    """``serving.knative.dev`` of ``serving.knative.dev/v1``; empty for the core group's ``v1``."""
    return api_version.rpartition("/")[0]


def not_found(group: str, kind: str, name: str) -> str:
    """How a cluster says it: ``brokers.eventing.knative.dev "x" not found``."""
    resource = f"{_plural(kind)}.{group}" if group else _plural(kind)
    return f'{resource} "{name}" not found'


def _plural(kind: str) -> str:
    """Kubernetes' guess at the plural, which it makes from the last letter alone."""
    singular = kind.lower()
    if singular.endswith("s"):
        return f"{singular}es"
    if singular.endswith("y"):
        return f"{singular[:-1]}ies"
    return f"{singular}s"
