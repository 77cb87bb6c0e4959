"""Time that jumps: hours of backoff in a moment, and exact instants to assert."""

import asyncio
import selectors
from collections.abc import Mapping

import pytest


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop that goes straight to its next timer when nothing is ready.

    Only for what does no input or output: a socket would find no time to answer.
    """

    def __init__(self) -> None:
        self._moment = 0.0
        super().__init__(_Jumping(self))

    def time(self) -> float:
        """Seconds since the loop began, as its timers count them."""
        return self._moment

    def jump(self, seconds: float) -> None:
        """It is *seconds* later."""
        # The loop counts its timers up to a tick ahead, so rounding cannot leave one behind.
        self._moment += seconds


class _Jumping(selectors.DefaultSelector):
    def __init__(self, loop: JumpingLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready:
            return ready
        if timeout is None:
            raise RuntimeError("everyone waits and no timer is set: the test would hang")
        self._loop.jump(timeout)
        return []


@pytest.fixture
def anyio_backend() -> tuple[str, Mapping[str, object]]:
    return "asyncio", {"loop_factory": JumpingLoop}
