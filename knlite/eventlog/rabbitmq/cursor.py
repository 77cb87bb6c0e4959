"""What one reader has still to do: messages that its queue has handed out."""

from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from typing import Protocol

from knlite.eventing.cloudevent import CloudEvent
from knlite.eventlog.port import Record, Taken
from knlite.eventlog.waiting import Waiting


class Giver(Protocol):
    """Whoever has brought a message from the server, and tells it what has become of it."""

    def finished(self, entry: "Entry") -> None: ...


class Entry:
    """A message in our hands; its own position in ``Taken``.

    It outlives the channel on which it has come: the server hands it out again then.
    """

    __slots__ = (
        "again",
        "done",
        "failed",
        "generation",
        "giver",
        "key",
        "origin",
        "record",
        "tag",
        "taken",
    )

    def __init__(
        self, giver: Giver, key: Hashable, record: Record, origin: str, *, again: bool
    ) -> None:
        self.giver = giver
        self.key = key
        """What tells it from others of the same queue, whenever it comes."""
        self.record = record
        self.origin = origin
        self.again = again
        self.tag = 0
        self.generation = 0
        """Delivery tag, and of which channel of its giver."""
        self.taken = self.done = self.failed = False


Bury = Callable[[Entry, CloudEvent], Awaitable[bool]]


class RabbitmqCursor:
    """Implements ``port.Cursor``."""

    orders = 1

    def __init__(self, bury: Bury) -> None:
        self._bury = bury
        self._queue: deque[Entry] = deque()
        self._waiting = Waiting()

    def take(self) -> Taken | None:
        if not self._queue:
            return None
        entry = self._queue.popleft()
        entry.taken = True
        same_as = entry.key if entry.origin else None
        return Taken(entry, entry.record, entry.again, entry.origin, same_as)

    def done(self, position: Hashable) -> None:
        assert isinstance(position, Entry)
        if not position.done:
            position.done = True
            position.giver.finished(position)

    def failed(self, position: Hashable) -> None:
        assert isinstance(position, Entry)
        position.failed = True
        self.done(position)

    async def wait(self) -> None:
        if self._queue:
            return
        await self._waiting.wait()

    async def bury(self, position: Hashable, dead_letter: CloudEvent) -> bool:
        assert isinstance(position, Entry)
        return await self._bury(position, dead_letter)

    def put(self, entry: Entry) -> None:
        """There is one more to take."""
        self._queue.append(entry)
        self._waiting.wake()

    def drop(self, giver: Giver) -> None:
        """What *giver* has brought, and nobody has taken, comes again or not at all."""
        self._queue = deque(entry for entry in self._queue if entry.giver is not giver)
