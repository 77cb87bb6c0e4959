"""The lines of all instances as one stream, filtered here rather than by who reads it.

What is kept is what ``logs.py`` keeps; levels are guessed when somebody asks (``loglevels.py``).
Who follows has a buffer of ``BEHIND`` lines: what does not fit is left out and counted, so that a
slow reader holds up nobody.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

import anyio
import anyio.lowlevel
import msgspec

from knlite.clock import Clock
from knlite.facts import Fact, LogLine
from knlite.telemetry.loglevels import LEVELS, Grouping, Level, level_of, plain
from knlite.telemetry.logs import Logs

BEHIND = 2000
"""Lines that one who follows may lag behind before it misses some."""
PAUSE = 0.1
"""Seconds from one batch of new lines to the next."""

GROUPS = 1000
"""Streams of instances of which one who follows knows what the last line was: instances come and go
as long as somebody looks."""
CONTEXT = 50
"""Lines before the first that is wanted, which it may go on with."""

Reading = Callable[[Callable[[Fact], None]], AbstractContextManager[None]]
"""Hands every new line to a reader while the context lasts."""


class LogRow(msgspec.Struct, frozen=True, kw_only=True):
    """One line."""

    at: datetime
    namespace: str
    service: str
    revision: str
    instance: str
    container: str
    stream: str
    level: Level
    """As guessed from its text."""
    text: str
    request: str
    part: bool
    """It belongs to the line before of the same stream: a frame of a traceback, say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQuery:
    """Which lines; what is empty or None selects all."""

    namespace: str = ""
    service: str = ""
    revision: str = ""
    instance: str = ""
    request: str = ""
    level: Level | None = None
    """This one and what is more serious."""
    text: str = ""
    """Somewhere in the line; upper and lower case are alike."""
    since: datetime | None = None
    until: datetime | None = None
    limit: int = 1000


@dataclass(frozen=True, slots=True)
class Batch:
    """Lines in order, and how many were left out before them."""

    rows: list[LogRow]
    skipped: int = 0


class _Selecting:
    """Makes rows of the lines that a query selects, which it is given in order."""

    def __init__(self, query: LogQuery) -> None:
        self._query = query
        self._text = query.text.lower()
        self._levels = frozenset(
            LEVELS if query.level is None else LEVELS[: LEVELS.index(query.level) + 1]
        )
        self._groups: dict[tuple[str, str, str, str], Grouping] = {}

    def concerns(self, line: LogLine) -> bool:
        """Whether whoever wrote *line* is selected."""
        query = self._query
        return (
            query.namespace in ("", line.namespace)
            and query.service in ("", line.service)
            and query.revision in ("", line.revision)
            and query.instance in ("", line.instance)
        )

    def may_be_in(self, lines: Sequence[LogLine]) -> bool:
        """Whether the text that is wanted is in one of *lines*."""
        text = self._text
        return not text or any(text in plain(line.text).lower() for line in lines)

    def row(self, line: LogLine) -> LogRow | None:
        """The row of *line*; None if it is not selected."""
        if not self.concerns(line):
            return None
        query = self._query
        key = (line.namespace, line.instance, line.container, line.stream)
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = Grouping()
            if len(self._groups) > GROUPS:
                del self._groups[next(iter(self._groups))]
        text = plain(line.text)
        # Also for lines that are left out: the next one may go on with them.
        level, part = group.judge(text)
        if (
            level not in self._levels
            or query.request not in ("", line.request)
            or (self._text and self._text not in text.lower())
            or (query.since is not None and line.at < query.since)
            or (query.until is not None and line.at > query.until)
        ):
            return None
        return row_of(line, level, part=part)


def row_of(line: LogLine, level: Level, *, part: bool = False) -> LogRow:
    """*line* as a row."""
    return LogRow(
        at=line.at,
        namespace=line.namespace,
        service=line.service,
        revision=line.revision,
        instance=line.instance,
        container=line.container,
        stream=line.stream,
        level=level,
        text=line.text,
        request=line.request,
        part=part,
    )


@dataclass(frozen=True, slots=True)
class _Kept:
    """The lines of each service that have to be looked at."""

    of_services: Sequence[Sequence[LogLine]]
    left_out: int = 0
    """Older ones that are selected all the same."""


def _at(line: LogLine) -> datetime:
    return line.at


class _Follower:
    """New lines that one who follows has not taken, as they came: judging them can wait."""

    def __init__(self, selecting: _Selecting) -> None:
        self._selecting = selecting
        self._lines: deque[LogLine] = deque(maxlen=BEHIND)
        self._skipped = 0
        self._some = anyio.Event()

    def read(self, fact: Fact) -> None:
        """Take note of a line, if whoever wrote it is selected."""
        if isinstance(fact, LogLine) and self._selecting.concerns(fact):
            self._skipped += len(self._lines) == BEHIND
            self._lines.append(fact)
            self._some.set()

    async def wait(self) -> None:
        """Return when there is a line."""
        await self._some.wait()

    def take(self) -> Batch:
        """What is selected of what came."""
        rows = [row for row in map(self._selecting.row, self._lines) if row is not None]
        batch = Batch(rows, self._skipped)
        self._lines.clear()
        self._skipped, self._some = 0, anyio.Event()
        return batch


class LogStream:
    """All lines that are kept, and all that come."""

    def __init__(self, logs: Logs, clock: Clock, reading: Reading) -> None:
        self._logs = logs
        self._clock = clock
        self._reading = reading

    async def find(self, query: LogQuery) -> Batch:
        """The last lines that *query* selects, in order; ``skipped`` are as many older ones."""
        return await _judged(query, _Selecting(query), self._kept(query))

    async def follow(self, query: LogQuery) -> AsyncGenerator[Batch, None]:
        """The same, then batches of what follows, until the consumer closes it."""
        selecting = _Selecting(query)
        follower = _Follower(selecting)
        # What is kept at this moment, and all that comes after it.
        with self._reading(follower.read):
            yield await _judged(query, selecting, self._kept(query))
            while True:
                await follower.wait()
                await self._clock.sleep_until(self._clock.now() + PAUSE)
                batch = follower.take()
                if batch.rows or batch.skipped:
                    yield batch

    def newest(self, limit: int) -> list[LogRow]:
        """The last *limit* lines of all, each judged by itself."""
        lines = self._logs.newest(limit)
        return [row_of(line, level_of(plain(line.text))) for line in lines]

    def _kept(self, query: LogQuery) -> _Kept:
        of_services: list[Sequence[LogLine]] = [
            self._logs.tail(namespace, service)
            for namespace, service in self._logs.services()
            if query.namespace in ("", namespace) and query.service in ("", service)
        ]
        narrow = query.text or query.revision or query.instance or query.request or query.level
        if narrow or query.since or query.until:
            return _Kept(of_services)
        # All of them are wanted, so none before the last few is worth a guess.
        times = sorted(chain.from_iterable((line.at for line in lines) for lines in of_services))
        if len(times) <= query.limit or not query.limit:
            return _Kept(of_services)
        first = times[-query.limit]
        begins = [max(0, bisect_left(lines, first, key=_at) - CONTEXT) for lines in of_services]
        last = [lines[begin:] for lines, begin in zip(of_services, begins, strict=True)]
        return _Kept(last, sum(begins))


async def _judged(query: LogQuery, selecting: _Selecting, kept: _Kept) -> Batch:
    found: list[LogRow] = []
    for lines in kept.of_services:
        # Mostly what somebody looks for is in no line of a service, and none needs a guess then.
        if selecting.may_be_in(lines):
            found += [row for row in map(selecting.row, lines) if row is not None]
        # There may be hundreds of thousands; requests go on meanwhile.
        await anyio.lowlevel.checkpoint()
    found.sort(key=lambda row: row.at)
    skipped = max(0, len(found) - query.limit)
    return Batch(found[skipped:], skipped + kept.left_out)
