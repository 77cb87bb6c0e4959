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
from knlite.dataplane.branch import Ways
from knlite.dataplane.eventingress import EventIngress
from knlite.dataplane.lane import Lane
from knlite.dataplane.sender import Sender
from knlite.eventing.topology import Egress, Resource, Topology
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
        self._lanes: dict[_LaneKey, Lane] = {}
        self._known: set[str] = set()
        self._topology = Topology()
        self._group: TaskGroup | None = None

    def topology_changed(self, topology: Topology) -> None:
        """These are the resources and egresses now."""
        self._topology = topology
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
        }
        for key in self._lanes.keys() - wanted.keys():
            self._end(key)
        self._ingress.topology_changed(self._topology)
        for key, (resource, egress) in wanted.items():
            lane = self._lanes.get(key)
            if lane is None:
                self._begin(key, resource, egress, group)
                continue
            if lane.egress.filter_spec != egress.filter_spec:
                self._open(resource, egress)
            lane.replan(resource, egress)
        self._known = {resource.uid for resource in self._topology.resources.values()}

    def _begin(self, key: _LaneKey, resource: Resource, egress: Egress, group: TaskGroup) -> None:
        cursor = self._open(resource, egress)
        lane = self._lanes[key] = Lane(resource, egress, cursor, self._ways)
        group.start_soon(lane.run, name=f"lane of {egress.kind} {egress.name}")

    def _open(self, resource: Resource, egress: Egress) -> Cursor:
        # Egresses that come with their resource see all that it ever takes.
        at: Literal["start", "end"] = "end" if resource.uid in self._known else "start"
        self._tell(resource, egress)
        return self._ingress.log_of(resource.key).open(reader_of(egress), at)

    def _end(self, key: _LaneKey) -> None:
        """An egress is gone, and so is what was on its way."""
        lane = self._lanes.pop(key)
        lane.scope.cancel()
        self._ingress.log_of(lane.resource.key).close(lane.egress.uid)
        self._tell(lane.resource, lane.egress, gone=True)

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


def reader_of(egress: Egress) -> Reader:
    """*egress* as the log of its resource knows it."""
    return Reader(
        egress.uid,
        egress.reader,
        egress.filter,
        egress.attributes,
        egress.ordered,
        egress.parallelism,
        egress.own_dead_letters,
    )
