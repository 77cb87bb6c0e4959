"""What is to stand on a server for a reader, worked out from what is known of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from knlite.eventing.backing import stable_uid
from knlite.eventing.rabbitmq import bindings, names
from knlite.eventing.rabbitmq.backing import QueueType, RabbitmqBacking
from knlite.eventlog.port import Owner, Reader

PREFETCH = 100
"""Messages that the server hands out before the first is done, if nobody says how many: as
upstream, also where they are brought one after the other (Eventing data plane reference §7)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetters:
    """An exchange for dead letters, and the queue behind it."""

    exchange: str
    queue: str
    whose: str
    """Name of the Broker or Trigger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One queue that is read."""

    queue: str
    queue_type: QueueType
    predeclared: bool = False
    """It is somebody else's."""
    exchange: str = ""
    """To which it is bound; "": to none."""
    routing_key: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict)
    """Of the binding."""
    prefetch: int = 1
    dead_letters: DeadLetters | None = None
    """To be made with it."""


def dead_letters_of(owner: Owner, backing: RabbitmqBacking, reader: Reader) -> DeadLetters | None:
    """Where dead letters of *reader* go: into its own queue, the Broker's, or none."""
    if backing.is_source:
        return None
    if not reader.dead_letters:
        return broker_dead_letters(owner, backing)
    namespace, trigger = bindings.trigger_of(reader.name, backing.uid)
    durable = backing.uid == owner.uid
    uid = reader.uid if durable else stable_uid("Trigger", namespace, trigger)
    return DeadLetters(
        exchange=names.trigger_dead_letter_exchange(namespace, trigger, uid),
        queue=names.trigger_dead_letter_queue(namespace, trigger, uid),
        whose=trigger,
    )


def broker_dead_letters(owner: Owner, backing: RabbitmqBacking) -> DeadLetters | None:
    """The Broker's own."""
    if not backing.dead_letter_exchange:
        return None
    return DeadLetters(
        exchange=backing.dead_letter_exchange,
        queue=backing.dead_letter_queue,
        whose=owner.name,
    )


def plan_of(owner: Owner, backing: RabbitmqBacking, reader: Reader) -> Plan:
    """Of the queue of a Trigger, or of a source."""
    prefetch = reader.prefetch or PREFETCH
    if backing.is_source:
        return Plan(
            queue=backing.queue,
            queue_type=backing.queue_type,
            predeclared=backing.predeclared,
            exchange="" if backing.predeclared else backing.exchange,
            routing_key=bindings.ANY_KEY,
            arguments=bindings.source_binding(),
            prefetch=prefetch,
        )
    _, trigger = bindings.trigger_of(reader.name, backing.uid)
    return Plan(
        queue=reader.name,
        queue_type=backing.queue_type,
        exchange=backing.exchange,
        arguments=bindings.trigger_binding(trigger, reader.attributes),
        prefetch=prefetch,
        dead_letters=dead_letters_of(owner, backing, reader) if reader.dead_letters else None,
    )


def dead_letter_plan(backing: RabbitmqBacking, dead: DeadLetters, prefetch: int) -> Plan:
    """Of the queue of dead letters itself, which somebody else has made."""
    return Plan(
        queue=dead.queue,
        queue_type=backing.queue_type,
        exchange=dead.exchange,
        arguments=bindings.dead_letter_binding(dead.whose),
        prefetch=prefetch,
    )
