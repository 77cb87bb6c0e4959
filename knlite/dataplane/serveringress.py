"""Takes events at the hosts of Kafka's and RabbitMQ's receivers, by their rules.

Source: Eventing data plane reference §1.1, §9; knative-extensions/eventing-kafka-broker
``data-plane/receiver``, knative-extensions/eventing-rabbitmq ``cmd/ingress``.
Differs: answers that refuse say why. A RabbitMQ Broker that does not exist is a 404, where nobody
would answer on a cluster; one that has lost its server answers 503, upstream's 500.
"""

from collections.abc import Sequence
from functools import partial

from knlite.dataplane.eventhosts import Answer, EventHosts, Handler
from knlite.dataplane.eventingress import EventIngress
from knlite.eventing.serverhosts import KAFKA_BROKERS, KAFKA_SINKS, RABBITMQ_ENDING
from knlite.eventing.topology import ResourceKey, ResourceKind

Headers = Sequence[tuple[str, str]]


def serve_server_hosts(hosts: EventHosts, ingress: EventIngress) -> None:
    """Have *ingress* answer at all of them."""
    hosts.serve(KAFKA_BROKERS, partial(_named_by_path, ingress, "Broker"))
    hosts.serve(KAFKA_SINKS, partial(_named_by_path, ingress, "KafkaSink"))
    hosts.serve_all(RABBITMQ_ENDING, partial(_broker_at, ingress))


async def _named_by_path(
    ingress: EventIngress,
    kind: ResourceKind,
    method: str,
    path: str,
    headers: Headers,
    body: bytes,
    client: str,
) -> Answer:
    namespace, _, name = path.partition("?")[0].removeprefix("/").removesuffix("/").partition("/")
    key = ResourceKey(kind, namespace, name)
    return await ingress.receive(key, method, headers, body, client)


def _broker_at(ingress: EventIngress, namespace: str, name: str) -> Handler:
    return partial(_to_broker, ingress, ingress.broker_at(namespace, name, RABBITMQ_ENDING))


async def _to_broker(
    ingress: EventIngress,
    key: ResourceKey,
    method: str,
    path: str,
    headers: Headers,
    body: bytes,
    client: str,
) -> Answer:
    if path.partition("?")[0].strip("/"):
        key = ResourceKey(key.kind, key.namespace, f"{key.name}{path}")
    return await ingress.receive(key, method, headers, body, client)
