"""Hosts of Kafka's and RabbitMQ's receivers, through a real gateway (Eventing reference §17)."""

import random
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest

from knlite.clock import SystemClock
from knlite.dataplane.activator import Activator
from knlite.dataplane.eventingress import EventIngress
from knlite.dataplane.gateway import Gateway
from knlite.eventing.rabbitmq.resources import rabbitmq_broker_host
from knlite.eventing.topology import Resource, Topology
from knlite.eventlog.memory import MemoryEngine
from knlite.facts import EventAccepted, Fact
from knlite.serving.instance import Address
from knlite.serving.vantage import ByPath, seen_from
from tests.contract.test_event_hosts import post

pytestmark = pytest.mark.anyio

CLUSTER = "svc.cluster.local"
KAFKA = f"kafka-broker-ingress.knative-eventing.{CLUSTER}"
SINKS = f"kafka-sink-ingress.knative-eventing.{CLUSTER}"
LONG = "b" * 60
HASHED = rabbitmq_broker_host("shop", LONG)


@asynccontextmanager
async def opened() -> AsyncIterator[tuple[Address, list[Fact]]]:
    """A gateway with a Broker, a KafkaSink and a KafkaChannel, all in namespace ``shop``."""
    clock, facts, draw = SystemClock(), list[Fact](), random.Random(1)
    ingress = EventIngress(clock, facts.append, {"memory": MemoryEngine()})
    gateway = Gateway(Activator(clock, facts.append, draw), ingress, draw, complain=print)
    resources = (
        Resource(kind="Broker", namespace="shop", name="main", uid="1"),
        Resource(kind="KafkaSink", namespace="shop", name="out", uid="2"),
        Resource(kind="KafkaChannel", namespace="shop", name="pipe", uid="3"),
        Resource(kind="Broker", namespace="shop", name=LONG, uid="4", hosts=(HASHED,)),
    )
    ingress.topology_changed(Topology({each.key: each for each in resources}))
    listening = socket.create_server(("127.0.0.1", 0))
    async with anyio.create_task_group() as group:
        await group.start(gateway.run, [listening])
        yield Address(*listening.getsockname()), facts
        group.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("host", "path", "kind", "name"),
    [
        (KAFKA, "/shop/main", "Broker", "main"),
        ("kafka-broker-ingress.knative-eventing", "/shop/main/", "Broker", "main"),
        (SINKS, "/shop/out", "KafkaSink", "out"),
        ("main-broker-ingress.shop", "/", "Broker", "main"),
        (f"main-broker-ingress.shop.{CLUSTER}:8080", "", "Broker", "main"),
        (HASHED, "/", "Broker", LONG),
        ("pipe-kn-channel.shop", "/", "KafkaChannel", "pipe"),
        (f"broker-ingress.knative-eventing.{CLUSTER}", "/shop/main", "Broker", "main"),
    ],
)
async def test_a_resource_is_found_by_its_hosts(host: str, path: str, kind: str, name: str) -> None:
    async with opened() as (address, facts):
        assert await post(address, host, path or "/") == (202, "")
        (fact,) = (fact for fact in facts if isinstance(fact, EventAccepted))
        assert (fact.kind, fact.namespace, fact.name) == (kind, "shop", name)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        (f"http://{KAFKA}/shop/main", "/ns/shop/brokers/main"),
        (f"http://{SINKS}/shop/out", "/ns/shop/kafkasinks/out"),
        (f"http://main-broker-ingress.shop.{CLUSTER}", "/ns/shop/brokers/main"),
        (f"http://pipe-kn-channel.shop.{CLUSTER}", "/ns/shop/channels/pipe"),
    ],
)
async def test_who_resolves_no_cluster_names_finds_it_by_a_path(url: str, path: str) -> None:
    base = "http://127.0.0.1:8080"
    assert seen_from(ByPath(base), url) == base + path
    async with opened() as (address, _):
        assert await post(address, "localhost", path) == (202, "")


@pytest.mark.parametrize(
    ("host", "path", "method", "status"),
    [
        (KAFKA, "/shop/gone", "POST", 404),
        (KAFKA, "/", "POST", 404),
        (KAFKA, "/shop/main/more", "POST", 404),
        (KAFKA, "/shop/main", "OPTIONS", 405),
        (KAFKA, "/shop/main", "GET", 405),
        (SINKS, "/shop/main", "POST", 404),
        ("main-broker-ingress.shop", "/more", "POST", 404),
        ("gone-broker-ingress.shop", "/", "POST", 404),
    ],
)
async def test_what_is_not_there_says_so(host: str, path: str, method: str, status: int) -> None:
    async with opened() as (address, _):
        found, said = await post(address, host, path, method)
        assert found == status
        assert said
