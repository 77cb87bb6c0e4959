"""Brokers of class RabbitMQBroker: their server, their dead letters, their address.

ExchangeReady, and DLXReady when it is False, are what the engine has told last; they are touched
here only where the engine cannot know. The Secret that SecretReady is about is not made, what would
be in it is known; the ingress is a part of knlite and always there.

Differs: a dead letter sink that does not resolve makes DeadLetterSinkReady False. Upstream's Broker
is Ready all the same. Policies and identities work as for all Brokers here.

Source: knative-extensions/eventing-rabbitmq ``pkg/reconciler/broker``; Eventing delivery reference
§16.
"""

from knlite.eventing.backing import Problem
from knlite.eventing.brokers.address import addressed
from knlite.eventing.deadletters import own_dead_letter_sink, with_dead_letter_sink
from knlite.eventing.rabbitmq.backing import RabbitmqBacking
from knlite.eventing.rabbitmq.resources import rabbitmq_backing_of, rabbitmq_broker_host
from knlite.eventing.rabbitmq.standing import server_known, server_unknown
from knlite.kinds.conditions import ConditionEditor
from knlite.kinds.eventing.broker import Broker, BrokerStatus
from knlite.kinds.eventing.brokerconditions import (
    DEAD_LETTER_SINK_READY,
    DLX_READY,
    INGRESS_READY,
)
from knlite.kinds.eventing.delivery import DEAD_LETTER_SINK_RESOLVED
from knlite.reconcile import View

_UNABLE = "Unable to get the DeadLetterSink's Addressable"
_NOT_CONFIGURED = ("DeadLetterSinkNotConfigured", "No dead letter sink is configured.")


def reconciled(broker: Broker, conditions: ConditionEditor, view: View) -> BrokerStatus:
    """Step by step; the first failure leaves the later conditions as they were."""
    backing = rabbitmq_backing_of(broker, view)
    if isinstance(backing, Problem):
        server_unknown(backing, conditions)
        return broker.status
    if not server_known(conditions):
        return broker.status
    if not _dead_letters_kept(backing, conditions):
        return broker.status
    namespace, name = broker.metadata.namespace, broker.metadata.name
    sink = own_dead_letter_sink(broker.spec.delivery, namespace, _UNABLE, conditions, view)
    status = with_dead_letter_sink(broker.status, sink)
    resolved = conditions.get(DEAD_LETTER_SINK_RESOLVED)
    if resolved is not None:
        conditions.copy(DEAD_LETTER_SINK_READY, resolved)
    conditions.true(INGRESS_READY)
    url = f"http://{rabbitmq_broker_host(namespace, name)}"
    return addressed(broker, status, url, conditions, view)


def _dead_letters_kept(backing: RabbitmqBacking, conditions: ConditionEditor) -> bool:
    """Whether there is a queue for them, or none is needed."""
    if not backing.dead_letter_exchange:
        conditions.true(DLX_READY, *_NOT_CONFIGURED)
    elif not conditions.is_false(DLX_READY):
        # The exchange is told to be ready when all that goes with it is.
        conditions.true(DLX_READY)
    return conditions.is_true(DLX_READY)
