"""RabbitmqClusterReference: which RabbitMQ server, as a cluster by name or as a Secret.

Source: knative-extensions/eventing-rabbitmq ``pkg/utils/rabbitmq_validation.go``; Eventing
reference §17. Not here: what is in the Secret (``knlite/eventing/rabbitmq/connection.py``).
"""

import msgspec

from knlite.kinds.fielderror import Errors, generic, missing
from knlite.kinds.meta import Fields
from knlite.kinds.podspec.fields import LocalObjectReference


class RabbitmqClusterReference(Fields):
    """A RabbitmqCluster by its name, or the Secret that says how to connect."""

    name: str = ""
    namespace: str = ""
    connection_secret: LocalObjectReference | None = None


def defaulted(
    reference: RabbitmqClusterReference | None, namespace: str
) -> RabbitmqClusterReference | None:
    """*reference* in *namespace* unless it names another one."""
    if reference is None or reference.namespace:
        return reference
    return msgspec.structs.replace(reference, namespace=namespace)


def validated(reference: RabbitmqClusterReference | None) -> Errors:
    """What is wrong with ``spec.rabbitmqClusterReference``; paths are those of the object."""
    if reference is None:
        return (missing("spec.rabbitmqClusterReference"),)
    if not reference.name:
        if reference.connection_secret is None:
            return (missing("spec.rabbitmqClusterReference.name"),)
        return ()
    if reference.connection_secret is None:
        return ()
    text = (
        "rabbitmqClusterReference.name and rabbitmqClusterReference.connectionSecret must not be"
        " set simultaneously"
    )
    return (generic(text, "spec", "rabbitmqClusterReference", "connectionSecret"),)
