"""The event log in Kafka: what is in it outlives knlite, and others can read and write it too.

Source: Eventing data plane reference §9, §7; ADR 0035.
"""

import random
from collections.abc import Collection

import anyio
from anyio.abc import TaskGroup, TaskStatus

from knlite.clock import Clock
from knlite.eventing.kafka.backing import KafkaBacking, KafkaServer
from knlite.eventlog.kafka.log import KafkaLog
from knlite.eventlog.kafka.server import Server
from knlite.eventlog.kafka.surroundings import Surroundings, Work
from knlite.eventlog.port import EventLog, Owner
from knlite.facts import Publish


class KafkaEngine:
    """Implements ``port.Engine``."""

    newest = 0

    def __init__(self, publish: Publish, clock: Clock, draw: random.Random) -> None:
        self._clock = clock
        self._draw = draw
        self._logs: dict[str, KafkaLog] = {}
        self._servers: dict[KafkaServer, Server] = {}
        self._group: TaskGroup | None = None
        self._todo: list[Work] = []
        """What was asked for before ``run``."""
        self._around = Surroundings(
            run=f"{draw.getrandbits(64):016x}",
            publish=publish,
            clock=clock,
            draw=draw,
            start=self._start,
        )

    def log(self, resource: Owner, readers: Collection[str]) -> EventLog:
        log = self._logs.get(resource.uid)
        if log is None:
            log = self._logs[resource.uid] = KafkaLog(resource, self._around)
        backing = resource.backing
        if isinstance(backing, KafkaBacking) and (
            log.place is None or backing != log.place.backing
        ):
            log.kept_at(backing, self._server(backing.server))
            self._sweep()
        return log

    def forget(self, uid: str) -> None:
        log = self._logs.pop(uid, None)
        if log is not None:
            log.forget()
            self._sweep()

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        async with anyio.create_task_group() as group:
            self._group = group
            for work in self._todo:
                group.start_soon(self._do, work)
            self._todo.clear()
            task_status.started()
            await anyio.sleep_forever()

    def _start(self, work: Work) -> None:
        if self._group is None:
            self._todo.append(work)
        else:
            self._group.start_soon(self._do, work)

    async def _do(self, work: Work) -> None:
        await work()
        # It may have been the last that there was to do at a server.
        self._sweep()

    def _server(self, wanted: KafkaServer) -> Server:
        server = self._servers.get(wanted)
        if server is None:
            server = self._servers[wanted] = Server(wanted, self._clock, self._draw)
            self._start(server.run)
        return server

    def _sweep(self) -> None:
        """Leave servers that nothing is kept at any more, and nothing is to be deleted from."""
        used = {id(log.place.server) for log in self._logs.values() if log.place is not None}
        for wanted, server in tuple(self._servers.items()):
            if id(server) not in used and not server.leaving:
                del self._servers[wanted]
                server.scope.cancel()
