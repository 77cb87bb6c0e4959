"""Event logs against a model: whatever happens in whatever order, nothing is lost or mixed up.

Runs end by themselves or are killed. After a kill what was done shortly before may come again.
"""

import asyncio
import os
import signal
import tempfile
from collections.abc import Hashable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from knlite.clock import SystemClock
from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.filters.attributes import Attributes
from knlite.eventing.filters.build import EVERYTHING
from knlite.eventing.filters.filter import Filter
from knlite.eventlog.bounds import Bounds
from knlite.eventlog.database import Database, open_database
from knlite.eventlog.memory import MemoryEngine
from knlite.eventlog.port import Cursor, EventLog, Reader, Record, Taken
from knlite.eventlog.sqlite import TABLES, open_sqlite

FILTERS: dict[str, Filter] = {
    "": EVERYTHING,
    "a": Attributes({"type": "a"}),
    "b": Attributes({"type": "b"}),
}
NAMES = st.sampled_from(["one", "two", "three"])


@dataclass(frozen=True)
class Owner:
    kind: str = "Broker"
    namespace: str = "default"
    name: str = "main"
    uid: str = "uid"
    backing: None = None


@dataclass
class Model:
    """What one reader must get."""

    uid: str
    wanted: str
    cursor: Cursor
    queue: list[int] = field(default_factory=list)
    taken: list[tuple[int, Hashable]] = field(default_factory=list)
    perhaps: set[int] = field(default_factory=set)
    """Done in an earlier run that was killed."""
    done: set[int] = field(default_factory=set)
    last: int = 0
    """Taken last in this run."""


def record(number: int, kind: str) -> Record:
    attributes = {"specversion": "1.0", "id": str(number), "source": "/s", "type": kind}
    data = bytes((number + i) % 256 for i in range(number * 37 % 3000))
    return Record(CloudEvent(attributes, "text/plain", data), 255, (("x", kind),), number)


class Machine(RuleBasedStateMachine):
    durable = True

    @initialize()
    def begin(self) -> None:
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.readers: dict[str, Model] = {}
        self.kinds: dict[int, str] = {}
        self.uids = 0
        self.runner.run(self._start())

    @rule(kinds=st.lists(st.sampled_from("ab"), min_size=1, max_size=6))
    def append(self, kinds: list[str]) -> None:
        """Senders that do not wait for each other."""
        numbers = range(len(self.kinds) + 1, len(self.kinds) + len(kinds) + 1)
        self.kinds |= zip(numbers, kinds, strict=True)

        async def send() -> None:
            await asyncio.gather(*(self.log.append(record(n, self.kinds[n])) for n in numbers))

        self.runner.run(send())
        for reader in self.readers.values():
            reader.queue += [n for n in numbers if reader.wanted in {"", self.kinds[n]}]

    @rule(name=NAMES, wanted=st.sampled_from(list(FILTERS)))
    def open(self, name: str, wanted: str) -> None:
        """A trigger is made, or its filter changes."""

        async def opened(uid: str) -> Cursor:
            return self.log.open(Reader(uid, filter=FILTERS[wanted]), "end")

        reader = self.readers.get(name)
        if reader is None:
            self.uids += 1
            uid = f"{name}-{self.uids}"
            self.readers[name] = Model(uid, wanted, self.runner.run(opened(uid)))
        else:
            assert self.runner.run(opened(reader.uid)) is reader.cursor
            reader.wanted = wanted

    @rule(name=NAMES)
    def close(self, name: str) -> None:
        reader = self.readers.pop(name, None)

        async def closed(uid: str) -> None:
            self.log.close(uid)

        if reader is not None:
            self.runner.run(closed(reader.uid))

    @rule(name=NAMES, most=st.integers(1, 8))
    def take(self, name: str, most: int) -> None:
        reader = self.readers.get(name)
        for _ in range(most if reader is not None else 0):
            if not self._take(reader):
                break

    @rule(name=NAMES, at=st.integers(0, 20), most=st.integers(1, 4))
    def done(self, name: str, at: int, most: int) -> None:
        reader = self.readers.get(name)

        async def say() -> None:
            for _ in range(most):
                if reader is not None and reader.taken:
                    number, position = reader.taken.pop(at % len(reader.taken))
                    reader.cursor.done(position)
                    reader.done.add(number)

        self.runner.run(say())

    @precondition(lambda self: self.durable)
    @rule(killed=st.booleans())
    def restart(self, killed: bool) -> None:
        self.runner.run(self._end(killed))
        for reader in self.readers.values():
            reader.queue = sorted([number for number, _ in reader.taken] + reader.queue)
            reader.perhaps = reader.perhaps | reader.done if killed else set()
            reader.taken, reader.done, reader.last = [], set(), 0
        self.runner.run(self._start())

    def teardown(self) -> None:
        if not hasattr(self, "runner"):
            return
        for reader in self.readers.values():
            while self._take(reader):
                pass
            assert reader.queue == []
        self.runner.run(self._end(killed=False))
        self.runner.close()
        self.folder.cleanup()

    def _take(self, reader: "Model | None") -> bool:
        assert reader is not None
        taken = self.runner.run(self._next(reader))
        if taken is None:
            assert reader.queue == []
            return False
        got = taken.record
        number = int(got.event.id)
        assert got == record(number, self.kinds[number])
        assert number > reader.last
        reader.last = number
        if number in reader.perhaps:
            assert taken.again
            reader.perhaps.discard(number)
        else:
            assert number == reader.queue.pop(0)
        reader.taken.append((number, taken.position))
        return True

    async def _next(self, reader: Model) -> Taken | None:
        while (taken := reader.cursor.take()) is None and reader.queue:
            async with asyncio.timeout(10):
                await reader.cursor.wait()
        if taken is None and reader.perhaps:
            # What may come again may have to be read first.
            async with asyncio.timeout(10):
                await self._settled()
            taken = reader.cursor.take()
        return taken

    async def _settled(self) -> None:
        if self.database is not None:
            await self.database.query("SELECT 1")

    async def _start(self) -> None:
        self.stack = AsyncExitStack()
        self.database: Database | None = None
        readers = [reader.uid for reader in self.readers.values()]
        if self.durable:
            self.database = await self.stack.enter_async_context(
                open_database(Path(self.folder.name), TABLES, SystemClock(), lambda text: None)
            )
            engine = await self.stack.enter_async_context(
                open_sqlite(self.database, Bounds(), self._complain, ["uid"])
            )
            self.log: EventLog = engine.log(Owner(), readers)
        else:
            self.log = MemoryEngine().log(Owner(), readers)
        for reader in self.readers.values():
            reader.cursor = self.log.open(Reader(reader.uid, filter=FILTERS[reader.wanted]), "end")

    async def _end(self, killed: bool) -> None:
        if killed and self.database is not None:
            os.kill(self.database.pid, signal.SIGKILL)
        await self.stack.aclose()

    def _complain(self, text: str) -> None:
        raise AssertionError(text)


class MemoryMachine(Machine):
    durable = False


LARGE = (HealthCheck.data_too_large,)


def test_memory_agrees_with_the_model() -> None:
    run_state_machine_as_test(
        MemoryMachine, settings=settings(max_examples=30, stateful_step_count=40)
    )


def test_sqlite_agrees_with_the_model_across_restarts_and_kills() -> None:
    quick = settings(max_examples=12, stateful_step_count=30, suppress_health_check=LARGE)
    run_state_machine_as_test(Machine, settings=quick)
