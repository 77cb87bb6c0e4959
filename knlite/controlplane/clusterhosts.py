"""The cluster's host names of everything that can be addressed.

Source: Knative reference (names of Routes); Eventing data plane reference §8.
"""

from collections.abc import Iterator

from knlite.eventing.channels import BACKING_CHANNELS, channel_host
from knlite.eventing.destinations import names_of
from knlite.eventing.rabbitmq.resources import rabbitmq_broker_host
from knlite.eventing.requestreplies import HOST as REQUEST_REPLY_HOST
from knlite.eventing.serverhosts import KAFKA_BROKERS, KAFKA_SINKS
from knlite.eventing.transforms import transform_host
from knlite.kinds.eventing.broker import Broker, class_of
from knlite.kinds.eventing.brokerclass import RABBITMQ_CLASS
from knlite.kinds.eventing.eventtransform import EventTransform
from knlite.kinds.serving.route import Route
from knlite.reconcile import View
from knlite.serving.domains import local_hosts, tagged_name
from knlite.serving.vantage import BROKER_HOSTS


def cluster_hosts(view: View) -> tuple[str, ...]:
    """All of them, each by all its names."""
    return (*BROKER_HOSTS, *_of_routes(view), *_of_others(view))


def _of_routes(view: View) -> Iterator[str]:
    for route in view.listed(Route, ""):
        for tag in ("", *(target.tag for target in route.spec.traffic if target.tag)):
            name = tagged_name(route, tag, view.config)
            yield from local_hosts(route.metadata.namespace, name)


def _of_others(view: View) -> Iterator[str]:
    yield from names_of(REQUEST_REPLY_HOST)
    yield from names_of(KAFKA_BROKERS)
    yield from names_of(KAFKA_SINKS)
    for kind in BACKING_CHANNELS:
        for channel in view.listed(kind, ""):
            yield from names_of(channel_host(channel.metadata.namespace, channel.metadata.name))
    for each in view.listed(EventTransform, ""):
        yield from names_of(transform_host(each.metadata.namespace, each.metadata.name))
    for broker in view.listed(Broker, ""):
        if class_of(broker) == RABBITMQ_CLASS:
            meta = broker.metadata
            yield from names_of(rabbitmq_broker_host(meta.namespace, meta.name))
