"""Which partition an event without a key goes to: all events of a moment to the same one.

Spread one by one, as the library does it, what is sent at once becomes a batch for each partition,
and each of them costs the server and all who read as much as a full one. Upstream's producer does
the same by its library (KIP-480).
"""

import random
from collections.abc import Callable, Sequence

from aiokafka.partitioner import DefaultPartitioner

MOMENT = 0.01
"""Seconds. Long enough for a batch, and short enough that readers who take one event of each
partition at a time see them all in turn."""


class Sticky:
    """What ``AIOKafkaProducer`` takes as its partitioner."""

    def __init__(self, now: Callable[[], float], draw: random.Random) -> None:
        self._now = now
        self._draw = draw
        self._by_key = DefaultPartitioner()
        self._chosen = -1
        self._until = 0.0

    def __call__(
        self, key: bytes | None, partitions: Sequence[int], available: Sequence[int]
    ) -> int:
        """One of *partitions*; without a *key* one that is *available*, if any is."""
        if key is not None:
            chosen: int = self._by_key(key, partitions, available)
            return chosen
        some = available or partitions
        now = self._now()
        if now >= self._until or self._chosen not in some:
            self._chosen = self._draw.choice(sorted(some))
            self._until = now + MOMENT
        return self._chosen
