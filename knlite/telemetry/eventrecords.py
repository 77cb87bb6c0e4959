"""The event log as people see it: reads the facts of events into a history, and answers from it.

Source: ``docs/adr/0031-the-event-log.md``.
Not here: which events are asked for (``eventquery.py``), where facts are kept (``eventlog``), what
a story says (``xray.py``), sending again (``resending.py``).
"""

import re
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import replace
from functools import partial
from itertools import chain

import anyio
from anyio.streams.memory import MemoryObjectSendStream

from knlite.errors import NotFound
from knlite.eventing.cloudevent import CloudEvent
from knlite.eventlog.history import NEWEST, Happened, History, InMemory, Wanted
from knlite.eventlog.historymemory import MemoryHistory
from knlite.facts import (
    DeliveryAttempted,
    EgressChanged,
    EventAccepted,
    EventRefused,
    Fact,
    SourceSent,
)
from knlite.telemetry import xray
from knlite.telemetry.deadletters import DeadLetter, dead_letters
from knlite.telemetry.descent import branch
from knlite.telemetry.elsewhere import Elsewhere
from knlite.telemetry.eventquery import Query, wanted_by
from knlite.telemetry.stories import Branch, Row, Story, Summary

READ = (EventAccepted, EgressChanged, DeliveryAttempted, EventRefused, SourceSent)
BEHIND = 10_000
"""Events that a follower may lag behind before it misses some."""
_RECENT = InMemory(history_bytes=8 * 1024 * 1024)
_ARRIVAL = re.compile(r"\d{1,18}", re.ASCII)
STORIES = 20
STORIES_BYTES = 64 * 1024 * 1024
"""Of events of one id, the newest, and so many bytes of their data, but one story at least."""
REPLAYS = 100
"""Of one event, at most so many are named."""
_AT_ONCE = 100
"""Events whose repetitions are asked for at once."""

_NOTHING = Wanted(before=0, limit=0)

_Told = tuple[int, bool]
"""The arrival of an event, and whether it has ended: else it has just come."""


class EventRecords:
    """What is known of events."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._present: dict[str, EgressChanged] = {}
        """The egresses there are, by uid."""
        self._elsewhere = Elsewhere()
        self._seen: set[str] = set()
        """The uids of all that there have been in this run."""
        self._began = history.newest
        self._followers: dict[MemoryObjectSendStream[_Told], Wanted] = {}
        self._recent = MemoryHistory(_RECENT)
        """What has come while somebody follows: no disk is asked for each event."""
        self._tell_of: Callable[[Callable[[], object]], None] | None = None
        """Tells consoles of an event, while there are some."""
        self._ends: dict[int, anyio.Event] = {}
        """By arrival, for who waits for its end."""

    def read(self, fact: Fact) -> None:
        """Take note of *fact*."""
        match fact:
            case DeliveryAttempted():
                if self._followers or self._tell_of:
                    self._recent.attempted(fact)
                if self._history.attempted(fact):
                    self._ended(fact.arrival)
                elif self._tell_of:
                    self._tell_of(partial(self._now_of, fact.arrival))
            case EventAccepted():
                self._history.accepted(fact)
                if (self._followers or self._tell_of) and not fact.again:
                    self._recent.accepted(fact)
                    self._tell(fact)
            case EventRefused() | SourceSent():
                self._elsewhere.note(fact)
            case EgressChanged():
                self._seen.add(fact.egress_uid)
                if fact.gone:
                    self._present.pop(fact.egress_uid, None)
                else:
                    self._present[fact.egress_uid] = fact
                if self._followers or self._tell_of:
                    self._recent.changed(fact)
                for arrival in self._history.changed(fact):
                    self._ended(arrival)
            case _:
                pass

    async def events(self, query: Query) -> list[Summary]:
        """The newest events that are asked for, the oldest of them first."""
        found: list[Summary] = []
        wanted = self._wanted(query)
        if wanted is None or query.limit <= 0:
            return found
        if query.state:
            # The history gives those that may be in it.
            wanted = replace(wanted, limit=NEWEST)
        async with aclosing(self._history.find(wanted)) as events:
            async for each in events:
                summary = xray.summary(each, self._now())
                if query.state in {"", summary.state}:
                    found.append(summary)
                    if len(found) == query.limit:
                        break
        return found[::-1]

    async def follow(self, query: Query) -> AsyncGenerator[Summary, None]:
        """What ``events`` gives, then each event when it comes and again when it has ended."""
        wanted = self._wanted(query) or _NOTHING
        send, receive = anyio.create_memory_object_stream[_Told](BEHIND)
        self._followers[send] = wanted
        try:
            listed = 0
            for each in await self.events(query):
                listed = max(listed, each.arrival)
                yield each
            async for arrival, ended in receive:
                happened = self._recent.get(arrival) or await self._history.at(arrival)
                if happened is None or not wanted.takes(happened.accepted):
                    continue
                if not ended and (arrival <= listed or self._ends_next(happened)):
                    continue
                summary = xray.summary(happened, self._now())
                if query.state in {"", summary.state}:
                    yield summary
        finally:
            del self._followers[send]
            self._forget_recent()
            send.close()
            receive.close()

    @contextmanager
    def telling(self, tell: Callable[[Callable[[], object]], None]) -> Iterator[None]:
        """Have *tell* told of each event that comes, is tried or ends, while the context lasts.

        What it is told gives the ``Summary`` when it is called, so that nothing is worked out for
        events that nobody gets to see; or ``{"arrival": …}`` alone, of one that came before.
        """
        self._tell_of = tell
        try:
            yield
        finally:
            self._tell_of = None
            self._forget_recent()

    def _forget_recent(self) -> None:
        if not (self._followers or self._tell_of):
            self._recent = MemoryHistory(_RECENT)

    def _now_of(self, arrival: int) -> object:
        happened = self._recent.get(arrival)
        return xray.summary(happened, self._now()) if happened else {"arrival": arrival}

    def _ends_next(self, happened: Happened) -> bool:
        """Whether an event that has come has ended by now: that will be told next."""
        fact = happened.accepted
        return bool(fact.readers) and not self._history.is_open(fact.arrival)

    async def story(self, arrival: int) -> Story:
        """The story of one event. Raises ``NotFound``."""
        return await self._story(await self.happened(arrival))

    async def tree(self, arrival: int) -> Branch:
        """What came of an event: replies, and what went on to other brokers and channels.

        Raises ``NotFound``.
        """
        return await branch(self._history, await self.happened(arrival), self._now())

    async def stories(self, event_id: str, source: str = "") -> list[Story]:
        """The stories of all events of an id, the newest first. Raises ``NotFound``.

        What is no id of any may be an arrival.
        """
        arrivals: list[int] = []
        if event_id:
            wanted = Wanted(id=event_id, source=source, limit=STORIES)
            arrivals = [each.accepted.arrival async for each in self._history.find(wanted)]
        if not arrivals and not source and _ARRIVAL.fullmatch(event_id):
            arrivals = [int(event_id)]
        found: list[Happened] = []
        size = 0
        for arrival in arrivals:
            each = await self._history.at(arrival)
            if each is not None:
                size += each.size
                if found and size > STORIES_BYTES:
                    break
                found.append(each)
        if not found:
            elsewhere = self._elsewhere.why_not_here(event_id)
            if elsewhere is not None:
                raise elsewhere
            of = f' of source "{source}"' if source else ""
            raise NotFound(
                f'no event "{event_id}"{of} is in the log',
                cause="no broker or channel has taken it, or it is too long ago",
                fix="see what is there: knlite events",
            )
        return [await self._story(each) for each in found]

    async def happened(self, arrival: int) -> Happened:
        """One event. Raises ``NotFound``."""
        found = await self._history.at(arrival)
        if found is not None:
            return found
        raise NotFound(
            f"no event {arrival} is in the log",
            cause="it is too long ago, or never came",
            fix="see what is there: knlite events",
        )

    async def dead_letters(self, query: Query) -> list[DeadLetter]:
        """The deliveries that their subscribers did not take, the oldest first."""
        wanted = self._wanted(query, troubled=True) or _NOTHING
        if query.state:
            # Which of them are in it the history does not say.
            wanted = replace(wanted, limit=NEWEST)
        some: list[Happened] = []
        found: list[list[DeadLetter]] = []
        async with aclosing(self._history.find(wanted)) as events:
            async for each in events:
                some.append(each)
                if len(some) == _AT_ONCE:
                    found += await self._letters(some, query.state)
                    some.clear()
                    if len(found) >= query.limit:
                        break
        found += await self._letters(some, query.state)
        return list(chain.from_iterable(found[: query.limit][::-1]))

    async def _letters(self, some: Sequence[Happened], state: str) -> list[list[DeadLetter]]:
        """The dead letters of each of *some* events that has one in that *state*."""
        again: dict[int, list[Happened]] = {}
        for each in await self._again(*(one.accepted.arrival for one in some)) if some else ():
            again.setdefault(each.accepted.replay_of, []).append(each)
        found = []
        for one in some:
            letters = dead_letters(one, again.get(one.accepted.arrival, ()), self._now())
            wanted = [each for each in letters if state in {"", each.state}]
            if wanted:
                found.append(wanted)
        return found

    async def find(self, query: Query, *, originals: bool = False) -> list[Happened]:
        """The newest events that are asked for, the oldest of them first; without their data.

        *originals* are those that repeat no other.
        """
        wanted = replace(self._wanted(query) or _NOTHING, originals=originals)
        return [each async for each in self._history.find(wanted)][::-1]

    async def until_ended(self, arrival: int) -> Story:
        """The story of an event, when nothing more happens to it. Raises ``NotFound``."""
        while True:
            is_open = self._history.is_open(arrival)
            told = await self.story(arrival)
            if told.state not in xray.OPEN or not is_open:
                return told
            if self._history.is_open(arrival):
                await self._ends.setdefault(arrival, anyio.Event()).wait()

    def foretell(self, event: CloudEvent, kind: str, namespace: str, name: str) -> list[Row]:
        """Who would get *event* from a resource (empty: from any), without sending it."""
        egresses = [
            each
            for each in self._present.values()
            if not name or (each.kind, each.namespace, each.name) == (kind, namespace, name)
        ]
        egresses.sort(key=lambda each: (each.egress_namespace, each.egress_name))
        return list(xray.foretold(event, egresses))

    def egress(self, uid: str) -> EgressChanged | None:
        """An egress that there is."""
        return self._present.get(uid)

    def egresses(self) -> list[EgressChanged]:
        """All that there are."""
        return list(self._present.values())

    def _wanted(self, query: Query, *, troubled: bool = False) -> Wanted | None:
        return wanted_by(query, self._history.uids, troubled=troubled)

    def _now(self) -> frozenset[str]:
        return frozenset(self._present)

    async def _story(self, happened: Happened) -> Story:
        fact = happened.accepted
        egresses = await self._history.egresses(fact.resource_uid, fact.arrival)
        if fact.arrival > self._began:
            # What was deleted between two runs has told nobody.
            egresses = [each for each in egresses if each.egress_uid in self._seen]
        replays = [each.accepted.arrival for each in await self._again(fact.arrival)]
        return xray.story(happened, egresses, self._now(), replays)

    async def _again(self, *arrivals: int) -> list[Happened]:
        """What repeats events, the oldest first; of each about so many as are named of one."""
        wanted = Wanted(repeats=frozenset(arrivals), limit=REPLAYS * len(arrivals))
        return [each async for each in self._history.find(wanted)][::-1]

    def _tell(self, fact: EventAccepted) -> None:
        if self._tell_of:
            self._tell_of(partial(self._now_of, fact.arrival))
        for stream, wanted in self._followers.items():
            if wanted.takes(fact):
                _push(stream, (fact.arrival, False))

    def _ended(self, arrival: int) -> None:
        waited = self._ends.pop(arrival, None)
        if waited is not None:
            waited.set()
        if self._tell_of:
            self._tell_of(partial(self._now_of, arrival))
        for stream in self._followers:
            _push(stream, (arrival, True))


def _push(stream: MemoryObjectSendStream[_Told], told: _Told) -> None:
    try:
        stream.send_nowait(told)
    except (anyio.WouldBlock, anyio.ClosedResourceError, anyio.BrokenResourceError):
        # Rather a gap in one terminal than memory without end.
        return
