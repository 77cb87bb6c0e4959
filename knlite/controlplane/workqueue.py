"""Which items to work on next: each at most once at a time, failures later and later.

Synchronous and without a clock: whoever drives it says what time it is.

Source: Kubernetes client-go ``util/workqueue`` (de-duplication, delaying and rate limiting queues).
"""

import heapq
from collections import deque
from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)

BASE_DELAY = 0.005
MAX_DELAY = 1000.0
"""Seconds; client-go's item exponential failure rate limiter."""


class WorkQueue(Generic[T]):
    """A set with an order: first come, first served; adding twice before it is taken is once."""

    def __init__(self) -> None:
        self._ready: deque[T] = deque()
        self._is_ready: set[T] = set()
        self._later: list[tuple[float, int, T]] = []
        self._due: dict[T, float] = {}
        self._failures: dict[T, int] = {}
        self._sequence = 0

    def add(self, item: T) -> None:
        """*item* is due now."""
        if item not in self._is_ready:
            self._is_ready.add(item)
            self._ready.append(item)

    def add_at(self, item: T, when: float) -> None:
        """*item* is due at *when*, or sooner if an earlier moment was asked for."""
        known = self._due.get(item)
        if known is not None and known <= when:
            return
        self._due[item] = when
        self._sequence += 1
        heapq.heappush(self._later, (when, self._sequence, item))

    def failed(self, item: T, now: float) -> float:
        """Put *item* back after a failure; returns when it is due again."""
        count = self._failures.get(item, 0)
        self._failures[item] = count + 1
        when = now + min(BASE_DELAY * 2.0 ** min(count, 20), MAX_DELAY)
        self.add_at(item, when)
        return when

    def succeeded(self, item: T) -> None:
        """Forget earlier failures of *item*."""
        self._failures.pop(item, None)

    def take(self, now: float) -> T | None:
        """The next item that is due at *now*, or None."""
        while self._later and self._later[0][0] <= now:
            when, _, item = heapq.heappop(self._later)
            # An entry that a sooner one has replaced is stale.
            if self._due.get(item) == when:
                del self._due[item]
                self.add(item)
        if not self._ready:
            return None
        first = self._ready.popleft()
        self._is_ready.remove(first)
        return first

    def next_due(self) -> float | None:
        """When the next delayed item is due; None if none waits."""
        while self._later and self._due.get(self._later[0][2]) != self._later[0][0]:
            heapq.heappop(self._later)
        return self._later[0][0] if self._later else None

    def __bool__(self) -> bool:
        """Whether an item is due at once."""
        return bool(self._ready)
