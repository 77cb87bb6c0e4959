"""What exchanges and queues are called on the server.

*uid* is what names there hold of an object (``eventing/backing.py``). All but the queue of a
Trigger follow the rule for names of children, which cuts what is longer than 63 characters.

Source: knative-extensions/eventing-rabbitmq ``pkg/rabbitmqnaming/naming.go``; Eventing data plane
reference §9.4.
"""

from knlite.kinds.names import child_name


def broker_exchange(namespace: str, name: str, uid: str) -> str:
    """The exchange that takes in the events of a Broker."""
    return child_name(f"b.{namespace}.{name}.", uid)


def broker_dead_letter_exchange(namespace: str, name: str, uid: str) -> str:
    """Where Triggers of a Broker bury what fails, unless they have a dead letter sink."""
    return child_name(f"b.{namespace}.{name}.dlx.", uid)


def broker_dead_letter_queue(namespace: str, name: str, uid: str) -> str:
    """What its dead letter sink is served from."""
    return child_name(f"b.{namespace}.{name}.dlq.", uid)


def trigger_queue(namespace: str, name: str, broker_uid: str) -> str:
    """The events of a Trigger; the server takes up to 255 characters, so nothing is cut."""
    return f"{namespace}.{name}.{broker_uid}"


def trigger_dead_letter_exchange(namespace: str, name: str, uid: str) -> str:
    """Where a Trigger with a dead letter sink of its own buries what fails."""
    return child_name(f"t.{namespace}.{name}.dlx.", uid)


def trigger_dead_letter_queue(namespace: str, name: str, uid: str) -> str:
    """What its dead letter sink is served from."""
    return child_name(f"t.{namespace}.{name}.dlq.", uid)
