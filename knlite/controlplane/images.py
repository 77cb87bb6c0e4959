"""Makes the code of every revision ready to start, before the first request needs it.

The outcome is written as the status of the Image of each container. A preparation that failed is
tried again when the next instance is to start.

Source: knlite's own; the reasons are Kubernetes' (``ErrImagePull``) and Knative's
(``ContainerMissing``).
"""

from dataclasses import dataclass

import anyio
import msgspec
from anyio.abc import TaskGroup, TaskStatus

from knlite.clock import Clock
from knlite.controlplane.preparation import Code, Pending, PodCode, Preparation, pod_code
from knlite.controlplane.wanted import of_revision
from knlite.errors import InstanceFailed, defect
from knlite.kinds.meta import controller_of
from knlite.kinds.podspec.fields import Container, serving_container
from knlite.kinds.serving.image import CONDITIONS, Image, ImageStatus, image_name
from knlite.kinds.serving.revision import Revision
from knlite.registry.registry import Notification, Registry
from knlite.serving.imagename import registry_of
from knlite.serving.instance import RevisionName

_MISSING = frozenset({"ErrImagePull", "ErrImageNeverPull", "InvalidImageName"})
"""What a runtime says of an image that it cannot get."""


Entries = dict[str, Pending]
"""The code of the containers of a revision, by the container's name."""


@dataclass(frozen=True, slots=True)
class Renewal:
    """New code for a revision that stays."""

    revision: RevisionName
    before: Entries
    after: Entries


class Images:
    """The code of all revisions of a run."""

    def __init__(
        self,
        registry: Registry,
        preparation: Preparation,
        clock: Clock,
    ) -> None:
        self._registry = registry
        self._clock = clock
        self._preparation = preparation
        self._entries: dict[RevisionName, Entries] = {}
        self._replaced: dict[RevisionName, Entries] = {}
        """What ``renew`` has replaced last."""
        self._group: TaskGroup | None = None
        self._busy = 0

    @property
    def settled(self) -> bool:
        """Whether nothing is being prepared."""
        return self._busy == 0

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Prepare the code of every revision that appears, until cancelled."""
        async with anyio.create_task_group() as self._group:
            with self._registry.listening(self._note):
                task_status.started()
                await anyio.sleep_forever()

    async def pod_of(self, revision: RevisionName) -> PodCode:
        """The code of *revision*, waiting for it if need be. Raises ``InstanceFailed``."""
        found = self._registry.view.get(Revision, revision.namespace, revision.name)
        serving = serving_container(found.spec) if found is not None else None
        if found is None or serving is None:
            raise InstanceFailed("ContainerMissing", f"{revision.name} has been deleted")
        containers = (*found.spec.containers, *found.spec.init_containers)
        # Begun all at once, so that they are prepared side by side.
        entries = {each.name: self._entry(revision, each.name) for each in containers}
        deleted = f"{revision.name} has been deleted"
        codes = {name: await entry.outcome(deleted) for name, entry in entries.items()}
        return pod_code(codes, serving.name)

    async def renew(self, revision: RevisionName) -> Renewal:
        """Prepare the code of *revision* anew, for its next instances.

        Raises ``InstanceFailed``; then all is as it was.
        """
        found = self._registry.view.get(Revision, revision.namespace, revision.name)
        if found is None or revision not in self._entries:
            raise InstanceFailed("ContainerMissing", f"{revision.name} has been deleted")
        renewal = Renewal(revision, self._entries[revision], {})
        try:
            for each in _containers(found):
                entry = renewal.after[each.name] = Pending()
                entry.code = await self._prepared(revision, each.name)
                entry.done.set()
            self._put(renewal, before=renewal.before, after=renewal.after)
        except InstanceFailed:
            raise
        except Exception as exc:
            raise defect(exc) from exc
        finally:
            if self._entries.get(revision) is not renewal.after:
                self._release(renewal.after)
        return renewal

    def keep(self, renewal: Renewal) -> None:
        """Instances of the new code have taken the place of those of the old one.

        These may still be at their last requests; their code is let go with the next renewal.
        """
        if self._entries.get(renewal.revision) is renewal.after:
            self._release(self._replaced.pop(renewal.revision, {}))
            self._replaced[renewal.revision] = renewal.before
        else:
            self._release(renewal.before)

    def restore(self, renewal: Renewal) -> None:
        """Let the revision have the code again that it had before."""
        self._put(renewal, before=renewal.after, after=renewal.before)
        self._release(renewal.after)

    def _put(self, renewal: Renewal, *, before: Entries, after: Entries) -> None:
        # Another revision of this name may have come meanwhile.
        if self._entries.get(renewal.revision) is before:
            self._entries[renewal.revision] = after
            for container, entry in after.items():
                if entry.done.is_set():
                    self._write_status(renewal.revision, container, entry)

    def _release(self, entries: Entries) -> None:
        for entry in entries.values():
            self._forget(entry)

    def _entry(self, revision: RevisionName, container: str) -> Pending:
        entry = self._entries.get(revision, {}).get(container)
        if entry is None or entry.failure is not None:
            entry = self._begin(revision, container)
        return entry

    def _note(self, notification: Notification) -> None:
        image = notification.obj
        if not isinstance(image, Image):
            return
        owner = controller_of(image)
        if owner is None:
            return
        revision = RevisionName(image.metadata.namespace, owner.name)
        match notification.change:
            case "added":
                container = self._container_of(revision, image.metadata.name)
                if container is not None and container not in self._entries.get(revision, {}):
                    self._begin(revision, container)
            case "deleted":
                for entry in self._entries.pop(revision, {}).values():
                    entry.done.set()
                    self._forget(entry)
                self._release(self._replaced.pop(revision, {}))
            case _:
                pass

    def _forget(self, entry: Pending) -> None:
        """Let its runtime remove what no other revision needs."""
        code = entry.code
        if code is None or self._group is None:
            return
        used = (*self._entries.values(), *self._replaced.values())
        others = (each.code for entries in used for each in entries.values())
        kept = [each.prepared for each in others if each and each.runtime is code.runtime]
        self._group.start_soon(code.runtime.forget, code.prepared, kept)

    def _container_of(self, revision: RevisionName, image: str) -> str | None:
        found = self._registry.view.get(Revision, revision.namespace, revision.name)
        names = [] if found is None else [each.name for each in _containers(found)]
        return next((each for each in names if image_name(revision.name, each) == image), None)

    def _begin(self, revision: RevisionName, container: str) -> Pending:
        entry = Pending()
        self._entries.setdefault(revision, {})[container] = entry
        if self._group is not None:
            self._busy += 1
            self._group.start_soon(self._prepare, revision, container, entry)
        return entry

    async def _prepare(self, name: RevisionName, container: str, entry: Pending) -> None:
        try:
            entry.code = await self._prepared(name, container)
        except InstanceFailed as exc:
            entry.failure = exc
        except Exception as exc:  # noqa: BLE001  what one image brings to light ends no others
            entry.failure = defect(exc)
        finally:
            self._busy -= 1
            entry.done.set()
        if self._entries.get(name, {}).get(container) is entry:
            self._write_status(name, container, entry)

    async def _prepared(self, name: RevisionName, container: str) -> Code:
        revision = self._registry.view.get(Revision, name.namespace, name.name)
        found = None if revision is None else _containers(revision, container)
        if revision is None or not found:
            raise InstanceFailed("ContainerMissing", f"revision {name.name} is gone")
        return await self._preparation.code(of_revision(revision), found[0])

    def _write_status(self, name: RevisionName, container: str, entry: Pending) -> None:
        key = (name.namespace, image_name(name.name, container))
        image = self._registry.view.get(Image, *key)
        if image is None:
            return
        editor = CONDITIONS.edit(image.status.conditions, self._clock.wall())
        if entry.failure is not None:
            resolved = registry_of(image.spec.image) not in self._unresolved()
            editor.false("Ready", *_explained(image.spec.image, entry.failure, resolved=resolved))
        else:
            editor.true("Ready")
        code = entry.code
        status = ImageStatus(
            observed_generation=image.metadata.generation,
            conditions=editor.result(),
            digest=code.prepared.digest if code else image.status.digest,
            runs_as=f"{code.choice.runtime}: {code.choice.why}" if code else "",
        )
        self._registry.update_status(msgspec.structs.replace(image, status=status))

    def _unresolved(self) -> tuple[str, ...]:
        return self._registry.config.deployment.registries_skipping_tag_resolving


def _containers(revision: Revision, name: str | None = None) -> list[Container]:
    """All containers of *revision*, or the one called *name*."""
    spec = revision.spec
    return [each for each in (*spec.containers, *spec.init_containers) if name in (None, each.name)]


def _explained(image: str, failed: InstanceFailed, *, resolved: bool) -> tuple[str, str]:
    """Reason and message of a condition.

    Those of an image whose tag has to be *resolved* are Knative's; one with a digest, or of a
    registry where tags are left alone, first fails when a node pulls it.
    """
    if failed.reason not in _MISSING or "@" in image or not resolved:
        return failed.reason, str(failed)
    fix = f"\n  fix:   {failed.fix}" if failed.fix else ""
    return (
        "ContainerMissing",
        f'Unable to fetch image "{image}": {failed.cause or failed.what}{fix}',
    )
