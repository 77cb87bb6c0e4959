"""Sends the events of PingSources when they are due.

It sleeps until the next one is due, and wakes when the plans change. The clock that it sleeps by
stands still while the machine does, so it looks at the time of day now and then. Ticks that were
due while the machine slept are not made up for, but for one.

Differs: upstream adds up to half a second by chance, so that thousands of sources do not send at
once; here an event goes out on the second.

Source: knative/eventing ``pkg/adapter/mtping/runner.go``; Eventing reference §9.
Not here: schedules (``kinds/schedule.py``), sending (``outbound.py``).
"""

import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

import anyio
from anyio.abc import TaskGroup, TaskStatus

from knlite.clock import Clock
from knlite.dataplane.sources.outbound import Outbound
from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.sources import Outlet, PingPlan

AT_ONCE: Final = 100
"""Events of one PingSource that may be on their way; what is due beyond that is given up."""

LONGEST: Final = 60.0
"""Seconds of one sleep: how late a tick may be after the machine has slept, or was set."""


def random_id() -> str:
    """An event's id."""
    return str(uuid.uuid4())


class PingAdapter:
    """All PingSources of a run."""

    def __init__(
        self, outbound: Outbound, clock: Clock, new_id: Callable[[], str] = random_id
    ) -> None:
        self._outbound = outbound
        self._clock = clock
        self._new_id = new_id
        self._plans: dict[str, PingPlan] = {}
        self._due: dict[str, datetime] = {}
        """The next tick of each source by uid; those that will never be due are missing."""
        self._underway: Counter[str] = Counter()
        self._changed = anyio.Event()

    def pings_changed(self, plans: Iterable[PingPlan]) -> None:
        """These are the sources that send now."""
        before, self._plans = self._plans, {plan.outlet.uid: plan for plan in plans}
        for uid in before.keys() - self._plans.keys():
            self._due.pop(uid, None)
        for uid, plan in self._plans.items():
            known = before.get(uid)
            if known is None or known.schedule != plan.schedule:
                self._schedule(uid, plan)
        self._changed.set()

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Send until cancelled."""
        async with anyio.create_task_group() as group:
            task_status.started()
            while True:
                self._changed = anyio.Event()
                self._tick(group)
                await self._pause()

    def _schedule(self, uid: str, plan: PingPlan) -> None:
        due = plan.schedule.next_after(self._clock.wall())
        if due is None:
            self._due.pop(uid, None)
        else:
            self._due[uid] = due

    def _tick(self, group: TaskGroup) -> None:
        """Start to send what is due, and find out when it is next."""
        now = self._clock.wall()
        for uid, due in tuple(self._due.items()):
            if due <= now:
                plan = self._plans[uid]
                self._schedule(uid, plan)
                self._send(plan, now, group)

    def _send(self, plan: PingPlan, now: datetime, group: TaskGroup) -> None:
        event = plan.event(self._new_id(), now)
        if self._underway[plan.outlet.uid] >= AT_ONCE:
            why = f"{AT_ONCE} events of this source are still on their way"
            self._outbound.tell(plan.outlet, event, 0, 0, why)
            return
        self._underway[plan.outlet.uid] += 1
        group.start_soon(self._deliver, plan.outlet, event)

    async def _deliver(self, outlet: Outlet, event: CloudEvent) -> None:
        try:
            await self._outbound.deliver(outlet, event)
        finally:
            self._underway[outlet.uid] -= 1
            if not self._underway[outlet.uid]:
                del self._underway[outlet.uid]

    async def _pause(self) -> None:
        """Wait for the next tick, or for a change of plans."""
        if not self._due:
            await self._changed.wait()
            return
        left = (min(self._due.values()) - self._clock.wall()).total_seconds()
        timer = self._clock.call_at(self._clock.now() + min(left, LONGEST), self._changed.set)
        try:
            await self._changed.wait()
        finally:
            timer.cancel()
