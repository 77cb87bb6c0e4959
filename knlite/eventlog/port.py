"""The contract of event logs: what a resource has accepted, and what each of its readers still has.

A resource (a Broker, an InMemoryChannel) has one log; each of its egresses (a Trigger, a
Subscription) is a reader, known by its uid.

* An event is routed once, when it is appended, by the filters of the readers that are open then.
  Nobody looks through events that are not for it.
* Append returns when the event is as safe as the engine promises to keep it.
* A reader gets what is for it in order, each once in a run. What it has not said ``done`` to when
  the run ends comes again in the next one, as far as the engine keeps anything.
* What all readers are done with may be forgotten; what is for nobody need not be kept.
* Nobody polls: who waits is woken by the next event that is for it.

The contract has room for a queue for each reader (ack by message, redelivery) and for a log with
a group for each reader (offsets): a position is whatever the engine can say done to (ADR 0022).
"""

from collections.abc import Collection, Hashable
from typing import Literal, Protocol

import anyio
import msgspec
from anyio.abc import TaskStatus

from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.filters.filter import Filter


class Record(msgspec.Struct, gc=False):
    """One accepted event, with what travels beside it; only ``wire`` is ever set."""

    event: CloudEvent
    ttl: int
    headers: tuple[tuple[str, str], ...] = ()
    arrival: int = 0
    """Microseconds since the epoch, strictly increasing, also above all that is kept: it names
    this acceptance everywhere."""
    only: frozenset[str] = frozenset()
    """The readers that it is for, whatever their filters say; empty: all whose filter passes."""
    replay_of: int = 0
    """The arrival of the event that it repeats."""
    wire: tuple[tuple[tuple[bytes, bytes], ...], bytes] | None = None
    """Headers and body in binary mode, once a delivery has needed them. Engines do not keep it."""


class Taken(msgspec.Struct, frozen=True):
    """An event in the hands of a reader."""

    position: Hashable
    record: Record
    again: bool = False
    """It may have been delivered before, by a run that has crashed."""


class Owner(Protocol):
    """The resource whose log it is, as engines know it."""

    @property
    def kind(self) -> str: ...
    @property
    def namespace(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def uid(self) -> str: ...


class Cursor(Protocol):
    """What one reader still has to do."""

    def take(self) -> Taken | None:
        """The next event that is for this reader; None when all have been taken."""
        ...

    def done(self, position: Hashable) -> None:
        """Nothing more happens to the event at *position*. In any order, each once."""
        ...

    async def wait(self) -> None:
        """Return when there may be something to take; several may wait at once."""
        ...


class EventLog(Protocol):
    """The log of one resource."""

    async def append(self, record: Record) -> tuple[str, ...] | None:
        """Keep *record*; returns the readers that it is for, None where the engine does not know.

        Raises ``Overloaded`` when it cannot be kept now, ``InvalidInput`` when it never can be.
        """
        ...

    def open(self, reader: str, filter_: Filter, at: Literal["start", "end"]) -> Cursor:
        """The cursor of *reader*, who gets the events from now on that pass *filter_*.

        One that was open goes on with what it had. A new one has, at the *start*, also what is
        kept and passes.
        """
        ...

    def close(self, reader: str) -> None:
        """*reader* is gone, and its events with it."""
        ...


class Engine(Protocol):
    """One way to keep events."""

    @property
    def newest(self) -> int:
        """The highest arrival that is kept, 0 if nothing is: the next ones must be above it."""
        ...

    def log(self, resource: Owner, readers: Collection[str]) -> EventLog:
        """The log of *resource*, with what is kept of it.

        *readers* are all that there are now: they lose nothing until they are opened. What an
        earlier run has kept for others goes.
        """
        ...

    def forget(self, uid: str) -> None:
        """The resource *uid* is deleted, and so are its events."""
        ...

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Work until cancelled."""
        ...
