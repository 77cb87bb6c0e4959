"""Where a Trigger of every class but RabbitMQBroker sends to: subscriber, dead letter sink.

With Kafka a delivery of the Trigger's own counts as a whole: nothing of the Broker's is used then,
not even the dead letter sink. The name of its consumer group is kept for good.

Source: knative/eventing ``pkg/reconciler/broker/trigger/trigger.go``; Eventing reference §4, §17.
"""

import msgspec

from knlite.eventing.deadletters import others_dead_letter_sink, with_dead_letter_sink
from knlite.eventing.destinations import Resolved
from knlite.eventing.kafka.groups import kafka_reader_of
from knlite.eventing.triggers.targets import own_sink, with_subscriber
from knlite.kinds.conditions import ConditionEditor
from knlite.kinds.eventing.broker import Broker, class_of
from knlite.kinds.eventing.brokerclass import KAFKA_CLASSES
from knlite.kinds.eventing.delivery import DEAD_LETTER_SINK_RESOLVED
from knlite.kinds.eventing.kafkaconditions import GROUP_ID
from knlite.kinds.eventing.trigger import SUBSCRIBER_RESOLVED, Trigger, TriggerStatus
from knlite.reconcile import View


def with_targets(
    trigger: Trigger, broker: Broker, conditions: ConditionEditor, view: View
) -> tuple[TriggerStatus, bool]:
    """The status with the URLs that are known, and whether all of them are."""
    status = _with_group(trigger, broker, view)
    unable = "Unable to get the Subscriber's URI"
    status = with_subscriber(trigger, status, unable, conditions, view)
    if not conditions.is_true(SUBSCRIBER_RESOLVED):
        return status, False
    sink = _dead_letter_sink(trigger, broker, conditions, view)
    resolved = conditions.is_true(DEAD_LETTER_SINK_RESOLVED)
    return with_dead_letter_sink(status, sink), resolved


def _with_group(trigger: Trigger, broker: Broker, view: View) -> TriggerStatus:
    """The status, which keeps the consumer group of who reads from Kafka for good."""
    status = trigger.status
    if class_of(broker) not in KAFKA_CLASSES or GROUP_ID in status.annotations:
        return status
    annotations = {**status.annotations, GROUP_ID: kafka_reader_of(trigger, view)}
    return msgspec.structs.replace(status, annotations=annotations)


def _dead_letter_sink(
    trigger: Trigger, broker: Broker, conditions: ConditionEditor, view: View
) -> Resolved | None:
    """The Trigger's own, else the Broker's; None if there is none or it does not resolve."""
    own, inherited = trigger.spec.delivery, broker.spec.delivery
    whole = own is not None and class_of(broker) in KAFKA_CLASSES
    if whole or (own is not None and own.dead_letter_sink is not None):
        return own_sink(trigger, "Unable to get the dead letter sink's URI", conditions, view)
    unable = f"Broker {broker.metadata.name} didn't set status.deadLetterSinkURI"
    return others_dead_letter_sink(inherited, broker.status, unable, conditions)
