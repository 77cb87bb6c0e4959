"""kubectl against RabbitMQ's kinds, on a real server: what people write, and what they are told.

Source: Eventing reference §17; Eventing delivery reference §16.
"""

from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e import clients
from tests.e2e.clients import Client
from tests.e2e.executable import Knlite, wait_until
from tests.servers.rabbitmq import RabbitMQ

pytestmark = [pytest.mark.e2e, pytest.mark.beside]

CLASS = {"eventing.knative.dev/broker.class": "RabbitMQBroker"}
EVENTING = "eventing.knative.dev/v1alpha1"
VHOST = '{"spec": {"vhost": "other"}}'
RETRY = '{"spec": {"delivery": {"retry": 7}}}'
FILTER = '{"spec": {"filter": {"attributes": {"type": "b"}}}}'


@pytest.fixture(scope="module")
def kubectl(knlite: Knlite, tmp_path_factory: pytest.TempPathFactory) -> Client:
    return clients.client("kubectl", knlite, tmp_path_factory.mktemp("home"))


def apply(kubectl: Client, *objects: dict[str, Any]) -> None:
    clients.apply(kubectl, {"apiVersion": "v1", "kind": "List", "items": list(objects)})


def secret(name: str, **entries: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": entries}


def broker(name: str, kind: str, api_version: str, config: str) -> dict[str, Any]:
    return {
        "apiVersion": "eventing.knative.dev/v1",
        "kind": "Broker",
        "metadata": {"name": name, "annotations": CLASS},
        "spec": {"config": {"apiVersion": api_version, "kind": kind, "name": config}},
    }


def broker_config(name: str, reference: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": EVENTING,
        "kind": "RabbitmqBrokerConfig",
        "metadata": {"name": name},
        "spec": {"rabbitmqClusterReference": reference},
    }


def trigger(name: str, of: str, event_type: str) -> dict[str, Any]:
    return {
        "apiVersion": "eventing.knative.dev/v1",
        "kind": "Trigger",
        "metadata": {"name": name},
        "spec": {
            "broker": of,
            "filter": {"attributes": {"type": event_type}},
            "subscriber": {"uri": "http://127.0.0.1:9/"},
        },
    }


def login(rabbitmq: RabbitMQ) -> dict[str, str]:
    return {
        "port": str(rabbitmq.port),
        "username": rabbitmq.username,
        "password": rabbitmq.password,
    }


def ready(kubectl: Client, resource: str, name: str) -> Callable[[], str]:
    """Status, reason and message of Ready, as ``kubectl get`` finds them."""
    path = '{range .status.conditions[?(@.type=="Ready")]}{.status} {.reason}: {.message}{end}'
    return lambda: kubectl("get", resource, name, "-o", f"jsonpath={path}")


def test_a_cluster_that_is_named_needs_nothing_but_the_secret_of_its_operator(
    kubectl: Client, rabbitmq: RabbitMQ
) -> None:
    apply(
        kubectl,
        broker_config("of-cluster", {"name": "hello"}),
        broker("of-cluster", "RabbitmqBrokerConfig", EVENTING, "of-cluster"),
    )
    said = ready(kubectl, "broker", "of-cluster")
    wait_until(lambda: said().startswith("False"), "a Broker that is not ready")
    assert 'secrets "hello-default-user" not found in "default"' in said()
    apply(kubectl, secret("hello-default-user", host=rabbitmq.host, **login(rabbitmq)))
    wait_until(lambda: said().startswith("True"), "a Broker that is ready")
    heading, row = kubectl("get", "broker", "of-cluster").splitlines()
    assert heading.split() == ["NAME", "URL", "AGE", "READY", "REASON", "CLASS"]
    url = "http://of-cluster-broker-ingress.default.svc.cluster.local"
    assert row.split()[:2] + row.split()[3:] == ["of-cluster", url, "True", "RabbitMQBroker"]


def test_a_login_that_is_refused_is_said_in_the_servers_words_until_it_is_corrected(
    kubectl: Client, rabbitmq: RabbitMQ
) -> None:
    wrong = {**login(rabbitmq), "password": "not-the-password"}
    apply(
        kubectl,
        secret("of-secret", uri=rabbitmq.host, **wrong),
        broker("of-secret", "Secret", "v1", "of-secret"),
    )
    said = ready(kubectl, "broker", "of-secret")
    wait_until(lambda: "ACCESS_REFUSED" in said(), "the server's words")
    assert said().startswith("False ExchangeCredentialsUnavailable")
    assert "not-the-password" not in said()
    # What is said is said once, and not in turn with something else.
    seen = {kubectl.object("broker", "of-secret")["metadata"]["resourceVersion"] for _ in range(5)}
    assert len(seen) == 1
    apply(kubectl, secret("of-secret", uri=rabbitmq.host, **login(rabbitmq)))
    wait_until(lambda: said().startswith("True"), "a Broker that is ready")


def test_what_queues_are_made_of_cannot_be_changed(kubectl: Client, rabbitmq: RabbitMQ) -> None:
    apply(
        kubectl,
        secret("fixed", uri=rabbitmq.host, **login(rabbitmq)),
        broker_config("fixed", {"connectionSecret": {"name": "fixed"}}),
        broker("fixed", "RabbitmqBrokerConfig", EVENTING, "fixed"),
        trigger("fixed", "fixed", "a"),
    )
    refused = kubectl.refused("patch", "rmqbrokerconfig", "fixed", "--type=merge", "-p", VHOST)
    assert "validation failed: Immutable fields changed: spec" in refused
    refused = kubectl.refused("patch", "broker", "fixed", "--type=merge", "-p", RETRY)
    assert "validation failed: Immutable fields changed (-old +new): spec" in refused
    refused = kubectl.refused("patch", "trigger", "fixed", "--type=merge", "-p", FILTER)
    assert "validation failed: Immutable fields changed (-old +new): filter, spec" in refused


def test_a_source_is_found_by_its_short_name_and_says_what_it_sends(
    kubectl: Client, rabbitmq: RabbitMQ
) -> None:
    apply(
        kubectl,
        secret("orders", uri=f"http://{rabbitmq.host}:15672", **login(rabbitmq)),
        {
            "apiVersion": "sources.knative.dev/v1alpha1",
            "kind": "RabbitmqSource",
            "metadata": {"name": "orders"},
            "spec": {
                "rabbitmqClusterReference": {"connectionSecret": {"name": "orders"}},
                "rabbitmqResourcesConfig": {"queueName": "kubectl-orders", "exchangeName": "shop"},
                "sink": {"uri": "http://127.0.0.1:9/"},
            },
        },
    )
    said = ready(kubectl, "rmqsource", "orders")
    wait_until(lambda: said().startswith("True"), "a source that is ready")
    heading, _ = kubectl("get", "rmqsource", "orders").splitlines()
    assert heading.split() == ["NAME", "AGE"]
    found = kubectl.object("rabbitmqsource", "orders")
    assert found["spec"]["rabbitmqResourcesConfig"]["parallelism"] == 1
    assert found["status"]["ceAttributes"] == [
        {
            "type": "dev.knative.rabbitmq.event",
            "source": "/apis/v1/namespaces/default/rabbitmqsources/orders#kubectl-orders",
        }
    ]
