"""What all logs of the engine have around them."""

import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from knlite.clock import Clock
from knlite.eventlog.backoff import wait_before
from knlite.facts import Notice, Publish

Work = Callable[[], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Made by the engine."""

    run: str
    """Names this run on the wire."""
    publish: Publish
    clock: Clock
    draw: random.Random
    start: Callable[[Work], None]
    """Have the engine's own tasks do something."""

    async def pause(self, failures: int) -> None:
        """Wait before the next attempt."""
        await self.clock.sleep_until(self.clock.now() + wait_before(failures, self.draw))

    def complain(self, text: str) -> None:
        """Tell people what will not go away by itself."""
        self.publish(Notice(at=self.clock.wall(), level="warning", text=text))
