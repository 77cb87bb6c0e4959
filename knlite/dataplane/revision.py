"""One revision as the path of requests sees it: its places, its instances, its timers, its load.

Not here: what one request does with them (``request.py``), all revisions (``activator.py``).
"""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Protocol

from knlite.clock import Clock
from knlite.dataplane.timeouts import Arrived, Timeouts
from knlite.dataplane.tracing import Tracing
from knlite.dataplane.wire.call import Upstream
from knlite.dataplane.wire.http1_pool import Http1Pool
from knlite.dataplane.wire.http2_pool import Http2Pool
from knlite.facts import Publish
from knlite.serving.autoscaling.average import ConcurrencyMeter
from knlite.serving.autoscaling.path import Mode
from knlite.serving.capacity.throttler import Throttler
from knlite.serving.instance import Endpoint, RevisionName, RevisionSettings
from knlite.serving.levels import RevisionLoad


class Timed(Arrived, Protocol):
    """A request that is told when one of its timers has passed."""

    def timed_out(self) -> None:
        """timeoutSeconds are over."""

    def answer_is_late(self) -> None:
        """responseStartTimeoutSeconds are over."""


class Revision:
    """What requests to one revision share."""

    __slots__ = (
        "_draw",
        "clock",
        "cold_reported",
        "deleted",
        "endpoints",
        "idle_callbacks",
        "meter",
        "mode",
        "name",
        "publish",
        "response_start",
        "settings",
        "splices",
        "throttler",
        "total",
        "tracing",
        "upstreams",
        "waits",
    )

    def __init__(
        self,
        name: RevisionName,
        clock: Clock,
        publish: Publish,
        draw: random.Random,
        waits: Callable[["Revision"], None],
        tracing: Tracing,
    ) -> None:
        self.name = name
        self.clock = clock
        self.publish = publish
        self.waits = waits
        """To be called when a request begins to wait."""
        self.tracing = tracing
        self.deleted = False
        self.settings = RevisionSettings(service=name.name)
        self.meter = ConcurrencyMeter(clock.now())
        self.mode: Mode = "Proxy"
        """Whether the activator is in the path (not while there is burst capacity to spare)."""
        self.endpoints: tuple[Endpoint, ...] = ()
        self.upstreams: dict[str, Upstream] = {}
        """By instance; those that drain are still there."""
        self.idle_callbacks: dict[str, Callable[[], None]] = {}
        self.splices: Counter[str] = Counter()
        """Requests, by instance, that have become a splice: a WebSocket, say."""
        self.cold_reported: set[str] = set()
        self.throttler = Throttler(0, draw)
        self.total: Timeouts[Timed] | None = None
        self.response_start: Timeouts[Timed] | None = None
        self._draw = draw

    def configure(self, settings: RevisionSettings) -> None:
        """Go on with *settings*; those of a revision never change once it has requests."""
        if settings.container_concurrency != self.settings.container_concurrency:
            self.throttler = Throttler(settings.container_concurrency, self._draw)
            self.throttler.set_mode(self.mode)
            self.throttler.update(self.endpoints)
        self.settings = settings
        total, start = settings.timeout, settings.response_start_timeout
        self.total = Timeouts(self.clock, total, _timed_out) if total else None
        # What is not due before the whole time is over would come too late.
        wanted = start and not 0 < total <= start
        self.response_start = Timeouts(self.clock, start, _answer_is_late) if wanted else None

    def set_mode(self, mode: Mode) -> None:
        """Behave as if the activator were, or were not, in the path."""
        self.mode = mode
        self.throttler.set_mode(mode)

    def load(self) -> RevisionLoad:
        """Who waits and who is at an instance now."""
        queued = self.throttler.waiting
        return RevisionLoad(
            namespace=self.name.namespace,
            service=self.settings.service,
            revision=self.name.name,
            configuration=self.settings.configuration,
            queued=queued,
            active=self.meter.current - queued,
            concurrency=self.meter.last.concurrency,
        )

    def set_endpoints(self, endpoints: Sequence[Endpoint]) -> None:
        """These are the instances that may get requests."""
        self.endpoints = tuple(endpoints)
        names = {endpoint.instance for endpoint in endpoints}
        for endpoint in endpoints:
            known = self.upstreams.get(endpoint.instance)
            if known is not None and known.address != endpoint.address:
                # It has been started again; nothing runs any more where it was before.
                known.close()
                known = None
            if known is None:
                self.upstreams[endpoint.instance] = self._upstream(endpoint)
        self.cold_reported &= names
        self.throttler.update(self.endpoints)
        for instance in self.upstreams.keys() - names:
            self._close_if_idle(instance)

    def release(self, endpoint: Endpoint) -> None:
        """A request at *endpoint* is over."""
        self.throttler.release(endpoint)
        if len(self.upstreams) != len(self.endpoints):
            self._close_if_idle(endpoint.instance)

    def spliced(self, instance: str) -> None:
        """A request at *instance* has become a splice."""
        self.splices[instance] += 1
        self._close_if_idle(instance)

    def unspliced(self, instance: str) -> None:
        """A splice is over; ``release`` follows."""
        self.splices[instance] -= 1
        if not self.splices[instance]:
            del self.splices[instance]

    def when_idle(self, instance: str, idle: Callable[[], None]) -> None:
        """Call *idle* once *instance*, which is no endpoint any more, has but splices left.

        Those end when the program is told to, which may take its time to say goodbye; until then
        nothing says that they ever do.
        """
        self.idle_callbacks[instance] = idle
        self._close_if_idle(instance)

    async def aclose(self) -> None:
        """Cut all connections, and forget all timers."""
        for timeouts in (self.total, self.response_start):
            if timeouts is not None:
                timeouts.cancel()
        for upstream in tuple(self.upstreams.values()):
            await upstream.aclose()

    def _upstream(self, endpoint: Endpoint) -> Upstream:
        if self.settings.protocol == "h2c":
            return Http2Pool(endpoint.address)
        return Http1Pool(endpoint.address)

    def _close_if_idle(self, instance: str) -> None:
        in_flight = self.throttler.in_flight(instance)
        if in_flight > self.splices[instance]:
            return
        if any(endpoint.instance == instance for endpoint in self.endpoints):
            return
        upstream = None if in_flight else self.upstreams.pop(instance, None)
        if upstream is not None:
            upstream.close()
        idle = self.idle_callbacks.pop(instance, None)
        if idle is not None:
            idle()


def _timed_out(request: Timed) -> None:
    request.timed_out()


def _answer_is_late(request: Timed) -> None:
    request.answer_is_late()
