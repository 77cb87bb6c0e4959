"""Chance as a part that is handed in; ``random.Random`` is one."""

from collections.abc import Sequence
from typing import Protocol


class Draw(Protocol):
    """Where decisions that chance takes come from."""

    def randrange(self, stop: int, /) -> int:
        """A whole number from 0 to below *stop*."""
        ...

    def random(self) -> float:
        """A number from 0 to below 1."""
        ...

    def choice(self, among: Sequence[str], /) -> str:
        """One of *among*."""
        ...
