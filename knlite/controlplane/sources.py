"""Tells the data plane what sources send, and watches objects on behalf of ApiServerSources.

What exists when a source begins is no change, and sends nothing; nor does what happens while a
source is not ready. Changes of one kind go out one after another, so that their order is kept.

Source: knative/eventing ``pkg/adapter/apiserver/adapter.go``; Eventing reference §10.
Not here: which event a change is (``eventing/apichanges.py``), sending it
(``dataplane/sources/outbound.py``).
"""

import uuid
from collections.abc import Callable, Iterable
from typing import Protocol

import anyio
import msgspec
from anyio.abc import TaskGroup, TaskStatus

from knlite.clock import Clock
from knlite.errors import Expired
from knlite.eventing.apichanges import ApiServerPlan, Watching, apiserver_plans
from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.filters.filter import Filter
from knlite.eventing.sources import Outlet, PingPlan, ping_plans
from knlite.facts import Notice, Publish
from knlite.kinds.conditions import is_true
from knlite.kinds.sources.apiserversource import ApiServerSource
from knlite.kinds.sources.pingsource import PingSource
from knlite.registry.registry import Notification, Registry
from knlite.registry.watch import WatchEvent


class PingListener(Protocol):
    """Who sends the events of PingSources."""

    def pings_changed(self, plans: Iterable[PingPlan]) -> None:
        """These are the sources that send now."""
        ...


class Delivery(Protocol):
    """Who hands one event to a sink."""

    async def deliver(self, outlet: Outlet, event: CloudEvent) -> None:
        """Returns when *event* is taken or given up; never raises for that."""
        ...


class Sources:
    """The sources in one registry."""

    def __init__(
        self,
        registry: Registry,
        clock: Clock,
        publish: Publish,
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
    ) -> None:
        self._registry = registry
        self._clock = clock
        self._publish = publish
        self._new_id = new_id
        self._pings: PingListener | None = None
        self._delivery: Delivery | None = None
        self._lanes: dict[tuple[str, bytes], _Lane] = {}
        """One for each thing that a source watches, by the source's uid and what it is."""
        self._stale = {PingSource, ApiServerSource}
        self._begins: dict[str, int] = {}
        """What had changed last when an ApiServerSource became ready or was edited, by its uid."""
        self._work = anyio.Event()

    @property
    def settled(self) -> bool:
        """Whether the data plane knows all sources."""
        return not self._stale

    def report_to(self, pings: PingListener, delivery: Delivery) -> None:
        """Send through these; to be called before ``run``."""
        self._pings, self._delivery = pings, delivery

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Watch until cancelled."""
        with self._registry.listening(self._note):
            async with anyio.create_task_group() as group:
                task_status.started()
                while True:
                    self._work = anyio.Event()
                    self._push(group)
                    await self._work.wait()
                    # One turn, so that a batch of changes is one.
                    await self._clock.sleep_until(self._clock.now())

    def _note(self, notification: Notification) -> None:
        match notification.obj:
            case PingSource():
                self._stale.add(PingSource)
            case ApiServerSource() as source:
                self._stale.add(ApiServerSource)
                # Who sees that it is ready may change something before the next push.
                if is_true(source.status.conditions):
                    self._begins.setdefault(source.metadata.uid, self._registry.version)
                else:
                    self._begins.pop(source.metadata.uid, None)
            case _:
                return
        self._work.set()

    def _push(self, group: TaskGroup) -> None:
        stale, self._stale = self._stale, set()
        view = self._registry.view
        if PingSource in stale and self._pings is not None:
            self._pings.pings_changed(ping_plans(view))
        if ApiServerSource in stale and self._delivery is not None:
            self._adapt(apiserver_plans(view), self._delivery, group)

    def _adapt(self, plans: Iterable[ApiServerPlan], delivery: Delivery, group: TaskGroup) -> None:
        """Begin to watch what is new; what is watched already goes on under its new plan."""
        wanted = {
            (plan.outlet.uid, _identity(each)): (plan, each)
            for plan in plans
            for each in plan.watching
        }
        for key in self._lanes.keys() - wanted.keys():
            self._lanes.pop(key).scope.cancel()
        for key, (plan, watching) in wanted.items():
            lane = self._lanes.get(key)
            if lane is not None:
                lane.plan, lane.filter = plan, plan.filter()
                continue
            since = self._begins.get(plan.outlet.uid, self._registry.version)
            lane = self._lanes[key] = _Lane(plan, watching, since)
            group.start_soon(self._watch, lane, delivery, name=f"source {plan.outlet.name}")
        self._begins.clear()

    async def _watch(self, lane: "_Lane", delivery: Delivery) -> None:
        with lane.scope:
            while True:
                try:
                    found = self._registry.watch(
                        lane.watching.info.key_type,
                        lane.watching.namespace,
                        since=lane.since,
                        predicate=lane.watching.selects,
                    )
                    while True:
                        for event in await found.changes():
                            await self._send(lane, event, delivery)
                except Expired:
                    self._lose(lane)

    async def _send(self, lane: "_Lane", change: WatchEvent, delivery: Delivery) -> None:
        info, now = lane.watching.info, self._clock.wall()
        event = lane.plan.event(info, change.type, change.obj, self._new_id(), now)
        if event is not None and lane.filter.passes(event):
            await delivery.deliver(lane.plan.outlet, event)

    def _lose(self, lane: "_Lane") -> None:
        """Go on with what happens from now on: more has happened than is kept."""
        lane.since = self._registry.version
        outlet = lane.plan.outlet
        text = (
            f"{outlet.kind} {outlet.namespace}/{outlet.name} has missed changes of"
            f" {lane.watching.info.plural}: its sink {outlet.sink} is too slow for them"
        )
        self._publish(Notice(at=self._clock.wall(), level="warning", text=text))


class _Lane:
    """One thing that a source watches, and how far it has come."""

    def __init__(self, plan: ApiServerPlan, watching: Watching, since: int) -> None:
        self.plan = plan
        self.watching = watching
        self.filter: Filter = plan.filter()
        self.since = since
        self.scope = anyio.CancelScope()


def _identity(watching: Watching) -> bytes:
    """What tells *watching* from others."""
    info = watching.info
    return msgspec.json.encode(
        (info.api_version, info.kind, watching.namespace, watching.selector),
        order="deterministic",
    )
