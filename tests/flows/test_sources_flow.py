"""Sources from their manifests to the wire, on jumping time (Eventing reference §9, §10, §12).

The control plane and the senders are real; only HTTP is a recording sender.
"""

import json
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

import anyio

from knlite.clock import Clock
from knlite.controlplane.eventtypes import MOST, EventTypeRecorder
from knlite.controlplane.sources import Sources
from knlite.dataplane.sender import Answered, Unanswered
from knlite.dataplane.sources.outbound import Outbound
from knlite.dataplane.sources.ping import AT_ONCE, LONGEST, PingAdapter
from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.httpcodec import decode
from knlite.eventing.sources import Outlet, PingPlan
from knlite.facts import EventAccepted, SourceSent
from knlite.issuer import Issuer
from knlite.kinds.conditions import Condition, find, is_true
from knlite.kinds.core.configmap import ConfigMap
from knlite.kinds.core.event import Event
from knlite.kinds.core.serviceaccount import ServiceAccount
from knlite.kinds.eventing.broker import Broker
from knlite.kinds.eventing.eventtype import EventType
from knlite.kinds.eventing.trigger import Trigger
from knlite.kinds.meta import Object, ObjectMeta
from knlite.kinds.schedule import parse
from knlite.kinds.sources.apiserversource import ApiServerSource
from knlite.kinds.sources.pingsource import PingSource
from knlite.reconcile import Key
from tests.flows.cell import STARTED, Cell, on_virtual_time, opened
from tests.flows.eventflow import joined

SOURCES = "sources.knative.dev/v1"
SINK = {"uri": "http://sink.example/"}
TO_BROKER = {"ref": {"apiVersion": "eventing.knative.dev/v1", "kind": "Broker", "name": "main"}}
BROKER_URL = "http://broker-ingress.knative-eventing.svc.cluster.local/default/main"

Reply = Answered | Unanswered


@dataclass(frozen=True)
class Call:
    at: float
    url: str
    headers: dict[str, str]
    event: CloudEvent

    def data(self) -> dict[str, object]:
        return dict(json.loads(self.event.data or b"{}"))


class Flow:
    """A cell whose sources send."""

    def __init__(self, cell: Cell) -> None:
        self.cell = cell
        self.calls: list[Call] = []
        self.answer: Callable[[Call], Reply | float] = lambda _: Answered(202)
        self.issuer = Issuer(cell.clock.wall)
        bits = random.Random(1).getrandbits
        self.outbound = Outbound(self, cell.clock, cell.facts.append, bits, self.issuer)
        self.pings = PingAdapter(self.outbound, cell.clock)
        self.sources = Sources(cell.registry, cell.clock, cell.facts.append)
        self.sources.report_to(self.pings, self.outbound)
        self.types = EventTypeRecorder(cell.registry, cell.reporter)

    async def send(
        self,
        url: str,
        headers: Sequence[tuple[str, str]],
        body: bytes,
        timeout: float,  # noqa: ASYNC109  the signature of the contract
        ca_certs: str = "",
        also: Sequence[tuple[bytes, bytes]] = (),
    ) -> Reply:
        headers = joined(headers, also)
        event = decode(headers, body)
        assert isinstance(event, CloudEvent)
        call = Call(self.cell.clock.now(), url, dict(headers), event)
        self.calls.append(call)
        answer = self.answer(call)
        if isinstance(answer, float):
            await anyio.sleep(answer)
            return Answered(202)
        return answer

    def ping(self, schedule: str = "* * * * *", name: str = "p", **spec: object) -> None:
        self._apply("PingSource", name, {"schedule": schedule, "sink": SINK, **spec})

    def watch(self, *resources: dict[str, object], name: str = "a", **spec: object) -> None:
        self._apply("ApiServerSource", name, {"resources": resources, "sink": SINK, **spec})

    def _apply(self, kind: str, name: str, spec: dict[str, object]) -> None:
        metadata = {"name": name, "namespace": "default"}
        self.cell.apply({"apiVersion": SOURCES, "kind": kind, "metadata": metadata, "spec": spec})

    def broker(self) -> None:
        metadata = {"name": "main", "namespace": "default"}
        self.cell.apply(
            {"apiVersion": "eventing.knative.dev/v1", "kind": "Broker", "metadata": metadata}
        )

    def condition(self, kind: type[PingSource | ApiServerSource | Trigger], name: str) -> Condition:
        found = self.cell.registry.view.listed(kind, "")[0]
        condition = find(found.status.conditions, name)
        assert condition is not None
        return condition

    def delete(self, kind: type[Object], name: str) -> None:
        self.cell.registry.delete(Key(kind, "default", name))

    def told(self) -> list[tuple[str, int, int]]:
        return [
            (fact.outcome, fact.status, fact.attempts)
            for fact in self.cell.facts
            if isinstance(fact, SourceSent)
        ]

    def types_of(self, owner: str) -> list[tuple[str, str, str]]:
        """Type, source and reference of the EventTypes that *owner* has."""
        return [
            (
                each.spec.type,
                each.spec.source or "",
                each.spec.reference.name if each.spec.reference else "",
            )
            for each in self.cell.registry.view.listed(EventType, "default")
            if [reference.name for reference in each.metadata.owner_references] == [owner]
        ]


@asynccontextmanager
async def flowing() -> AsyncIterator[Flow]:
    async with opened() as cell, AsyncExitStack() as stack:
        flow = Flow(cell)
        stack.enter_context(cell.registry.listening(flow.types.note))
        group = await stack.enter_async_context(anyio.create_task_group())
        await group.start(flow.pings.run)
        await group.start(flow.sources.run)
        yield flow
        group.cancel_scope.cancel()


def seconds_of(flow: Flow) -> list[int]:
    """When the calls were made, in seconds since the wall's midnight."""
    return [int(call.at) for call in flow.calls]


@on_virtual_time
async def test_a_ping_goes_out_on_the_second_its_schedule_says() -> None:
    async with flowing() as flow:
        flow.ping(
            "0 */2 * * *",
            contentType="application/json",
            data='{"a": 1}',
            ceOverrides={"extensions": {"Shop": "eu", "type": "not.mine"}},
        )
        await anyio.sleep(6 * 3600 + 1)
        assert seconds_of(flow) == [2 * 3600, 4 * 3600, 6 * 3600]
        call = flow.calls[0]
        assert call.url == "http://sink.example/"
        assert call.headers["Kn-Namespace"] == "default"
        assert call.headers["traceparent"] != flow.calls[1].headers["traceparent"]
        attributes = dict(call.event.attributes)
        assert attributes.pop("id") != flow.calls[1].event.id
        assert attributes.pop("time").startswith(f"{STARTED:%Y-%m-%d}T02:00:00")
        assert attributes == {
            "specversion": "1.0",
            "type": "dev.knative.sources.ping",
            "source": "/apis/v1/namespaces/default/pingsources/p",
            "shop": "eu",
        }
        assert (call.event.content_type, call.event.data) == ("application/json", b'{"a": 1}')
        assert flow.told() == [("delivered", 202, 1)] * 3


class Laptop:
    """A clock whose time of day goes on while the machine sleeps; the other one does not."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.slept = timedelta()
        self.now = clock.now
        self.sleep_until = clock.sleep_until
        self.call_at = clock.call_at

    def wall(self) -> datetime:
        return self._clock.wall() + self.slept


@on_virtual_time
async def test_a_ping_is_not_late_by_the_hours_that_the_machine_has_slept() -> None:
    async with flowing() as flow, anyio.create_task_group() as group:
        clock = Laptop(flow.cell.clock)
        pings = PingAdapter(flow.outbound, clock)
        await group.start(pings.run)
        outlet = Outlet(
            kind="PingSource", namespace="default", name="p", uid="1", sink="http://sink.example/"
        )
        plan = PingPlan(outlet=outlet, schedule=parse("0 9 * * *"), content_type="", data=None)
        pings.pings_changed([plan])
        await anyio.sleep(1800)
        clock.slept = timedelta(hours=8.25)
        await anyio.sleep(900 + LONGEST)
        (call,) = flow.calls
        assert call.event.attributes["time"][11:16] == "09:00"
        await anyio.sleep(3600)
        assert len(flow.calls) == 1
        group.cancel_scope.cancel()


@on_virtual_time
async def test_a_ping_without_data_has_no_content_type() -> None:
    async with flowing() as flow:
        flow.ping(contentType="text/plain")
        await anyio.sleep(61)
        assert (flow.calls[0].event.content_type, flow.calls[0].event.data) == (None, None)


@on_virtual_time
async def test_what_no_header_can_hold_is_not_sent() -> None:
    async with flowing() as flow:
        flow.ping(ceOverrides={"extensions": {"a": "b\r\nEvil: yes"}})
        flow.ping(name="q", contentType="a/b\r\nEvil: yes", data="x")
        await anyio.sleep(61)
        assert not flow.calls
        assert flow.told() == [("failed", 0, 0)] * 2


@on_virtual_time
async def test_a_ping_follows_its_time_zone() -> None:
    async with flowing() as flow:
        flow.ping("30 9 * * *", timezone="Asia/Kolkata")
        await anyio.sleep(24 * 3600)
        assert seconds_of(flow) == [4 * 3600]


@on_virtual_time
async def test_a_ping_is_rescheduled_and_ended_by_edits() -> None:
    async with flowing() as flow:
        flow.ping("0 * * * *")
        await anyio.sleep(10)
        flow.ping("*/30 * * * * *", data="new")
        await anyio.sleep(60)
        assert seconds_of(flow) == [30, 60]
        assert flow.calls[0].event.data == b"new"
        flow.delete(PingSource, "p")
        await anyio.sleep(600)
        assert len(flow.calls) == 2
        assert not flow.cell.registry.view.listed(PingSource, "")


@on_virtual_time
async def test_a_ping_waits_for_its_sink() -> None:
    async with flowing() as flow:
        flow.ping(sink=TO_BROKER)
        await anyio.sleep(200)
        assert not flow.calls
        provided = flow.condition(PingSource, "SinkProvided")
        assert (provided.status, provided.reason, provided.message) == ("False", "NotFound", "")
        told = flow.cell.registry.view.listed(Event, "default")
        (missing,) = (each for each in told if each.reason == "SinkNotFound")
        assert (missing.type, missing.involved_object.name) == ("Warning", "p")
        assert missing.message.startswith('Sink not found: {"ref":{"kind":"Broker"')
        flow.broker()
        await anyio.sleep(60)
        assert [call.url for call in flow.calls] == [BROKER_URL]
        assert flow.condition(PingSource, "Ready").status == "True"
        flow.delete(Broker, "main")
        await anyio.sleep(600)
        assert len(flow.calls) == 1


@on_virtual_time
async def test_a_ping_is_tried_again_with_growing_pauses() -> None:
    async with flowing() as flow:
        flow.answer = lambda _: Answered(503)
        flow.ping()
        await anyio.sleep(70)
        at = [call.at for call in flow.calls]
        pauses = [round(later - earlier, 3) for earlier, later in pairwise(at)]
        assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6]
        assert len({call.event.id for call in flow.calls}) == 1
        assert flow.told() == [("failed", 503, 6)]


@on_virtual_time
async def test_a_defect_that_one_event_meets_stops_no_other() -> None:
    def answer(call: Call) -> Reply:
        if len(flow.calls) < 3:
            raise KeyError("nobody has thought of this")
        return Answered(202)

    async with flowing() as flow:
        flow.answer = answer
        flow.watch(CONFIG_MAPS)
        await anyio.sleep(1)
        config_map(flow, "new")
        await anyio.sleep(1)
        flow.ping()
        await anyio.sleep(120)
        sent = [fact for fact in flow.cell.facts if isinstance(fact, SourceSent)]
        assert [fact.kind for fact in sent] == ["ApiServerSource", "PingSource", "PingSource"]
        assert [fact.outcome for fact in sent] == ["failed", "failed", "delivered"]
        assert "knlite has a bug" in sent[0].why


@on_virtual_time
async def test_which_answers_are_tried_again() -> None:
    async with flowing() as flow:
        answers: list[Reply] = [Answered(500), Unanswered("refused"), Answered(404), Answered(200)]
        flow.answer = lambda _: answers[len(flow.calls) - 1]
        flow.ping()
        await anyio.sleep(121)
        assert flow.told() == [("failed", 500, 1), ("delivered", 200, 3)]


@on_virtual_time
async def test_a_sink_that_hangs_does_not_collect_pings_without_end() -> None:
    async with flowing() as flow:
        flow.answer = lambda _: 1e4
        flow.ping("* * * * * *")
        await anyio.sleep(AT_ONCE + 10.5)
        assert len(flow.calls) == AT_ONCE
        assert set(flow.told()) == {("failed", 0, 0)}


@on_virtual_time
async def test_a_trigger_depends_on_a_ping_source() -> None:
    async with flowing() as flow:
        flow.broker()
        depends = {"kind": "PingSource", "name": "p", "apiVersion": SOURCES}
        flow.cell.apply(
            {
                "apiVersion": "eventing.knative.dev/v1",
                "kind": "Trigger",
                "metadata": {
                    "name": "t",
                    "namespace": "default",
                    "annotations": {"knative.dev/dependency": json.dumps(depends)},
                },
                "spec": {"broker": "main", "subscriber": SINK},
            }
        )
        await anyio.sleep(1)
        ready = flow.condition(Trigger, "Ready")
        assert (ready.status, ready.reason) == ("False", "DependencyDoesNotExist")
        flow.ping(sink=TO_BROKER)
        await anyio.sleep(1)
        assert flow.condition(Trigger, "Ready").status == "True"


def config_map(flow: Flow, name: str, value: str = "1", namespace: str = "default") -> None:
    obj = ConfigMap(
        metadata=ObjectMeta(name=name, namespace=namespace, labels={"tier": value}),
        data={"a": value},
    )
    flow.cell.registry.apply(obj, user="test")


CONFIG_MAPS: dict[str, object] = {"apiVersion": "v1", "kind": "ConfigMap"}


@on_virtual_time
async def test_changes_of_objects_are_told_and_what_exists_is_not() -> None:
    async with flowing() as flow:
        config_map(flow, "old")
        flow.watch(CONFIG_MAPS)
        await anyio.sleep(1)
        config_map(flow, "new")
        await anyio.sleep(1)
        config_map(flow, "old", "2")
        flow.delete(ConfigMap, "new")
        await anyio.sleep(1)
        assert [(call.event.type, call.event.attributes["name"]) for call in flow.calls] == [
            ("dev.knative.apiserver.ref.add", "new"),
            ("dev.knative.apiserver.ref.update", "old"),
            ("dev.knative.apiserver.ref.delete", "new"),
        ]
        event = flow.calls[0].event
        assert event.attributes["subject"] == "/apis/v1/namespaces/default/configmaps/new"
        assert event.attributes["kind"] == "ConfigMap"
        assert event.attributes["apiversion"] == "v1"
        assert event.attributes["namespace"] == "default"
        assert flow.calls[0].data() == {
            "kind": "ConfigMap",
            "namespace": "default",
            "name": "new",
            "apiVersion": "v1",
        }
        assert flow.condition(ApiServerSource, "SufficientPermissions").status == "True"


@on_virtual_time
async def test_a_source_that_is_ready_misses_nothing() -> None:
    async with flowing() as flow:
        config_map(flow, "old")
        flow.watch(CONFIG_MAPS)
        config_map(flow, "before")
        flow.cell.controller.settle()
        assert is_true(flow.cell.registry.view.listed(ApiServerSource, "")[0].status.conditions)
        # In the same moment: nobody else has had a turn.
        config_map(flow, "new")
        await anyio.sleep(1)
        assert [call.event.attributes["name"] for call in flow.calls] == ["new"]


@on_virtual_time
async def test_the_mode_resource_sends_the_whole_object() -> None:
    async with flowing() as flow:
        flow.watch({"apiVersion": "serving.knative.dev/v1", "kind": "Service"}, mode="Resource")
        await anyio.sleep(1)
        flow.cell.service()
        await anyio.sleep(1)
        first = flow.calls[0]
        assert first.event.type == "dev.knative.apiserver.resource.add"
        assert first.event.attributes["subject"] == (
            "/apis/serving.knative.dev/v1/namespaces/default/services/web"
        )
        assert first.data()["kind"] == "Service"
        assert "spec" in first.data()
        updates = [call for call in flow.calls if call.event.type.endswith(".update")]
        assert any("True" in json.dumps(call.data().get("status")) for call in updates)


@on_virtual_time
async def test_objects_of_another_owner_are_not_told_of() -> None:
    async with flowing() as flow:
        pods: dict[str, object] = {"apiVersion": "v1", "kind": "Pod"}
        routes: dict[str, object] = {"apiVersion": "serving.knative.dev/v1", "kind": "Route"}
        owner = {"apiVersion": "serving.knative.dev/v1", "kind": "Service"}
        flow.watch(pods, routes, owner=owner)
        flow.watch(pods, name="pods")
        await anyio.sleep(1)
        flow.cell.service()
        await flow.cell.advance(3)
        told = {(call.headers["User-Agent"], call.event.attributes["kind"]) for call in flow.calls}
        assert told == {
            ("apiserversource default/a", "Route"),
            ("apiserversource default/pods", "Pod"),
        }


@on_virtual_time
async def test_selectors_choose_objects_and_namespaces() -> None:
    async with flowing() as flow:
        flow.watch(
            {**CONFIG_MAPS, "selector": {"matchLabels": {"tier": "1"}}},
            namespaceSelector={
                "matchExpressions": [
                    {
                        "key": "kubernetes.io/metadata.name",
                        "operator": "NotIn",
                        "values": ["default"],
                    }
                ]
            },
        )
        await anyio.sleep(1)
        found = flow.cell.registry.view.listed(ApiServerSource, "")[0]
        assert found.status.namespaces == ("knative-eventing", "knative-serving")
        config_map(flow, "here")
        config_map(flow, "there", namespace="knative-serving")
        config_map(flow, "other", "2", namespace="knative-serving")
        await anyio.sleep(1)
        config_map(flow, "there", "2", namespace="knative-serving")
        await anyio.sleep(1)
        # What is not selected any more is gone, for who watches.
        assert [(call.event.type, call.event.attributes["name"]) for call in flow.calls] == [
            ("dev.knative.apiserver.ref.add", "there"),
            ("dev.knative.apiserver.ref.delete", "there"),
        ]


@on_virtual_time
async def test_a_kind_that_does_not_exist_is_named_and_does_no_harm() -> None:
    async with flowing() as flow:
        flow.watch({"apiVersion": "example.com/v1", "kind": "Thing"}, CONFIG_MAPS)
        await anyio.sleep(1)
        deployed = flow.condition(ApiServerSource, "Deployed")
        assert deployed.status == "True"
        assert "Thing of example.com/v1" in deployed.message
        config_map(flow, "new")
        await anyio.sleep(1)
        assert len(flow.calls) == 1


@on_virtual_time
async def test_a_new_sink_takes_over_and_nothing_is_told_twice() -> None:
    async with flowing() as flow:
        flow.watch(CONFIG_MAPS)
        await anyio.sleep(1)
        config_map(flow, "one")
        await anyio.sleep(1)
        flow.watch(CONFIG_MAPS, sink={"uri": "http://other.example/"})
        await anyio.sleep(1)
        config_map(flow, "two")
        await anyio.sleep(1)
        assert [(call.url, call.event.attributes["name"]) for call in flow.calls] == [
            ("http://sink.example/", "one"),
            ("http://other.example/", "two"),
        ]


@on_virtual_time
async def test_changes_keep_their_order_while_a_sink_is_slow() -> None:
    async with flowing() as flow:
        flow.answer = lambda _: 5.0
        flow.watch(CONFIG_MAPS)
        await anyio.sleep(1)
        for name in ("one", "two", "three"):
            config_map(flow, name)
        await anyio.sleep(20)
        assert [call.event.attributes["name"] for call in flow.calls] == ["one", "two", "three"]


@on_virtual_time
async def test_event_types_of_a_source_come_and_go_with_what_it_sends() -> None:
    async with flowing() as flow:
        flow.broker()
        flow.ping(sink=TO_BROKER)
        flow.watch(CONFIG_MAPS, sink=TO_BROKER)
        await anyio.sleep(1)
        source = "/apis/v1/namespaces/default/pingsources/p"
        assert flow.types_of("p") == [("dev.knative.sources.ping", source, "main")]
        assert len(flow.types_of("a")) == 3
        found = flow.cell.registry.view.listed(EventType, "default")
        assert all(is_true(each.status.conditions) for each in found)
        flow.watch(CONFIG_MAPS, sink=TO_BROKER, mode="Resource")
        await anyio.sleep(1)
        assert {each[0].rpartition(".")[0] for each in flow.types_of("a")} == {
            "dev.knative.apiserver.resource"
        }
        flow.ping()
        await anyio.sleep(1)
        assert flow.types_of("p") == []
        flow.delete(ApiServerSource, "a")
        await anyio.sleep(1)
        assert not flow.cell.registry.view.listed(EventType, "default")


def accepted(flow: Flow, event_type: str, source: str = "/shop", kind: str = "Broker") -> None:
    """The broker takes an event, or a source of that *kind* meets one."""
    broker = flow.cell.registry.view.get(Broker, "default", "main")
    assert broker is not None
    flow.types.read(
        EventAccepted(
            flow.cell.clock.wall(),
            kind,
            "default",
            "main",
            broker.metadata.uid,
            1,
            {"type": event_type, "source": source, "id": "1", "specversion": "1.0"},
            None,
            None,
            255,
            (),
            "test",
        )
    )


def switch(flow: Flow, value: str) -> None:
    metadata = ObjectMeta(name="config-features", namespace="knative-eventing")
    data = {"eventtype-auto-create": value}
    flow.cell.registry.apply(ConfigMap(metadata=metadata, data=data), user="test")


@on_virtual_time
async def test_event_types_are_made_of_events_where_that_is_on() -> None:
    async with flowing() as flow:
        flow.broker()
        await anyio.sleep(1)
        accepted(flow, "before")
        switch(flow, "enabled")
        accepted(flow, "not sent to it", kind="KafkaSource")
        for _ in range(3):
            accepted(flow, "order.paid")
            accepted(flow, "order.sent")
        await anyio.sleep(1)
        assert sorted(flow.types_of("main")) == [
            ("order.paid", "/shop", "main"),
            ("order.sent", "/shop", "main"),
        ]
        found = flow.cell.registry.view.listed(EventType, "default")[0]
        assert found.metadata.name.startswith("et-main-")
        assert found.spec.description == "Event Type auto-created by controller"
        flow.delete(EventType, found.metadata.name)
        accepted(flow, found.spec.type)
        await anyio.sleep(1)
        assert len(flow.types_of("main")) == 2
        switch(flow, "disabled")
        accepted(flow, "after")
        flow.delete(Broker, "main")
        await anyio.sleep(1)
        assert flow.types_of("main") == []


@on_virtual_time
async def test_filters_choose_changes_where_they_are_switched_on() -> None:
    async with flowing() as flow:
        metadata = ObjectMeta(name="config-features", namespace="knative-eventing")
        flags = {"new-apiserversource-filters": "enabled"}
        flow.cell.registry.apply(ConfigMap(metadata=metadata, data=flags), user="test")
        flow.watch(CONFIG_MAPS, filters=[{"exact": {"name": "wanted"}}])
        await anyio.sleep(1)
        config_map(flow, "wanted")
        config_map(flow, "unwanted")
        await anyio.sleep(1)
        assert [call.event.attributes["name"] for call in flow.calls] == ["wanted"]


@on_virtual_time
async def test_a_sender_that_makes_up_types_does_not_fill_the_registry() -> None:
    async with flowing() as flow:
        flow.broker()
        await anyio.sleep(1)
        switch(flow, "enabled")
        for number in range(MOST + 10):
            accepted(flow, f"type.{number}")
        await anyio.sleep(1)
        assert len(flow.types_of("main")) == MOST


async def test_with_identities_on_a_source_sends_in_its_own_name() -> None:
    """Eventing reference §19 (PingSourceSendsEventsOIDC)."""
    async with flowing() as flow:
        features = {"name": "config-features", "namespace": "knative-eventing"}
        flow.cell.apply(
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": features,
                "data": {"authentication-oidc": "enabled"},
            }
        )
        flow.broker()
        flow.ping(sink=TO_BROKER)
        await anyio.sleep(61)
        (call, *_) = flow.calls
        token = call.headers["Authorization"].removeprefix("Bearer ")
        audience = "eventing.knative.dev/broker/default/main"
        account = "p-oidc-sources.knative.dev-pingsource"
        assert flow.issuer.subject(token, audience) == f"system:serviceaccount:default:{account}"
        assert flow.condition(PingSource, "OIDCIdentityCreated").status == "True"
        assert flow.cell.registry.view.get(ServiceAccount, "default", account) is not None
