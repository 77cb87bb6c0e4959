"""What a server is told of messages (``knlite/eventlog/rabbitmq/acks.py``)."""

import struct
from typing import cast

import pytest

pytest.importorskip("aiormq", reason="the extra rabbitmq is not installed")

from knlite.eventing.cloudevent import CloudEvent
from knlite.eventlog.port import Record
from knlite.eventlog.rabbitmq.acks import Acks
from knlite.eventlog.rabbitmq.cursor import Entry, Giver
from knlite.eventlog.rabbitmq.hand import Hand
from knlite.eventlog.rabbitmq.wire import Wire


class Wired:
    """Implements what is needed of ``Wire``."""

    def __init__(self) -> None:
        self.told: list[tuple[int, bool]] = []
        """Tags, and whether of all before."""

    def send(self, payload: bytes) -> None:
        tag, multiple = struct.unpack(">QB", payload[11:20])
        self.told.append((tag, bool(multiple)))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def wire() -> Wired:
    return Wired()


def hand_with(*tags: int) -> Hand:
    hand = Hand()
    for tag in tags:
        record = Record(CloudEvent({}), 1)
        hand.hold(Entry(cast(Giver, None), tag, record, "", again=False), tag)
    return hand


async def told(wire: Wired, hand: Hand, *done: int, leaves: bool = False) -> list[tuple[int, bool]]:
    acks = Acks(cast(Wire, wire), 1, hand)
    if leaves:
        acks.leave()
    for tag in done:
        acks.done(tag)
    assert not wire.told
    acks.flush()
    acks.flush()
    return wire.told


async def test_all_that_is_done_is_told_at_once(wire: Wired) -> None:
    assert await told(wire, hand_with(), 3, 1, 2) == [(3, True)]


async def test_nothing_that_is_in_hand_is_told_with_it(wire: Wired) -> None:
    assert await told(wire, hand_with(3, 6), 2, 4, 1, 7) == [(2, True), (4, False), (7, False)]


async def test_nothing_that_is_in_nobodys_hand_is_told_with_it(wire: Wired) -> None:
    assert await told(wire, hand_with(), 2, 4, leaves=True) == [(2, False), (4, False)]
