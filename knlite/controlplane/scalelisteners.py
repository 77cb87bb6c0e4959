"""Who has to know which instances there are."""

from collections.abc import Callable, Sequence
from typing import Protocol

from knlite.serving.instance import Endpoint, RevisionName, StartFailure


class Balancer(Protocol):
    """What has to know of instances, at once and before anybody else."""

    def endpoints_changed(self, revision: RevisionName, endpoints: Sequence[Endpoint]) -> None:
        """These are the instances of *revision* that may get requests."""
        ...

    def start_failed(self, revision: RevisionName, why: StartFailure) -> None:
        """No instance of *revision* is ready, and none is about to be."""
        ...

    def when_idle(self, revision: RevisionName, instance: str, idle: Callable[[], None]) -> None:
        """Call *idle* once *instance*, which is no endpoint any more, has but splices left."""
        ...

    def occupied(self, revision: RevisionName, instance: str) -> bool:
        """Whether *instance* has any request, splices among them."""
        ...


class ScaleListener(Protocol):
    """Who wants to know when the number of ready instances changes."""

    def ready_changed(self, revision: RevisionName, ready: int) -> None:
        """*revision* has *ready* instances."""
        ...
