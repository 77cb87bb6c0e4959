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

Engines on servers (ADR 0033) keep events where others write and read too, and can lose their
server. Each call that does not wait only notes what must be done there; a reader hears of its
events when its queue or group exists. Connections come back by themselves, and a reader gets
nothing twice for that: a server that hands out again what is in a worker's hands is not listened
to, and what was done in the meantime is settled then. How all this stands is told by
``facts.LogStanding``.
"""

from collections.abc import Collection, Hashable, Mapping
from typing import Literal, Protocol

import anyio
import msgspec
from anyio.abc import TaskStatus

from knlite.eventing.backing import Backing
from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.filters.build import EVERYTHING
from knlite.eventing.filters.filter import Filter


class Record(msgspec.Struct, gc=False):
    """One accepted event, with what travels beside it; only ``wire`` is ever set."""

    event: CloudEvent
    ttl: int
    headers: tuple[tuple[str, str], ...] = ()
    arrival: int = 0
    """Microseconds since the epoch, strictly increasing, also above all that is kept: it names
    this acceptance everywhere. 0: it has come to the server by others, and has none yet."""
    only: frozenset[str] = frozenset()
    """The readers that it is for, whatever their filters say; empty: all whose filter passes.
    Engines on servers get and give names (``Reader.name``), which other runs know too, the
    embedded ones uids."""
    replay_of: int = 0
    """The arrival of the event that it repeats."""
    wire: tuple[tuple[tuple[bytes, bytes], ...], bytes] | None = None
    """Headers and body in binary mode, once a delivery has needed them. Engines do not keep it."""


class Taken(msgspec.Struct, frozen=True):
    """An event in the hands of a reader."""

    position: Hashable
    record: Record
    again: bool = False
    """It may have been delivered before, by a run that has crashed; or another run has taken it
    in."""
    origin: str = ""
    """Where an event was met that has not come in by this run: "record 17 of partition 3 of topic
    orders". Empty: it has."""
    same_as: Hashable = None
    """What readers of the same resource have in common that met the same event there, if it has no
    arrival."""


class Reader(msgspec.Struct, frozen=True):
    """Who reads from a log."""

    uid: str
    name: str = ""
    """Of its queue or its group on a server."""
    filter: Filter = EVERYTHING
    attributes: Mapping[str, str] = {}
    """``spec.filter.attributes``, which a server may look at itself; the filter says the same."""
    ordered: bool = False
    """The next event only when the last one is done, in each order that there is."""
    parallelism: int = 1
    """How many events are in its hands at most."""
    dead_letters: bool = False
    """It has a dead letter sink of its own."""
    prefetch: int = 0
    """How many a server hands out before the first of them is done; 0: as its engine likes."""


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
    @property
    def backing(self) -> Backing | None: ...


class Cursor(Protocol):
    """What one reader still has to do."""

    @property
    def orders(self) -> int:
        """How many events of an ordered reader may be in hand at once, each of another order.

        At least 1; a log with partitions has one for each, and takes care that they stay apart.
        """
        ...

    def take(self) -> Taken | None:
        """The next event that is for this reader; None when all have been taken."""
        ...

    def done(self, position: Hashable) -> None:
        """Nothing more happens to the event at *position*. In any order, each once."""
        ...

    def failed(self, position: Hashable) -> None:
        """In place of ``done``: nobody has taken it, and no dead letter sink either.

        A queue of somebody else's may have a place for such.
        """
        ...

    async def wait(self) -> None:
        """Return when there may be something to take; several may wait at once.

        Who waits is woken too when ``orders`` has grown.
        """
        ...

    async def bury(self, position: Hashable, dead_letter: CloudEvent) -> bool:
        """Keep *dead_letter*, made of the event at *position*, for ``EventLog.dead_letters``.

        False: there is no such place, and nothing was done. ``done`` is still to be said. Raises
        ``Unavailable``.
        """
        ...


class EventLog(Protocol):
    """The log of one resource."""

    async def append(self, record: Record) -> tuple[str, ...] | None:
        """Keep *record*; returns the readers that it is for, None where the engine does not know.

        An engine on a server waits, for some seconds, until the readers that were opened are set
        up there: who was told that they exist may rely on it.
        Raises ``Overloaded`` when it cannot be kept now, ``InvalidInput`` when it never can be,
        ``Unavailable`` when the server is lost or does not confirm (it may have it all the same).
        """
        ...

    def open(self, reader: Reader, at: Literal["start", "end"]) -> Cursor:
        """The cursor of *reader*, who gets the events from now on that pass its filter.

        One that was open goes on with what it had, in the same cursor, and as *reader* now says.
        A new one has, at the *start*, also what is kept and passes.
        """
        ...

    def dead_letters(self, reader: Reader) -> Cursor | None:
        """What ``bury`` has kept and nobody has said ``done`` to; None: nothing is ever kept.

        *reader* has been opened. The same cursor each time.
        """
        ...

    def close(self, reader: str) -> None:
        """The one of this uid is gone, and its events with it, also its dead letters."""
        ...


class Engine(Protocol):
    """One way to keep events."""

    @property
    def newest(self) -> int:
        """The highest arrival that is kept, 0 if nothing is: the next ones must be above it."""
        ...

    def log(self, resource: Owner, readers: Collection[str]) -> EventLog:
        """The log of *resource*, with what is kept of it.

        *readers* are the uids of all that there are now: they lose nothing until they are opened.
        What an earlier run has kept for others goes. Called again, with the same log as its
        answer, when ``resource.backing`` is another; cursors go on.
        """
        ...

    def forget(self, uid: str) -> None:
        """The resource *uid* is deleted, and so are its events, on a server as well.

        What belongs to somebody else there stays.
        """
        ...

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Work until cancelled."""
        ...
