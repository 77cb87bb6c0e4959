"""How far a reader has come in a partition."""

import random

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from knlite.eventing.kafka.offsets import Offsets


def test_what_is_in_hand_holds_back_what_may_be_committed() -> None:
    offsets = Offsets(10)
    for each in (10, 11, 12):
        assert offsets.meet(each)
        offsets.hold(each)
    offsets.done(11, 0)
    assert offsets.mark == 10
    offsets.done(10, 0)
    assert offsets.mark == 12
    offsets.done(12, 0)
    assert offsets.mark == 13


def test_what_is_for_others_counts_as_done() -> None:
    offsets = Offsets(0)
    assert offsets.meet(0)
    assert offsets.meet(1)
    assert offsets.mark == 2


def test_what_comes_again_after_a_rebalance_is_not_met_again() -> None:
    offsets = Offsets(0)
    for each in (0, 1, 2):
        offsets.meet(each)
    offsets.hold(1)
    offsets.assigned(0)
    assert [offsets.meet(each) for each in (0, 1, 2, 3)] == [False, False, False, True]
    assert offsets.done(1, 0)


def test_who_sets_the_group_back_gets_everything_again() -> None:
    offsets = Offsets(5)
    offsets.meet(5)
    offsets.hold(5)
    offsets.assigned(2)
    assert offsets.meet(2)
    assert not offsets.done(5, 0)
    assert offsets.mark == 3


def test_what_others_have_read_in_the_meantime_is_theirs() -> None:
    offsets = Offsets(0)
    offsets.meet(0)
    offsets.hold(0)
    offsets.assigned(9)
    assert offsets.mark == 9
    assert not offsets.done(0, 0)


def test_a_topic_that_was_replaced_begins_anew() -> None:
    offsets = Offsets(0)
    for each in (0, 1, 2):
        offsets.meet(each)
    assert offsets.meet(0)
    assert offsets.mark == 1


class Reading(RuleBasedStateMachine):
    """A server that goes back to what was committed, whenever it likes."""

    def __init__(self) -> None:
        super().__init__()
        self.offsets = Offsets(0)
        self.at = 0
        self.held: list[tuple[int, int]] = []
        self.delivered: list[int] = []

    @rule(wanted=st.booleans())
    def fetch(self, wanted: bool) -> None:
        if self.offsets.meet(self.at):
            self.delivered.append(self.at)
            if wanted:
                self.offsets.hold(self.at)
                self.held.append((self.at, self.offsets.age))
        self.at += 1

    @rule(which=st.randoms(use_true_random=False))
    def finish(self, which: random.Random) -> None:
        if self.held:
            held = self.held.pop(which.randrange(len(self.held)))
            assert self.offsets.done(*held)

    @rule()
    def commit(self) -> None:
        self.offsets.committed = self.offsets.mark

    @rule()
    def rebalance(self) -> None:
        self.at = self.offsets.committed
        self.offsets.assigned(self.at)

    @invariant()
    def each_is_delivered_once_and_nothing_unfinished_is_committed(self) -> None:
        assert self.delivered == list(range(len(self.delivered)))
        assert all(self.offsets.mark <= offset for offset, _ in self.held)


TestReading = Reading.TestCase
