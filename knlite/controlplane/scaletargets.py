"""What both autoscalers do with a decision: command the instances and the path, and tell of it.

Source: Knative reference §2.6.
Not here: decisions (``autoscaler.py``, ``hpa.py``), the status (``podautoscalers.py``).
"""

from collections.abc import Callable
from typing import Protocol

from knlite.clock import Clock
from knlite.facts import PathChanged, Publish, ScaleDecided
from knlite.serving.autoscaling.path import Mode
from knlite.serving.instance import RevisionName


class Instances(Protocol):
    """Who keeps the instances."""

    def set_desired(self, revision: RevisionName, count: int) -> None:
        """Have *count* instances."""
        ...

    def forsake(self, revision: RevisionName) -> None:
        """Have none any more, for good."""
        ...


class ModeListener(Protocol):
    """Who forwards requests."""

    def mode_changed(self, revision: RevisionName, mode: Mode) -> None:
        """Whether the activator is in the path of *revision*; until told otherwise it is."""
        ...


class ScaleTargets:
    """The instances of all revisions, and the ways to them."""

    def __init__(
        self,
        instances: Instances,
        service_of: Callable[[RevisionName], str],
        clock: Clock,
        publish: Publish,
    ) -> None:
        """*service_of* gives the name under which people know a revision."""
        self._instances = instances
        self.service_of = service_of
        self._clock = clock
        self._publish = publish
        self._listeners: list[ModeListener] = []

    def report_to(self, listener: ModeListener) -> None:
        """Tell *listener* when a mode changes."""
        self._listeners.append(listener)

    def scale(
        self, revision: RevisionName, was: int, desired: int, why: str, *, panic: bool = False
    ) -> None:
        """Have *desired* instances of *revision* where *was* were wanted; *why* is a sentence."""
        if desired != was:
            self._publish(
                ScaleDecided(
                    at=self._clock.wall(),
                    namespace=revision.namespace,
                    service=self.service_of(revision),
                    revision=revision.name,
                    desired=desired,
                    was=was,
                    why=why,
                    panic=panic,
                )
            )
        self._instances.set_desired(revision, desired)

    def forsake(self, revision: RevisionName) -> None:
        """*revision* is gone; so are its instances."""
        self._instances.forsake(revision)

    def set_mode(self, revision: RevisionName, mode: Mode, why: str, excess: float = 0.0) -> None:
        """Take the activator into the path of *revision*, or out of it.

        *excess* is the excess burst capacity that led to it, in requests.
        """
        for listener in self._listeners:
            listener.mode_changed(revision, mode)
        self._publish(
            PathChanged(
                at=self._clock.wall(),
                namespace=revision.namespace,
                service=self.service_of(revision),
                revision=revision.name,
                mode=mode,
                excess=excess,
                why=why,
            )
        )
