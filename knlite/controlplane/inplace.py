"""New code for a revision that stays: its instances are replaced once new ones are ready.

Source: knlite's own; ``docs/adr/0042-a-save-is-a-template-change.md``.
Differs: on a cluster a revision never changes.
Not here: when (``reloader.py``).
"""

from knlite.controlplane.images import Images
from knlite.controlplane.resting import Resting
from knlite.controlplane.supervisor import Supervisor
from knlite.errors import InstanceFailed
from knlite.serving.instance import RevisionName


class InPlace:
    """Replaces instances of one run."""

    def __init__(self, images: Images, supervisor: Supervisor, resting: Resting) -> None:
        self._images = images
        self._supervisor = supervisor
        self._resting = resting

    def rest(self, revision: RevisionName) -> None:
        """Have no instance of *revision*, not even a frozen one. Raises ``Conflict``."""
        self._resting.at_once(revision, "a newer revision has taken its place")
        self._supervisor.let_go(revision)

    async def replace(self, revision: RevisionName) -> None:
        """Let *revision* run its code as it is now.

        Raises ``InstanceFailed`` if that cannot start; then, and when this is cancelled, it runs as
        before.
        """
        renewal = await self._images.renew(revision)
        replaced = False
        try:
            failure = await self._supervisor.replace(revision)
            replaced = failure is None
        finally:
            if replaced:
                self._images.keep(renewal)
            else:
                self._images.restore(renewal)
        if failure is not None:
            # Its last words, where it had any, rather than that it has ended.
            why, _, last_words = failure.message.partition("\n")
            raise InstanceFailed(failure.reason, last_words or why)
