"""Which condition says how things stand on a server, for each kind, and what it says then.

The reconcilers of these kinds leave that condition alone; Ready follows from all of them.

Source: Eventing reference §17 (conditions of Kafka's and RabbitMQ's kinds), §4.
Not here: who is told of it (``controlplane/logstandings.py``).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec

from knlite.kinds.conditions import ConditionSet, Status
from knlite.kinds.eventing import trigger
from knlite.kinds.eventing.broker import Broker, class_of
from knlite.kinds.eventing.brokerclass import KAFKA_CLASSES, RABBITMQ_CLASS
from knlite.kinds.eventing.brokerconditions import DLX_READY, EXCHANGE_READY, conditions_of
from knlite.kinds.eventing.kafkaconditions import SINK_CONDITIONS, TOPIC_READY
from knlite.kinds.eventing.kafkasink import KafkaSink
from knlite.kinds.eventing.trigger import DEPENDENCY_READY, NotAReference, Trigger, dependency_of
from knlite.kinds.messaging import kafkachannel
from knlite.kinds.messaging.channelable import SubscriberStatus
from knlite.kinds.messaging.kafkachannel import KafkaChannel
from knlite.kinds.meta import Object
from knlite.kinds.sources import kafkasource, rabbitmqsource
from knlite.kinds.sources.kafkasource import KafkaSource
from knlite.kinds.sources.rabbitmqsource import RabbitmqSource

_TOLD = (Broker, KafkaSink, KafkaChannel, KafkaSource, RabbitmqSource, Trigger)

_READY: Mapping[bool | None, Status] = {True: "True", False: "False", None: "Unknown"}
BEING_SET_UP = "BeingSetUp"
_NOTHING_SAID = "consumer group status unknown"
DEAD_LETTERS = "dead letters"
"""``LogStanding.part`` of the queue of dead letters."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How something on a server is."""

    ready: bool | None
    """None: it is being set up."""
    reason: str = ""
    message: str = ""


def worst(standings: Iterable[Standing]) -> Standing:
    """What is to be said of an object that has several things on a server."""
    found = tuple(standings)
    for ready in (False, None):
        for each in found:
            if each.ready is ready:
                return each
    return found[0]


def condition_of(obj: Object, part: str) -> tuple[ConditionSet, str] | None:
    """The conditions of *obj*, and which of them tells the standing of *part*; None: none does."""
    match obj:
        case Broker() if class_of(obj) in KAFKA_CLASSES:
            return conditions_of(class_of(obj)), TOPIC_READY
        case Broker() if class_of(obj) == RABBITMQ_CLASS:
            delivery = obj.spec.delivery
            if part != DEAD_LETTERS:
                return conditions_of(RABBITMQ_CLASS), EXCHANGE_READY
            if delivery is not None and delivery.dead_letter_sink is not None:
                return conditions_of(RABBITMQ_CLASS), DLX_READY
            # That there is none is no matter of the server.
            return None
        case KafkaSink():
            return SINK_CONDITIONS, TOPIC_READY
        case KafkaChannel():
            return kafkachannel.CONDITIONS, TOPIC_READY
        case KafkaSource():
            return kafkasource.CONDITIONS, kafkasource.CONSUMER_GROUP
        case RabbitmqSource():
            return rabbitmqsource.CONDITIONS, rabbitmqsource.EXCHANGE_READY
        case Trigger() if not _has_dependency(obj):
            return trigger.CONDITIONS, DEPENDENCY_READY
        case _:
            return None


def with_readers(channel: KafkaChannel, told: Mapping[str, Standing]) -> KafkaChannel:
    """*channel* whose status says how the groups of subscribers stand, *told* by their uids.

    Its reconciler makes a condition of it. The same one if it says so already.
    """
    known = {each.uid: each for each in channel.status.subscribers}
    for each in channel.spec.subscribers:
        standing = told.get(each.uid)
        if standing is not None:
            words = f"{standing.reason} {standing.message}".strip() or _NOTHING_SAID
            known[each.uid] = SubscriberStatus(
                uid=each.uid,
                observed_generation=each.generation,
                ready=_READY[standing.ready],
                message="" if standing.ready else f"Subscriber {each.uid} not ready: {words}",
                auth=each.auth,
            )
    subscribers = tuple(known.values())
    if subscribers == channel.status.subscribers:
        return channel
    status = msgspec.structs.replace(channel.status, subscribers=subscribers)
    return msgspec.structs.replace(channel, status=status)


def with_standing(obj: Object, part: str, standing: Standing, now: datetime) -> Object:
    """*obj* whose condition for *part* says *standing*; the same one if it does already."""
    where = condition_of(obj, part)
    if where is None or not isinstance(obj, _TOLD):
        return obj
    conditions, name = where
    editor = conditions.edit(obj.status.conditions, now)
    match standing.ready:
        case True:
            # What is well says no more than that, but of a topic whose it is.
            editor.true(name, standing.reason if name == TOPIC_READY else "")
        case False:
            editor.false(name, standing.reason, standing.message)
        case None:
            # With a reason in any case: without one nobody has said anything yet.
            editor.unknown(name, standing.reason or BEING_SET_UP, standing.message)
    changed = editor.result()
    if changed == obj.status.conditions:
        return obj
    status = msgspec.structs.replace(obj.status, conditions=changed)
    return msgspec.structs.replace(obj, status=status)


def _has_dependency(obj: Trigger) -> bool:
    """Whether its reconciler has something else to say by the same condition."""
    try:
        return dependency_of(obj) is not None
    except NotAReference:
        return True
