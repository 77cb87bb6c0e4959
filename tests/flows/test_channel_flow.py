"""Events through a channel to its subscriptions (Eventing data plane reference §2.3, §4.1)."""

import base64
from dataclasses import replace

import anyio
import pytest

from knlite.dataplane.sender import Answered, Unanswered
from tests.flows.eventflow import (
    PIPE,
    RETRIES,
    SINK,
    A,
    B,
    always,
    event,
    in_turn,
    piping,
    reply,
    settled,
    subscription,
)

REPLIES = "http://replies.test/"


async def test_every_subscription_gets_the_event_as_it_came() -> None:
    async with piping(subscription("a", A), subscription("b", B)) as flow:
        assert await flow.put(event(knativebrokerttl="9"), ("X-Request-Id", "r")) == 202
        await settled()
        for url in (A, B):
            (call,) = flow.sender.to(url)
            assert call.event == event(knativebrokerttl="9")
            assert {("Kn-Namespace", "default"), ("Prefer", "reply"), ("X-Request-Id", "r")} <= set(
                call.headers
            )
        assert flow.kept(PIPE) == 0


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Answered(200, [], b"OK"), id="text"),
        pytest.param(Answered(200, [("Content-Type", "application/json")], b"{}"), id="json"),
        pytest.param(reply(event("answer")), id="event without a reply address"),
        pytest.param(Answered(200, [("ce-specversion", "1.0")]), id="malformed without one"),
    ],
)
async def test_what_is_no_reply_is_ignored(answer: Answered) -> None:
    async with piping(subscription("a", A, dead_letter_sink=SINK, policy=RETRIES)) as flow:
        flow.sender.script[A] = always(answer)
        await flow.put(event())
        await settled()
        assert flow.outcomes() == [("subscriber", answer.status, "delivered")]


async def test_a_reply_goes_on_as_the_subscriber_wrote_it() -> None:
    structured = Answered(
        200,
        [
            ("Content-Type", "application/cloudevents+json; charset=utf-8"),
            ("Knative-Foo", "f"),
            ("Set-Cookie", "c"),
        ],
        b'{"specversion":"1.0","id":"reply","source":"/a","type":"x","number":5}',
    )
    async with piping(subscription("a", A, reply=REPLIES)) as flow:
        flow.sender.script[A] = always(structured)
        await flow.put(event())
        await settled()
        (call,) = flow.sender.to(REPLIES)
        assert call.event.id == "reply"
        headers = dict(call.headers)
        assert headers["Content-Type"] == "application/cloudevents+json; charset=utf-8"
        assert headers["Knative-Foo"] == "f"
        assert headers["Kn-Namespace"] == "default"
        assert not {"Set-Cookie", "Prefer"} & headers.keys()
        assert flow.outcomes() == [
            ("subscriber", 200, "delivered"),
            ("reply", 200, "delivered"),
        ]


async def test_a_reply_that_fails_has_retries_of_its_own_and_the_event_is_dead() -> None:
    letters = subscription("a", A, reply=REPLIES, dead_letter_sink=SINK, policy=RETRIES)
    async with piping(letters) as flow:
        flow.sender.script = {
            A: in_turn(Answered(503), reply(event("reply"))),
            REPLIES: always(Answered(503, [], b"busy")),
        }
        await flow.put(event("original"))
        await settled()
        assert len(flow.sender.to(A)) == 2
        assert len(flow.sender.to(REPLIES)) == 4
        (letter,) = flow.sender.to(SINK)
        assert letter.event == event(
            "original",
            knativeerrordest=REPLIES,
            knativeerrorcode="503",
            knativeerrordata=base64.b64encode(b"busy").decode(),
        )


async def test_a_malformed_reply_makes_the_event_a_dead_letter() -> None:
    letters = subscription("a", A, reply=REPLIES, dead_letter_sink=SINK, policy=RETRIES)
    async with piping(letters) as flow:
        flow.sender.script[A] = always(Answered(200, [("ce-specversion", "1.0")]))
        await flow.put(event())
        await settled()
        assert flow.sender.to(REPLIES) == []
        (letter,) = flow.sender.to(SINK)
        assert letter.event.attributes["knativeerrordest"] == REPLIES
        assert letter.event.attributes["knativeerrorcode"] == "500"


async def test_a_subscription_may_have_nothing_but_a_reply() -> None:
    async with piping(subscription("a", None, reply=REPLIES)) as flow:
        await flow.put(event())
        await settled()
        (call,) = flow.sender.calls
        assert (call.url, call.event) == (REPLIES, event())
        assert flow.outcomes() == [("reply", 200, "delivered")]


async def test_a_subscription_may_lose_its_subscriber_while_events_wait_for_it() -> None:
    unknown = replace(subscription("a", None, reply=REPLIES), has_subscriber=True)
    async with piping(unknown) as flow:
        await flow.put(event())
        await settled()
        assert flow.outcomes() == [("subscriber", 0, "waiting")]
        flow.subscriptions(subscription("a", None, reply=REPLIES))
        await settled()
        assert [call.url for call in flow.sender.calls] == [REPLIES]
        assert flow.kept(PIPE) == 0


async def test_an_event_whose_subscriber_is_taken_away_between_attempts_is_dead() -> None:
    before = subscription("a", A, reply=REPLIES, dead_letter_sink=SINK, policy=RETRIES)
    async with piping(before) as flow:
        flow.sender.script[A] = always(Answered(503))
        await flow.put(event())
        await anyio.sleep(0.1)
        flow.subscriptions(replace(before, subscriber=None, has_subscriber=False))
        await settled()
        assert [call.url for call in flow.sender.calls] == [A, SINK]
        assert flow.kept(PIPE) == 0


async def test_no_answer_makes_a_dead_letter_without_a_time_to_live() -> None:
    async with piping(subscription("a", A, dead_letter_sink=SINK)) as flow:
        flow.sender.script[A] = always(Unanswered("refused"))
        await flow.put(event())
        await settled()
        (letter,) = flow.sender.to(SINK)
        assert "knativebrokerttl" not in letter.event.attributes
        assert letter.event.attributes["knativeerrorcode"] == "500"


async def test_one_that_fails_does_not_touch_the_others() -> None:
    async with piping(subscription("a", A, policy=RETRIES), subscription("b", B)) as flow:
        flow.sender.script[A] = always(Answered(503))
        assert await flow.put(event()) == 202
        await settled()
        assert len(flow.sender.to(B)) == 1
