"""How long it takes to find events among a hundred thousand, on both histories, for each question.

python -m benchmarks.search [--events 100000]

What is asked for is mostly not there, or the oldest of all: the slowest case, as everything is
looked at. Meanwhile events keep coming; the longest that one of them had to wait is given too.
"""

import argparse
import itertools
import json
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import anyio
import anyio.lowlevel

from benchmarks.report import save, table
from knlite.apiserver.eventsource import EventQuery
from knlite.clock import SystemClock
from knlite.eventlog.database import Database, open_database
from knlite.eventlog.history import History, InMemory, OnDisk
from knlite.eventlog.historymemory import MemoryHistory
from knlite.eventlog.historysqlite import open_history
from knlite.eventlog.historytables import TABLES
from knlite.facts import DeliveryAttempted, EgressChanged, EventAccepted
from knlite.telemetry.eventrecords import EventRecords

RUNS = 5
_GIGABYTE = 1024**3
_START = 1_790_000_000_000_000
"""An arrival."""
_STEP = 1000
"""Microseconds between two of them."""
QUESTIONS: dict[str, dict[str, Any]] = {
    "newest": {},
    "type, not there": {"type": "none.such"},
    "type, every 20th": {"type": "order.refunded"},
    "source, not there": {"source": "/none"},
    "subject, the oldest": {"subject": "customer-0"},
    "id, the oldest": {"id": "event-0"},
    "time range, the oldest 100": {"before": _START + 100 * _STEP},
    "state unmatched": {"state": "unmatched"},
    "state delivering": {"state": "delivering"},
    "state dead-lettered": {"state": "dead-lettered"},
    "state failed": {"state": "failed"},
    "state delivered": {"state": "delivered"},
    "state cut off": {"state": "cut off"},
    "state gone": {"state": "gone"},
    "text in data, the oldest": {"text": "needle"},
    "text, not there": {"text": "nowhere to be found"},
    "text, in all": {"text": "order"},
    "text and state": {"text": "needle", "state": "delivered"},
    "trigger": {"egress": "default/audit"},
    "trigger, never matched": {"egress": "default/idle"},
    "broker, not there": {"kind": "Broker", "namespace": "default", "name": "other"},
}


def at(arrival: int) -> datetime:
    """When that was."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=arrival)


def event(number: int) -> EventAccepted:
    """One of 200 bytes; of twenty one is wanted by nobody."""
    arrival = _START + number * _STEP
    data = {"order": number, "note": "needle" if number == 0 else "x" * 150}
    kind = "order.refunded" if number % 20 == 5 else "order.paid"
    attributes = {
        "specversion": "1.0",
        "id": f"event-{number}",
        "source": "/shop/eu",
        "type": kind,
        "subject": f"customer-{number}",
        "time": "2026-11-26T12:00:00Z",
        "knativearrivaltime": "2026-11-26T12:00:00.000001Z",
    }
    readers = () if number % 20 == 7 else ("uid-of-orders", "uid-of-audit")
    return EventAccepted(
        at(arrival), "Broker", "default", "default", "uid-of-broker", arrival, attributes,
        "application/json", json.dumps(data).encode(), 255, (), "127.0.0.1:4711 curl/8.14.1",
        0, (), "memory", readers,
    )  # fmt: skip


def attempt(fact: EventAccepted, uid: str, outcome: Any) -> DeliveryAttempted:
    """The last of one delivery."""
    return DeliveryAttempted(
        fact.at, "Broker", "default", "default", "Trigger", "default", uid[7:], uid, fact.arrival,
        fact.attributes["id"], fact.attributes["type"], "subscriber",
        "http://orders.default.svc.cluster.local", 1, 200, outcome, "", 0.004,
        "orders-00001-deployment-abc-x7k2p", None, False, b"", 0, True,
    )  # fmt: skip


def fill(records: EventRecords, numbers: range) -> None:
    """Events and what became of them: 1 of 200 went wrong, the oldest hundred go on."""
    for number in numbers:
        fact = event(number)
        records.read(fact)
        if number < 100 and number:
            continue
        for uid in fact.readers:
            bad = number % 200 == 3 and uid == "uid-of-audit"
            outcome = ("dead-lettered" if number % 400 == 3 else "failed") if bad else "delivered"
            records.read(attempt(fact, uid, outcome))


def begin(records: EventRecords) -> None:
    """Three triggers."""
    for name in ("orders", "audit", "idle"):
        records.read(
            EgressChanged(
                at=at(_START - 1), since=_START - 1, kind="Broker", namespace="default",
                name="default", resource_uid="uid-of-broker", egress_kind="Trigger",
                egress_namespace="default", egress_name=name, egress_uid=f"uid-of-{name}",
                filter_spec="{}",
            )
        )  # fmt: skip


@asynccontextmanager
async def in_memory(_: Path) -> AsyncIterator[tuple[History, Database | None]]:
    """The history without a data folder, with room for all."""
    yield MemoryHistory(InMemory(history_bytes=_GIGABYTE)), None


@asynccontextmanager
async def on_disk(folder: Path) -> AsyncIterator[tuple[History, Database | None]]:
    """The history in a data folder."""
    async with (
        open_database(folder, TABLES, SystemClock(), print) as database,
        open_history(database, OnDisk(history_bytes=_GIGABYTE), print) as history,
    ):
        yield history, database


@dataclass(frozen=True, slots=True)
class Taken:
    """For one question: how many were found, and times in seconds."""

    found: int
    seconds: float
    processor: float
    """Of the loop and of the process that writes: what the question takes on a machine that has
    nothing else to do."""
    waited: float
    """The longest that an event had to, while somebody asked."""


async def measure(opened: Any, count: int) -> dict[str, Taken]:
    """Each question, asked of so many events."""
    taken: dict[str, Taken] = {}
    with tempfile.TemporaryDirectory() as folder:
        async with opened(Path(folder)) as (history, database):
            records = EventRecords(history)
            begin(records)
            for start in range(0, count, 1000):
                fill(records, range(start, min(start + 1000, count)))
                if database is not None:
                    await database.query("SELECT 1")
            numbers = itertools.count(count, 5)
            for name, query in QUESTIONS.items():
                asked = EventQuery(limit=100, **query)
                seconds, processor, waits = list[float](), list[float](), list[float]()
                found = 0
                for _ in range(RUNS):
                    began, used = time.perf_counter(), spent(database)
                    found = len(await records.events(asked))
                    seconds.append(time.perf_counter() - began)
                    processor.append(spent(database) - used)
                    waits.append(await busily(records, database, numbers, asked))
                taken[name] = Taken(found, median(seconds), median(processor), max(waits))
    return taken


def spent(database: Database | None) -> float:
    """Seconds of processor time until now."""
    of_writer = 0.0
    if database is not None:
        with suppress(OSError):
            text = Path(f"/proc/{database.pid}/schedstat").read_text("ascii")
            of_writer = int(text.split()[0]) / 1e9
    return time.process_time() + of_writer


async def busily(
    records: EventRecords, database: Database | None, numbers: Iterator[int], asked: EventQuery
) -> float:
    """The longest that events take to be kept while somebody asks."""
    longest = 0.0

    async def come() -> None:
        nonlocal longest
        while True:
            began = time.perf_counter()
            number = next(numbers)
            fill(records, range(number, number + 5))
            if database is not None:
                await database.query("SELECT 1")
            await anyio.lowlevel.checkpoint()
            longest = max(longest, time.perf_counter() - began)
            until = time.perf_counter() + 0.005
            while time.perf_counter() < until:
                await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as group:
        group.start_soon(come)
        await records.events(asked)
        group.cancel_scope.cancel()
    return longest


async def compare(count: int) -> None:
    """Both histories, as a table."""
    memory, disk = await measure(in_memory, count), await measure(on_disk, count)
    heads = [
        "asked for", "found", "memory", "SQLite", "processor: memory", "SQLite",
        "an event waits: memory", "SQLite",
    ]  # fmt: skip
    rows = []
    for name in QUESTIONS:
        one, other = memory[name], disk[name]
        times = (
            one.seconds, other.seconds, one.processor, other.processor, one.waited, other.waited,
        )  # fmt: skip
        rows.append([name, str(one.found), *(f"{1000 * each:.0f}" for each in times)])
    about = f"{count:,} events, the newest 100 of what is asked for; median of {RUNS}, in ms"
    text = f"{about}.\n\n{table(heads, rows)}"
    data = {name: [asdict(memory[name]), asdict(disk[name])] for name in QUESTIONS}
    save("search", "Searching events", text, data)


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    anyio.run(compare, parser.parse_args().events)


if __name__ == "__main__":
    main()
