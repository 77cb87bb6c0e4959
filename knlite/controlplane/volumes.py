"""Brings edits of ConfigMaps and Secrets to the instances that have them as files.

An edit is carried into the volumes of running instances; variables change with the next start
only. An instance that waits because one of its sources was missing is started again at once.

Source: Knative reference §4.4; the kubelet does the same within a minute or so.
Not here: what a volume holds (``serving/contents.py``), how it gets there (``runtime/``).
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Protocol

import anyio
from anyio.abc import TaskStatus

from knlite.controlplane.launches import volumes_of
from knlite.errors import InstanceFailed
from knlite.facts import Notice, Publish
from knlite.issuer import Issuer
from knlite.kinds.core.configmap import ConfigMap
from knlite.kinds.core.persistentvolumeclaim import PersistentVolumeClaim
from knlite.kinds.core.secret import Secret
from knlite.kinds.serving.revision import Revision
from knlite.registry.registry import Notification, Registry
from knlite.runtime.port import Runtime
from knlite.serving.contents import sources
from knlite.serving.instance import RevisionName
from knlite.serving.volume import FileVolume


class Instances(Protocol):
    """Who keeps the instances."""

    def runtimes(self, revision: RevisionName) -> Mapping[str, Runtime]:
        """Who has been told to start each instance, by the instance's name."""
        ...

    def hurry(self, revision: RevisionName) -> None:
        """Start again now what would be started again later."""
        ...


class VolumeKeeper:
    """Follows the registry for all volumes of a run."""

    def __init__(
        self,
        registry: Registry,
        instances: Instances,
        issuer: Issuer,
        wall: Callable[[], datetime],
        publish: Publish,
    ) -> None:
        self._issuer = issuer
        self._registry = registry
        self._instances = instances
        self._wall = wall
        self._publish = publish
        self._stale: dict[RevisionName, None] = {}
        """Revisions of which an object has been edited, in that order."""
        self._woken = anyio.Event()

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Follow until cancelled."""
        with self._registry.listening(self._note):
            task_status.started()
            while True:
                await self._woken.wait()
                self._woken = anyio.Event()
                while self._stale:
                    name = next(iter(self._stale))
                    del self._stale[name]
                    await self._refresh(name)

    def _note(self, notification: Notification) -> None:
        obj = notification.obj
        if (
            not isinstance(obj, ConfigMap | Secret | PersistentVolumeClaim)
            or notification.change == "deleted"
        ):
            return
        source = (type(obj).__name__, obj.metadata.name)
        for name in self._readers(obj.metadata.namespace, source):
            self._instances.hurry(name)
            if not isinstance(obj, PersistentVolumeClaim):
                self._stale[name] = None
                self._woken.set()

    def _readers(self, namespace: str, source: tuple[str, str]) -> Iterable[RevisionName]:
        for revision in self._registry.view.listed(Revision, namespace):
            if source in sources(revision.spec):
                yield RevisionName(namespace, revision.metadata.name)

    async def _refresh(self, name: RevisionName) -> None:
        view = self._registry.view
        revision = view.get(Revision, name.namespace, name.name)
        if revision is None or not revision.spec.volumes:
            return
        for instance, runtime in self._instances.runtimes(name).items():
            try:
                held = volumes_of(revision, instance, view, self._issuer)
                files = {
                    volume: content
                    for volume, content in held.items()
                    if isinstance(content, FileVolume)
                }
                await runtime.refresh(instance, files)
            except InstanceFailed as exc:
                text = f"the volumes of {instance} stay as they are: {exc}"
                self._publish(Notice(at=self._wall(), level="warning", text=text))
