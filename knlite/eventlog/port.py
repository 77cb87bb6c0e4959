"""The contract of an event log: what one broker has accepted, and how far each trigger has read.

* Append returns when the event is as safe as the log promises to keep it.
* A cursor sees every event from where it was opened, in order, each once.
* What all cursors have acknowledged may be forgotten; without cursors nothing is kept.
* Nobody polls: who waits is woken by the next append.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

from knlite.eventing.cloudevent import CloudEvent


@dataclass(frozen=True, slots=True)
class Record:
    """One accepted event, with what travels beside it."""

    event: CloudEvent
    ttl: int
    headers: tuple[tuple[str, str], ...] = ()


class Cursor(Protocol):
    """How far one trigger has read."""

    def take(self) -> tuple[int, Record] | None:
        """The next event and its position; None when all have been taken."""
        ...

    def ack(self, position: int) -> None:
        """Everything before *position* is done with."""
        ...

    async def wait(self) -> None:
        """Return when there is something to take."""
        ...


class EventLog(Protocol):
    """The log of one broker."""

    async def append(self, record: Record) -> int:
        """Keep *record*; returns its position. Raises ``Overloaded`` when the log is full."""
        ...

    def open(self, reader: str, at: Literal["start", "end"]) -> Cursor:
        """The cursor of *reader*; one that was open before goes on where it was."""
        ...

    def close(self, reader: str) -> None:
        """Forget *reader*."""
        ...
