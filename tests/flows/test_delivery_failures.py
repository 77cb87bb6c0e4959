"""What goes wrong while events are on their way, and that none of them is lost by it."""

from collections.abc import Callable
from dataclasses import replace

import anyio
import pytest

from knlite.dataplane.sender import Answered, Unanswered
from knlite.eventing.topology import Topology
from knlite.facts import DeliveryAttempted, EgressChanged, EventAccepted, Notice
from tests.flows.eventflow import (
    RETRIES,
    SINK,
    A,
    B,
    Call,
    Reply,
    always,
    event,
    flowing,
    in_turn,
    only,
    reply,
    settled,
    trigger,
)


@pytest.mark.parametrize(
    "failing",
    [
        pytest.param(Answered(500, [], b"Traceback"), id="500"),
        pytest.param(Answered(429, [("Retry-After", "3")]), id="429"),
        pytest.param(Unanswered("no complete answer within 5 s"), id="timeout"),
        pytest.param(Unanswered("read: connection reset by peer"), id="reset"),
        pytest.param(Unanswered("malformed HTTP response"), id="garbage"),
        pytest.param(Answered(200, [("ce-specversion", "1.0")], b"x"), id="half an event"),
    ],
)
async def test_a_subscriber_that_recovers_gets_every_event(failing: Reply) -> None:
    async with flowing(trigger("a", A, policy=RETRIES, dead_letter_sink=SINK)) as flow:
        failed: set[str] = set()

        def answer(call: Call) -> Reply:
            if call.id in failed:
                return Answered(202)
            failed.add(call.id)
            return failing

        flow.sender.script[A] = answer
        for number in range(50):
            await flow.post(event(str(number)))
        await settled()
        assert len(flow.sender.to(A)) == 100
        assert flow.sender.to(SINK) == []
        ended = [fact for fact in flow.facts if isinstance(fact, DeliveryAttempted) and fact.ended]
        assert sorted(fact.arrival for fact in ended) == sorted(
            fact.arrival for fact in flow.facts if isinstance(fact, EventAccepted)
        )
        assert flow.kept() == 0


async def test_a_retry_says_when_the_next_attempt_is_and_what_was_answered() -> None:
    async with flowing(trigger("a", A, policy=RETRIES)) as flow:
        flow.sender.script[A] = in_turn(
            Answered(500, [], b"x" * 5000, "web-1"), Answered(200, [], b"", "web-2")
        )
        await flow.post(event())
        await settled()
        first, second = (fact for fact in flow.facts if isinstance(fact, DeliveryAttempted))
        assert (first.next_in, first.instance, len(first.body)) == (0.2, "web-1", 1024)
        assert (second.next_in, second.instance, second.body) == (None, "web-2", b"")


async def test_a_dead_letter_sink_that_fails_too_is_told_and_ends_the_event() -> None:
    async with flowing(trigger("a", A, dead_letter_sink=SINK)) as flow:
        flow.sender.script = {A: always(Answered(400)), SINK: always(Unanswered("refused"))}
        await flow.post(event())
        await settled()
        assert flow.outcomes() == [("subscriber", 400, "failed"), ("dead letter sink", 0, "failed")]
        assert flow.kept() == 0


async def test_a_second_dead_letter_keeps_what_is_known_of_the_first() -> None:
    first = {"knativeerrordest": "http://first.test/", "knativeerrorcode": "418"}
    async with flowing(trigger("a", A, dead_letter_sink=SINK)) as flow:
        flow.sender.script[A] = always(Answered(400, [], b"no"))
        await flow.post(event(**first))
        await settled()
        attributes = flow.sender.to(SINK)[0].event.attributes
        assert first.items() <= attributes.items()
        assert attributes["knativeerrordata"] == "bm8="


async def test_the_data_of_an_error_has_a_limit() -> None:
    async with flowing(trigger("a", A, dead_letter_sink=SINK)) as flow:
        flow.sender.script[A] = always(Answered(400, [], b"x" * 10_000))
        await flow.post(event())
        await settled()
        assert len(flow.sender.to(SINK)[0].event.attributes["knativeerrordata"]) == 1024


async def test_a_broker_that_is_deleted_takes_its_events_along() -> None:
    async with flowing(trigger("a", A, policy=RETRIES)) as flow:
        flow.sender.script[A] = always(Answered(503))
        for number in range(150):
            await flow.post(event(str(number)))
        await anyio.sleep(0.1)
        asked = len(flow.sender.calls)
        flow.dispatcher.topology_changed(Topology())
        assert await flow.post(event("late")) == 404
        await settled()
        assert len(flow.sender.calls) == asked
        assert [fact.gone for fact in flow.facts if isinstance(fact, EgressChanged)] == [
            False,
            True,
        ]
        # One of the same name begins with nothing.
        flow.sender.script[A] = always(Answered(200))
        flow.triggers(trigger("a", A))
        assert await flow.post(event("new")) == 202
        await settled()
        assert [call.id for call in flow.sender.calls[asked:]] == ["new"]


async def test_an_event_on_its_way_goes_to_the_subscriber_that_a_trigger_has_got() -> None:
    async with flowing(trigger("a", A, policy=RETRIES)) as flow:
        flow.sender.script[A] = always(Answered(503))
        await flow.post(event())
        await anyio.sleep(0.3)
        flow.triggers(trigger("a", B, policy=RETRIES))
        await settled()
        assert (len(flow.sender.to(A)), len(flow.sender.to(B))) == (2, 1)
        assert flow.outcomes()[-1] == ("subscriber", 200, "delivered")


async def test_an_event_on_its_way_is_tried_by_the_delivery_that_a_trigger_has_got() -> None:
    async with flowing(trigger("a", A, policy=RETRIES)) as flow:
        flow.sender.script[A] = always(Answered(503))
        await flow.post(event())
        await anyio.sleep(0.3)
        edited = trigger("a", A, policy=replace(RETRIES, retry=6), dead_letter_sink=SINK)
        flow.triggers(edited)
        await settled()
        assert (len(flow.sender.to(A)), len(flow.sender.to(SINK))) == (7, 1)


async def test_another_filter_leaves_alone_what_has_arrived() -> None:
    async with flowing(trigger("a", A, parallelism=1)) as flow:
        flow.sender.script[A] = always(10.0)
        for number in range(3):
            await flow.post(event(str(number)))
        flow.triggers(trigger("a", A, parallelism=1, **only(type="other")))
        await flow.post(event("3"))
        await flow.post(event("4", type="other"))
        await settled()
        assert [call.id for call in flow.sender.calls] == ["0", "1", "2", "4"]
        changed = [fact for fact in flow.facts if isinstance(fact, EgressChanged)]
        arrivals = [fact.arrival for fact in flow.facts if isinstance(fact, EventAccepted)]
        assert len(changed) == 2
        assert arrivals[2] <= changed[1].since < arrivals[3]


async def test_a_subscriber_that_goes_away_between_attempts_is_waited_for() -> None:
    async with flowing(trigger("a", A, policy=RETRIES)) as flow:
        flow.sender.script[A] = always(Answered(503))
        await flow.post(event())
        await anyio.sleep(0.1)
        flow.triggers(trigger("a", None, policy=RETRIES))
        await settled()
        assert flow.outcomes()[-1] == ("subscriber", 0, "waiting")
        flow.triggers(trigger("a", B, policy=RETRIES))
        await settled()
        assert [call.id for call in flow.sender.to(B)] == ["1"]
        assert flow.kept() == 0


async def test_a_dead_letter_sink_that_is_taken_away_while_it_is_tried_ends_the_event() -> None:
    async with flowing(trigger("a", A, policy=RETRIES, dead_letter_sink=SINK)) as flow:
        flow.sender.script = {A: always(Answered(400)), SINK: always(Answered(503))}
        await flow.post(event())
        await anyio.sleep(0.1)
        flow.triggers(trigger("a", A, policy=RETRIES))
        await settled()
        assert len(flow.sender.to(SINK)) == 1
        assert flow.outcomes()[-1][2] == "failed"
        assert flow.kept() == 0


async def test_every_delivery_continues_the_trace_of_its_event() -> None:
    sent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
    async with flowing(
        trigger("a", A, policy=RETRIES, **only(type="t")), trigger("b", B, **only(type="answer"))
    ) as flow:
        flow.sender.script[A] = in_turn(
            Answered(503), reply(event("2", type="answer"), ("traceparent", "forged"))
        )
        await flow.post(event(), ("traceparent", sent), ("tracestate", "x=y"))
        await settled()
        headers = [dict(call.headers) for call in flow.sender.calls]
        traces = [each["traceparent"].split("-") for each in headers]
        assert len(traces) == 3
        assert {(each[1], each[3]) for each in traces} == {(sent[3:35], "00")}
        spans = {each[2] for each in traces}
        assert len(spans) == 3
        assert sent[36:52] not in spans
        assert [each["tracestate"] for each in headers] == ["x=y"] * 3


async def test_an_event_without_a_trace_gets_one_that_all_its_deliveries_share() -> None:
    async with flowing(trigger("a", A), trigger("b", B)) as flow:
        await flow.post(event("1"), ("traceparent", "nonsense"), ("tracestate", "x=y"))
        await flow.post(event("2"))
        await settled()
        traces: dict[str, set[str]] = {}
        for call in flow.sender.calls:
            headers = dict(call.headers)
            traces.setdefault(call.id, set()).add(headers["traceparent"].split("-")[1])
            assert "tracestate" not in headers
        assert [len(each) for each in traces.values()] == [1, 1]
        assert traces["1"] != traces["2"]


async def test_an_error_of_our_own_stops_neither_the_trigger_nor_the_platform() -> None:
    def broken(call: Call) -> Reply:
        if call.id == "1":
            raise RuntimeError("a bug")
        return Answered(200)

    async with flowing(trigger("a", A)) as flow:
        flow.sender.script[A] = broken
        await flow.post(event("1"))
        await flow.post(event("2"))
        await settled()
        assert [call.id for call in flow.sender.calls] == ["1", "2"]
        (notice,) = (fact for fact in flow.facts if isinstance(fact, Notice))
        assert notice.text == "Trigger a: event 1 was given up: RuntimeError: a bug"
        assert flow.kept() == 0


@pytest.mark.parametrize("seconds", [0.0, 0.1, 0.2, 0.3, 5.0])
async def test_wherever_a_run_ends_nothing_is_done_with_that_was_not_brought(
    seconds: float,
) -> None:
    async with flowing(
        trigger("a", A, policy=RETRIES, dead_letter_sink=SINK), trigger("b", None)
    ) as flow:
        answers: Callable[[Call], Reply | float] = lambda call: (  # noqa: E731
            2.0 if call.id == "1" else Answered(503)
        )
        flow.sender.script = {A: answers, SINK: always(1.0)}
        for number in range(3):
            await flow.post(event(str(number)))
        await anyio.sleep(seconds)
        ended = {
            (fact.arrival, fact.egress_uid)
            for fact in flow.facts
            if isinstance(fact, DeliveryAttempted) and fact.ended
        }
    assert not any(egress == "b" for _, egress in ended)
    # Trigger b holds all of them.
    assert flow.kept() == 3
