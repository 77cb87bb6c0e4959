"""The live feed: topics that parts of a run tell, and those who look at them.

Nothing here waits for anybody. What is told is collected for ``PAUSE`` seconds and handed to all
who look at once; each has at most one delta per topic until it takes them, so a slow one costs
others nothing and itself only detail (``deltas.py``). While nobody looks at a topic, telling of it
costs a look at an empty set, and those who would listen to facts for it do not (``while_watched``).

Source: ``docs/adr/0046-the-live-feed.md``. Not here: what the topics say; how it gets to a browser.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field

import anyio
import msgspec

from knlite.clock import Clock, Timer
from knlite.errors import InvalidInput, Overloaded
from knlite.telemetry.live.deltas import Delta, Items, Whole

PAUSE = 0.1
"""Seconds from one message of a topic to the next."""
REST = 0.5
"""The same after a message that had to leave something out: nobody reads a flood, and drawing it
costs a browser on the same machine more than telling it costs here."""
TOGETHER = 0.01
"""Seconds that the first of many changes waits for the others."""
MOST_LOOKING = 32
"""Readers at once; more are refused."""

Snapshot = Callable[[], object]
"""The present state, for the first message of a topic."""
Opening = Callable[[], AbstractContextManager[None]]
Gather = Callable[[], Delta | None]


@dataclass(slots=True, eq=False)
class _Topic:
    snapshot: Snapshot | None
    openings: list[Opening] = field(default_factory=list)
    lookers: set["Looker"] = field(default_factory=set)
    listening: ExitStack | None = None
    """While somebody looks: what *openings* have opened."""
    items: list[object] = field(default_factory=list)
    """Of a stream, since the last message."""
    gather: Gather | None = None
    pending: Delta | None = None
    rests_until: float = 0.0

    def has_news(self) -> bool:
        """Whether there is something to tell."""
        return bool(self.items) or self.gather is not None or self.pending is not None

    def note(self, delta: Delta) -> None:
        """*delta* is for the next message."""
        self.pending = delta if self.pending is None else self.pending.merged(delta)

    def handed_out(self) -> Delta | None:
        """What there is to tell since the last message."""
        if self.items:
            items, self.items = self.items, []
            self.note(Items(items))
        if self.gather is not None:
            gather, self.gather = self.gather, None
            gathered = gather()
            if gathered is not None:
                self.note(gathered)
        delta, self.pending = self.pending, None
        return delta


class Hub:
    """All topics and all who look; used on the event loop only."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._topics: dict[str, _Topic] = {}
        self._lookers: set[Looker] = set()
        self._timer: Timer | None = None
        self._due = 0.0
        """When the timer fires."""
        self._last = 0.0
        """When the last messages were handed out."""

    # For those who tell.

    def topic(self, name: str, snapshot: Snapshot | None = None) -> None:
        """There is a topic *name*; whoever begins to look gets *snapshot* as its first message.

        None if it has no state: then it begins with what happens next.
        """
        self._topics[name] = _Topic(snapshot)

    def while_watched(self, name: str, opening: Opening) -> None:
        """Enter what *opening* gives when the first looks at *name*; leave it after the last."""
        self._topics[name].openings.append(opening)

    def watched(self, name: str) -> bool:
        """Whether anybody looks at *name*."""
        return bool(self._topics[name].lookers)

    def changed(self, name: str) -> None:
        """The state behind *name* is another one: it will be asked for, and told as a whole."""
        topic = self._topics[name]
        if topic.lookers and topic.snapshot is not None:
            topic.pending = Whole(topic.snapshot)
            self._arm()

    def add(self, name: str, item: object) -> None:
        """*item* has happened; it may be encoded later, so it must not change any more."""
        topic = self._topics[name]
        if topic.lookers:
            topic.items.append(item)
            if len(topic.items) == 1:
                self._arm()

    def tell(self, name: str, delta: Delta) -> None:
        """*delta* is what is new of *name*."""
        topic = self._topics[name]
        if topic.lookers:
            topic.note(delta)
            self._arm()

    def later(self, name: str, gather: Gather) -> None:
        """Ask *gather* what is new of *name* when the next messages are handed out."""
        topic = self._topics[name]
        if topic.lookers:
            topic.gather = gather
            self._arm()

    # For those who look.

    def require(self, names: Iterable[str]) -> None:
        """Raise what ``looking`` would raise now."""
        wanted = tuple(names)
        unknown = [name for name in wanted if name not in self._topics]
        if unknown or not wanted:
            raise InvalidInput(
                f'no topic is called "{unknown[0][:40]}"' if unknown else "which topics?",
                fix=f"give some of: topics={','.join(self._topics)}",
            )
        if len(self._lookers) >= MOST_LOOKING:
            raise Overloaded(
                f"{MOST_LOOKING} consoles look at this knlite already, and it serves no more",
                fix="close one of them",
            )

    @contextmanager
    def looking(self, names: Iterable[str]) -> "Iterator[Looker]":
        """Look at the topics *names* while the context lasts.

        Raises ``InvalidInput`` for one that there is not, and ``Overloaded`` if too many look.
        """
        wanted = tuple(dict.fromkeys(names))
        self.require(wanted)
        begins = {name: self._topics[name].snapshot for name in wanted}
        looker = Looker({name: Whole(each) for name, each in begins.items() if each is not None})
        self._lookers.add(looker)
        try:
            for name in wanted:
                self._join(self._topics[name], looker)
            yield looker
        finally:
            self._lookers.discard(looker)
            for name in wanted:
                self._part(self._topics[name], looker)

    def _join(self, topic: _Topic, looker: "Looker") -> None:
        topic.lookers.add(looker)
        if topic.listening is None:
            topic.listening = ExitStack()
            for opening in topic.openings:
                topic.listening.enter_context(opening())

    def _part(self, topic: _Topic, looker: "Looker") -> None:
        topic.lookers.discard(looker)
        if not topic.lookers and topic.listening is not None:
            topic.items, topic.pending, topic.gather = [], None, None
            listening, topic.listening = topic.listening, None
            listening.close()

    def _arm(self) -> None:
        self._arm_at(max(self._clock.now() + TOGETHER, self._last + PAUSE))

    def _arm_at(self, when: float) -> None:
        if self._timer is not None:
            if self._due <= when:
                return
            self._timer.cancel()
        self._timer, self._due = self._clock.call_at(when, self._hand_out), when

    def _hand_out(self) -> None:
        self._timer, self._last = None, self._clock.now()
        for name, topic in self._topics.items():
            if not topic.has_news():
                continue
            if topic.rests_until > self._last:
                self._arm_at(topic.rests_until)
                continue
            delta = topic.handed_out()
            if delta is None:
                continue
            if delta.skipped:
                topic.rests_until = self._last + REST
            for looker in topic.lookers:
                looker.offer(name, delta)


class Looker:
    """One who looks, and what it has not taken yet."""

    def __init__(self, begins: Mapping[str, Delta]) -> None:
        self._pending = dict(begins)
        """By topic, in the order in which there was something to tell."""
        self._some = anyio.Event()
        if begins:
            self._some.set()

    def offer(self, name: str, delta: Delta) -> None:
        """There is *delta* to tell of topic *name*."""
        pending = self._pending.get(name)
        self._pending[name] = delta if pending is None else pending.merged(delta)
        self._some.set()

    async def wait(self) -> None:
        """Return when there is something to take."""
        await self._some.wait()

    def take(self) -> bytes:
        """All there is to tell, as messages of ``text/event-stream``; empty if there is nothing."""
        pending, self._pending, self._some = self._pending, {}, anyio.Event()
        return b"".join(
            message(name, delta.data()) + (skipped(name, delta.skipped) if delta.skipped else b"")
            for name, delta in pending.items()
        )


def message(name: str, data: bytes) -> bytes:
    """JSON *data* of topic *name*; JSON has no line ends of its own."""
    return b"event: %b\ndata: %b\n\n" % (name.encode(), data)


def skipped(name: str, count: int) -> bytes:
    """*count* things of topic *name* are told to this reader neither now nor later."""
    return message("skipped", msgspec.json.encode({"topic": name, "count": count}))
