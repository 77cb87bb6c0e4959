"""The contract of a history of events (ADR 0031), for every side of it."""

import json
import sqlite3
import unicodedata
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knlite.clock import SystemClock
from knlite.eventlog import historyreading, historysqlite, historytables
from knlite.eventlog.database import FILE, open_database
from knlite.eventlog.history import (
    BY_HAND,
    KEPT_ATTEMPTS,
    Bounds,
    Happened,
    History,
    InMemory,
    OnDisk,
    Wanted,
)
from knlite.eventlog.historymemory import MemoryHistory
from knlite.eventlog.historysqlite import open_history
from knlite.eventlog.historytables import TABLES, Row, Store
from knlite.eventlog.searching import holds, words
from tests.unit.telemetry.eventfacts import BROKER, accepted, attempted, egress


@asynccontextmanager
async def sqlite(folder: Path, bounds: Bounds | None = None) -> AsyncIterator[History]:
    async with (
        open_database(folder, TABLES, SystemClock(), print) as database,
        open_history(database, bounds or OnDisk(), print) as history,
        anyio.create_task_group() as group,
    ):
        await group.start(history.run)
        yield history
        group.cancel_scope.cancel()


@asynccontextmanager
async def memory(_: Path, bounds: Bounds | None = None) -> AsyncIterator[History]:
    yield MemoryHistory(bounds)


Opened = Callable[..., Any]


@pytest.fixture(params=[memory, sqlite], ids=["memory", "sqlite"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Opened:
    return partial(request.param, tmp_path)


async def found_in(history: History, **wanted: Any) -> list[Happened]:
    return [each async for each in history.find(Wanted(**wanted))]


async def arrivals(history: History, **wanted: Any) -> list[int]:
    return [each.accepted.arrival for each in await found_in(history, **wanted)]


async def test_the_newest_come_first(opened: Opened) -> None:
    async with opened() as history:
        for arrival in (1000, 2000, 3000):
            history.accepted(accepted(arrival))
        assert await arrivals(history) == [3000, 2000, 1000]
        assert await arrivals(history, limit=1) == [3000]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"id": "x"}, [2000]),
        ({"source": "/o"}, [2000]),
        ({"type": "o"}, [2000]),
        ({"name": "other"}, [2000]),
        ({"namespace": "ns", "kind": "Broker", "name": "b"}, [1000]),
        ({"repeats": frozenset((1000, 5))}, [2000]),
        ({"repeats": frozenset((2000,))}, []),
        ({"originals": True}, [1000]),
        ({"since": 2000}, [2000]),
        ({"before": 2000}, [1000]),
        ({"id": "x", "type": "t"}, []),
        ({"subject": "s-2"}, [2000]),
        ({"subject": "s"}, []),
        ({"readers": frozenset(("b", "z"))}, [2000]),
        ({"readers": frozenset(("z",))}, []),
        ({"text": "NEEDLE"}, [2000]),
        ({"text": "needle s-2"}, [2000]),
        ({"text": "needle s-3"}, []),
        ({"text": "broker"}, []),
        ({"text": "%"}, []),
        ({"id": "'; DROP TABLE history; --"}, []),
    ],
)
async def test_what_is_wanted_is_found(
    opened: Opened, wanted: dict[str, Any], found: list[int]
) -> None:
    async with opened() as history:
        history.accepted(accepted(1000))
        attributes = {"id": "x", "source": "/o", "type": "o", "subject": "s-2"}
        other = accepted(
            2000, ["b"], attributes=attributes, name="other", replay_of=1000, data=b"a \x00 Needle"
        )
        history.accepted(other)
        assert await arrivals(history, **wanted) == found


@pytest.mark.parametrize(
    "data",
    [
        '{"to": "Ñandú 100%"}'.encode(),
        b'{"to": "\\u00D1and\\u00fa 100%"}',
        '{"to": "ÑANDÚ 100%"}'.encode(),
        unicodedata.normalize("NFD", '{"to": "ñandú 100%"}').encode(),
    ],
    ids=["utf-8", "escaped", "capitals", "accents apart"],
)
@pytest.mark.parametrize("text", ["ñandú", "Ñandú", "ÑANDÚ 100%", '"to" ñandú'])
async def test_words_of_other_languages_are_found_however_they_are_written(
    opened: Opened, data: bytes, text: str
) -> None:
    async with opened() as history:
        history.accepted(accepted(1, data=data))
        history.accepted(accepted(2, data="{ñandu}".encode()))
        assert await arrivals(history, text=text) == [1]


@given(st.text(st.characters(exclude_categories=["Z", "C"]), min_size=1, max_size=8))
def test_a_word_is_found_as_it_is_and_as_json_has_it(word: str) -> None:
    for data in (word.encode(), json.dumps(word).encode()):
        if word.isascii() and ('"' in word or "\\" in word):
            continue  # As it stands in the data.
        assert holds(accepted(data=data), words(word))


async def test_an_event_keeps_everything_and_its_attempts_in_their_order(opened: Opened) -> None:
    async with opened() as history:
        fact = accepted(data=b"\x00\xff", content_type="a/b", headers=(("a", "b"),), readers=["a"])
        first = attempted(outcome="retrying", next_in=0.5, body=b"why")
        history.accepted(fact)
        history.attempted(first)
        history.attempted(attempted())
        found = await history.at(1000)
        assert found is not None
        assert (found.accepted, found.size) == (fact, 2)
        assert found.attempts == (first, attempted())
        assert await history.at(2000) is None


async def test_a_list_leaves_the_data_out(opened: Opened) -> None:
    async with opened() as history:
        history.accepted(accepted(1000, data=b"x" * 1000))
        history.accepted(accepted(2000, data=None))
        found = await found_in(history)
        assert [(each.accepted.data, each.size) for each in found] == [(None, 0), (None, 1000)]


async def test_an_event_is_open_until_all_its_deliveries_have_ended(opened: Opened) -> None:
    async with opened() as history:
        history.accepted(accepted(readers=["a", "b"]))
        assert not history.attempted(attempted(egress="a"))
        assert history.is_open(1000)
        assert (await found_in(history))[0].pending == {"b"}
        assert history.attempted(attempted(egress="b", outcome="failed"))
        assert not history.is_open(1000)
        assert (await found_in(history))[0].pending == frozenset()


async def test_an_event_that_nobody_wants_has_ended(opened: Opened) -> None:
    async with opened() as history:
        history.accepted(accepted(readers=[]))
        assert not history.is_open(1000)


async def test_an_egress_that_is_gone_ends_its_deliveries(opened: Opened) -> None:
    async with opened() as history:
        history.accepted(accepted(1000, readers=["a"]))
        history.accepted(accepted(2000, readers=["a", "b"]))
        assert history.changed(egress("a", 3000, gone=True)) == (1000,)
        assert not history.is_open(1000)
        assert history.is_open(2000)


async def test_a_delivery_that_an_earlier_run_left_opens_the_event_again(opened: Opened) -> None:
    async with opened() as history:
        history.accepted(accepted(readers=["a"]))
        history.attempted(attempted())
        history.attempted(attempted(egress="late", outcome="retrying", again=True))
        assert history.is_open(1000)
        assert history.attempted(attempted(egress="late", again=True))


async def test_the_same_event_twice_is_one(opened: Opened) -> None:
    async with opened() as history:
        history.accepted(accepted())
        history.accepted(accepted(sender="somebody else"))
        (found,) = await found_in(history)
        assert found.accepted.sender == accepted().sender


async def test_those_in_trouble_are_found(opened: Opened) -> None:
    async with opened() as history:
        for arrival, outcome in enumerate(("delivered", "dead-lettered", "failed", "retrying"), 1):
            history.accepted(accepted(arrival))
            history.attempted(attempted(arrival, outcome=outcome))
        assert await arrivals(history, troubled=True) == [3, 2]


@pytest.mark.parametrize(
    ("state", "found"),
    [
        ("unmatched", [1]),
        ("delivering", [8, 7, 6]),
        ("waiting", [8, 7, 6]),
        ("delivered", [2]),
        ("failed", [4, 3]),
        ("dead-lettered", [4, 3]),
        ("cut off", [5]),
        ("gone", [5]),
    ],
)
@pytest.mark.parametrize("text", ["", "t"])
async def test_what_cannot_be_in_a_state_is_left_out(
    opened: Opened, state: str, text: str, found: list[int]
) -> None:
    async with opened() as history:
        history.accepted(accepted(1, []))
        for arrival, outcome in ((2, "delivered"), (3, "failed"), (4, "dead-lettered")):
            history.accepted(accepted(arrival))
            history.attempted(attempted(arrival, outcome=outcome))
        history.accepted(accepted(5, ["deleted"]))
        history.changed(egress("deleted", 6, gone=True))
        history.accepted(accepted(6))
        history.accepted(accepted(7, ["a", "b"]))
        history.attempted(attempted(7))
        history.accepted(accepted(8))
        history.attempted(attempted(8, outcome="waiting"))
        got = await arrivals(history, state=state, text=text)
        # Who asks works out the rest: that nothing is missing is what counts.
        assert got == found or (state in {"delivered", "unmatched"} and set(found) <= set(got))


async def test_pages_leave_nothing_out_that_came_out_of_order(opened: Opened) -> None:
    async with opened() as history:
        # An earlier run has left the first, and keeping one takes longer than keeping another.
        for arrival in (9000, 1000, 5000, 7000, 6000, 8000):
            history.accepted(accepted(arrival, again=arrival == 1000))
        for wanted in ({}, {"id": "e"}, {"state": "delivering"}):
            paged, before = [], 10_000
            while page := await arrivals(history, limit=2, before=before, **wanted):
                paged += page
                before = page[-1]
            assert paged == [9000, 8000, 7000, 6000, 5000, 1000]
        assert await arrivals(history, since=8000) == [9000, 8000]


async def test_an_attempt_whose_event_is_not_kept_hides_no_others(opened: Opened) -> None:
    async with opened() as history:
        for arrival in range(1, 401):
            if arrival != 300:
                history.accepted(accepted(arrival))
            history.attempted(attempted(arrival, outcome="failed"))
        assert len(await arrivals(history, state="failed", limit=200)) == 200


async def test_what_was_sent_to_a_url_by_hand_changes_no_state(opened: Opened) -> None:
    async with opened() as history:
        history.changed(egress("deleted", 0, gone=True))
        history.accepted(accepted(1))
        history.attempted(attempted(1))
        history.attempted(attempted(1, "hand-1", "failed", egress_kind=BY_HAND))
        history.accepted(accepted(2, ["deleted"]))
        history.attempted(attempted(2, "hand-2", egress_kind=BY_HAND))
        history.changed(egress("deleted", 9, gone=True))
        assert 1 in await arrivals(history, state="delivered")
        assert await arrivals(history, state="failed") == []
        assert await arrivals(history, state="gone") == [2]


async def test_egresses_are_found_by_name_also_those_that_are_gone(opened: Opened) -> None:
    async with opened() as history:
        history.changed(egress("a", 0))
        history.changed(egress("a", 9, gone=True))
        assert history.uids("Trigger", "ns", "a") == {"a"}
        assert history.uids("", "ns", "a") == {"a"}
        assert history.uids("Subscription", "ns", "a") == frozenset()


async def test_one_that_goes_on_at_another_egress_is_found_there(tmp_path: Path) -> None:
    async with sqlite(tmp_path) as history:
        for reader in ("a", "b", "b"):
            history.accepted(accepted(1, [reader], again=True))
        for reader in ("a", "b"):
            assert await arrivals(history, readers=frozenset((reader,))) == [1]


async def test_events_of_an_earlier_knlite_are_searched_too(tmp_path: Path) -> None:
    async with sqlite(tmp_path) as history:
        history.accepted(accepted(1, data=b"needle"))
        history.accepted(accepted(2))
    with sqlite3.connect(tmp_path / FILE) as db:
        db.execute("DROP TABLE history_search")
    db.close()
    async with sqlite(tmp_path) as history:
        assert await arrivals(history, text="needle") == [1]
        assert await arrivals(history, type="t") == [2, 1]


async def test_attempts_without_end_do_not_grow_without_end(opened: Opened) -> None:
    async with opened() as history:
        history.accepted(accepted())
        for number in range(1, 3 * KEPT_ATTEMPTS):
            history.attempted(attempted(outcome="retrying", attempt=number))
        history.attempted(attempted(attempt=3 * KEPT_ATTEMPTS))
        (found,) = await found_in(history)
        assert len(found.attempts) == KEPT_ATTEMPTS + 1
        assert found.attempts[-1].attempt == 3 * KEPT_ATTEMPTS


async def test_egresses_are_known_as_they_were(opened: Opened) -> None:
    async with opened() as history:
        history.changed(egress("a", 0, type="one"))
        history.changed(egress("a", 500, type="two"))
        history.changed(egress("b", 600))
        history.changed(egress("a", 900, gone=True))

        async def names(arrival: int) -> list[tuple[str, str]]:
            found = await history.egresses(BROKER, arrival)
            return [(each.egress_name, each.filter_spec) for each in found]

        one = egress("a", 0, type="one").filter_spec
        two = egress("a", 0, type="two").filter_spec
        assert await names(500) == [("a", one)]
        assert await names(501) == [("a", two)]
        assert await names(601) == [("a", two), ("b", "{}")]
        assert await names(901) == [("b", "{}")]
        assert await history.egresses("another", 901) == []


async def settled(history: History) -> None:
    """What is to be forgotten has been."""
    for _ in range(50):
        await anyio.lowlevel.checkpoint()
        await found_in(history, limit=1)


async def test_the_oldest_that_have_ended_go_first(opened: Opened) -> None:
    async with opened(InMemory(history_bytes=20_000)) as history:
        history.changed(egress("a"))
        history.accepted(accepted(1, readers=["a"]))
        for arrival in range(2, 200):
            history.accepted(accepted(arrival, readers=[], data=b"x" * 100))
            await settled(history) if arrival % 20 == 0 else None
        await settled(history)
        left = await arrivals(history, limit=1000)
        assert left[0] == 199
        assert left[-1] == 1
        assert len(left) < 60
        assert left[:-1] == list(range(199, 199 - len(left) + 1, -1))


async def test_a_sender_that_always_has_the_same_id_is_no_trouble(opened: Opened) -> None:
    async with opened(InMemory(history_bytes=50_000)) as history:
        for arrival in range(1, 300):
            history.accepted(accepted(arrival, id="1", readers=[]))
        await settled(history)
        left = await arrivals(history, limit=1000)
        assert await arrivals(history, id="1", limit=1000) == left
        assert left[0] == 299
        assert len(left) < 299


async def test_what_is_too_old_goes() -> None:
    async with memory(Path(), InMemory(history_bytes=10_000, history_seconds=1)) as history:
        history.accepted(accepted(1, readers=[]))
        history.accepted(accepted(2_000_000, readers=[]))
        assert await arrivals(history) == [2_000_000]


@given(
    steps=st.lists(st.tuples(st.booleans(), st.integers(0, 30), st.integers(0, 3000)), max_size=120)
)
@settings(max_examples=50)
async def test_it_is_bounded_and_nothing_open_is_forgotten(
    steps: list[tuple[bool, int, int]],
) -> None:
    bounds = InMemory(history_bytes=10_000)
    async with memory(Path(), bounds) as history:
        still: dict[int, None] = {}
        for arrival, (opens, ends, size) in enumerate(steps, 1):
            history.accepted(accepted(arrival, readers=["a"] if opens else [], data=b"x" * size))
            if opens:
                still[arrival] = None
            if ends in still:
                history.attempted(attempted(ends))
                del still[ends]
            found = await found_in(history, limit=10_000)
            kept = {each.accepted.arrival for each in found}
            assert still.keys() <= kept
            beside = [each for each in found if each.accepted.arrival not in still]
            # One more may have ended since there was last made room.
            assert len(beside) <= 10_000 // 1500 + 2


async def test_a_history_in_sqlite_goes_on_in_the_next_run(tmp_path: Path) -> None:
    async with sqlite(tmp_path) as history:
        history.changed(egress("a", 0, type="t"))
        history.accepted(accepted(1000, readers=["a"]))
        history.attempted(attempted(1000))
        history.accepted(accepted(2000, readers=["a", "b"], engine="sqlite"))
        history.attempted(attempted(2000, egress="b"))
        history.accepted(accepted(3000, readers=["a"], engine="memory"))
    async with sqlite(tmp_path) as later:
        assert await arrivals(later) == [3000, 2000, 1000]
        assert await later.egresses(BROKER, 1000) == [egress("a", 0, type="t")]
        # What the engine in memory held is gone; it will never be heard of again.
        assert [later.is_open(each) for each in (1000, 2000, 3000)] == [False, True, False]
        assert later.attempted(attempted(2000, again=True))
        assert later.newest == 3000
        # A crash came before the row, and each egress says that it goes on with the event.
        for reader in ("a", "b"):
            later.accepted(accepted(2500, readers=[reader], sender="", again=True))
        assert not later.attempted(attempted(2500, "a", again=True))
        assert later.attempted(attempted(2500, "b", again=True))
        assert await arrivals(later) == [3000, 2500, 2000, 1000]
        # The same filter again says nothing new.
        later.changed(egress("a", 4000, type="t"))
        assert await later.egresses(BROKER, 1000) == [egress("a", 0, type="t")]


@pytest.mark.parametrize("body", [b"", b"\x02of a later one", b"\x01garbage"])
async def test_what_cannot_be_read_hides_nothing_else(tmp_path: Path, body: bytes) -> None:
    async with sqlite(tmp_path) as history:
        history.changed(egress("a"))
        for arrival in (1000, 2000, 3000):
            history.accepted(accepted(arrival, engine="sqlite"))
            history.attempted(attempted(arrival))
    db = sqlite3.connect(tmp_path / FILE)
    db.execute("UPDATE history SET body = ? WHERE arrival > 1000", (body,))
    db.execute("UPDATE history_attempts SET body = ?", (body,))
    db.execute("UPDATE history_egresses SET body = ?", (body,))
    db.execute("DELETE FROM history_notes")
    db.commit()
    db.close()
    async with sqlite(tmp_path) as later:
        assert await arrivals(later) == [1000]
        assert await later.at(2000) is None


class Stalled:
    """A disk that takes everything and never ends."""

    def __init__(self) -> None:
        self.settled: list[Callable[[None], None]] = []

    def submit(self, _: object, settled: Callable[[None], None]) -> None:
        self.settled.append(settled)

    async def query(self, sql: str, _: object = ()) -> list[Row]:
        return [] if "ORDER" in sql or "WHERE" in sql else [(0,)]


async def test_what_only_a_deleted_trigger_could_end_may_go(tmp_path: Path) -> None:
    async with sqlite(tmp_path) as history:
        history.accepted(accepted(1, readers=["deleted"], engine="sqlite"))
        history.accepted(accepted(2, readers=["a"], engine="sqlite"))
    async with sqlite(tmp_path, OnDisk(history_bytes=10_000)) as later:
        later.changed(egress("a", 3))
        for arrival in range(10, 100):
            later.accepted(accepted(arrival, readers=[]))
        await settled(later)
        kept = await arrivals(later, limit=1000)
        assert (2 in kept, 1 in kept) == (True, False)


@pytest.mark.parametrize("limit", [0, 1, 5, 7, 100])
@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"type": "odd"},
        {"troubled": True},
        {"before": 9},
        {"text": "odd"},
        {"text": "odd", "state": "failed"},
        {"state": "delivering", "type": "even"},
        {"state": "waiting", "id": "e", "since": 12},
        {"state": "cut off"},
        {"state": "unmatched"},
        {"id": "e", "readers": frozenset("a"), "type": "odd"},
        {"repeats": frozenset((1, 2)), "text": "even"},
        {"originals": True, "before": 15, "type": "even"},
    ],
)
async def test_long_lists_are_read_in_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: dict[str, Any], limit: int
) -> None:
    monkeypatch.setattr(historyreading, "PAGE", 3)
    monkeypatch.setattr(historyreading, "WINDOW", 4)
    async with sqlite(tmp_path) as history, memory(tmp_path) as oracle:
        for arrival in range(1, 20):
            for each in (history, oracle):
                kind = "odd" if arrival % 2 else "even"
                repeats = arrival % 4 if arrival > 4 else 0
                each.accepted(accepted(arrival, type=kind, replay_of=repeats))
                if arrival % 7:
                    outcome = "delivered" if arrival % 5 else "failed"
                    each.attempted(attempted(arrival, outcome=outcome))
        assert await found_in(history, **wanted, limit=limit) == await found_in(
            oracle, **wanted, limit=limit
        )


class Meanwhile:
    """A database where something happens while a query is on its way."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.submit = store.submit
        self.happens: list[Callable[[], object]] = []
        """After the last query, and those before."""

    async def query(self, sql: str, parameters: Row = ()) -> list[Row]:
        rows = await self._store.query(sql, parameters)
        if "body" in sql and self.happens:
            self.happens.pop()()
        return rows


@pytest.mark.parametrize("later", [0, 1])
async def test_what_ends_while_somebody_asks_is_not_cut_off(tmp_path: Path, later: int) -> None:
    async with open_database(tmp_path, TABLES, SystemClock(), print) as database:
        store = Meanwhile(database)
        async with open_history(store, OnDisk(), print) as history:
            history.accepted(accepted(readers=["a"]))
            store.happens = [lambda: history.attempted(attempted()), *[lambda: None] * later]
            found = await history.at(1000)
            assert found is not None
            assert found.pending or found.attempts


async def test_many_that_are_open_do_not_keep_those_that_have_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(historysqlite, "_AT_ONCE", 10)
    async with sqlite(tmp_path, OnDisk(history_bytes=60_000)) as history:
        history.changed(egress("a", 0))
        for arrival in range(1, 31):
            history.accepted(accepted(arrival, readers=["a"]))
        for arrival in range(31, 300):
            history.accepted(accepted(arrival, readers=[]))
            await anyio.lowlevel.checkpoint()
        await settled(history)
        left = await arrivals(history, limit=1000)
        assert left[-30:] == list(range(30, 0, -1))
        assert len(left) < 200


@pytest.mark.parametrize("large", [False, True])
async def test_a_disk_that_stalls_leaves_gaps_and_says_so(
    monkeypatch: pytest.MonkeyPatch, large: bool
) -> None:
    if not large:
        monkeypatch.setattr(historysqlite, "MAX_BEHIND", 10 * historytables.ROW)
    data = b"x" * (historysqlite.MAX_BEHIND // 10 if large else 0)
    disk, said = Stalled(), list[str]()
    async with open_history(disk, OnDisk(), said.append) as history:
        for arrival in range(1, 101):
            history.accepted(accepted(arrival, readers=[], data=data))
            await anyio.lowlevel.checkpoint()
        went = len(disk.settled)
        assert 0 < went < 12
        assert ["gaps" in text for text in said] == [True]
        for settled in tuple(disk.settled):
            settled(None)
        assert said[1] == f"the event log goes on; {100 - went} entries are missing"
