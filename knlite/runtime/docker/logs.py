"""What a container writes, cut into lines.

The engine sends both streams over one connection: eight bytes of head (stream number, three zero
bytes, length), then that many bytes. Frames and lines have nothing to do with each other.

Source: Docker Engine API, "Attach to a container", stream format.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, Protocol

from knlite.runtime.port import Log

if TYPE_CHECKING:
    from asyncio import BaseTransport

LINE_BYTES = 64 * 1024
"""A line that grows longer is handed on in pieces of this size."""
_HEAD = 8


class Demultiplexer:
    """Turns the attached stream into calls of *log*, one for each line."""

    def __init__(self, log: Log) -> None:
        self._frames = bytearray()
        self._lines = {1: bytearray(), 2: bytearray()}
        self._log = log

    def feed(self, data: bytes) -> None:
        """Take what has arrived."""
        frames = self._frames
        frames += data
        start = 0
        while len(frames) - start >= _HEAD:
            end = start + _HEAD + int.from_bytes(frames[start + 4 : start + _HEAD], "big")
            if len(frames) < end:
                break
            self._write(frames[start], frames[start + _HEAD : end])
            start = end
        del frames[:start]

    def close(self) -> None:
        """Hand on what was written without a last line end."""
        for number, line in self._lines.items():
            if line:
                self._emit(number, line)
                line.clear()

    def _write(self, number: int, data: bytearray) -> None:
        number = 2 if number == 2 else 1
        line = self._lines[number]
        line += data
        start = 0
        while True:
            end = line.find(b"\n", start, start + LINE_BYTES + 1)
            if end >= 0:
                self._emit(number, line[start:end])
                start = end + 1
            elif len(line) - start > LINE_BYTES:
                self._emit(number, line[start : start + LINE_BYTES])
                start += LINE_BYTES
            else:
                break
        del line[:start]

    def _emit(self, number: int, line: bytearray) -> None:
        stream: Literal["stdout", "stderr"] = "stderr" if number == 2 else "stdout"
        self._log(stream, line.removesuffix(b"\r").decode(errors="replace"))


class Attached(Protocol):
    """An attached connection being read; the engine ends it with the container."""

    def close(self) -> None:
        """Read no more."""
        ...


async def read_attached(sock: socket.socket, log: Log, ended: Callable[[], None]) -> Attached:
    """Read *sock* on the event loop; *ended* is called once, after the last line.

    No thread and no task is kept waiting for it.
    """
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_accepted_socket(lambda: _Reader(log, ended), sock)
    return transport


class _Reader(asyncio.Protocol):
    def __init__(self, log: Log, ended: Callable[[], None]) -> None:
        self._demultiplexer = Demultiplexer(log)
        self._ended = ended

    def connection_made(self, transport: "BaseTransport") -> None:
        pass

    def data_received(self, data: bytes) -> None:
        self._demultiplexer.feed(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._demultiplexer.close()
        self._ended()
