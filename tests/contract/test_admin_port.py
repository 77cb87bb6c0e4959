"""The admin port on a real socket: what only shows on one (clients-api reference, Part 5)."""

import json
import socket
from collections.abc import AsyncIterator

import anyio
import pytest
from anyio.abc import SocketStream, TaskStatus

from knlite.apiserver.serving import MAX_HEAD, serve
from tests.unit.apiserver.asking import BROKERS, Client
from tests.unit.registry.desk import broker, registry


class Port:
    """A served admin port; leaving the run ends it."""

    def __init__(self, client: Client, number: int, run: anyio.CancelScope) -> None:
        self.client = client
        self.number = number
        self.run = run

    async def ask(self, *lines: str, body: bytes = b"") -> SocketStream:
        """A connection on which a request with these lines has been sent."""
        stream = await anyio.connect_tcp("127.0.0.1", self.number)
        head = "\r\n".join([*lines, f"Host: 127.0.0.1:{self.number}", "", ""])
        await stream.send(head.encode() + body)
        return stream


@pytest.fixture
async def port() -> AsyncIterator[Port]:
    client = Client(registry())
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        run = anyio.CancelScope()

        async def served(*, task_status: TaskStatus[None]) -> None:
            with run:
                await serve(client.door, listening, task_status=task_status)

        async with anyio.create_task_group() as group:
            await group.start(served)
            yield Port(client, listening.getsockname()[1], run)
            run.cancel()


async def until_end(stream: SocketStream) -> bytes:
    found = b""
    with anyio.fail_after(5):
        try:
            while True:
                found += await stream.receive()
        except anyio.EndOfStream:
            return found


async def until(stream: SocketStream, text: bytes) -> bytes:
    found = b""
    with anyio.fail_after(5):
        while text not in found:
            found += await stream.receive()
    return found


WATCH = f"GET {BROKERS}?watch=true HTTP/1.1"


async def test_a_watch_is_told_at_once_and_ends_whole_with_the_run(port: Port) -> None:
    async with await port.ask(WATCH) as stream:
        head = await until(stream, b"\r\n\r\n")
        assert b"transfer-encoding: chunked" in head.lower()
        port.client.registry.create(broker(), user="test")
        chunk = await until(stream, b"}\n")
        (line,) = (each for each in chunk.splitlines() if each.startswith(b"{"))
        event = json.loads(line)
        assert (event["type"], event["object"]["metadata"]["name"]) == ("ADDED", "b")
        port.run.cancel()
        assert (await until_end(stream)).endswith(b"0\r\n\r\n")


async def test_a_watch_whose_client_is_gone_leaves_nothing_behind(port: Port) -> None:
    async with await port.ask(WATCH) as stream:
        await until(stream, b"\r\n\r\n")
        assert port.client.door.ending.waiting == 1
    with anyio.fail_after(5):
        while port.client.door.ending.waiting:
            # One more turn of the loop, which may take the end of the connection in.
            await anyio.lowlevel.checkpoint()


async def test_a_head_without_end_is_refused(port: Port) -> None:
    async with await anyio.connect_tcp("127.0.0.1", port.number) as stream:
        await stream.send(b"GET /livez HTTP/1.1\r\nX: " + b"a" * MAX_HEAD)
        assert (await until_end(stream)).startswith(b"HTTP/1.1 400 ")


async def test_a_body_may_be_larger_than_a_head(port: Port) -> None:
    data = json.dumps({"metadata": {"name": "big"}, "data": {"a": "b" * 4 * MAX_HEAD}}).encode()
    lines = (
        "POST /api/v1/namespaces/default/configmaps HTTP/1.1",
        "Content-Type: application/json",
        f"Content-Length: {len(data)}",
    )
    async with await port.ask(*lines, body=data) as stream:
        assert (await until(stream, b"\r\n\r\n")).startswith(b"HTTP/1.1 201 ")


async def test_an_upgrade_that_is_not_offered_is_a_status(port: Port) -> None:
    lines = (
        "GET /api/v1/namespaces/default/pods/p/exec?command=ls HTTP/1.1",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    )
    async with await port.ask(*lines) as stream:
        answer = await until(stream, b'"code":404')
        assert b'"kind":"Status"' in answer
