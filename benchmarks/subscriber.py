"""The subscriber of event benchmarks: a program of its own that answers 202 and notes delays.

A POST is an event; its header ``ce-sent`` is when it was sent, in nanoseconds of the monotonic
clock that all programs of a machine share. GET answers what has come so far, and begins anew.

    python -m benchmarks.subscriber PORT
"""

import asyncio
import json
import sys
import time
from array import array
from typing import cast

import uvloop

ACCEPTED = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"
_LENGTH, _SENT, _END = b"\r\ncontent-length:", b"\r\nce-sent:", b"\r\n\r\n"


class Seen:
    """Delays of events, in nanoseconds, and when the last one came."""

    def __init__(self) -> None:
        self.delays = array("q")
        self.last = 0

    def note(self, sent: int) -> None:
        """An event has come that was sent at *sent*."""
        self.last = time.monotonic_ns()
        self.delays.append(self.last - sent)

    def taken(self) -> bytes:
        """What has come, as JSON; the next begins anew."""
        delays = sorted(self.delays)
        count = len(delays)
        told = {
            "count": count,
            "last": self.last,
            "p50": delays[count // 2] if count else 0,
            "p99": delays[min(count - 1, count * 99 // 100)] if count else 0,
        }
        self.delays = array("q")
        return json.dumps(told).encode()


class Subscriber(asyncio.Protocol):
    """One connection."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none of asyncio's by class.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        data = self._data + data if self._data else data
        while True:
            head = data.find(_END)
            if head < 0:
                break
            lower = data[: head + 2].lower()
            end = head + 4 + int(_value(lower, _LENGTH) or 0)
            if len(data) < end:
                break
            if lower.startswith(b"get "):
                self._answer(lower)
            else:
                self._seen.note(int(_value(lower, _SENT) or 0))
                self._transport.write(ACCEPTED)
            data = data[end:]
        self._data = data

    def _answer(self, head: bytes) -> None:
        if head.startswith(b"get /count "):
            body = str(len(self._seen.delays)).encode()
        else:
            body = self._seen.taken()
        self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


def _value(head: bytes, name: bytes) -> bytes:
    at = head.find(name)
    if at < 0:
        return b""
    at += len(name)
    return head[at : head.index(b"\r\n", at)].strip()


async def _serve(port: int) -> None:
    seen = Seen()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Subscriber(seen), "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
