"""What instances wrote: the last lines of each service, and a stream of what follows.

With a data directory the lines are also appended to a file per service, which the person may read
with any tool. Names in paths come from validated objects, so they hold neither slashes nor dots
alone.
"""

from collections import defaultdict, deque
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import TextIO

import anyio
from anyio.streams.memory import MemoryObjectSendStream

from knlite.facts import Fact, LogLine

KEPT_LINES = 2000
"""Of each service, in memory."""
BEHIND = 1000
"""Lines that a follower may lag behind before it misses some."""


class Logs:
    """A reader of facts that keeps log lines."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._files: dict[tuple[str, str], TextIO] = {}
        self._lines: defaultdict[tuple[str, str], deque[LogLine]] = defaultdict(
            lambda: deque(maxlen=KEPT_LINES)
        )
        self._followers: dict[MemoryObjectSendStream[LogLine], tuple[str, str]] = {}

    def read(self, fact: Fact) -> None:
        """Take note of *fact* if it is a log line."""
        if not isinstance(fact, LogLine):
            return
        key = (fact.namespace, fact.service)
        self._lines[key].append(fact)
        if self._folder is not None:
            self._append(self._folder, key, fact)
        for stream, wanted in self._followers.items():
            if wanted == key:
                try:
                    stream.send_nowait(fact)
                except anyio.WouldBlock:
                    # Rather a gap in one terminal than memory without end.
                    continue

    def tail(self, namespace: str, service: str, count: int | None = None) -> list[LogLine]:
        """The last *count* lines of *service* (None: all that are kept)."""
        lines = list(self._lines.get((namespace, service), ()))
        return lines if count is None else lines[-count:] if count else []

    async def follow(
        self, namespace: str, service: str, count: int | None = None
    ) -> AsyncIterator[LogLine]:
        """The last *count* lines, then every new one, until the consumer stops."""
        send, receive = anyio.create_memory_object_stream[LogLine](BEHIND)
        self._followers[send] = (namespace, service)
        try:
            for line in self.tail(namespace, service, count):
                yield line
            async for line in receive:
                yield line
        finally:
            del self._followers[send]
            send.close()
            receive.close()

    def close(self) -> None:
        """Close all files, and end what follows."""
        for file in self._files.values():
            file.close()
        self._files.clear()
        for stream in self._followers:
            stream.close()

    def _append(self, folder: Path, key: tuple[str, str], line: LogLine) -> None:
        file = self._files.get(key)
        if file is None:
            namespace, service = key
            (folder / namespace).mkdir(parents=True, exist_ok=True)
            file = (folder / namespace / f"{service}.log").open("a", encoding="utf-8", buffering=1)
            self._files[key] = file
        file.write(rendered((line,)))


def rendered(lines: Iterable[LogLine]) -> str:
    """*lines* as a file holds them: time, instance, stream, text."""
    return "".join(
        f"{line.at.isoformat(timespec='milliseconds')} {line.instance} {line.stream} {line.text}\n"
        for line in lines
    )
