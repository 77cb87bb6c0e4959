"""The conditions of a Broker: its class chooses which there are.

A Broker of a class that is not known here has those of the class that Knative brings.

Source: Eventing reference §3, §17; knative/eventing ``pkg/apis/eventing/v1/broker_lifecycle.go``,
knative-extensions/eventing-rabbitmq ``pkg/reconciler/broker/broker.go``.
"""

from collections.abc import Mapping
from typing import Final

from knlite.kinds.conditions import ConditionSet
from knlite.kinds.eventing.appliedpolicy import EVENT_POLICIES_READY
from knlite.kinds.eventing.brokerclass import KAFKA_CLASS, KAFKA_NAMESPACED_CLASS, RABBITMQ_CLASS
from knlite.kinds.eventing.delivery import DEAD_LETTER_SINK_RESOLVED
from knlite.kinds.eventing.kafkaconditions import BROKER_CONDITIONS

INGRESS_READY: Final = "IngressReady"
TRIGGER_CHANNEL_READY: Final = "TriggerChannelReady"
FILTER_READY: Final = "FilterReady"
ADDRESSABLE: Final = "Addressable"

# Of the class RabbitMQBroker.
EXCHANGE_READY: Final = "ExchangeReady"
DLX_READY: Final = "DLXReady"
DEAD_LETTER_SINK_READY: Final = "DeadLetterSinkReady"
SECRET_READY: Final = "SecretReady"

CONDITIONS = ConditionSet(
    (
        INGRESS_READY,
        TRIGGER_CHANNEL_READY,
        FILTER_READY,
        ADDRESSABLE,
        DEAD_LETTER_SINK_RESOLVED,
        EVENT_POLICIES_READY,
    )
)

_BY_CLASS: Final[Mapping[str, ConditionSet]] = {
    KAFKA_CLASS: BROKER_CONDITIONS,
    KAFKA_NAMESPACED_CLASS: BROKER_CONDITIONS,
    RABBITMQ_CLASS: ConditionSet(
        (
            EXCHANGE_READY,
            DLX_READY,
            DEAD_LETTER_SINK_READY,
            SECRET_READY,
            INGRESS_READY,
            ADDRESSABLE,
        )
    ),
}


def conditions_of(broker_class: str) -> ConditionSet:
    """The conditions of Brokers of *broker_class*."""
    return _BY_CLASS.get(broker_class, CONDITIONS)
