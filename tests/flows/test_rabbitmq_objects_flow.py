"""Objects of RabbitMQ from their manifests to Ready, with what an engine would tell of its server.

The reconcilers, admission and the writer of standings are real (Eventing delivery reference §16);
the server and its engine are the test itself.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

import anyio
import pytest

from knlite.controlplane.logstandings import LogStandings
from knlite.facts import EgressChanged, LogStanding
from knlite.kinds.conditions import find
from knlite.kinds.core.configmap import ConfigMap
from knlite.kinds.core.secret import Secret
from knlite.kinds.eventing.broker import Broker
from knlite.kinds.eventing.eventtype import EventType
from knlite.kinds.eventing.trigger import Trigger
from knlite.kinds.meta import Object, ObjectMeta
from knlite.kinds.sources.rabbitmqsource import RabbitmqSource
from knlite.reconcile import Key
from knlite.registry.admission import Refused
from tests.flows.cell import Cell, on_virtual_time, opened

T = TypeVar("T", bound=Object)

ADDRESS = {"uri": "127.0.0.1", "port": "5672", "username": "guest", "password": "guest"}
BROKER = {
    "apiVersion": "eventing.knative.dev/v1",
    "kind": "Broker",
    "metadata": {
        "name": "default",
        "namespace": "default",
        "annotations": {"eventing.knative.dev/broker.class": "RabbitMQBroker"},
    },
}
SINK = {"ref": {"apiVersion": "v1", "kind": "Service", "name": "till"}}
TILL = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "till", "namespace": "default"},
    "spec": {"ports": [{"port": 80}]},
}
LOST = "amqp://127.0.0.1:5672: connection refused"


def trigger(event_type: str = "a") -> dict[str, object]:
    return {
        "apiVersion": "eventing.knative.dev/v1",
        "kind": "Trigger",
        "metadata": {"name": "t", "namespace": "default"},
        "spec": {
            "broker": "default",
            "filter": {"attributes": {"type": event_type}},
            "subscriber": {"uri": "http://x.example"},
        },
    }


SOURCE = {
    "apiVersion": "sources.knative.dev/v1alpha1",
    "kind": "RabbitmqSource",
    "metadata": {"name": "orders", "namespace": "default"},
    "spec": {
        "rabbitmqClusterReference": {"connectionSecret": {"name": "rabbit"}},
        "rabbitmqResourcesConfig": {"queueName": "q", "exchangeName": "x"},
        "sink": SINK,
    },
}


@dataclass
class Told:
    """A cell, and an engine that tells it how things stand."""

    cell: Cell
    standings: LogStandings

    def get(self, kind: type[T], name: str) -> T:
        found = self.cell.registry.view.get(kind, "default", name)
        assert found is not None
        return found

    def tell(self, of: Object, ready: bool | None, reason: str = "", message: str = "") -> None:
        """Of the exchange of a Broker, or of the queue of a source."""
        self.standings.read(standing(self.cell, of, "", ready, reason, message))

    def tell_of(self, trigger: Trigger, broker: Broker, ready: bool | None) -> None:
        """Of the queue of *trigger*, which *broker* has as an egress."""
        meta, its, now = broker.metadata, trigger.metadata, self.cell.clock.wall()
        self.standings.read(
            EgressChanged(
                at=now,
                since=0,
                kind="Broker",
                namespace=meta.namespace,
                name=meta.name,
                resource_uid=meta.uid,
                egress_kind="Trigger",
                egress_namespace=its.namespace,
                egress_name=its.name,
                egress_uid=its.uid,
                filter_spec="{}",
            )
        )
        self.standings.read(standing(self.cell, broker, its.uid, ready, "", ""))

    def ready(self, obj: Broker | Trigger | RabbitmqSource) -> tuple[str, str, str]:
        found = find(self.get(type(obj), obj.metadata.name).status.conditions)
        assert found is not None
        return found.status, found.reason, found.message

    def configure(self) -> None:
        """As an installation does."""
        meta = ObjectMeta(name="rabbitmq-broker-config", namespace="knative-eventing")
        self.cell.registry.apply(ConfigMap(metadata=meta, data=ADDRESS), user="test")

    def let_in(self) -> None:
        """Write the Secret by which one connects."""
        meta = ObjectMeta(name="rabbit", namespace="default")
        self.cell.registry.apply(Secret(metadata=meta, string_data=ADDRESS), user="test")

    async def settled(self) -> None:
        """Some time later, in which at last nothing happens any more."""
        await anyio.sleep(1)
        before = self.cell.registry.version
        await anyio.sleep(5)
        assert self.cell.registry.version == before, "somebody writes and writes"


def standing(
    cell: Cell, of: Object, egress: str, ready: bool | None, reason: str, message: str
) -> LogStanding:
    meta = of.metadata
    return LogStanding(
        at=cell.clock.wall(),
        kind=type(of).__name__,
        namespace=meta.namespace,
        name=meta.name,
        resource_uid=meta.uid,
        egress_uid=egress,
        ready=ready,
        reason=reason,
        message=message,
    )


@asynccontextmanager
async def started() -> AsyncIterator[Told]:
    async with opened() as cell:
        standings = LogStandings(cell.registry, cell.reporter, cell.clock)
        with cell.registry.listening(standings.note):
            yield Told(cell, standings)


@on_virtual_time
async def test_a_broker_and_its_trigger_become_ready_when_the_server_has_their_queues() -> None:
    async with started() as told:
        told.configure()
        told.cell.apply(BROKER)
        told.cell.apply(trigger())
        await told.settled()
        broker, reader = told.get(Broker, "default"), told.get(Trigger, "t")
        assert told.ready(broker)[0] == "Unknown"
        told.tell(broker, None)
        await told.settled()
        assert told.ready(broker) == ("Unknown", "BeingSetUp", "")
        told.tell(broker, True)
        await told.settled()
        assert told.ready(broker) == ("True", "", "")
        assert told.ready(reader)[0] == "Unknown", "its queue is not there yet"
        told.tell_of(reader, broker, True)
        await told.settled()
        assert told.ready(reader) == ("True", "", "")
        assert told.get(Trigger, "t").status.subscriber_uri == "http://x.example"


@on_virtual_time
async def test_a_lost_server_is_said_of_all_and_forgotten_when_it_is_back() -> None:
    async with started() as told:
        told.configure()
        told.cell.apply(BROKER)
        told.cell.apply(trigger())
        await told.settled()
        broker, reader = told.get(Broker, "default"), told.get(Trigger, "t")
        told.tell(broker, True)
        told.tell_of(reader, broker, True)
        await told.settled()
        told.tell(broker, False, "ExchangeFailure", LOST)
        await told.settled()
        assert told.ready(broker) == ("False", "ExchangeFailure", LOST)
        assert told.ready(reader) == ("False", "ExchangeFailure", LOST)
        told.tell(broker, True)
        await told.settled()
        assert (told.ready(broker), told.ready(reader)) == (("True", "", ""), ("True", "", ""))


@on_virtual_time
async def test_a_secret_that_goes_and_comes_back_is_said_without_a_quarrel() -> None:
    async with started() as told:
        config = {"apiVersion": "v1", "kind": "Secret", "name": "rabbit"}
        told.cell.apply({**BROKER, "spec": {"config": config}})
        await told.settled()
        broker = told.get(Broker, "default")
        assert told.ready(broker)[1] in {"ExchangeCredentialsUnavailable", "SecretFailure"}
        told.let_in()
        await told.settled()
        assert told.ready(broker)[0] == "Unknown"
        for ready, reason, status in (
            (None, "", "Unknown"),
            (True, "", "True"),
            (False, "ExchangeCredentialsUnavailable", "False"),
        ):
            told.tell(broker, ready, reason, "ACCESS_REFUSED" if reason else "")
            await told.settled()
            told.cell.registry.delete(Key(Secret, "default", "rabbit"))
            await told.settled()
            assert told.ready(broker)[0] == "False"
            told.let_in()
            await told.settled()
            assert told.ready(broker)[0] == status


@on_virtual_time
async def test_a_source_waits_for_its_secret_its_sink_and_its_queue() -> None:
    async with started() as told:
        told.cell.apply(SOURCE)
        await told.settled()
        source = told.get(RabbitmqSource, "orders")
        assert told.ready(source) == ("False", "NotFound", "")
        told.cell.apply(TILL)
        await told.settled()
        text = 'Failed to reconcile secret: secrets "rabbit" not found in "default"'
        assert told.ready(source)[2] == text
        told.let_in()
        await told.settled()
        told.tell(source, True)
        await told.settled()
        assert told.ready(source) == ("True", "", "")
        assert (
            told.get(RabbitmqSource, "orders").status.sink_uri
            == "http://till.default.svc.cluster.local"
        )
        [event_type] = told.cell.registry.view.listed(EventType, "default")
        assert event_type.spec.type == "dev.knative.rabbitmq.event"
        assert event_type.spec.source == "/apis/v1/namespaces/default/rabbitmqsources/orders#q"


@on_virtual_time
async def test_what_queues_are_made_of_may_not_change() -> None:
    async with started() as told:
        told.cell.apply(BROKER)
        told.cell.apply(trigger("a"))
        with pytest.raises(Refused, match="Immutable fields changed") as caught:
            told.cell.apply(trigger("b"))
        assert caught.value.errors[0].paths == ("filter", "spec")
        with pytest.raises(Refused, match="Immutable fields changed") as caught:
            told.cell.apply({**BROKER, "spec": {"delivery": {"retry": 1}}})
        assert caught.value.errors[0].paths == ("spec",)
