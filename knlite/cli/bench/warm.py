"""Warm requests: so many, so many at once, each connection kept open.

A client of its own: with a general one the measurement would be for the most part of the client.

Not here: cold starts (``cold.py``).
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import anyio
import httptools

from knlite.cli.exchange import Call
from knlite.errors import Unreachable

SECONDS = 310.0
"""For one answer."""
EVERY = 100
"""Requests from one report of progress to the next."""


@dataclass(frozen=True, slots=True)
class Warm:
    """What has come of the requests; times in seconds."""

    latencies: tuple[float, ...]
    """Of those that were answered with success, to the last byte."""
    failed: int
    problem: str
    """What the first of those that failed met."""
    seconds: float
    """From the first to the last."""
    concurrency: int

    @property
    def rate(self) -> float:
        """Answers in a second."""
        return len(self.latencies) / self.seconds if self.seconds else 0.0


def warm(call: Call, count: int, concurrency: int, step: Callable[[int], None]) -> Warm:
    """*count* requests, *concurrency* of them at once; a few more before that are not counted.

    Raises ``Unreachable`` if nobody answers.
    """
    return anyio.run(_warm, call, count, concurrency, step, backend_options={"use_uvloop": True})


async def _warm(call: Call, count: int, concurrency: int, step: Callable[[int], None]) -> Warm:
    message = _message(call)
    place = urlsplit(f"//{call.through}" if call.through else call.url)
    host, port = place.hostname or "", place.port or 80
    connections = [_Connection(host, port) for _ in range(min(concurrency, count))]
    try:
        for connection in connections:
            await connection.open()
        # The instances, their number and the connections are there before it begins.
        await _measured(connections, message, max(len(connections), min(count // 10, 200)), None)
        return await _measured(connections, message, count, step)
    except OSError as exc:
        raise Unreachable(f"{call.url} does not answer", cause=str(exc)) from exc
    finally:
        for connection in connections:
            connection.close()


async def _measured(
    connections: "list[_Connection]",
    message: bytes,
    count: int,
    step: Callable[[int], None] | None,
) -> Warm:
    latencies: list[float] = []
    problems: list[str] = []
    begun = 0

    async def client(connection: "_Connection") -> None:
        nonlocal begun
        while begun < count:
            begun += 1
            if step is not None and begun % EVERY == 0:
                step(begun)
            began = time.perf_counter()
            try:
                status = await connection.ask(message)
            except (ConnectionError, TimeoutError) as exc:
                problems.append(str(exc) or "it took too long")
                continue
            if 200 <= status < 400:
                latencies.append(time.perf_counter() - began)
            else:
                problems.append(f"status {status}")

    started = time.perf_counter()
    async with anyio.create_task_group() as group:
        for connection in connections:
            group.start_soon(client, connection)
    seconds = time.perf_counter() - started
    first = problems[0] if problems else ""
    return Warm(tuple(sorted(latencies)), len(problems), first, seconds, len(connections))


class _Connection(asyncio.Protocol):
    """One request after the other; opened again when the other side has closed it."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._transport: asyncio.Transport | None = None
        self._parser: httptools.HttpResponseParser | None = None
        self._answer: asyncio.Future[int] | None = None

    async def open(self) -> asyncio.Transport:
        """Be connected. Raises ``OSError``."""
        transport = self._transport
        if transport is None or transport.is_closing():
            loop = asyncio.get_running_loop()
            transport, _ = await loop.create_connection(lambda: self, self._host, self._port)
            self._transport = transport
        return transport

    async def ask(self, message: bytes) -> int:
        """The status of the answer. Raises ``OSError``, ``TimeoutError``."""
        transport = await self.open()
        self._answer = asyncio.get_running_loop().create_future()
        self._parser = httptools.HttpResponseParser(self)
        transport.write(message)
        with anyio.fail_after(SECONDS):
            return await self._answer

    def close(self) -> None:
        """No more requests."""
        if self._transport is not None:
            self._transport.close()

    # For asyncio.

    def data_received(self, data: bytes) -> None:
        if self._parser is None:
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as exc:
            self._fail(ConnectionError(str(exc)))

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._fail(ConnectionResetError(str(exc) if exc else "it was closed"))

    # For the parser.

    def on_message_complete(self) -> None:
        """The answer is there."""
        parser, answer = self._parser, self._answer
        if parser is None or answer is None or answer.done():
            return
        status = parser.get_status_code()
        if status < 200:
            return  # Early hints; the answer follows.
        if not parser.should_keep_alive() and self._transport is not None:
            self._transport.close()
        answer.set_result(status)

    def _fail(self, why: Exception) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(why)


def _message(call: Call) -> bytes:
    """The request as it goes over the wire."""
    parts = urlsplit(call.url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = [*call.headers]
    given = {name.lower() for name, _ in headers}
    if "host" not in given:
        headers.insert(0, ("Host", parts.netloc.rpartition("@")[2]))
    if call.body is not None and "content-length" not in given:
        headers.append(("Content-Length", str(len(call.body))))
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    head = f"{call.method} {target} HTTP/1.1\r\n{lines}\r\n"
    return head.encode() + (call.body or b"")
