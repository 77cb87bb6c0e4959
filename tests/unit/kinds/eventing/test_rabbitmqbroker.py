"""Eventing reference §17: what a Broker of class RabbitMQBroker may say."""

import pytest
from msgspec.structs import replace

from knlite.kinds.config.bundle import Config
from knlite.kinds.eventing.broker import Broker, BrokerSpec, defaulted, validated
from knlite.kinds.eventing.delivery import DeliverySpec
from knlite.kinds.fielderror import rendered
from knlite.kinds.kreference import KReference
from knlite.kinds.labels import BROKER_CLASS
from knlite.kinds.meta import ObjectMeta

CONFIG = Config()
CONFIGS = (
    "[kind: RabbitmqCluster, apiVersion: rabbitmq.com/v1beta1], [kind: RabbitmqBrokerConfig,"
    " apiVersion: eventing.knative.dev/v1alpha1], [kind: Secret, apiVersion: v1] or [kind:"
    " ConfigMap, apiVersion: v1]"
)


def broker(**spec: object) -> Broker:
    meta = ObjectMeta(name="b", namespace="shop", annotations={BROKER_CLASS: "RabbitMQBroker"})
    obj = Broker(metadata=meta, spec=replace(BrokerSpec(), **spec))
    return defaulted(obj, None, CONFIG)


def test_it_gets_the_config_map_of_its_server() -> None:
    obj = broker()
    assert obj.spec.config == KReference(
        api_version="v1",
        kind="ConfigMap",
        name="rabbitmq-broker-config",
        namespace="knative-eventing",
    )
    assert validated(obj, None, CONFIG) == ()


@pytest.mark.parametrize(
    ("reference", "text"),
    [
        pytest.param(
            KReference(
                kind="RabbitmqBrokerConfig", api_version="eventing.knative.dev/v1alpha1", name="a"
            ),
            "",
            id="config",
        ),
        pytest.param(
            KReference(kind="RabbitmqCluster", api_version="rabbitmq.com/v1beta1", name="a"),
            "",
            id="cluster",
        ),
        pytest.param(KReference(kind="Secret", api_version="v1", name="a"), "", id="secret"),
        pytest.param(
            KReference(kind="Deployment", api_version="apps/v1", name="a"),
            f"Configuration not supported, only {CONFIGS}: ",
            id="something-else",
        ),
        pytest.param(
            KReference(),
            "missing field(s): spec.config.apiVersion, spec.config.kind, spec.config.name",
            id="empty",
        ),
    ],
)
def test_its_config_says_where_its_server_is(reference: KReference, text: str) -> None:
    assert rendered(validated(broker(config=reference), None, CONFIG)) == text


def test_nothing_of_it_may_change() -> None:
    old = broker()
    new = broker(delivery=DeliverySpec(retry=1))
    text = rendered(validated(new, old, CONFIG))
    assert text.startswith("Immutable fields changed (-old +new): spec\n{v1.BrokerSpec}.Delivery.")
    assert validated(broker(), old, CONFIG) == ()
