"""What came of an event, and of that in turn: the attempts say what has entered where.

Bounded, as replies may go round in circles until their time to live ends.
"""

from knlite.eventlog.history import Happened, History
from knlite.telemetry import xray
from knlite.telemetry.stories import Branch, Place

DEPTH, SIZE = 12, 100
"""Events below one another, and all together."""


async def branch(history: History, root: Happened, present: frozenset[str]) -> Branch:
    """The tree below *root*; *present* are the egresses that exist now."""
    return await _Descent(history, present).below(root, None, "", DEPTH)


class _Descent:
    def __init__(self, history: History, present: frozenset[str]) -> None:
        self._history = history
        self._present = present
        self._seen: set[int] = set()

    async def below(self, event: Happened, via: Place | None, leg: str, depth: int) -> Branch:
        self._seen.add(event.accepted.arrival)
        children: list[Branch] = []
        left_out = 0
        for fact in event.attempts:
            if not fact.entered or fact.entered in self._seen:
                continue
            if not depth or len(self._seen) >= SIZE:
                left_out += 1
                continue
            child = await self._history.at(fact.entered)
            if child is not None:
                place = Place(fact.egress_kind, fact.egress_namespace, fact.egress_name)
                children.append(await self.below(child, place, fact.leg, depth - 1))
        return Branch(
            event=xray.summary(event, self._present),
            via=via,
            leg=leg,
            children=tuple(children),
            left_out=left_out,
        )
