"""Brings a service to zero at once, when somebody asks for it instead of waiting for the window.

For those who measure cold starts, and for those who want the memory back. What a request needs is
never taken away: while one is under way, the answer is no.

Not here: scale to zero for want of traffic (``serving/autoscaling/scaler.py``).
"""

from collections.abc import Callable, Iterable
from typing import Protocol

import anyio

from knlite.errors import Cause, Conflict, NotFound
from knlite.facts import Fact
from knlite.kinds.labels import SERVICE
from knlite.kinds.serving.revision import Revision
from knlite.kinds.serving.service import Service
from knlite.reconcile import View
from knlite.registry.registry import Registry
from knlite.serving.instance import RevisionName
from knlite.serving.levels import InstanceCounts, RevisionLoad


class Scale(Protocol):
    """Who decides how many instances there are."""

    def rest(self, revision: RevisionName, why: str) -> None:
        """Have no instance of *revision* now. Raises ``Conflict``."""
        ...


class Resting:
    """Rests services of one run."""

    def __init__(
        self,
        registry: Registry,
        scale: Scale,
        counts: Callable[[RevisionName], InstanceCounts],
        loads: Callable[[], Iterable[RevisionLoad]],
    ) -> None:
        """*counts* gives the instances of a revision, *loads* what each has to do."""
        self._registry = registry
        self._scale = scale
        self._counts = counts
        self._loads = loads
        self._changed = anyio.Event()

    def read(self, _fact: Fact) -> None:
        """An instance has changed."""
        changed, self._changed = self._changed, anyio.Event()
        changed.set()

    def at_once(self, revision: RevisionName, why: str) -> None:
        """Have no instance of *revision*; what it has to do it still does. Raises ``Conflict``."""
        if self._counts(revision).ready:
            self._scale.rest(revision, why)

    async def rest(self, namespace: str, name: str) -> None:
        """Have no instance of that service; return when those that it had are gone, or frozen.

        Raises ``NotFound``; ``Conflict`` if a request is under way, an instance is starting, or the
        service may not be without one.
        """
        revisions = services_revisions(self._registry.view, namespace, name)
        under_way = sum(
            load.queued + load.active
            for load in self._loads()
            if (load.namespace, load.service) == (namespace, name)
        )
        if under_way:
            raise Conflict(
                f"{name} cannot be brought to zero",
                cause=f"{under_way} request{'s are' if under_way > 1 else ' is'} under way",
                fix="ask again when they are over",
                causes=[Cause("RequestsUnderWay", f"{under_way}")],
            )
        for revision in revisions:
            found = self._counts(revision)
            if found.ready or found.not_ready or found.pending:
                self._scale.rest(revision, "somebody asked for it")
        while any(self._counts(revision).terminating for revision in revisions):
            await self._changed.wait()


def services_revisions(view: View, namespace: str, name: str) -> list[RevisionName]:
    """The revisions of that service. Raises ``NotFound`` if there is no such service."""
    if view.get(Service, namespace, name) is None:
        raise NotFound(f"there is no service {name} in namespace {namespace}")
    return [
        RevisionName(namespace, revision.metadata.name)
        for revision in view.labelled(Revision, namespace, SERVICE, name)
    ]
