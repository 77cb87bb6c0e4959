"""Which revisions that reloading has made nobody needs any more, as soon as that is so.

Every save makes a revision. What a newer save took the place of before it was ready, or what could
not start, is of no use to anyone; of the others the last few are kept, to go back to.

Source: knlite's own; ``docs/adr/0042-a-save-is-a-template-change.md``.
Not here: revisions that people make (``collection.py``).
"""

from collections.abc import Sequence

from knlite.kinds.conditions import is_true
from knlite.kinds.labels import CONFIGURATION_GENERATION, NO_GC, ROUTING_STATE
from knlite.kinds.serving.configuration import Configuration
from knlite.kinds.serving.revision import Revision
from knlite.serving.code import code_of

KEPT = 3
"""Revisions that were ready once, out of use."""


def superseded(configuration: Configuration, owned: Sequence[Revision]) -> tuple[Revision, ...]:
    """Those of *owned*, the revisions of *configuration*, that may go at once."""
    newest = max((generation(each) for each in owned), default=0)
    candidates = [each for each in owned if _may_go(each, configuration, newest)]
    candidates.sort(key=generation, reverse=True)
    ready = [each for each in candidates if is_true(each.status.conditions)]
    return (*(each for each in candidates if each not in ready), *ready[KEPT:])


def generation(revision: Revision) -> int:
    """The generation of the Configuration that *revision* was made of."""
    text = revision.metadata.labels.get(CONFIGURATION_GENERATION, "0")
    return int(text) if text.isdecimal() else 0


def _may_go(revision: Revision, configuration: Configuration, newest: int) -> bool:
    meta = revision.metadata
    return (
        bool(code_of(meta.annotations))
        and generation(revision) < newest
        and meta.name != configuration.status.latest_ready_revision_name
        # No Route refers to it.
        and meta.labels.get(ROUTING_STATE) != "active"
        and meta.annotations.get(NO_GC, "").lower() != "true"
    )
