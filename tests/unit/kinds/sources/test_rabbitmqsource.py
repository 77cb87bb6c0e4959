"""Eventing reference §17: defaults and validation of a RabbitmqSource."""

import pytest
from msgspec.structs import replace

from knlite.kinds.config.bundle import Config
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.eventing.rabbitmqcluster import RabbitmqClusterReference
from knlite.kinds.fielderror import rendered
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.podspec.fields import LocalObjectReference
from knlite.kinds.sources.rabbitmqsource import (
    RabbitmqDeliverySpec,
    RabbitmqResourcesConfig,
    RabbitmqSource,
    RabbitmqSourceSpec,
    defaulted,
    event_source,
    validated,
)

RESOURCES = RabbitmqResourcesConfig(queue_name="orders", exchange_name="shop")
SPEC = RabbitmqSourceSpec(
    rabbitmq_cluster_reference=RabbitmqClusterReference(
        connection_secret=LocalObjectReference(name="rabbit")
    ),
    rabbitmq_resources_config=RESOURCES,
    sink=Destination(uri="http://x.example"),
)


def source(spec: RabbitmqSourceSpec = SPEC) -> RabbitmqSource:
    obj = RabbitmqSource(metadata=ObjectMeta(name="s", namespace="shop"), spec=spec)
    return defaulted(obj, None, Config())


def of_resources(**fields: object) -> RabbitmqSource:
    return source(replace(SPEC, rabbitmq_resources_config=replace(RESOURCES, **fields)))


def test_one_message_at_a_time_unless_said_from_a_server_of_its_own_namespace() -> None:
    spec = source().spec
    assert spec.rabbitmq_resources_config is not None
    assert spec.rabbitmq_resources_config.parallelism == 1
    assert spec.rabbitmq_cluster_reference is not None
    assert spec.rabbitmq_cluster_reference.namespace == "shop"


def test_its_events_name_the_queue() -> None:
    assert (
        event_source("shop", "s", "orders") == "/apis/v1/namespaces/shop/rabbitmqsources/s#orders"
    )


@pytest.mark.parametrize(
    ("obj", "text"),
    [
        pytest.param(source(), "", id="plain"),
        pytest.param(of_resources(predeclared=True, exchange_name=""), "", id="predeclared"),
        pytest.param(
            source(replace(SPEC, rabbitmq_resources_config=None)),
            "missing field(s): spec.rabbitmqResourcesConfig",
            id="no-resources",
        ),
        pytest.param(
            of_resources(exchange_name=""),
            "Name of exchange must be provided when spec.predeclared is false: name,"
            " rabbitmqResourcesConfig, spec",
            id="no-exchange",
        ),
        pytest.param(
            source(replace(SPEC, rabbitmq_cluster_reference=None)),
            "missing field(s): spec.rabbitmqClusterReference",
            id="no-server",
        ),
        pytest.param(
            of_resources(parallelism=1001),
            "expected 1 <= 1001 <= 1000: rabbitmqResourcesConfig.Parallelism",
            id="parallelism",
        ),
        pytest.param(
            of_resources(queue_name=""),
            "missing field(s): spec.rabbitmqResourcesConfig.queueName",
            id="no-queue",
        ),
        pytest.param(source(replace(SPEC, sink=None)), "Required value: spec.sink", id="no-sink"),
        pytest.param(
            source(replace(SPEC, delivery=RabbitmqDeliverySpec(retry=3, backoff_delay="1s"))),
            "invalid value: 1s: spec.delivery.backoffDelay",
            id="delay",
        ),
    ],
)
def test_says_what_is_wrong(obj: RabbitmqSource, text: str) -> None:
    assert rendered(validated(obj, None, Config())) == text


def test_nothing_of_its_spec_may_change() -> None:
    text = rendered(validated(of_resources(queue_name="b"), source(), Config()))
    assert text == (
        "Immutable fields changed (-old +new): spec\n"
        "{v1alpha1.RabbitmqSourceSpec}.RabbitmqResourcesConfig.QueueName:\n"
        '\t-: "orders"\n\t+: "b"\n'
    )
