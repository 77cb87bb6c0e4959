"""An instance through all its starts: volumes, init containers, then the others side by side.

The serving container is started first and owns the network; sidecars join it. An instance of one
container without volumes takes this path too, and costs no call to the engine more than that
container.

Source: Knative reference §4.4.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anyio

from knlite.runtime.docker import problems
from knlite.runtime.docker.container import (
    Image,
    Settings,
    init_settings,
    owner_labels,
    serving_settings,
    sidecar_settings,
)
from knlite.runtime.docker.instance import DockerInstance, stop_containers
from knlite.runtime.docker.logs import read_attached
from knlite.runtime.docker.mounts import mounts_of, plan
from knlite.runtime.docker.network import Network, instance_address
from knlite.runtime.docker.owner import Owner
from knlite.runtime.docker.remove import remove_container
from knlite.runtime.docker.running import Running
from knlite.runtime.docker.start import Started, start_again, start_container
from knlite.runtime.docker.threads import Threads
from knlite.runtime.docker.volumes import Volumes
from knlite.runtime.lastwords import LastWords
from knlite.runtime.port import ContainerLaunch, Launch, Logs
from knlite.serving.instance import Address
from knlite.serving.volume import FileVolume

if TYPE_CHECKING:
    from docker import APIClient

CLEANUP_SECONDS = 30.0
"""How long a start that was cancelled may take to be undone."""
NOWHERE = "255.255.255.255"
"""Address of a container that has ended before it could be asked for one: connecting fails at
once, and reaches nobody else's server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What is the same for all instances of a run."""

    client: "APIClient"
    threads: Threads
    commands: Threads
    """For commands in containers, which may hang and must not hold up a start."""
    network: Network
    owner: Owner
    init: bool
    """Whether the engine has an init program."""
    by_cgroup: bool = False
    """Whether containers are frozen by their control groups where that is possible."""


class Pod:
    """One instance, by name."""

    def __init__(self, surroundings: Surroundings, launch: Launch) -> None:
        self._around = surroundings
        self._plan = plan(launch)
        self._volumes = Volumes(
            surroundings.client,
            launch.instance,
            self._plan,
            labels=owner_labels(launch, surroundings.owner),
            fs_group=launch.fs_group,
        )
        self._initialized = not launch.init
        self._leaving: list[Running] = []
        """Init containers that have succeeded and are being removed."""
        self._made: dict[str, Settings] = {}
        """With what its containers were made, by name."""
        self._parked: dict[str, str] = {}
        """Those that have ended and are kept: their ids, by name."""

    @property
    def lasting(self) -> bool:
        """Whether anything of it outlives its programs."""
        return bool(self._plan.volumes or self._parked) or not self._initialized

    async def start(self, launch: Launch, logs: Logs, hosts: Mapping[str, str]) -> DockerInstance:
        """Start its containers, after its init containers if those have not succeeded yet."""
        if self._plan.volumes:
            await self._fill(launch)
        for container in () if self._initialized else launch.init:
            await self._initialize(launch, container, logs, hosts)
        self._initialized = True
        around = self._around
        image = image_of(launch.serving)
        settings = serving_settings(
            launch,
            image,
            network=around.network,
            hosts=hosts,
            owner=around.owner,
            init=around.init,
        )
        serving, inspected = await self._run(launch.serving, image, settings, logs)
        containers = [serving]
        try:
            for sidecar in launch.sidecars:
                image = image_of(sidecar)
                settings = sidecar_settings(
                    launch, sidecar, image, owner=around.owner, init=around.init
                )
                started, _ = await self._run(sidecar, image, settings, logs)
                containers.append(started)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await stop_containers(containers, 0.0)
            raise
        return DockerInstance(
            around.client,
            around.threads,
            around.commands,
            containers=containers,
            address=instance_address(inspected, around.network, launch.port)
            or Address(NOWHERE, launch.port),
            pid=self._visible_pid(inspected),
            parked=lambda: self._parked.update((each.name, each.id) for each in containers),
        )

    async def refresh(self, volumes: Mapping[str, FileVolume]) -> None:
        """Put *volumes* into those that it has."""
        await self._around.threads.submit(self._volumes.refresh, volumes)

    async def remove(self) -> None:
        """Remove its volumes, and what is kept of its containers."""
        await stop_containers(self._leaving, 0.0)
        await self._forget_parked()
        await self._around.threads.submit(self._volumes.remove)

    async def _fill(self, launch: Launch) -> None:
        files = {
            name: content
            for name, content in launch.volumes.items()
            if isinstance(content, FileVolume)
        }

        def fill() -> None:
            self._volumes.fill(image_of(launch.serving).id)
            # A restart finds what they held at the first start.
            self._volumes.refresh(files)

        filling = self._around.threads.submit(fill)
        try:
            await asyncio.shield(filling)
        except asyncio.CancelledError:
            # What has begun is finished, so that ``remove`` finds all of it.
            with anyio.move_on_after(CLEANUP_SECONDS, shield=True):
                await asyncio.wait({filling})
            raise

    async def _initialize(
        self, launch: Launch, container: ContainerLaunch, logs: Logs, hosts: Mapping[str, str]
    ) -> None:
        """Run one init container to its end. Raises ``InstanceFailed``."""
        around, image = self._around, image_of(container)
        settings = init_settings(
            launch,
            container,
            image,
            network=around.network,
            hosts=hosts,
            owner=around.owner,
            init=around.init,
        )
        running, _ = await self._run(container, image, settings, logs)
        how = None
        try:
            how = await asyncio.shield(running.exit)
        finally:
            if how is None or how.code:
                # The next try will want its name.
                with anyio.CancelScope(shield=True):
                    await stop_containers([running], 0.0)
        if how.code:
            raise problems.init_failed(container.name, how.code, how.message)
        self._leaving.append(running)

    async def _run(
        self, container: ContainerLaunch, image: Image, settings: Settings, logs: Logs
    ) -> tuple[Running, Mapping[str, Any]]:
        around = self._around
        mounted = self._volumes.settings(mounts_of(self._plan, container))
        if mounted:
            settings = Settings(host={**settings.host, **mounted}, container=settings.container)
        if self._parked and settings != self._made.get(container.name):
            # A Secret or another service has changed; sidecars are tied to the serving one.
            await self._forget_parked()
        starting = around.threads.submit(
            _start, around.client, image.name, settings, self._parked.pop(container.name, "")
        )
        self._made[container.name] = settings
        try:
            started = await asyncio.shield(starting)
            log = LastWords(logs(container.name))
            running = Running(
                around.client,
                around.threads,
                id=started.container,
                launch=container,
                stop_signal=started.inspected["Config"].get("StopSignal") or "SIGTERM",
                log=log,
                pid=self._visible_pid(started.inspected) if around.by_cgroup else None,
            )
            await read_attached(started.output, log, running.output_ended)
        except BaseException:
            await self._undo(starting)
            raise
        return running, started.inspected

    async def _forget_parked(self) -> None:
        parked, self._parked = self._parked, {}
        for each in parked.values():
            await self._around.threads.submit(remove_container, self._around.client, each)

    async def _undo(self, starting: "asyncio.Future[Started]") -> None:
        with anyio.move_on_after(CLEANUP_SECONDS, shield=True):
            # Asked for as a set so that its error, if it has one, is not raised here.
            await asyncio.wait({starting})
            if starting.exception() is None:
                starting.result().output.close()
                await self._around.threads.submit(
                    remove_container, self._around.client, starting.result().container
                )

    def _visible_pid(self, inspected: Mapping[str, Any]) -> int | None:
        # Behind another kernel or process namespace the number means another process, or none.
        bridge = self._around.network.kind == "bridge"
        return inspected["State"].get("Pid") or None if bridge else None


def _start(client: "APIClient", image: str, settings: Settings, parked: str) -> Started:
    """Start what is *parked*, if that works, else a new container. Blocks."""
    again = start_again(client, parked) if parked else None
    return again or start_container(client, image, settings)


def image_of(container: ContainerLaunch) -> Image:
    """What ``prepare`` made for *container*."""
    image = container.prepared.handle
    if not isinstance(image, Image):
        raise TypeError("prepared by another runtime")
    return image
