"""What knlite expects of the library's clients."""

import asyncio

import anyio
import pytest

pytest.importorskip("aiokafka", reason="the extra kafka is not installed")

from aiokafka.client import AIOKafkaClient
from aiokafka.conn import AIOKafkaConnection
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


async def test_the_library_still_has_what_is_used_of_it_past_its_documentation() -> None:
    """Who lifts the upper bound in pyproject.toml has to see that these mean what they did."""
    client = AIOKafkaClient(bootstrap_servers="127.0.0.1:9")
    connection = AIOKafkaConnection("127.0.0.1", 9)
    try:
        assert client._topics == set()
        assert client._conns == {}
        assert callable(client._on_connection_closed)
        assert connection._on_close_cb is None
    finally:
        await client.close()
