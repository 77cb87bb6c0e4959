"""Who may go to an instance now, and who waits: one revision's places, first come first served.

Never more than containerConcurrency requests go to an instance, and nobody waits beside a free
place. Synchronous, without a clock or tasks. Every request passes here twice, so the usual case,
one instance with room, is a comparison and a sum, and allocates nothing.

Source: Knative reference §3.3 (choice of instance, the activator's queue), §3.4 (the queue of an
instance); knative/serving ``pkg/activator/net/lb_policy.go``, ``pkg/queue/breaker.go``.
Differs: when the activator is out of the path there is still one queue over all instances, with as
many places as theirs have together. Upstream's ingress chooses an instance without knowing how full
it is, so that a request may wait, or be refused, while another instance is free.
"""

import heapq
import sys
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from knlite.serving.autoscaling.path import Mode
from knlite.serving.draw import Draw
from knlite.serving.instance import Endpoint, StartFailure

QUEUE_LIMIT = 10_000
"""Requests that may wait at the activator.

Differs: upstream has no limit where containerConcurrency is 0; here it guards the memory.
"""
WAITING_PER_PLACE = 10
"""Requests that may wait at an instance, for each one that may run there (§3.4)."""
QUEUE_FULL = "pending request queue full"
FIRST_AVAILABLE = 3
"""Up to this containerConcurrency the first instance with a free place is taken, beyond it the
next one in turn."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """The request goes to *endpoint*; ``release`` it afterwards. One value serves many requests."""

    endpoint: Endpoint


@dataclass(frozen=True, slots=True)
class Rejected:
    """The request gets no instance."""

    why: str | StartFailure


Deliver = Callable[[Admitted | Rejected], None]


@dataclass(eq=False, slots=True)
class Ticket:
    """A place in the queue."""

    deliver: Deliver


class _Instance:
    """One instance, and how many requests it has."""

    __slots__ = ("admitted", "gone", "in_flight", "order")

    def __init__(self, order: int, endpoint: Endpoint) -> None:
        self.order = order
        self.admitted = Admitted(endpoint)
        self.in_flight = 0
        self.gone = False
        """It gets no more requests, but has some."""


class Throttler:
    """The places of one revision. *container_concurrency* 0 means any number per instance."""

    __slots__ = (
        "_almost_full",
        "_first",
        "_instances",
        "_limit",
        "_mode",
        "_next_order",
        "_only",
        "_pairs",
        "_present",
        "_random",
        "_ring",
        "_room",
        "_serving",
        "_waiting",
    )

    def __init__(self, container_concurrency: int, draw: Draw) -> None:
        self._limit = container_concurrency
        self._room = container_concurrency or sys.maxsize
        self._almost_full = self._room - 1
        self._random = draw.random
        self._mode: Mode = "Proxy"
        self._instances: dict[str, _Instance] = {}
        """Those that may get requests, and those that are gone but have some."""
        self._present: list[_Instance] = []
        self._only: _Instance | None = None
        """The one that is present, if there is just one; then the two below are not kept."""
        # Those with a free place, each once: a heap by order, or a ring.
        self._first: list[tuple[int, _Instance]] = []
        self._ring: deque[_Instance] = deque()
        self._pairs = 0
        self._next_order = 0
        # Not a dict: taking the first of many again and again would look at all that went before.
        self._waiting: OrderedDict[Ticket, None] = OrderedDict()
        self._serving = False

    @property
    def waiting(self) -> int:
        """Requests that wait."""
        return len(self._waiting)

    @property
    def most_waiting(self) -> int:
        """How many may wait."""
        if self._mode == "Proxy" or not self._limit or not self._present:
            return QUEUE_LIMIT
        return min(QUEUE_LIMIT, WAITING_PER_PLACE * self._limit * len(self._present))

    def set_mode(self, mode: Mode) -> None:
        """Whether the activator is in the path. Those who wait stay."""
        self._mode = mode

    def in_flight(self, instance: str) -> int:
        """Requests that are at *instance*."""
        found = self._instances.get(instance)
        return found.in_flight if found is not None else 0

    def request(self, deliver: Deliver) -> Admitted | Rejected | Ticket:
        """Ask for a place. With a Ticket, *deliver* is called once, later."""
        only = self._only
        if only is not None and only.in_flight < self._room and not self._waiting:
            only.in_flight += 1
            return only.admitted
        if not self._waiting:
            admitted = self._take()
            if admitted is not None:
                return admitted
        if len(self._waiting) >= self.most_waiting:
            return Rejected(QUEUE_FULL)
        ticket = Ticket(deliver)
        self._waiting[ticket] = None
        return ticket

    def cancel(self, ticket: Ticket) -> None:
        """Leave the queue; *deliver* will not be called."""
        self._waiting.pop(ticket, None)

    def release(self, endpoint: Endpoint) -> None:
        """The request at *endpoint* is over; the next one may go."""
        instance = self._instances[endpoint.instance]
        left = instance.in_flight = instance.in_flight - 1
        if instance.gone:
            if not left:
                del self._instances[endpoint.instance]
        elif left == self._almost_full:
            if self._only is None:
                self._offer(instance)
            if self._waiting:
                self._serve()

    def update(self, endpoints: Sequence[Endpoint]) -> None:
        """These are the instances now."""
        new = {endpoint.instance: endpoint for endpoint in endpoints}
        for name, instance in tuple(self._instances.items()):
            if name not in new:
                instance.gone = True
                if not instance.in_flight:
                    del self._instances[name]
        for name, endpoint in new.items():
            known = self._instances.get(name)
            if known is None or known.gone:
                # One that comes back still has the requests it had.
                in_flight = known.in_flight if known is not None else 0
                known = self._instances[name] = _Instance(self._next_order, endpoint)
                known.in_flight = in_flight
                self._next_order += 1
            elif known.admitted.endpoint is not endpoint:
                known.admitted = Admitted(endpoint)
        present = [instance for instance in self._instances.values() if not instance.gone]
        present.sort(key=lambda instance: instance.order)
        self._present = present
        self._pairs = len(present) * (len(present) - 1)
        self._only = present[0] if len(present) == 1 else None
        self._offer_anew()
        self._serve()

    def fail(self, why: StartFailure) -> None:
        """Reject all that wait."""
        waiting, self._waiting = self._waiting, OrderedDict()
        for ticket in waiting:
            ticket.deliver(Rejected(why))

    def _serve(self) -> None:
        if self._serving:
            # Somebody gave back at once what he got: the loop below goes on with it. Were it
            # another loop inside this one, a long queue would be as deep.
            return
        self._serving = True
        try:
            while self._waiting:
                admitted = self._take()
                if admitted is None:
                    return
                ticket, _ = self._waiting.popitem(last=False)
                ticket.deliver(admitted)
        finally:
            self._serving = False

    def _take(self) -> Admitted | None:
        """A place, if there is one."""
        only = self._only
        if only is not None:
            if only.in_flight >= self._room:
                return None
            instance = only
        elif not self._limit:
            if not self._present:
                return None
            instance = self._less_busy_of_two()
        elif self._limit <= FIRST_AVAILABLE:
            if not self._first:
                return None
            instance = self._first[0][1]
            if instance.in_flight == self._almost_full:
                heapq.heappop(self._first)
        else:
            if not self._ring:
                return None
            instance = self._ring.popleft()
            if instance.in_flight < self._almost_full:
                self._ring.append(instance)
        instance.in_flight += 1
        return instance.admitted

    def _less_busy_of_two(self) -> _Instance:
        present = self._present
        # One number for an ordered pair of different ones, so that equals are left to chance.
        one, other = divmod(int(self._random() * self._pairs), len(present) - 1)
        if other >= one:
            other += 1
        first, second = present[one], present[other]
        return second if second.in_flight < first.in_flight else first

    def _offer(self, instance: _Instance) -> None:
        if self._limit <= FIRST_AVAILABLE:
            heapq.heappush(self._first, (instance.order, instance))
        else:
            self._ring.append(instance)

    def _offer_anew(self) -> None:
        """Find out again who has a free place; the turns of those who had one stay."""
        before = self._ring
        self._first, self._ring = [], deque()
        if self._only is not None or not self._limit:
            return
        free = [instance for instance in self._present if instance.in_flight < self._limit]
        if self._limit > FIRST_AVAILABLE:
            turns = {instance: turn for turn, instance in enumerate(before)}
            free.sort(key=lambda instance: turns.get(instance, len(turns)))
        for instance in free:
            self._offer(instance)
