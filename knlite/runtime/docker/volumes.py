"""The engine's volumes of one instance: made, filled, rewritten, removed. Everything here blocks.

A container that mounts them all and never runs is the way in: what is put into it is put into
them, whoever else mounts them meanwhile.
"""

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from knlite.runtime.docker import problems
from knlite.runtime.docker.archive import EVERYBODY, Archive
from knlite.runtime.docker.mounts import EngineMount, EngineVolume, Plan
from knlite.runtime.docker.owner import PREFIX
from knlite.runtime.docker.remove import remove_container
from knlite.serving.volume import FileVolume

if TYPE_CHECKING:
    from docker import APIClient

_ROOT = "v"
CLAIM = f"{PREFIX}/claim"
"""Label of a volume that is claimed. It has no owner, since it outlives the run that made it."""


class Volumes:
    """All volumes of one instance, from before its first start until it is discarded."""

    def __init__(
        self,
        client: "APIClient",
        instance: str,
        plan: Plan,
        *,
        labels: Mapping[str, str],
        fs_group: int | None,
    ) -> None:
        self._client = client
        self._instance = instance
        self._plan = plan
        self._labels = dict(labels)
        self._group = fs_group or 0
        self._filled = [each for each in plan.volumes if each.memory is None]
        self._turns: dict[str, int] = {}
        self._written = {each.source: each.files for each in plan.volumes if each.files}
        self._holder: str | None = None
        self._places: dict[str, str] = {}
        """Where the engine keeps those volumes of which only a part is mounted."""
        self._settled: frozenset[str] | None = None
        """Claimed volumes that were there before this instance."""
        self._writing = threading.Lock()

    def fill(self, image: str) -> None:
        """Make and fill the volumes; *image* is any that the engine has. Raises ``InstanceFailed``.

        Does nothing when they are there already.
        """
        from docker.errors import DockerException
        from requests.exceptions import RequestException

        try:
            if self._holder is None and self._filled:
                self._holder = self._made(image)
            for name in sorted(self._partly_mounted()):
                self._places[name] = self._client.inspect_volume(name)["Mountpoint"]
        except (DockerException, RequestException, ValueError) as error:
            cause = problems.engine_says(error)
            raise problems.volumes_failed(self._instance, cause) from error

    def refresh(self, contents: Mapping[str, FileVolume]) -> None:
        """Put *contents* into the volumes of these names. Raises ``InstanceFailed``."""
        from docker.errors import DockerException
        from requests.exceptions import RequestException

        with self._writing:
            changed = {
                name: files for name, files in contents.items() if self._written.get(name) != files
            }
            if self._holder is None or not changed:
                return
            archive = Archive(self._group)
            for number, volume in enumerate(self._filled):
                if volume.files is not None and volume.source in changed:
                    files = changed[volume.source]
                    archive.volume(f"{_ROOT}/{number}", files, self._turn(volume))
            try:
                self._client.put_archive(self._holder, "/", archive.done())
            except (DockerException, RequestException) as error:
                cause = problems.engine_says(error)
                raise problems.volumes_failed(self._instance, cause) from error
            self._written.update(changed)

    def settings(self, mounts: Sequence[EngineMount]) -> dict[str, Any]:
        """Arguments of ``create_host_config`` for a container with *mounts*."""
        from docker.types import Mount

        settings: dict[str, Any] = {}
        tmpfs = {each.path: _tmpfs(each) for each in mounts if each.kind == "tmpfs"}
        if tmpfs:
            settings["tmpfs"] = tmpfs
        found = []
        for each in mounts:
            if each.kind == "volume":
                found.append(self._mount(each.path, each.volume, read_only=each.read_only))
            elif each.kind == "inside":
                source = f"{self._places[each.volume]}/{each.inside}"
                found.append(Mount(each.path, source, type="bind", read_only=each.read_only))
        if found:
            settings["mounts"] = found
        return settings

    def remove(self) -> None:
        """Remove all of them but those that are claimed."""
        from docker.errors import APIError
        from requests.exceptions import RequestException

        with self._writing:
            if self._holder is not None:
                remove_container(self._client, self._holder)
                self._holder = None
            for volume in self._plan.volumes:
                if volume.claim:
                    continue
                try:
                    self._client.remove_volume(volume.name)
                except (APIError, RequestException):
                    continue  # Gone already; what stays is the next sweep's.

    def _made(self, image: str) -> str:
        """The container that holds the volumes, filled."""
        self._turns.clear()
        if self._settled is None:
            claimed = (each.name for each in self._filled if each.claim)
            self._settled = frozenset(name for name in claimed if self._is_there(name))
        mounts = [
            self._mount(f"/{_ROOT}/{number}", volume.name)
            for number, volume in enumerate(self._filled)
        ]
        archive = Archive(self._group)
        for number, volume in enumerate(self._filled):
            root = f"{_ROOT}/{number}"
            if volume.files is not None:
                archive.folder(root)
                archive.volume(root, volume.files, self._turn(volume))
            elif volume.name not in self._settled:
                # Who has a claim since earlier may have closed the folder to others, as databases.
                archive.folder(root, EVERYBODY)
                for below in volume.folders:
                    archive.folder(f"{root}/{below}", EVERYBODY)
        host = self._client.create_host_config(network_mode="none", mounts=mounts)
        made = self._client.create_container(
            image,
            name=f"{self._instance}.volumes",
            # Never run, but an engine wants one.
            command=["/"],
            labels=self._labels,
            host_config=host,
        )
        holder = str(made["Id"])
        try:
            self._client.put_archive(holder, "/", archive.done())
        except Exception:
            # The next start makes it anew, instead of finding volumes that hold half.
            remove_container(self._client, holder)
            raise
        return holder

    def _is_there(self, volume: str) -> bool:
        from docker.errors import NotFound

        try:
            self._client.inspect_volume(volume)
        except NotFound:
            return False
        return True

    def _mount(self, path: str, volume: str, *, read_only: bool = False) -> Any:
        from docker.types import DriverConfig, Mount

        planned = next(each for each in self._plan.volumes if each.name == volume)
        memory = planned.memory
        driver = None
        if memory is not None:
            options = f"mode={EVERYBODY:o}"
            if memory.size_limit is not None:
                options += f",size={memory.size_limit}"
            driver = DriverConfig("local", {"type": "tmpfs", "device": "tmpfs", "o": options})
        return Mount(
            path,
            volume,
            type="volume",
            read_only=read_only,
            no_copy=True,
            labels={CLAIM: planned.claim} if planned.claim else self._labels,
            driver_config=driver,
        )

    def _partly_mounted(self) -> set[str]:
        return {
            each.volume
            for mounts in self._plan.mounts.values()
            for each in mounts
            if each.kind == "inside" and each.volume not in self._places
        }

    def _turn(self, volume: EngineVolume) -> int:
        turn = self._turns.get(volume.name, -1) + 1
        self._turns[volume.name] = turn
        return turn


def _tmpfs(mount: EngineMount) -> str:
    options = ["ro" if mount.read_only else "rw", "exec", f"mode={EVERYBODY:o}"]
    if mount.size is not None:
        options.append(f"size={mount.size}")
    return ",".join(options)
