"""Requests counted by revision, status, method and tag: sums that cost a request next to nothing.

Every request passes here, so there are no metric objects on the way: a look-up, a search in a short
tuple for each histogram, and additions. What they come to is made when somebody asks
(``metrics.py``).

Cardinality is bounded whatever clients send: a status is one of 500 or ``other``, a method is one
that is registered or ``_OTHER`` (OpenTelemetry's semantic conventions for HTTP), tags come from the
routing table, and what belonged to a revision goes with it.

Source: Knative reference §6.1; OpenTelemetry's default boundaries for histograms of sizes.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Container, Iterator
from itertools import accumulate, pairwise

from knlite.facts import RequestDone

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Upper bounds of durations, each including its bound."""
FINE = tuple(sorted({*SECONDS, *(round(0.00005 * 1.25**step, 9) for step in range(75))}))
"""The same, 50 us to above the ten minutes that a request may take unless told, near enough to each
other for percentiles; each of SECONDS among them."""
SIZES = (0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000)
"""Upper bounds of bodies, in bytes."""
METHODS = frozenset(
    ("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE")
)
OTHER_METHOD = "_OTHER"
OTHER_STATUS = "other"
_SWITCHED = "101"
LOOK_AT = 1000
"""Sets of labels at which to look for revisions that are gone."""


class Distribution:
    """How many values fell below which bound, and their sum."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count *value*."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def add(self, other: "Distribution") -> None:
        """Count all that *other* has."""
        self.counts = [mine + its for mine, its in zip(self.counts, other.counts, strict=True)]
        self.total += other.total

    def buckets(self) -> list[tuple[str, float]]:
        """(upper bound, values up to it), as Prometheus writes them."""
        names = (*(str(float(bound)) for bound in self.bounds), "+Inf")
        return list(zip(names, accumulate(self.counts), strict=True))


class Series:
    """The requests that have the same labels."""

    __slots__ = (
        "_at_once",
        "_at_once_total",
        "_busy",
        "_empty",
        "_held",
        "_held_invocation",
        "_request",
        "_response",
        "_response_total",
        "configuration",
        "method",
        "namespace",
        "revision",
        "route_tag",
        "service",
        "status",
    )

    def __init__(self, fact: RequestDone, method: str, status: str) -> None:
        self.namespace = fact.namespace
        self.service = fact.service
        self.configuration = fact.configuration
        self.revision = fact.revision
        self.status = status
        self.method = method
        self.route_tag = fact.route_tag
        # Most requests wait for nothing: their whole time is the instance's, and counted once.
        self._at_once = [0] * (len(FINE) + 1)
        self._at_once_total = 0.0
        self._busy = Distribution(FINE)
        self._held = Distribution(SECONDS)
        self._held_invocation = Distribution(SECONDS)
        # Most requests have no body.
        self._empty = 0
        self._request = Distribution(SIZES)
        self._response = [0] * (len(SIZES) + 1)
        self._response_total = 0

    def observe(self, fact: RequestDone) -> None:
        """Count one request."""
        seconds, waited, size = fact.seconds, fact.waited, fact.response_bytes
        if waited or not fact.instance:
            self._held.observe(seconds)
            if fact.instance:
                self._held_invocation.observe(seconds - waited)
                if not fact.cold:
                    self._busy.observe(seconds)
        else:
            self._at_once[bisect_left(FINE, seconds)] += 1
            self._at_once_total += seconds
        if fact.request_bytes:
            self._request.observe(fact.request_bytes)
        else:
            self._empty += 1
        self._response[bisect_left(SIZES, size)] += 1
        self._response_total += size

    def duration(self) -> Distribution:
        """Seconds from arrival to the end of the answer."""
        found = self._direct()
        found.add(self._held)
        return found

    def invocation(self) -> Distribution:
        """Seconds from being handed to an instance to the end of the answer."""
        found = self._direct()
        found.add(self._held_invocation)
        return found

    def warm(self) -> Distribution:
        """Seconds from arrival to the end of the answer of requests that an instance was ready
        for, by FINE bounds; none of what became another protocol, as a connection may be open for
        hours without being slow."""
        found = Distribution(FINE)
        if self.status == _SWITCHED:
            return found
        found.counts, found.total = list(self._at_once), self._at_once_total
        found.add(self._busy)
        return found

    def request_size(self) -> Distribution:
        """Bytes of requests."""
        found = Distribution(SIZES)
        found.counts[0] = self._empty
        found.add(self._request)
        return found

    def response_size(self) -> Distribution:
        """Bytes of answers."""
        found = Distribution(SIZES)
        found.counts, found.total = list(self._response), float(self._response_total)
        return found

    def _direct(self) -> Distribution:
        found = Distribution(SECONDS)
        ends = [0, *(bisect_right(FINE, bound) for bound in SECONDS), len(FINE) + 1]
        found.counts = [sum(self._at_once[begin:end]) for begin, end in pairwise(ends)]
        found.total = self._at_once_total
        return found


_Key = tuple[str, str, int, str, str]


class Requests:
    """All requests of a run.

    *alive* says which revisions there are, as (namespace, name); None if nobody knows.
    """

    __slots__ = ("_alive", "_look_at", "_series")

    def __init__(self, alive: Callable[[], Container[tuple[str, str]] | None]) -> None:
        self._alive = alive
        self._series: dict[_Key, Series] = {}
        self._look_at = LOOK_AT

    def count(self, fact: RequestDone) -> None:
        """Count one request."""
        key = (fact.namespace, fact.revision, fact.status, fact.method, fact.route_tag)
        series = self._series.get(key)
        if series is None:
            series = self._bounded(fact)
        series.observe(fact)

    def tidy(self) -> None:
        """Forget what belongs to revisions that are gone."""
        alive = self._alive()
        if alive is not None:
            self._series = {
                key: series
                for key, series in self._series.items()
                if (series.namespace, series.revision) in alive
            }

    def __iter__(self) -> Iterator[Series]:
        """Each set of labels once."""
        return iter(self._series.values())

    def _bounded(self, fact: RequestDone) -> Series:
        """The series for *fact*, whatever its client has invented."""
        known = 100 <= fact.status <= 599
        method = fact.method if fact.method in METHODS else OTHER_METHOD
        status = fact.status if known else 0
        key = (fact.namespace, fact.revision, status, method, fact.route_tag)
        series = self._series.get(key)
        if series is None:
            if len(self._series) >= self._look_at:
                # Nobody asks for the metrics, which would do the same.
                self.tidy()
                self._look_at = max(LOOK_AT, 2 * len(self._series))
            text = str(status) if known else OTHER_STATUS
            series = self._series[key] = Series(fact, method, text)
        return series
