"""Brokers and sources on a server that can be lost, on jumping time (ADR 0033)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial

import anyio
import pytest

from knlite.dataplane import acceptances
from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.kafka.backing import KafkaBacking, KafkaServer
from knlite.eventing.topology import Egress, Resource, ResourceKey, Topology
from knlite.facts import DeliveryAttempted, EventAccepted, EventRefused
from tests.flows.eventflow import (
    MAIN,
    RETRIES,
    SINK,
    A,
    Answered,
    B,
    Flow,
    always,
    event,
    only,
    reply,
    settled,
    trigger,
)
from tests.flows.serverengine import Message, Server, ServerEngine

BACKING = KafkaBacking(server=KafkaServer(bootstrap=("127.0.0.1:1",)), topics=("t",))
BROKER = Resource(
    kind="Broker", namespace="default", name="main", uid="broker", engine="kafka", backing=BACKING
)
SOURCE = Resource(
    kind="KafkaSource", namespace="default", name="s", uid="s", engine="kafka", backing=BACKING
)


class ServerFlow(Flow):
    def __init__(self, server: Server, run: str) -> None:
        super().__init__(kafka=partial(ServerEngine, server, run=run))
        self.server = server

    def have(self, *resources: Resource) -> None:
        self.dispatcher.topology_changed(Topology({each.key: each for each in resources}))

    def accepted(self) -> list[EventAccepted]:
        return [fact for fact in self.facts if isinstance(fact, EventAccepted)]

    def ended(self) -> list[DeliveryAttempted]:
        return [f for f in self.facts if isinstance(f, DeliveryAttempted) and f.ended]


@asynccontextmanager
async def on_server(
    *resources: Resource, server: Server | None = None, run: str = "1"
) -> AsyncIterator[ServerFlow]:
    flow = ServerFlow(server or Server(), run)
    flow.have(*resources)
    async with anyio.create_task_group() as group:
        await group.start(flow.dispatcher.run)
        yield flow
        group.cancel_scope.cancel()


def on_broker(*egresses: Egress) -> Resource:
    return replace(BROKER, egresses=tuple(replace(e, reader=f"q-{e.name}") for e in egresses))


async def test_an_event_goes_through_a_server_and_is_told_once() -> None:
    async with on_server(on_broker(trigger("a", A), trigger("b", B, **only(type="x")))) as flow:
        assert await flow.post(event()) == 202
        await settled()
        (fact,) = flow.accepted()
        assert (fact.engine, fact.readers, fact.again) == ("kafka", ("a",), False)
        assert [call.id for call in flow.sender.to(A)] == ["1"]
        # Its delivery is told after it.
        assert flow.facts.index(fact) < flow.facts.index(flow.ended()[0])
        # What others read is as the sender sent it.
        assert "knativearrivaltime" not in flow.sender.calls[0].event.attributes


async def test_a_lost_server_is_a_503_that_says_when_to_come_again() -> None:
    async with on_server(on_broker(trigger("a", A))) as flow:
        flow.server.lose()
        answer = await flow.ingress.to_broker(
            "default", "main", "POST", "/default/main",
            [("ce-specversion", "1.0"), ("ce-id", "1"), ("ce-source", "/s"), ("ce-type", "t")], b"",
        )  # fmt: skip
        assert answer.status == 503
        assert dict(answer.headers)["Retry-After"]
        assert b"connection refused" in answer.body
        assert [f.status for f in flow.facts if isinstance(f, EventRefused)] == [503]
        assert flow.accepted() == []
        flow.server.come_back()
        assert await flow.post(event("2")) == 202
        await settled()
        assert [call.id for call in flow.sender.calls] == ["2"]


async def test_what_was_refused_in_doubt_has_a_story_when_it_comes_all_the_same() -> None:
    async with on_server(on_broker(trigger("a", A))) as flow:
        flow.server.confirms = False
        assert await flow.post(event()) == 503
        await settled()
        (fact,) = flow.accepted()
        assert flow.ended()[0].arrival == fact.arrival


async def test_of_events_whose_senders_have_gone_the_newest_are_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(acceptances, "DOUBTFUL_BYTES", 6)
    async with on_server(on_broker(trigger("a", A))) as flow:
        sent = dict[int, CloudEvent]()
        for name in ("1", "2"):
            with anyio.move_on_after(0.005):
                await flow.post(event(name))
            sent[flow.ingress.last_arrival] = event(name)
        # The server has got them all the same.
        trace = ("traceparent", f"00-{'a' * 32}-{'b' * 16}-01")
        for arrival, each in sent.items():
            flow.server.put(Message(flow.server.number(), each, (trace,), 255, arrival, run="1"))
        await settled()
        assert len(flow.sender.to(A)) == 2
        assert [fact.arrival for fact in flow.accepted()] == list(sent)[1:]


async def test_a_reconnect_makes_no_duplicates() -> None:
    async with on_server(on_broker(trigger("a", A))) as flow:
        held = flow.sender.until[A] = anyio.Event()
        await flow.post(event())
        await settled()
        flow.server.lose()
        flow.server.come_back()
        await settled()
        flow.server.lose()
        held.set()
        await settled()
        flow.server.come_back()
        await settled()
        assert len(flow.sender.to(A)) == 1
        assert flow.server.queues["q-a"].messages == {}


async def test_the_next_run_goes_on_and_says_that_it_does() -> None:
    server, broker = Server(), on_broker(trigger("a", A))
    async with on_server(broker, server=server) as flow:
        flow.sender.until[A] = anyio.Event()
        await flow.post(event())
        await settled()
        arrival = flow.accepted()[0].arrival
    async with on_server(broker, server=server, run="2") as flow:
        await settled()
        (fact,) = flow.accepted()
        assert (fact.again, fact.arrival, fact.readers) == (True, arrival, ("a",))
        (ended,) = flow.ended()
        assert (ended.again, ended.arrival, ended.outcome) == (True, arrival, "delivered")


async def test_an_event_of_somebody_else_is_one_event_for_all_its_triggers() -> None:
    async with on_server(on_broker(trigger("a", A), trigger("b", B))) as flow:
        parent = f"00-{'a' * 32}-{'b' * 16}-01"
        flow.server.sent_by_others(event(), ("traceparent", parent))
        await settled()
        (fact,) = flow.accepted()
        assert (fact.sender, fact.readers) == ("message 1 of the server", ("a", "b"))
        assert {each.arrival for each in flow.ended()} == {fact.arrival}
        assert len(flow.ended()) == 2
        sent = dict(flow.sender.to(A)[0].headers)
        assert sent["traceparent"][3:35] == "a" * 32


async def test_replies_to_events_of_others_have_a_time_to_live() -> None:
    async with on_server(on_broker(trigger("a", A, **only(type="t")))) as flow:
        flow.sender.script[A] = lambda _: reply(event("2", type="answer"))
        flow.server.sent_by_others(event())
        await settled()
        assert [fact.ttl for fact in flow.accepted()] == [255, 254]


async def test_dead_letters_wait_in_a_queue_of_the_server() -> None:
    failing = trigger("a", A, policy=RETRIES, dead_letter_sink=SINK, own_dead_letters=True)
    async with on_server(on_broker(failing)) as flow:
        flow.sender.script[A] = always(Answered(500))
        held = flow.sender.until[SINK] = anyio.Event()
        await flow.post(event())
        await settled()
        # It is out of the queue of the trigger, and kept in the other until the sink has it.
        assert flow.server.queues["q-a"].messages == {}
        assert len(flow.server.queues["q-a.dlq"].messages) == 1
        held.set()
        await settled()
        assert flow.server.queues["q-a.dlq"].messages == {}
        (call,) = flow.sender.to(SINK)
        assert call.event.attributes["knativeerrorcode"] == "500"
        (ended,) = flow.ended()
        assert (ended.outcome, ended.arrival) == ("dead-lettered", flow.accepted()[0].arrival)


async def test_that_a_dead_letter_is_at_its_sink_is_told_last() -> None:
    """Though it is there before the server has confirmed that it is kept."""
    failing = trigger("a", A, dead_letter_sink=SINK, own_dead_letters=True)
    async with on_server(on_broker(failing)) as flow:
        flow.sender.script[A] = always(Answered(500))
        await flow.post(event())
        await settled()
        told = [fact for fact in flow.facts if isinstance(fact, DeliveryAttempted)]
        assert [fact.outcome for fact in told] == ["failed", "waiting", "dead-lettered"]


async def test_a_dead_letter_that_cannot_be_queued_goes_to_the_sink_at_once() -> None:
    failing = trigger("a", A, dead_letter_sink=SINK, own_dead_letters=True)
    async with on_server(on_broker(failing)) as flow:
        held = flow.sender.until[A] = anyio.Event()
        flow.sender.script[A] = always(Answered(500))
        await flow.post(event())
        await settled()
        flow.server.lose()
        held.set()
        await settled()
        assert [call.id for call in flow.sender.to(SINK)] == ["1"]
        flow.server.come_back()
        await settled()
        assert len(flow.sender.to(SINK)) == 1


async def test_sent_again_for_one_trigger_it_is_for_that_one_in_other_runs_too() -> None:
    async with on_server(on_broker(trigger("a", A), trigger("b", B))) as flow:
        await flow.post(event())
        await settled()
        first = flow.accepted()[0]
        answer = await flow.ingress.accept(
            MAIN, event(), 255, first.headers, "knlite replay",
            only=frozenset({"b"}), replay_of=first.arrival,
        )  # fmt: skip
        assert answer.status == 202
        await settled()
        assert (len(flow.sender.to(A)), len(flow.sender.to(B))) == (1, 2)
        again = flow.accepted()[1]
        assert (again.only, again.readers, again.replay_of) == (("b",), ("b",), first.arrival)


async def test_a_source_brings_what_others_write_and_sends_it_again_without_writing() -> None:
    egress = Egress(
        kind="KafkaSource",
        namespace="default",
        name="s",
        uid="s",
        reader="g",
        subscriber=A,
        overrides={"team": "blue"},
    )
    async with on_server(replace(SOURCE, egresses=(egress,))) as flow:
        flow.server.sent_by_others(event())
        await settled()
        (call,) = flow.sender.to(A)
        assert call.event.attributes["team"] == "blue"
        (fact,) = flow.accepted()
        assert (fact.kind, fact.readers) == ("KafkaSource", ("s",))
        assert flow.server.queues["g"].messages == {}
        await flow.ingress.accept(
            ResourceKey("KafkaSource", "default", "s"), event(), 0, fact.headers, "knlite replay",
            only=frozenset({"s"}), replay_of=fact.arrival,
        )  # fmt: skip
        await settled()
        assert len(flow.sender.to(A)) == 2
        assert flow.server.queues["g"].messages == {}


async def test_a_source_that_is_held_up_says_so_and_goes_on_when_it_may() -> None:
    egress = Egress(
        kind="KafkaSource", namespace="default", name="s", uid="s", reader="g", paused=True
    )
    async with on_server(replace(SOURCE, egresses=(egress,))) as flow:
        flow.server.sent_by_others(event())
        await settled()
        (waiting,) = (f for f in flow.facts if isinstance(f, DeliveryAttempted))
        assert (waiting.outcome, "spec.consumers is 0" in waiting.why) == ("waiting", True)
        flow.have(replace(SOURCE, egresses=(replace(egress, subscriber=A, paused=False),)))
        await settled()
        assert len(flow.sender.to(A)) == 1


async def test_what_a_source_reads_of_ours_is_an_event_of_its_own() -> None:
    egress = Egress(
        kind="KafkaSource", namespace="default", name="s", uid="s", reader="g", subscriber=A
    )
    source = replace(SOURCE, egresses=(egress,))
    async with on_server(source, on_broker(trigger("b", B))) as flow:
        assert await flow.post(event()) == 202
        await settled()
        of_broker, of_source = sorted(flow.accepted(), key=lambda fact: fact.kind)
        assert (of_broker.kind, of_source.kind) == ("Broker", "KafkaSource")
        assert {(each.egress_uid, each.arrival) for each in flow.ended()} == {
            ("b", of_broker.arrival),
            ("s", of_source.arrival),
        }


async def test_the_server_hears_of_what_nobody_has_taken() -> None:
    lost = trigger("a", A)
    buried = trigger("b", B, dead_letter_sink=SINK)
    async with on_server(on_broker(lost, buried)) as flow:
        for url in (A, B):
            flow.sender.script[url] = always(Answered(500))
        await flow.post(event())
        await settled()
        assert flow.server.rejected == ["1"]
        flow.sender.script[SINK] = always(Answered(500))
        await flow.post(event("2"))
        await settled()
        assert flow.server.rejected == ["1", "2", "2"]


async def test_other_credentials_are_given_to_the_engine_and_readers_go_on() -> None:
    async with on_server(on_broker(trigger("a", A))) as flow:
        other = replace(BACKING, server=replace(BACKING.server, user="me"))
        flow.have(replace(on_broker(trigger("a", A)), backing=other))
        (engine,) = flow.server.engines
        assert [owner.backing for owner in engine.opened] == [BACKING, other]
        await flow.post(event())
        await settled()
        assert len(flow.sender.to(A)) == 1


async def test_a_broker_whose_connection_gets_lost_from_its_config_goes_on() -> None:
    async with on_server(on_broker(trigger("a", A))) as flow:
        flow.have(replace(on_broker(trigger("a", A)), backing=None, problem="no Secret x"))
        assert await flow.post(event()) == 202
        await settled()
        assert len(flow.sender.to(A)) == 1
        assert "q-a" in flow.server.queues


async def test_a_broker_without_a_connection_says_why_and_begins_when_it_has_one() -> None:
    without = replace(on_broker(trigger("a", A)), backing=None, problem="no Secret x")
    async with on_server(without) as flow:
        assert await flow.post(event()) == 503
        flow.have(on_broker(trigger("a", A)))
        assert await flow.post(event("2")) == 202
        await settled()
        assert [call.id for call in flow.sender.to(A)] == ["2"]


async def test_what_is_deleted_is_deleted_on_the_server_and_a_run_that_ends_deletes_nothing() -> (
    None
):
    async with on_server(on_broker(trigger("a", A), trigger("b", B))) as flow:
        assert set(flow.server.queues) == {"q-a", "q-b"}
        flow.have(on_broker(trigger("a", A)))
        assert set(flow.server.queues) == {"q-a"}
    assert set(flow.server.queues) == {"q-a"}
    async with on_server(on_broker(trigger("a", A)), server=flow.server, run="2") as again:
        again.have()
    assert flow.server.queues == {}
