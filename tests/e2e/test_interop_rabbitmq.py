"""RabbitMQ with others on it: a plain client reads what knlite wrote, and knlite what it wrote.

Source: Eventing data plane reference §9.3, §9.4; Eventing delivery reference §16; Eventing
reference §17; the end-to-end tests of Knative's own RabbitMQ components (broker, source, DLQ,
vhost).
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.bindings import UNSET_TIME, on_rabbitmq
from tests.e2e.eventspace import Space, attributes, event, full_event, to
from tests.e2e.executable import Knlite, running, wait_until
from tests.e2e.foreign import Rabbit as Client
from tests.e2e.foreign import rabbit_at
from tests.e2e.recorder import Event, Received, Recorder, Sink, drops_first
from tests.servers.rabbitmq import RabbitMQ

pytestmark = [pytest.mark.e2e, pytest.mark.beside]

CLASS = {"eventing.knative.dev/broker.class": "RabbitMQBroker"}
PLAIN = "dev.knative.rabbitmq.event"
FOREIGN = {
    "specversion": "1.0",
    "id": "foreign-1",
    "source": "/elsewhere",
    "type": "foreign",
    "content-type": "text/plain",
}
STRUCTURED = "application/cloudevents+json; charset=utf-8"


@pytest.fixture(scope="module")
def knlite(rabbitmq: RabbitMQ, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Knlite]:
    """A run that knows where RabbitMQ is, and keeps uids."""
    options = []
    for key, value in {
        "uri": rabbitmq.host,
        "port": rabbitmq.port,
        "username": rabbitmq.username,
        "password": rabbitmq.password,
        "vhost": rabbitmq.vhost,
    }.items():
        options += ["--set", f"rabbitmq-broker-config.{key}={value}"]
    data = tmp_path_factory.mktemp("data")
    with running("--data-dir", data, *options) as run:
        yield run


@pytest.fixture(scope="module")
def client(rabbitmq: RabbitMQ) -> Iterator[Client]:
    """Somebody else."""
    with rabbit_at(url_of(rabbitmq)) as found:
        yield found


def url_of(rabbitmq: RabbitMQ) -> str:
    vhost = "" if rabbitmq.vhost == "/" else rabbitmq.vhost
    login = f"{rabbitmq.username}:{rabbitmq.password}"
    return f"amqp://{login}@{rabbitmq.host}:{rabbitmq.port}/{vhost}"


def broker_of(space: Space, **spec: Any) -> str:
    """A Broker of the class RabbitMQBroker that is ready."""
    return space.broker(annotations=CLASS, **spec)


def uid(space: Space, kind: str, name: str) -> str:
    return str(space.object(kind, name)["metadata"]["uid"])


def exchange_of(space: Space, broker: str) -> str:
    return f"b.{space.namespace}.{broker}.{uid(space, 'Broker', broker)}"


def queue_of(space: Space, broker: str, trigger: str) -> str:
    return f"{space.namespace}.{trigger}.{uid(space, 'Broker', broker)}"


def tap(space: Space, client: Client, broker: str, **arguments: str) -> str:
    """A queue of the client's own that gets what the Broker gets."""
    name = f"tap-{space.namespace}-{broker}"
    return client.declare(name, exchange_of(space, broker), {"x-match": "all", **arguments})


def read(client: Client, queue: str, count: int = 1) -> list[Event]:
    """The first messages of a queue, each judged by what Knative's Broker writes."""
    return [
        on_rabbitmq(
            message.headers,
            message.body,
            content_type=message.content_type,
            message_id=message.message_id,
            delivery_mode=message.delivery_mode,
        )
        for message in client.get(queue, count)
    ]


def secret(space: Space, rabbitmq: RabbitMQ) -> str:
    """A Secret that says where RabbitMQ is."""
    data = {
        "uri": rabbitmq.host,
        "port": str(rabbitmq.port),
        "username": rabbitmq.username,
        "password": rabbitmq.password,
    }
    return space.make("Secret", space.name("Secret"), stringData=data)


def source_of(space: Space, rabbitmq: RabbitMQ, sink: Sink, **resources: Any) -> str:
    """A RabbitmqSource that is ready."""
    spec = {
        "rabbitmqClusterReference": {"connectionSecret": {"name": secret(space, rabbitmq)}},
        "rabbitmqResourcesConfig": {"vhost": rabbitmq.vhost, "parallelism": 4, **resources},
        "sink": to(sink),
    }
    return space.made("RabbitmqSource", space.name("RabbitmqSource"), spec)


def one(sink: Sink) -> Received:
    """What a sink that gets one event got."""
    return sink.until(1)[0]


SENT = {
    "all attributes": full_event(),
    "only what is required": Event(
        {"specversion": "1.0", "id": "bare", "source": "/s", "type": "t"}
    ),
    "bytes": event(data=bytes(range(256)), datacontenttype="application/octet-stream"),
    "large": event(data=b"x" * 900_000, datacontenttype="text/plain"),
    "traced": event(traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    "long": event(exlong="x" * 3000),
}


def test_what_a_broker_publishes_is_a_cloudevent_as_knatives_own(
    space: Space, client: Client
) -> None:
    broker = broker_of(space)
    queue = tap(space, client, broker)
    for sent in SENT.values():
        space.send("Broker", broker, sent)
    found = {each.id: each for each in read(client, queue, len(SENT))}
    for what, sent in SENT.items():
        kept = dict(found[sent.id].attributes)
        if "time" not in sent.attributes:
            kept.pop("time")
        assert kept == dict(sent.attributes), what
        assert found[sent.id].data == sent.data, what
    assert found["bare"].attributes["time"] == UNSET_TIME


def test_a_structured_event_is_published_in_binary_mode(space: Space, client: Client) -> None:
    broker = broker_of(space)
    queue = tap(space, client, broker)
    sent = space.send("Broker", broker, full_event(), structured=True)
    kept = read(client, queue)[0]
    assert (dict(kept.attributes), json.loads(kept.data)) == (
        sent.attributes,
        json.loads(sent.data),
    )


def test_others_bind_by_attributes(space: Space, client: Client) -> None:
    broker = broker_of(space)
    queue = tap(space, client, broker, type="wanted", subject="s")
    for kind, subject in (("wanted", "t"), ("other", "s"), ("wanted", "s")):
        space.send("Broker", broker, event(kind, subject=subject))
    assert read(client, queue)[0].attributes["subject"] == "s"
    assert client.depth(queue) == 0


@pytest.mark.parametrize("mode", ["bare", "ce-", "cloudEvents_", "cloudEvents:", "structured"])
def test_an_event_that_another_published_to_the_exchange(
    space: Space, client: Client, mode: str
) -> None:
    broker, sink, other = broker_of(space), space.sink(), space.sink()
    trigger = space.trigger(broker, sink)
    space.trigger(broker, other, **attributes(type="something-else"))
    exchange = exchange_of(space, broker)
    if mode == "structured":
        members = {name: value for name, value in FOREIGN.items() if name != "content-type"}
        body = json.dumps({**members, "datacontenttype": "text/plain", "data": "42", "shape": "r"})
        client.publish(exchange, body.encode(), content_type=STRUCTURED)
    else:
        prefix = "" if mode == "bare" else mode
        headers = {
            name if name == "content-type" else f"{prefix}{name}": value
            for name, value in {**FOREIGN, "shape": "r"}.items()
        }
        client.publish(exchange, b"42", headers, content_type="text/plain")
    got = one(sink)
    assert (got.event.id, got.event.source, got.event.type) == (
        "foreign-1",
        "/elsewhere",
        "foreign",
    )
    assert (got.event.data, got.event.attributes["shape"]) == (b"42", "r")
    assert got.headers["content-type"].startswith("text/plain")
    space.quiet()
    assert other.received == []
    answer = space.knlite.admin.get(
        "/knlite/explain", params={"id": "foreign-1", "source": "/elsewhere"}
    )
    assert answer.status_code == 200, answer.text
    assert trigger in answer.text
    assert exchange in answer.text, "it says where the event came from"


def test_values_of_other_types(space: Space, client: Client) -> None:
    broker, sink = broker_of(space), space.sink()
    space.trigger(broker, sink)
    typed = {"count": 17, "good": True, "at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)}
    client.publish(exchange_of(space, broker), b"x", {**FOREIGN, **typed})
    got = one(sink).event.attributes
    assert got["count"] == "17"
    assert got["good"].lower() == "true"
    assert "2026" in got["at"]


HOSTILE: dict[str, tuple[bytes, dict[str, Any], dict[str, Any]]] = {
    "nothing": (b"", {}, {}),
    "plain": (b"hello", {}, {"content_type": "text/plain", "message_id": "m"}),
    "no id": (b"x", {name: value for name, value in FOREIGN.items() if name != "id"}, {}),
    "another version": (b"x", {**FOREIGN, "specversion": "7.0"}, {}),
    "a table": (b"x", {**FOREIGN, "table": {"a": {"b": [1, 2]}}}, {}),
    "an array": (b"x", {**FOREIGN, "id": [1, "2"]}, {}),
    "bytes": (b"x", {**FOREIGN, "subject": bytearray(b"\xff\xfe")}, {}),
    "nothing as a value": (b"x", {**FOREIGN, "type": None}, {}),
    "a name that is none": (b"x", {**FOREIGN, "Not A Name\r\n": "1"}, {}),
    "line breaks": (b"x", {**FOREIGN, "subject": "a\r\nHost: evil"}, {}),
    "no json": (b"{", {}, {"content_type": STRUCTURED}),
    "deep": (b"[" * 100_000, {}, {"content_type": STRUCTURED}),
    "a content type that is none": (b"x", FOREIGN, {"content_type": "\r\nx-evil: y"}),
    "another encoding": (b"x", FOREIGN, {"content_encoding": "gzip"}),
    "headers of ours": (
        b"x",
        {**FOREIGN, "x-knlite-ttl": "-1", "x-knlite-arrival": {"a": 1}, "x-knlite-only": "\x00"},
        {},
    ),
}


def test_what_is_no_event_harms_nothing(space: Space, client: Client) -> None:
    broker, sink = broker_of(space), space.sink()
    trigger = space.trigger(broker, sink)
    exchange = exchange_of(space, broker)
    for body, headers, properties in HOSTILE.values():
        client.publish(exchange, body, headers, **properties)
    client.publish(exchange, b"after", {**FOREIGN, "id": "after"})
    wait_until(lambda: "after" in sink.ids, "what came after them")
    sent = space.send("Broker", broker, event())
    wait_until(lambda: sent.id in sink.ids, "an event of ours")
    for got in sink.received:
        assert "x-evil" not in got.headers
        assert "evil" not in got.headers["host"]
    queue = queue_of(space, broker, trigger)
    wait_until(lambda: client.depth(queue) == 0, "the queue to be empty")
    assert space.ready("Broker", broker)["status"] == "True"


def test_names_on_the_server(space: Space, client: Client) -> None:
    """Exchange and queue as Knative lays them out; they go with what they belong to."""
    dead = space.sink()
    broker = broker_of(space, delivery={"deadLetterSink": {"uri": dead.url}, "retry": 0})
    trigger, kept = (space.trigger(broker, space.sink()) for _ in range(2))
    own = space.trigger(broker, space.sink(), delivery={"deadLetterSink": {"uri": dead.url}})
    exchange, identity = exchange_of(space, broker), uid(space, "Broker", broker)
    queues = {name: queue_of(space, broker, name) for name in (trigger, kept, own)}
    dlx, dlq = (f"b.{space.namespace}.{broker}.{word}.{identity}" for word in ("dlx", "dlq"))
    trigger_uid = uid(space, "Trigger", own)
    own_dlx, own_dlq = (
        f"t.{space.namespace}.{own}.{word}.{trigger_uid}" for word in ("dlx", "dlq")
    )
    assert client.exchange(exchange)
    assert client.exchange(dlx)
    assert client.exchange(own_dlx)
    for queue in (*queues.values(), dlq, own_dlq):
        assert client.depth(queue) == 0, queue
    space.delete("Trigger", trigger)
    wait_until(lambda: client.depth(queues[trigger]) is None, "the queue of the Trigger to go")
    assert client.depth(queues[kept]) == 0
    space.delete("Trigger", own)
    wait_until(lambda: client.depth(own_dlq) is None, "its dead letter queue to go")
    wait_until(lambda: not client.exchange(own_dlx), "its dead letter exchange to go")
    space.delete("Broker", broker)
    wait_until(lambda: not client.exchange(exchange), "the exchange to go")
    wait_until(lambda: not client.exchange(dlx), "the dead letter exchange to go")
    wait_until(lambda: client.depth(dlq) is None, "the dead letter queue to go")


def test_an_event_that_fails_goes_by_the_dead_letter_queue(space: Space, client: Client) -> None:
    dead = space.sink(drops_first(1, 503))
    delivery = {"deadLetterSink": {"uri": dead.url}, "retry": 1, "backoffDelay": "PT0.1S"}
    broker, sink = broker_of(space, delivery=delivery), space.sink(drops_first(2, 503))
    space.trigger(broker, sink)
    identity = uid(space, "Broker", broker)
    dlx = f"b.{space.namespace}.{broker}.dlx.{identity}"
    copy = client.declare(f"tap-{dlx}", dlx, {"x-match": "all"})
    sent = space.send("Broker", broker, event())
    got = dead.until(1)[0]
    assert got.event.id == sent.id
    assert got.event.attributes["knativeerrorcode"] == "503"
    assert got.event.attributes["knativeerrordest"] == sink.url
    assert client.get(copy)[0].headers["knativeerrorcode"] in (503, "503")
    dlq = f"b.{space.namespace}.{broker}.dlq.{identity}"
    wait_until(lambda: client.depth(dlq) == 0, "the dead letter queue to be empty")


@pytest.mark.parametrize("queue_type", ["quorum", "classic"])
def test_the_type_of_the_queues(
    space: Space, client: Client, rabbitmq: RabbitMQ, queue_type: str
) -> None:
    reference = {"connectionSecret": {"name": secret(space, rabbitmq)}}
    spec = {"rabbitmqClusterReference": reference, "queueType": queue_type}
    config = space.make("RabbitmqBrokerConfig", f"config-{queue_type}", spec)
    kind = {"apiVersion": "eventing.knative.dev/v1alpha1", "kind": "RabbitmqBrokerConfig"}
    broker, sink = broker_of(space, config={**kind, "name": config}), space.sink()
    trigger = space.trigger(broker, sink)
    space.send("Broker", broker, event())
    sink.until(1)
    listed = rabbitmq.control("list_queues", "-p", rabbitmq.vhost, "name", "type", "durable")
    row = next(
        line for line in listed.splitlines() if line.startswith(queue_of(space, broker, trigger))
    )
    assert row.split()[1:] == [queue_type, "true"]


def test_plain_messages_become_events_of_a_source(
    space: Space, client: Client, rabbitmq: RabbitMQ
) -> None:
    queue = client.declare(f"{space.namespace}-plain")
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    named = {"content_type": "text/plain", "message_id": "order-17", "timestamp": at}
    client.publish("", b"hello", {"colour": "red"}, routing_key=queue, **named)
    client.publish("", b"no name", routing_key=queue)
    sink = space.sink()
    name = source_of(space, rabbitmq, sink, queueName=queue, predeclared=True)
    got = sink.until(2)
    first = next(each for each in got if each.event.data == b"hello")
    assert (first.event.id, first.event.type) == ("order-17", PLAIN)
    where = f"/apis/v1/namespaces/{space.namespace}/rabbitmqsources/{name}#{queue}"
    assert first.event.source == where
    assert first.event.attributes["subject"] == "order-17"
    story = space.knlite.admin.get("/knlite/explain", params={"id": "order-17", "source": where})
    assert story.status_code == 200, story.text
    assert queue in story.text
    assert first.event.attributes["time"].startswith("2026-01-02T03:04:05")
    assert first.headers["content-type"].startswith("text/plain")
    second = next(each for each in got if each.event.data == b"no name")
    assert second.event.id
    assert second.event.attributes["subject"] == second.event.id
    space.delete("RabbitmqSource", name)
    wait_until(
        lambda: space.knlite.admin.get(space.path("RabbitmqSource", name)).status_code == 404,
        "the source to go",
    )
    assert client.depth(queue) == 0, "it was there before, and stays"


@pytest.mark.parametrize("mode", ["bare", "ce-", "structured"])
def test_cloudevents_pass_a_source_as_they_are(
    space: Space, client: Client, rabbitmq: RabbitMQ, mode: str
) -> None:
    queue = client.declare(f"{space.namespace}-events")
    if mode == "structured":
        members = {name: value for name, value in FOREIGN.items() if name != "content-type"}
        body = json.dumps({**members, "datacontenttype": "text/plain", "data": "42"}).encode()
        client.publish("", body, routing_key=queue, content_type=STRUCTURED)
    else:
        prefix = "" if mode == "bare" else mode
        headers = {
            name if name == "content-type" else f"{prefix}{name}": value
            for name, value in FOREIGN.items()
        }
        client.publish("", b"42", headers, routing_key=queue, content_type="text/plain")
    sink = space.sink()
    source_of(space, rabbitmq, sink, queueName=queue, predeclared=True)
    got = one(sink).event
    assert (got.type, got.source, got.id) == ("foreign", "/elsewhere", "foreign-1")
    assert got.data == b"42"


def test_what_is_hostile_harms_no_source(space: Space, client: Client, rabbitmq: RabbitMQ) -> None:
    queue = client.declare(f"{space.namespace}-hostile")
    for body, headers, properties in HOSTILE.values():
        client.publish("", body, headers, routing_key=queue, **properties)
    client.publish("", b"after", routing_key=queue, message_id="after")
    sink = space.sink()
    source_of(space, rabbitmq, sink, queueName=queue, predeclared=True)
    wait_until(lambda: "after" in sink.ids, "the last one")
    for got in sink.received:
        assert "x-evil" not in got.headers
        assert "evil" not in got.headers["host"]
    wait_until(lambda: client.depth(queue) == 0, "the queue to be empty")


def test_a_source_makes_its_queue_and_takes_it_along(
    space: Space, client: Client, rabbitmq: RabbitMQ
) -> None:
    queue, exchange = f"{space.namespace}-made", f"{space.namespace}-logs"
    sink = space.sink()
    name = source_of(space, rabbitmq, sink, queueName=queue, exchangeName=exchange)
    client.publish(exchange, b"hello", message_id="1")
    assert one(sink).event.data == b"hello"
    space.delete("RabbitmqSource", name)
    wait_until(lambda: client.depth(queue) is None, "the queue to go")
    wait_until(lambda: not client.exchange(exchange), "the exchange to go")


def test_what_was_published_while_nobody_ran_is_delivered(
    client: Client, rabbitmq: RabbitMQ, tmp_path: Path, recorder: Recorder
) -> None:
    """At the end of a run nothing is deleted; with a data folder names stay."""
    sink = recorder.sink()
    options = ["--data-dir", str(tmp_path)]
    for key in ("port", "username", "password", "vhost"):
        options += ["--set", f"rabbitmq-broker-config.{key}={getattr(rabbitmq, key)}"]
    documents = [
        {
            "apiVersion": "eventing.knative.dev/v1",
            "kind": "Broker",
            "metadata": {"name": "kept", "annotations": CLASS},
        },
        {
            "apiVersion": "eventing.knative.dev/v1",
            "kind": "Trigger",
            "metadata": {"name": "kept"},
            "spec": {"broker": "kept", "subscriber": {"uri": sink.url}},
        },
    ]
    manifests = tmp_path / "broker.yaml"
    manifests.write_text("\n---\n".join(map(json.dumps, documents)))
    with running(manifests, *options) as first:
        first.settled()
        broker = first.object("/apis/eventing.knative.dev/v1/namespaces/default/brokers/kept")
    identity = broker["metadata"]["uid"]
    client.publish(f"b.default.kept.{identity}", b"meanwhile", FOREIGN)
    assert client.depth(f"default.kept.{identity}") == 1
    with running(manifests, *options):
        assert one(sink).event.data == b"meanwhile"
    assert client.depth(f"default.kept.{identity}") == 0
    # What is taken out of the manifests meanwhile goes from the server at the next start.
    manifests.write_text(json.dumps(documents[0]))
    with running(manifests, *options):
        wait_until(lambda: client.depth(f"default.kept.{identity}") is None, "the queue to go")
    other = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "other"}}
    manifests.write_text(json.dumps(other))
    with running(manifests, *options):
        wait_until(lambda: not client.exchange(f"b.default.kept.{identity}"), "the exchange to go")
