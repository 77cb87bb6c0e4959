"""Eventing data plane reference §9.4: Brokers and sources as what they are on a server."""

from base64 import b64encode

import pytest
from msgspec.structs import replace

from knlite.eventing.backing import Problem, stable_uid
from knlite.eventing.rabbitmq.backing import RabbitmqBacking, RabbitmqServer
from knlite.eventing.rabbitmq.resources import (
    of_rabbitmq_trigger,
    rabbitmq_backing_of,
    rabbitmq_broker_host,
    rabbitmq_resources,
)
from knlite.kinds.conditions import Condition
from knlite.kinds.config.bundle import Config
from knlite.kinds.config.shipped import shipped
from knlite.kinds.core.configmap import ConfigMap
from knlite.kinds.core.secret import Secret
from knlite.kinds.eventing.broker import Broker, BrokerSpec, defaulted
from knlite.kinds.eventing.delivery import DeliverySpec
from knlite.kinds.eventing.destination import Destination
from knlite.kinds.eventing.rabbitmqbrokerconfig import (
    RabbitmqBrokerConfig,
    RabbitmqBrokerConfigSpec,
)
from knlite.kinds.eventing.rabbitmqcluster import RabbitmqClusterReference
from knlite.kinds.eventing.trigger import Trigger
from knlite.kinds.kreference import KReference
from knlite.kinds.labels import BROKER_CLASS
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.podspec.fields import LocalObjectReference
from knlite.kinds.sources import rabbitmqsource
from knlite.kinds.sources.rabbitmqsource import (
    RabbitmqDeliverySpec,
    RabbitmqResourcesConfig,
    RabbitmqSource,
    RabbitmqSourceSpec,
)
from knlite.kinds.sources.source import SourceStatus
from tests.unit.fake_view import FakeView

KEPT = Config(durable=True)
SHIPPED = shipped()["knative-eventing", "rabbitmq-broker-config"]
LOCAL = RabbitmqServer(host="127.0.0.1", username="guest", password="guest")


def broker(config: KReference | None = None, delivery: DeliverySpec | None = None) -> Broker:
    meta = ObjectMeta(
        name="default", namespace="shop", uid="b1", annotations={BROKER_CLASS: "RabbitMQBroker"}
    )
    obj = Broker(metadata=meta, spec=BrokerSpec(config=config, delivery=delivery))
    return defaulted(obj, None, Config())


def ref(kind: str, api_version: str = "v1", name: str = "mine") -> KReference:
    return KReference(kind=kind, api_version=api_version, name=name, namespace="shop")


def secret(name: str, **entries: str) -> Secret:
    data = {key: b64encode(value.encode()).decode() for key, value in entries.items()}
    return Secret(metadata=ObjectMeta(name=name, namespace="shop"), data=data)


def config_map(**data: str) -> ConfigMap:
    return ConfigMap(metadata=ObjectMeta(name="mine", namespace="shop"), data=data)


def backing(obj: Broker, *others: object, config: Config = KEPT) -> RabbitmqBacking:
    found = rabbitmq_backing_of(obj, FakeView(*others, config=config))  # type: ignore[arg-type]  objects
    assert isinstance(found, RabbitmqBacking), found
    return found


def test_the_class_alone_is_enough() -> None:
    found = backing(broker(), SHIPPED)
    assert found == RabbitmqBacking(server=LOCAL, exchange="b.shop.default.b1", uid="b1")
    assert found.queue_type == "quorum"


def test_what_is_set_goes_before_the_shipped_config_map() -> None:
    config = Config(durable=True, servers={"rabbitmq-broker-config": {"port": "5999"}})
    assert backing(broker(), SHIPPED, config=config).server.port == 5999


def test_names_are_the_same_in_every_run_that_keeps_no_uids() -> None:
    found = backing(broker(), SHIPPED, config=Config())
    uid = stable_uid("Broker", "shop", "default")
    assert found.uid == uid
    trigger = Trigger(metadata=ObjectMeta(name="t", namespace="shop", uid="t1"))
    assert of_rabbitmq_trigger(trigger, broker(), FakeView()).reader == f"shop.t.{uid}"
    kept = of_rabbitmq_trigger(trigger, broker(), FakeView(config=KEPT))
    assert kept.reader == "shop.t.b1"


def test_a_dead_letter_sink_brings_an_exchange_and_a_queue_for_it() -> None:
    delivery = DeliverySpec(dead_letter_sink=Destination(uri="http://x.example"))
    found = backing(broker(delivery=delivery), SHIPPED)
    assert found.dead_letter_exchange == "b.shop.default.dlx.b1"
    assert found.dead_letter_queue == "b.shop.default.dlq.b1"


def test_a_broker_config_says_the_server_by_its_secret_the_virtual_host_and_the_queues() -> None:
    config = RabbitmqBrokerConfig(
        metadata=ObjectMeta(name="mine", namespace="shop"),
        spec=RabbitmqBrokerConfigSpec(
            rabbitmq_cluster_reference=RabbitmqClusterReference(
                namespace="shop", connection_secret=LocalObjectReference(name="r")
            ),
            queue_type="classic",
            vhost="/orders",
        ),
    )
    entries = {"uri": "http://h:15672", "username": "u", "password": "p", "port": "5673"}
    obj = broker(ref("RabbitmqBrokerConfig", "eventing.knative.dev/v1alpha1"))
    found = backing(obj, config, secret("r", **entries))
    assert found.queue_type == "classic"
    assert found.server == RabbitmqServer(
        host="h", port=5673, username="u", password="p", vhost="orders"
    )


def test_a_cluster_has_classic_queues() -> None:
    entries = {"host": "h", "port": "5672", "username": "u", "password": "p"}
    obj = broker(ref("RabbitmqCluster", "rabbitmq.com/v1beta1"))
    found = backing(obj, secret("mine-default-user", **entries))
    assert (found.server.host, found.queue_type) == ("h", "classic")


def test_a_secret_or_a_config_map_says_it_all_itself() -> None:
    entries = {"uri": "amqps://h", "username": "u", "password": "p", "vhost": "v"}
    wanted = RabbitmqServer(host="h", port=5671, tls=True, username="u", password="p", vhost="v")
    assert backing(broker(ref("Secret")), secret("mine", **entries)).server == wanted
    entries["password"] += "\n"
    assert backing(broker(ref("ConfigMap")), config_map(**entries)).server == wanted
    shared = {"uri": "amqps://h", "vhost": "v", "auth.secret.ref.name": "who"}
    who = secret("who", username="u", password="p")
    assert backing(broker(ref("ConfigMap")), config_map(**shared), who).server == wanted


@pytest.mark.parametrize(
    ("config", "text"),
    [
        pytest.param(ref("Secret"), 'secrets "mine" not found in "shop"', id="secret"),
        pytest.param(ref("ConfigMap"), 'configmaps "mine" not found in "shop"', id="config-map"),
        pytest.param(
            ref("RabbitmqBrokerConfig", "eventing.knative.dev/v1alpha1"),
            'rabbitmqbrokerconfigs.eventing.knative.dev "mine" not found in "shop"',
            id="broker-config",
        ),
        pytest.param(
            ref("Deployment", "apps/v1"),
            "Broker.Spec.Config configuration not supported, only [kind: RabbitmqCluster,"
            " apiVersion: rabbitmq.com/v1beta1], [kind: RabbitmqBrokerConfig, apiVersion:"
            " eventing.knative.dev/v1alpha1], [kind: Secret, apiVersion: v1] or [kind:"
            " ConfigMap, apiVersion: v1]",
            id="another-kind",
        ),
    ],
)
def test_says_which_part_is_missing(config: KReference, text: str) -> None:
    assert rabbitmq_backing_of(broker(config), FakeView()) == Problem(
        "ExchangeCredentialsUnavailable",
        f"Failed to get arguments for creating exchange: {text}",
    )


def test_a_type_of_queues_that_is_none_is_refused() -> None:
    entries = {"uri": "h", "username": "u", "password": "p", "queueType": "stream"}
    found = rabbitmq_backing_of(broker(ref("ConfigMap")), FakeView(config_map(**entries)))
    assert isinstance(found, Problem)
    assert found.message.endswith('queueType in ConfigMap "shop/mine" must be quorum or classic')


def test_a_broker_has_a_host_of_its_own() -> None:
    host = rabbitmq_broker_host("shop", "default")
    assert host == "default-broker-ingress.shop.svc.cluster.local"


SOURCE = rabbitmqsource.defaulted(
    RabbitmqSource(
        metadata=ObjectMeta(name="orders", namespace="shop", uid="s1"),
        spec=RabbitmqSourceSpec(
            rabbitmq_cluster_reference=RabbitmqClusterReference(
                connection_secret=LocalObjectReference(name="r")
            ),
            rabbitmq_resources_config=RabbitmqResourcesConfig(
                queue_name="q", exchange_name="x", vhost="v", parallelism=7
            ),
            sink=Destination(uri="http://x.example"),
        ),
        status=SourceStatus(
            sink_uri="http://x.example", conditions=(Condition(type="SinkProvided", status="True"),)
        ),
    ),
    None,
    Config(),
)
R = secret("r", uri="h", username="u", password="p")


def test_a_source_reads_a_queue_for_its_sink() -> None:
    [found] = rabbitmq_resources(FakeView(SOURCE, R, config=KEPT))
    assert (found.kind, found.engine, found.problem) == ("RabbitmqSource", "rabbitmq", "")
    assert found.backing == RabbitmqBacking(
        server=RabbitmqServer(host="h", username="u", password="p", vhost="v"),
        exchange="x",
        queue="q",
        foreign="/apis/v1/namespaces/shop/rabbitmqsources/orders#q",
        uid="s1",
    )
    [egress] = found.egresses
    assert (egress.kind, egress.uid, egress.reader) == ("RabbitmqSource", "s1", "q")
    assert (egress.subscriber, egress.parallelism) == ("http://x.example", 7)
    assert egress.policy.retry == 0
    spec = replace(SOURCE.spec, delivery=RabbitmqDeliverySpec(retry=3))
    [found] = rabbitmq_resources(FakeView(replace(SOURCE, spec=spec), R))
    assert found.egresses[0].policy.retry == 3


def test_a_source_without_its_secret_or_its_sink_is_there_all_the_same() -> None:
    source = replace(SOURCE, status=SourceStatus())
    [found] = rabbitmq_resources(FakeView(source))
    assert found.backing is None
    assert found.problem == 'Failed to reconcile secret: secrets "r" not found in "shop"'
    assert found.egresses[0].subscriber is None
