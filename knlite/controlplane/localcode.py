"""Which objects run code from which folders of this machine, and what that code has become.

Source: knlite's own; ``docs/adr/0042-a-save-is-a-template-change.md``.
Not here: who notices that code has changed (``reloader.py``), how it is chosen (``chooser.py``).
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import anyio
import anyio.to_thread

from knlite.controlplane.chooser import Chooser
from knlite.controlplane.wanted import Wanted
from knlite.errors import InstanceFailed
from knlite.functions import contents, snapshot
from knlite.functions.ignore import Ignored, ignored
from knlite.functions.sourcelike import not_sources
from knlite.kinds.core.deployment import Deployment
from knlite.kinds.labels import FUNCTION
from knlite.kinds.meta import Object, controller_of
from knlite.kinds.serving.configuration import Configuration
from knlite.kinds.serving.service import Service
from knlite.reconcile import View
from knlite.serving.code import Stamped, annotations_of, code_of, is_named, with_code
from knlite.serving.workload import (
    Choice,
    DockerfileFolder,
    FunctionProject,
    LocalCommand,
    Sources,
    StoredImage,
    declared_as,
)

Local = FunctionProject | DockerfileFolder | LocalCommand
"""Code that somebody may edit."""


class LocalCode:
    """The local code of all objects, as *chooser* finds it."""

    def __init__(self, chooser: Chooser, cache_dir: Path, data_dir: Path | None = None) -> None:
        """Snapshots of functions are kept below *cache_dir*; *data_dir* is no code either."""
        self._chooser = chooser
        self._cache_dir = cache_dir
        self._apart = frozenset(each.resolve() for each in (cache_dir, data_dir) if each)
        self.changed: dict[Path, str] = {}
        """The digest of the code in each folder where it has changed since it was first seen."""

    async def look(self, code: Local, folder: Path) -> str:
        """The digest of *code* in *folder* as it is now; a function's is kept as a snapshot.

        Raises ``InstanceFailed``.
        """
        if not await anyio.Path(folder).is_dir():
            raise InstanceFailed("FolderMissing", f"{folder} is gone")
        rule = self.rule(code, folder)
        if isinstance(code, FunctionProject):
            taken = await snapshot.take(
                folder, name=code.name, cache_dir=self._cache_dir, leave_out=rule
            )
            return taken.digest
        return await anyio.to_thread.run_sync(lambda: contents.digest(folder, leave_out=rule))

    def rule(self, code: Local, folder: Path) -> Ignored:
        """What in *folder* is not part of *code*; manifests are not, nor is what knlite writes."""
        rule = not_sources(folder) if isinstance(code, LocalCommand) else ignored(folder)
        manifests = self.sources.manifests

        def left_out(path: str, is_folder: bool) -> bool:
            here = folder / path
            return rule(path, is_folder) or here in self._apart or str(here) in manifests

        return left_out

    def change(self, folder: Path, code: Local, digest: str, *, in_place: bool) -> None:
        """*code* in *folder* is another one now; *in_place* without a new revision."""
        if in_place:
            self._chooser.live[code.folder] = digest
        else:
            self.changed[folder] = digest

    @property
    def sources(self) -> Sources:
        """What the files at hand say of code."""
        return self._chooser.sources

    def of(self, obj: Stamped) -> dict[Path, Local]:
        """The code that *obj* runs and that is reloaded, by its folder.

        What was deployed stays as it was at that moment.
        """
        annotations = annotations_of(obj)
        spec = obj.spec.template.spec
        wanted = Wanted(
            namespace=obj.metadata.namespace,
            service=obj.metadata.name,
            revision="",
            manifest=declared_as(type(obj).__name__, obj.metadata.name),
            labels=obj.spec.template.metadata.labels,
            annotations=annotations,
            spec=spec,
        )
        found: dict[Path, Local] = {}
        for container in (*spec.containers, *spec.init_containers):
            choice = self._chooser.choose(wanted, container)
            if not isinstance(choice, Choice) or isinstance(choice.workload, StoredImage):
                continue
            folder = choice.workload.folder
            deployed = FUNCTION in annotations and isinstance(choice.workload, FunctionProject)
            if deployed and all(each.folder != folder for each in self.sources.projects):
                continue
            found[Path(folder).resolve()] = choice.workload
        return found

    def stamped(self, obj: Object, view: View) -> Object:
        """The mutating webhook: *obj* with the stamp of its code, if that has ever changed.

        What belongs to something else has the template, and so the stamp, of that.
        """
        if not isinstance(obj, Service | Configuration | Deployment) or is_named(obj):
            return obj
        if controller_of(obj) is not None:
            return obj
        stored = view.get(type(obj), obj.metadata.namespace, obj.metadata.name)
        before = code_of(annotations_of(stored)) if stored is not None else ""
        if not (self.changed or before):
            return obj
        folders = self.of(obj)
        # Where its folder is gone for now, what runs from it runs on.
        same = stored is not None and _images(stored) == _images(obj)
        kept = before if folders or same else ""
        if FUNCTION in annotations_of(obj) and code_of(annotations_of(obj)):
            # Whoever deployed it has said of which code.
            kept = ""
        return with_code(obj, stamp(folders, self.changed) or kept)


def _images(obj: Stamped) -> list[str]:
    spec = obj.spec.template.spec
    return [each.image for each in (*spec.containers, *spec.init_containers)]


def stamp(folders: Mapping[Path, Local], changed: Mapping[Path, str]) -> str:
    """One digest for all of *folders*; "" if nothing in them has *changed*."""
    found = [changed[each] for each in sorted(folders) if each in changed]
    if len(found) < 2:
        return "".join(found)
    return f"sha256:{hashlib.sha256(' '.join(found).encode()).hexdigest()}"
