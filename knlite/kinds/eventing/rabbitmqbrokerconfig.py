"""RabbitmqBrokerConfig: the server and the kind of queues of Brokers of class RabbitMQBroker.

It has no status: what becomes of it is told of the Brokers that name it.

Source: knative-extensions/eventing-rabbitmq ``pkg/apis/eventing/v1alpha1/rabbitmq_*.go``,
``config/broker/300-rabbitmqbrokerconfig.yaml``; Eventing reference §17.
"""

from typing import Final

import msgspec

from knlite.kinds.config.bundle import Config
from knlite.kinds.eventing import rabbitmqcluster
from knlite.kinds.eventing.immutable import differences
from knlite.kinds.eventing.rabbitmqcluster import RabbitmqClusterReference
from knlite.kinds.fielderror import Errors, generic
from knlite.kinds.meta import Fields, Object
from knlite.kinds.objectname import name_errors

QUORUM: Final = "quorum"
CLASSIC: Final = "classic"
_IMMUTABLE: Final = "Immutable fields changed"
"""Without the signs that other kinds explain, as upstream."""


class RabbitmqBrokerConfigSpec(Fields):
    rabbitmq_cluster_reference: RabbitmqClusterReference | None = None
    queue_type: str = ""
    vhost: str = ""


class RabbitmqBrokerConfig(Object):
    """Where Brokers of class RabbitMQBroker keep their events."""

    spec: RabbitmqBrokerConfigSpec = RabbitmqBrokerConfigSpec()


def defaulted(
    obj: RabbitmqBrokerConfig, old: RabbitmqBrokerConfig | None, config: Config
) -> RabbitmqBrokerConfig:
    """*obj* with its own namespace for the reference, and a type of queues."""
    spec = obj.spec
    reference = rabbitmqcluster.defaulted(spec.rabbitmq_cluster_reference, obj.metadata.namespace)
    return msgspec.structs.replace(
        obj,
        spec=msgspec.structs.replace(
            spec, rabbitmq_cluster_reference=reference, queue_type=spec.queue_type or QUORUM
        ),
    )


def validated(
    obj: RabbitmqBrokerConfig, old: RabbitmqBrokerConfig | None, config: Config
) -> Errors:
    """What is wrong with *obj*, which has its defaults. Nothing may change."""
    names, spec = name_errors(obj), obj.spec
    if old is not None:
        difference = differences("{v1alpha1.RabbitmqBrokerConfigSpec}", old.spec, spec)
        if difference:
            return (*names, generic(_IMMUTABLE, "spec", details=difference))
    errors = (*names, *rabbitmqcluster.validated(spec.rabbitmq_cluster_reference))
    return (*errors, *queue_type_validated(spec.queue_type, "spec.queueType"))


def queue_type_validated(queue_type: str, path: str) -> Errors:
    """What is wrong with *queue_type*, in the words of the API server."""
    if queue_type in {QUORUM, CLASSIC}:
        return ()
    text = f'Unsupported value: "{queue_type}": supported values: "{QUORUM}", "{CLASSIC}"'
    return (generic(text, path),)
