"""Events from the broker to subscribers (Eventing data plane reference §2 to §4)."""

import base64
from dataclasses import replace

import anyio
import pytest

from knlite.dataplane.sender import Answered, Unanswered
from knlite.eventing.delivery import DeliveryPolicy
from knlite.facts import EventRefused
from knlite.kinds.eventing.flow import DEFAULT_PARALLELISM as AT_ONCE
from tests.flows.eventflow import (
    BROKER,
    RETRIES,
    SINK,
    A,
    B,
    always,
    event,
    flowing,
    in_turn,
    only,
    reply,
    settled,
    trigger,
)


async def test_every_trigger_gets_the_event_and_its_filter_decides() -> None:
    async with flowing(trigger("a", A), trigger("b", B, **only(type="wanted"))) as flow:
        assert await flow.post(event("1")) == 202
        assert await flow.post(event("2", type="wanted")) == 202
        await settled()
        assert [call.id for call in flow.sender.to(A)] == ["1", "2"]
        assert [call.id for call in flow.sender.to(B)] == ["2"]
        assert flow.kept() == 0


async def test_what_a_subscriber_is_sent() -> None:
    async with flowing(trigger("a", A)) as flow:
        await flow.post(
            event(knativebrokerttl="9"),
            ("X-Request-Id", "r"),
            ("Knative-Foo", "f"),
            ("Authorization", "secret"),
            ("Kn-Namespace", "forged"),
            ("Prefer", "other"),
        )
        await settled()
        (call,) = flow.sender.calls
        assert call.event == event(knativearrivaltime="2024-05-01T12:00:00Z")
        assert sorted(
            h for h in call.headers if not h[0].lower().startswith(("ce-", "content", "trace"))
        ) == [
            ("Kn-Namespace", "default"),
            ("Knative-Foo", "f"),
            ("Prefer", "reply"),
            ("User-Agent", "trigger default/a"),
            ("X-Request-Id", "r"),
        ]


async def test_a_trigger_that_asks_for_json_gets_structured_events() -> None:
    async with flowing(trigger("a", A, policy=DeliveryPolicy(structured=True))) as flow:
        await flow.post(event())
        await settled()
        (call,) = flow.sender.calls
        assert ("Content-Type", "application/cloudevents+json") in call.headers
        assert call.event.data == b"data"


@pytest.mark.parametrize(
    ("policy", "instants"),
    [
        pytest.param("linear", [0, 0, 0.2, 0.6], id="linear"),
        pytest.param("exponential", [0, 0.2, 0.6, 1.4], id="exponential"),
        pytest.param("", [0, 0, 0, 0], id="no policy"),
    ],
)
async def test_retries_come_at_their_instants(policy: str, instants: list[float]) -> None:
    async with flowing(trigger("a", A, policy=replace(RETRIES, policy=policy))) as flow:
        flow.sender.script[A] = always(Answered(503))
        began = flow.clock.now()
        await flow.post(event())
        await settled()
        assert [call.at - began for call in flow.sender.calls] == pytest.approx(instants)


async def test_a_retry_that_works_ends_the_retries() -> None:
    async with flowing(trigger("a", A, policy=RETRIES, dead_letter_sink=SINK)) as flow:
        flow.sender.script[A] = in_turn(Answered(503), Answered(200))
        began = flow.clock.now()
        await flow.post(event())
        await settled()
        assert [call.at - began for call in flow.sender.to(A)] == pytest.approx([0, 0.2])
        assert flow.sender.to(SINK) == []
        assert flow.outcomes() == [
            ("subscriber", 503, "retrying"),
            ("subscriber", 200, "delivered"),
        ]


async def test_a_subscriber_may_ask_for_a_longer_wait() -> None:
    policy = replace(RETRIES, retry_after_max=30)
    async with flowing(trigger("a", A, policy=policy)) as flow:
        asked = Answered(503, [("Retry-After", "7")])
        flow.sender.script[A] = in_turn(asked, Answered(200))
        began = flow.clock.now()
        await flow.post(event())
        await settled()
        assert [call.at - began for call in flow.sender.calls] == pytest.approx([0, 7])


async def test_an_event_whose_attempts_are_used_up_goes_to_the_dead_letter_sink() -> None:
    async with flowing(trigger("a", A, policy=RETRIES, dead_letter_sink=SINK)) as flow:
        flow.sender.script[A] = always(Answered(503, [], b"busy"))
        await flow.post(event(), ("X-Request-Id", "r"))
        await settled()
        assert len(flow.sender.to(A)) == 4
        (letter,) = flow.sender.to(SINK)
        assert letter.event == event(
            knativearrivaltime="2024-05-01T12:00:00Z",
            knativebrokerttl="255",
            knativeerrordest=A,
            knativeerrorcode="503",
            knativeerrordata=base64.b64encode(b"busy").decode(),
        )
        names = {name.lower() for name, _ in letter.headers}
        assert {"x-request-id", "kn-namespace"} <= names
        assert "prefer" not in names
        assert flow.outcomes()[-2:] == [
            ("subscriber", 503, "failed"),
            ("dead letter sink", 200, "dead-lettered"),
        ]
        assert flow.kept() == 0


async def test_what_cannot_work_is_not_tried_again() -> None:
    async with flowing(trigger("a", A, policy=RETRIES, dead_letter_sink=SINK)) as flow:
        flow.sender.script[A] = always(Answered(400))
        await flow.post(event())
        await settled()
        assert len(flow.sender.to(A)) == 1
        (letter,) = flow.sender.to(SINK)
        assert letter.event.attributes["knativeerrorcode"] == "400"
        assert letter.event.attributes["knativeerrordata"] == ""


async def test_no_answer_is_tried_again_and_counts_as_500() -> None:
    async with flowing(trigger("a", A, policy=RETRIES, dead_letter_sink=SINK)) as flow:
        flow.sender.script[A] = always(Unanswered("refused"))
        await flow.post(event())
        await settled()
        assert len(flow.sender.to(A)) == 4
        attributes = flow.sender.to(SINK)[0].event.attributes
        assert attributes["knativeerrorcode"] == "500"
        assert base64.b64decode(attributes["knativeerrordata"]) == b"dispatch error: refused"


async def test_the_dead_letter_sink_has_retries_of_its_own() -> None:
    async with flowing(trigger("a", A, policy=RETRIES, dead_letter_sink=SINK)) as flow:
        flow.sender.script = {A: always(Answered(400)), SINK: always(Answered(500))}
        await flow.post(event())
        await settled()
        assert len(flow.sender.to(SINK)) == 4
        assert flow.outcomes()[-1] == ("dead letter sink", 500, "failed")
        assert flow.kept() == 0


async def test_a_failed_event_without_a_dead_letter_sink_is_done_with() -> None:
    async with flowing(trigger("a", A)) as flow:
        flow.sender.script[A] = always(Answered(503))
        await flow.post(event())
        await settled()
        assert flow.outcomes() == [("subscriber", 503, "failed")]
        assert flow.kept() == 0


async def test_a_reply_enters_the_broker_with_one_less_to_live() -> None:
    async with flowing(
        trigger("a", A, **only(type="t")),
        trigger("b", B, **only(type="answer"), dead_letter_sink=SINK),
    ) as flow:
        answer = event("reply", type="answer", knativebrokerttl="99")
        flow.sender.script = {
            A: always(reply(answer, ("Knative-Foo", "f"), ("Set-Cookie", "c"))),
            B: always(Answered(400)),
        }
        await flow.post(event("first"))
        await settled()
        (call,) = flow.sender.to(B)
        assert call.id == "reply"
        assert "knativebrokerttl" not in call.event.attributes
        assert ("Knative-Foo", "f") in call.headers
        assert "Set-Cookie" not in dict(call.headers)
        assert flow.sender.to(SINK)[0].event.attributes["knativebrokerttl"] == "254"


async def test_a_loop_ends_when_the_time_to_live_does_and_the_last_event_is_dead() -> None:
    async with flowing(trigger("a", A, dead_letter_sink=SINK)) as flow:
        flow.sender.script[A] = lambda call: reply(event(f"{int(call.id) + 1}"))
        assert await flow.post(event("1")) == 202
        await settled()
        assert [call.id for call in flow.sender.to(A)] == [str(n) for n in range(1, 256)]
        (letter,) = flow.sender.to(SINK)
        assert letter.id == "255"
        assert letter.event.attributes["knativeerrordest"] == BROKER
        assert letter.event.attributes["knativeerrorcode"] == "400"
        assert sum(isinstance(fact, EventRefused) for fact in flow.facts) == 1


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Answered(200, [], b"OK"), id="text"),
        pytest.param(Answered(202, [("Content-Type", "application/json")], b"{}"), id="json"),
        pytest.param(Answered(200, [("ce-specversion", "1.0")]), id="event without an id"),
        pytest.param(
            Answered(200, [("Content-Type", "application/cloudevents-batch+json")], b"[]"),
            id="batch",
        ),
    ],
)
async def test_an_answer_that_is_no_event_is_a_failure(answer: Answered) -> None:
    async with flowing(trigger("a", A, policy=RETRIES, dead_letter_sink=SINK)) as flow:
        flow.sender.script[A] = always(answer)
        await flow.post(event())
        await settled()
        assert flow.outcomes()[:4] == [
            *[("subscriber", 502, "retrying")] * 3,
            ("subscriber", 502, "failed"),
        ]
        assert flow.sender.to(SINK)[0].event.attributes["knativeerrorcode"] == "502"


async def test_what_the_dead_letter_sink_answers_is_ignored() -> None:
    async with flowing(trigger("a", A, dead_letter_sink=SINK)) as flow:
        flow.sender.script = {A: always(Answered(400)), SINK: always(Answered(200, [], b"OK"))}
        await flow.post(event())
        await settled()
        assert flow.outcomes()[-1] == ("dead letter sink", 200, "dead-lettered")


async def test_a_trigger_keeps_its_events_until_its_subscriber_appears() -> None:
    async with flowing(trigger("a", None)) as flow:
        await flow.post(event("1"))
        await flow.post(event("2"))
        await settled()
        assert flow.sender.calls == []
        assert flow.outcomes() == [("subscriber", 0, "waiting")] * 2
        assert flow.kept() == 2
        flow.triggers(trigger("a", A))
        await settled()
        assert [call.id for call in flow.sender.to(A)] == ["1", "2"]
        assert flow.kept() == 0


async def test_a_trigger_that_is_deleted_stops_at_once() -> None:
    async with flowing(trigger("a", A, policy=RETRIES), trigger("b", B)) as flow:
        flow.sender.script[A] = always(Answered(503))
        await flow.post(event("1"))
        await anyio.sleep(0.3)
        assert len(flow.sender.to(A)) == 2
        flow.triggers(trigger("b", B))
        await flow.post(event("2"))
        await settled()
        assert len(flow.sender.to(A)) == 2
        assert [call.id for call in flow.sender.to(B)] == ["1", "2"]
        assert flow.kept() == 0


async def test_a_trigger_that_comes_later_sees_only_what_comes_later() -> None:
    async with flowing(trigger("a", None)) as flow:
        await flow.post(event("1"))
        flow.triggers(trigger("a", None), trigger("b", B))
        await flow.post(event("2"))
        await settled()
        assert [call.id for call in flow.sender.to(B)] == ["2"]


async def test_an_event_that_backs_off_holds_up_no_other() -> None:
    async with flowing(trigger("a", A, policy=RETRIES)) as flow:
        flow.sender.script[A] = lambda call: Answered(503 if call.id == "1" else 200)
        began = flow.clock.now()
        await flow.post(event("1"))
        await flow.post(event("2"))
        await settled()
        instants = {call.id: call.at - began for call in flow.sender.calls if call.id == "2"}
        assert instants == {"2": pytest.approx(0)}


async def test_an_event_that_takes_long_holds_up_no_other() -> None:
    async with flowing(trigger("a", A), trigger("b", B)) as flow:
        flow.sender.script[A] = lambda call: 60.0 if call.id == "1" else Answered(200)
        began = flow.clock.now()
        await flow.post(event("1"))
        await flow.post(event("2"))
        await anyio.sleep(1)
        assert [call.at - began for call in flow.sender.calls] == pytest.approx([0] * 4)
        assert flow.kept() == 1
        await settled()
        assert flow.kept() == 0


async def test_an_attempt_may_take_as_long_as_the_delivery_says() -> None:
    async with flowing(trigger("a", A, policy=DeliveryPolicy(timeout=5))) as flow:
        await flow.post(event())
        await settled()
        assert flow.sender.calls[0].timeout == 5


async def test_what_was_on_its_way_when_the_run_ended_is_not_done_with() -> None:
    async with flowing(trigger("a", A, policy=RETRIES)) as flow:
        flow.sender.script[A] = always(Answered(503))
        await flow.post(event())
        await anyio.sleep(0.3)
    assert len(flow.sender.calls) == 2
    assert flow.kept() == 1


async def test_more_events_than_may_be_on_their_way_wait_their_turn() -> None:
    async with flowing(trigger("a", A)) as flow:
        flow.sender.script[A] = lambda _: 60.0
        began = flow.clock.now()
        for number in range(AT_ONCE + 1):
            await flow.post(event(str(number)))
        await settled()
        instants = [call.at - began for call in flow.sender.calls]
        assert instants == pytest.approx([0.0] * AT_ONCE + [60.0])
        assert flow.kept() == 0


async def test_a_subscriber_that_is_lost_while_events_wait_their_turn_is_waited_for() -> None:
    async with flowing(trigger("a", A)) as flow:
        flow.sender.script[A] = lambda _: 60.0
        for number in range(AT_ONCE + 1):
            await flow.post(event(str(number)))
        await anyio.sleep(1)
        flow.triggers(trigger("a", None))
        await settled()
        assert (len(flow.sender.calls), flow.kept()) == (AT_ONCE, 1)
        flow.triggers(trigger("a", B))
        await settled()
        assert [call.id for call in flow.sender.to(B)] == [str(AT_ONCE)]
        assert flow.kept() == 0
