"""Brokers with their Triggers, and RequestReplies.

Source: Eventing reference §3, §4, §15; data plane reference §4.1 (whose dead letter sink).
"""

from knlite.console.graph.drawing import Drawing, has_sink
from knlite.console.graph.filters import filter_words
from knlite.console.graph.nodes import id_of
from knlite.kinds.eventing.broker import Broker, class_of
from knlite.kinds.eventing.brokerclass import SERVER_CLASSES
from knlite.kinds.eventing.requestreply import RequestReply
from knlite.kinds.eventing.trigger import Trigger, broker_of


def draw_brokers(drawing: Drawing) -> None:
    """All Brokers, Triggers and RequestReplies."""
    heirs: dict[tuple[str, str], list[str]] = {}
    for trigger in drawing.view.listed(Trigger, ""):
        place = broker_of(trigger)
        broker = drawing.view.get(Broker, *place)
        _trigger(drawing, trigger, place)
        if broker is not None and _inherits(trigger, broker):
            heirs.setdefault(place, []).append(id_of(trigger))
    for broker in drawing.view.listed(Broker, ""):
        meta = broker.metadata
        mine = heirs.get((meta.namespace, meta.name), ())
        node = drawing.places.of(broker)
        drawing.dead_letters(node, broker.spec.delivery, meta.namespace, mine)
    for request_reply in drawing.view.listed(RequestReply, ""):
        namespace = request_reply.metadata.namespace
        asked = drawing.places.at(Broker, namespace, request_reply.spec.broker_ref.name)
        drawing.edge(drawing.places.of(request_reply), asked, "sends")


def _trigger(drawing: Drawing, trigger: Trigger, place: tuple[str, str]) -> None:
    places, name = drawing.places, id_of(trigger)
    broker, node = places.at(Broker, *place), places.of(trigger)
    namespace, words = trigger.metadata.namespace, filter_words(trigger.spec)
    if node != name:
        # A RequestReply hears of replies by a Trigger of its own.
        drawing.edge(broker, node, "delivers", f"{name}|subscriber", label="replies")
        return
    drawing.edge(broker, node, "subscribes", f"{name}|in", label=words)
    subscriber = places.led_to(trigger.spec.subscriber, namespace)
    drawing.edge(node, subscriber, "delivers", f"{name}|subscriber")
    drawing.edge(subscriber, broker, "replies", f"{name}|reply", via=name)
    drawing.dead_letters(node, trigger.spec.delivery, namespace, (name,))


def _inherits(trigger: Trigger, broker: Broker) -> bool:
    """With Kafka and RabbitMQ a delivery of the Trigger's own counts as a whole."""
    own = trigger.spec.delivery
    if class_of(broker) in SERVER_CLASSES:
        return own is None
    return not has_sink(own)
