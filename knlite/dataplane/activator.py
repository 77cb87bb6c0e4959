"""Holds requests until an instance may have them, passes them on, and tells how busy it was.

It is always in the path. A request takes a place in its revision's throttler: at once when an
instance has room, else it waits, and the first to wait says so to the autoscaler. Once a second, as
long as a revision has instances or requests, its load of that second goes the same way.

Source: Knative reference §3.3 (activator), §3.4 (queue-proxy), §2.4 (signals).
Differs: upstream's activator leaves the path when there is capacity to spare, and its queue-proxy
does the same work again; here one place does it once, and clients see the same.
Not here: one request (``request.py``), which instance (``serving/capacity``), how many
(``controlplane``), bytes (``forward.py``).
"""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import anyio
from anyio.abc import TaskStatus

from knlite.clock import Clock
from knlite.dataplane.request import HTTP, TEXT, Request
from knlite.dataplane.revision import Revision
from knlite.dataplane.tracing import Tracing
from knlite.dataplane.wire.exchange import Exchange, Headers
from knlite.facts import Publish
from knlite.serving import healthcheck
from knlite.serving.autoscaling.path import Mode
from knlite.serving.instance import (
    Endpoint,
    RevisionName,
    RevisionSettings,
    Sample,
    StartFailure,
)
from knlite.serving.levels import RevisionLoad
from knlite.serving.routing import DISABLED

SAMPLE_SECONDS = 1.0


class Demand(Protocol):
    """Who decides how many instances there are."""

    def demand(self, revision: RevisionName, sample: Sample) -> None:
        """*revision* was this busy during the last second."""
        ...

    def waiting(self, revision: RevisionName) -> None:
        """A request waits, and no instance of *revision* is ready."""
        ...


class Activator:
    """The path of every request to a revision."""

    def __init__(
        self,
        clock: Clock,
        publish: Publish,
        draw: random.Random,
        tracing: Tracing | None = None,
    ) -> None:
        self._tracing = tracing or Tracing(draw.getrandbits)
        self._clock = clock
        self._now = clock.now
        self._publish = publish
        self._draw = draw
        self._demand: Demand | None = None
        self._revisions: dict[RevisionName, Revision] = {}
        self._awake: set[Revision] = set()
        self._sampling = anyio.Event()
        self._told: list[Callable[[Sequence[RevisionName]], None]] = []

    def report_to(self, demand: Demand) -> None:
        """Tell *demand* how busy revisions are; to be called before the first request."""
        self._demand = demand

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Sample every second while any revision is awake, until cancelled."""
        task_status.started()
        while True:
            self._sampling = anyio.Event()
            if not self._awake:
                await self._sampling.wait()
            await self._clock.sleep_until(self._clock.now() + SAMPLE_SECONDS)
            self._sample()

    async def aclose(self) -> None:
        """Close all connections to instances."""
        for revision in tuple(self._revisions.values()):
            await revision.aclose()

    # From the control plane.

    def settings_changed(self, name: RevisionName, settings: RevisionSettings | None) -> None:
        """These are the settings of revision *name*; None when it has been deleted."""
        if settings is not None:
            self._revision(name).configure(settings)
            return
        revision = self._revisions.get(name)
        if revision is not None:
            revision.deleted = True
            revision.throttler.fail(StartFailure("Deleted", f"revision {name.name} was deleted"))
            if revision not in self._awake:
                self._revisions.pop(name, None)

    def mode_changed(self, name: RevisionName, mode: Mode) -> None:
        """Whether the activator is in the path of revision *name*."""
        self._revision(name).set_mode(mode)

    def endpoints_changed(self, name: RevisionName, endpoints: Sequence[Endpoint]) -> None:
        """These are the instances of revision *name* that may get requests."""
        if not endpoints and name not in self._revisions:
            return
        revision = self._revision(name)
        revision.set_endpoints(endpoints)
        self._wake(revision)

    def start_failed(self, name: RevisionName, why: StartFailure) -> None:
        """No instance of revision *name* is ready or about to be: answer those who wait."""
        revision = self._revisions.get(name)
        if revision is not None:
            revision.throttler.fail(why)

    def when_idle(self, name: RevisionName, instance: str, idle: Callable[[], None]) -> None:
        """Call *idle* once *instance*, which is no endpoint any more, has no request left."""
        revision = self._revisions.get(name)
        if revision is None:
            idle()
        else:
            revision.when_idle(instance, idle)

    def occupied(self, name: RevisionName, instance: str) -> bool:
        """Whether *instance* has any request, splices among them."""
        revision = self._revisions.get(name)
        return revision is not None and revision.throttler.in_flight(instance) > 0

    def loads(self) -> Iterator[RevisionLoad]:
        """What each revision has to do now."""
        for revision in tuple(self._revisions.values()):
            yield revision.load()

    def load(self, name: RevisionName) -> RevisionLoad | None:
        """What revision *name* has to do now; None if there is none."""
        revision = self._revisions.get(name)
        return None if revision is None or revision.deleted else revision.load()

    @contextmanager
    def sampling(self, told: Callable[[Sequence[RevisionName]], None]) -> Iterator[None]:
        """Call *told* with the revisions of each round of samples while the context lasts."""
        self._told.append(told)
        try:
            yield
        finally:
            self._told.remove(told)

    # From the gateway.

    def handle(
        self,
        exchange: Exchange,
        name: RevisionName,
        target: bytes,
        host: bytes,
        headers: Headers,
        route_tag: str = DISABLED,
        proto: bytes = HTTP,
        made: type[Request] = Request,
    ) -> None:
        """Answer *exchange* by an instance of revision *name*.

        *target*, *host* and *headers* are those of the request as the instance is to see them;
        *route_tag* says by which tag it came, for metrics, and *proto* by what.
        """
        revision = self._revisions.get(name)
        if revision is None or revision.deleted:
            exchange.respond(404, TEXT, f"revision {name.name} not found\n".encode())
            return
        probe = healthcheck.answer(
            headers, proxied=revision.mode == "Proxy", ready=bool(revision.endpoints)
        )
        if probe is not None:
            answered = TEXT if not probe.hash else (*TEXT, (b"K-Network-Hash", probe.hash))
            exchange.respond(probe.status, answered, probe.text.encode("latin-1"))
            return
        request = made(revision, exchange, target, host, headers, self._now())
        if route_tag is not DISABLED:
            request.route_tag = route_tag
        if proto is not HTTP:
            request.proto = proto
        request.begin()

    def _waits(self, revision: Revision) -> None:
        """A request of *revision* waits."""
        self._wake(revision)
        if self._demand is not None and not revision.endpoints:
            self._demand.waiting(revision.name)

    def _revision(self, name: RevisionName) -> Revision:
        revision = self._revisions.get(name)
        if revision is None:
            revision = self._revisions[name] = Revision(
                name, self._clock, self._publish, self._draw, self._waits, self._tracing
            )
        return revision

    def _wake(self, revision: Revision) -> None:
        if not self._awake:
            self._sampling.set()
        self._awake.add(revision)

    def _sample(self) -> None:
        now = self._clock.now()
        awake = tuple(self._awake)
        for revision in awake:
            sample = revision.meter.sample(now)
            if self._demand is not None:
                self._demand.demand(revision.name, sample)
            if not revision.endpoints and not revision.meter.current:
                self._awake.discard(revision)
                if revision.deleted:
                    self._revisions.pop(revision.name, None)
        for told in self._told:
            told([revision.name for revision in awake])
