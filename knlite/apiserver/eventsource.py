"""Where the API server asks about events, and has them sent: the ports that telemetry fills."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol

from knlite.eventing.cloudevent import CloudEvent

USUAL_LIMIT = 100
"""Events in an answer to who does not say how many."""
NEWEST = 2**63 - 1
"""Above every arrival."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventQuery:
    """Which events are asked for; what is empty selects all. Arrivals are microseconds."""

    id: str = ""
    source: str = ""
    type: str = ""
    subject: str = ""
    text: str = ""
    """Words in its attributes and the beginning of its data."""
    state: str = ""
    """What has become of it (``docs/events.md``, States)."""
    egress: str = ""
    """Who gets it: ``[[KIND/]NAMESPACE/]NAME`` of Triggers or Subscriptions, by commas."""
    kind: str = ""
    """Of the resource that took them: Broker or InMemoryChannel; so are the next two."""
    namespace: str = ""
    name: str = ""
    since: int = 0
    """Arrivals at or above it …"""
    before: int = NEWEST
    """… and below it."""
    limit: int = USUAL_LIMIT


class EventSource(Protocol):
    """What is known of events; everything that it gives can be written as JSON."""

    async def events(self, query: EventQuery) -> Sequence[object]:
        """The newest events, the oldest of them first."""
        ...

    def follow(self, query: EventQuery) -> AsyncGenerator[object, None]:
        """Those, then each that comes, and each that has ended."""
        ...

    async def story(self, arrival: int) -> object:
        """What became of one event. Raises ``NotFound``."""
        ...

    async def tree(self, arrival: int) -> object:
        """What came of one event, and of that in turn. Raises ``NotFound``."""
        ...

    async def stories(self, event_id: str, source: str = "") -> Sequence[object]:
        """What became of the events of an id, the newest first. Raises ``NotFound``."""
        ...

    async def until_ended(self, arrival: int) -> object:
        """The story of an event, once nothing more happens to it. Raises ``NotFound``."""
        ...

    async def dead_letters(self, query: EventQuery) -> Sequence[object]:
        """The deliveries that their subscribers did not take, the oldest first."""
        ...


class EventSending(Protocol):
    """Sends events, and again those that the log has. What it gives can be written as JSON."""

    async def send(
        self, event: CloudEvent, kind: str, namespace: str, name: str, *, sender: str
    ) -> object:
        """To a resource; without a name to the only one. Raises ``KnliteError``.

        *sender* is what its story says of where it came from.
        """
        ...

    def foretell(self, event: CloudEvent, kind: str, namespace: str, name: str) -> Sequence[object]:
        """Who would get an event from a resource (without a name: from any), and why.

        Raises ``NotFound``.
        """
        ...

    def channel_kind(self, namespace: str, name: str) -> str:
        """Of which kind the channel of that name is; there need not be one."""
        ...

    async def send_to(self, event: CloudEvent, url: str) -> object:
        """Straight to a URL."""
        ...

    async def replay(
        self, query: EventQuery, *, egress: str, url: str, dry_run: bool
    ) -> Sequence[object]:
        """Those events again. Raises ``InvalidInput``, ``NotFound``."""
        ...

    async def redrive(self, query: EventQuery, *, egress: str, dry_run: bool) -> Sequence[object]:
        """Those dead letters again, each to who did not take it. Raises ``NotFound``."""
        ...
