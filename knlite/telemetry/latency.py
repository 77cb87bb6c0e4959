"""How long requests take, and cold starts: percentiles and where the time goes.

Not here: what is counted of requests (``requests.py``), what is kept of starts
(``recentrequests.py``).
"""

from collections.abc import Iterable, Sequence
from itertools import accumulate
from math import ceil
from statistics import median

import msgspec

from knlite.facts import ColdStart
from knlite.telemetry.requests import Distribution

OVERFLOW = 4.0
"""What is longer than the last bound is taken to end at this multiple of it."""
BINS = 24
"""Of a histogram of cold starts."""


class Bin(msgspec.Struct, frozen=True, kw_only=True):
    """How many took *start* to *end* seconds."""

    start: float
    end: float
    count: int


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """How many there were, and how long they took, in seconds; 0 while there are none."""

    count: int
    p50: float = 0.0
    p90: float = 0.0
    p95: float = 0.0
    p99: float = 0.0
    histogram: Sequence[Bin] = ()


class StageMedian(msgspec.Struct, frozen=True, kw_only=True):
    """What a stage takes in half of the cold starts, at most."""

    name: str
    seconds: float


class ColdSpread(Spread, frozen=True, kw_only=True):
    """The same of cold starts, until the first byte of the answer."""

    stages: Sequence[StageMedian] = ()


def spread_of_counts(counted: Distribution) -> Spread:
    """The percentiles of *counted*: exact to the width of its bounds."""
    total = sum(counted.counts)
    if not total:
        return Spread(count=0)
    edges = (0.0, *counted.bounds, counted.bounds[-1] * OVERFLOW)
    reached = list(accumulate(counted.counts))

    def percentile(share: float) -> float:
        wanted = share * total
        index = next(i for i, count in enumerate(reached) if count >= wanted)
        within = counted.counts[index]
        passed = (wanted - (reached[index] - within)) / within
        return edges[index] + (edges[index + 1] - edges[index]) * passed

    return Spread(
        count=total,
        p50=percentile(0.5),
        p90=percentile(0.9),
        p95=percentile(0.95),
        p99=percentile(0.99),
        histogram=[
            Bin(start=edges[i], end=edges[i + 1], count=count)
            for i, count in enumerate(counted.counts)
            if count
        ],
    )


def spread_of_starts(starts: Sequence[ColdStart]) -> ColdSpread:
    """The percentiles of *starts*, each among those that happened, and medians of their stages."""
    taken = sorted(each.first_byte for each in starts)
    if not taken:
        return ColdSpread(count=0)

    def percentile(share: float) -> float:
        return taken[max(0, ceil(share * len(taken)) - 1)]

    return ColdSpread(
        count=len(taken),
        p50=percentile(0.5),
        p90=percentile(0.9),
        p95=percentile(0.95),
        p99=percentile(0.99),
        histogram=_bins(taken),
        stages=[
            StageMedian(name=name, seconds=median(seconds)) for name, seconds in _by_stage(starts)
        ],
    )


def _bins(taken: Sequence[float]) -> list[Bin]:
    """*taken*, which is sorted, in bins of one width from 0."""
    width = taken[-1] / BINS or 1.0
    counts = [0] * BINS
    for seconds in taken:
        counts[min(BINS - 1, int(seconds / width))] += 1
    return [
        Bin(start=index * width, end=(index + 1) * width, count=count)
        for index, count in enumerate(counts)
    ]


def _by_stage(starts: Sequence[ColdStart]) -> Iterable[tuple[str, list[float]]]:
    if all(each.how == "thawed" for each in starts):
        yield "queued", [each.queued for each in starts]
        yield "thaw", [each.ready - each.queued for each in starts]
    else:
        yield "queued", [each.queued for each in starts]
        yield "prepare", [each.created - each.queued for each in starts]
        yield "create", [each.started - each.created for each in starts]
        yield "ready", [each.ready - each.started for each in starts]
    yield "hand over", [each.forwarded - each.ready for each in starts]
    yield "app", [each.first_byte - each.forwarded for each in starts]
