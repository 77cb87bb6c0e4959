"""Nobody waits longer than the limit for a confirmation."""

import asyncio

import anyio
import pytest

from knlite.eventlog.kafka.limit import Limit


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_a_confirmation_ends_the_wait() -> None:
    limit = Limit(60)
    kept = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(kept.set_result, None)
    await limit.wait(kept)


async def test_each_has_its_own_limit() -> None:
    limit, loop = Limit(0.1), asyncio.get_running_loop()
    ended: dict[str, float] = {}

    async def wait(name: str) -> None:
        with pytest.raises(TimeoutError):
            await limit.wait(loop.create_future())
        ended[name] = loop.time()

    async with anyio.create_task_group() as group:
        group.start_soon(wait, "first")
        await anyio.sleep(0.05)
        group.start_soon(wait, "second")
    assert ended["second"] - ended["first"] > 0.03


async def test_who_gives_up_is_forgotten() -> None:
    limit = Limit(0.05)
    with anyio.move_on_after(0.01):
        await limit.wait(asyncio.get_running_loop().create_future())
    kept = asyncio.get_running_loop().create_future()
    with pytest.raises(TimeoutError):
        await limit.wait(kept)
