"""Who publishes waits for the server that there is now, and for no other."""

import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import anyio
import pytest

pytest.importorskip("aiormq", reason="the extra rabbitmq is not installed")

from knlite.clock import LoopClock
from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.rabbitmq.backing import RabbitmqBacking, RabbitmqServer
from knlite.eventing.rabbitmq.codec import Beside
from knlite.eventlog.rabbitmq.around import Around
from knlite.eventlog.rabbitmq.exchange import Exchange, Up
from knlite.eventlog.rabbitmq.link import Link, Session
from tests.flows.cell import on_virtual_time

SERVER = RabbitmqServer(host="127.0.0.1", password="p")
BACKING = RabbitmqBacking(server=SERVER, exchange="b", uid="uid")
EVENT = CloudEvent({"specversion": "1.0", "id": "1", "source": "/s", "type": "t"})


@dataclass(frozen=True)
class Owner:
    backing: RabbitmqBacking = BACKING
    kind: str = "Broker"
    namespace: str = "default"
    name: str = "main"
    uid: str = "uid"


@dataclass(frozen=True)
class Blocked:
    """A connection whose server takes nothing."""

    blocked: str = "low on memory"


@on_virtual_time
async def test_a_server_that_is_left_while_it_takes_nothing_stops_nobody() -> None:
    clock, draw = LoopClock(datetime(2026, 1, 2, tzinfo=UTC)), random.Random(1)
    around = Around([].append, clock, draw, "run")
    wire: Any = Blocked()
    link = Link(SERVER, clock, draw)
    link.session = Session(wire, wire)
    exchange = Exchange(around, Owner(), BACKING, link, lambda: None)
    publisher: Any = None
    exchange.up = Up(link.session, publisher)
    other = replace(SERVER, username="other")
    exchange.rebase(replace(BACKING, server=other), Link(other, clock, draw))
    with anyio.move_on_after(1) as waited:
        await exchange.publish("b", "", EVENT, Beside())
    assert waited.cancelled_caught
