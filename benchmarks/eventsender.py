"""The sender of event benchmarks: as cheap as Python can send events over HTTP."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

HEAD = (
    "POST {path} HTTP/1.1\r\nHost: {host}\r\nce-specversion: 1.0\r\nce-type: {type}\r\n"
    "ce-source: /benchmark\r\nContent-Type: application/octet-stream\r\n"
    "Content-Length: {length}\r\n"
)
STATUS = slice(9, 12)
WAITS = {"429", "503"}
"""Asked to send again later, which the sender does."""
LATER = 0.05
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where events go."""

    port: int
    path: str
    type: str = "wanted"

    def head(self, size: int) -> bytes:
        """All of a request's head that is the same for every event of *size* bytes."""
        host = f"127.0.0.1:{self.port}"
        return HEAD.format(path=self.path, host=host, type=self.type, length=size).encode()


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent; times of the monotonic clock in nanoseconds."""

    count: int
    began: int
    ended: int
    """When the last one was answered."""
    refused: int
    """How often the other end asked to send an event again later."""


async def send(
    target: Target, size: int, seconds: float, *, connections: int, rate: float = 0.0
) -> Sent:
    """Send events of *size* bytes for *seconds*: as many as get answers, or *rate* per second.

    Raises ``RuntimeError`` for an answer that neither accepts an event nor asks for it later.
    """
    loop = asyncio.get_running_loop()
    began = time.monotonic_ns()
    course = Course(began, began + int(seconds * 1e9), rate)
    protocols = []
    for number in range(connections):
        make = _maker(course, target.head(size), bytes(size), number)
        _, protocol = await loop.create_connection(make, "127.0.0.1", target.port)
        protocols.append(protocol)
    await asyncio.gather(*(protocol.over for protocol in protocols))
    return Sent(sum(each.count for each in protocols), began, time.monotonic_ns(), course.refused)


class Course:
    """When the next event is due, for all connections together."""

    def __init__(self, began: int, until: int, rate: float) -> None:
        self._began = began
        self._until = until
        self._gap = 1e9 / rate if rate else 0.0
        self._number = 0
        self.refused = 0

    def due(self) -> int | None:
        """When the next event is to be sent, in nanoseconds; None when it is over."""
        now = time.monotonic_ns()
        at = now
        if self._gap:
            at = self._began + int(self._gap * self._number)
            self._number += 1
        return None if at >= self._until else at


class _Connection(asyncio.Protocol):
    """Sends one event after another, each when the one before has been answered."""

    def __init__(self, course: Course, head: bytes, body: bytes, number: int) -> None:
        self._course = course
        self._head = head
        self._body = body
        self._name = b"ce-id: %d-" % number
        self._loop = asyncio.get_running_loop()
        self.over: asyncio.Future[None] = self._loop.create_future()
        self.count = 0
        self._data = b""
        self._request = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none of asyncio's by class.
        self._transport = cast("asyncio.Transport", transport)
        self._next()

    def data_received(self, data: bytes) -> None:
        self._data += data
        end = self._data.find(b"\r\n\r\n")
        if end < 0:
            return
        lower = self._data[: end + 2].lower()
        at = lower.find(b"\r\ncontent-length:")
        length = int(lower[at + 17 : lower.index(b"\r\n", at + 2)]) if at >= 0 else 0
        if len(self._data) < end + 4 + length:
            return
        status = self._data[STATUS].decode()
        answer, self._data = self._data, b""
        if status.startswith("2"):
            self.count += 1
            self._next()
        elif status in WAITS:
            self._course.refused += 1
            self._loop.call_later(LATER, self._transport.write, self._request)
        else:
            self._end(RuntimeError(f"answered {answer[:300].decode(errors='replace')}"))

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc or RuntimeError("the connection was closed"))

    def _next(self) -> None:
        due = self._course.due()
        if due is None:
            self._end(None)
            return
        wait = (due - time.monotonic_ns()) / 1e9
        if wait > 0:
            self._loop.call_later(wait, self._send, due)
        else:
            self._send(due)

    def _send(self, due: int) -> None:
        # Timed from when it was due: a sender that is held up must not hide it.
        identity = self._name + b"%d\r\nce-sent: %d\r\n\r\n" % (self.count, due)
        self._request = self._head + identity + self._body
        self._transport.write(self._request)

    def _end(self, error: Exception | None) -> None:
        if self.over.done():
            return
        if error is None:
            self.over.set_result(None)
        else:
            self.over.set_exception(error)
        self._transport.close()


def _maker(course: Course, head: bytes, body: bytes, number: int) -> Callable[[], _Connection]:
    return lambda: _Connection(course, head, body, number)
