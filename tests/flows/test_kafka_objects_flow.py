"""Kafka's kinds in the whole control plane: what the data plane is told, and what it tells."""

from base64 import b64encode

from knlite.controlplane.logstandings import LogStandings
from knlite.eventing.kafka.backing import KafkaBacking
from knlite.eventing.topology import ResourceKey
from knlite.facts import LogStanding, ReadyChanged
from knlite.kinds.config.shipped import shipped
from knlite.kinds.core.k8sservice import KubernetesService
from tests.flows.cell import Cell, on_virtual_time, opened

EVENTING = "knative-eventing"
BROKER = ResourceKey("Broker", "default", "b")
A_BROKER = {
    "apiVersion": "eventing.knative.dev/v1",
    "kind": "Broker",
    "metadata": {
        "name": "b",
        "namespace": "default",
        "annotations": {"eventing.knative.dev/broker.class": "Kafka"},
    },
}


def install(cell: Cell) -> None:
    """The ConfigMaps of an installation."""
    for obj in shipped().values():
        cell.registry.apply(obj, user="test")


def config_map(name: str, **data: str) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": EVENTING},
        "data": {key.replace("_", "."): value for key, value in data.items()},
    }


def secret(**values: str) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "login", "namespace": EVENTING},
        "data": {key: b64encode(value.encode()).decode() for key, value in values.items()},
    }


def backing(cell: Cell, key: ResourceKey = BROKER) -> KafkaBacking:
    found = cell.requests.topology.resources[key].backing
    assert isinstance(found, KafkaBacking)
    return found


@on_virtual_time
async def test_the_class_alone_makes_a_broker_on_kafka() -> None:
    async with opened() as cell:
        install(cell)
        standings = LogStandings(cell.registry, cell.reporter, cell.clock)
        cell.apply(A_BROKER)
        await cell.advance(1)
        assert backing(cell).server.bootstrap == ("127.0.0.1:9092",)
        assert backing(cell).partitions == 10
        uid = cell.requests.topology.resources[BROKER].uid
        for ready in (None, True):
            standings.read(
                LogStanding(
                    at=cell.clock.wall(),
                    kind="Broker",
                    namespace="default",
                    name="b",
                    resource_uid=uid,
                    ready=ready,
                )
            )
            await cell.advance(1)
        told = [each.status for each in cell.facts if isinstance(each, ReadyChanged)]
        assert told[-1] == "True"
        assert set(told[:-1]) == {"Unknown"}


@on_virtual_time
async def test_the_data_plane_hears_of_other_servers_and_other_passwords() -> None:
    async with opened() as cell:
        install(cell)
        cell.apply(A_BROKER)
        await cell.advance(1)
        elsewhere = config_map(
            "kafka-broker-config",
            bootstrap_servers="kafka.example:9092",
            default_topic_partitions="1",
            default_topic_replication_factor="1",
            auth_secret_ref_name="login",
        )
        cell.apply(elsewhere)
        await cell.advance(1)
        assert cell.requests.topology.resources[BROKER].problem.endswith('"login" not found')
        cell.apply(secret(protocol="SASL_PLAINTEXT", user="me", password="one"))
        await cell.advance(1)
        assert backing(cell).server.bootstrap == ("kafka.example:9092",)
        assert backing(cell).server.password == "one"
        cell.apply(secret(protocol="SASL_PLAINTEXT", user="me", password="two"))
        await cell.advance(1)
        assert backing(cell).server.password == "two"


@on_virtual_time
async def test_a_channel_on_kafka_has_a_service_and_a_host() -> None:
    async with opened() as cell:
        install(cell)
        cell.apply(
            {
                "apiVersion": "messaging.knative.dev/v1beta1",
                "kind": "KafkaChannel",
                "metadata": {"name": "c", "namespace": "default"},
            }
        )
        await cell.advance(1)
        service = cell.registry.view.get(KubernetesService, "default", "c-kn-channel")
        assert service is not None
        assert service.spec.external_name == f"kafka-channel-ingress.{EVENTING}.svc.cluster.local"
        assert "c-kn-channel.default.svc.cluster.local" in cell.projector.cluster_hosts()
        found = backing(cell, ResourceKey("KafkaChannel", "default", "c"))
        assert found.topics == ("knative-messaging-kafka.default.c",)
