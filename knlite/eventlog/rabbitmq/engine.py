"""The engine over RabbitMQ servers: their connections, and the logs of the resources on them.

Source: ADR 0034; Eventing data plane reference §7, §9.3, §9.4.
"""

import logging
import random
from collections.abc import Collection
from contextlib import suppress

import anyio
from anyio.abc import TaskGroup, TaskStatus

from knlite.clock import Clock
from knlite.eventing.rabbitmq.backing import RabbitmqBacking, RabbitmqServer
from knlite.eventlog.port import EventLog, Owner
from knlite.eventlog.rabbitmq.around import Around
from knlite.eventlog.rabbitmq.link import Link
from knlite.eventlog.rabbitmq.log import RabbitmqLog
from knlite.facts import Publish

_GOODBYE = 2.0
"""Seconds at the end for what is being deleted."""

# What it complains of is told by us, once and with what to do about it.
logging.getLogger("aiormq").setLevel(logging.CRITICAL + 1)


class RabbitmqEngine:
    """Implements ``port.Engine``."""

    newest = 0

    def __init__(self, publish: Publish, clock: Clock, draw: random.Random) -> None:
        run = f"{draw.getrandbits(64):016x}"
        self._around = Around(publish, clock, draw, run)
        self._links: dict[RabbitmqServer, Link] = {}
        self._logs: dict[str, RabbitmqLog] = {}
        """By uid."""
        self._dying = list[RabbitmqLog]()
        """Being deleted on their servers."""
        self._working: TaskGroup | None = None
        self._connecting: TaskGroup | None = None

    def log(self, resource: Owner, readers: Collection[str]) -> EventLog:
        backing = resource.backing
        assert isinstance(backing, RabbitmqBacking)
        link = self._link(backing.server)
        log = self._logs.get(resource.uid)
        if log is None:
            log = self._logs[resource.uid] = RabbitmqLog(self._around, resource, backing, link)
            log.after = self._predecessor(backing)
            if self._working is not None:
                self._working.start_soon(self._run, log)
        elif log.backing != backing:
            log.rebase(backing, link)
            self._let_go()
        return log

    def forget(self, uid: str) -> None:
        log = self._logs.pop(uid, None)
        if log is not None:
            self._dying.append(log)
            log.doom()

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Work until cancelled; connections end last."""
        async with anyio.create_task_group() as group:
            scope = await group.start(self._connect)
            try:
                async with anyio.create_task_group() as self._working:
                    for log in (*self._logs.values(), *self._dying):
                        self._working.start_soon(self._run, log)
                    task_status.started()
                    await anyio.sleep_forever()
            finally:
                self._working = None
                scope.cancel()

    async def _connect(
        self, *, task_status: TaskStatus[anyio.CancelScope] = anyio.TASK_STATUS_IGNORED
    ) -> None:
        with anyio.CancelScope(shield=True) as scope:
            async with anyio.create_task_group() as self._connecting:
                for link in self._links.values():
                    self._connecting.start_soon(link.run)
                task_status.started(scope)
                await anyio.sleep_forever()

    async def _run(self, log: RabbitmqLog) -> None:
        try:
            await log.run()
        finally:
            # Who ends a run right after a Broker was deleted leaves nothing behind.
            with anyio.move_on_after(_GOODBYE, shield=True), suppress(Exception):
                await log.end()
            if log in self._dying:
                self._dying.remove(log)
            self._let_go()

    def _link(self, server: RabbitmqServer) -> Link:
        link = self._links.get(server)
        if link is None:
            around = self._around
            link = self._links[server] = Link(server, around.clock, around.draw)
            if self._connecting is not None:
                self._connecting.start_soon(link.run)
        return link

    def _let_go(self) -> None:
        """End connections that nobody uses."""
        for server, link in tuple(self._links.items()):
            if not link.users:
                del self._links[server]
                link.scope.cancel()

    def _predecessor(self, backing: RabbitmqBacking) -> RabbitmqLog | None:
        """One that is being deleted under the same names: they hold no uid that is new each time
        where there is no folder for what must be remembered."""
        for log in self._dying:
            old = log.backing
            same = (old.server, old.exchange, old.queue) == (
                backing.server,
                backing.exchange,
                backing.queue,
            )
            if same:
                return log
        return None
