"""Eventing reference §17: defaults and validation of a KafkaSource."""

import pytest
from msgspec.structs import replace

from knlite.kinds.catalog import read
from knlite.kinds.config.bundle import Config
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.fielderror import rendered
from knlite.kinds.kreference import KReference
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.sources.kafkasource import (
    KafkaSource,
    KafkaSourceSpec,
    defaulted,
    event_source,
    validated,
)
from knlite.kinds.sources.source import CloudEventOverrides

CONFIG = Config()
SINK = Destination(uri="http://sink.example")


def source(**spec: object) -> KafkaSource:
    good = {"topics": ("t",), "bootstrap_servers": ("a:9092",), "sink": SINK}
    return KafkaSource(
        metadata=ObjectMeta(name="k", namespace="shop"),
        spec=replace(KafkaSourceSpec(), **{**good, **spec}),
    )


def full(**spec: object) -> KafkaSource:
    return defaulted(source(**spec), None, CONFIG)


def test_it_gets_a_group_one_consumer_an_offset_and_an_order() -> None:
    spec = full().spec
    assert spec.consumer_group.startswith("knative-kafka-source-")
    assert (spec.consumers, spec.initial_offset, spec.ordering) == (1, "latest", "ordered")
    assert full() == defaulted(full(), full(), CONFIG)


def test_the_next_run_gives_it_the_same_group_and_another_source_another() -> None:
    other = replace(source(), metadata=ObjectMeta(name="other", namespace="shop"))
    assert full().spec.consumer_group == full().spec.consumer_group
    assert defaulted(other, None, CONFIG).spec.consumer_group != full().spec.consumer_group


def test_zero_consumers_stay_zero() -> None:
    assert full(consumers=0).spec.consumers == 0


def test_who_does_not_name_the_group_leaves_it() -> None:
    old = full(consumer_group="mine")
    assert defaulted(source(), old, CONFIG).spec.consumer_group == "mine"


def test_its_namespace_is_that_of_a_sink_that_names_none() -> None:
    ref = KReference(api_version="v1", kind="Service", name="s")
    assert full(sink=Destination(ref=ref)).spec.sink.ref == replace(ref, namespace="shop")


@pytest.mark.parametrize(
    ("obj", "text"),
    [
        pytest.param(full(), "", id="good"),
        pytest.param(
            full(topics=(), bootstrap_servers=()),
            "missing field(s): spec.bootstrapServers, spec.topics",
            id="missing",
        ),
        pytest.param(
            full(initial_offset="middle"), "invalid value: middle: spec.initialOffset", id="offset"
        ),
        pytest.param(full(ordering="any"), "invalid value: any: spec.ordering", id="order"),
        pytest.param(
            full(sink=Destination()),
            "expected at least one, got none: spec.sink.ref, spec.sink.uri",
            id="sink",
        ),
        pytest.param(
            full(ce_overrides=CloudEventOverrides(extensions={"a-b": "c"})),
            'invalid key name "a-b": spec.ceOverrides.extensions\n'
            "keys are expected to be alphanumeric",
            id="overrides",
        ),
    ],
)
def test_what_is_wrong_with_it(obj: KafkaSource, text: str) -> None:
    assert rendered(validated(obj, None, CONFIG)) == text


def test_only_its_group_may_not_change() -> None:
    old = full(consumer_group="a")
    new = full(consumer_group="a", topics=("u",), consumers=3, bootstrap_servers=("b:1",))
    assert validated(new, old, CONFIG) == ()
    assert rendered(validated(full(consumer_group="b"), old, CONFIG)) == (
        'Immutable fields changed (-old +new): spec\n{string}:\n\t-: "a"\n\t+: "b"\n'
    )


def test_the_source_of_events_has_the_version_v1() -> None:
    assert event_source("shop", "k") == "/apis/v1/namespaces/shop/kafkasources/k"


def test_it_is_also_served_as_v1beta1() -> None:
    tree = {
        "apiVersion": "sources.knative.dev/v1beta1",
        "kind": "KafkaSource",
        "metadata": {"name": "k", "namespace": "shop"},
        "spec": {
            "topics": ["t"],
            "bootstrapServers": ["a:9092"],
            "net": {
                "sasl": {
                    "enable": True,
                    "user": {"secretKeyRef": {"name": "s", "key": "user"}},
                    "roleARN": {"secretKeyRef": {"name": "s", "key": "arn"}},
                },
                "tls": {"caCert": {"secretKeyRef": {"name": "s", "key": "ca"}}},
            },
            "sink": {"uri": "http://sink.example"},
        },
    }
    found = read(tree)
    assert isinstance(found.value, KafkaSource), found.problems
    user = found.value.spec.net.sasl.user.secret_key_ref
    assert user is not None
    assert user.key == "user"
