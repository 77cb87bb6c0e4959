"""One egress at work: takes what the log has for it, and delivers several events at a time.

Events are brought by workers, each with one event from beginning to end, so that one that waits for
its next attempt holds up no other. A worker that takes an event sees to it that another one waits
for the next; so there are as many as the load needs, and a busy egress makes no task for an event.

Source: Eventing data plane reference §7 (order and flow).
"""

from collections.abc import Awaitable, Callable

import anyio
from anyio.abc import TaskGroup

from knlite.dataplane.branch import Branch, Ways
from knlite.eventing.topology import Egress, Resource
from knlite.eventlog.port import Cursor, Taken
from knlite.facts import DeliveryAttempted, Notice

SPARE = 32
"""Workers that wait for an event at most; one that is needed again later costs a new task."""


Bring = Callable[[Branch], Awaitable[bool]]
"""What is done with an event: ``Branch.run``, or ``Branch.dead`` for those that have failed."""


class Lane:
    """Implements ``branch.Lane``."""

    def __init__(
        self,
        resource: Resource,
        egress: Egress,
        cursor: Cursor,
        ways: Ways,
        bring: Bring = Branch.run,
        *,
        meets: bool = True,
    ) -> None:
        """*meets*: its events may be new to this run."""
        self.resource = resource
        self.egress = egress
        self.scope = anyio.CancelScope()
        """Cancelled when the egress is gone."""
        self.cursor = cursor
        self.buries = False
        self._key = resource.key
        self._bring = bring
        self._meets = meets
        self._ways = ways
        self._changed = anyio.Event()
        self._name = f"{egress.kind} {egress.name}"
        self._group: TaskGroup | None = None
        self._busy = 0
        self._waiting = 0
        """Workers that bring an event, and that wait for one."""

    def replan(self, resource: Resource, egress: Egress) -> None:
        """Go on as these say."""
        changed = _targets(egress) != _targets(self.egress)
        self.resource, self.egress = resource, egress
        if changed:
            self._changed.set()
            self._changed = anyio.Event()
        if self._group is not None:
            self._have_one_wait(self._group)

    async def subscribed(self) -> Egress:
        while self.egress.subscriber is None and self.egress.has_subscriber:
            await self._changed.wait()
        return self.egress

    async def sinking(self) -> Egress:
        while self.egress.dead_letter_sink is None:
            await self._changed.wait()
        return self.egress

    async def run(self) -> None:
        """Deliver until the egress is gone."""
        with self.scope:
            async with anyio.create_task_group() as self._group:
                self._have_one_wait(self._group)

    def _have_one_wait(self, group: TaskGroup) -> None:
        """See to it that somebody takes the next event, if one more may be in hand."""
        if not self._waiting and self._busy < self._at_once():
            group.start_soon(self._work, group, name=self._name)

    async def _work(self, group: TaskGroup) -> None:
        cursor = self.cursor
        # Beyond the limit (it has been lowered) somebody is busy, and goes on with what is next.
        while self._busy < self._at_once():
            taken = cursor.take()
            if taken is None:
                if self._waiting == SPARE:
                    break
                self._waiting += 1
                try:
                    await cursor.wait()
                finally:
                    self._waiting -= 1
                continue
            self._busy += 1
            self._have_one_wait(group)
            reached = False
            try:
                if self._meets:
                    self._ways.ingress.met(self._key, self.egress.uid, taken)
                reached = await self._bring(Branch(self, taken, self._ways))
            except Exception as exc:  # noqa: BLE001  one event must not stop the platform
                self._confess(taken, exc)
            # Not in a finally: what is cut off halfway is not done with.
            self._busy -= 1
            (cursor.done if reached else cursor.failed)(taken.position)

    def _confess(self, taken: Taken, exc: Exception) -> None:
        ways, event = self._ways, taken.record.event
        text = f"{self._name}: event {event.id} was given up: {type(exc).__name__}: {exc}"
        ways.publish(Notice(at=ways.clock.wall(), level="error", text=text))
        resource, egress = self.resource, self.egress
        # Its story has to end too.
        ways.publish(
            DeliveryAttempted(
                at=ways.clock.wall(),
                kind=resource.kind,
                namespace=resource.namespace,
                name=resource.name,
                egress_kind=egress.kind,
                egress_namespace=egress.namespace,
                egress_name=egress.name,
                egress_uid=egress.uid,
                arrival=taken.record.arrival,
                event_id=event.id,
                event_type=event.type,
                leg="subscriber",
                target=egress.subscriber or "",
                attempt=0,
                status=0,
                outcome="failed",
                why=f"knlite has a bug that this event has met: {type(exc).__name__}: {exc}",
                ended=True,
            )
        )

    def _at_once(self) -> int:
        return self.cursor.orders if self.egress.ordered else self.egress.parallelism


def _targets(egress: Egress) -> tuple[str | None, bool, str | None]:
    return egress.subscriber, egress.has_subscriber, egress.dead_letter_sink
