"""Eventing reference §17: defaults and validation of a RabbitmqBrokerConfig."""

import pytest

from knlite.kinds.config.bundle import Config
from knlite.kinds.eventing.rabbitmqbrokerconfig import (
    RabbitmqBrokerConfig,
    RabbitmqBrokerConfigSpec,
    defaulted,
    validated,
)
from knlite.kinds.eventing.rabbitmqcluster import RabbitmqClusterReference
from knlite.kinds.fielderror import rendered
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.podspec.fields import LocalObjectReference

SECRET = LocalObjectReference(name="rabbit")
BY_SECRET = RabbitmqClusterReference(connection_secret=SECRET)


def config(
    reference: RabbitmqClusterReference | None = BY_SECRET, queue_type: str = "", vhost: str = ""
) -> RabbitmqBrokerConfig:
    spec = RabbitmqBrokerConfigSpec(
        rabbitmq_cluster_reference=reference, queue_type=queue_type, vhost=vhost
    )
    obj = RabbitmqBrokerConfig(metadata=ObjectMeta(name="c", namespace="shop"), spec=spec)
    return defaulted(obj, None, Config())


def test_its_reference_is_in_its_own_namespace_and_its_queues_are_quorum_queues() -> None:
    spec = config().spec
    assert spec.rabbitmq_cluster_reference == RabbitmqClusterReference(
        namespace="shop", connection_secret=SECRET
    )
    assert spec.queue_type == "quorum"


@pytest.mark.parametrize(
    ("obj", "text"),
    [
        pytest.param(config(), "", id="secret"),
        pytest.param(config(RabbitmqClusterReference(name="r")), "", id="cluster"),
        pytest.param(config(None), "missing field(s): spec.rabbitmqClusterReference", id="none"),
        pytest.param(
            config(RabbitmqClusterReference()),
            "missing field(s): spec.rabbitmqClusterReference.name",
            id="empty",
        ),
        pytest.param(
            config(RabbitmqClusterReference(name="r", connection_secret=SECRET)),
            "rabbitmqClusterReference.name and rabbitmqClusterReference.connectionSecret must not"
            " be set simultaneously: connectionSecret, rabbitmqClusterReference, spec",
            id="both",
        ),
        pytest.param(
            config(queue_type="stream"),
            'Unsupported value: "stream": supported values: "quorum", "classic": spec.queueType',
            id="queue-type",
        ),
    ],
)
def test_says_what_is_wrong(obj: RabbitmqBrokerConfig, text: str) -> None:
    assert rendered(validated(obj, None, Config())) == text


def test_nothing_of_it_may_change() -> None:
    text = rendered(validated(config(vhost="b"), config(vhost="a"), Config()))
    assert text == (
        "Immutable fields changed: spec\n"
        '{v1alpha1.RabbitmqBrokerConfigSpec}.Vhost:\n\t-: "a"\n\t+: "b"\n'
    )
    assert validated(config(vhost="a"), config(vhost="a"), Config()) == ()
