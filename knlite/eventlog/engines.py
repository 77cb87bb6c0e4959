"""The engines of a run, by the names that resources give them (``eventing/topology.py``)."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from knlite.clock import Clock
from knlite.eventlog.bounds import Bounds
from knlite.eventlog.database import open_database
from knlite.eventlog.memory import MemoryEngine
from knlite.eventlog.port import Engine
from knlite.eventlog.sqlite import TABLES, open_sqlite
from knlite.kinds.eventing.broker import Broker
from knlite.kinds.messaging.inmemorychannel import InMemoryChannel
from knlite.reconcile import View


@asynccontextmanager
async def open_engines(
    folder: Path | None,
    bounds: Bounds,
    view: View,
    clock: Clock,
    complain: Callable[[str], None],
) -> AsyncIterator[Mapping[str, Engine]]:
    """All that this run can offer: SQLite only where there is a *folder* for it.

    Of events that earlier runs have left, those are kept whose broker or channel is in *view*.
    *complain* is told what people must know.
    Raises ``KnliteError``.
    """
    memory = MemoryEngine(bounds)
    if folder is None:
        yield {"memory": memory}
        return
    kinds = (Broker, InMemoryChannel)
    live = {obj.metadata.uid for kind in kinds for obj in view.listed(kind, "")}
    async with (
        open_database(folder, TABLES, clock, complain) as database,
        open_sqlite(database, bounds, complain, live) as sqlite,
    ):
        yield {"memory": memory, "sqlite": sqlite}
