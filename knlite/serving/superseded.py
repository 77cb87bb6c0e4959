"""Which revisions that reloading has made nobody needs any more, as soon as that is so.

Every save makes a revision. What a newer save took the place of before it was ready, or what could
not start, is of no use to anyone; of the others the last few are kept, to go back to. A save
changes nothing but the code, so a newer revision has the same spec; what a deployment or a change
of the manifest has made has another one after it, and stays as long as any.

Source: knlite's own; ``docs/adr/0042-a-save-is-a-template-change.md``.
Not here: all other revisions (``collection.py``).
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
    newest_first = sorted(owned, key=generation, reverse=True)
    candidates = [
        each
        for at, each in enumerate(newest_first)
        if _may_go(each, configuration) and any(_is_saved(each, by) for by in newest_first[:at])
    ]
    ready = [each for each in candidates if is_true(each.status.conditions)]
    return (*(each for each in candidates if each not in ready), *ready[KEPT:])


def generation(revision: Revision) -> int:
    """The generation of the Configuration that *revision* was made of."""
    text = revision.metadata.labels.get(CONFIGURATION_GENERATION, "0")
    return int(text) if text.isdecimal() else 0


def _is_saved(revision: Revision, by: Revision) -> bool:
    """Whether *by* is *revision* with other code."""
    return generation(revision) < generation(by) and revision.spec == by.spec


def _may_go(revision: Revision, configuration: Configuration) -> bool:
    meta = revision.metadata
    return (
        bool(code_of(meta.annotations))
        and meta.name != configuration.status.latest_ready_revision_name
        # No Route refers to it.
        and meta.labels.get(ROUTING_STATE) != "active"
        and meta.annotations.get(NO_GC, "").lower() != "true"
    )
