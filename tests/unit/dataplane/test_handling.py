"""Tasks that are used again from one request to the next."""

import anyio
import pytest

from knlite.dataplane.handling import SPARE, Handling


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_all_are_handled_at_once(anyio_backend: str) -> None:
    begun: list[int] = []
    go = anyio.Event()

    async def handle(number: int) -> None:
        begun.append(number)
        await go.wait()

    async with anyio.create_task_group() as group:
        handling = Handling(group, handle)
        for number in range(SPARE + 10):
            handling.begin(number)
        await anyio.wait_all_tasks_blocked()
        assert sorted(begun) == list(range(SPARE + 10))
        go.set()
        await anyio.wait_all_tasks_blocked()
        group.cancel_scope.cancel()


async def test_a_task_that_is_done_takes_the_next(anyio_backend: str) -> None:
    tasks: set[int] = set()

    async def handle(number: int) -> None:
        tasks.add(anyio.get_current_task().id)
        await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as group:
        handling = Handling(group, handle)
        for number in range(4):
            handling.begin(number)
            await anyio.wait_all_tasks_blocked()
        group.cancel_scope.cancel()
    assert len(tasks) == 1


async def test_no_more_than_some_wait_for_the_next(anyio_backend: str) -> None:
    async def handle(number: int) -> None:
        await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as group:
        handling = Handling(group, handle)
        for number in range(3 * SPARE):
            handling.begin(number)
        await anyio.wait_all_tasks_blocked()
        assert len(anyio.get_running_tasks()) <= SPARE + 2
        group.cancel_scope.cancel()
