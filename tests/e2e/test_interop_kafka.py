"""Kafka with others on it: a plain client reads what knlite wrote, and knlite what it wrote.

Source: CloudEvents Kafka protocol binding; Eventing data plane reference §9.1, §9.2; Eventing
reference §17; the end-to-end tests of Knative's own Kafka components (broker, KafkaSource,
KafkaSink, ordering).
"""

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.bindings import on_kafka
from tests.e2e.eventspace import Space, attributes, event, full_event, ref, to
from tests.e2e.executable import Knlite, running, wait_until
from tests.e2e.foreign import Kafka as Client
from tests.e2e.foreign import kafka_at
from tests.e2e.recorder import Event, Received, Recorder, Sink
from tests.servers.kafka import Kafka

pytestmark = [pytest.mark.e2e, pytest.mark.beside]

CLASS = {"eventing.knative.dev/broker.class": "Kafka"}
ORDER = "kafka.eventing.knative.dev/delivery.order"
EXTERNAL = "kafka.eventing.knative.dev/external.topic"
KEY_TYPE = "kafkasources.sources.knative.dev/key-type"
PLAIN = "dev.knative.kafka.event"
BINARY = [
    ("ce_specversion", b"1.0"),
    ("ce_id", b"foreign-1"),
    ("ce_source", b"/elsewhere"),
    ("ce_type", b"foreign"),
]
STRUCTURED = [("content-type", b"application/cloudevents+json; charset=UTF-8")]


@pytest.fixture(scope="module")
def knlite(kafka: Kafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Knlite]:
    """A run that knows where Kafka is, and keeps uids."""
    data = tmp_path_factory.mktemp("data")
    options = [
        word
        for config in ("kafka-broker-config", "kafka-channel-config")
        for word in ("--set", f"{config}.bootstrap.servers={kafka.bootstrap}")
    ]
    with running("--data-dir", data, *options) as run:
        yield run


@pytest.fixture(scope="module")
def client(kafka: Kafka) -> Iterator[Client]:
    """Somebody else."""
    with kafka_at(kafka.bootstrap) as found:
        yield found


def topic_of(space: Space, broker: str) -> str:
    return f"knative-broker-{space.namespace}-{broker}"


def broker_of(space: Space, **annotations: str) -> str:
    """A Broker of the class Kafka that is ready."""
    return space.broker(annotations={**CLASS, **annotations})


def source_of(space: Space, kafka: Kafka, topic: str, sink: Sink, **more: Any) -> str:
    """A KafkaSource that is ready; reads from the beginning."""
    labels = more.pop("labels", {})
    spec = {
        "bootstrapServers": [kafka.bootstrap],
        "topics": [topic],
        "initialOffset": "earliest",
        "sink": to(sink),
        **more,
    }
    return space.made("KafkaSource", space.name("KafkaSource"), spec, labels=labels)


def sink_of(space: Space, kafka: Kafka, topic: str, **more: Any) -> str:
    """A KafkaSink that is ready."""
    spec = {"bootstrapServers": [kafka.bootstrap], "topic": topic, **more}
    return space.made("KafkaSink", space.name("KafkaSink"), spec)


def read(client: Client, topic: str, count: int = 1) -> list[Event]:
    """The first events of a topic, each judged by the binding."""
    return [
        on_kafka(record.key, record.value, record.headers) for record in client.read(topic, count)
    ]


def one(sink: Sink) -> Received:
    """What a sink that gets one event got."""
    return sink.until(1)[0]


SENT = {
    "all attributes": full_event(),
    "only what is required": Event(
        {"specversion": "1.0", "id": "bare", "source": "/s", "type": "t"}
    ),
    "other letters": event(subject="Ärger % \u2603 \U0001f600", data="größer".encode()),
    "bytes": event(data=bytes(range(256)), datacontenttype="application/octet-stream"),
    "a key": event(partitionkey="customer-17"),
    "large": event(data=b"x" * 900_000, datacontenttype="text/plain"),
    "traced": event(traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
}


def on_http(text: str) -> str:
    """As headers come and go in Knative: UTF-8 as it is, without percent-encoding."""
    return text.encode().decode("latin-1")


def test_what_a_broker_keeps_is_a_cloudevent_for_anybody(space: Space, client: Client) -> None:
    broker = broker_of(space)
    url = space.address("Broker", broker)
    for sent in SENT.values():
        headers = {name: value.encode() for name, value in sent.binary().items()}
        answer = space.request(url, content=sent.data, headers=headers)
        assert answer.status_code == 202, answer.text
    found = {each.id: each for each in read(client, topic_of(space, broker), len(SENT))}
    for what, sent in SENT.items():
        kept = found[sent.id]
        assert dict(kept.attributes) == dict(sent.attributes), what
        assert kept.data == sent.data, what


def test_a_structured_event_is_kept_in_binary_mode(space: Space, client: Client) -> None:
    broker = broker_of(space)
    sent = space.send("Broker", broker, full_event(), structured=True)
    record = client.read(topic_of(space, broker))[0]
    assert dict(on_kafka(record.key, record.value, record.headers).attributes) == sent.attributes
    assert "ce_specversion" in dict(record.headers)
    assert json.loads(record.value) == json.loads(sent.data)


@pytest.mark.parametrize("mode", ["binary", "structured"])
def test_a_sink_writes_in_the_mode_it_is_told(
    space: Space, client: Client, kafka: Kafka, mode: str
) -> None:
    topic = client.create(f"{space.namespace}-sink-{mode}", 2)
    name = sink_of(space, kafka, topic, contentMode=mode)
    sent = space.send("KafkaSink", name, full_event(partitionkey="k"))
    record = client.read(topic)[0]
    assert ("ce_specversion" in dict(record.headers)) == (mode == "binary")
    kept = on_kafka(record.key, record.value, record.headers)
    assert dict(kept.attributes) == sent.attributes
    assert json.loads(kept.data) == json.loads(sent.data)


def test_a_topic_that_a_sink_makes_goes_with_it(space: Space, client: Client, kafka: Kafka) -> None:
    made, given = f"{space.namespace}-made", client.create(f"{space.namespace}-given")
    mine = sink_of(space, kafka, made, numPartitions=3, replicationFactor=1)
    other = sink_of(space, kafka, given)
    assert client.topics()[made] == 3
    space.delete("KafkaSink", mine)
    space.delete("KafkaSink", other)
    wait_until(lambda: made not in client.topics(), "the topic to go")
    assert given in client.topics()


def test_from_a_broker_by_a_trigger_to_a_sink(space: Space, client: Client, kafka: Kafka) -> None:
    """Upstream's scenario of a Trigger with a KafkaSink."""
    broker = broker_of(space)
    topic = f"{space.namespace}-chain"
    name = sink_of(space, kafka, topic, numPartitions=10, replicationFactor=1)
    for wanted in ("one", "two"):
        space.trigger(broker, ref("KafkaSink", name), **attributes(type=wanted))
    sent = [space.send("Broker", broker, event(each)).id for each in ("one", "two", "three")]
    assert {each.id for each in read(client, topic, 2)} == set(sent[:2])


@pytest.mark.parametrize("mode", ["binary", "structured"])
def test_an_event_that_another_wrote_to_the_topic_of_a_broker(
    space: Space, client: Client, mode: str
) -> None:
    broker, sink, other = broker_of(space), space.sink(), space.sink()
    trigger = space.trigger(broker, sink, **attributes(type="foreign"))
    space.trigger(broker, other, **attributes(type="something-else"))
    if mode == "binary":
        headers = [*BINARY, ("content-type", b"text/plain"), ("ce_shape", "größer".encode())]
        partition, offset = client.write(topic_of(space, broker), b"42", headers=headers)
    else:
        members = {"specversion": "1.0", "id": "foreign-1", "source": "/elsewhere"}
        more = {"type": "foreign", "datacontenttype": "text/plain", "data": "42", "shape": "größer"}
        value = json.dumps({**members, **more}).encode()
        partition, offset = client.write(topic_of(space, broker), value, headers=STRUCTURED)
    got = one(sink)
    assert got.event.data == b"42"
    assert got.headers["content-type"].startswith("text/plain")
    assert got.event.attributes["shape"] == on_http("größer")
    assert (got.event.id, got.event.source) == ("foreign-1", "/elsewhere")
    space.quiet()
    assert other.received == []
    answer = space.knlite.admin.get(
        "/knlite/explain", params={"id": "foreign-1", "source": "/elsewhere"}
    )
    assert answer.status_code == 200, answer.text
    told = answer.text
    assert trigger in told
    assert topic_of(space, broker) in told, "it says where the event came from"
    assert str(partition) in told
    assert str(offset) in told


HOSTILE: dict[str, tuple[bytes | None, list[tuple[str, bytes]]]] = {
    "no event": (b"plain", []),
    "a tombstone": (None, []),
    "no id": (b"x", [BINARY[0], *BINARY[2:]]),
    "another version": (b"x", [("ce_specversion", b"7.0"), *BINARY[1:]]),
    "no utf-8": (b"x", [*BINARY, ("ce_subject", b"\xff\xfe")]),
    "a name that is none": (b"x", [*BINARY, ("ce_Not A Name\r\n", b"1")]),
    "twice": (b"x", [*BINARY, ("ce_id", b"foreign-2")]),
    "line breaks": (b"x", [*BINARY, ("ce_subject", b"a\r\nHost: evil")]),
    "no json": (b"{", STRUCTURED),
    "no object": (b"[]", STRUCTURED),
    "structured and empty": (None, STRUCTURED),
    "deep": (b"[" * 100_000, STRUCTURED),
    "another format": (b"\x00", [("content-type", b"application/cloudevents+avro")]),
    "a content type that is none": (b"x", [*BINARY, ("content-type", b"\r\nx: y")]),
    "headers of ours": (
        b"x",
        [("x-knlite-ttl", b"-1"), ("x-knlite-arrival", b"x"), ("x-knlite-only", b"\xff")],
    ),
    "no partition key in its key": (b"x", [("ce_partitionkey", b"\x00")]),
}


def test_what_is_no_event_harms_nothing(space: Space, client: Client) -> None:
    broker, sink = broker_of(space), space.sink()
    space.trigger(broker, sink)
    topic = topic_of(space, broker)
    for value, headers in HOSTILE.values():
        client.write(topic, value, key=b"k", headers=headers, partition=0)
    client.write(topic, b"after", headers=[*BINARY[:1], ("ce_id", b"after"), *BINARY[2:]])
    wait_until(lambda: "after" in sink.ids, "what came after them")
    sent = space.send("Broker", broker, event())
    wait_until(lambda: sent.id in sink.ids, "an event of ours")
    for got in sink.received:
        assert not any("evil" in value for value in got.headers.values()), got.headers
        assert "host" not in got.event.attributes
    assert space.ready("Broker", broker)["status"] == "True"


def test_headers_of_ours_that_another_wrote_are_believed_no_further_than_they_make_sense(
    space: Space, client: Client
) -> None:
    broker, sink = broker_of(space), space.sink()
    space.trigger(broker, sink)
    lies = {
        "x-knlite-ttl": b"999999999999",
        "x-knlite-arrival": b"-5",
        "x-knlite-run": b"\xff\x00",
        "x-knlite-header-host": b"evil",
        "x-knlite-header-content-length": b"0",
        "x-knlite-replay-of": b"nothing",
    }
    client.write(topic_of(space, broker), b"data", headers=[*BINARY, *lies.items()])
    got = one(sink)
    assert got.event.data == b"data"
    assert "evil" not in got.headers["host"]


def test_order_by_partition_key(space: Space, client: Client) -> None:
    broker, sink = broker_of(space), space.sink()
    space.trigger(broker, sink, annotations={ORDER: "ordered"})
    keys = ("a", "b", "c", "d", "e")
    sent = {key: [event(partitionkey=key) for _ in range(12)] for key in keys}
    for turn in zip(*sent.values(), strict=True):
        for each in turn:
            space.send("Broker", broker, each)
    got = [each.event for each in sink.until(60)]
    for key in keys:
        of_key = [each.id for each in got if each.attributes["partitionkey"] == key]
        assert of_key == [each.id for each in sent[key]]
    places: dict[bytes, set[int]] = {}
    for record in client.read(topic_of(space, broker), 60):
        places.setdefault(record.key, set()).add(record.partition)
    assert all(len(partitions) == 1 for partitions in places.values())
    by_hand = client.write(topic_of(space, broker), b"x", key=b"a", headers=BINARY)[0]
    assert places[b"a"] == {by_hand}, "others put the same key into the same partition"


def test_plain_records_become_events_of_a_source(
    space: Space, client: Client, kafka: Kafka
) -> None:
    topic = client.create(f"{space.namespace}-plain")
    headers = [("Content-Type", b"Text/Plain"), ("Trace_Of-x", b"abc")]
    client.write(topic, b"hello", key=b"customer-1", headers=headers)
    client.write(topic, None, key=b"customer-1")
    client.write(topic, b"no key")
    sink = space.sink()
    name = source_of(space, kafka, topic, sink)
    got = {each.event.id: each for each in sink.until(3)}
    first = got["partition:0/offset:0"]
    assert first.event.data == b"hello"
    assert first.event.type == PLAIN
    where = f"/apis/v1/namespaces/{space.namespace}/kafkasources/{name}#{topic}"
    assert first.event.source == where
    assert first.event.attributes["subject"] == "partition:0#0"
    assert first.event.attributes["time"].endswith("Z")
    assert first.event.attributes["key"] == "customer-1"
    assert first.event.attributes["partitionkey"] == "customer-1"
    assert first.event.attributes["kafkaheadertraceofx"] == "abc"
    assert first.headers["content-type"] == "text/plain"
    tombstone = got["partition:0/offset:1"]
    assert (tombstone.event.data, tombstone.event.attributes["key"]) == (b"", "customer-1")
    assert "key" not in got["partition:0/offset:2"].event.attributes
    told = {"id": "partition:0/offset:0", "source": where}
    story = space.knlite.admin.get("/knlite/explain", params=told)
    assert story.status_code == 200, story.text
    assert topic in story.text


@pytest.mark.parametrize(
    ("key_type", "key", "text"),
    [
        ("string", "größer".encode(), on_http("größer")),
        ("int", struct.pack(">i", -5), "-5"),
        ("int", b"seventeen", "seventeen"),
        ("float", struct.pack(">d", 1.5), "1.5"),
        ("byte-array", b"\x00\xff", "AP8="),
    ],
)
def test_the_key_of_a_record(
    space: Space, client: Client, kafka: Kafka, key_type: str, key: bytes, text: str
) -> None:
    topic = client.create(f"{space.namespace}-keys")
    client.write(topic, b"x", key=key)
    sink = space.sink()
    source_of(space, kafka, topic, sink, labels={KEY_TYPE: key_type})
    assert one(sink).event.attributes["key"] == text


@pytest.mark.parametrize("mode", ["binary", "structured"])
def test_cloudevents_pass_a_source_as_they_are(
    space: Space, client: Client, kafka: Kafka, mode: str
) -> None:
    topic = client.create(f"{space.namespace}-{mode}")
    if mode == "binary":
        client.write(topic, b"42", key=b"k", headers=[*BINARY, ("content-type", b"text/plain")])
    else:
        members = {"specversion": "1.0", "id": "foreign-1", "source": "/elsewhere"}
        more = {"type": "foreign", "datacontenttype": "text/plain", "data": "42"}
        client.write(topic, json.dumps({**members, **more}).encode(), headers=STRUCTURED)
    sink = space.sink()
    overrides = {"extensions": {"region": "north"}}
    source_of(space, kafka, topic, sink, ceOverrides=overrides)
    got = one(sink).event
    assert (got.type, got.source, got.id) == ("foreign", "/elsewhere", "foreign-1")
    assert (got.data, got.attributes["region"]) == (b"42", "north")


def test_what_is_hostile_harms_no_source(space: Space, client: Client, kafka: Kafka) -> None:
    topic = client.create(f"{space.namespace}-hostile")
    for value, headers in HOSTILE.values():
        evil = ("\r\nx-evil: 1", b"\r\nHost: evil")
        client.write(topic, value, key=b"k", headers=[*headers, evil])
    client.write(topic, b"after", key=b"\xff\xfe\r\n")
    sink = space.sink()
    source_of(space, kafka, topic, sink)
    wait_until(lambda: any(each.event.data == b"after" for each in sink.taken), "the last one")
    for got in sink.received:
        assert "x-evil" not in got.headers
        assert "evil" not in got.headers["host"]


def test_the_group_of_a_source_remembers_and_goes_with_it(
    space: Space, client: Client, kafka: Kafka
) -> None:
    topic, group = client.create(f"{space.namespace}-resumed"), f"{space.namespace}-group"
    client.write(topic, b"1")
    first, second = space.sink(), space.sink()
    name = source_of(space, kafka, topic, first, consumerGroup=group)
    first.until(1)
    wait_until(lambda: client.committed(group).get((topic, 0)) == 1, "the offset")
    assert space.patch("KafkaSource", name, {"spec": {"sink": to(second)}}).is_success
    client.write(topic, b"2")
    wait_until(lambda: first.taken[1:] or second.taken, "the second record")
    assert (*first.taken[1:], *second.taken)[0].event.data == b"2"
    space.delete("KafkaSource", name)
    wait_until(lambda: group not in client.groups(), "the group to go")
    assert topic in client.topics()


def test_a_topic_and_its_groups_go_with_the_broker(space: Space, client: Client) -> None:
    broker, sink = broker_of(space), space.sink()
    trigger, kept = space.trigger(broker, sink), space.trigger(broker, space.sink())
    space.send("Broker", broker, event())
    sink.until(1)
    topic = topic_of(space, broker)
    group, other = (f"knative-trigger-{space.namespace}-{each}" for each in (trigger, kept))
    assert client.topics()[topic] == 10
    wait_until(lambda: {group, other} <= client.groups(), "the groups")
    space.delete("Trigger", trigger)
    wait_until(lambda: group not in client.groups(), "the group of the Trigger to go")
    assert other in client.groups()
    space.delete("Broker", broker)
    wait_until(lambda: topic not in client.topics(), "the topic to go")


def test_an_external_topic_is_never_deleted(space: Space, client: Client) -> None:
    topic = client.create(f"{space.namespace}.external", 2)
    broker, sink = broker_of(space, **{EXTERNAL: topic}), space.sink()
    space.trigger(broker, sink)
    space.send("Broker", broker, event())
    sink.until(1)
    assert len(read(client, topic)) == 1
    space.delete("Broker", broker)
    wait_until(
        lambda: space.knlite.admin.get(space.path("Broker", broker)).status_code == 404, "it to go"
    )
    second = broker_of(space)
    space.delete("Broker", second)
    wait_until(lambda: topic_of(space, second) not in client.topics(), "a topic of ours to go")
    assert topic in client.topics()
    assert topic_of(space, broker) not in client.topics()


def test_a_channel_on_kafka(space: Space, client: Client, kafka: Kafka) -> None:
    channel, sink = space.channel("KafkaChannel", numPartitions=2), space.sink()
    subscription = space.subscription(channel, sink, kind="KafkaChannel")
    topic = f"knative-messaging-kafka.{space.namespace}.{channel}"
    assert client.topics()[topic] == 2
    sent = space.send("KafkaChannel", channel, full_event())
    assert sink.until(1)[0].event.id == sent.id
    assert dict(read(client, topic)[0].attributes) == sent.attributes
    uid = space.object("Subscription", subscription)["metadata"]["uid"]
    group = f"kafka.{space.namespace}.{channel}.{uid}"
    wait_until(lambda: group in client.groups(), "the group")
    space.delete("Subscription", subscription)
    wait_until(lambda: group not in client.groups(), "the group to go")
    space.delete("KafkaChannel", channel)
    wait_until(lambda: topic not in client.topics(), "the topic to go")


def test_what_was_written_while_nobody_ran_is_delivered(
    client: Client, kafka: Kafka, tmp_path: Path, recorder: Recorder
) -> None:
    """At the end of a run nothing is deleted, and the next one goes on; without a data folder."""
    sink, topic = recorder.sink(), "knative-broker-default-kept"
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
    address = f"kafka-broker-config.bootstrap.servers={kafka.bootstrap}"
    with running(manifests, "--set", address) as first:
        first.settled()
        wait_until(lambda: "knative-trigger-default-kept" in client.groups(), "the group")
    client.write(topic, b"meanwhile", headers=BINARY)
    with running(manifests, "--set", address):
        assert one(sink).event.data == b"meanwhile"
