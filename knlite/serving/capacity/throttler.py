"""Who may go to an instance now, and who waits: one revision's places, first come first served.

Never more than containerConcurrency requests go to an instance, and nobody waits beside a free
place. Synchronous, without a clock or tasks.

Source: Knative reference §3.3, §3.4 (breaker, choice of instance, queue).
"""

import heapq
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from knlite.serving.draw import Draw
from knlite.serving.instance import Endpoint, StartFailure

QUEUE_LIMIT = 10_000
"""Requests that may wait; a guard for memory, as upstream's queue depth."""
QUEUE_FULL = "pending request queue full"
FIRST_AVAILABLE = 3
"""Up to this containerConcurrency the first instance with a free place is taken, beyond it the
next one in turn."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """The request goes to *endpoint*; ``release`` it afterwards."""

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


class Throttler:
    """The places of one revision. *container_concurrency* 0 means any number per instance."""

    def __init__(self, container_concurrency: int, draw: Draw) -> None:
        self._limit = container_concurrency
        self._draw = draw
        self._endpoints: dict[str, Endpoint] = {}
        self._names: list[str] = []
        self._order: dict[str, int] = {}
        self._in_flight: dict[str, int] = {}
        self._waiting: dict[Ticket, None] = {}
        # Instances with a free place, each once: a heap by order, or a ring.
        self._first: list[tuple[int, str]] = []
        self._ring: deque[str] = deque()
        self._next_order = 0

    @property
    def waiting(self) -> int:
        """Requests that wait."""
        return len(self._waiting)

    def in_flight(self, instance: str) -> int:
        """Requests that are at *instance*."""
        return self._in_flight.get(instance, 0)

    def request(self, deliver: Deliver) -> Admitted | Rejected | Ticket:
        """Ask for a place. With a Ticket, *deliver* is called once, later."""
        if not self._waiting:
            endpoint = self._take()
            if endpoint is not None:
                return Admitted(endpoint)
        if len(self._waiting) >= QUEUE_LIMIT:
            return Rejected(QUEUE_FULL)
        ticket = Ticket(deliver)
        self._waiting[ticket] = None
        return ticket

    def cancel(self, ticket: Ticket) -> None:
        """Leave the queue; *deliver* will not be called."""
        self._waiting.pop(ticket, None)

    def release(self, endpoint: Endpoint) -> None:
        """The request at *endpoint* is over; the next one may go."""
        name = endpoint.instance
        left = self._in_flight.get(name, 0) - 1
        if left > 0:
            self._in_flight[name] = left
        else:
            self._in_flight.pop(name, None)
        if self._limit and name in self._endpoints and left == self._limit - 1:
            self._offer(name)
        self._serve()

    def update(self, endpoints: Sequence[Endpoint]) -> None:
        """These are the instances now."""
        new = {endpoint.instance: endpoint for endpoint in endpoints}
        for name in self._endpoints.keys() - new.keys():
            self._order.pop(name, None)
        added = [name for name in new if name not in self._endpoints]
        self._endpoints = new
        self._names = list(new)
        for name in added:
            self._order[name] = self._next_order
            self._next_order += 1
            if self._limit and self._in_flight.get(name, 0) < self._limit:
                self._offer(name)
        self._serve()

    def fail(self, why: StartFailure) -> None:
        """Reject all that wait."""
        waiting, self._waiting = self._waiting, {}
        for ticket in waiting:
            ticket.deliver(Rejected(why))

    def _serve(self) -> None:
        while self._waiting:
            endpoint = self._take()
            if endpoint is None:
                return
            ticket = next(iter(self._waiting))
            del self._waiting[ticket]
            ticket.deliver(Admitted(endpoint))

    def _take(self) -> Endpoint | None:
        if not self._names:
            return None
        if not self._limit:
            name = self._least_busy_of_two()
        else:
            found = self._take_first() if self._limit <= FIRST_AVAILABLE else self._take_next()
            if found is None:
                return None
            name = found
        self._in_flight[name] = self._in_flight.get(name, 0) + 1
        return self._endpoints[name]

    def _least_busy_of_two(self) -> str:
        names = self._names
        if len(names) == 1:
            return names[0]
        one = self._draw.randrange(len(names))
        other = self._draw.randrange(len(names) - 1)
        first, second = names[one], names[other + (other >= one)]
        busy = self._in_flight
        return second if busy.get(second, 0) < busy.get(first, 0) else first

    def _take_first(self) -> str | None:
        while self._first:
            order, name = self._first[0]
            if self._order.get(name) != order:
                heapq.heappop(self._first)
                continue
            if self._in_flight.get(name, 0) + 1 >= self._limit:
                heapq.heappop(self._first)
            return name
        return None

    def _take_next(self) -> str | None:
        while self._ring:
            name = self._ring.popleft()
            if name not in self._endpoints:
                continue
            if self._in_flight.get(name, 0) + 1 < self._limit:
                self._ring.append(name)
            return name
        return None

    def _offer(self, name: str) -> None:
        if self._limit <= FIRST_AVAILABLE:
            heapq.heappush(self._first, (self._order[name], name))
        else:
            self._ring.append(name)
