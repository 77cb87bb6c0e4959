"""A deadline on a loop whose time is moved by hand."""

import asyncio

from knlite.dataplane.wire.deadline import Deadline


class Loop(asyncio.AbstractEventLoop):
    """Counts timers and fires them when time is moved."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[asyncio.TimerHandle] = []
        self.armed = 0

    def time(self) -> float:
        return self.now

    def get_debug(self) -> bool:
        return False

    def call_at(self, when, callback, *args, context=None):  # type: ignore[no-untyped-def]
        self.armed += 1
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        self.timers.append(timer)
        return timer

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        self.timers.remove(handle)

    def move(self, seconds: float) -> None:
        self.now += seconds
        for timer in [t for t in self.timers if t.when() <= self.now]:
            self.timers.remove(timer)
            timer._run()


def test_a_deadline_that_moves_often_needs_few_timers() -> None:
    loop, passed = Loop(), []
    deadline = Deadline(loop, lambda: passed.append(loop.now))
    for _ in range(100):
        deadline.set(10)
        loop.move(1)
    assert not passed
    assert loop.armed < 15
    loop.move(9)
    assert passed == [109]
    loop.move(100)
    assert passed == [109]


def test_an_earlier_deadline_is_not_late() -> None:
    loop, passed = Loop(), []
    deadline = Deadline(loop, lambda: passed.append(loop.now))
    deadline.set(100)
    deadline.set(1)
    loop.move(1)
    assert passed == [1]


def test_what_is_cleared_or_cancelled_does_not_pass() -> None:
    loop, passed = Loop(), []
    deadline = Deadline(loop, lambda: passed.append(loop.now))
    deadline.set(1)
    deadline.clear()
    loop.move(2)
    deadline.set(1)
    deadline.cancel()
    assert not loop.timers
    loop.move(2)
    assert not passed
