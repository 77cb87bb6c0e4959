"""Worker threads for blocking calls: bounded, in order, and never in the way of an exit."""

import asyncio
import threading

import pytest

from knlite.runtime.docker.threads import Threads


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_no_more_calls_run_at_a_time_than_allowed() -> None:
    threads = Threads("test", 2)
    release, begun = threading.Event(), threading.Semaphore(0)
    running: list[int] = []

    def call(number: int) -> int:
        running.append(number)
        begun.release()
        release.wait(5)
        return number

    futures = [threads.submit(call, number) for number in range(4)]
    await asyncio.to_thread(lambda: [begun.acquire(timeout=5) for _ in range(2)])
    assert sorted(running) == [0, 1]
    release.set()
    assert await asyncio.gather(*futures) == [0, 1, 2, 3]


async def test_a_failed_call_raises_where_it_is_awaited() -> None:
    with pytest.raises(ValueError, match="given"):
        await Threads("test", 1).submit(int, "given")


async def test_a_call_that_is_cancelled_before_its_turn_never_runs() -> None:
    threads = Threads("test", 1)
    release, ran = threading.Event(), []
    first = threads.submit(release.wait, 5)
    second = threads.submit(ran.append, 2)
    third = threads.submit(ran.append, 3)
    second.cancel()
    release.set()
    await first
    await third
    assert ran == [3]


async def test_a_call_that_hangs_does_not_keep_the_process() -> None:
    threads = Threads("test", 1)
    daemon = await threads.submit(lambda: threading.current_thread().daemon)
    assert daemon
