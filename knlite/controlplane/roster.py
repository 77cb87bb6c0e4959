"""Which instances of a revision count for what, and which are started, woken or given up.

Not here: doing so (``supervisor.py``).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from knlite.controlplane.slot import Slot
from knlite.serving.levels import InstanceCounts


@dataclass(frozen=True, slots=True)
class Step:
    """What makes as many instances as are wanted of those that there are."""

    woken: Sequence[Slot]
    """They rest, and are wanted again."""
    started: int
    """How many new ones are needed."""
    surplus: Sequence[Slot]
    """They are wanted no more."""


def step_to(count: int, slots: Iterable[Slot]) -> Step:
    """The step to *count* instances from *slots*, all those of a revision."""
    there = [slot for slot in slots if not (slot.retired.is_set() or slot.incoming)]
    kept = [slot for slot in there if not slot.resting]
    missing = max(0, count - len(kept))
    # First those that need least for it: they run, or are frozen, or have been stopped.
    # Who waits for one that takes its time to end waits longer than for a new one.
    resting = [slot for slot in there if slot.resting and not slot.parking]
    resting.sort(key=lambda slot: (not slot.running, slot.frozen))
    # Those that serve nobody yet go first, then the youngest.
    kept.reverse()
    kept.sort(key=lambda slot: slot.endpoint is not None)
    return Step(
        woken=resting[:missing],
        started=max(0, missing - len(resting)),
        surplus=kept[: max(0, len(kept) - count)],
    )


def counted(slots: Iterable[Slot]) -> InstanceCounts:
    """How many of *slots* are in each part of their life."""
    ready = not_ready = pending = terminating = frozen = 0
    for slot in slots:
        if slot.endpoint is not None:
            ready += 1
        elif slot.frozen:
            frozen += 1
        elif slot.retired.is_set() or (slot.resting and slot.running):
            terminating += 1
        elif slot.resting:
            continue
        elif slot.running:
            not_ready += 1
        else:
            pending += 1
    return InstanceCounts(ready, not_ready, pending, terminating, frozen)
