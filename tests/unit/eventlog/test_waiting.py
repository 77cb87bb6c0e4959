"""Each event wakes one of those who wait, and is not lost on one who has gone."""

import asyncio
from collections.abc import AsyncIterator

import anyio
import pytest
from anyio.abc import TaskGroup

from knlite.eventlog.waiting import Waiting


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def group() -> AsyncIterator[TaskGroup]:
    async with anyio.create_task_group() as group:
        yield group
        group.cancel_scope.cancel()


class Waiters:
    def __init__(self, group: TaskGroup) -> None:
        self.waiting = Waiting()
        self.woken = list[str]()
        self._group = group

    async def add(self, name: str) -> anyio.CancelScope:
        scope = anyio.CancelScope()

        async def wait() -> None:
            with scope:
                await self.waiting.wait()
                self.woken.append(name)

        self._group.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        return scope


async def test_those_who_came_first_are_woken_first(group: TaskGroup) -> None:
    waiters = Waiters(group)
    for name in "abc":
        await waiters.add(name)
    waiters.waiting.wake(2)
    await anyio.wait_all_tasks_blocked()
    assert (waiters.woken, len(waiters.waiting)) == (["a", "b"], 1)
    waiters.waiting.wake(5)
    await anyio.wait_all_tasks_blocked()
    assert (waiters.woken, len(waiters.waiting)) == (["a", "b", "c"], 0)


async def test_who_has_gone_is_not_counted(group: TaskGroup) -> None:
    waiters = Waiters(group)
    gone = await waiters.add("a")
    await waiters.add("b")
    gone.cancel()
    await anyio.wait_all_tasks_blocked()
    assert len(waiters.waiting) == 1
    waiters.waiting.wake()
    await anyio.wait_all_tasks_blocked()
    assert waiters.woken == ["b"]


async def test_a_turn_is_not_lost_on_who_is_cancelled_before_it(group: TaskGroup) -> None:
    waiters = Waiters(group)
    goes = await waiters.add("a")
    await waiters.add("b")
    goes.cancel()
    waiters.waiting.wake()
    await anyio.wait_all_tasks_blocked()
    assert (waiters.woken, len(waiters.waiting)) == (["b"], 0)


async def test_a_turn_is_not_lost_on_who_is_cancelled_right_after_it() -> None:
    waiting = Waiting()
    first, second = (asyncio.create_task(waiting.wait()) for _ in range(2))
    await anyio.wait_all_tasks_blocked()
    waiting.wake()
    first.cancel()
    with anyio.fail_after(1):
        await second
    assert first.cancelled()
