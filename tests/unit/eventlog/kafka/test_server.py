"""A client of the library that is to end."""

import asyncio

import anyio
import pytest

pytest.importorskip("aiokafka", reason="the extra kafka is not installed")

from aiokafka.errors import KafkaError

from knlite.eventlog.kafka.server import ended


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.parametrize("says", [asyncio.CancelledError(), KafkaError(), AssertionError()])
async def test_a_client_that_ends_in_disorder_ends_nothing_else(says: BaseException) -> None:
    async def end() -> None:
        raise says

    went_on = False
    async with anyio.create_task_group():
        await ended(end)
        went_on = True
    assert went_on
