"""Holds requests until an instance may have them, passes them on, and tells how busy it was.

It is always in the path. A request takes a place in its revision's throttler: at once when an
instance has room, else it waits, and the first to wait says so to the autoscaler. Once a second, as
long as a revision has instances or requests, its load of that second goes the same way.

Source: Knative reference §3.3 (activator), §3.4 (queue-proxy), §3.5 (timeouts), §2.4 (signals).
Differs: upstream's activator leaves the path when there is capacity to spare, and its queue-proxy
does the same work again; here one place does it once, and clients see the same.
Not here: which instance (``serving/capacity``), how many (``controlplane``), bytes
(``forward.py``).
"""

import random
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import anyio
from anyio.abc import TaskStatus

from knlite.clock import Clock, Timer
from knlite.dataplane.forward import ClientLeft, Done, Relay, Relayed, forward
from knlite.dataplane.headers import Header, to_instance
from knlite.dataplane.wire.http1_exchange import Exchange
from knlite.dataplane.wire.http1_pool import Pool
from knlite.facts import ColdStart, Publish, RequestDone
from knlite.serving.autoscaling.average import ConcurrencyMeter
from knlite.serving.capacity.throttler import Admitted, Rejected, Throttler, Ticket
from knlite.serving.instance import (
    Endpoint,
    RevisionName,
    RevisionSettings,
    Sample,
    StartFailure,
)

SAMPLE_SECONDS = 1.0
ACTIVATOR_TIMEOUT = "activator request timeout"
TEXT = ((b"Content-Type", b"text/plain; charset=utf-8"), (b"X-Content-Type-Options", b"nosniff"))


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

    def __init__(self, clock: Clock, publish: Publish, draw: random.Random) -> None:
        self.clock = clock
        self.publish = publish
        self._draw = draw
        self._demand: Demand | None = None
        self._revisions: dict[RevisionName, _Revision] = {}
        self._awake: set[_Revision] = set()
        self._sampling = anyio.Event()

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
            await self.clock.sleep_until(self.clock.now() + SAMPLE_SECONDS)
            self._sample()

    async def aclose(self) -> None:
        """Close all connections to instances."""
        for state in tuple(self._revisions.values()):
            for pool in state.pools.values():
                await pool.aclose()

    # From the control plane.

    def settings_changed(self, revision: RevisionName, settings: RevisionSettings | None) -> None:
        """These are the settings of *revision*; None when it has been deleted."""
        if settings is not None:
            self._state(revision).configure(settings)
            return
        state = self._revisions.get(revision)
        if state is not None:
            state.deleted = True
            state.throttler.fail(StartFailure("Deleted", f"revision {revision.name} was deleted"))
            self.tidy(state)

    def endpoints_changed(self, revision: RevisionName, endpoints: Sequence[Endpoint]) -> None:
        """These are the instances of *revision* that may get requests."""
        if not endpoints and revision not in self._revisions:
            return
        state = self._state(revision)
        state.set_endpoints(endpoints)
        self._wake(state)
        self.tidy(state)

    def start_failed(self, revision: RevisionName, why: StartFailure) -> None:
        """No instance of *revision* is ready or about to be: answer those who wait."""
        state = self._revisions.get(revision)
        if state is not None:
            state.throttler.fail(why)

    def when_idle(self, revision: RevisionName, instance: str, idle: Callable[[], None]) -> None:
        """Call *idle* once *instance*, which is no endpoint any more, has no request left."""
        state = self._revisions.get(revision)
        if state is None:
            idle()
        else:
            state.when_idle(instance, idle)

    # From the gateway.

    def handle(self, exchange: Exchange, revision: RevisionName, way: "Way") -> None:
        """Answer *exchange* by an instance of *revision*."""
        state = self._revisions.get(revision)
        if state is None or state.deleted:
            exchange.respond(404, TEXT, f"revision {revision.name} not found\n".encode())
            return
        _Request(self, state, exchange, way).begin()

    # From requests.

    def wait(self, state: "_Revision") -> None:
        """A request of *state* waits."""
        self._wake(state)
        if self._demand is not None and not state.endpoints:
            self._demand.waiting(state.name)

    def tidy(self, state: "_Revision") -> None:
        """Forget *state* if its revision is deleted and its last request is over."""
        if state.deleted and not state.endpoints and not state.in_flight:
            self._awake.discard(state)
            self._revisions.pop(state.name, None)

    def _state(self, revision: RevisionName) -> "_Revision":
        state = self._revisions.get(revision)
        if state is None:
            meter = ConcurrencyMeter(self.clock.now())
            state = self._revisions[revision] = _Revision(revision, meter, self._draw)
        return state

    def _wake(self, state: "_Revision") -> None:
        if not self._awake:
            self._sampling.set()
        self._awake.add(state)

    def _sample(self) -> None:
        now = self.clock.now()
        for state in tuple(self._awake):
            sample = state.meter.sample(now)
            if self._demand is not None:
                self._demand.demand(state.name, sample)
            if not state.endpoints and not state.meter.current:
                self._awake.discard(state)


@dataclass(frozen=True, slots=True)
class Way:
    """How a request came to its revision, and what the instance sees of that."""

    target: bytes
    """The request target, without the prefix of a path address."""
    host: bytes
    headers: Sequence[Header]
    """Those of the client, Host among them."""


class _Revision:
    """One revision as the path of requests sees it."""

    __slots__ = (
        "_draw",
        "cold_reported",
        "deleted",
        "endpoints",
        "idle_callbacks",
        "in_flight",
        "meter",
        "name",
        "pools",
        "settings",
        "throttler",
    )

    def __init__(self, name: RevisionName, meter: ConcurrencyMeter, draw: random.Random) -> None:
        self.name = name
        self.deleted = False
        self.settings = RevisionSettings(service=name.name)
        self.meter = meter
        self.endpoints: tuple[Endpoint, ...] = ()
        self.pools: dict[str, Pool] = {}
        self.in_flight: dict[str, int] = {}
        self.idle_callbacks: dict[str, Callable[[], None]] = {}
        self.cold_reported: set[str] = set()
        self._draw = draw
        self.throttler = Throttler(0, draw)

    def configure(self, settings: RevisionSettings) -> None:
        if settings.container_concurrency != self.settings.container_concurrency:
            # Before its first request: containerConcurrency of a revision never changes.
            self.throttler = Throttler(settings.container_concurrency, self._draw)
            self.throttler.update(self.endpoints)
        self.settings = settings

    def set_endpoints(self, endpoints: Sequence[Endpoint]) -> None:
        self.endpoints = tuple(endpoints)
        names = {endpoint.instance for endpoint in endpoints}
        for endpoint in endpoints:
            if endpoint.instance not in self.pools:
                self.pools[endpoint.instance] = Pool(endpoint.address)
        self.cold_reported &= names
        self.throttler.update(self.endpoints)
        for instance in self.pools.keys() - names:
            self._close_if_idle(instance)

    def began(self, instance: str) -> None:
        self.in_flight[instance] = self.in_flight.get(instance, 0) + 1

    def ended(self, endpoint: Endpoint) -> None:
        instance = endpoint.instance
        left = self.in_flight[instance] - 1
        if left:
            self.in_flight[instance] = left
        else:
            del self.in_flight[instance]
            if endpoint not in self.endpoints:
                self._close_if_idle(instance)
        self.throttler.release(endpoint)

    def when_idle(self, instance: str, idle: Callable[[], None]) -> None:
        self.idle_callbacks[instance] = idle
        self._close_if_idle(instance)

    def _close_if_idle(self, instance: str) -> None:
        if instance in self.in_flight:
            return
        pool = self.pools.pop(instance, None)
        if pool is not None:
            pool.close()
        idle = self.idle_callbacks.pop(instance, None)
        if idle is not None:
            idle()


class _Request:
    """One request, from its arrival to the end of its answer. Everything here is a callback."""

    __slots__ = (
        "_activator",
        "_arrived",
        "_endpoint",
        "_exchange",
        "_first_byte",
        "_held",
        "_over",
        "_pieces",
        "_relay",
        "_state",
        "_status",
        "_ticket",
        "_timers",
        "_way",
    )

    def __init__(
        self, activator: Activator, state: _Revision, exchange: Exchange, way: Way
    ) -> None:
        self._activator = activator
        self._state = state
        self._exchange = exchange
        self._way = way
        self._arrived = activator.clock.now()
        self._ticket: Ticket | None = None
        self._endpoint: Endpoint | None = None
        self._relay: Relay | None = None
        self._timers: list[Timer] = []
        self._first_byte = 0.0
        self._pieces = 0
        self._held = False
        self._over = False
        self._status = 0

    def begin(self) -> None:
        """Take a place in the throttler."""
        state = self._state
        state.meter.begin(self._arrived)
        self._set_timers()
        outcome = state.throttler.request(self._decided)
        if isinstance(outcome, Ticket):
            self._ticket = outcome
            self._held = not state.endpoints
            self._exchange.on_gone(self._left_while_waiting)
            self._activator.wait(state)
        else:
            self._decided(outcome)

    def _decided(self, outcome: Admitted | Rejected) -> None:
        self._ticket = None
        if self._over:
            return
        if isinstance(outcome, Rejected):
            why = outcome.why
            if isinstance(why, StartFailure):
                self._refuse(503, f"{self._state.name.name} did not start: {why.message}")
            else:
                self._refuse(503, str(why))
            return
        self._forward(outcome.endpoint)

    def _forward(self, endpoint: Endpoint) -> None:
        state, way = self._state, self._way
        self._endpoint = endpoint
        state.began(endpoint.instance)
        pool = state.pools[endpoint.instance]
        headers = to_instance(
            way.headers,
            client=self._exchange.client.host,
            host=way.host,
            proto=b"http",
            new_request_id=_request_id,
        )
        self._relay = forward(
            self._exchange,
            pool,
            headers,
            on_done=self._done,
            on_first_byte=self._began_to_answer,
            target=way.target,
        )

    def _began_to_answer(self) -> None:
        now = self._first_byte = self._activator.clock.now()
        endpoint, state = self._endpoint, self._state
        if not self._held or endpoint is None or endpoint.birth is None:
            return
        if endpoint.instance in state.cold_reported:
            return
        # Only the first of those that waited: the others tell the same story.
        state.cold_reported.add(endpoint.instance)
        birth, began = endpoint.birth, self._arrived
        self._activator.publish(
            ColdStart(
                at=self._activator.clock.wall(),
                namespace=state.name.namespace,
                service=state.settings.service,
                revision=state.name.name,
                instance=endpoint.instance,
                queued=max(0.0, birth.ordered - began),
                started=max(0.0, birth.started - began),
                ready=max(0.0, birth.ready - began),
                first_byte=now - began,
            )
        )

    def _done(self, outcome: Done) -> None:
        match outcome:
            case Relayed(status):
                self._finish(status, "")
            case ClientLeft(why):
                self._finish(0, f"the client left: {why}")
            case failure:
                if self._exchange.started:
                    self._finish(502, failure.why)
                else:
                    self._refuse(502, failure.why)

    def _left_while_waiting(self, why: str) -> None:
        if self._ticket is not None:
            self._state.throttler.cancel(self._ticket)
            self._ticket = None
            self._finish(0, f"the client left while it waited: {why}")

    def _refuse(self, status: int, why: str) -> None:
        """Answer in the place of an instance."""
        if self._over:
            return
        self._exchange.respond(status, TEXT, f"{why}\n".encode())
        self._finish(status, why)

    # Timeouts.

    def _set_timers(self) -> None:
        settings, clock = self._state.settings, self._activator.clock
        timeouts = (
            (settings.timeout, self._timed_out),
            (settings.response_start_timeout, self._no_answer_yet),
            (settings.idle_timeout, self._look_for_progress),
        )
        for seconds, callback in timeouts:
            # What is not due before the first one would come too late.
            needless = callback is not timeouts[0][1] and 0 < settings.timeout <= seconds
            if seconds and not needless:
                self._timers.append(clock.call_at(self._arrived + seconds, callback))

    def _timed_out(self) -> None:
        if self._over:
            return
        if self._ticket is not None:
            self._state.throttler.cancel(self._ticket)
            self._ticket = None
        if self._relay is not None:
            self._relay.cancel()
        if self._exchange.started:
            self._exchange.abort()
            self._finish(504, ACTIVATOR_TIMEOUT)
        else:
            self._refuse(504, ACTIVATOR_TIMEOUT)

    def _no_answer_yet(self) -> None:
        if not self._exchange.started:
            self._timed_out()

    def _look_for_progress(self) -> None:
        if self._over:
            return
        pieces = self._relay.pieces if self._relay is not None else 0
        if pieces == self._pieces:
            self._timed_out()
            return
        self._pieces = pieces
        clock = self._activator.clock
        due = clock.now() + self._state.settings.idle_timeout
        self._timers.append(clock.call_at(due, self._look_for_progress))

    def _finish(self, status: int, why: str) -> None:
        """Give back what the request held, and tell what became of it."""
        if self._over:
            return
        self._over = True
        for timer in self._timers:
            timer.cancel()
        state, activator = self._state, self._activator
        now = activator.clock.now()
        state.meter.end(now)
        endpoint = self._endpoint
        if endpoint is not None:
            state.ended(endpoint)
            if state.deleted:
                activator.tidy(state)
        activator.publish(
            RequestDone(
                at=activator.clock.wall(),
                namespace=state.name.namespace,
                service=state.settings.service,
                revision=state.name.name,
                instance=endpoint.instance if endpoint is not None else "",
                method=self._exchange.method.decode("latin-1"),
                path=self._way.target.partition(b"?")[0].decode("latin-1"),
                status=status,
                seconds=now - self._arrived,
                cold=self._held,
                why=why,
            )
        )


def _request_id() -> bytes:
    return str(uuid.uuid4()).encode()
