"""Who leaves before the answer is there."""

from collections.abc import MutableMapping
from typing import Any

import anyio
import pytest

from knlite.console.presence import while_there
from knlite.errors import Unreachable

pytestmark = pytest.mark.anyio


class Client:
    """One whose body has been read, and which stays until it is told to leave."""

    def __init__(self) -> None:
        self.leaves = anyio.Event()

    async def receive(self) -> MutableMapping[str, Any]:
        await self.leaves.wait()
        return {"type": "http.disconnect"}


async def test_who_stays_gets_the_answer() -> None:
    async def work() -> str:
        await anyio.lowlevel.checkpoint()
        return "done"

    assert await while_there(Client().receive, work) == "done"


async def test_who_leaves_ends_the_work() -> None:
    client = Client()
    ended = anyio.Event()

    async def work() -> str:
        client.leaves.set()
        try:
            await anyio.sleep_forever()
        finally:
            ended.set()
        return "never"

    assert await while_there(client.receive, work) is None
    assert ended.is_set()


async def test_what_goes_wrong_is_told_as_it_is() -> None:
    async def work() -> str:
        raise Unreachable("shop has not answered")

    with pytest.raises(Unreachable, match="has not answered"):
        await while_there(Client().receive, work)
