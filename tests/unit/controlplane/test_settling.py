"""When a run has done what it was told, on virtual time."""

from datetime import UTC, datetime

import pytest

from knlite.clock import LoopClock
from knlite.controlplane.readiness import Undecided
from knlite.controlplane.settling import Settling
from knlite.kinds.conditions import Condition
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.serving.service import Service, ServiceStatus
from knlite.registry.registry import Notification
from tests.flows.cell import on_virtual_time


class Busy:
    """A part that is settled when a test says so."""

    settled = False


def service(name: str, status: str) -> Service:
    ready = Condition(type="Ready", status=status, reason="Deploying")
    return Service(
        metadata=ObjectMeta(name=name, namespace="default"),
        status=ServiceStatus(conditions=(ready,)),
    )


@on_virtual_time
async def test_what_is_waited_for_is_said_once_in_words() -> None:
    undecided = Undecided()
    settling = Settling(undecided, LoopClock(datetime(2026, 1, 2, tzinfo=UTC)))
    one, other = Busy(), Busy()
    for part in (one, other):
        settling.ask(part, "changes are being worked on")
    undecided.note(Notification("added", service("web", "Unknown"), None))
    assert settling.unsettled() == [
        "Service default/web: Deploying",
        "nothing has been applied yet",
        "changes are being worked on",
    ]
    undecided.note(Notification("modified", service("web", "True"), None))
    settling.applied()
    one.settled = other.settled = True
    assert settling.unsettled() == []


@on_virtual_time
async def test_patience_begins_anew_with_each_object_that_is_decided() -> None:
    clock = LoopClock(datetime(2026, 1, 2, tzinfo=UTC))
    undecided = Undecided()
    settling = Settling(undecided, clock)
    settling.applied()
    for name in ("one", "two"):
        undecided.note(Notification("added", service(name, "Unknown"), None))
    decided = Notification("modified", service("one", "False"), None)
    clock.call_at(8.0, lambda: undecided.note(decided))
    await settling.wait(10.0)
    assert clock.now() == pytest.approx(18.0, abs=0.1)
    assert len(undecided) == 1
