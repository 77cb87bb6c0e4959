"""RabbitmqSource: sends on what stands in a queue of a RabbitMQ server.

Source: knative-extensions/eventing-rabbitmq ``pkg/apis/sources/v1alpha1/rabbitmq_*.go``,
``config/source/300-rabbitmqsource.yaml``; Eventing reference §17.
Not here: what becomes of it (``eventing/reconcilers/rabbitmqsource.py``), and of a message
(``eventing/rabbitmq/codec.py``).
"""

from typing import Final

import msgspec

from knlite.kinds.conditions import ConditionSet
from knlite.kinds.config.bundle import Config
from knlite.kinds.eventing import delivery, rabbitmqcluster, rabbitmqpods
from knlite.kinds.eventing.delivery import DeliverySpec
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.eventing.immutable import IMMUTABLE_CHANGED, differences
from knlite.kinds.eventing.rabbitmqcluster import RabbitmqClusterReference
from knlite.kinds.fielderror import Errors, FieldError, generic, missing, out_of_bounds, under
from knlite.kinds.meta import Fields, Int32, Object
from knlite.kinds.objectname import name_errors
from knlite.kinds.sources.source import DEPLOYED, SINK_PROVIDED, SourceStatus

EXCHANGE_READY: Final = "ExchangeReady"
SECRET_READY: Final = "SecretReady"

CONDITIONS = ConditionSet((SINK_PROVIDED, DEPLOYED, EXCHANGE_READY, SECRET_READY))

EVENT_TYPE: Final = "dev.knative.rabbitmq.event"
"""Of messages that are no CloudEvents."""
DEFAULT_PARALLELISM: Final = 1
MAX_PARALLELISM: Final = 1000


class RabbitmqResourcesConfig(Fields):
    """What is read on the server, and how."""

    queue_name: str = ""
    exchange_name: str = ""
    vhost: str = ""
    parallelism: Int32 | None = None
    predeclared: bool = False


class RabbitmqDeliverySpec(Fields):
    """Retries of a RabbitmqSource; it has no dead letter sink, as upstream."""

    retry: Int32 | None = None
    backoff_policy: str | None = None
    backoff_delay: str | None = None


class RabbitmqSourceSpec(Fields):
    rabbitmq_cluster_reference: RabbitmqClusterReference | None = None
    rabbitmq_resources_config: RabbitmqResourcesConfig | None = None
    delivery: RabbitmqDeliverySpec | None = None
    sink: Destination | None = None
    service_account_name: str = ""
    adapter_container_name: str = ""


class RabbitmqSource(Object):
    """Sends the messages of a queue as events."""

    spec: RabbitmqSourceSpec = RabbitmqSourceSpec()
    status: SourceStatus = SourceStatus()


def event_source(namespace: str, name: str, queue: str) -> str:
    """The ``source`` of the events of a RabbitmqSource that came without one."""
    return f"/apis/v1/namespaces/{namespace}/rabbitmqsources/{name}#{queue}"


def defaulted(obj: RabbitmqSource, old: RabbitmqSource | None, config: Config) -> RabbitmqSource:
    """*obj* with its own namespace for the reference, and a parallelism."""
    spec = obj.spec
    reference = rabbitmqcluster.defaulted(spec.rabbitmq_cluster_reference, obj.metadata.namespace)
    resources = spec.rabbitmq_resources_config
    if resources is not None and resources.parallelism is None:
        resources = msgspec.structs.replace(resources, parallelism=DEFAULT_PARALLELISM)
    spec = msgspec.structs.replace(
        spec, rabbitmq_cluster_reference=reference, rabbitmq_resources_config=resources
    )
    return msgspec.structs.replace(obj, spec=spec)


def validated(obj: RabbitmqSource, old: RabbitmqSource | None, config: Config) -> Errors:
    """What is wrong with *obj*, which has its defaults. Nothing in its spec may change.

    Differs: a retry policy that is none is refused; upstream's adapter takes it for another one. So
    is a queue without a name, which its adapter would not start with.
    """
    errors: list[FieldError] = list(name_errors(obj))
    spec = obj.spec
    if old is not None:
        difference = differences("{v1alpha1.RabbitmqSourceSpec}", old.spec, spec)
        if difference:
            errors.append(generic(IMMUTABLE_CHANGED, "spec", details=difference))
    errors.extend(rabbitmqpods.validated(obj.metadata.annotations))
    errors.extend(_resources_validated(spec))
    if spec.sink is None:
        errors.append(generic("Required value", "spec.sink"))
    if spec.delivery is not None:
        wanted = delivery_of(spec.delivery)
        enabled = config.eventing.enabled
        errors.extend(under("spec.delivery", delivery.validated(wanted, enabled)))
    return tuple(errors)


def delivery_of(spec: RabbitmqDeliverySpec) -> DeliverySpec:
    """*spec* as deliveries of other kinds say it."""
    return DeliverySpec(
        retry=spec.retry, backoff_policy=spec.backoff_policy, backoff_delay=spec.backoff_delay
    )


def _resources_validated(spec: RabbitmqSourceSpec) -> Errors:
    """The first that is wrong, as upstream, with upstream's paths."""
    resources = spec.rabbitmq_resources_config
    if resources is None:
        return (missing("spec.rabbitmqResourcesConfig"),)
    if not resources.predeclared and not resources.exchange_name:
        text = "Name of exchange must be provided when spec.predeclared is false"
        return (generic(text, "spec", "rabbitmqResourcesConfig", "name"),)
    if errors := rabbitmqcluster.validated(spec.rabbitmq_cluster_reference):
        return errors
    number = resources.parallelism
    if number is not None and not 1 <= number <= MAX_PARALLELISM:
        path = "rabbitmqResourcesConfig.Parallelism"
        return (out_of_bounds(number, 1, MAX_PARALLELISM, path),)
    if not resources.queue_name:
        return (missing("spec.rabbitmqResourcesConfig.queueName"),)
    return ()
