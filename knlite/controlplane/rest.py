"""An instance that has been given up, but not for good: drained, frozen, thawed when it is wanted.

It may be wanted again at any moment: while its last requests are finished, while it is being
frozen, before it is known how much memory it holds. It is offered requests only when it runs, and
frozen only when it has none.

Source: knlite's own (docs/adr/0041).
Not here: who gives it up and wants it (``supervisor.py``), how it lives besides
(``incarnation.py``).
"""

from collections.abc import Awaitable, Callable
from typing import Literal, Protocol

import anyio

from knlite.clock import Clock
from knlite.controlplane.chronicle import Chronicle
from knlite.controlplane.idling import Idling, amount
from knlite.controlplane.race import first_of
from knlite.controlplane.slot import Slot
from knlite.runtime.port import Instance

Outcome = Literal["wanted", "thawed", "stop", "over"]
"""``wanted``: it runs and is wanted again; ``thawed``: the same, and it has been frozen; ``stop``:
it has no request, and its programs may end; ``over``: it has ended, or has to go."""


class Around(Protocol):
    """What a rest needs of the surroundings of an incarnation."""

    @property
    def clock(self) -> Clock: ...
    @property
    def chronicle(self) -> Chronicle: ...
    @property
    def drained(self) -> Callable[[Slot], Awaitable[None]]: ...
    @property
    def occupied(self) -> Callable[[Slot], bool]: ...
    @property
    def let_go(self) -> Callable[[Slot], None]: ...


class Rest:
    """From the moment that *slot* was given up until it is wanted again, or has to go."""

    def __init__(
        self, slot: Slot, instance: Instance, around: Around, idling: Idling, grace: float
    ) -> None:
        """*grace* is how many seconds its last requests may take."""
        self._slot = slot
        self._instance = instance
        self._around = around
        self._idling = idling
        self._grace = grace

    async def outcome(self, ended: Callable[[], Awaitable[None]]) -> Outcome:
        """What comes of it; *ended* returns when one of its programs has ended.

        Raises ``InstanceFailed`` if it cannot be thawed.
        """
        slot, around = self._slot, self._around
        due = around.clock.now() + self._grace
        drained: list[bool] = []

        async def drain() -> None:
            await around.drained(slot)
            drained.append(True)

        how = await self._unless_wanted(ended, drain, lambda: around.clock.sleep_until(due))
        if how is not None:
            return how
        if not drained or around.occupied(slot):
            # A splice, a WebSocket say, would hang as long as it is frozen.
            around.let_go(slot)
            return "over"
        if slot.idle == "stop":
            return "stop"
        if not await self._instance.freeze():
            if await self._instance.usage() is not None:
                # It runs, so it is not that it has just ended.
                self._idling.refused(slot)
            if slot.idle is None and not slot.retired.is_set():
                return "wanted"
            around.let_go(slot)
            return "over"
        slot.frozen = True
        try:
            how = await self._frozen(ended)
        finally:
            slot.frozen = False
            self._idling.release(slot)
        return how

    async def _frozen(self, ended: Callable[[], Awaitable[None]]) -> Outcome:
        slot, told, thawed = self._slot, False, False

        async def hold() -> None:
            nonlocal told
            usage = await self._instance.usage()
            told = True
            size = f"holds {amount(usage.memory_bytes)}" if usage is not None else ""
            self._around.chronicle.frozen(slot, size)
            self._idling.hold(slot, usage, self._around.let_go)
            await anyio.sleep_forever()

        async def thaw() -> None:
            nonlocal thawed
            # Here, so that its programs wake up while all the rest of this ends.
            await self._wanted()
            await self._instance.thaw()
            thawed = True

        await first_of(ended, slot.retired.wait, thaw, hold)
        if not thawed or slot.retired.is_set():
            return "over"
        if not told:
            self._around.chronicle.frozen(slot, "")
        return "thawed"

    async def _unless_wanted(
        self, ended: Callable[[], Awaitable[None]], *waits: Callable[[], Awaitable[object]]
    ) -> Outcome | None:
        """Wait for one of *waits*; None if that came first, and it is still given up."""
        slot, first = self._slot, -1
        if slot.resting:
            first = await first_of(ended, slot.retired.wait, self._wanted, *waits)
        if slot.retired.is_set() or first == 0:
            return "over"
        return "wanted" if slot.idle is None else None

    async def _wanted(self) -> None:
        while self._slot.idle is not None:
            await self._slot.turned.wait()
