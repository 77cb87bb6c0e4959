"""What is known of events: lists, streams, waiting for an end."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import anyio
import pytest

from knlite.apiserver.eventsource import EventQuery
from knlite.errors import NotFound
from knlite.eventing.cloudevent import CloudEvent
from knlite.eventlog.history import Happened
from knlite.eventlog.historymemory import MemoryHistory
from knlite.facts import EventRefused, SourceSent
from knlite.telemetry import descent, eventrecords
from knlite.telemetry.elsewhere import REMEMBERED
from knlite.telemetry.eventrecords import EventRecords
from knlite.telemetry.stories import Summary
from tests.unit.telemetry.eventfacts import accepted, attempted, egress


@pytest.fixture
def records() -> EventRecords:
    made = EventRecords(MemoryHistory())
    made.read(egress("a", type="t"))
    return made


async def follow(records: EventRecords, query: EventQuery, seen: list[tuple[int, str]]) -> None:
    async for each in records.follow(query):
        state = (each.arrival, each.state)
        seen.append(state)


async def test_events_are_listed_the_oldest_first(records: EventRecords) -> None:
    records.read(accepted(1000))
    records.read(accepted(2000, readers=[]))
    records.read(attempted(1000))
    found = await records.events(EventQuery())
    assert [(each.arrival, each.state) for each in found] == [
        (1000, "delivered"),
        (2000, "unmatched"),
    ]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"state": "delivered"}, [1000]),
        ({"state": "unmatched"}, [2000]),
        ({"state": "delivering"}, [3000]),
        ({"state": "cut off"}, []),
        ({"state": "delivered", "limit": 0}, []),
        ({"egress": "Trigger/ns/a"}, [1000, 3000]),
        ({"egress": "ns/a", "state": "delivering"}, [3000]),
        ({"egress": "a"}, []),
        ({"egress": "Subscription/ns/a"}, []),
        ({"text": "T"}, [1000, 2000, 3000]),
        ({"text": "t", "limit": 1}, [3000]),
    ],
)
async def test_events_are_searched(
    records: EventRecords, query: dict[str, Any], found: list[int]
) -> None:
    records.read(accepted(1000))
    records.read(attempted(1000))
    records.read(accepted(2000, readers=[]))
    records.read(accepted(3000))
    assert [each.arrival for each in await records.events(EventQuery(**query))] == found


async def test_dead_letters_are_found_by_their_own_state(records: EventRecords) -> None:
    records.read(egress("b", type="t"))
    records.read(accepted(1000, ["a", "b"]))
    records.read(attempted(1000, "a", "failed"))
    for arrival in (2000, 3000):
        records.read(accepted(arrival))
        records.read(attempted(arrival, "a", "dead-lettered"))

    async def found(**query: Any) -> list[int]:
        return [each.arrival for each in await records.dead_letters(EventQuery(**query))]

    # The first of them is still being delivered to b.
    assert await found() == [1000, 2000, 3000]
    assert await found(state="failed", limit=1) == [1000]
    assert await found(state="dead-lettered", limit=1) == [3000]
    assert await found(limit=2) == [2000, 3000]


async def test_a_story_is_found_by_id_and_by_arrival(records: EventRecords) -> None:
    records.read(accepted(1000, id="7"))
    records.read(accepted(2000, id="7", replay_of=1000))
    assert [each.arrival for each in await records.stories("7")] == [2000, 1000]
    (by_arrival,) = await records.stories("1000")
    assert by_arrival.replays == (2000,)
    assert (await records.story(2000)).replay_of == 1000


class Slow(MemoryHistory):
    """Something happens while the history answers."""

    then: Callable[[], object] | None = None

    async def at(self, arrival: int) -> Happened | None:
        found = self.get(arrival)
        if self.then is not None:
            self.then()
            self.then = None
        return found


async def test_who_waits_gets_the_story_as_it_is_in_the_end() -> None:
    history = Slow()
    records = EventRecords(history)
    records.read(egress("a", type="t"))
    records.read(accepted(1000))
    history.then = lambda: records.read(attempted(1000))
    with anyio.fail_after(5):
        assert (await records.until_ended(1000)).state == "delivered"


async def test_of_large_events_of_one_id_fewer_are_told(
    records: EventRecords, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(eventrecords, "STORIES_BYTES", 25)
    for arrival in (1000, 2000, 3000):
        records.read(accepted(arrival, data=b"x" * 10))
    records.read(accepted(4000, id="large", data=b"x" * 100))
    assert [each.arrival for each in await records.stories("e")] == [3000, 2000]
    assert len(await records.stories("large")) == 1


@pytest.mark.parametrize("event_id", ["nope", "", "9" * 40, "٣"])
async def test_an_unknown_event_is_not_found(records: EventRecords, event_id: str) -> None:
    with pytest.raises(NotFound) as caught:
        await records.stories(event_id)
    assert caught.value.fix


async def test_who_waits_for_an_end_is_told_at_the_last_delivery(records: EventRecords) -> None:
    records.read(accepted(readers=["a", "b"]))
    states: list[str] = []

    async def wait() -> None:
        states.append((await records.until_ended(1000)).state)

    async with anyio.create_task_group() as group:
        group.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        records.read(attempted(egress="a"))
        await anyio.wait_all_tasks_blocked()
        assert not states
        records.read(attempted(egress="b", outcome="failed"))
    assert states == ["failed"]


async def test_the_end_of_a_trigger_is_an_end_too(records: EventRecords) -> None:
    records.read(accepted(readers=["a"]))
    async with anyio.create_task_group() as group:
        group.start_soon(records.until_ended, 1000)
        await anyio.wait_all_tasks_blocked()
        records.read(egress("a", 5000, gone=True))
    assert (await records.story(1000)).state == "gone"


async def test_what_has_ended_is_not_waited_for(records: EventRecords) -> None:
    records.read(accepted(readers=[]))
    assert (await records.until_ended(1000)).state == "unmatched"


async def test_a_follower_sees_each_event_come_and_end(records: EventRecords) -> None:
    records.read(accepted(1000, readers=[]))
    seen: list[tuple[int, str]] = []
    async with anyio.create_task_group() as group:
        group.start_soon(follow, records, EventQuery(type="t"), seen)
        await anyio.wait_all_tasks_blocked()
        records.read(accepted(2000, readers=["a"]))
        records.read(accepted(2500, readers=["a"], type="other"))
        await anyio.wait_all_tasks_blocked()
        records.read(attempted(2000))
        records.read(attempted(2500))
        records.read(accepted(3000, readers=[]))
        await anyio.wait_all_tasks_blocked()
        group.cancel_scope.cancel()
    assert seen == [
        (1000, "unmatched"),
        (2000, "delivering"),
        (2000, "delivered"),
        (3000, "unmatched"),
    ]


async def test_an_event_that_ends_at_once_is_told_of_once(records: EventRecords) -> None:
    seen: list[tuple[int, str]] = []
    async with anyio.create_task_group() as group:
        group.start_soon(follow, records, EventQuery(), seen)
        await anyio.wait_all_tasks_blocked()
        records.read(accepted(2000, readers=["a"]))
        records.read(attempted(2000))
        await anyio.wait_all_tasks_blocked()
        group.cancel_scope.cancel()
    assert seen == [(2000, "delivered")]


def test_who_would_get_an_event_is_known_for_one_broker_and_for_all(
    records: EventRecords,
) -> None:
    event = CloudEvent({"specversion": "1.0", "id": "e", "source": "/s", "type": "t"})
    assert [row.matched for row in records.foretell(event, "", "", "")] == [True]
    assert [row.matched for row in records.foretell(event, "Broker", "ns", "b")] == [True]
    assert records.foretell(event, "Broker", "ns", "another") == []


async def test_a_trigger_that_was_deleted_between_two_runs_is_in_old_stories_only() -> None:
    history = MemoryHistory()
    history.changed(egress("old"))
    history.accepted(accepted(1000, readers=["old"]))
    records = EventRecords(history)
    records.read(egress("a", 1500))
    records.read(accepted(2000, readers=["a"]))
    before, now = await records.story(1000), await records.story(2000)
    assert [(row.name, row.state) for row in before.rows] == [("old", "gone")]
    assert [row.name for row in now.rows] == ["a"]
    # Nobody will ever say that it has ended.
    assert (await records.until_ended(1000)).state == "gone"


def refused(event_id: str, why: str = "no token came with it") -> EventRefused:
    return EventRefused(
        at=datetime(2026, 1, 1, 12, 30, tzinfo=UTC),
        kind="Broker",
        namespace="shop",
        name="main",
        status=401,
        why=why,
        event_id=event_id,
    )


async def test_why_an_event_was_refused_is_known(records: EventRecords) -> None:
    records.read(refused("7"))
    records.read(refused("7", "its token has expired"))
    with pytest.raises(NotFound, match="Broker shop/main has refused it at 12:30:00") as caught:
        await records.stories("7")
    assert caught.value.cause == "its token has expired"
    # What has come in another time has a story.
    records.read(accepted(1000, id="7"))
    assert [each.arrival for each in await records.stories("7")] == [1000]


async def test_refused_events_without_end_are_not_remembered(records: EventRecords) -> None:
    records.read(refused("x" * 10_000))
    for number in range(REMEMBERED + 1):
        records.read(refused(str(number)))
    for gone in ("0", "x" * 10_000):
        with pytest.raises(NotFound, match="is in the log"):
            await records.stories(gone)
    with pytest.raises(NotFound, match="has refused it"):
        await records.stories("1")


@pytest.mark.parametrize(
    ("status", "why", "expected"),
    [
        (
            202,
            "",
            "PingSource shop/tick has sent it past all brokers, and it was taken at 12:30:00",
        ),
        (0, "refused", "PingSource shop/tick has given it up at 12:30:00 UTC after 6 attempts"),
    ],
)
async def test_what_a_source_sends_past_all_brokers_is_known(
    records: EventRecords, status: int, why: str, expected: str
) -> None:
    records.read(
        SourceSent(
            at=datetime(2026, 1, 1, 12, 30, tzinfo=UTC),
            kind="PingSource",
            namespace="shop",
            name="tick",
            event_id="7",
            event_type="t",
            target="http://web.shop.svc.cluster.local",
            attempts=6,
            status=status,
            outcome="failed" if why else "delivered",
            why=why,
        )
    )
    with pytest.raises(NotFound, match=expected) as caught:
        await records.stories("7")
    assert caught.value.cause.startswith("http://web.shop.svc.cluster.local")


async def test_replies_are_a_tree(records: EventRecords) -> None:
    records.read(accepted(1000))
    records.read(attempted(1000, entered=2000, leg="reply"))
    records.read(accepted(2000))
    records.read(attempted(2000, entered=3000, leg="reply"))
    records.read(accepted(3000))
    # A reply that goes round in a circle.
    records.read(attempted(3000, entered=1000, leg="reply"))
    tree = await records.tree(1000)
    (child,) = tree.children
    (grandchild,) = child.children
    assert [tree.event.arrival, child.event.arrival, grandchild.event.arrival] == [1000, 2000, 3000]
    assert (tree.via, child.leg, grandchild.children) == (None, "reply", ())
    assert child.via is not None
    assert child.via.name == "a"
    with pytest.raises(NotFound):
        await records.tree(9)


async def test_a_tree_that_is_too_large_says_so(
    records: EventRecords, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(descent, "DEPTH", 1)
    monkeypatch.setattr(descent, "SIZE", 3)
    records.read(accepted(1))
    for arrival in (2, 3, 4):
        records.read(attempted(1, egress=str(arrival), entered=arrival))
        records.read(accepted(arrival))
    records.read(attempted(2, entered=5))
    tree = await records.tree(1)
    assert [child.event.arrival for child in tree.children] == [2, 3]
    assert (tree.left_out, tree.children[0].left_out) == (1, 1)


def test_consoles_are_told_of_what_comes_and_what_ends(records: EventRecords) -> None:
    told: list[Callable[[], object]] = []
    records.read(accepted(1))
    with records.telling(told.append):
        records.read(accepted(2))
        records.read(attempted(1))
        records.read(attempted(2))
    records.read(accepted(3))
    assert len(told) == 3


def test_what_is_told_is_how_it_stands_when_it_is_asked_for(records: EventRecords) -> None:
    told: list[Callable[[], object]] = []
    records.read(accepted(1))
    with records.telling(told.append):
        records.read(accepted(2))
        records.read(attempted(2))
        records.read(attempted(1))
        came, _, before = [each() for each in told]
    assert isinstance(came, Summary)
    assert (came.arrival, came.state) == (2, "delivered")
    # Of one that came before anybody looked, who looks knows more.
    assert before == {"arrival": 1}
