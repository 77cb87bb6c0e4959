"""Which instances are started, woken and given up (docs/adr/0041)."""

from typing import cast

import pytest

from knlite.controlplane.roster import counted, step_to
from knlite.controlplane.slot import Slot
from knlite.runtime.port import Instance
from knlite.serving.instance import Address, Endpoint, RevisionName
from knlite.serving.levels import InstanceCounts

RUNS = cast("Instance", object())


def slot(what: str) -> Slot:
    made = Slot(what, RevisionName("default", "web-00001"), "web")
    if what in {"ready", "starting", "parking", "draining", "frozen", "incoming"}:
        made.instance = RUNS
    if what == "ready":
        made.endpoint = Endpoint(what, Address("127.0.0.1", 1))
    if what in {"parking", "draining", "frozen", "stopped"}:
        made.turn("freeze" if what == "frozen" else "stop", 0.0)
    made.frozen, made.parking = what == "frozen", what == "parking"
    made.incoming = what == "incoming"
    if what == "retired":
        made.retired.set()
    return made


@pytest.mark.parametrize(
    ("there", "count", "woken", "started", "surplus"),
    [
        pytest.param(["ready"], 2, [], 1, [], id="one more"),
        pytest.param(["ready", "starting", "ready"], 1, [], 0, ["starting", "ready"], id="fewer"),
        pytest.param(
            ["stopped", "frozen", "draining"], 2, ["draining", "frozen"], 0, [], id="running first"
        ),
        pytest.param(["parking"], 1, [], 1, [], id="who takes its time to end is not waited for"),
        pytest.param(["retired", "incoming"], 1, [], 1, [], id="neither counts"),
        pytest.param(["frozen"], 0, [], 0, [], id="at rest already"),
    ],
)
def test_the_step(
    there: list[str], count: int, woken: list[str], started: int, surplus: list[str]
) -> None:
    step = step_to(count, [slot(each) for each in there])
    assert [each.name for each in step.woken] == woken
    assert step.started == started
    assert [each.name for each in step.surplus] == surplus


def test_each_counts_once() -> None:
    there = ["ready", "starting", "coming", "draining", "retired", "frozen", "stopped"]
    assert counted([slot(each) for each in there]) == InstanceCounts(
        ready=1, not_ready=1, pending=1, terminating=2, frozen=1
    )
