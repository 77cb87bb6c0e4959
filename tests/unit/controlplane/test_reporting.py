"""Writes a moment later, the newest of each key only, on virtual time."""

import asyncio
from datetime import UTC, datetime

from knlite.clock import LoopClock
from knlite.controlplane.reporting import DELAY, Reporter
from tests.flows.cell import on_virtual_time


def reporter() -> Reporter:
    return Reporter(LoopClock(datetime(2026, 1, 2, tzinfo=UTC)))


@on_virtual_time
async def test_the_newest_write_of_a_key_is_made_once_after_the_delay() -> None:
    done: list[str] = []
    found = reporter()
    found.report("a", lambda: done.append("old"))
    found.report("a", lambda: done.append("new"))
    assert done == []
    assert not found.settled
    await asyncio.sleep(DELAY * 1.1)
    assert done == ["new"]
    assert found.settled
    await asyncio.sleep(10 * DELAY)
    assert done == ["new"]


@on_virtual_time
async def test_a_write_that_fails_takes_no_others_along() -> None:
    done: list[str] = []
    failures: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: failures.append(told))

    def fail() -> None:
        raise ValueError("x")

    found = reporter()
    found.report("a", fail)
    found.report("b", lambda: done.append("b"))
    await asyncio.sleep(DELAY * 3)
    assert done == ["b"]
    assert len(failures) == 1
    assert found.settled
