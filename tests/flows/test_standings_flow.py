"""Conditions of what is kept on a server, while that is lost and comes back (ADR 0033)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio

from knlite.controlplane.logstandings import READ, LogStandings
from knlite.dataplane.dispatcher import Dispatcher
from knlite.dataplane.eventingress import EventIngress
from knlite.eventing.resources import topology
from knlite.eventlog.memory import MemoryEngine
from knlite.facts import Fact
from knlite.kinds.conditions import Condition, find
from knlite.kinds.eventing.broker import Broker
from knlite.kinds.eventing.trigger import Trigger
from knlite.kinds.messaging.kafkachannel import KafkaChannel
from knlite.kinds.messaging.subscription import Subscription
from knlite.reconcile import Key
from tests.flows.cell import Cell, on_virtual_time, opened
from tests.flows.eventflow import RecordingSender
from tests.flows.serverengine import Server, ServerEngine

GROUP = "eventing.knative.dev/v1"
BROKER = {
    "apiVersion": GROUP,
    "kind": "Broker",
    "metadata": {
        "name": "main",
        "namespace": "default",
        "annotations": {"eventing.knative.dev/broker.class": "Kafka"},
    },
}
IN_MEMORY = {
    "apiVersion": GROUP,
    "kind": "Broker",
    "metadata": {"name": "main", "namespace": "default"},
}
CHANNEL = {
    "apiVersion": "messaging.knative.dev/v1beta1",
    "kind": "KafkaChannel",
    "metadata": {"name": "c", "namespace": "default"},
}
CHANNEL_CONFIG = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "kafka-channel-config", "namespace": "knative-eventing"},
    "data": {"bootstrap.servers": "127.0.0.1:1"},
}


def subscription(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "messaging.knative.dev/v1",
        "kind": "Subscription",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "channel": {
                "apiVersion": "messaging.knative.dev/v1beta1",
                "kind": "KafkaChannel",
                "name": "c",
            },
            "subscriber": {"uri": "http://a.test/"},
        },
    }


CONFIG = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "kafka-broker-config", "namespace": "knative-eventing"},
    "data": {
        "bootstrap.servers": "127.0.0.1:1",
        "default.topic.partitions": "1",
        "default.topic.replication.factor": "1",
    },
}
TRIGGER = {
    "apiVersion": GROUP,
    "kind": "Trigger",
    "metadata": {"name": "t", "namespace": "default"},
    "spec": {"broker": "main", "subscriber": {"uri": "http://a.test/"}},
}


class Stand:
    """A control plane and a dispatcher, with a server between them."""

    def __init__(self, cell: Cell) -> None:
        self.cell, self.server = cell, Server()
        self.standings = LogStandings(cell.registry, cell.reporter, cell.clock)
        self.engine = ServerEngine(self.server, self._publish, cell.clock)
        engines = {"memory": MemoryEngine(), "kafka": self.engine}
        ingress = EventIngress(cell.clock, self._publish, engines)
        sender = RecordingSender(cell.clock)
        self.dispatcher = Dispatcher(ingress, sender, cell.clock, self._publish)

    def _publish(self, fact: Fact) -> None:
        if isinstance(fact, READ):
            self.standings.read(fact)

    async def settle(self) -> None:
        for _ in range(3):
            await self.cell.advance(1)
            self.dispatcher.topology_changed(topology(self.cell.registry.view))

    def condition(self, kind: type[Any], name: str, of: str) -> Condition:
        found = self.cell.registry.view.get(kind, "default", name)
        assert found is not None
        return find(found.status.conditions, of) or Condition(type=of, status="Unknown")

    def ready(self) -> tuple[str, str]:
        broker, trigger = (
            self.condition(Broker, "main", "Ready"),
            self.condition(Trigger, "t", "Ready"),
        )
        return broker.status, trigger.status


@asynccontextmanager
async def stood() -> AsyncIterator[Stand]:
    async with opened() as cell, anyio.create_task_group() as group:
        stand = Stand(cell)
        with cell.registry.listening(stand.standings.note):
            await group.start(stand.dispatcher.run)
            for document in (CONFIG, BROKER, TRIGGER):
                cell.apply(document)
            await stand.settle()
            yield stand
            group.cancel_scope.cancel()


@on_virtual_time
async def test_a_broker_is_ready_when_its_server_says_so() -> None:
    async with stood() as stand:
        assert stand.ready() == ("True", "True")


@on_virtual_time
async def test_a_lost_server_is_told_in_its_words_and_passes() -> None:
    async with stood() as stand:
        stand.server.lose()
        await stand.settle()
        assert stand.ready() == ("False", "False")
        topic = stand.condition(Broker, "main", "TopicReady")
        assert (topic.reason, topic.message) == ("ServerLost", "connection refused")
        reads = stand.condition(Trigger, "t", "DependencyReady")
        assert (reads.status, reads.message) == ("False", "connection refused")
        stand.server.come_back()
        await stand.settle()
        assert stand.ready() == ("True", "True")


@on_virtual_time
async def test_what_is_made_anew_has_standings_of_its_own() -> None:
    async with stood() as stand:
        stand.server.lose()
        await stand.settle()
        stand.cell.registry.delete(Key(Trigger, "default", "t"))
        stand.cell.apply(TRIGGER)
        await stand.settle()
        assert stand.condition(Trigger, "t", "DependencyReady").status == "False"
        stand.server.come_back()
        await stand.settle()
        assert stand.ready() == ("True", "True")


@on_virtual_time
async def test_what_was_said_of_a_server_ends_with_the_broker_that_was_there() -> None:
    async with stood() as stand:
        stand.server.lose()
        await stand.settle()
        assert stand.condition(Trigger, "t", "DependencyReady").status == "False"
        stand.cell.registry.delete(Key(Broker, "default", "main"))
        await stand.settle()
        stand.cell.apply(IN_MEMORY)
        await stand.settle()
        assert stand.ready() == ("True", "True")


@on_virtual_time
async def test_a_group_that_is_refused_is_told_of_its_channel_and_its_subscription() -> None:
    async with stood() as stand:
        registry = stand.cell.registry
        for each in (CHANNEL_CONFIG, CHANNEL, subscription("s"), subscription("other")):
            stand.cell.apply(each)
        await stand.settle()
        await stand.settle()
        assert stand.condition(Subscription, "s", "Ready").status == "True"
        channel = registry.view.get(KafkaChannel, "default", "c")
        refused = registry.view.get(Subscription, "default", "s")
        assert channel is not None
        assert refused is not None
        uid = refused.metadata.uid
        log = stand.engine.logs[channel.metadata.uid]
        stand.engine.tell(log.resource, uid, ready=False, message="group not authorized")
        await stand.settle()
        told = stand.condition(KafkaChannel, "c", "Ready")
        assert (told.status, told.reason) == ("False", "failed to reconcile all subscribers")
        assert told.message == f"Subscriber {uid} not ready: ServerLost group not authorized"
        assert stand.condition(KafkaChannel, "c", "TopicReady").status == "True"
        assert stand.condition(Subscription, "s", "ChannelReady").status == "False"
        assert stand.condition(Subscription, "other", "ChannelReady").status == "True"
        before = registry.version
        await stand.settle()
        assert registry.version == before, "somebody writes and writes"
        stand.engine.tell(log.resource, uid, ready=True)
        await stand.settle()
        assert stand.condition(Subscription, "s", "Ready").status == "True"
        assert stand.condition(KafkaChannel, "c", "Ready").status == "True"


@on_virtual_time
async def test_while_nothing_is_known_a_broker_is_neither_ready_nor_not() -> None:
    async with opened() as cell:
        cell.apply(CONFIG)
        cell.apply(BROKER)
        await cell.advance(1)
        found = cell.registry.view.get(Broker, "default", "main")
        assert found is not None
        ready = find(found.status.conditions)
        assert ready is not None
        assert ready.status == "Unknown"
