"""What goes wrong with a Kafka: each failure has a condition with Kafka's words and a way out.

Source: Eventing reference §17 (conditions, reasons); Eventing data plane reference §9.2; upstream's
tests of a Broker that is not ready, of its ConfigMap, of secrets that come later.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e import leaks
from tests.e2e.eventspace import Space, event, ref, space_of, to
from tests.e2e.executable import Knlite, running, wait_until
from tests.e2e.foreign import Kafka as Client
from tests.e2e.foreign import kafka_at
from tests.e2e.recorder import Recorder
from tests.servers.kafka import USERS, Kafka

pytestmark = [pytest.mark.e2e, pytest.mark.beside]

CLASS = {"eventing.knative.dev/broker.class": "Kafka"}
EXTERNAL = "kafka.eventing.knative.dev/external.topic"
WRONG = "wrong-hunter2"
"""A password that no server takes and nobody may see."""


@pytest.fixture(scope="module")
def knlite(kafka: Kafka) -> Iterator[Knlite]:
    """A run that knows where Kafka is."""
    with running("--set", f"kafka-broker-config.bootstrap.servers={kafka.bootstrap}") as run:
        yield run


@pytest.fixture(scope="module")
def client(kafka: Kafka) -> Iterator[Client]:
    """Somebody else."""
    with kafka_at(kafka.bootstrap) as found:
        yield found


def config(space: Space, bootstrap: str, **more: str) -> dict[str, str]:
    """The reference to a ConfigMap of the test's own."""
    data = {
        "bootstrap.servers": bootstrap,
        "default.topic.partitions": "1",
        "default.topic.replication.factor": "1",
        **{key.replace("_", "."): value for key, value in more.items()},
    }
    name = space.name("ConfigMap")
    answer = space.post("ConfigMap", name, data=data)
    assert answer.status_code == 201, answer.text
    return {"apiVersion": "v1", "kind": "ConfigMap", "name": name, "namespace": space.namespace}


def login(user: str, password: str) -> dict[str, str]:
    return {
        "protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "PLAIN",
        "user": user,
        "password": password,
    }


def broker(space: Space, name: str = "broker", annotations: Any = None, **spec: Any) -> str:
    return space.make("Broker", name, spec, annotations={**CLASS, **(annotations or {})})


def not_ready(space: Space, *words: str, of: str = "TopicReady") -> dict[str, Any]:
    """The condition of the Broker that is False once it says *words*; Ready is False with it."""

    def found() -> bool:
        at = space.condition("Broker", "broker", of)
        said = f"{at.get('reason')} {at.get('message')}".lower()
        return at.get("status") == "False" and all(word.lower() in said for word in words)

    try:
        wait_until(found, f"{of} with {words}")
    except pytest.fail.Exception:
        pytest.fail(f"{of} is {space.condition('Broker', 'broker', of)}, not with {words}")
    condition = space.condition("Broker", "broker", of)
    ready = space.until_ready("Broker", "broker", "False")
    assert ready["reason"] == condition["reason"]
    assert ready["message"] == condition["message"]
    return condition


def test_a_kafka_that_is_lost_in_the_middle(space: Space, other_space: Space, kafka: Kafka) -> None:
    """One Broker loses it, another is made while it is away; both go on when it is back."""
    broker(space)
    space.until_ready("Broker", "broker")
    sink, late = space.sink(), other_space.sink()
    space.trigger("broker", sink)
    url = space.address("Broker", "broker")
    sent = [space.send("Broker", "broker", event()).id for _ in range(10)]
    kafka.stop()
    try:
        answer = space.post_event(url, event())
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) >= 1
        assert answer.text
        broker(other_space)
        other_space.make("Trigger", "early", {"broker": "broker", "subscriber": to(late)})
        for each in (space, other_space):
            not_ready(each, kafka.bootstrap)
        assert other_space.until_ready("Trigger", "early", "False")["message"]
        said = space.knlite.shown("get", "brokers", "-n", other_space.namespace)
        assert "Failed to obtain Kafka cluster admin" in said
    finally:
        kafka.start()
    for each in (space, other_space):
        each.until_ready("Broker", "broker")
    other_space.until_ready("Trigger", "early")
    sent += [space.send("Broker", "broker", event()).id for _ in range(10)]
    wait_until(lambda: set(sent) <= set(sink.ids), "all that was answered 202")
    space.quiet()
    assert len(sink.ids) - len(set(sink.ids)) == 0, "nothing twice"
    first = other_space.send("Broker", "broker", event())
    assert late.until(1)[0].event.id == first.id


def test_a_login_that_is_refused_and_corrected(space: Space, kafka: Kafka) -> None:
    secret = space.make("Secret", "kafka", stringData=login("admin", WRONG))
    broker(space, config=config(space, kafka.sasl_bootstrap, auth_secret_ref_name=secret))
    condition = not_ready(space, "Authentication failed", "Invalid username or password")
    assert "admin" in condition["message"], "it says whose password"
    leaks.kept(space.knlite, WRONG)
    password = USERS["admin"]
    assert space.patch("Secret", secret, {"stringData": login("admin", password)}).is_success
    space.until_ready("Broker", "broker")
    sink = space.sink()
    space.trigger("broker", sink)
    sent = space.send("Broker", "broker", event())
    assert sink.until(1)[0].event.id == sent.id
    leaks.kept(space.knlite, password)


def test_who_may_not_make_topics(space: Space, kafka: Kafka) -> None:
    secret = space.make("Secret", "kafka", stringData=login("stranger", USERS["stranger"]))
    broker(space, config=config(space, kafka.sasl_bootstrap, auth_secret_ref_name=secret))
    condition = not_ready(space, "authorization")
    assert f"knative-broker-{space.namespace}-broker" in str(condition)
    leaks.kept(space.knlite, USERS["stranger"])


def test_a_kafka_that_wants_a_login_and_gets_none(space: Space, kafka: Kafka) -> None:
    broker(space, config=config(space, kafka.sasl_bootstrap))
    not_ready(space, kafka.sasl_bootstrap)


def test_a_secret_that_comes_later(space: Space, kafka: Kafka) -> None:
    broker(space, config=config(space, kafka.sasl_bootstrap, auth_secret_ref_name="later"))
    not_ready(space, "later", "not found", of="ConfigParsed")
    space.make("Secret", "later", stringData=login("admin", USERS["admin"]))
    space.until_ready("Broker", "broker")


def test_tls(space: Space, kafka: Kafka) -> None:
    """Not trusted at first, and then by the certificate of who has signed it."""
    secret = {"protocol": "SSL", "user.skip": "true"}
    space.make("Secret", "tls", stringData=secret)
    broker(space, config=config(space, kafka.tls_bootstrap, auth_secret_ref_name="tls"))
    condition = not_ready(space, kafka.tls_bootstrap, "certificate")
    assert "ca.crt" in condition["message"], "it says what is missing"
    trusted = {"stringData": {"ca.crt": kafka.certificates.ca}}
    assert space.patch("Secret", "tls", trusted).is_success
    space.until_ready("Broker", "broker")
    sink = space.sink()
    space.trigger("broker", sink)
    sent = space.send("Broker", "broker", event())
    assert sink.until(1)[0].event.id == sent.id


def test_a_config_map_without_servers(space: Space) -> None:
    reference = config(space, "")
    broker(space, config=reference)
    not_ready(space, "bootstrap.servers", of="ConfigParsed")


@pytest.mark.parametrize(
    "servers", ["127.0.0.1:99999", "http://127.0.0.1/", "a b:9092", ":", "\x00:1"]
)
def test_an_address_that_is_none(space: Space, servers: str) -> None:
    broker(space, config=config(space, servers))
    condition = space.until_ready("Broker", "broker", "False")
    assert condition["message"]
    assert "Traceback" not in space.knlite.stderr


def test_an_external_topic_that_is_not_there_yet(space: Space, client: Client) -> None:
    topic = f"{space.namespace}-external"
    broker(space, annotations={EXTERNAL: topic})
    condition = not_ready(space, topic)
    assert condition["reason"] == "Topic is not present or invalid"
    client.create(topic)
    space.until_ready("Broker", "broker")


def test_more_replicas_than_there_are_servers(space: Space, kafka: Kafka) -> None:
    reference = config(space, kafka.bootstrap, default_topic_replication_factor="3")
    broker(space, config=reference)
    condition = not_ready(space, "replication factor")
    topic = f"knative-broker-{space.namespace}-broker"
    assert condition["reason"] == f"Failed to create topic: {topic}"


def test_settings_of_a_topic_that_kafka_refuses(space: Space, kafka: Kafka) -> None:
    more = {"default_topic_config_retention_ms": "soon"}
    broker(space, config=config(space, kafka.bootstrap, **more))
    not_ready(space, "retention.ms")


@pytest.mark.parametrize("topic", ["..", "a b", "a/../b", "x" * 250, "größer", "a\r\nb", "\x00"])
def test_names_that_are_no_topics(space: Space, kafka: Kafka, topic: str) -> None:
    """Names are free text in these places, and reach a server."""
    spec = {"bootstrapServers": [kafka.bootstrap], "topic": topic}
    for name, more in (
        ("external", {}),
        ("made", {"numPartitions": 1, "replicationFactor": 1}),
    ):
        answer = space.post("KafkaSink", name, {**spec, **more})
        if answer.status_code == 201:
            condition = space.until_ready("KafkaSink", name, "False")
            assert condition["message"]
    source = {"bootstrapServers": [kafka.bootstrap], "topics": [topic], "sink": to("http://s.test")}
    if space.post("KafkaSource", "source", source).status_code == 201:
        space.until_ready("KafkaSource", "source", "False")
    if space.post("Broker", "broker", annotations={**CLASS, EXTERNAL: topic}).status_code == 201:
        assert space.until_ready("Broker", "broker", "False")["message"]
    assert "Traceback" not in space.knlite.stderr


def test_a_template_that_makes_no_name(space: Space) -> None:
    """The Broker says so, and others go on."""
    path = "/api/v1/namespaces/knative-eventing/configmaps/config-kafka-features"
    merge = {"Content-Type": "application/merge-patch+json"}
    admin, key = space.knlite.admin, "brokers-topic-template"
    before = space.knlite.object(path)["data"].get(key)
    bad = {"data": {key: "{{ .Nothing }} a b"}}
    answer = admin.patch(path, content=json.dumps(bad), headers=merge)
    try:
        broker(space)
        if answer.status_code == 200:
            assert space.until_ready("Broker", "broker", "False")["message"]
        else:
            space.until_ready("Broker", "broker")
    finally:
        admin.patch(path, content=json.dumps({"data": {key: before}}), headers=merge)


def test_a_source_of_a_topic_that_is_not_there_yet(
    space: Space, kafka: Kafka, client: Client
) -> None:
    topic, sink = f"{space.namespace}-later", space.sink()
    spec = {
        "bootstrapServers": [kafka.bootstrap],
        "topics": [topic],
        "initialOffset": "earliest",
        "sink": to(sink),
    }
    space.make("KafkaSource", "source", spec)
    condition = space.until_condition("KafkaSource", "source", "ConsumerGroup")
    assert topic in condition["message"]
    client.create(topic)
    client.write(topic, b"hello")
    assert sink.until(1)[0].event.data == b"hello"
    space.until_ready("KafkaSource", "source")


def test_a_source_whose_login_is_refused(space: Space, kafka: Kafka, client: Client) -> None:
    topic = client.create(f"{space.namespace}-sasl")
    space.make("Secret", "login", stringData=login("admin", WRONG))

    def of(key: str) -> dict[str, Any]:
        return {"secretKeyRef": {"name": "login", "key": key}}

    sasl = {
        "enable": True,
        "user": of("user"),
        "password": of("password"),
        "type": of("sasl.mechanism"),
    }
    sink = space.sink()
    spec = {
        "bootstrapServers": [kafka.sasl_bootstrap],
        "topics": [topic],
        "initialOffset": "earliest",
        "sink": to(sink),
        "net": {"sasl": sasl},
    }
    space.make("KafkaSource", "source", spec)
    condition = space.until_condition("KafkaSource", "source", "ConsumerGroup")
    assert "Invalid username or password" in condition["message"]
    leaks.kept(space.knlite, WRONG)
    client.write(topic, b"hello")
    right = {"stringData": login("admin", USERS["admin"])}
    assert space.patch("Secret", "login", right).is_success
    assert sink.until(1)[0].event.data == b"hello"


TOPIC, GROUP, CLUSTER = 2, 3, 4
ALL, CREATE = 2, 5
"""As Kafka numbers them."""


def test_a_group_that_a_subscription_may_not_read_in(
    kafka: Kafka, client: Client, recorder: Recorder
) -> None:
    servers = {
        "bootstrap.servers": kafka.sasl_bootstrap,
        "auth.secret.ref.name": "login",
        "auth.secret.ref.namespace": "knative-eventing",
    }
    settings = [f"kafka-channel-config.{key}={value}" for key, value in servers.items()]
    client.allow("guest", (CLUSTER, "kafka-cluster", CREATE), (TOPIC, "*", ALL))
    with running(*(each for setting in settings for each in ("--set", setting))) as run:
        space = space_of(run, recorder)
        data = login("guest", USERS["guest"])
        secret = {"metadata": {"name": "login"}, "stringData": data}
        path = "/api/v1/namespaces/knative-eventing/secrets"
        assert run.admin.post(path, json=secret).status_code == 201
        channel, sink = space.channel("KafkaChannel"), space.sink()
        spec = {"channel": ref("KafkaChannel", channel)["ref"], "subscriber": {"uri": sink.url}}
        space.make("Subscription", "refused", spec)
        told = space.until_condition("Subscription", "refused", "ChannelReady")
        assert told["message"] == "Subscription marked by Channel as False"
        told = space.until_ready("KafkaChannel", channel, "False")
        assert "GroupAuthorizationFailed" in told["message"]
        assert "allow User:guest" in told["message"]
        client.allow("guest", (GROUP, "*", ALL))
        space.until_ready("Subscription", "refused")
        sent = space.send("KafkaChannel", channel, event())
        assert sink.until()[0].event.id == sent.id
