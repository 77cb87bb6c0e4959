"""Why each revision has the instances that it has: the autoscaler's last decisions, in its words.

Also what goes on before a revision's first start. Both are told while it happens; whoever opens a
page later wants to read them all the same.
"""

from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from knlite.facts import Fact, PathChanged, PreparationStep, ScaleDecided

READ = (ScaleDecided, PathChanged, PreparationStep)
DECISIONS = 20
"""Of each revision."""
STEPS = 8
REVISIONS = 1000
"""Those of which something was last told."""


class Decision(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """The autoscaler wanted another number of instances."""

    at: datetime
    was: int
    desired: int
    why: str
    panic: bool = False


class Step(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Something that took time before the first start; *share* is how much of it is done."""

    at: datetime
    text: str
    share: float | None = None


@dataclass(slots=True)
class _Kept:
    decisions: deque[Decision] = field(default_factory=lambda: deque(maxlen=DECISIONS))
    steps: deque[Step] = field(default_factory=lambda: deque(maxlen=STEPS))
    path: PathChanged | None = None


class ScaleHistory:
    """Of one run."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], _Kept] = OrderedDict()

    def read(self, fact: Fact) -> None:
        """Remember *fact*."""
        match fact:
            case ScaleDecided():
                self._of(fact.namespace, fact.revision).decisions.append(
                    Decision(
                        at=fact.at,
                        was=fact.was,
                        desired=fact.desired,
                        why=fact.why,
                        panic=fact.panic,
                    )
                )
            case PathChanged():
                self._of(fact.namespace, fact.revision).path = fact
            case PreparationStep():
                step = Step(at=fact.at, text=fact.text, share=fact.share)
                steps = self._of(fact.namespace, fact.revision).steps
                if steps and steps[-1].text == step.text:
                    # It goes on.
                    steps.pop()
                steps.append(step)
            case _:
                pass

    def decisions(self, namespace: str, revision: str) -> Sequence[Decision]:
        """The newest last."""
        found = self._kept.get((namespace, revision))
        return () if found is None else tuple(found.decisions)

    def steps(self, namespace: str, revision: str) -> Sequence[Step]:
        """The newest last."""
        found = self._kept.get((namespace, revision))
        return () if found is None else tuple(found.steps)

    def path(self, namespace: str, revision: str) -> PathChanged | None:
        """Whether the activator came into the path of its requests last, or left it."""
        found = self._kept.get((namespace, revision))
        return None if found is None else found.path

    def _of(self, namespace: str, revision: str) -> _Kept:
        key = (namespace, revision)
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = _Kept()
            if len(self._kept) > REVISIONS:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return found
