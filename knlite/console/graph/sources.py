"""Sources and their sinks, bound workloads, and transformations.

What a bound workload sends is not told apart from what others send to the same place: an event says
who connected, not whose program that was.

Source: Eventing reference §8 - §13.
"""

from collections.abc import Iterable, Iterator
from itertools import chain

from knlite.console.graph.drawing import Drawing
from knlite.eventing.binding import selects
from knlite.eventing.references import group_in, kind_of
from knlite.kinds.core.deployment import Deployment
from knlite.kinds.core.job import Job
from knlite.kinds.eventing.eventtransform import EventTransform
from knlite.kinds.serving.configuration import Configuration
from knlite.kinds.serving.service import Service
from knlite.kinds.sources.apiserversource import ApiServerSource
from knlite.kinds.sources.container import ContainerSource
from knlite.kinds.sources.kafkasource import KafkaSource
from knlite.kinds.sources.pingsource import PingSource
from knlite.kinds.sources.rabbitmqsource import RabbitmqSource
from knlite.kinds.sources.sinkbinding import SinkBinding

_WORKLOADS = (Service, Configuration, Deployment, Job)


def draw_sources(drawing: Drawing) -> None:
    """All sources, bindings and transformations."""
    places, view = drawing.places, drawing.view
    senders: Iterable[PingSource | ApiServerSource] = chain(
        view.listed(PingSource, ""), view.listed(ApiServerSource, "")
    )
    for sender in senders:
        node = places.of(sender)
        sink = places.led_to(sender.spec.sink, sender.metadata.namespace)
        drawing.edge(node, sink, "sends", f"{node}|sends")
    for reader in view.listed(KafkaSource, ""):
        node, namespace = places.of(reader), reader.metadata.namespace
        sink = places.led_to(reader.spec.sink, namespace)
        drawing.edge(node, sink, "sends", f"{node}|subscriber")
        drawing.dead_letters(node, reader.spec.delivery, namespace, (node,))
    for queue in view.listed(RabbitmqSource, ""):
        node = places.of(queue)
        sink = places.led_to(queue.spec.sink, queue.metadata.namespace)
        drawing.edge(node, sink, "sends", f"{node}|subscriber")
    for source in view.listed(ContainerSource, ""):
        sink = places.led_to(source.spec.sink, source.metadata.namespace)
        _told(drawing, places.of(source), sink)
    for binding in view.listed(SinkBinding, ""):
        if places.whole(binding) is binding:
            _binding(drawing, binding)
    for transform in view.listed(EventTransform, ""):
        sink = places.led_to(transform.spec.sink, transform.metadata.namespace)
        drawing.edge(places.of(transform), sink, "sends")


def _binding(drawing: Drawing, binding: SinkBinding) -> None:
    node = drawing.places.of(binding)
    for subject in _subjects(drawing, binding):
        drawing.edge(subject, node, "binds")
    _told(drawing, node, drawing.places.led_to(binding.spec.sink, binding.metadata.namespace))


def _told(drawing: Drawing, node: str, sink: str | None) -> None:
    """The way from who sends to K_SINK."""
    if sink is None:
        return
    inbox = drawing.places.nodes[sink].inbox
    flow = f"{inbox}|in:" if inbox else f"{sink}|requests"
    drawing.edge(node, sink, "sends", flow, shared=True)


def _subjects(drawing: Drawing, binding: SinkBinding) -> Iterator[str]:
    subject = binding.spec.subject
    kind = kind_of(group_in(subject.api_version), subject.kind)
    namespace = subject.namespace or binding.metadata.namespace
    if kind is None:
        return
    if subject.name:
        yield drawing.places.at(kind, namespace, subject.name)
        return
    if kind in _WORKLOADS:
        for each in drawing.view.listed(kind, namespace):
            if isinstance(each, _WORKLOADS) and selects(binding, each):
                yield drawing.places.of(each)
