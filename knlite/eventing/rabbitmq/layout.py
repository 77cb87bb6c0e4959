"""What exchanges, queues and bindings are called, and which messages a binding takes.

Source: Eventing data plane reference §9.4; knative-extensions/eventing-rabbitmq
``pkg/rabbitmqnaming``, ``pkg/rabbit/binding.go``.
Differs: an attribute with an empty text, which upstream binds as it is, asks for any value here, as
with the other brokers; so it is no part of a binding, and the filter is asked as well.
``datacontenttype`` is looked for where messages have it, under ``content-type``.
"""

from collections.abc import Mapping

from knlite.kinds.names import child_name

EXCHANGE_TYPE = "headers"
TRIGGER_ARGUMENT = "x-knative-trigger"
"""Arguments that begin with x- take no part in matching; this one says whose a binding is."""
DEAD_LETTER_ARGUMENT = "x-knative-dlq"
ANY_KEY = "#"
"""Binds a source's queue to all messages of an exchange, whatever its type, but ``direct``."""

_EVERYTHING = {"x-match": "all"}


def broker_exchange(namespace: str, broker: str, uid: str) -> str:
    """To which a Broker's events are published."""
    return child_name(f"b.{namespace}.{broker}.", uid)


def broker_dead_letter_exchange(namespace: str, broker: str, uid: str) -> str:
    """Of a Broker that has a dead letter sink."""
    return child_name(f"b.{namespace}.{broker}.dlx.", uid)


def broker_dead_letter_queue(namespace: str, broker: str, uid: str) -> str:
    """Where dead letters of a Broker wait for its dead letter sink."""
    return child_name(f"b.{namespace}.{broker}.dlq.", uid)


def trigger_queue(namespace: str, trigger: str, broker_uid: str) -> str:
    """Where events wait for a Trigger; may be longer than other names."""
    return f"{namespace}.{trigger}.{broker_uid}"


def trigger_of(queue: str, broker_uid: str) -> tuple[str, str]:
    """Namespace and name of the Trigger whose *queue* it is."""
    namespace, _, trigger = queue.removesuffix(f".{broker_uid}").partition(".")
    return namespace, trigger


def trigger_dead_letter_exchange(namespace: str, trigger: str, uid: str) -> str:
    """Of a Trigger that has a dead letter sink of its own."""
    return child_name(f"t.{namespace}.{trigger}.dlx.", uid)


def trigger_dead_letter_queue(namespace: str, trigger: str, uid: str) -> str:
    """Where dead letters of a Trigger wait for its own dead letter sink."""
    return child_name(f"t.{namespace}.{trigger}.dlq.", uid)


def source_name(namespace: str, source: str, uid: str) -> str:
    """The queue of a RabbitmqSource that names none."""
    return child_name(f"s.{namespace}.{source}.", uid)


def trigger_binding(trigger: str, attributes: Mapping[str, str]) -> dict[str, str]:
    """Arguments of the binding that takes events with *attributes*."""
    wanted = {_header_of(name): value for name, value in attributes.items() if value}
    return {**wanted, **_EVERYTHING, TRIGGER_ARGUMENT: trigger}


def dead_letter_binding(name: str) -> dict[str, str]:
    """Arguments of the binding of a queue of dead letters; *name* is its Broker's or Trigger's."""
    return {**_EVERYTHING, DEAD_LETTER_ARGUMENT: name}


def source_binding() -> dict[str, str]:
    """Arguments of the binding of a source's queue, which takes everything."""
    return dict(_EVERYTHING)


def _header_of(attribute: str) -> str:
    return "content-type" if attribute == "datacontenttype" else attribute
