"""Lets the storage of a PersistentVolumeClaim go when the claim is deleted and nobody mounts it.

Source: Kubernetes' reclaim policy Delete, and its finalizer ``pvc-protection``.
Differs: the claim itself is gone at once; its storage follows when the last instance has let go.
Not here: how storage is made, which happens with the first instance that mounts it (``runtime/``).
"""

from collections.abc import Iterable

import anyio
from anyio.abc import TaskStatus

from knlite.kinds.core.persistentvolumeclaim import PersistentVolumeClaim, volume_of
from knlite.kinds.core.pod import Pod
from knlite.registry.registry import Notification, Registry
from knlite.runtime.port import Runtime


class ClaimKeeper:
    """Follows the registry for all claims of a run."""

    def __init__(self, registry: Registry, runtimes: Iterable[Runtime]) -> None:
        self._registry = registry
        self._runtimes = tuple(runtimes)
        self._going: dict[str, None] = {}
        """Volumes that nobody claims any more."""
        self._woken = anyio.Event()

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Follow until cancelled."""
        with self._registry.listening(self._note):
            task_status.started()
            while True:
                await self._woken.wait()
                self._woken = anyio.Event()
                for volume in tuple(self._going):
                    gone = [await runtime.release(volume) for runtime in self._runtimes]
                    if all(gone):
                        self._going.pop(volume, None)

    def _note(self, notification: Notification) -> None:
        obj, gone = notification.obj, notification.change == "deleted"
        if isinstance(obj, PersistentVolumeClaim):
            volume = volume_of(obj.metadata.namespace, obj.metadata.name)
            if gone:
                self._going[volume] = None
                self._woken.set()
            else:
                # Claimed again before it went.
                self._going.pop(volume, None)
        elif isinstance(obj, Pod) and gone and self._going:
            self._woken.set()
