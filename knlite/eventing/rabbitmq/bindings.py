"""Bindings: which messages of an exchange go into which queue.

Source: Eventing data plane reference §9.4; knative-extensions/eventing-rabbitmq
``pkg/rabbit/binding.go``.
Differs: an attribute with an empty text, which upstream binds as it is, asks for any value here, as
with the other brokers; so it is no part of a binding, and the filter is asked as well.
``datacontenttype`` is looked for where messages have it, under ``content-type``.
Not here: what exchanges and queues are called (``names.py``).
"""

from collections.abc import Mapping

EXCHANGE_TYPE = "headers"
TRIGGER_ARGUMENT = "x-knative-trigger"
"""Arguments that begin with x- take no part in matching; this one says whose a binding is."""
DEAD_LETTER_ARGUMENT = "x-knative-dlq"
ANY_KEY = "#"
"""Binds a source's queue to all messages of an exchange, whatever its type, but ``direct``."""

_EVERYTHING = {"x-match": "all"}


def trigger_of(queue: str, broker_uid: str) -> tuple[str, str]:
    """Namespace and name of the Trigger whose *queue* it is."""
    namespace, _, trigger = queue.removesuffix(f".{broker_uid}").partition(".")
    return namespace, trigger


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
