"""The log of a resource whose engine cannot be used: it takes nothing, and nobody gets anything."""

from collections.abc import Collection, Hashable
from datetime import datetime
from typing import Literal

import anyio
from anyio.abc import TaskStatus

from knlite.clock import Clock
from knlite.errors import Unavailable
from knlite.eventing.cloudevent import CloudEvent
from knlite.eventlog.extras import installing
from knlite.eventlog.port import Cursor, EventLog, Owner, Reader, Record, Taken
from knlite.facts import LogStanding, Notice, Publish


class ExtraNotInstalled:
    """Implements ``port.Engine`` in place of one whose client library is not there, or broken."""

    newest = 0

    def __init__(self, extra: str, cause: str, publish: Publish, clock: Clock) -> None:
        self._cause = cause
        self._fix = f"{installing(extra)}, and start knlite again"
        self._publish = publish
        self._clock = clock
        self._told = set[str]()
        self._noticed = False

    def log(self, resource: Owner, readers: Collection[str]) -> EventLog:
        if resource.uid not in self._told:
            self._told.add(resource.uid)
            self._tell(resource, self._clock.wall())
        what = f"{resource.kind} {resource.namespace}/{resource.name} cannot keep events"
        return AbsentLog(Unavailable(what, cause=self._cause, fix=self._fix))

    def _tell(self, resource: Owner, at: datetime) -> None:
        self._publish(
            LogStanding(
                at=at,
                kind=resource.kind,
                namespace=resource.namespace,
                name=resource.name,
                resource_uid=resource.uid,
                ready=False,
                reason="ExtraNotInstalled",
                message=f"{self._cause}; run: {self._fix}",
            )
        )
        if self._noticed:
            # What the first one waits for, the others wait for too: their conditions say so.
            return
        self._noticed = True
        who = f"{resource.kind} {resource.namespace}/{resource.name}"
        text = f"{who} waits: {self._cause}; run: {self._fix}"
        self._publish(Notice(at=at, level="warning", text=text))

    def forget(self, uid: str) -> None:
        self._told.discard(uid)

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """There is nothing to do beside."""
        task_status.started()


class AbsentLog:
    """Implements ``port.EventLog``."""

    def __init__(self, why: Unavailable) -> None:
        self._why = why

    async def append(self, record: Record) -> tuple[str, ...]:
        raise Unavailable(self._why.what, cause=self._why.cause, fix=self._why.fix)

    def open(self, reader: Reader, at: Literal["start", "end"]) -> Cursor:
        return _Cursor()

    def dead_letters(self, reader: Reader) -> None:
        """There are none."""

    def close(self, reader: str) -> None:
        """There is nobody."""


class _Cursor:
    orders = 1

    def take(self) -> Taken | None:
        return None

    def done(self, position: Hashable) -> None:
        """Nothing has been taken."""

    def failed(self, position: Hashable) -> None:
        self.done(position)

    async def wait(self) -> None:
        await anyio.sleep_forever()

    async def bury(self, position: Hashable, dead_letter: CloudEvent) -> bool:
        return False
