"""Instances as containers of an engine that answers.

Joins the parts of this folder into ``port.Runtime``. The SDK blocks, so every call to it runs in
one of a bounded number of threads; output is read on the event loop.

Source: Knative reference §4 (runtime contract), §3.8 (shutdown).
Not here: which revisions run in containers (``serving/workload.py``), probing (the caller).
"""

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

import anyio

from knlite.errors import InstanceFailed
from knlite.runtime.docker import function_image, images, problems
from knlite.runtime.docker.container import Image
from knlite.runtime.docker.context import folder_context
from knlite.runtime.docker.engine import Engine
from knlite.runtime.docker.function_image import FunctionCodes, Parts, Target
from knlite.runtime.docker.imageconfig import BaseImage
from knlite.runtime.docker.images import Stored
from knlite.runtime.docker.leftovers import release, sweep
from knlite.runtime.docker.loading import Loader
from knlite.runtime.docker.network import (
    Network,
    extra_hosts,
    find_network,
    own_container,
)
from knlite.runtime.docker.owner import Owner, current_owner
from knlite.runtime.docker.pod import Pod, Surroundings, image_of
from knlite.runtime.docker.threads import Threads
from knlite.runtime.port import Instance, Launch, Logs, Prepared, Report
from knlite.serving.vantage import ByHost, Vantage
from knlite.serving.volume import FileVolume
from knlite.serving.workload import (
    DockerfileFolder,
    FunctionProject,
    LocalCommand,
    StoredImage,
    Workload,
)

if TYPE_CHECKING:
    from docker import APIClient

T = TypeVar("T")
R = TypeVar("R")

CALLS = 16
"""Calls to the engine at a time; it does most of a start one after the other anyway."""
PREPARATIONS = 2
"""Builds and pulls at a time, in threads of their own so that they never hold up a start."""
COMMANDS = 8
"""Commands in containers at a time, also in threads of their own: they may hang."""
_LOCAL_NAMES = "knlite.local"


async def open_runtime(
    engine: Engine,
    *,
    gateway_port: int,
    hosts: Callable[[], Iterable[str]],
    function_code: FunctionCodes,
) -> "DockerRuntime":
    """The runtime on *engine*.

    *hosts* lists the cluster's host names that containers shall resolve, asked at each start;
    *function_code* installs what a function project needs. Raises ``InstanceFailed`` if the engine
    stopped answering.
    """
    threads = Threads("docker", CALLS)
    try:
        network, owner = await threads.submit(_look_around, engine)
    except Exception as error:
        if not _from_engine(error):
            raise
        raise problems.engine_gone(
            f"The engine at {engine.url} does not say how its network looks",
            problems.engine_says(error),
        ) from error
    return DockerRuntime(
        engine,
        network=network,
        owner=owner,
        gateway_port=gateway_port,
        hosts=hosts,
        function_code=function_code,
        threads=threads,
    )


class DockerRuntime:
    """Implements ``port.Runtime``; made by ``open_runtime``."""

    def __init__(
        self,
        engine: Engine,
        *,
        network: Network,
        owner: Owner,
        gateway_port: int,
        hosts: Callable[[], Iterable[str]],
        function_code: FunctionCodes,
        threads: Threads,
    ) -> None:
        self._engine = engine
        self._client = engine.client
        self._network = network
        self._owner = owner
        self._gateway_port = gateway_port
        self._hosts = hosts
        self._codes = function_code
        self._loader = Loader(engine.client)
        self._threads = threads
        self._preparations = Threads("docker-prepare", PREPARATIONS)
        self._preparing: dict[str, anyio.Lock] = {}
        self._pods: dict[str, Pod] = {}
        """Instances of which something outlives a restart, until they are discarded."""
        self._surroundings = Surroundings(
            client=engine.client,
            threads=threads,
            commands=Threads("docker-exec", COMMANDS),
            network=network,
            owner=owner,
            init=engine.init,
        )

    @property
    def vantage(self) -> Vantage:
        return ByHost(self._gateway_port)

    @property
    def network(self) -> Network:
        """How containers and gateway see each other."""
        return self._network

    def bind_addresses(self) -> tuple[str, ...]:
        """Addresses, besides loopback, on which the gateway must listen for containers."""
        return self._network.bind_addresses()

    async def prepare(self, workload: Workload, report: Report) -> Prepared:
        match workload:
            case StoredImage():
                name = workload.reference
                image = await self._in_turn(name, images.stored_image, workload, report)
                return _prepared(image, name)
            case DockerfileFolder():
                return await self._prepare_folder(workload, report)
            case FunctionProject():
                return await self._prepare_function(workload, report)
            case LocalCommand(command):
                raise InstanceFailed(
                    "UnsupportedWorkload",
                    f"The command `{command}` cannot run in a container",
                    cause="it names no image",
                    fix="run with --runtime auto or process, or give the service a Dockerfile",
                )

    async def start(self, launch: Launch, logs: Logs) -> Instance:
        env: dict[str, str] = {}
        for container in (*launch.init, *launch.containers):
            env.update(image_of(container).envs)
            env.update(container.env)
        pod = self._pods.get(launch.instance) or Pod(self._surroundings, launch)
        if pod.lasting:
            self._pods[launch.instance] = pod
        hosts = extra_hosts(env, self._hosts(), self._network.gateway)
        return await pod.start(launch, logs, hosts)

    async def refresh(self, instance: str, volumes: Mapping[str, FileVolume]) -> None:
        pod = self._pods.get(instance)
        if pod is not None:
            await pod.refresh(volumes)

    async def discard(self, instance: str) -> None:
        pod = self._pods.pop(instance, None)
        if pod is not None:
            await pod.remove()

    async def release(self, volume: str) -> bool:
        return await self._threads.submit(release, self._client, volume)

    async def sweep(self) -> tuple[str, ...]:
        return await self._threads.submit(sweep, self._client, self._owner)

    async def aclose(self) -> None:
        await self._threads.submit(self._client.close)

    async def _prepare_folder(self, workload: DockerfileFolder, report: Report) -> Prepared:
        image = await self._in_turn(workload.image, _build_folder, (workload, self._owner), report)
        return _prepared(image, workload.image)

    async def _prepare_function(self, project: FunctionProject, report: Report) -> Prepared:
        name = project.image or f"{_LOCAL_NAMES}/{project.name}:latest"
        if await anyio.Path(project.folder, "Dockerfile").exists():
            folder = DockerfileFolder(project.folder, name)
            image = await self._in_turn(name, _build_folder, (folder, self._owner), report)
            return _prepared(image, name, project.envs)
        if not function_image.base_of(project):
            raise problems.no_base(project.folder, project.name, project.language)
        base = function_image.base_of(project)
        asked = (project, self._codes.cache_dir, self._owner)
        found, target = await self._in_turn(base, _find_target, asked, report)
        code = await self._codes.code_of(project, target, report)
        parts = Parts(project=project, name=name, base=found, target=target, code=code)
        what = (self._loader, parts, self._codes.cache_dir, self._owner)
        image = await self._in_turn(name, _build_function, what, report)
        return _prepared(image, name, {**code.told, **project.envs})

    async def _in_turn(
        self,
        name: str,
        call: Callable[["APIClient", T, images.Say], R],
        what: T,
        report: Report,
    ) -> R:
        """Run *call*, one at a time for each image's name: the second then finds it built."""
        loop = asyncio.get_running_loop()

        def say(text: str, share: float | None = None) -> None:
            told = (text,) if share is None else (text, share)
            # Nobody listens any more once the loop has been closed.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(report, *told)

        lock = self._preparing.setdefault(name, anyio.Lock())
        async with lock:
            try:
                return await self._preparations.submit(call, self._client, what, say)
            except Exception as error:
                if not _from_engine(error):
                    raise
                cause = problems.engine_says(error)
                raise problems.engine_gone(f"{name} cannot be prepared", cause) from error


def _look_around(engine: Engine) -> tuple[Network, Owner]:
    own = own_container(engine.client)
    network = find_network(engine.client, remote_host=engine.remote_host, own=own)
    return network, current_owner(os.getpid(), own)


def _prepared(image: Stored, name: str, envs: Mapping[str, str] = MappingProxyType({})) -> Prepared:
    return Prepared(Image(id=image.id, name=name, user=image.user, envs=envs), image.digest)


def _build_folder(
    client: "APIClient", what: tuple[DockerfileFolder, Owner], say: images.Say
) -> Stored:
    workload, owner = what
    try:
        context = folder_context(Path(workload.folder))
        return images.build(client, workload.image, workload.folder, context, owner, say)
    except OSError as error:
        raise problems.build_failed(workload.folder, str(error), []) from error


def _find_target(
    client: "APIClient", what: tuple[FunctionProject, Path, Owner], say: images.Say
) -> tuple[BaseImage, Target]:
    project, cache_dir, owner = what
    return function_image.target_of(client, project, cache_dir, owner, say)


def _build_function(
    client: "APIClient", what: tuple[Loader, Parts, Path, Owner], say: images.Say
) -> Stored:
    loader, parts, cache_dir, owner = what
    return function_image.build(client, loader, parts, cache_dir, owner, say)


def _from_engine(error: Exception) -> bool:
    from docker.errors import DockerException, StreamParseError
    from requests.exceptions import RequestException

    # The last one is what the SDK makes of an answer that is cut off.
    return isinstance(error, DockerException | RequestException | StreamParseError)
