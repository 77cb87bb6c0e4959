"""Averages over a sliding window of one-second buckets.

Source: Knative reference §2.4; knative/serving ``pkg/autoscaler/aggregation/bucketing.go``.
"""

import math

BUCKET = 1.0
PRECISION = 6
MIN_WEIGHT = 0.2
COVERED = 0.0001
"""What the exponential weights of a whole window leave out."""


class Window:
    """The values of the last *seconds*, one bucket a second."""

    __slots__ = ("_buckets", "_first", "_last", "_size", "_total", "_weight")

    def __init__(self, seconds: float) -> None:
        self._size = max(1, math.ceil(seconds / BUCKET))
        self._buckets = [0.0] * self._size
        self._total = 0.0
        self._first: int | None = None
        self._last = -1
        self._weight = max(MIN_WEIGHT, 1 - COVERED ** (1 / self._size))

    def record(self, now: float, value: float) -> None:
        """Add *value* to the bucket of *now*; values of one second add up."""
        index = math.floor(now / BUCKET)
        if self._first is None or index - self._last >= self._size:
            self._first = index
            self._buckets = [0.0] * self._size
            self._total = 0.0
            self._last = index
        elif index > self._last:
            for gone in range(self._last + 1, index + 1):
                self._total -= self._buckets[gone % self._size]
                self._buckets[gone % self._size] = 0.0
            self._last = index
        elif self._last - index >= self._size:
            return
        self._first = min(self._first, index)
        self._buckets[index % self._size] += value
        self._total += value

    def resized(self, now: float, seconds: float) -> "Window":
        """A window of *seconds* with as much of what this one holds as fits into it."""
        other = Window(seconds)
        if self._first is None or self.is_empty(now):
            return other
        kept = min(self._size, other._size)
        oldest = max(self._first, self._last - kept + 1)
        for index in range(oldest, self._last + 1):
            value = self._buckets[index % self._size]
            other._buckets[index % other._size] = value
            other._total += value
        # How long there has been a load counts, as far as it was remembered.
        other._first, other._last = max(self._first, self._last - self._size + 1), self._last
        return other

    def is_empty(self, now: float) -> bool:
        """Whether nothing was recorded within the window."""
        return self._first is None or math.floor(now / BUCKET) - self._last >= self._size

    def average(self, now: float) -> float:
        """The plain average over the window, or over as much of it as has been seen."""
        if self._first is None or self.is_empty(now):
            return 0.0
        late = max(0, math.floor(now / BUCKET) - self._last)
        stale = (
            self._buckets[i % self._size] for i in range(self._last + 1, self._last + late + 1)
        )
        seen = min(self._last - self._first + 1, self._size - late)
        return round(max(0.0, self._total - sum(stale)) / seen, PRECISION)

    def weighted_average(self, now: float) -> float:
        """The average in which each second weighs more than the one before."""
        if self._first is None or self.is_empty(now):
            return 0.0
        newest = max(self._last, math.floor(now / BUCKET))
        result, factor = 0.0, self._weight
        for index in range(newest, max(self._first, newest - self._size + 1) - 1, -1):
            if index <= self._last:
                result += factor * self._buckets[index % self._size]
            factor *= 1 - self._weight
        return round(result, PRECISION)
