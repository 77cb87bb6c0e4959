"""Restarts a service when somebody asks for it: new instances, one after the other, for old ones.

Each is ready before the one that it replaces is drained, so no request fails or waits for it.

Source: knlite's own (docs/adr/0048), after ``kubectl rollout restart``.
Differs: on a cluster that makes a new revision; here revisions and traffic stay as they are.
Not here: how instances are replaced (``succession.py``).
"""

from collections.abc import Awaitable, Callable

from knlite.controlplane.resting import services_revisions
from knlite.errors import Conflict
from knlite.registry.registry import Registry
from knlite.serving.instance import RevisionName, StartFailure
from knlite.serving.levels import InstanceCounts

Renew = Callable[[RevisionName], Awaitable[StartFailure | None]]
"""Have new instances of a revision; why one of them could not start."""


class Restarting:
    """Restarts services of one run."""

    def __init__(
        self, registry: Registry, renew: Renew, counts: Callable[[RevisionName], InstanceCounts]
    ) -> None:
        """*counts* gives the instances of a revision."""
        self._registry = registry
        self._renew = renew
        self._counts = counts
        self._under_way: set[tuple[str, str]] = set()

    async def restart(self, namespace: str, name: str) -> dict[str, int]:
        """How many instances of which revisions were there to be replaced; return when they are.

        A service at zero has none; its frozen instances are given up. Raises ``NotFound``;
        ``Conflict`` if one cannot start, or somebody else is restarting it.
        """
        revisions = services_revisions(self._registry.view, namespace, name)
        if (namespace, name) in self._under_way:
            raise Conflict(
                f"{name} cannot be restarted",
                cause="it is being restarted already",
                fix="wait until that is done",
            )
        self._under_way.add((namespace, name))
        try:
            replaced: dict[str, int] = {}
            for revision in revisions:
                found = self._counts(revision)
                count = found.ready + found.not_ready + found.pending
                failure = await self._renew(revision)
                if failure is not None:
                    raise Conflict(
                        f"{name} cannot be restarted",
                        cause=f"a new instance of {revision.name} did not start: {_line(failure)}",
                        fix=f"see knlite logs {name}; what could not be replaced runs on as before",
                    )
                if count:
                    replaced[revision.name] = count
        finally:
            self._under_way.discard((namespace, name))
        return replaced


def _line(failure: StartFailure) -> str:
    return "; ".join(line.strip() for line in failure.message.splitlines() if line.strip())
