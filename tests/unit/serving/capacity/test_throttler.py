"""Places of one revision (Knative reference §3.3, §3.4), as a machine that hypothesis drives."""

import random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from knlite.serving.capacity.throttler import QUEUE_LIMIT, Admitted, Rejected, Throttler, Ticket
from knlite.serving.instance import Address, Endpoint, StartFailure


def endpoint(number: int) -> Endpoint:
    return Endpoint(f"i{number}", Address("127.0.0.1", number + 1))


class Places(RuleBasedStateMachine):
    """Requests come, wait, leave and end; instances come and go."""

    @initialize(limit=st.sampled_from([0, 1, 2, 3, 10]))
    def begin(self, limit: int) -> None:
        self.limit = limit
        self.throttler = Throttler(limit, random.Random(1))
        self.endpoints: list[Endpoint] = []
        self.running: list[Endpoint] = []
        self.waiting: list[Ticket] = []
        self.order: list[Ticket] = []
        self.delivered: list[Ticket] = []

    @rule()
    def arrive(self) -> None:
        ticket: list[Ticket] = []

        def deliver(outcome: Admitted | Rejected) -> None:
            assert ticket[0] in self.waiting
            assert self.waiting[0] is ticket[0], "first come, first served"
            self.waiting.remove(ticket[0])
            self._admit(outcome)

        outcome = self.throttler.request(deliver)
        if isinstance(outcome, Ticket):
            ticket.append(outcome)
            self.waiting.append(outcome)
        else:
            assert not self.waiting, "nobody overtakes who waits"
            self._admit(outcome)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        ticket = data.draw(st.sampled_from(self.waiting))
        self.waiting.remove(ticket)
        self.throttler.cancel(ticket)

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        index = data.draw(st.integers(0, len(self.running) - 1))
        self.throttler.release(self.running.pop(index))

    @rule(numbers=st.sets(st.integers(0, 4)))
    def instances(self, numbers: set[int]) -> None:
        self.endpoints = [endpoint(number) for number in sorted(numbers)]
        self.throttler.update(self.endpoints)

    @rule()
    def fail(self) -> None:
        rejected = len(self.waiting)
        why = StartFailure("x", "y")
        for ticket in tuple(self.waiting):
            ticket.deliver = self._expect_rejection
        self.waiting.clear()
        self.throttler.fail(why)
        assert self.throttler.waiting == 0
        assert rejected >= 0

    def _expect_rejection(self, outcome: Admitted | Rejected) -> None:
        assert isinstance(outcome, Rejected)

    def _admit(self, outcome: Admitted | Rejected) -> None:
        assert isinstance(outcome, Admitted)
        assert outcome.endpoint in self.endpoints, "only those that are there"
        self.running.append(outcome.endpoint)
        if self.limit:
            assert self.running.count(outcome.endpoint) <= self.limit

    @invariant()
    def nobody_waits_beside_a_free_place(self) -> None:
        if not self.waiting:
            return
        assert all(self.limit and self.running.count(each) >= self.limit for each in self.endpoints)

    @invariant()
    def the_queue_is_what_waits(self) -> None:
        assert self.throttler.waiting == len(self.waiting)


Places.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestPlaces = Places.TestCase


def never(_: Admitted | Rejected) -> None:
    pytest.fail("delivered")


def test_small_limits_fill_the_first_instance_first() -> None:
    throttler = Throttler(2, random.Random(1))
    throttler.update([endpoint(0), endpoint(1)])
    taken = [throttler.request(never) for _ in range(4)]
    names = [each.endpoint.instance for each in taken if isinstance(each, Admitted)]
    assert names == ["i0", "i0", "i1", "i1"]


def test_large_limits_go_round() -> None:
    throttler = Throttler(10, random.Random(1))
    throttler.update([endpoint(0), endpoint(1)])
    taken = [throttler.request(never) for _ in range(4)]
    names = [each.endpoint.instance for each in taken if isinstance(each, Admitted)]
    assert names == ["i0", "i1", "i0", "i1"]


def test_without_a_limit_the_less_busy_of_two_is_taken() -> None:
    throttler = Throttler(0, random.Random(1))
    throttler.update([endpoint(0), endpoint(1)])
    taken = [throttler.request(never) for _ in range(100)]
    busy = [each.endpoint.instance for each in taken if isinstance(each, Admitted)]
    assert busy.count("i0") == busy.count("i1") == 50


def test_the_queue_has_an_end_with_upstreams_words() -> None:
    throttler = Throttler(1, random.Random(1))
    for _ in range(QUEUE_LIMIT):
        assert isinstance(throttler.request(never), Ticket)
    assert throttler.request(never) == Rejected("pending request queue full")
