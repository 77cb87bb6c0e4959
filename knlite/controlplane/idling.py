"""How instances are kept while their revision is at zero, and how much memory that may take.

Source: knlite's own (docs/adr/0041).
Not here: what is done to one instance (``rest.py``), which of them goes first
(``serving/eviction.py``).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from knlite.clock import Clock
from knlite.controlplane.slot import Slot
from knlite.facts import Notice, Publish
from knlite.kinds.serving.annotations import IdleTier, idle_tier
from knlite.kinds.serving.podautoscaler import PodAutoscaler
from knlite.kinds.serving.revision import Revision
from knlite.registry.registry import Notification, Registry
from knlite.runtime.port import Usage
from knlite.serving.eviction import GreedyDual
from knlite.serving.instance import RevisionName

UNKNOWN = 64 * 2**20
"""Bytes that an instance is held to hold where that cannot be found out."""


class Idling:
    """The idle tiers of all revisions, and the memory of those that are frozen."""

    def __init__(self, registry: Registry, clock: Clock, publish: Publish, memory: int) -> None:
        """*memory* is how many bytes frozen instances, and what runtimes keep to start them
        quickly, may hold altogether."""
        self._registry = registry
        self._clock = clock
        self._publish = publish
        self._memory = memory
        self._held: GreedyDual[Slot] = GreedyDual()
        self._refused: set[RevisionName] = set()

    def tier(self, revision: RevisionName) -> IdleTier:
        """What becomes of instances of *revision* at zero; no request wakes one that no route
        leads to."""
        view = self._registry.view
        found = view.get(Revision, *revision)
        scaled = view.get(PodAutoscaler, *revision)
        if found is None or scaled is None or scaled.spec.reachability == "Unreachable":
            return "remove"
        return idle_tier(found.metadata.annotations)

    @contextmanager
    def watching(self, changed: Callable[[RevisionName], None]) -> Iterator[None]:
        """Call *changed* when the tier of a revision may be another one, while this lasts."""

        def note(notification: Notification) -> None:
            obj = notification.obj
            if isinstance(obj, PodAutoscaler | Revision) and notification.change != "added":
                name = RevisionName(obj.metadata.namespace, obj.metadata.name)
                if notification.change == "deleted":
                    self._refused.discard(name)
                changed(name)

        with self._registry.listening(note):
            yield

    def hold(self, slot: Slot, usage: Usage | None, let_go: Callable[[Slot], None]) -> None:
        """*slot* is frozen and holds what it uses; *let_go* is called for those that have to go."""
        size = UNKNOWN if usage is None else usage.memory_bytes
        runtimes = {each.runtime for each in (slot, *self._held) if each.runtime is not None}
        left = max(0, self._memory - sum(each.warmed for each in runtimes))
        for each in self._held.add(slot, size, slot.cost, left):
            self._say(
                "info",
                f"{each.revision.name}: the frozen instance {each.name} is let go, as frozen ones "
                f"may hold {amount(left)} altogether (--memory)",
            )
            let_go(each)

    def refused(self, slot: Slot) -> None:
        """*slot* could not be frozen; told once for each revision."""
        if slot.revision not in self._refused:
            self._refused.add(slot.revision)
            self._say(
                "warning",
                f"{slot.revision.name}: its instances cannot be frozen here, and are removed at "
                "zero as without knlite.dev/idle",
            )

    def release(self, slot: Slot) -> None:
        """*slot* is not frozen any more."""
        self._held.remove(slot)

    def _say(self, level: Literal["info", "warning"], text: str) -> None:
        self._publish(Notice(at=self._clock.wall(), level=level, text=text))


def amount(size: int) -> str:
    """*size* bytes for people: ``48 MiB``."""
    if size >= 2**30:
        return f"{size / 2**30:.1f} GiB"
    return f"{max(1, round(size / 2**20))} MiB"
