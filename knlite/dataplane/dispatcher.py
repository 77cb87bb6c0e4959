"""Brings events from the logs of resources to where their egresses want them.

There is a lane for each egress, so that no slow subscriber delays another one.

Source: Eventing data plane reference §0, §7.
Not here: one lane (``lane.py``), one event of it (``branch.py``).
"""

import random
from typing import Literal

import anyio
from anyio.abc import TaskGroup, TaskStatus

from knlite.clock import Clock
from knlite.dataplane.bearer import NO_TOKENS, Tokens
from knlite.dataplane.branch import Branch, Ways
from knlite.dataplane.eventingress import EventIngress
from knlite.dataplane.lane import Lane
from knlite.dataplane.sender import Sender
from knlite.eventing.topology import ON_SERVERS, Egress, Resource, Topology, kept_from
from knlite.eventlog.port import Cursor, Reader
from knlite.facts import EgressChanged, Publish

_LaneKey = tuple[str, str]
"""The uids of resource and egress."""


class Dispatcher:
    """All lanes of a run."""

    def __init__(
        self,
        ingress: EventIngress,
        sender: Sender,
        clock: Clock,
        publish: Publish,
        draw: random.Random | None = None,
        tokens: Tokens = NO_TOKENS,
    ) -> None:
        self._ingress = ingress
        self._clock = clock
        self._publish = publish
        bits = (draw or random.Random()).getrandbits
        self._ways = Ways(ingress, sender, clock, publish, bits, tokens)
        self._lanes: dict[_LaneKey, tuple[Lane, ...]] = {}
        """The first brings what is for the egress; others what has failed, or is sent again."""
        self._known: set[str] = set()
        self._topology = Topology()
        self._group: TaskGroup | None = None

    def topology_changed(self, topology: Topology) -> None:
        """These are the resources and egresses now."""
        self._topology = kept_from(self._topology, topology)
        if self._group is not None:
            self._adapt(self._group)

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Deliver until cancelled."""
        async with anyio.create_task_group() as self._group:
            self._adapt(self._group)
            task_status.started()
            await anyio.sleep_forever()

    def _adapt(self, group: TaskGroup) -> None:
        wanted: dict[_LaneKey, tuple[Resource, Egress]] = {
            (resource.uid, egress.uid): (resource, egress)
            for resource in self._topology.resources.values()
            for egress in resource.egresses
            if resource.engine not in ON_SERVERS or resource.backing is not None
        }
        for key in self._lanes.keys() - wanted.keys():
            self._end(key)
        self._ingress.topology_changed(self._topology)
        for key, (resource, egress) in wanted.items():
            lanes = self._lanes.get(key)
            if lanes is None:
                self._begin(key, resource, egress, group)
                continue
            before = lanes[0].egress
            if before.filter_spec != egress.filter_spec:
                self._tell(resource, egress)
                self._open(resource, egress)
            elif _reading(before) != _reading(egress):
                self._open(resource, egress)
            for lane in lanes:
                lane.replan(resource, egress)
            self._complete(key, resource, egress, group)
        self._known = {resource.uid for resource in self._topology.resources.values()}

    def _begin(self, key: _LaneKey, resource: Resource, egress: Egress, group: TaskGroup) -> None:
        self._tell(resource, egress)
        lane = Lane(resource, egress, self._open(resource, egress), self._ways)
        self._start(key, lane, group)
        beside = self._ingress.inbox_of(resource.key).beside
        if beside is not None:
            cursor = beside.open(_reader(egress), "end")
            self._start(key, Lane(resource, egress, cursor, self._ways, meets=False), group)
        self._complete(key, resource, egress, group)

    def _complete(
        self, key: _LaneKey, resource: Resource, egress: Egress, group: TaskGroup
    ) -> None:
        """Have dead letters brought, if some are kept."""
        cursor = self._ingress.inbox_of(resource.key).log.dead_letters(_reader(egress))
        for lane in self._lanes[key]:
            lane.buries = cursor is not None
        if cursor is not None and all(lane.cursor is not cursor for lane in self._lanes[key]):
            lane = Lane(resource, egress, cursor, self._ways, Branch.dead)
            self._start(key, lane, group)

    def _start(self, key: _LaneKey, lane: Lane, group: TaskGroup) -> None:
        self._lanes[key] = (*self._lanes.get(key, ()), lane)
        group.start_soon(lane.run, name=f"lane of {lane.egress.kind} {lane.egress.name}")

    def _open(self, resource: Resource, egress: Egress) -> Cursor:
        # Egresses that come with their resource see all that it ever takes.
        at: Literal["start", "end"] = "end" if resource.uid in self._known else "start"
        return self._ingress.inbox_of(resource.key).log.open(_reader(egress), at)

    def _end(self, key: _LaneKey) -> None:
        """An egress is gone, and so is what was on its way."""
        lanes = self._lanes.pop(key)
        for lane in lanes:
            lane.scope.cancel()
        resource, egress = lanes[0].resource, lanes[0].egress
        inbox = self._ingress.inbox_of(resource.key)
        inbox.log.close(egress.uid)
        if inbox.beside is not None:
            inbox.beside.close(egress.uid)
        self._tell(resource, egress, gone=True)

    def _tell(self, resource: Resource, egress: Egress, *, gone: bool = False) -> None:
        self._publish(
            EgressChanged(
                at=self._clock.wall(),
                since=self._ingress.last_arrival,
                kind=resource.kind,
                namespace=resource.namespace,
                name=resource.name,
                resource_uid=resource.uid,
                egress_kind=egress.kind,
                egress_namespace=egress.namespace,
                egress_name=egress.name,
                egress_uid=egress.uid,
                filter_spec=egress.filter_spec,
                gone=gone,
            )
        )


def _reading(egress: Egress) -> tuple[object, ...]:
    """What of *egress* its log must know anew, beside its filter."""
    return (
        egress.reader,
        egress.ordered,
        egress.parallelism,
        egress.prefetch,
        egress.own_dead_letters,
    )


def _reader(egress: Egress) -> Reader:
    """*egress* as the log of its resource knows it."""
    return Reader(
        egress.uid,
        egress.reader,
        egress.filter,
        egress.attributes,
        egress.ordered,
        egress.parallelism,
        egress.own_dead_letters,
        egress.prefetch,
    )
