"""Eventing data plane reference §9.2: what ConfigMaps say of topics, and how these are called."""

import pytest

from knlite.eventing.backing import Problem
from knlite.eventing.kafka.topics import TopicConfig, topic_config, topic_name
from knlite.kinds.meta import ObjectMeta

GOOD = {
    "bootstrap.servers": "a:9092, [::1]:9093,",
    "default.topic.partitions": "3",
    "default.topic.replication.factor": "1",
}


def test_a_topic_is_made_as_the_config_map_says() -> None:
    entries = {**GOOD, "default.topic.config.retention.ms": "1000", "other": "x"}
    assert topic_config(entries, "ns/m") == TopicConfig(
        bootstrap=("a:9092", "[::1]:9093"),
        partitions=3,
        replication=1,
        settings={"retention.ms": "1000"},
    )


@pytest.mark.parametrize(
    ("change", "text"),
    [
        pytest.param({"bootstrap.servers": " , "}, "ns/m names no servers", id="none"),
        pytest.param({"bootstrap.servers": "a"}, '"a" is no server: write host:port', id="port"),
        pytest.param({"bootstrap.servers": "a:70000"}, '"a:70000" is no server', id="high port"),
        pytest.param({"bootstrap.servers": "http://a:1"}, '"http://a:1" is no server', id="url"),
        pytest.param(
            {"default.topic.partitions": "many"},
            'failed to parse config map ns/m: failed to parse "default.topic.partitions":'
            ' strconv.ParseInt: parsing "many": invalid syntax',
            id="no number",
        ),
        pytest.param(
            {"default.topic.partitions": "0"},
            "error validating topic config from configmap ns/m: invalid configuration -"
            " numPartitions: 0 - replicationFactor: 1",
            id="no partition",
        ),
        pytest.param(
            {"default.topic.replication.factor": "40000"}, "value out of range", id="replicas"
        ),
    ],
)
def test_what_is_wrong_with_it_is_said(change: dict[str, str], text: str) -> None:
    found = topic_config({**GOOD, **change}, "ns/m")
    assert isinstance(found, Problem)
    assert text in found.message


def test_a_topic_is_called_as_its_template_says() -> None:
    meta = ObjectMeta(name="n", namespace="shop", labels={"team": "a"})
    assert topic_name("k-{{ .Namespace }}-{{ .Name }}", meta) == "k-shop-n"
    assert topic_name('{{ index .Labels "team" }}', meta) == "a"


@pytest.mark.parametrize("template", ["", "..", "a b", "ä", "x" * 250, "{{ .Nope }}", "a\nb"])
def test_a_name_that_kafka_cannot_have_is_a_problem(template: str) -> None:
    assert isinstance(topic_name(template, ObjectMeta(name="n", namespace="ns")), Problem)
