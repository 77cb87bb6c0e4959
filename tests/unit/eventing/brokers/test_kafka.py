"""Eventing reference §17: the status of a Broker of class Kafka."""

from datetime import UTC, datetime

import pytest

from knlite.eventing.reconcilers.broker import reconcile
from knlite.kinds.conditions import find
from knlite.kinds.config.bundle import Config
from knlite.kinds.config.shipped import shipped
from knlite.kinds.core.configmap import ConfigMap
from knlite.kinds.eventing.broker import Broker, BrokerSpec, defaulted
from knlite.kinds.kreference import KReference
from knlite.kinds.labels import BROKER_CLASS
from knlite.kinds.meta import ObjectMeta
from knlite.reconcile import key_of
from tests.unit.fake_view import FakeView

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SHIPPED = shipped()["knative-eventing", "kafka-broker-config"]
ELSEWHERE = ConfigMap(
    metadata=ObjectMeta(name="elsewhere", namespace="a-b"),
    data={**SHIPPED.data, "bootstrap.servers": "kafka.example:9092"},
)


def broker(
    namespace: str,
    name: str,
    created: str = "2026-01-01T00:00:00Z",
    config: str = "",
    **annotations: str,
) -> Broker:
    meta = ObjectMeta(
        name=name,
        namespace=namespace,
        generation=1,
        creation_timestamp=created,
        annotations={BROKER_CLASS: "Kafka", **annotations},
    )
    reference = KReference(api_version="v1", kind="ConfigMap", name=config) if config else None
    return defaulted(Broker(metadata=meta, spec=BrokerSpec(config=reference)), None, Config())


def parsed(*brokers: Broker) -> list[tuple[str, str, str]]:
    """What ConfigParsed says of each, once all have been looked at."""
    view = FakeView(SHIPPED, ELSEWHERE, *brokers)
    for each in (*brokers, *brokers):
        view.apply(reconcile(key_of(each), view, NOW))
    conditions = []
    for each in brokers:
        found = view.get(Broker, each.metadata.namespace, each.metadata.name)
        assert found is not None
        condition = find(found.status.conditions, "ConfigParsed")
        assert condition is not None
        conditions.append((condition.status, condition.reason, condition.message))
    return conditions


WELL = ("True", "", "")
TAKEN = (
    "False",
    "TopicTaken",
    "the topic knative-broker-a-b-c is that of Broker a/b-c, as namespace and name are joined by a"
    " hyphen; give one of them another name, or set brokers-topic-template in config-kafka-features"
    " before they are made",
)


def test_a_topic_that_two_names_come_to_belongs_to_one_broker() -> None:
    assert parsed(broker("a", "b-c"), broker("a-b", "c")) == [WELL, TAKEN]


def test_who_has_it_keeps_it() -> None:
    later = "2026-01-01T00:00:09Z"
    first, second = parsed(broker("a-b", "c"), broker("a", "b-c", created=later))
    assert first == WELL
    assert second[1] == "TopicTaken"


@pytest.mark.parametrize(
    "other",
    [
        broker("a-b", "d"),
        broker("a-b", "c", config="elsewhere"),
        broker("a-b", "c", **{"kafka.eventing.knative.dev/external.topic": "theirs"}),
    ],
    ids=["another name", "another server", "a topic that was there"],
)
def test_others_are_in_nobodys_way(other: Broker) -> None:
    assert parsed(broker("a", "b-c"), other) == [WELL, WELL]
