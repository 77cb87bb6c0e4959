"""Eventing reference §17: what a Broker of class Kafka may say."""

import pytest

from knlite.kinds.config.bundle import Config
from knlite.kinds.eventing.broker import Broker, BrokerSpec, defaulted, validated
from knlite.kinds.fielderror import rendered
from knlite.kinds.kreference import KReference
from knlite.kinds.labels import BROKER_CLASS
from knlite.kinds.meta import ObjectMeta

CONFIG = Config()


def errors(broker_class: str, config: KReference | None) -> str:
    meta = ObjectMeta(name="b", namespace="shop", annotations={BROKER_CLASS: broker_class})
    obj = defaulted(Broker(metadata=meta, spec=BrokerSpec(config=config)), None, CONFIG)
    return rendered(validated(obj, None, CONFIG))


def ref(kind: str, namespace: str = "") -> KReference:
    return KReference(api_version="v1", kind=kind, name="c", namespace=namespace)


@pytest.mark.parametrize("broker_class", ["Kafka", "KafkaNamespaced"])
def test_its_config_is_a_config_map(broker_class: str) -> None:
    assert errors(broker_class, None) == ""
    assert errors(broker_class, ref("ConfigMap")) == ""
    assert errors(broker_class, ref("Secret")) == (
        "invalid value: Secret: spec.config.kind\nExpected ConfigMap"
    )


def test_a_namespaced_one_has_it_in_its_namespace() -> None:
    assert errors("Kafka", ref("ConfigMap", "other")) == ""
    assert errors("KafkaNamespaced", ref("ConfigMap", "other")) == (
        "invalid value: other: spec.config.namespace\n"
        "Expected ConfigMap in same namespace with broker resource"
    )
