"""Requests, scaling to zero and crashes in any order and at any moment: no request is lost.

The requests stand where the data plane stands. Instances take time to be frozen and thawed, so that
every step may fall into the middle of another one.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from knlite.errors import Conflict
from knlite.runtime.fake import Script
from knlite.runtime.port import Exit
from knlite.serving.instance import Endpoint, RevisionName, StartFailure
from knlite.serving.levels import InstanceCounts
from tests.flows.cell import Cell, on_virtual_time, opened
from tests.flows.test_idle_flow import FAST, UNTIL_ZERO, WEB, idle

SCRIPT = Script(booting=0.3, freezing=0.02, thawing=0.01, stopping=0.05)


@dataclass(eq=False)
class Asked:
    """One request."""

    seconds: float
    instance: str = ""
    over: bool = False


class Traffic:
    """Requests that wait, are at an instance, or are over; a further balancer of the supervisor."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell
        self._endpoints: tuple[Endpoint, ...] = ()
        self._idle: dict[str, Callable[[], None]] = {}
        self._crashed = False
        self.all: list[Asked] = []

    def arrives(self, seconds: float) -> None:
        self.all.append(Asked(seconds))
        self._assign()
        if not self._endpoints:
            self._cell.autoscaler.waiting(WEB)

    def crashes(self) -> None:
        """Whatever runs or is frozen ends; its requests fail, as on a cluster."""
        self._crashed = True
        for instance in self._cell.runtime.instances:
            instance.end(Exit(137))
            for asked in self.all:
                if asked.instance == instance.launch.instance:
                    asked.over = True

    def check(self) -> None:
        """No request is where nobody works on it."""
        frozen = {each.launch.instance for each in self._cell.runtime.instances if each.frozen}
        assert not any(each.instance in frozen and not each.over for each in self.all)

    def endpoints_changed(self, revision: RevisionName, endpoints: Sequence[Endpoint]) -> None:
        self._endpoints = tuple(endpoints)
        self._assign()

    def start_failed(self, revision: RevisionName, why: StartFailure) -> None:
        assert self._crashed, "nothing else fails to start here"
        for asked in self.all:
            asked.over = asked.over or not asked.instance
            asked.instance = asked.instance or "none"

    def when_idle(self, revision: RevisionName, instance: str, idle: Callable[[], None]) -> None:
        self._idle[instance] = idle
        self._tell_idle(instance)

    def occupied(self, revision: RevisionName, instance: str) -> bool:
        return any(each.instance == instance and not each.over for each in self.all)

    def _assign(self) -> None:
        for asked in self.all:
            if self._endpoints and not asked.instance:
                asked.instance = self._endpoints[0].instance
                clock = self._cell.clock
                clock.call_at(clock.now() + asked.seconds, lambda a=asked: self._ends(a))

    def _ends(self, asked: Asked) -> None:
        self.check()
        asked.over = True
        self._tell_idle(asked.instance)

    def _tell_idle(self, instance: str) -> None:
        if not self.occupied(WEB, instance) and instance in self._idle:
            self._idle.pop(instance)()


STEPS = st.lists(
    st.tuples(
        st.sampled_from(("request", "request", "zero", "zero", "blink", "unreachable", "crash")),
        st.sampled_from((0.0, 0.001, 0.005, 0.015, 0.025, 0.1, 0.4, 11.0)),
        st.sampled_from((0.001, 0.02, 0.5)),
    ),
    max_size=25,
)


@settings(max_examples=25)
@given(tier=st.sampled_from(("freeze", "freeze", "stop", "remove")), steps=STEPS)
def test_no_request_is_lost_and_none_is_at_a_frozen_instance(
    tier: str, steps: list[tuple[str, float, float]]
) -> None:
    @on_virtual_time
    async def test() -> None:
        async with opened({"web": SCRIPT}, FAST) as cell:
            idle(cell, tier)
            await cell.advance(UNTIL_ZERO)
            traffic = Traffic(cell)
            cell.requests.busy = True
            cell.supervisor.report_to(traffic)
            for step, gap, seconds in steps:
                match step:
                    case "request":
                        traffic.arrives(seconds)
                    case "zero" | "blink":
                        # As when its window is over; not while an instance is starting.
                        with suppress(Conflict):
                            cell.autoscaler.rest(WEB, "the test says so")
                        if step == "blink":
                            traffic.arrives(seconds)
                    case "unreachable":
                        cell.supervisor.let_go(WEB)
                    case _:
                        traffic.crashes()
                cell.requests.load[WEB] = sum(not each.over for each in traffic.all)
                await cell.advance(gap)
                traffic.check()
            await cell.advance(20.0)
            assert all(each.over for each in traffic.all)
            cell.requests.load[WEB] = 0.0
            await cell.advance(UNTIL_ZERO)
            counts = cell.supervisor.counts(WEB)
            assert counts == InstanceCounts(frozen=counts.frozen)
            if tier != "freeze":
                assert counts.frozen == 0

    test()
