"""Handlers at hosts of their own, on real sockets: what they are told, and when they are ended."""

import random
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import anyio
import pytest

from knlite.clock import SystemClock
from knlite.dataplane.activator import Activator
from knlite.dataplane.eventhosts import Answer
from knlite.dataplane.eventingress import EventIngress
from knlite.dataplane.gateway import Gateway
from knlite.eventlog.memory import MemoryEngine
from knlite.facts import Fact
from tests.contract.gateway import until


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Handler:
    """Answers when it is told to, and keeps count."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, bytes]] = []
        self.cancelled = 0
        self.go = anyio.Event()

    async def answer(
        self, method: str, path: str, headers: Sequence[tuple[str, str]], body: bytes, client: str
    ) -> Answer:
        self.asked.append((method, path, body))
        try:
            await self.go.wait()
        except anyio.get_cancelled_exc_class():
            self.cancelled += 1
            raise
        return Answer(200, (("X-Kind", "answer"),), b"done")


@asynccontextmanager
async def serving(
    handler: Handler, *, waits: bool, complain: Callable[[str], None] = print
) -> AsyncIterator[tuple[str, int]]:
    clock, facts, draw = SystemClock(), list[Fact](), random.Random(1)
    activator = Activator(clock, facts.append, draw)
    ingress = EventIngress(clock, facts.append, {"memory": MemoryEngine()})
    gateway = Gateway(activator, ingress, draw, complain=complain)
    gateway.event_hosts.serve("ask.shop", handler.answer, waits=waits)
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setblocking(False)
    async with anyio.create_task_group() as group:
        await group.start(activator.run)
        await group.start(gateway.run, [listening])
        yield listening.getsockname()
        group.cancel_scope.cancel()


REQUEST = (
    b"POST /path?q HTTP/1.1\r\nHost: ask.shop.svc.cluster.local\r\nContent-Length: 2\r\n\r\nhi"
)


async def test_a_handler_gets_the_whole_request_and_its_answer_arrives() -> None:
    handler = Handler()
    handler.go.set()
    async with serving(handler, waits=True) as address, await anyio.connect_tcp(*address) as client:
        await client.send(REQUEST)
        answer = await client.receive()
    assert handler.asked == [("POST", "/path?q", b"hi")]
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"done")


@pytest.mark.parametrize("waits", [True, False])
async def test_only_one_that_waits_ends_when_its_client_leaves(waits: bool) -> None:
    handler = Handler()
    async with serving(handler, waits=waits) as address:
        async with await anyio.connect_tcp(*address) as client:
            await client.send(REQUEST)
            await until(lambda: handler.asked)
        if waits:
            await until(lambda: handler.cancelled)
        else:
            # Long enough for the other one to have ended many times.
            await anyio.sleep(0.1)
        assert handler.cancelled == int(waits)
        handler.go.set()


class Broken(Handler):
    """Meets what nobody has thought of, unless it is asked at ``/good``."""

    def __init__(self, answer: Answer | None = None) -> None:
        super().__init__()
        self.go.set()
        self._wrong = answer

    async def answer(
        self, method: str, path: str, headers: Sequence[tuple[str, str]], body: bytes, client: str
    ) -> Answer:
        if path == "/good":
            return await super().answer(method, path, headers, body, client)
        if self._wrong is not None:
            return self._wrong
        raise KeyError("nobody has thought of this")


@pytest.mark.parametrize("waits", [True, False])
@pytest.mark.parametrize("wrong", [None, Answer(200, (("X-Kind", "\N{SNOWMAN}"),))])
async def test_a_defect_of_one_handler_ends_one_request(waits: bool, wrong: Answer | None) -> None:
    handler, told = Broken(wrong), list[str]()
    async with (
        serving(handler, waits=waits, complain=told.append) as address,
        await anyio.connect_tcp(*address) as client,
    ):
        await client.send(REQUEST)
        answer = await client.receive()
        await client.send(REQUEST.replace(b"/path?q", b"/good"))
        after = await client.receive()
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert b"nobody has thought" not in answer
    [line] = told
    assert "ask.shop.svc.cluster.local/path?q" in line
    assert "KeyError" in line or "UnicodeEncodeError" in line
    assert after.startswith(b"HTTP/1.1 200 ")
