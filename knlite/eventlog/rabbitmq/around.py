"""What all logs of the engine have around them."""

import random
from dataclasses import dataclass

from knlite.clock import Clock
from knlite.facts import Notice, Publish


@dataclass(frozen=True, slots=True)
class Around:
    """Made by the engine."""

    publish: Publish
    clock: Clock
    draw: random.Random
    run: str
    """The id of this run, which events carry that it has taken in."""

    def complain(self, text: str) -> None:
        """Tell people what no condition says."""
        self.publish(Notice(at=self.clock.wall(), level="warning", text=text))
