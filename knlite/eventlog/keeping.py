"""What a run keeps of events: the database, if there is a data folder, and the history.

Source: ``docs/adr/0024-the-sqlite-event-log.md``, ``docs/adr/0031-the-event-log.md``.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio

from knlite.clock import SystemClock
from knlite.eventlog import historysqlite
from knlite.eventlog.database import Database, open_database
from knlite.eventlog.history import History
from knlite.eventlog.historymemory import MemoryHistory
from knlite.eventlog.historysqlite import SqliteHistory
from knlite.facts import Notice, Publish
from knlite.settings import Settings

TABLES = historysqlite.TABLES


@dataclass(frozen=True, slots=True)
class Keeping:
    """Made by ``keeping_events``."""

    history: History
    database: Database | None = None
    """None without a data folder."""


@asynccontextmanager
async def keeping_events(settings: Settings, publish: Publish) -> AsyncIterator[Keeping]:
    """What is kept in the data folder, or in memory; all of it is when the context ends.

    *publish* is told when nothing can be kept (any more). Raises ``KnliteError``.
    """
    if settings.data_dir is None:
        yield Keeping(MemoryHistory())
        return
    clock = SystemClock()

    def complain(text: str) -> None:
        publish(Notice(at=clock.wall(), level="error", text=text))

    async with (
        open_database(settings.data_dir, TABLES, clock, complain) as database,
        anyio.create_task_group() as group,
    ):
        history = SqliteHistory(database)
        await history.load()
        await group.start(history.run)
        yield Keeping(history, database)
        group.cancel_scope.cancel()
        history.close()
