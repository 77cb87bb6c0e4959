"""Brokers of class RabbitMQBroker: their server, their dead letters, their address.

ExchangeReady and DLXReady are what the engine has told last; they are touched here only where the
engine cannot know. The Secret that SecretReady is about is not made, what would
be in it is known; the ingress is a part of knlite and always there.

Differs: a Broker has its address as soon as it is known which server is meant. Upstream gives it
when the exchange is there, and without one a SinkBinding leaves its senders without K_SINK: their
events would be lost without a word, where the ingress says 503. A dead letter sink that does not
resolve makes DeadLetterSinkReady False; upstream's Broker is Ready all the same. Policies and
identities work as for all Brokers here.

Source: knative-extensions/eventing-rabbitmq ``pkg/reconciler/broker``; Eventing delivery reference
§16.
"""

from knlite.eventing.addressing import addressed
from knlite.eventing.backing import Problem
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
    namespace, name = broker.metadata.namespace, broker.metadata.name
    url = f"http://{rabbitmq_broker_host(namespace, name)}"
    status = addressed(broker, broker.status, url, conditions, view)
    conditions.true(INGRESS_READY)
    if not server_known(conditions):
        return status
    if not _dead_letters_kept(backing, conditions):
        return status
    sink = own_dead_letter_sink(broker.spec.delivery, namespace, _UNABLE, conditions, view)
    status = with_dead_letter_sink(status, sink)
    resolved = conditions.get(DEAD_LETTER_SINK_RESOLVED)
    if resolved is not None:
        conditions.copy(DEAD_LETTER_SINK_READY, resolved)
    return status


def _dead_letters_kept(backing: RabbitmqBacking, conditions: ConditionEditor) -> bool:
    """Whether there is a queue for them, or none is needed."""
    if not backing.dead_letter_exchange:
        conditions.true(DLX_READY, *_NOT_CONFIGURED)
    return conditions.is_true(DLX_READY)
