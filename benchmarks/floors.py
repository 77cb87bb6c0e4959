"""What a server and its client library do without knlite: programs of their own that do only that.

    python -m benchmarks.floors rabbitmq|kafka ADDRESS NAME TRIGGERS

takes commands from its standard input and answers them, in lines of JSON: make what it needs on the
server (``layout``), ``consume`` everything from now on, be ready to ``publish``, ``send`` events,
tell what has come when all has (``told``), ``stop`` consuming, and ``clear`` away what it made.
"""

import asyncio
import json
import logging
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from types import TracebackType
from typing import Any, Protocol, Self

import uvloop

from benchmarks.eventsender import Course, Sent
from benchmarks.subscriber import Seen

PATIENCE = 120.0
"""Seconds for deliveries that do not come."""


class Floor(Protocol):
    """One server's client library."""

    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, *_: object) -> None: ...
    async def layout(self) -> None: ...
    async def clear(self) -> None: ...
    async def stop(self) -> None: ...
    async def publish(self) -> None: ...
    async def one(self, body: bytes, name: str, due: int) -> None: ...
    async def consume(self, seen: Seen) -> None: ...


def floor(engine: str, address: str, name: str, triggers: int) -> Floor:
    """That of the server *engine* at *address*."""
    # Who measures only one needs no library of the other.
    if engine == "rabbitmq":
        from benchmarks import rabbitmqfloor

        return rabbitmqfloor.Floor(address, name, triggers)
    from benchmarks import kafkafloor

    return kafkafloor.Floor(address, name, triggers)


class Programs:
    """The floor of one server, as one program or as two; a context that ends them."""

    def __init__(self, engine: str, address: str, name: str, triggers: int, *, two: bool) -> None:
        self._arguments = (engine, address, f"bench-{name}", str(triggers))
        self._two = two

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "benchmarks.floors", *self._arguments]
        count = 2 if self._two else 1
        self._processes = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for _ in range(count)
        ]
        try:
            self._ask(0, do="layout")
            self._ask(-1, do="consume")
            self._ask(0, do="publish")
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._ask(-1, do="stop")
                self._ask(0, do="clear")
        finally:
            self._end()

    @property
    def pids(self) -> list[int]:
        """Of its processes."""
        return [process.pid for process in self._processes]

    def send(self, size: int, seconds: float, connections: int, rate: float) -> Sent:
        """Send events, as ``eventsender.send`` does."""
        what = {"size": size, "seconds": seconds, "connections": connections, "rate": rate}
        return Sent(**self._ask(0, do="send", **what))

    def told(self, wanted: int) -> Mapping[str, int]:
        """What has come, when *wanted* deliveries have or nothing comes any more."""
        return self._ask(-1, do="told", wanted=wanted)

    def _end(self) -> None:
        for process in self._processes:
            process.terminate()
            process.wait(20)

    def _ask(self, which: int, **command: Any) -> dict[str, Any]:
        process = self._processes[which]
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(command) + "\n")
        process.stdin.flush()
        answer = process.stdout.readline()
        if not answer:
            sys.exit(f"the floor of {self._arguments[0]} ended early")
        told: dict[str, Any] = json.loads(answer)
        return told


# The program.


async def _obey(engine: str, address: str, name: str, triggers: int) -> None:
    seen = Seen()
    async with floor(engine, address, name, triggers) as server:
        while line := await asyncio.to_thread(sys.stdin.readline):
            answer = await _done(server, seen, json.loads(line))
            print(json.dumps(answer), flush=True)


async def _done(server: Floor, seen: Seen, command: dict[str, Any]) -> dict[str, Any]:
    match command.pop("do"):
        case "layout":
            await server.layout()
        case "publish":
            await server.publish()
        case "consume":
            await server.consume(seen)
        case "stop":
            await server.stop()
        case "clear":
            await server.clear()
        case "send":
            return asdict(await _send(server, **command))
        case "told":
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    while len(seen.delays) < command["wanted"]:  # noqa: ASYNC110  so is the subscriber
                        await asyncio.sleep(0.02)
            told: dict[str, Any] = json.loads(seen.taken())
            return told
        case unknown:
            raise ValueError(unknown)
    return {}


async def _send(server: Floor, size: int, seconds: float, connections: int, rate: float) -> Sent:
    began = time.monotonic_ns()
    course = Course(began, began + int(seconds * 1e9), rate)
    body = bytes(size)

    async def one_after_another(number: int) -> int:
        count = 0
        while (due := course.due()) is not None:
            wait = (due - time.monotonic_ns()) / 1e9
            if wait > 0:
                await asyncio.sleep(wait)
            await server.one(body, f"{number}-{count}", due)
            count += 1
        return count

    counts = await asyncio.gather(*map(one_after_another, range(connections)))
    return Sent(sum(counts), began, time.monotonic_ns(), 0)


if __name__ == "__main__":
    # What the libraries tell while topics and queues come and go is no news here.
    logging.disable()
    _engine, _address, _name, _triggers = sys.argv[1:]
    uvloop.run(_obey(_engine, _address, _name, int(_triggers)))
