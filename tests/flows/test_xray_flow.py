"""The stories of events that the real ingress, log and dispatcher have brought (ADR 0031)."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest

from knlite.apiserver.eventsource import EventQuery
from knlite.dataplane.sender import Answered, Unanswered
from knlite.eventing.filters.attributes import Attributes
from knlite.eventing.topology import Egress
from knlite.eventlog.historymemory import MemoryHistory
from knlite.telemetry.eventrecords import EventRecords
from knlite.telemetry.resending import Resending
from tests.flows.eventflow import (
    RETRIES,
    SINK,
    A,
    B,
    Flow,
    always,
    event,
    flowing,
    in_turn,
    piping,
    reply,
    settled,
    subscription,
    trigger,
)
from tests.unit.telemetry.eventfacts import Posts


class Watched:
    """A flow, and what the event log says of it."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.records = EventRecords(MemoryHistory())
        self.posts = Posts()
        self.sending = Resending(
            self.records, flow.ingress, self.posts, flow.clock, flow.facts.append
        )
        self._read = 0

    def catch_up(self) -> EventRecords:
        """The records, with all facts so far."""
        for fact in self.flow.facts[self._read :]:
            self.records.read(fact)
        self._read = len(self.flow.facts)
        return self.records

    async def rows(self, number: str = "1") -> dict[str, tuple[str, list[tuple[str, int]]]]:
        """Of the newest event of that id: state and attempts by trigger."""
        story = (await self.catch_up().stories(number))[0]
        return {
            row.name: (row.state, [(each.leg, each.status) for each in row.attempts])
            for row in story.rows
        }


@asynccontextmanager
async def watched(*egresses: Egress) -> AsyncIterator[Watched]:
    async with flowing(*egresses) as flow:
        yield Watched(flow)


def wanting(name: str, subscriber: str, kind: str) -> Egress:
    text = json.dumps({"filter": {"attributes": {"type": kind}}})
    return trigger(name, subscriber, filter=Attributes({"type": kind}), filter_spec=text)


async def test_a_fan_out_has_a_row_for_each_trigger() -> None:
    async with watched(wanting("a", A, "t"), wanting("b", B, "other"), trigger("c", B)) as seen:
        await seen.flow.post(event())
        await settled()
        assert await seen.rows() == {
            "a": ("delivered", [("subscriber", 200)]),
            "b": ("unmatched", []),
            "c": ("delivered", [("subscriber", 200)]),
        }
        (story,) = await seen.records.stories("1")
        assert story.rows[1].why == 'type is "t", and "other" is wanted'


async def test_the_filter_of_that_time_explains_what_became_of_an_event() -> None:
    async with watched(wanting("a", A, "other")) as seen:
        await seen.flow.post(event())
        seen.flow.triggers(wanting("a", A, "t"))
        await seen.flow.post(event("2"))
        await settled()
        assert (await seen.rows("1"))["a"][0] == "unmatched"
        assert (await seen.rows("2"))["a"][0] == "delivered"
        (story,) = await seen.records.stories("1")
        assert story.rows[0].why == 'type is "t", and "other" is wanted'


async def test_retries_are_told_with_their_waits() -> None:
    async with watched(trigger("a", A, policy=RETRIES)) as seen:
        seen.flow.sender.script[A] = in_turn(
            Answered(503, (), b"busy"), Unanswered("reset"), Answered(200)
        )
        await seen.flow.post(event())
        await settled()
        assert await seen.rows() == {
            "a": ("delivered", [("subscriber", 503), ("subscriber", 0), ("subscriber", 200)])
        }
        attempts = (await seen.records.stories("1"))[0].rows[0].attempts
        assert [each.next_in for each in attempts] == [pytest.approx(0.2), pytest.approx(0.4), None]
        assert (attempts[0].answer, attempts[1].why) == ("busy", "reset")


async def test_a_reply_has_a_story_of_its_own_that_both_name() -> None:
    async with watched(wanting("a", A, "t")) as seen:
        seen.flow.sender.script[A] = always(reply(event("answer", type="answered")))
        await seen.flow.post(event())
        await settled()
        assert (await seen.rows())["a"] == ("delivered", [("subscriber", 200), ("reply", 202)])
        (asked,), (answered,) = [await seen.records.stories(each) for each in ("1", "answer")]
        assert [each.entered for each in asked.rows[0].attempts] == [0, answered.arrival]
        assert answered.sender == "reply of trigger default/a"
        assert answered.state == "unmatched"


async def test_an_event_is_over_only_when_its_reply_has_gone_in() -> None:
    async with watched(trigger("a", A, policy=RETRIES)) as seen:
        seen.flow.sender.script[A] = lambda _: 10.0
        await seen.flow.post(event())
        records = seen.catch_up()
        (listed,) = await records.events(EventQuery())
        assert listed.state == "delivering"
        async with anyio.create_task_group() as group:
            group.start_soon(records.until_ended, listed.arrival)
            await anyio.sleep(11)
            seen.catch_up()
        assert (await seen.rows())["a"][0] == "delivered"


async def test_a_dead_letter_and_its_redrive() -> None:
    async with watched(trigger("a", A, dead_letter_sink=SINK), trigger("b", B)) as seen:
        seen.flow.sender.script[A] = always(Answered(500, (), b"broken"))
        await seen.flow.post(event())
        await settled()
        assert (await seen.rows())["a"] == (
            "dead-lettered",
            [("subscriber", 500), ("dead letter sink", 200)],
        )
        (letter,) = await seen.records.dead_letters(EventQuery())
        assert (letter.status, letter.why, letter.sink) == (500, "broken", SINK)

        seen.flow.sender.script[A] = always(Answered(202))
        (sent,) = await seen.sending.redrive(EventQuery())
        await settled()
        assert [call.id for call in seen.flow.sender.to(A)] == ["1", "1"]
        # The other trigger has had it.
        assert len(seen.flow.sender.to(B)) == 1
        again = await seen.catch_up().story(sent.arrival)
        assert (again.state, again.replay_of) == ("delivered", letter.arrival)
        assert "again" in again.rows[0].why
        (letter,) = await seen.records.dead_letters(EventQuery())
        assert (letter.again, letter.again_state) == (sent.arrival, "delivered")


async def test_an_event_without_a_dead_letter_sink_is_a_failure_that_can_be_redriven() -> None:
    async with watched(trigger("a", A)) as seen:
        seen.flow.sender.script[A] = always(Answered(400))
        await seen.flow.post(event())
        await settled()
        assert (await seen.rows())["a"] == ("failed", [("subscriber", 400)])
        assert [each.sink for each in await seen.records.dead_letters(EventQuery())] == [""]


async def test_a_dead_letter_sink_that_fails_too_leaves_a_failure() -> None:
    async with watched(trigger("a", A, dead_letter_sink=SINK)) as seen:
        seen.flow.sender.script[A] = always(Answered(500))
        seen.flow.sender.script[SINK] = always(Answered(500))
        await seen.flow.post(event())
        await settled()
        assert (await seen.rows())["a"][0] == "failed"


async def test_a_subscriber_that_is_missing_is_waited_for() -> None:
    async with watched(trigger("a", None)) as seen:
        await seen.flow.post(event())
        await settled()
        assert (await seen.rows())["a"] == ("waiting", [("subscriber", 0)])
        seen.flow.triggers(trigger("a", A))
        await settled()
        assert (await seen.rows())["a"][0] == "delivered"


async def test_a_trigger_that_is_deleted_takes_its_events_with_it() -> None:
    async with watched(trigger("a", None)) as seen:
        await seen.flow.post(event())
        await settled()
        seen.flow.triggers()
        assert (await seen.rows())["a"][0] == "gone"


async def test_an_event_of_the_log_goes_again_to_all_who_want_it_now() -> None:
    async with watched(wanting("a", A, "t")) as seen:
        await seen.flow.post(event())
        await settled()
        seen.flow.triggers(trigger("b", B))
        seen.catch_up()
        (sent,) = await seen.sending.replay(EventQuery(id="1"))
        await settled()
        assert [call.id for call in seen.flow.sender.to(B)] == ["1"]
        assert (await seen.catch_up().story(sent.arrival)).replay_of == sent.replay_of


async def test_channels_have_stories_too() -> None:
    async with piping(subscription("s", A), subscription("r", None, reply=B)) as flow:
        seen = Watched(flow)
        await flow.put(event())
        await settled()
        assert await seen.rows() == {
            "r": ("delivered", [("reply", 200)]),
            "s": ("delivered", [("subscriber", 200)]),
        }
        (story,) = await seen.records.stories("1")
        assert story.why == "2 of 2 subscriptions wanted it: 2 received it"


async def test_a_bug_that_an_event_meets_ends_its_story() -> None:
    def broken(_: object) -> Answered:
        raise RuntimeError("a bug")

    async with watched(trigger("a", A)) as seen:
        seen.flow.sender.script[A] = broken
        await seen.flow.post(event())
        await settled()
        assert (await seen.rows())["a"][0] == "failed"
        (letter,) = await seen.records.dead_letters(EventQuery())
        assert "a bug" in letter.why
