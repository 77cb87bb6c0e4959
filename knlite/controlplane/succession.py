"""New instances take the place of old ones: each is ready before the one it replaces goes.

Source: knlite's own; ``docs/adr/0042-a-save-is-a-template-change.md``, ``docs/adr/0048``.
Not here: one instance (``incarnation.py``), who asks (``inplace.py``, ``restarting.py``).
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

import anyio

from knlite.controlplane.slot import Slot
from knlite.serving.instance import RevisionName, StartFailure

DELETED = StartFailure("PodDeleted", "its Pod has been deleted")
"""Why one that nobody wants any more did not start."""


class Instances(Protocol):
    """All instances of one run."""

    def standing(self, revision: RevisionName) -> Sequence[Slot]:
        """Those of *revision* that have not been given up for good, nor are to replace another."""
        ...

    def add_incoming(self, revision: RevisionName) -> Slot | None:
        """One more, which counts for nothing yet; None if the run is over."""
        ...

    def retire(self, slot: Slot) -> None:
        """Let *slot* finish what it has, and go."""
        ...

    def let_go(self, revision: RevisionName) -> None:
        """Keep none of those that rest."""
        ...

    def refill(self, revision: RevisionName) -> None:
        """Have as many as are wanted."""
        ...


class Succession:
    """One change of a revision's instances at a time."""

    def __init__(self, instances: Instances) -> None:
        self._instances = instances
        self._turns: dict[RevisionName, anyio.Lock] = {}

    async def all_at_once(self, revision: RevisionName) -> StartFailure | None:
        """Replace all of them together, or none.

        If one of the new ones cannot start nothing changes, and why is returned. Where there is
        none one is started all the same, to see whether it can. Cancelled, nothing changes.
        """
        async with self._turn(revision):
            self._instances.let_go(revision)
            old = self._instances.standing(revision)
            return await self._succeed(revision, old, max(1, len(old)))

    async def one_by_one(self, revision: RevisionName) -> StartFailure | None:
        """Replace those that there are now, so that there is never more than one too many.

        It ends with the first that cannot start, and why is returned: those that have not been
        replaced by then stay as they are.
        """
        async with self._turn(revision):
            self._instances.let_go(revision)
            for slot in self._instances.standing(revision):
                if slot.retired.is_set():
                    # Fewer are wanted by now.
                    continue
                failure = await self._succeed(revision, (slot,), 1)
                if failure is not None:
                    return failure
            return None

    async def _succeed(
        self, revision: RevisionName, old: Sequence[Slot], count: int
    ) -> StartFailure | None:
        added = [self._instances.add_incoming(revision) for _ in range(count)]
        fresh = [slot for slot in added if slot is not None]
        try:
            for slot in fresh:
                await slot.decided.wait()
                if slot.failure is not None:
                    return slot.failure
                if slot.retired.is_set():
                    return DELETED
            for slot in fresh:
                slot.incoming = False
            for slot in old:
                self._instances.retire(slot)
            self._instances.refill(revision)
        finally:
            for slot in fresh:
                if slot.incoming:
                    self._instances.retire(slot)
        return None

    @asynccontextmanager
    async def _turn(self, revision: RevisionName) -> AsyncIterator[None]:
        turn = self._turns.setdefault(revision, anyio.Lock())
        try:
            async with turn:
                yield
        finally:
            if not turn.statistics().locked and not turn.statistics().tasks_waiting:
                self._turns.pop(revision, None)
