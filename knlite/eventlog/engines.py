"""What a run keeps of events: its engines by the names that resources give them, and the history.

With a data folder all of it is in one database. Names: ``eventing/topology.py``.
"""

import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio
from anyio.abc import TaskStatus

from knlite.clock import Clock
from knlite.eventlog import historytables
from knlite.eventlog.bounds import Bounds
from knlite.eventlog.database import open_database
from knlite.eventlog.history import History, InMemory, OnDisk
from knlite.eventlog.historymemory import MemoryHistory
from knlite.eventlog.historysqlite import open_history
from knlite.eventlog.memory import MemoryEngine
from knlite.eventlog.ondemand import KAFKA, RABBITMQ, OnDemand
from knlite.eventlog.port import Engine
from knlite.eventlog.sqlite import TABLES, open_sqlite
from knlite.facts import Publish
from knlite.kinds.eventing.broker import Broker
from knlite.kinds.messaging.inmemorychannel import InMemoryChannel
from knlite.limits import limits_of
from knlite.reconcile import View
from knlite.settings import Settings

LIMITS = (Bounds, InMemory)
"""What ``--limit`` sets here."""


@dataclass(frozen=True, slots=True)
class Opened:
    """Made by ``open_engines``."""

    engines: Mapping[str, Engine]
    history: History

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Let all of them work until cancelled."""
        async with anyio.create_task_group() as group:
            for engine in self.engines.values():
                await group.start(engine.run)
            await group.start(self.history.run)
            task_status.started()


@asynccontextmanager
async def open_engines(
    settings: Settings,
    view: View,
    clock: Clock,
    complain: Callable[[str], None],
    publish: Publish,
    draw: random.Random,
) -> AsyncIterator[Opened]:
    """All that this run can offer: SQLite only where there is a folder for it.

    Those on servers are made when something asks for them.

    Of events that earlier runs have left, those are kept whose broker or channel is in *view*.
    *complain* is told what people must know.
    Raises ``KnliteError``.
    """
    bounds, folder = limits_of(Bounds, settings.limits), settings.data_dir
    always: dict[str, Engine] = {
        "memory": MemoryEngine(bounds),
        "kafka": OnDemand(KAFKA, publish, clock, draw),
        "rabbitmq": OnDemand(RABBITMQ, publish, clock, draw),
    }
    if folder is None:
        history = MemoryHistory(limits_of(InMemory, settings.limits))
        yield Opened(always, history)
        return
    kinds = (Broker, InMemoryChannel)
    live = {obj.metadata.uid for kind in kinds for obj in view.listed(kind, "")}
    async with (
        open_database(folder, (*TABLES, *historytables.TABLES), clock, complain) as database,
        open_sqlite(database, bounds, complain, live) as sqlite,
        open_history(database, limits_of(OnDisk, settings.limits), complain) as kept,
    ):
        yield Opened({**always, "sqlite": sqlite}, kept)
