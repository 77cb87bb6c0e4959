"""Gives up the instances of a revision as soon as newer code has taken its place.

Source: knlite's own; ``docs/adr/0042-a-save-is-a-template-change.md``.
Differs: on a cluster they stay for a stable window; a save every few seconds would heap them up.
Not here: which revisions are deleted (``serving/superseded.py``).
"""

from collections.abc import Callable
from contextlib import suppress

from knlite.clock import Clock
from knlite.errors import Conflict
from knlite.kinds.labels import ROUTING_STATE, SERVICE
from knlite.kinds.serving.revision import Revision
from knlite.kinds.serving.service import Service
from knlite.registry.registry import Notification, Registry
from knlite.serving.code import annotations_of, code_of
from knlite.serving.instance import RevisionName

LINGER = 1.0
"""Seconds that a revision out of use keeps its instances: a request may be on its way to it."""
_OUT_OF_USE = "reserve"


class OutOfUse:
    """The revisions of one run that no route refers to any more."""

    def __init__(
        self, registry: Registry, clock: Clock, rest: Callable[[RevisionName], None]
    ) -> None:
        """*rest* has no instances of a revision any more, and raises ``Conflict`` if it may not."""
        self._registry = registry
        self._clock = clock
        self._rest = rest

    def note(self, notification: Notification) -> None:
        """See what has happened to an object."""
        revision, old = notification.obj, notification.old
        if not isinstance(revision, Revision) or notification.change == "deleted":
            return
        before = old.metadata.labels.get(ROUTING_STATE) if old is not None else None
        if not _is_out_of_use(revision) or before == _OUT_OF_USE:
            return
        namespace = revision.metadata.namespace
        service = self._registry.view.get(
            Service, namespace, revision.metadata.labels.get(SERVICE, "")
        )
        if service is not None and code_of(annotations_of(service)):
            name = RevisionName(namespace, revision.metadata.name)
            self._clock.call_at(self._clock.now() + LINGER, lambda: self._give_up(name))

    def _give_up(self, name: RevisionName) -> None:
        revision = self._registry.view.get(Revision, *name)
        if revision is not None and _is_out_of_use(revision):
            with suppress(Conflict):
                self._rest(name)


def _is_out_of_use(revision: Revision) -> bool:
    return revision.metadata.labels.get(ROUTING_STATE) == _OUT_OF_USE
