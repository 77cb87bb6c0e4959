"""What instances wrote: the last lines of each service, and a stream of what follows.

With a data directory the lines are also appended to a file per service, which the person may read
with any tool. Names in paths come from validated objects, so they hold neither slashes nor dots
alone.
"""

import heapq
from collections import OrderedDict, deque
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Protocol, TextIO

import anyio
from anyio.streams.memory import MemoryObjectSendStream

from knlite.facts import QUEUE_PROXY, Fact, InstanceChanged, LogLine, Notice, Publish

KEPT_LINES = 2000
"""Of each service, in memory."""
KEPT_ALTOGETHER = 200_000
"""Of all services; those of the service that wrote longest ago go first."""
KEPT_INSTANCES = 5000
"""Of which instances is known when they were started, and to which service they belong."""
BEHIND = 1000
"""Lines that a follower may lag behind before it misses some."""


class OfInstance(Protocol):
    """Which lines of one instance: of one container, of its last start or of the one before.

    *tail* None means all that are kept; *since* None means from the start.
    """

    @property
    def namespace(self) -> str: ...
    @property
    def instance(self) -> str: ...
    @property
    def container(self) -> str: ...
    @property
    def previous(self) -> bool: ...
    @property
    def since(self) -> datetime | None: ...
    @property
    def tail(self) -> int | None: ...


@dataclass(slots=True)
class _Known:
    """What is remembered of an instance, for some time after its end."""

    service: str
    starts: tuple[datetime, ...] = ()
    """When its program was started, the last two times."""
    gone: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class _Wanted:
    """What one follower wants; *instance* if its end is the end of the stream."""

    matches: Callable[[LogLine], bool]
    instance: tuple[str, str] | None = None


class Logs:
    """A reader of facts that keeps log lines."""

    def __init__(self, folder: Path | None = None, publish: Publish = lambda _: None) -> None:
        """*publish* is told when *folder* cannot be written to any more."""
        self._folder = folder
        self._publish = publish
        self._files: dict[tuple[str, str], TextIO] = {}
        self._lines: OrderedDict[tuple[str, str], deque[LogLine]] = OrderedDict()
        """By namespace and service; the one that wrote last is last."""
        self._kept = 0
        self._instances: dict[tuple[str, str], _Known] = {}
        self._followers: dict[MemoryObjectSendStream[LogLine], _Wanted] = {}

    def read(self, fact: Fact) -> None:
        """Take note of *fact* if it is a log line, or the start or end of an instance."""
        match fact:
            case LogLine():
                self._note(fact)
            case InstanceChanged(state="starting"):
                known = self._known(fact)
                known.starts = (*known.starts[-1:], fact.at)
            case InstanceChanged(state="gone"):
                self._known(fact).gone = True
                for stream, wanted in tuple(self._followers.items()):
                    if wanted.instance == (fact.namespace, fact.instance):
                        stream.close()
            case _:
                pass

    def newest(self, count: int) -> list[LogLine]:
        """The last *count* lines of all services, in order."""
        if not count:
            return []
        found: list[LogLine] = []
        for lines in reversed(self._lines.values()):
            if len(found) >= count and lines[-1].at < found[0].at:
                break  # This one and all before it have written nothing since.
            begin = max(0, len(lines) - count)
            merged = heapq.merge(found, islice(lines, begin, None), key=lambda line: line.at)
            found = list(merged)[-count:]
        return found

    def services(self) -> list[tuple[str, str]]:
        """Of which services there are lines, by namespace and name."""
        return list(self._lines)

    def tail(self, namespace: str, service: str, count: int | None = None) -> list[LogLine]:
        """The last *count* lines of *service* (None: all that are kept)."""
        lines = list(self._lines.get((namespace, service), ()))
        return _last(lines, count)

    async def follow(
        self, namespace: str, service: str, count: int | None = None
    ) -> AsyncGenerator[LogLine, None]:
        """The last *count* lines, then every new one, until the consumer closes it."""
        wanted = _Wanted(lambda line: (line.namespace, line.service) == (namespace, service))
        async with aclosing(
            self._followed(wanted, self.tail(namespace, service, count))
        ) as followed:
            async for line in followed:
                yield line

    def knows(self, namespace: str, instance: str) -> bool:
        """Whether there is, or was lately, an instance of that name."""
        return (namespace, instance) in self._instances

    def of_instance(self, wanted: OfInstance) -> list[LogLine] | None:
        """The lines that *wanted* describes; None if there was no such start."""
        known = self._instances.get((wanted.namespace, wanted.instance))
        if known is None:
            return None if wanted.previous else []
        begin, end = None, None
        if wanted.previous:
            if len(known.starts) < 2:
                return None
            begin, end = known.starts
        elif known.starts:
            begin = known.starts[-1]
        lines = [
            line
            for line in self._lines.get((wanted.namespace, known.service), ())
            if _is_of(line, wanted)
            and (begin is None or line.at >= begin)
            and (end is None or line.at < end)
            and (wanted.since is None or line.at >= wanted.since)
        ]
        return _last(lines, wanted.tail)

    async def follow_instance(self, wanted: OfInstance) -> AsyncGenerator[LogLine, None]:
        """The lines that *wanted* describes, then every new one, until the instance is gone."""
        lines = self.of_instance(wanted) or []
        name = (wanted.namespace, wanted.instance)
        known = self._instances.get(name)
        if known is not None and known.gone:
            for line in lines:
                yield line
            return
        follower = _Wanted(lambda line: _is_of(line, wanted), name)
        async with aclosing(self._followed(follower, lines)) as followed:
            async for line in followed:
                yield line

    def close(self) -> None:
        """Close all files, and end what follows."""
        self._close_files()
        for stream in self._followers:
            stream.close()

    def _note(self, line: LogLine) -> None:
        key = (line.namespace, line.service)
        self._known(line)
        self._keep(key, line)
        if self._folder is not None:
            try:
                self._append(self._folder, key, line)
            except OSError as exc:
                text = f"logs are kept in memory only from now on, as {self._folder} fails: {exc}"
                self._folder = None
                self._close_files()
                self._publish(Notice(at=line.at, level="error", text=text))
        for stream, wanted in self._followers.items():
            if wanted.matches(line):
                try:
                    stream.send_nowait(line)
                except anyio.WouldBlock:
                    # Rather a gap in one terminal than memory without end.
                    continue
                except (anyio.ClosedResourceError, anyio.BrokenResourceError):
                    continue

    def _keep(self, key: tuple[str, str], line: LogLine) -> None:
        lines = self._lines.get(key)
        if lines is None:
            lines = self._lines[key] = deque(maxlen=KEPT_LINES)
        self._kept += len(lines) < KEPT_LINES
        lines.append(line)
        self._lines.move_to_end(key)
        while self._kept > KEPT_ALTOGETHER:
            oldest, gone = self._lines.popitem(last=False)
            self._kept -= len(gone)
            file = self._files.pop(oldest, None)
            if file is not None:
                file.close()

    def _known(self, fact: LogLine | InstanceChanged) -> _Known:
        name = (fact.namespace, fact.instance)
        known = self._instances.get(name)
        if known is None:
            known = self._instances[name] = _Known(fact.service)
            if len(self._instances) > KEPT_INSTANCES:
                del self._instances[next(iter(self._instances))]
        return known

    async def _followed(
        self, wanted: "_Wanted", lines: Sequence[LogLine]
    ) -> AsyncGenerator[LogLine, None]:
        send, receive = anyio.create_memory_object_stream[LogLine](BEHIND)
        self._followers[send] = wanted
        try:
            for line in lines:
                yield line
            async for line in receive:
                yield line
        finally:
            del self._followers[send]
            send.close()
            receive.close()

    def _close_files(self) -> None:
        for file in self._files.values():
            # What cannot be written now never will be.
            with suppress(OSError):
                file.close()
        self._files.clear()

    def _append(self, folder: Path, key: tuple[str, str], line: LogLine) -> None:
        file = self._files.get(key)
        if file is None:
            namespace, service = key
            (folder / namespace).mkdir(parents=True, exist_ok=True)
            file = (folder / namespace / f"{service}.log").open("a", encoding="utf-8", buffering=1)
            self._files[key] = file
        file.write(rendered((line,)))


def _last(lines: list[LogLine], count: int | None) -> list[LogLine]:
    return lines if count is None else lines[-count:] if count else []


def _is_of(line: LogLine, wanted: OfInstance) -> bool:
    if (line.namespace, line.instance) != (wanted.namespace, wanted.instance):
        return False
    if not wanted.container or line.container == wanted.container:
        return True
    # Lines that name no container are those of the only one.
    return not line.container and wanted.container != QUEUE_PROXY


def rendered(lines: Iterable[LogLine]) -> str:
    """*lines* as a file holds them: time, instance, stream, text."""
    return "".join(
        f"{line.at.isoformat(timespec='milliseconds')} {line.instance} {line.stream} {line.text}\n"
        for line in lines
    )
