"""Which of the engine's volumes an instance needs, and where its containers mount them.

Every volume of the launch becomes a volume of the engine, never a folder of this machine, since
the engine may run where this machine's paths mean something else. They are filled through a
container that mounts them all and never runs (``volumes.py``).

A part of an emptyDir that somebody mounts by its sub path is a volume of its own, mounted inside
wherever the rest is. Mounting a folder inside the volume would be simpler, but a program could
have put a link to the engine's own files in its place.

Differs: a volume in memory is lost when its instance restarts in place; one that init containers
fill, too, lies on the disk, since nobody would hold the memory until the others start. The limit
of an emptyDir on the disk is not enforced, where a cluster would evict the pod.

Source: Kubernetes core/v1 Volume, VolumeMount; Knative reference §4.4.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from posixpath import join, normpath
from typing import Literal

from knlite.errors import InstanceFailed
from knlite.runtime.port import ContainerLaunch, Launch
from knlite.serving.container import Mount
from knlite.serving.volume import Claimed, EmptyDir, FileVolume


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineVolume:
    """A volume that the engine has to have."""

    name: str
    source: str
    """The launch's volume that it is, or is a part of."""
    files: FileVolume | None = None
    """What it holds at the start; None for an empty one that everybody may write to."""
    folders: tuple[str, ...] = ()
    """Paths inside at which other volumes will be mounted."""
    memory: EmptyDir | None = None
    """Set if it lies in memory."""
    claim: str = ""
    """Whose it is, if it outlives the instance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineMount:
    """What one container mounts at *path*."""

    kind: Literal["volume", "inside", "tmpfs"]
    """A whole volume; what lies at *inside* of it; a piece of memory of this container's own."""
    path: str
    volume: str = ""
    inside: str = ""
    read_only: bool = False
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Volumes of an instance, and the mounts of its containers by name."""

    volumes: tuple[EngineVolume, ...] = ()
    mounts: Mapping[str, tuple[EngineMount, ...]] = field(default_factory=dict)


def plan(launch: Launch) -> Plan:
    """What *launch* needs. Raises ``InstanceFailed`` for a mount that leads out of its volume."""
    everybody = (*launch.init, *launch.containers)
    volumes: list[EngineVolume] = []
    mounts: dict[str, list[EngineMount]] = {each.name: [] for each in everybody}
    for name, content in launch.volumes.items():
        users = [
            (each, _checked(mount))
            for each in everybody
            for mount in each.mounts
            if mount.volume == name
        ]
        if not users:
            continue
        engine_name = f"{launch.instance}.{name}"
        if isinstance(content, FileVolume):
            volumes.append(EngineVolume(name=engine_name, source=name, files=content))
            for container, mount in users:
                mounts[container.name].append(_of_files(engine_name, mount))
        elif isinstance(content, Claimed):
            volumes.append(EngineVolume(name=content.volume, source=name, claim=content.claim))
            for container, mount in users:
                mounts[container.name].append(_of_claim(content.volume, mount))
        elif content.in_memory and len(users) == 1 and not users[0][1].sub_path:
            container, mount = users[0]
            own = EngineMount(
                kind="tmpfs", path=mount.path, read_only=mount.read_only, size=content.size_limit
            )
            mounts[container.name].append(own)
        else:
            shared = content.in_memory and not any(each in launch.init for each, _ in users)
            parts = _Parts(name, engine_name, {mount.sub_path for _, mount in users})
            volumes += parts.volumes(content if shared else None)
            for container, mount in users:
                mounts[container.name] += parts.mounts(mount)
    return Plan(tuple(volumes), {name: tuple(found) for name, found in mounts.items() if found})


def _checked(mount: Mount) -> Mount:
    sub_path = normpath(mount.sub_path) if mount.sub_path else ""
    if sub_path == ".." or sub_path.startswith(("/", "../")):
        raise InstanceFailed(
            "CreateContainerConfigError",
            f"the subPath {mount.sub_path!r} leads out of the volume {mount.volume}",
            fix="make it relative and without ..",
        )
    sub_path = "" if sub_path == "." else sub_path
    return Mount(volume=mount.volume, path=mount.path, sub_path=sub_path, read_only=mount.read_only)


def _of_claim(volume: str, mount: Mount) -> EngineMount:
    if mount.sub_path:
        raise InstanceFailed(
            "CreateContainerConfigError",
            f"the subPath {mount.sub_path!r} of the claimed volume {mount.volume} cannot be had",
            cause="a program that writes to the volume could lead it to the engine's own files",
            fix="mount the whole volume, and let the program use a folder in it",
        )
    return EngineMount(kind="volume", path=mount.path, volume=volume, read_only=mount.read_only)


def _of_files(volume: str, mount: Mount) -> EngineMount:
    return EngineMount(
        kind="inside" if mount.sub_path else "volume",
        path=mount.path,
        volume=volume,
        inside=mount.sub_path,
        read_only=True,
    )


class _Parts:
    """An emptyDir, cut at the sub paths by which it is mounted."""

    def __init__(self, source: str, name: str, sub_paths: set[str]) -> None:
        self._source = source
        self._names = {
            path: f"{name}.{number}" if path else name
            for number, path in enumerate(sorted(sub_paths))
        }

    def volumes(self, memory: EmptyDir | None) -> list[EngineVolume]:
        return [
            EngineVolume(
                name=name,
                source=self._source,
                folders=() if memory else tuple(below for below, _ in self._below(path)),
                memory=memory,
            )
            for path, name in self._names.items()
        ]

    def mounts(self, mount: Mount) -> list[EngineMount]:
        def at(path: str, volume: str) -> EngineMount:
            return EngineMount(kind="volume", path=path, volume=volume, read_only=mount.read_only)

        nested = [at(join(mount.path, below), name) for below, name in self._below(mount.sub_path)]
        return [at(mount.path, self._names[mount.sub_path]), *nested]

    def _below(self, path: str) -> Sequence[tuple[str, str]]:
        """(relative path, name) of the parts inside the one at *path*, outer ones first."""
        prefix = f"{path}/" if path else ""
        return [
            (other.removeprefix(prefix), name)
            for other, name in self._names.items()
            if other != path and other.startswith(prefix)
        ]


def mounts_of(plan: Plan, container: ContainerLaunch) -> tuple[EngineMount, ...]:
    """What *container* mounts."""
    return plan.mounts.get(container.name, ())
