"""Where a Trigger of a Broker of class RabbitMQBroker sends to, once its queue is there.

Its dead letter sink is its own or none: what fails for want of one is buried with the Broker, which
serves its own sink from there.

Differs: a Trigger gets an identity as of every other class.

Source: knative-extensions/eventing-rabbitmq ``pkg/reconciler/trigger/trigger.go``; Eventing
delivery reference §16.3.
"""

from typing import Final

from knlite.eventing.deadletters import with_dead_letter_sink
from knlite.eventing.triggers.dependency import check_dependency
from knlite.eventing.triggers.targets import own_sink, with_subscriber
from knlite.kinds.conditions import ConditionEditor
from knlite.kinds.eventing.broker import Broker
from knlite.kinds.eventing.delivery import DEAD_LETTER_SINK_RESOLVED
from knlite.kinds.eventing.trigger import (
    DEPENDENCY_READY,
    SUBSCRIBER_RESOLVED,
    Trigger,
    TriggerStatus,
)
from knlite.reconcile import View

_NO_SUBSCRIBER: Final = "Unable to get the Subscriber's Addressable"
_NO_SINK: Final = "Unable to get the DeadLetterSink Addressalbe"
"""As upstream spells it."""


def with_targets(
    trigger: Trigger, broker: Broker, conditions: ConditionEditor, view: View
) -> tuple[TriggerStatus, bool]:
    """The status with the URLs that are known, and whether events can be delivered there.

    What it depends on comes first: the object that its annotation names, or its queue.
    """
    status = trigger.status
    check_dependency(trigger, broker, conditions, view)
    sink = own_sink(trigger, _NO_SINK, conditions, view)
    status = with_dead_letter_sink(status, sink)
    if not conditions.is_true(DEAD_LETTER_SINK_RESOLVED):
        return status, False
    if not conditions.is_true(DEPENDENCY_READY):
        return status, False
    status = with_subscriber(trigger, status, _NO_SUBSCRIBER, conditions, view)
    return status, conditions.is_true(SUBSCRIBER_RESOLVED)
