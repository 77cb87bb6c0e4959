"""Brokers of class RabbitMQBroker and RabbitmqSources as what they are on a server.

``spec.config`` of a Broker is a RabbitmqBrokerConfig or a RabbitmqCluster, as upstream.

Differs: it may also be the connection Secret itself, or a ConfigMap with the same keys and
``vhost``, ``queueType`` and ``auth.secret.ref.name``.

Source: knative-extensions/eventing-rabbitmq ``pkg/brokerconfig/service.go``,
``pkg/reconciler/source``; Eventing reference §17, Eventing data plane reference §9.4.
Not here: where a server is (``connection.py``).
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from knlite.eventing.backing import Problem, server_uid
from knlite.eventing.channels import CLUSTER_DOMAIN
from knlite.eventing.configmaps import entries_of
from knlite.eventing.egresses import of_trigger_on_server
from knlite.eventing.rabbitmq import names
from knlite.eventing.rabbitmq.backing import QueueType, RabbitmqBacking, RabbitmqServer
from knlite.eventing.rabbitmq.connection import (
    Unusable,
    of_cluster,
    of_entries,
    of_reference,
    texts,
    with_auth_secret,
)
from knlite.eventing.rabbitmq.delivery import rabbitmq_policy_of, rabbitmq_source_policy_of
from knlite.eventing.references import not_found
from knlite.eventing.serverhosts import RABBITMQ_ENDING
from knlite.eventing.topology import Egress, Resource, placed
from knlite.kinds.conditions import is_true
from knlite.kinds.core.secret import Secret
from knlite.kinds.eventing.broker import Broker
from knlite.kinds.eventing.rabbitmqbroker import CONFIGS_SUPPORTED
from knlite.kinds.eventing.rabbitmqbrokerconfig import (
    CLASSIC,
    QUORUM,
    RabbitmqBrokerConfig,
)
from knlite.kinds.eventing.trigger import Trigger
from knlite.kinds.kreference import KReference
from knlite.kinds.names import child_name
from knlite.kinds.sources.rabbitmqsource import (
    DEFAULT_PARALLELISM,
    RabbitmqSource,
    event_source,
)
from knlite.kinds.sources.source import SINK_PROVIDED
from knlite.reconcile import View

CREDENTIALS_UNAVAILABLE: Final = "ExchangeCredentialsUnavailable"
SECRET_FAILURE: Final = "SecretFailure"
NO_EXCHANGE: Final = "Failed to get arguments for creating exchange: "
NO_SECRET: Final = "Failed to reconcile secret: "


class _Place(NamedTuple):
    server: RabbitmqServer
    queue_type: QueueType


def rabbitmq_broker_host(namespace: str, name: str) -> str:
    """Where the Broker *name* takes events in; each of this class has a host of its own."""
    return f"{child_name(name, RABBITMQ_ENDING)}.{namespace}.{CLUSTER_DOMAIN}"


def rabbitmq_backing_of(broker: Broker, view: View) -> RabbitmqBacking | Problem:
    """Where *broker*, which is of class RabbitMQBroker, keeps its events."""
    namespace, name = broker.metadata.namespace, broker.metadata.name
    try:
        place = _place(broker.spec.config, namespace, view)
    except Unusable as exc:
        return Problem(CREDENTIALS_UNAVAILABLE, f"{NO_EXCHANGE}{exc}")
    uid = server_uid(broker, view)
    delivery = broker.spec.delivery
    buries = delivery is not None and delivery.dead_letter_sink is not None
    return RabbitmqBacking(
        server=place.server,
        exchange=names.broker_exchange(namespace, name, uid),
        queue_type=place.queue_type,
        dead_letter_exchange=(
            names.broker_dead_letter_exchange(namespace, name, uid) if buries else ""
        ),
        dead_letter_queue=names.broker_dead_letter_queue(namespace, name, uid) if buries else "",
        uid=uid,
    )


def of_rabbitmq_trigger(trigger: Trigger, broker: Broker, view: View) -> Egress:
    """*trigger* of *broker*: a queue."""
    meta = trigger.metadata
    uid = server_uid(broker, view)
    queue = names.trigger_queue(meta.namespace, meta.name, uid)
    return of_trigger_on_server(trigger, broker, queue, rabbitmq_policy_of)


def rabbitmq_source_backing_of(source: RabbitmqSource, view: View) -> RabbitmqBacking | Problem:
    """The queue that *source* reads."""
    namespace, name = source.metadata.namespace, source.metadata.name
    reference = source.spec.rabbitmq_cluster_reference
    resources = source.spec.rabbitmq_resources_config
    if reference is None or resources is None:
        # Admission has seen to that.
        return Problem(SECRET_FAILURE, f"{NO_SECRET}it is not said which server, or which queue")
    try:
        server = of_reference(reference, resources.vhost, namespace, view)
    except Unusable as exc:
        return Problem(SECRET_FAILURE, f"{NO_SECRET}{exc}")
    return RabbitmqBacking(
        server=server,
        exchange=resources.exchange_name,
        queue=resources.queue_name,
        predeclared=resources.predeclared,
        foreign=event_source(namespace, name, resources.queue_name),
        uid=server_uid(source, view),
    )


def rabbitmq_resources(view: View) -> Iterable[Resource]:
    """RabbitmqSources, each with its sink as the only egress."""
    return (_of_source(each, view) for each in view.listed(RabbitmqSource, ""))


def _of_source(source: RabbitmqSource, view: View) -> Resource:
    meta, status = source.metadata, source.status
    resources = source.spec.rabbitmq_resources_config
    provided = is_true(status.conditions, SINK_PROVIDED)
    workers = (resources.parallelism if resources is not None else None) or DEFAULT_PARALLELISM
    egress = Egress(
        kind="RabbitmqSource",
        namespace=meta.namespace,
        name=meta.name,
        uid=meta.uid,
        reader=resources.queue_name if resources is not None else "",
        subscriber=(status.sink_uri or None) if provided else None,
        policy=rabbitmq_source_policy_of(source.spec.delivery),
        parallelism=workers,
        prefetch=workers,
        subscriber_ca_certs=status.sink_ca_certs or "",
    )
    resource = Resource(
        kind="RabbitmqSource",
        namespace=meta.namespace,
        name=meta.name,
        uid=meta.uid,
        engine="rabbitmq",
        egresses=(egress,),
    )
    return placed(resource, rabbitmq_source_backing_of(source, view))


def _place(config: KReference | None, namespace: str, view: View) -> _Place:
    """The server that *config* of a Broker in *namespace* names; raises ``Unusable``."""
    if config is None:
        raise Unusable("Broker.Spec.Config is required")
    within, name = config.namespace or namespace, config.name
    match config.kind:
        case "RabbitmqBrokerConfig":
            return _of_broker_config(within, name, namespace, view)
        case "RabbitmqCluster":
            # A cluster says nothing of queues; upstream takes classic ones, as it always has.
            return _Place(of_cluster(within, name, "", view), "classic")
        case "Secret":
            secret = view.get(Secret, within, name)
            if secret is None:
                raise Unusable(f'{not_found("", "Secret", name)} in "{within}"')
            return _of_entries(texts(secret), f'Secret "{within}/{name}"', namespace, view)
        case "ConfigMap":
            entries = entries_of(view, within, name)
            if entries is None:
                raise Unusable(f'{not_found("", "ConfigMap", name)} in "{within}"')
            # A block of text in YAML ends with a line break.
            trimmed = {key: value.rstrip("\r\n") for key, value in entries.items()}
            found = with_auth_secret(trimmed, within, view)
            return _of_entries(found, f'ConfigMap "{within}/{name}"', namespace, view)
        case _:
            text = f"Broker.Spec.Config configuration not supported, only {CONFIGS_SUPPORTED}"
            raise Unusable(text)


def _of_broker_config(within: str, name: str, namespace: str, view: View) -> _Place:
    config = view.get(RabbitmqBrokerConfig, within, name)
    if config is None:
        text = not_found("eventing.knative.dev", "RabbitmqBrokerConfig", name)
        raise Unusable(f'{text} in "{within}"')
    spec = config.spec
    if spec.rabbitmq_cluster_reference is None:
        raise Unusable(f"rabbitmqBrokerConfig {within}/{name} spec is empty")
    server = of_reference(spec.rabbitmq_cluster_reference, spec.vhost, namespace, view)
    return _Place(server, _queue_type(spec.queue_type, f'RabbitmqBrokerConfig "{within}/{name}"'))


def _of_entries(entries: Mapping[str, str], where: str, namespace: str, view: View) -> _Place:
    server = of_entries(entries, entries.get("vhost", ""), where, namespace, view)
    return _Place(server, _queue_type(entries.get("queueType", ""), where))


def _queue_type(text: str, where: str) -> QueueType:
    match text:
        case "" | "quorum":
            return "quorum"
        case "classic":
            return "classic"
        case _:
            raise Unusable(f"queueType in {where} must be {QUORUM} or {CLASSIC}")
