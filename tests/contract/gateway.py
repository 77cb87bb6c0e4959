"""A gateway with one revision on real sockets, and what it tells."""

import random
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio

from knlite.clock import Clock, SystemClock
from knlite.dataplane.activator import Activator
from knlite.dataplane.eventingress import EventIngress
from knlite.dataplane.gateway import Gateway
from knlite.dataplane.wire.limits import Limits
from knlite.facts import Fact
from knlite.kinds.serving.ingress import Ingress, IngressSpec, Rule, Split
from knlite.serving.instance import Address, Endpoint, RevisionName, RevisionSettings, Sample
from knlite.serving.routingtable import routing_table

WEB = RevisionName("default", "web-00001")
HOSTS = ("web.default.localhost", "web.default.svc.cluster.local")


@dataclass
class Gate:
    """A running gateway."""

    activator: Activator
    clock: Clock
    address: Address
    facts: list[Fact]
    waits: list[RevisionName] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)

    def demand(self, revision: RevisionName, sample: Sample) -> None:
        self.samples.append(sample)

    def waiting(self, revision: RevisionName) -> None:
        self.waits.append(revision)

    def endpoints(self, *addresses: Address) -> None:
        """These are the instances now."""
        self.activator.endpoints_changed(
            WEB, [Endpoint(f"i{number}", each) for number, each in enumerate(addresses)]
        )


@asynccontextmanager
async def gate(limits: Limits | None = None, **settings: Any) -> AsyncIterator[Gate]:
    """A gateway for one revision with *settings*, and no instance yet."""
    clock, facts, draw = SystemClock(), list[Fact](), random.Random(1)
    activator = Activator(clock, facts.append, draw)
    gateway = Gateway(
        activator, EventIngress(clock, facts.append, {}), draw, limits, complain=print
    )
    split = Split(service_namespace="default", service_name=WEB.name, percent=100)
    ingress = Ingress(spec=IngressSpec(rules=(Rule(hosts=HOSTS, splits=(split,)),)))
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setblocking(False)
    gateway.routes_changed(routing_table([ingress], {}, {}, []), ())
    found = Gate(activator, clock, Address(*listening.getsockname()), facts)
    activator.report_to(found)
    activator.settings_changed(WEB, RevisionSettings(service="web", **settings))
    async with anyio.create_task_group() as group:
        await group.start(activator.run)
        await group.start(gateway.run, [listening])
        yield found
        group.cancel_scope.cancel()


async def until(condition: Callable[[], object]) -> None:
    """Wait for *condition*."""
    with anyio.fail_after(10):
        while True:
            try:
                if condition():
                    return
            except AssertionError:
                pass
            await anyio.sleep(0.001)
