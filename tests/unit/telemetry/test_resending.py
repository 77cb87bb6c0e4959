"""Sending events, and sending again what the log has."""

from datetime import UTC, datetime

import pytest

from knlite.apiserver.eventsource import EventQuery
from knlite.errors import InvalidInput, KnliteError, NotFound, Overloaded
from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.topology import ResourceKey, ResourceKind
from knlite.eventlog.historymemory import MemoryHistory
from knlite.telemetry.eventrecords import EventRecords
from knlite.telemetry.resending import Resending
from tests.unit.telemetry.eventfacts import (
    Entrance,
    Posts,
    Taken,
    accepted,
    attempted,
    egress,
)

EVENT = CloudEvent({"specversion": "1.0", "id": "e", "source": "/s", "type": "t"})
KEY = ResourceKey("Broker", "ns", "b")


class Noon:
    def now(self) -> float:
        return 12.0

    def wall(self) -> datetime:
        return datetime(2026, 1, 2, 12, tzinfo=UTC)


class Desk:
    def __init__(self) -> None:
        self.records = EventRecords(MemoryHistory())
        self.entrance, self.posts = Entrance(), Posts()
        self.records.read(egress("a"))
        self.sending = Resending(self.records, self.entrance, self.posts, Noon(), self.records.read)

    def fail(self, arrival: int = 1000, name: str = "a") -> None:
        self.records.read(accepted(arrival, readers=[name]))
        self.records.read(attempted(arrival, name, "failed"))


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_an_event_goes_to_the_named_or_the_only_broker(desk: Desk) -> None:
    for namespace, name in (("ns", "b"), ("", "")):
        sent = await desk.sending.send(EVENT, "Broker", namespace, name, sender="a test")
        assert (sent.arrival, sent.status) == (7000, 202)
        assert desk.entrance.came.pop() == (KEY, EVENT, frozenset(), 0)


@pytest.mark.parametrize(
    ("keys", "kind", "family"),
    [
        ((), "Broker", NotFound),
        ((KEY, ResourceKey("Broker", "ns", "c")), "Broker", InvalidInput),
        ((KEY,), "InMemoryChannel", NotFound),
    ],
)
async def test_where_to_send_must_be_clear(
    desk: Desk, keys: tuple[ResourceKey, ...], kind: str, family: type[KnliteError]
) -> None:
    desk.entrance.keys = keys
    with pytest.raises(family):
        await desk.sending.send(EVENT, kind, "", "", sender="a test")


@pytest.mark.parametrize(
    ("status", "family"), [(400, InvalidInput), (404, NotFound), (503, Overloaded)]
)
async def test_a_refusal_says_why(desk: Desk, status: int, family: type[KnliteError]) -> None:
    desk.entrance.answer = Taken(0, status, b"because\n")
    with pytest.raises(family, match="because"):
        await desk.sending.send(EVENT, "Broker", "ns", "b", sender="a test")


async def test_a_replay_says_what_it_repeats_and_may_be_for_one_only(desk: Desk) -> None:
    desk.records.read(accepted(1000))
    (sent,) = await desk.sending.replay(EventQuery(id="e"))
    assert (sent.replay_of, sent.arrival, sent.egress) == (1000, 7000, None)
    (sent,) = await desk.sending.replay(EventQuery(id="e"), egress="a")
    assert sent.egress is not None
    assert [(only, of) for _, _, only, of in desk.entrance.came] == [
        (frozenset(), 1000),
        (frozenset("a"), 1000),
    ]


async def test_repetitions_are_not_repeated_unless_they_are_named(desk: Desk) -> None:
    desk.records.read(accepted(1000))
    desk.records.read(accepted(2000, replay_of=1000))
    assert [each.replay_of for each in await desk.sending.replay(EventQuery(since=1))] == [1000]
    named = EventQuery(since=2000, before=2001)
    assert [each.replay_of for each in await desk.sending.replay(named)] == [2000]


async def test_an_id_that_several_have_is_refused(desk: Desk) -> None:
    desk.records.read(accepted(1000))
    desk.records.read(accepted(2000, source="/other"))
    with pytest.raises(InvalidInput, match="which event"):
        await desk.sending.replay(EventQuery(id="e"))
    assert len(await desk.sending.replay(EventQuery(id="e", source="/other"))) == 1
    with pytest.raises(NotFound):
        await desk.sending.replay(EventQuery(id="none"))


async def test_a_trigger_that_is_not_there_is_not_found(desk: Desk) -> None:
    desk.records.read(accepted(1000))
    with pytest.raises(NotFound, match="ns/z"):
        await desk.sending.replay(EventQuery(id="e"), egress="z")
    with pytest.raises(InvalidInput):
        await desk.sending.replay(EventQuery(id="e"), egress="a", url="http://x/")


async def test_events_of_others_are_left_out_when_one_trigger_is_named(desk: Desk) -> None:
    desk.records.read(accepted(1000))
    desk.records.read(accepted(2000, resource_uid="another"))
    first, second = await desk.sending.replay(EventQuery(since=1), egress="a")
    assert (first.arrival, second.arrival) == (7000, 0)
    assert second.why == "Broker ns/b has no trigger or subscription ns/a"
    assert len(desk.entrance.came) == 1


async def test_what_is_sent_again_has_its_data(desk: Desk) -> None:
    desk.records.read(accepted(1000, readers=["a"], data=b"x"))
    desk.records.read(attempted(1000, "a", "failed"))
    await desk.sending.replay(EventQuery(id="e"))
    await desk.sending.redrive(EventQuery())
    assert [event.data for _, event, _, _ in desk.entrance.came] == [b"x", b"x"]


async def test_what_goes_to_a_url_by_hand_stands_in_its_story(desk: Desk) -> None:
    desk.records.read(accepted(1000, data=b"x"))
    (sent,) = await desk.sending.replay(EventQuery(id="e"), url="http://x/")
    assert (sent.status, sent.url) == (202, "http://x/")
    ((url, headers, body),) = desk.posts.got
    assert (url, headers["Ce-Id"], body) == ("http://x/", "e", b"x")
    row = (await desk.records.story(1000)).rows[-1]
    assert (row.kind, row.state) == ("Replay", "delivered")
    desk.posts.status = 0
    (sent,) = await desk.sending.replay(EventQuery(id="e"), url="http://x/")
    assert sent.why == "nobody is there"


async def test_a_dead_letter_goes_to_who_did_not_take_it(desk: Desk) -> None:
    desk.fail()
    (sent,) = await desk.sending.redrive(EventQuery())
    assert (sent.replay_of, sent.arrival, sent.why) == (1000, 7000, "")
    assert desk.entrance.came[0][2:] == (frozenset("a"), 1000)


async def test_what_was_repeated_already_is_left_out(desk: Desk) -> None:
    desk.fail()
    desk.records.read(accepted(2000, readers=["a"], replay_of=1000, only=("a",)))
    (sent,) = await desk.sending.redrive(EventQuery())
    assert "2000, which is delivering" in sent.why
    # When the repetition fails it is a dead letter itself, and only that is sent again.
    desk.records.read(attempted(2000, "a", "failed"))
    first, second = await desk.sending.redrive(EventQuery())
    assert (bool(first.why), second.replay_of, second.why) == (True, 2000, "")
    assert len(desk.entrance.came) == 1


async def test_a_dead_letter_of_a_trigger_that_is_gone_is_left_out(desk: Desk) -> None:
    desk.fail(name="z")
    (sent,) = await desk.sending.redrive(EventQuery())
    assert sent.why == "Trigger ns/z is gone"
    assert not desk.entrance.came


async def test_nothing_is_sent_when_one_only_asks(desk: Desk) -> None:
    desk.fail()
    for sent in (
        *await desk.sending.redrive(EventQuery(), dry_run=True),
        *await desk.sending.replay(EventQuery(id="e"), dry_run=True),
        *await desk.sending.replay(EventQuery(id="e"), url="http://x/", dry_run=True),
    ):
        assert (sent.status, sent.replay_of, sent.why) == (0, 1000, "")
    assert not desk.entrance.came
    assert not desk.posts.got


@pytest.mark.parametrize(
    ("there", "kind"),
    [
        (["KafkaChannel"], "KafkaChannel"),
        (["InMemoryChannel"], "InMemoryChannel"),
        (["KafkaChannel", "InMemoryChannel"], "InMemoryChannel"),
        ([], "InMemoryChannel"),
    ],
)
def test_a_channel_is_found_whatever_keeps_it(
    desk: Desk, there: list[ResourceKind], kind: str
) -> None:
    desk.entrance.keys = tuple(ResourceKey(each, "ns", "pipe") for each in there)
    assert desk.sending.channel_kind("ns", "pipe") == kind


async def test_a_source_takes_nothing_but_what_it_had(desk: Desk) -> None:
    with pytest.raises(InvalidInput):
        await desk.sending.send(EVENT, "KafkaSource", "ns", "s", sender="a test")
