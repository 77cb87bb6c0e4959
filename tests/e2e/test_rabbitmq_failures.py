"""What goes wrong with a RabbitMQ: each failure has a condition with its words and a way out.

Source: Eventing reference §17; Eventing delivery reference §16.3 (conditions); upstream's tests of
a connection secret and of a vhost.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e import leaks
from tests.e2e.eventspace import Space, event, to
from tests.e2e.executable import Knlite, running, wait_until
from tests.e2e.foreign import Rabbit as Client
from tests.e2e.foreign import rabbit_at
from tests.e2e.recorder import Sink
from tests.servers.rabbitmq import RabbitMQ, rights

pytestmark = [pytest.mark.e2e, pytest.mark.beside]

CLASS = {"eventing.knative.dev/broker.class": "RabbitMQBroker"}
WRONG = "wrong-hunter2"
"""A password that no server takes and nobody may see."""


def settings(**keys: object) -> list[str]:
    return [
        word
        for key, value in keys.items()
        for word in ("--set", f"rabbitmq-broker-config.{key}={value}")
    ]


@pytest.fixture(scope="module")
def knlite(rabbitmq: RabbitMQ) -> Iterator[Knlite]:
    """A run that knows where RabbitMQ is."""
    login = settings(
        port=rabbitmq.port,
        username=rabbitmq.username,
        password=rabbitmq.password,
        vhost=rabbitmq.vhost,
    )
    with running(*login) as run:
        yield run


@pytest.fixture(scope="module")
def client(rabbitmq: RabbitMQ) -> Iterator[Client]:
    """Somebody else."""
    vhost = "" if rabbitmq.vhost == "/" else rabbitmq.vhost
    login = f"{rabbitmq.username}:{rabbitmq.password}"
    with rabbit_at(f"amqp://{login}@{rabbitmq.host}:{rabbitmq.port}/{vhost}") as found:
        yield found


def keys(rabbitmq: RabbitMQ, **more: str) -> dict[str, str]:
    """What a Secret says of a connection."""
    return {
        "uri": rabbitmq.host,
        "port": str(rabbitmq.port),
        "username": rabbitmq.username,
        "password": rabbitmq.password,
        **more,
    }


def secret(space: Space, rabbitmq: RabbitMQ, **more: str) -> dict[str, Any]:
    """The reference to a Secret of the test's own."""
    name = space.make("Secret", space.name("Secret"), stringData=keys(rabbitmq, **more))
    return {"apiVersion": "v1", "kind": "Secret", "name": name, "namespace": space.namespace}


def config(space: Space, reference: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """The reference to a RabbitmqBrokerConfig of the test's own."""
    cluster = {"connectionSecret": {"name": reference["name"]}}
    name = space.make(
        "RabbitmqBrokerConfig",
        space.name("RabbitmqBrokerConfig"),
        {"rabbitmqClusterReference": cluster, **spec},
    )
    kind = {"apiVersion": "eventing.knative.dev/v1alpha1", "kind": "RabbitmqBrokerConfig"}
    return {**kind, "name": name, "namespace": space.namespace}


def broker(space: Space, **spec: Any) -> str:
    return space.make("Broker", "broker", spec or None, annotations=CLASS)


def not_ready(space: Space, *words: str) -> dict[str, Any]:
    """Ready of the Broker once it is False and says *words*."""

    def found() -> bool:
        at = space.ready("Broker", "broker")
        said = f"{at.get('reason')} {at.get('message')}".lower()
        return at.get("status") == "False" and all(word.lower() in said for word in words)

    try:
        wait_until(found, f"Ready with {words}")
    except pytest.fail.Exception:
        pytest.fail(f"Ready is {space.ready('Broker', 'broker')}, not with {words}")
    return space.ready("Broker", "broker")


def source(space: Space, reference: dict[str, Any], sink: Sink | str, **resources: Any) -> str:
    spec = {
        "rabbitmqClusterReference": {"connectionSecret": {"name": reference["name"]}},
        "rabbitmqResourcesConfig": {"parallelism": 1, **resources},
        "sink": to(sink),
    }
    return space.make("RabbitmqSource", "source", spec)


def test_a_rabbitmq_that_is_lost_in_the_middle(
    space: Space, other_space: Space, rabbitmq: RabbitMQ
) -> None:
    """One Broker loses it, another is made while it is away; both go on when it is back."""
    broker(space)
    space.until_ready("Broker", "broker")
    sink, late = space.sink(), other_space.sink()
    space.trigger("broker", sink)
    url = space.address("Broker", "broker")
    sent = [space.send("Broker", "broker", event()).id for _ in range(10)]
    rabbitmq.stop()
    try:
        answer = space.post_event(url, event())
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) >= 1
        assert answer.text
        broker(other_space)
        other_space.make("Trigger", "early", {"broker": "broker", "subscriber": to(late)})
        for each in (space, other_space):
            not_ready(each, f"{rabbitmq.host}:{rabbitmq.port}")
        assert other_space.until_ready("Trigger", "early", "False")["message"]
        said = space.knlite.shown("get", "brokers", "-n", other_space.namespace)
        assert "ExchangeFailure" in said
    finally:
        rabbitmq.start()
    for each in (space, other_space):
        each.until_ready("Broker", "broker")
    other_space.until_ready("Trigger", "early")
    sent += [space.send("Broker", "broker", event()).id for _ in range(10)]
    wait_until(lambda: set(sent) <= set(sink.ids), "all that was answered 202")
    space.quiet()
    assert len(sink.ids) - len(set(sink.ids)) == 0, "nothing twice"
    first = other_space.send("Broker", "broker", event())
    assert late.until(1)[0].event.id == first.id


def test_a_login_that_is_refused_and_corrected(space: Space, rabbitmq: RabbitMQ) -> None:
    reference = secret(space, rabbitmq, password=WRONG)
    broker(space, config=config(space, reference))
    condition = not_ready(space, "ACCESS_REFUSED", "Login was refused")
    assert rabbitmq.username in condition["message"], "it says whose password"
    leaks.kept(space.knlite, WRONG)
    right = {"stringData": {"password": rabbitmq.password}}
    assert space.patch("Secret", reference["name"], right).is_success
    space.until_ready("Broker", "broker")
    sink = space.sink()
    space.trigger("broker", sink)
    sent = space.send("Broker", "broker", event())
    assert sink.until(1)[0].event.id == sent.id


def test_a_vhost_that_is_not_there_yet(space: Space, rabbitmq: RabbitMQ) -> None:
    vhost = f"vhost-{space.namespace}"
    broker(space, config=config(space, secret(space, rabbitmq), vhost=vhost))
    not_ready(space, vhost, "not found")
    rabbitmq.define(vhosts=[{"name": vhost}], permissions=[rights(rabbitmq.username, vhost)])
    space.until_ready("Broker", "broker")
    sink = space.sink()
    space.trigger("broker", sink)
    sent = space.send("Broker", "broker", event())
    assert sink.until(1)[0].event.id == sent.id
    assert f"b.{space.namespace}.broker." in rabbitmq.control("list_exchanges", "-p", vhost)


def test_who_may_not_make_exchanges(space: Space, rabbitmq: RabbitMQ) -> None:
    user = f"user-{space.namespace}"
    login = {"name": user, "password": "hunter3-secret", "tags": ""}
    rabbitmq.define(users=[login], permissions=[rights(user, rabbitmq.vhost, "^$", "^$")])
    broker(space, config=secret(space, rabbitmq, username=user, password="hunter3-secret"))
    not_ready(space, "ACCESS_REFUSED", f"b.{space.namespace}.broker.", user)
    leaks.kept(space.knlite, "hunter3-secret")
    rabbitmq.define(permissions=[rights(user, rabbitmq.vhost)])
    space.until_ready("Broker", "broker")


def test_a_secret_that_comes_later(space: Space, rabbitmq: RabbitMQ) -> None:
    broker(space, config=config(space, {"name": "later"}))
    not_ready(space, "later", "not found")
    space.make("Secret", "later", stringData=keys(rabbitmq))
    space.until_ready("Broker", "broker")


def test_a_config_that_comes_later(space: Space, rabbitmq: RabbitMQ) -> None:
    kind = {"apiVersion": "eventing.knative.dev/v1alpha1", "kind": "RabbitmqBrokerConfig"}
    broker(space, config={**kind, "name": "later", "namespace": space.namespace})
    not_ready(space, "later", "not found")
    cluster = {"connectionSecret": {"name": secret(space, rabbitmq)["name"]}}
    space.make("RabbitmqBrokerConfig", "later", {"rabbitmqClusterReference": cluster})
    space.until_ready("Broker", "broker")


def test_a_secret_without_an_address(space: Space) -> None:
    space.make("Secret", "empty", stringData={"username": "guest", "password": "guest"})
    broker(space, config=config(space, {"name": "empty"}))
    not_ready(space, "empty", "uri")


def test_the_secret_of_a_cluster_that_an_operator_would_have_made(
    space: Space, rabbitmq: RabbitMQ
) -> None:
    data = keys(rabbitmq)
    named = {"host": data["uri"], **{key: data[key] for key in ("port", "username", "password")}}
    cluster = {"name": "rabbit", "namespace": space.namespace}
    space.make("RabbitmqBrokerConfig", "config", {"rabbitmqClusterReference": cluster})
    kind = {"apiVersion": "eventing.knative.dev/v1alpha1", "kind": "RabbitmqBrokerConfig"}
    broker(space, config={**kind, "name": "config", "namespace": space.namespace})
    not_ready(space, "rabbit-default-user")
    space.make("Secret", "rabbit-default-user", stringData=named)
    space.until_ready("Broker", "broker")


@pytest.mark.parametrize(
    "change",
    [
        {"port": "99999"},
        {"port": "x"},
        {"uri": "a b"},
        {"uri": "amqp://user:hunter4@127.0.0.1:1"},
        {"uri": "\x00"},
        {"uri": ""},
        {"username": "", "password": ""},
        {"password": "\x00" * 300},
    ],
)
def test_a_connection_that_is_none(
    space: Space, rabbitmq: RabbitMQ, change: dict[str, str]
) -> None:
    broker(space, config=config(space, secret(space, rabbitmq, **change)))
    wait_until(
        lambda: space.ready("Broker", "broker").get("status") in ("True", "False"),
        "it to be one or the other",
    )
    ready = space.ready("Broker", "broker")
    assert ready["status"] == "True" or ready["message"]
    assert "Traceback" not in space.knlite.stderr
    leaks.kept(space.knlite, "hunter4")


def test_tls(space: Space, rabbitmq: RabbitMQ) -> None:
    """Not trusted at first, and then by the certificate of who has signed it."""
    port = str(rabbitmq.tls.port)
    reference = secret(space, rabbitmq, uri=f"amqps://{rabbitmq.host}", port=port)
    broker(space, config=config(space, reference))
    condition = not_ready(space, port, "certificate")
    assert "ca.crt" in condition["message"], "it says what is missing"
    space.make("Secret", "authority", stringData={"ca.crt": rabbitmq.tls.files.ca})
    trusted = {"stringData": {"caSecretName": "authority"}}
    assert space.patch("Secret", reference["name"], trusted).is_success
    space.until_ready("Broker", "broker")
    sink = space.sink()
    space.trigger("broker", sink)
    sent = space.send("Broker", "broker", event())
    assert sink.until(1)[0].event.id == sent.id


def test_tls_where_the_server_has_none(space: Space, rabbitmq: RabbitMQ) -> None:
    uri = f"https://{rabbitmq.host}"
    broker(space, config=config(space, secret(space, rabbitmq, uri=uri)))
    not_ready(space, str(rabbitmq.port))


def test_a_queue_of_the_same_name_that_is_another(
    space: Space, rabbitmq: RabbitMQ, client: Client
) -> None:
    """The server keeps what it has, and says so; deleting it is all that helps."""
    reference = secret(space, rabbitmq)
    queue, exchange = f"{space.namespace}-queue", f"{space.namespace}-exchange"
    client.declare(queue)
    source(space, reference, "http://s.test", queueName=queue, exchangeName=exchange)
    condition = space.until_condition("RabbitmqSource", "source", "ExchangeReady")
    assert "PRECONDITION_FAILED" in condition["message"]
    assert queue in condition["message"]
    client.delete_queue(queue)
    space.until_ready("RabbitmqSource", "source")


def test_a_queue_that_is_not_there_yet(space: Space, rabbitmq: RabbitMQ, client: Client) -> None:
    queue, sink = f"{space.namespace}-later", space.sink()
    source(space, secret(space, rabbitmq), sink, queueName=queue, predeclared=True)
    condition = space.until_condition("RabbitmqSource", "source", "ExchangeReady")
    assert "NOT_FOUND" in condition["message"]
    assert queue in condition["message"]
    client.declare(queue)
    space.until_ready("RabbitmqSource", "source")
    client.publish("", b"hello", routing_key=queue)
    assert sink.until(1)[0].event.data == b"hello"


@pytest.mark.parametrize(
    "name", ["amq.reserved", "x" * 256, "größer \u2603", "a\r\nb", "\x00", "/"]
)
def test_names_of_every_kind(space: Space, rabbitmq: RabbitMQ, name: str) -> None:
    """Names are free text; what the server takes works, the rest is told."""
    spec = {
        "rabbitmqClusterReference": {"connectionSecret": {"name": secret(space, rabbitmq)["name"]}},
        "rabbitmqResourcesConfig": {"parallelism": 1, "queueName": name, "exchangeName": name},
        "sink": {"uri": "http://s.test"},
    }
    answer = space.post("RabbitmqSource", "source", spec)
    if answer.status_code == 201:
        wait_until(
            lambda: space.ready("RabbitmqSource", "source").get("status") in ("True", "False"),
            "it to be one or the other",
        )
        ready = space.ready("RabbitmqSource", "source")
        assert ready["status"] == "True" or ready["message"]
        space.delete("RabbitmqSource", "source")
    assert "Traceback" not in space.knlite.stderr
    assert space.knlite.answers()
