import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from itertools import pairwise

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knlite.clock import LoopClock
from knlite.errors import InvalidInput, Overloaded
from knlite.telemetry.live.deltas import MOST_ITEMS, Counts, Keyed
from knlite.telemetry.live.hub import MOST_LOOKING, PAUSE, REST, Hub, Looker
from tests.flows.conftest import JumpingLoop

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "asyncio", {"loop_factory": JumpingLoop}


@pytest.fixture
async def hub() -> Hub:
    return made()


def made() -> Hub:
    return Hub(LoopClock(datetime(2026, 1, 1, tzinfo=UTC)))


def taken(looker: Looker) -> list[tuple[str, object]]:
    """What *looker* gets now, as a browser reads it."""
    messages = []
    for text in looker.take().decode().split("\n\n")[:-1]:
        event, data = text.split("\n")
        messages.append((event.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return messages


async def test_who_begins_to_look_gets_the_present_state(hub: Hub) -> None:
    hub.topic("graph", lambda: {"nodes": ["a"]})
    with hub.looking(["graph"]) as looker:
        await looker.wait()
        assert taken(looker) == [("graph", {"nodes": ["a"]})]
        assert taken(looker) == []


async def test_many_changes_within_a_moment_are_one_message_of_the_last_state(hub: Hub) -> None:
    state = {"n": 0}
    hub.topic("graph", lambda: state)
    with hub.looking(["graph"]) as looker:
        looker.take()
        for n in range(1000):
            state["n"] = n
            hub.changed("graph")
        await looker.wait()
        assert taken(looker) == [("graph", {"n": 999})]


async def test_a_topic_is_told_at_most_every_tenth_of_a_second(hub: Hub) -> None:
    hub.topic("graph", lambda: 1)
    moments = []
    with hub.looking(["graph"]) as looker:
        looker.take()
        async with anyio.create_task_group() as group:

            async def change() -> None:
                for _ in range(200):
                    hub.changed("graph")
                    await anyio.sleep(0.01)
                group.cancel_scope.cancel()

            group.start_soon(change)
            while True:
                await looker.wait()
                looker.take()
                moments.append(anyio.current_time())
    gaps = [later - sooner for sooner, later in pairwise(moments)]
    assert min(gaps) >= PAUSE * 0.999
    assert len(moments) > 15


async def test_a_state_is_encoded_once_for_all_who_look(hub: Hub) -> None:
    asked = Counter[str]()

    def snapshot() -> int:
        asked["times"] += 1
        return 7

    hub.topic("graph", snapshot)
    with hub.looking(["graph"]) as one, hub.looking(["graph"]) as two:
        one.take(), two.take()
        asked.clear()
        hub.changed("graph")
        await one.wait()
        await two.wait()
        assert taken(one) == taken(two) == [("graph", 7)]
    assert asked["times"] == 1


async def test_nothing_is_asked_kept_or_listened_to_while_nobody_looks(hub: Hub) -> None:
    listening = []

    @contextmanager
    def opening() -> Iterator[None]:
        listening.append("begins")
        yield
        listening.append("ends")

    hub.topic("flow", lambda: pytest.fail("nobody wants to know"))
    hub.topic("other", lambda: 1)
    hub.while_watched("flow", opening)
    hub.changed("flow")
    hub.add("flow", 1)
    with hub.looking(["other"]):
        assert not hub.watched("flow")
        hub.tell("flow", Counts({"a": (1, 0)}))
        await anyio.sleep(1)
    assert listening == []
    hub.topic("flow")
    hub.while_watched("flow", opening)
    with hub.looking(["flow"]), hub.looking(["flow", "other"]):
        assert hub.watched("flow")
        assert listening == ["begins"]
    assert listening == ["begins", "ends"]


async def test_what_a_slow_reader_cannot_have_is_counted_and_told(hub: Hub) -> None:
    hub.topic("requests", lambda: {"items": [], "skipped": 0})
    with hub.looking(["requests"]) as slow:
        slow.take()
        for n in range(130):
            hub.add("requests", n)
            await anyio.sleep(0.01)
        await anyio.sleep(1)
        message, notice = taken(slow)
    assert message == ("requests", {"items": list(range(80, 130)), "skipped": 80})
    assert notice == ("skipped", {"topic": "requests", "count": 80})


async def test_a_flood_is_told_half_a_second_apart_and_keeps_nothing_else_waiting(hub: Hub) -> None:
    hub.topic("logs")
    hub.topic("graph", lambda: 1)
    moments: dict[str, list[float]] = {"logs": [], "graph": []}
    with hub.looking(["logs", "graph"]) as looker:
        looker.take()
        async with anyio.create_task_group() as group:

            async def flood() -> None:
                for n in range(4000):
                    hub.add("logs", n)
                    if n % 20 == 0:
                        hub.changed("graph")
                    await anyio.sleep(0.001)
                group.cancel_scope.cancel()

            group.start_soon(flood)
            while True:
                await looker.wait()
                for name, _ in taken(looker):
                    if name in moments:
                        moments[name].append(anyio.current_time())
    gaps = {n: [b - a for a, b in pairwise(each)] for n, each in moments.items()}
    assert len(moments["logs"]) > 5
    assert min(gaps["logs"]) >= REST * 0.999
    assert max(gaps["graph"]) < PAUSE * 1.5


async def test_a_first_message_that_waits_holds_what_came_meanwhile(hub: Hub) -> None:
    kept: list[int] = []
    hub.topic("requests", lambda: {"items": kept, "skipped": 0})
    with hub.looking(["requests"]) as slow:
        kept.append(1)
        hub.add("requests", 1)
        await anyio.sleep(1)
        assert taken(slow) == [("requests", {"items": [1], "skipped": 0})]


async def test_things_are_told_by_what_changed_not_by_what_there_is(hub: Hub) -> None:
    hub.topic("instances", lambda: {"instances": list(range(500)), "whole": True})
    with hub.looking(["instances"]) as looker:
        looker.take()
        hub.tell("instances", Keyed("instances", {"a": {"name": "a", "state": "starting"}}))
        hub.tell("instances", Keyed("instances", {"a": {"name": "a", "state": "ready"}}))
        await looker.wait()
        assert taken(looker) == [("instances", {"instances": [{"name": "a", "state": "ready"}]})]


async def test_an_unknown_topic_is_refused_and_the_known_ones_are_named(hub: Hub) -> None:
    hub.topic("graph")
    with pytest.raises(InvalidInput, match=r"no topic is called \"grph\""), hub.looking(["grph"]):
        pass
    with pytest.raises(InvalidInput, match="which topics"), hub.looking([]):
        pass


async def test_too_many_consoles_are_refused_and_one_that_closes_makes_room(hub: Hub) -> None:
    hub.topic("graph")
    opened = [hub.looking(["graph"]) for _ in range(MOST_LOOKING)]
    for each in opened:
        each.__enter__()
    with pytest.raises(Overloaded, match="32 consoles"), hub.looking(["graph"]):
        pass
    opened[0].__exit__(None, None, None)
    with hub.looking(["graph"]):
        pass
    for each in opened[1:]:
        each.__exit__(None, None, None)
    assert not hub.watched("graph")


Told = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c"]), st.integers(0, 5), st.integers(0, 9)), max_size=60
)


@given(told=Told, slowness=st.lists(st.integers(1, 30), min_size=1, max_size=4))
def test_counts_add_up_for_every_reader_however_slow(
    told: list[tuple[str, int, int]], slowness: list[int]
) -> None:
    async def scenario() -> None:
        hub = made()
        hub.topic("flow")
        sums: list[Counter[str]] = [Counter() for _ in slowness]

        def note(index: int, looker: Looker) -> None:
            for _, data in taken(looker):
                assert isinstance(data, dict)
                for key, (number, failed) in data["counts"].items():
                    sums[index][key] += number
                    sums[index][f"{key} failed"] += failed

        async with anyio.create_task_group() as group:

            async def read(index: int, each: int, looker: Looker) -> None:
                while True:
                    await looker.wait()
                    note(index, looker)
                    await anyio.sleep(each * 0.05)

            with nullcontext([hub.looking(["flow"]) for _ in slowness]) as contexts:
                lookers = [each.__enter__() for each in contexts]
                for index, each in enumerate(slowness):
                    group.start_soon(read, index, each, lookers[index])
                for key, failed, pause in told:
                    hub.tell("flow", Counts({key: (1, failed)}))
                    await anyio.sleep(pause * 0.01)
                await anyio.sleep(1)
                group.cancel_scope.cancel()
                for index, looker in enumerate(lookers):
                    note(index, looker)
                for each in contexts:
                    each.__exit__(None, None, None)
        wanted: Counter[str] = Counter()
        for key, failed, _ in told:
            wanted[key] += 1
            wanted[f"{key} failed"] += failed
        assert all(+each == +wanted for each in sums)

    anyio.run(scenario, backend_options={"loop_factory": JumpingLoop})


@given(told=st.lists(st.integers(0, 40), max_size=30), every=st.integers(1, 20))
def test_items_come_in_order_once_and_with_those_left_out_they_are_all(
    told: list[int], every: int
) -> None:
    async def scenario() -> None:
        hub = made()
        hub.topic("events")
        got: list[int] = []
        missed = 0
        count = 0
        with hub.looking(["events"]) as looker:
            for index, number in enumerate((*told, 0)):
                for _ in range(number):
                    hub.add("events", count)
                    count += 1
                await anyio.sleep(0.03)
                if index % every == 0 or index == len(told):
                    await anyio.sleep(REST + 0.2)
                    for name, data in taken(looker):
                        assert isinstance(data, dict)
                        if name == "skipped":
                            missed += data["count"]
                        else:
                            assert len(data["items"]) <= MOST_ITEMS
                            got += data["items"]
        assert got == sorted(set(got))
        assert len(got) + missed == count

    anyio.run(scenario, backend_options={"loop_factory": JumpingLoop})
