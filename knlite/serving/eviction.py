"""What is let go when frozen instances hold more memory than they may: GreedyDual-Size.

Each has a priority: what its next cold start would cost, in seconds, for each byte that it holds.
The lowest goes first, and what it had is added to all that come later. So of two that cost the same
the one that has not been used for longer goes, and one that is dear to start stays longer, but not
for ever.

Source: Cao and Irani, Cost-Aware WWW Proxy Caching Algorithms (1997), §4.
Not here: sizes and times, which whoever freezes has measured (``controlplane/idling.py``).
"""

from collections.abc import Iterator
from typing import Generic, NamedTuple, TypeVar

K = TypeVar("K")

SMALLEST = 4096
"""Bytes that anything holds at least: nothing is so small that it is never let go."""


class _Held(NamedTuple):
    priority: float
    order: int
    size: int


class GreedyDual(Generic[K]):
    """Those that hold memory."""

    def __init__(self) -> None:
        self._held: dict[K, _Held] = {}
        self._floor = 0.0
        """The priority of what was let go last."""
        self._order = 0
        self.size = 0
        """Bytes that all of them hold."""

    def __iter__(self) -> Iterator[K]:
        return iter(self._held)

    def __contains__(self, key: K) -> bool:
        return key in self._held

    def add(self, key: K, size: int, cost: float, limit: int) -> tuple[K, ...]:
        """*key* holds *size* bytes from now on, and would take *cost* seconds to start anew.

        All together may hold *limit* bytes. Returns those that have to go, first the first; *key*
        may be among them.
        """
        self.remove(key)
        size = max(size, SMALLEST)
        if size > limit:
            # It would have all the others go, and itself after them.
            return (key,)
        self._order += 1
        self._held[key] = _Held(self._floor + max(cost, 0.0) / size, self._order, size)
        self.size += size
        gone: list[K] = []
        while self.size > limit:
            least = min(self._held, key=self._held.__getitem__)
            self._floor = self._held[least].priority
            self.remove(least)
            gone.append(least)
        return tuple(gone)

    def remove(self, key: K) -> None:
        """*key* holds nothing any more; no effect if it did not."""
        held = self._held.pop(key, None)
        if held is not None:
            self.size -= held.size
