"""Whether a run has done what it was told, and what it still waits for.

Source: knlite's own; ``/readyz`` and the start of ``knlite up`` ask for it.
"""

import math
from typing import Protocol

from knlite.clock import Clock
from knlite.controlplane.readiness import Undecided

LOOK = 0.02
"""Seconds between two looks at whether a run that starts has settled."""


class Part(Protocol):
    """Something that works on what has changed."""

    @property
    def settled(self) -> bool:
        """Whether nothing is left for it to do at this moment."""
        ...


class Settling:
    """Looks at all parts of a run."""

    def __init__(self, undecided: Undecided, clock: Clock) -> None:
        self._undecided = undecided
        self._clock = clock
        self._parts: list[tuple[Part, str]] = []
        self._applied = False

    def ask(self, part: Part, words: str) -> None:
        """Count *part* too; *words* say what it is at while it is not settled."""
        self._parts.append((part, words))

    def applied(self) -> None:
        """Something has been applied; before that nothing has settled."""
        self._applied = True

    def unsettled(self) -> list[str]:
        """What is not settled yet, in words; empty when everything applied has settled."""
        waiting = self._undecided.words()
        if not self._applied:
            waiting.append("nothing has been applied yet")
        busy = (words for part, words in self._parts if not part.settled)
        return [*waiting, *dict.fromkeys(busy)]

    async def wait(self, patience: float) -> None:
        """Return once nothing is unsettled, or *patience* seconds after the last step towards it.

        A step is one more object that is decided; thousands of them take their time.
        """
        least, since = math.inf, self._clock.now()
        while (left := len(self._undecided)) or self.unsettled():
            now = self._clock.now()
            if left < least:
                least, since = left, now
            elif now - since >= patience:
                return
            # Not every cause of waiting shows as a change of an object.
            await self._clock.sleep_until(now + LOOK)
