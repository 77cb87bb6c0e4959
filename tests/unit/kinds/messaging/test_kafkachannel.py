"""Eventing reference §17: defaults and validation of a KafkaChannel."""

import pytest
from msgspec.structs import replace

from knlite.kinds.config.bundle import Config
from knlite.kinds.eventing.delivery import DeliverySpec
from knlite.kinds.fielderror import rendered
from knlite.kinds.labels import SUBSCRIBABLE
from knlite.kinds.messaging.channelable import SubscriberSpec
from knlite.kinds.messaging.kafkachannel import (
    KafkaChannel,
    KafkaChannelSpec,
    adopted,
    defaulted,
    permitted,
    retention,
    validated,
)
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.users import EVENTING_CONTROLLER

CONFIG = Config()
SUBSCRIBER = SubscriberSpec(name="s", uid="1", generation=1, subscriber_uri="http://x.example")


def channel(**spec: object) -> KafkaChannel:
    obj = KafkaChannel(
        metadata=ObjectMeta(name="c", namespace="shop"),
        spec=replace(KafkaChannelSpec(), **spec),
    )
    return defaulted(obj, None, CONFIG)


def test_it_gets_one_partition_one_replica_and_a_week() -> None:
    spec = channel().spec
    assert (spec.num_partitions, spec.replication_factor) == (1, 1)
    assert spec.retention_duration == "PT168H"
    assert retention(spec) == 7 * 24 * 3600
    assert channel().metadata.annotations == {SUBSCRIBABLE: "v1"}


@pytest.mark.parametrize(
    ("obj", "text"),
    [
        pytest.param(channel(), "", id="good"),
        pytest.param(
            channel(num_partitions=-1, replication_factor=-2, retention_duration="a week"),
            "invalid value: -1: spec.numPartitions\n"
            "invalid value: -2: spec.replicationFactor\n"
            "invalid value: a week: spec.retentionDuration",
            id="numbers",
        ),
        pytest.param(
            channel(retention_duration="-PT1S"),
            "invalid value: -PT1S: spec.retentionDuration",
            id="back in time",
        ),
        pytest.param(
            channel(subscribers=(SubscriberSpec(uid="2"),)),
            "missing field(s): spec.subscribable.subscriber[0].replyURI,"
            " spec.subscribable.subscriber[0].subscriberURI\n"
            "expected at least one of, got none",
            id="subscriber",
        ),
    ],
)
def test_what_is_wrong_with_it(obj: KafkaChannel, text: str) -> None:
    assert rendered(validated(obj, None, CONFIG)) == text


def test_only_subscribers_and_delivery_may_change() -> None:
    old = channel()
    new = channel(subscribers=(SUBSCRIBER,), delivery=DeliverySpec(retry=1))
    assert validated(new, old, CONFIG) == ()
    assert rendered(validated(channel(num_partitions=2), old, CONFIG)).startswith(
        "Immutable fields changed (-old +new): spec\n{v1beta1.KafkaChannelSpec}.NumPartitions:"
    )


def test_subscribers_belong_to_the_subscriptions() -> None:
    old, new = channel(subscribers=(SUBSCRIBER,)), channel()
    assert permitted(new, old, EVENTING_CONTROLLER) == ()
    assert "changed by user me" in rendered(permitted(new, old, "me"))
    assert adopted(new, old).spec.subscribers == (SUBSCRIBER,)
