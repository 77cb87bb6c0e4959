"""What a client library cancels, and what we do."""

import asyncio

import anyio
import pytest

from knlite.eventlog.cancellation import only_our_cancellation


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_what_the_library_cancels_is_a_failure() -> None:
    future = asyncio.get_running_loop().create_future()
    future.cancel()
    with pytest.raises(ConnectionError), only_our_cancellation():
        await future


async def test_what_we_cancel_is_cancelled() -> None:
    with anyio.CancelScope() as scope:
        scope.cancel()
        with only_our_cancellation():
            await anyio.sleep_forever()
    assert scope.cancelled_caught
