"""What the event log answers: stories, their rows and attempts, and events in a list.

Everything is a value, and its JSON is what the admin port answers (``docs/events.md``).
Not here: how they come about (``xray.py``).
"""

from datetime import datetime
from typing import Literal

import msgspec

from knlite.eventing.filters.filter import Part

State = Literal[
    "unmatched", "delivering", "waiting", "delivered", "dead-lettered", "failed", "gone", "cut off"
]
"""Of an event, and of one at an egress. ``unmatched``: nobody wants it; ``waiting``: its subscriber
is not known yet; ``gone``: the egress was deleted before; ``cut off``: the run ended before, and
nothing has been heard of it since."""


class Place(msgspec.Struct, frozen=True):
    """A Broker, an InMemoryChannel, or whatever else takes events."""

    kind: str
    namespace: str
    name: str


class Attempt(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One attempt; *seconds* from its beginning to its end, *next_in* to the next one."""

    at: datetime
    leg: str
    target: str
    attempt: int
    status: int
    outcome: str
    why: str
    seconds: float
    instance: str
    next_in: float | None
    again: bool
    """It may have been delivered before a crash."""
    answer: str
    """The beginning of an answer that is a failure."""
    entered: int
    """The arrival of what was sent, where a broker or a channel has taken it here."""


class Row(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One egress and the event."""

    kind: str
    namespace: str
    name: str
    uid: str
    matched: bool
    why: str
    path: str
    """What decided, as a path in the egress's spec."""
    parts: tuple[Part, ...] = ()
    """The same as precisely as can be said, with what was seen there."""
    filter: msgspec.Raw = msgspec.Raw(b"{}")
    """``filter`` and ``filters`` of the egress's spec, as they were then."""
    state: State
    attempts: tuple[Attempt, ...] = ()
    left_out: int = 0
    """Attempts of which nothing is kept, as there were too many."""


class Summary(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One event in a list."""

    arrival: int
    at: datetime
    id: str
    source: str
    type: str
    subject: str
    to: Place
    sender: str
    state: State
    deliveries: dict[State, int]
    """How many egresses that wanted it are in which state."""
    replay_of: int
    size: int
    """Of its data, in bytes."""


class Branch(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An event among those that came of another one, and what came of it in turn."""

    event: Summary
    via: Place | None
    """The egress by which it came; None for the first."""
    leg: str
    """What of it came here: what was sent to its subscriber, the reply, or a dead letter."""
    children: tuple["Branch", ...] = ()
    left_out: int = 0
    """Children that are not told: there were too many, or it goes too deep."""


class Story(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One event: where it came from, who wanted it and why, and what became of it."""

    arrival: int
    at: datetime
    sender: str
    to: Place
    engine: str
    ttl: int
    state: State
    why: str
    event: msgspec.Raw
    """In the JSON format of CloudEvents."""
    headers: dict[str, str]
    """Those of the sender that travel with it."""
    replay_of: int
    replays: tuple[int, ...]
    """Arrivals of what repeats it."""
    rows: tuple[Row, ...]
