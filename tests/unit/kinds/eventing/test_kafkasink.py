"""Eventing reference §17: defaults and validation of a KafkaSink."""

import pytest
from msgspec.structs import replace

from knlite.kinds.config.bundle import Config
from knlite.kinds.eventing.kafkasink import (
    AuthSecret,
    KafkaAuth,
    KafkaSink,
    KafkaSinkSpec,
    SecretName,
    auth_secret,
    defaulted,
    owns_topic,
    validated,
)
from knlite.kinds.fielderror import rendered
from knlite.kinds.meta import ObjectMeta

CONFIG = Config()


def sink(**spec: object) -> KafkaSink:
    good = {"topic": "t", "bootstrap_servers": ("a:9092",)}
    obj = KafkaSink(
        metadata=ObjectMeta(name="k", namespace="shop"),
        spec=replace(KafkaSinkSpec(), **{**good, **spec}),
    )
    return defaulted(obj, None, CONFIG)


def by_secret(name: str) -> KafkaAuth:
    return KafkaAuth(secret=AuthSecret(ref=SecretName(name=name)))


def test_it_writes_in_binary_mode_unless_told_otherwise() -> None:
    assert sink().spec.content_mode == "binary"
    assert sink(content_mode="").spec.content_mode == "binary"
    assert sink(content_mode="structured").spec.content_mode == "structured"


@pytest.mark.parametrize(
    ("obj", "text"),
    [
        pytest.param(sink(num_partitions=1, replication_factor=1), "", id="good"),
        pytest.param(sink(auth=by_secret("s")), "", id="secret"),
        pytest.param(sink(content_mode="xml"), "invalid value: xml: spec.contentMode", id="mode"),
        pytest.param(
            sink(bootstrap_servers=()), "invalid value: []: spec.bootstrapServers", id="servers"
        ),
        pytest.param(sink(topic=""), "invalid value: : spec.topic", id="topic"),
        pytest.param(
            sink(num_partitions=0, replication_factor=-1),
            "invalid value: -1: spec.replicationFactor\ninvalid value: 0: spec.numPartitions",
            id="numbers",
        ),
        pytest.param(
            sink(auth=by_secret("")), "invalid value: : spec.auth.secret.ref.name", id="no secret"
        ),
    ],
)
def test_what_is_wrong_with_it(obj: KafkaSink, text: str) -> None:
    assert rendered(validated(obj, None, CONFIG)) == text


def test_topic_partitions_and_replicas_may_not_change() -> None:
    old = sink(num_partitions=1, replication_factor=1)
    assert (
        validated(replace(old, spec=replace(old.spec, content_mode="structured")), old, CONFIG)
        == ()
    )
    new = sink(topic="u", num_partitions=2)
    assert rendered(validated(new, old, CONFIG)) == (
        "Immutable field updated: spec.numPartitions, spec.replicationFactor, spec.topic"
    )


def test_a_topic_is_its_own_if_it_says_how_to_make_it() -> None:
    assert owns_topic(sink(num_partitions=1, replication_factor=1).spec)
    assert not owns_topic(sink(num_partitions=1).spec)


def test_the_secret_is_found_by_its_name() -> None:
    assert auth_secret(sink(auth=by_secret("s")).spec) == "s"
    assert auth_secret(sink(auth=KafkaAuth()).spec) == ""
