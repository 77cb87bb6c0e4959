"""One who looks at a hub on virtual time, and what it gets to see."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import anyio

from knlite.clock import LoopClock
from knlite.telemetry.bus import Bus
from knlite.telemetry.live.hub import Hub, Looker

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def messages(looker: Looker) -> list[tuple[str, Any]]:
    """What *looker* gets now, as a browser reads it."""
    found = []
    for text in looker.take().decode().split("\n\n")[:-1]:
        event, data = text.split("\n")
        found.append((event.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


class Stage:
    """A hub, its clock, and a bus for those who read facts."""

    def __init__(self) -> None:
        self.clock = LoopClock(NOW)
        self.bus = Bus()
        self.live = Hub(self.clock)

    @contextmanager
    def looking(self, topic: str) -> "Iterator[Sight]":
        """Look at *topic*, whose first message has been taken."""
        with self.live.looking([topic]) as looker:
            looker.take()
            yield Sight(looker)


class Sight:
    """What one topic tells."""

    def __init__(self, looker: Looker) -> None:
        self._looker = looker

    async def next(self) -> Any:
        """Its next message; the test hangs if there is none."""
        await self._looker.wait()
        ((_, data),) = messages(self._looker)
        return data

    async def nothing(self) -> bool:
        """Whether it tells nothing for some seconds."""
        await anyio.sleep(5)
        return messages(self._looker) == []
