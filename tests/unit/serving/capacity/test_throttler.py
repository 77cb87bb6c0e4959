"""Places of one revision (Knative reference §3.3, §3.4), as a machine that hypothesis drives."""

import random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from knlite.serving.autoscaling.path import Mode
from knlite.serving.capacity.throttler import (
    QUEUE_FULL,
    QUEUE_LIMIT,
    Admitted,
    Rejected,
    Throttler,
    Ticket,
)
from knlite.serving.instance import Address, Endpoint, StartFailure


def endpoint(number: int, port: int = 1) -> Endpoint:
    return Endpoint(f"i{number}", Address("127.0.0.1", number + port))


class Places(RuleBasedStateMachine):
    """Requests come, wait, leave and end; instances and the activator come and go."""

    @initialize(limit=st.sampled_from([0, 1, 2, 3, 4, 10]))
    def begin(self, limit: int) -> None:
        self.limit = limit
        self.mode: Mode = "Proxy"
        self.throttler = Throttler(limit, random.Random(1))
        self.endpoints: list[Endpoint] = []
        self.running: list[Endpoint] = []
        self.waiting: list[Ticket] = []

    @rule(count=st.sampled_from([1, 1, 2, 12]))
    def arrive(self, count: int) -> None:
        for _ in range(count):
            self._arrive()

    def _arrive(self) -> None:
        ticket: list[Ticket] = []

        def deliver(outcome: Admitted | Rejected) -> None:
            assert self.waiting[0] is ticket[0], "first come, first served"
            self.waiting.remove(ticket[0])
            self._admit(outcome)

        outcome = self.throttler.request(deliver)
        if isinstance(outcome, Ticket):
            ticket.append(outcome)
            self.waiting.append(outcome)
            assert len(self.waiting) <= self._most_waiting()
        elif isinstance(outcome, Rejected):
            assert outcome.why == QUEUE_FULL
            assert len(self.waiting) >= self._most_waiting()
        else:
            assert not self.waiting, "nobody overtakes who waits"
            self._admit(outcome)

    def _most_waiting(self) -> int:
        if self.mode == "Proxy" or not self.limit or not self.endpoints:
            return QUEUE_LIMIT
        return 10 * self.limit * len(self.endpoints)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        ticket = data.draw(st.sampled_from(self.waiting))
        self.waiting.remove(ticket)
        self.throttler.cancel(ticket)
        self.throttler.cancel(ticket)

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        index = data.draw(st.integers(0, len(self.running) - 1))
        self.throttler.release(self.running.pop(index))

    @rule(numbers=st.sets(st.integers(0, 4)), port=st.sampled_from([1, 100]))
    def instances(self, numbers: set[int], port: int) -> None:
        # The same instance at another address is one that was started again.
        self.endpoints = [endpoint(number, port) for number in sorted(numbers)]
        self.throttler.update(self.endpoints)

    @rule(mode=st.sampled_from(["Serve", "Proxy"]))
    def switch(self, mode: Mode) -> None:
        self.mode = mode
        self.throttler.set_mode(mode)

    @rule()
    def fail(self) -> None:
        rejected: list[Admitted | Rejected] = []
        for ticket in self.waiting:
            ticket.deliver = rejected.append
        why = StartFailure("x", "y")
        self.throttler.fail(why)
        assert rejected == [Rejected(why)] * len(self.waiting)
        self.waiting.clear()

    def _admit(self, outcome: Admitted | Rejected) -> None:
        assert isinstance(outcome, Admitted)
        assert outcome.endpoint in self.endpoints, "only those that are there"
        self.running.append(outcome.endpoint)
        if self.limit:
            assert self._at(outcome.endpoint) <= self.limit

    def _at(self, there: Endpoint) -> int:
        return sum(each.instance == there.instance for each in self.running)

    @invariant()
    def nobody_waits_beside_a_free_place(self) -> None:
        if self.waiting:
            assert all(self.limit and self._at(each) >= self.limit for each in self.endpoints)

    @invariant()
    def the_queue_is_what_waits(self) -> None:
        assert self.throttler.waiting == len(self.waiting)

    def teardown(self) -> None:
        """Nothing leaks: when all is given back, every place is free again."""
        for ticket in self.waiting[:]:
            self.waiting.remove(ticket)
            self.throttler.cancel(ticket)
        while self.running:
            self.throttler.release(self.running.pop())
        self.throttler.set_mode("Proxy")
        self.mode = "Proxy"
        for _ in range((self.limit or 1) * len(self.endpoints)):
            self._arrive()
        assert not self.waiting
        if self.limit and self.endpoints:
            assert isinstance(self.throttler.request(never), Ticket)


Places.TestCase.settings = settings(max_examples=80, stateful_step_count=30)
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


@pytest.mark.parametrize(
    ("limit", "instances", "most"),
    [
        pytest.param(1, 1, 10, id="one place"),
        pytest.param(5, 2, 100, id="ten places"),
        pytest.param(1000, 30, QUEUE_LIMIT, id="memory is guarded all the same"),
        pytest.param(5, 0, QUEUE_LIMIT, id="without an instance the activator holds"),
    ],
)
def test_out_of_the_path_ten_times_the_places_may_wait(
    limit: int, instances: int, most: int
) -> None:
    throttler = Throttler(limit, random.Random(1))
    throttler.update([endpoint(number) for number in range(instances)])
    throttler.set_mode("Serve")
    for _ in range(limit * instances):
        assert isinstance(throttler.request(never), Admitted)
    for _ in range(most):
        assert isinstance(throttler.request(never), Ticket)
    assert throttler.request(never) == Rejected("pending request queue full")
    throttler.set_mode("Proxy")
    assert isinstance(throttler.request(never), Ticket) == (most < QUEUE_LIMIT)


def test_a_long_queue_of_those_who_give_back_at_once_is_no_deep_recursion() -> None:
    throttler = Throttler(1, random.Random(1))
    served = []

    def deliver(outcome: Admitted | Rejected) -> None:
        assert isinstance(outcome, Admitted)
        served.append(outcome)
        throttler.release(outcome.endpoint)

    for _ in range(5000):
        throttler.request(deliver)
    throttler.update([endpoint(0)])
    assert len(served) == 5000
    assert throttler.waiting == 0


def test_one_that_went_and_came_back_has_as_many_places_as_before() -> None:
    throttler = Throttler(4, random.Random(1))
    both = [endpoint(0), endpoint(1)]
    for _ in range(3):
        throttler.update(both)
        throttler.update([endpoint(1)])
    throttler.update(both)
    taken = [throttler.request(never) for _ in range(8)]
    names = [each.endpoint.instance for each in taken if isinstance(each, Admitted)]
    assert sorted(names) == ["i0"] * 4 + ["i1"] * 4


def test_the_usual_request_allocates_nothing() -> None:
    throttler = Throttler(0, random.Random(1))
    throttler.update([endpoint(0)])
    assert throttler.request(never) is throttler.request(never)
