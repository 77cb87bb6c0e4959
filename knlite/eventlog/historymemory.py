"""The history of events in memory: bounded, and gone when the run ends.

Implements ``history.History``.
"""

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Iterable
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import TypeVar

import anyio
import anyio.lowlevel
import msgspec
from anyio.abc import TaskStatus

from knlite.eventlog.bounds import said
from knlite.eventlog.history import (
    GOES_ON,
    KEPT_ATTEMPTS,
    Bounds,
    Happened,
    InMemory,
    Progress,
    Versions,
    Wanted,
    is_trouble,
    may_be,
)
from knlite.eventlog.searching import Word, holds, may_hold, words
from knlite.facts import DeliveryAttempted, EgressChanged, EventAccepted

_OVERHEAD = 1500
"""Bytes that an event takes beside what it says, roughly."""
_ATTEMPT = 400
"""Bytes that an attempt takes beside its body, roughly."""
_ROOM = 0.95
"""What is left of what may be kept, after something was forgotten."""
_AT_ONCE = 1000
"""Events that are looked at before others get a turn."""
K = TypeVar("K", str, int)
_Index = dict[K, int | dict[int, None]]
"""Arrivals by a key: mostly one; there may be many, as nobody stops a sender who has one id."""
_MICROSECONDS = 1_000_000


class _Entry(msgspec.Struct, gc=False):
    """One event; *size* in bytes."""

    fact: EventAccepted
    size: int
    attempts: list[DeliveryAttempted] = msgspec.field(default_factory=list)


_Look = Callable[[list[_Entry]], list[_Entry]]


class MemoryHistory:
    """The newest events of this run."""

    def __init__(self, bounds: Bounds | None = None) -> None:
        self._bounds = bounds or InMemory()
        self._entries: dict[int, _Entry] = {}
        self._ended: OrderedDict[int, None] = OrderedDict()
        """Those that may be forgotten, in the order in which they ended."""
        self._by_id: _Index[str] = {}
        self._replays: _Index[int] = {}
        """By what they repeat."""
        self._newest = 0
        self._in_order = True
        """Whether each has come after those that arrived before it. Keeping one may take longer
        than keeping another, and one that an earlier run has left may come at any time."""
        self._size = 0
        self._progress = Progress()
        self._versions = Versions()

    @property
    def newest(self) -> int:
        return self._newest if self._entries else 0

    def accepted(self, fact: EventAccepted) -> None:
        arrival = fact.arrival
        if arrival in self._entries:
            return
        size = _OVERHEAD + said(fact.attributes, fact.headers, fact.data)
        self._entries[arrival] = _Entry(fact, size)
        if arrival > self._newest:
            self._newest = arrival
        else:
            self._in_order = False
        self._size += size
        _put(self._by_id, fact.attributes.get("id", ""), arrival)
        if fact.replay_of:
            _put(self._replays, fact.replay_of, arrival)
        if not self._progress.begin(arrival, fact.readers):
            self._ended[arrival] = None
        self._forget(arrival)

    def attempted(self, fact: DeliveryAttempted) -> bool:
        entry = self._entries.get(fact.arrival)
        if entry is None:
            return False
        if fact.ended or len(entry.attempts) < KEPT_ATTEMPTS or not _is_usual(entry, fact):
            size = _ATTEMPT + len(fact.body)
            entry.attempts.append(fact)
            entry.size += size
            self._size += size
        if not fact.ended:
            # Also for an egress that came later, or goes on with what an earlier run has left.
            self._progress.resume(fact.arrival, fact.egress_uid)
            self._ended.pop(fact.arrival, None)
            return False
        if not self._progress.end(fact.arrival, fact.egress_uid):
            return False
        self._ended[fact.arrival] = None
        return True

    def changed(self, fact: EgressChanged) -> tuple[int, ...]:
        self._versions.note(fact)
        if not fact.gone:
            return ()
        ended = self._progress.gone(fact.egress_uid)
        self._ended.update(dict.fromkeys(ended))
        return ended

    def is_open(self, arrival: int) -> bool:
        return arrival in self._progress

    def get(self, arrival: int) -> Happened | None:
        """One event, at once."""
        entry = self._entries.get(arrival)
        if entry is None:
            return None
        return self._happened(entry)

    async def at(self, arrival: int) -> Happened | None:
        return self.get(arrival)

    async def find(self, wanted: Wanted) -> AsyncGenerator[Happened, None]:
        found = 0
        looks = self._looks(wanted)
        candidates = self._candidates(wanted)
        entries = self._entries
        for start in range(0, len(candidates), _AT_ONCE):
            if start:
                # Requests go first.
                await anyio.lowlevel.checkpoint()
            some = candidates[start : start + _AT_ONCE]
            left = [entry for arrival in some if (entry := entries.get(arrival)) is not None]
            for look in looks:
                left = look(left)
            for entry in left:
                if found == wanted.limit:
                    return
                found += 1
                happened = self._happened(entry)
                accepted = msgspec.structs.replace(happened.accepted, data=None)
                yield replace(happened, accepted=accepted)

    def _happened(self, entry: _Entry) -> Happened:
        fact = entry.fact
        pending = self._progress.of(fact.arrival)
        return Happened(fact, tuple(entry.attempts), pending, len(fact.data or b""))

    def _candidates(self, wanted: Wanted) -> list[int]:
        """The arrivals to look at, the newest first."""
        found: Iterable[int]
        if wanted.repeats:
            found = chain.from_iterable(_under(self._replays, each) for each in wanted.repeats)
        elif wanted.id:
            found = _under(self._by_id, wanted.id)
        elif wanted.state in GOES_ON:
            found = self._progress.arrivals()
        else:
            found = self._entries
        # Who pages would miss what is out of order; but a hundred thousand take a while to sort.
        is_sorted = found is self._entries and self._in_order
        ordered = list(found) if is_sorted else sorted(found)
        begin = bisect_left(ordered, wanted.since)
        return ordered[begin : bisect_left(ordered, wanted.before)][::-1]

    def _looks(self, wanted: Wanted) -> list[_Look]:
        """What is left of some entries, one question after the other, the quickest first.

        Whole lists, as a hundred thousand calls take longer than what they ask.
        """
        looks: list[_Look] = []
        state, readers = wanted.state, wanted.readers
        names = ("type", "source", "subject", "id")
        looks += (partial(_with, name, text) for name in names if (text := getattr(wanted, name)))
        places = ("kind", "namespace", "name")
        looks += (partial(_at, name, text) for name in places if (text := getattr(wanted, name)))
        if wanted.repeats:
            looks.append(lambda some: [e for e in some if e.fact.replay_of in wanted.repeats])
        if wanted.originals:
            looks.append(lambda some: [e for e in some if not e.fact.replay_of])
        if wanted.troubled:
            looks.append(lambda some: [e for e in some if any(map(is_trouble, e.attempts))])
        if state:
            looks.append(lambda some: [e for e in some if self._may_be(state, e)])
        if readers:
            looks.append(lambda some: [e for e in some if _is_read(e, readers)])
        if sought := words(wanted.text):
            looks.append(partial(_holding, sought))
        return looks

    def _may_be(self, state: str, entry: _Entry) -> bool:
        if entry.fact.arrival in self._progress:
            return state in GOES_ON
        return may_be(state, entry.fact, entry.attempts)

    async def egresses(self, resource_uid: str, arrival: int) -> list[EgressChanged]:
        return self._versions.at(resource_uid, arrival)

    def uids(self, kind: str, namespace: str, name: str) -> frozenset[str]:
        return self._versions.uids(kind, namespace, name)

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """There is nothing to do beside."""
        task_status.started()

    def _forget(self, now: int) -> None:
        """Make room, as far as what has ended makes any."""
        if not self._ended:
            return
        too_old = now - int(self._bounds.history_seconds * _MICROSECONDS)
        goal = self._bounds.history_bytes
        if self._size > goal:
            # Rather many at once than one for each that comes.
            goal = int(goal * _ROOM)
        elif next(iter(self._ended)) >= too_old:
            return
        while self._ended:
            oldest = next(iter(self._ended))
            if self._size <= goal and oldest >= too_old:
                break
            del self._ended[oldest]
            entry = self._entries.pop(oldest)
            self._size -= entry.size
            _drop(self._by_id, entry.fact.attributes.get("id", ""), oldest)
            if entry.fact.replay_of:
                _drop(self._replays, entry.fact.replay_of, oldest)
        self._versions.forget(next(iter(self._entries), now))


def _is_read(entry: _Entry, readers: frozenset[str]) -> bool:
    if not readers.isdisjoint(entry.fact.readers):
        return True
    # What is on a server may come to one after the other.
    for each in entry.attempts:  # noqa: SIM110  any() takes twice as long
        if each.egress_uid in readers:
            return True
    return False


def _holding(sought: tuple[Word, ...], some: list[_Entry]) -> list[_Entry]:
    if not may_hold([entry.fact for entry in some], sought):
        return []
    return [entry for entry in some if holds(entry.fact, sought)]


def _with(name: str, text: str, some: list[_Entry]) -> list[_Entry]:
    return [entry for entry in some if entry.fact.attributes.get(name) == text]


def _at(name: str, text: str, some: list[_Entry]) -> list[_Entry]:
    return [entry for entry in some if getattr(entry.fact, name) == text]


def _put(index: _Index[K], key: K, arrival: int) -> None:
    there = index.get(key)
    if there is None:
        index[key] = arrival
    elif isinstance(there, int):
        index[key] = {there: None, arrival: None}
    else:
        there[arrival] = None


def _drop(index: _Index[K], key: K, arrival: int) -> None:
    there = index[key]
    if isinstance(there, int):
        del index[key]
        return
    del there[arrival]
    if not there:
        del index[key]


def _under(index: _Index[K], key: K) -> Iterable[int]:
    there = index.get(key, {})
    return (there,) if isinstance(there, int) else there


def _is_usual(entry: _Entry, fact: DeliveryAttempted) -> bool:
    """Whether there are enough attempts of the same egress."""
    count = sum(each.egress_uid == fact.egress_uid for each in entry.attempts)
    return count >= KEPT_ATTEMPTS
