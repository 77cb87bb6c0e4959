"""Engines that are made when something asks for them."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest

from knlite.clock import LoopClock
from knlite.errors import Unavailable
from knlite.eventing.cloudevent import CloudEvent
from knlite.eventlog.ondemand import KAFKA, RABBITMQ, Maker, OnDemand
from knlite.eventlog.port import Reader, Record
from knlite.facts import Fact, LogStanding, Notice
from tests.flows.cell import on_virtual_time

EVENT = CloudEvent({"specversion": "1.0", "id": "1", "source": "/s", "type": "t"})


@dataclass(frozen=True)
class Owner:
    kind: str = "Broker"
    namespace: str = "default"
    name: str = "main"
    uid: str = "uid"
    backing: None = None


def asked(maker: Maker, facts: list[Fact]) -> OnDemand:
    clock = LoopClock(datetime(2026, 1, 2, tzinfo=UTC))
    return OnDemand(maker, facts.append, clock, random.Random(1))


@on_virtual_time
async def test_a_library_that_is_not_there_is_told_with_the_command_that_brings_it() -> None:
    facts = list[Fact]()
    engine = asked(Maker("kafka", "no_such_library", "none", "None"), facts)
    log = engine.log(Owner(), [])
    assert engine.log(Owner(), []) is not log
    with pytest.raises(Unavailable) as caught:
        await log.append(Record(EVENT, 1, (), 1))
    assert 'pip install "knlite[kafka]"' in str(caught.value)
    # Once, although it was asked twice.
    standing, notice = facts
    assert isinstance(standing, LogStanding)
    assert (standing.ready, standing.reason) == (False, "ExtraNotInstalled")
    assert "the Python package no-such-library is not installed" in standing.message
    assert 'pip install "knlite[kafka]"' in standing.message
    assert isinstance(notice, Notice)
    assert "\n" not in notice.text
    # Another one waits for the same: that is in its condition.
    engine.log(Owner(name="other", uid="other"), [])
    assert [type(each) for each in facts] == [LogStanding, Notice, LogStanding]
    reader = Reader("r")
    cursor = log.open(reader, "start")
    assert (cursor.take(), log.dead_letters(reader)) == (None, None)
    with anyio.move_on_after(3600) as waited:
        await cursor.wait()
    assert waited.cancelled_caught
    log.close("r")
    engine.forget("uid")


@on_virtual_time
async def test_a_library_that_does_not_work_is_told_in_its_words() -> None:
    facts = list[Fact]()
    asked(Maker("kafka", "json", "json.no_such_part", "None"), facts).log(Owner(), [])
    standing = facts[0]
    assert isinstance(standing, LogStanding)
    assert "json cannot be used: No module named 'json.no_such_part'" in standing.message


def test_a_library_that_breaks_while_it_is_imported_ends_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "knlite_broken_library.py").write_text("int.no_such_method")
    monkeypatch.syspath_prepend(tmp_path)
    facts = list[Fact]()

    @on_virtual_time
    async def ask() -> None:
        maker = Maker("kafka", "knlite_broken_library", "knlite_broken_library", "None")
        log = asked(maker, facts).log(Owner(), [])
        with pytest.raises(Unavailable, match="has no attribute 'no_such_method'"):
            await log.append(Record(EVENT, 1, (), 1))

    ask()
    standing = facts[0]
    assert isinstance(standing, LogStanding)
    assert "knlite-broken-library cannot be used: AttributeError: " in standing.message


@on_virtual_time
async def test_nothing_is_made_that_nobody_asks_for() -> None:
    engine = asked(Maker("kafka", "json", "no.such.module", "None"), [])
    engine.forget("uid")
    async with anyio.create_task_group() as group:
        await group.start(engine.run)
        group.cancel_scope.cancel()


@pytest.mark.parametrize("maker", [KAFKA, RABBITMQ])
def test_the_extras_are_those_of_the_package(maker: Maker) -> None:
    assert maker.extra in {"kafka", "rabbitmq"}
    assert maker.module == f"knlite.eventlog.{maker.extra}.engine"
