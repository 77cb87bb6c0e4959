from collections.abc import AsyncIterator, MutableMapping
from contextlib import ExitStack, asynccontextmanager
from typing import Any

import anyio
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from knlite.apiserver.ending import Ending
from knlite.console.live import STALLED, STILL_THERE, Live
from knlite.errors import InvalidInput, Overloaded
from knlite.telemetry.live.hub import MOST_LOOKING
from tests.flows.conftest import JumpingLoop
from tests.unit.telemetry.live.looked import Stage

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "asyncio", {"loop_factory": JumpingLoop}


async def _refused(_: Request, exc: Exception) -> PlainTextResponse:
    return PlainTextResponse(str(exc), 429 if isinstance(exc, Overloaded) else 400)


class Reader:
    """A client of the feed, which reads as long as it likes."""

    def __init__(self) -> None:
        self.status = 0
        self.body = b""
        self.whole = False
        """Whether the answer had an end."""
        self.reads = anyio.Event()
        self.reads.set()
        self.left = anyio.Event()
        self._asked = False

    async def receive(self) -> MutableMapping[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: MutableMapping[str, Any]) -> None:
        await self.reads.wait()
        if message["type"] == "http.response.start":
            self.status = message["status"]
        else:
            self.body += message["body"]
            self.whole = not message.get("more_body", False)


class Feed:
    """The feed of a stage with one topic, ``graph``."""

    def __init__(self) -> None:
        self.stage = Stage()
        self.stage.live.topic("graph", lambda: {"nodes": []})
        self.ending = Ending()
        self.app = Starlette(
            routes=Live(self.stage.live, self.ending).routes(),
            exception_handlers={InvalidInput: _refused, Overloaded: _refused},
        )

    @asynccontextmanager
    async def read(self, topics: str = "graph") -> AsyncIterator[Reader]:
        """A reader that has got what there was, or was refused."""
        reader = Reader()
        scope = {
            "type": "http",
            "method": "GET",
            "path": "/knlite/live",
            "query_string": f"topics={topics}".encode(),
            "headers": [],
        }
        async with anyio.create_task_group() as group:
            group.start_soon(self.app, scope, reader.receive, reader.send)
            await anyio.sleep(1)
            yield reader
            reader.left.set()


async def test_the_feed_begins_with_the_present_state_and_goes_on() -> None:
    feed = Feed()
    async with feed.read() as reader:
        assert reader.status == 200
        assert reader.body == b'event: graph\ndata: {"nodes":[]}\n\n'
        feed.stage.live.changed("graph")
        await anyio.sleep(1)
        assert reader.body.count(b"event: graph") == 2


async def test_silence_is_broken_by_a_comment() -> None:
    async with Feed().read() as reader:
        await anyio.sleep(3 * STILL_THERE)
        assert reader.body.endswith(b":\n\n:\n\n:\n\n")


async def test_a_browser_that_vanishes_is_noticed() -> None:
    feed = Feed()
    async with feed.read() as reader:
        assert feed.stage.live.watched("graph")
        reader.left.set()
        await anyio.sleep(1)
        assert not feed.stage.live.watched("graph")


async def test_the_stream_ends_whole_when_the_run_ends() -> None:
    feed = Feed()
    async with feed.read() as reader:
        feed.ending.end()
        await anyio.sleep(1)
        assert reader.whole
        assert not feed.stage.live.watched("graph")


async def test_who_never_reads_is_let_go_and_others_are_served_meanwhile() -> None:
    feed = Feed()
    async with feed.read() as stalled, feed.read() as other:
        stalled.reads = anyio.Event()
        for _ in range(3 * int(STALLED)):
            feed.stage.live.changed("graph")
            await anyio.sleep(1)
        assert other.body.count(b"event: graph") > 150
        other.left.set()
        await anyio.sleep(1)
        assert not feed.stage.live.watched("graph")
        stalled.reads.set()
        await anyio.sleep(1)
        assert stalled.whole
        assert stalled.body.count(b"event: graph") == 1


async def test_an_unknown_topic_is_a_mistake() -> None:
    async with Feed().read("grph") as reader:
        assert reader.status == 400
        assert b"topics=graph" in reader.body


async def test_too_many_readers_are_refused_in_words() -> None:
    feed = Feed()
    with ExitStack() as others:
        for _ in range(MOST_LOOKING):
            others.enter_context(feed.stage.live.looking(["graph"]))
        async with feed.read() as reader:
            assert reader.status == 429
            assert b"close one of them" in reader.body
