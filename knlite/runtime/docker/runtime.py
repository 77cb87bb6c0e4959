"""Instances as containers of an engine that answers.

Joins the parts of this folder into ``port.Runtime``. The SDK blocks, so every call to it runs in
one of a bounded number of threads; output is read on the event loop.

The path of a start is create, attach, start, inspect: one more call than the engine itself needs,
made before the program runs so that none of its lines is lost.

Source: Knative reference §4 (runtime contract), §3.8 (shutdown).
Not here: which revisions run in containers (``serving/workload.py``), probing (the caller).
"""

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import anyio

from knlite.errors import InstanceFailed
from knlite.runtime.docker import images, problems
from knlite.runtime.docker.container import Settings, container_settings
from knlite.runtime.docker.context import folder_context
from knlite.runtime.docker.engine import Engine
from knlite.runtime.docker.function_image import (
    BASE_IMAGE,
    CodeOf,
    FunctionCode,
    dependencies_context,
    function_context,
)
from knlite.runtime.docker.instance import DockerInstance, remove_container
from knlite.runtime.docker.leftovers import sweep
from knlite.runtime.docker.logs import read_attached
from knlite.runtime.docker.network import (
    Network,
    extra_hosts,
    find_network,
    instance_address,
    own_container,
)
from knlite.runtime.docker.owner import Owner, current_owner
from knlite.runtime.docker.threads import Threads
from knlite.runtime.port import Instance, Launch, Logs, Prepared, Report
from knlite.serving.instance import Address
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

CALLS = 16
"""Calls to the engine at a time; it does most of a start one after the other anyway."""
PREPARATIONS = 2
"""Builds and pulls at a time, in threads of their own so that they never hold up a start."""
CLEANUP_SECONDS = 30.0
"""How long a start that was cancelled may take to be undone."""
NOWHERE = "255.255.255.255"
"""Address of a container that has ended before it could be asked for one: connecting fails at
once, and reaches nobody else's server."""
_LOCAL_NAMES = "knlite.local"


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """What ``prepare`` hands to ``start``."""

    id: str
    name: str
    envs: Mapping[str, str] = field(default_factory=dict)
    """The function's own variables; those of the launch win."""


async def open_runtime(
    engine: Engine,
    *,
    gateway_port: int,
    hosts: Callable[[], Iterable[str]],
    function_code: CodeOf,
) -> "DockerRuntime":
    """The runtime on *engine*.

    *hosts* lists the cluster's host names that containers shall resolve, asked at each start;
    *function_code* installs what a function project needs. Raises ``InstanceFailed`` if the engine
    stopped answering.
    """
    threads = Threads("docker", CALLS)
    try:
        network, owner = await threads.submit(_surroundings, engine)
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
        function_code: CodeOf,
        threads: Threads,
    ) -> None:
        self._engine = engine
        self._client = engine.client
        self._network = network
        self._owner = owner
        self._gateway_port = gateway_port
        self._hosts = hosts
        self._function_code = function_code
        self._threads = threads
        self._preparations = Threads("docker-prepare", PREPARATIONS)
        self._preparing: dict[str, anyio.Lock] = {}

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
                return _prepared(Image(id=image, name=name))
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
        image = launch.serving.prepared.handle
        if not isinstance(image, Image):
            raise TypeError("prepared by another runtime")
        container = replace(launch.serving, env={**image.envs, **launch.serving.env})
        log = logs(container.name)
        settings = container_settings(
            launch,
            container,
            image=image.id,
            network=self._network,
            hosts=extra_hosts(container.env, self._hosts(), self._network.gateway),
            owner=self._owner,
            init=self._engine.init,
        )
        starting = self._threads.submit(_start, self._client, launch.instance, image, settings)
        try:
            started = await asyncio.shield(starting)
            address = instance_address(started.inspected, self._network, launch.port)
            instance = DockerInstance(
                self._client,
                self._threads,
                container=started.container,
                address=address or Address(NOWHERE, launch.port),
                stop_signal=started.inspected["Config"].get("StopSignal") or "SIGTERM",
                pid=self._visible_pid(started.inspected),
                log=log,
                name=container.name,
            )
            await read_attached(started.output, log, instance.output_ended)
        except BaseException:
            await self._undo(starting)
            raise
        return instance

    async def refresh(self, instance: str, volumes: Mapping[str, FileVolume]) -> None:
        pass

    async def discard(self, instance: str) -> None:
        pass

    async def sweep(self) -> tuple[str, ...]:
        return await self._threads.submit(sweep, self._client, self._owner)

    async def aclose(self) -> None:
        await self._threads.submit(self._client.close)

    async def _prepare_folder(self, workload: DockerfileFolder, report: Report) -> Prepared:
        image = await self._in_turn(workload.image, _build_folder, (workload, self._owner), report)
        return _prepared(Image(id=image, name=workload.image))

    async def _prepare_function(self, project: FunctionProject, report: Report) -> Prepared:
        name = project.image or f"{_LOCAL_NAMES}/{project.name}:latest"
        if await anyio.Path(project.folder, "Dockerfile").exists():
            prepared = await self._prepare_folder(DockerfileFolder(project.folder, name), report)
            built = Image(id=prepared.digest, name=name, envs=project.envs)
            return _prepared(built)
        if project.language != "python":
            raise InstanceFailed(
                "BuildFailed",
                f'Function "{project.name}" is written in {project.language}, '
                "which knlite does not turn into an image",
                cause="images are made of Python functions and of folders with a Dockerfile",
                fix=f"put a Dockerfile into {project.folder}, or build it with `func build` "
                "and remove the folder from what knlite reads",
            )
        code = await self._function_code(project, report)
        image = await self._in_turn(
            name, _build_function, (name, project, code, self._owner), report
        )
        return _prepared(Image(id=image, name=name, envs=project.envs))

    async def _in_turn(
        self, name: str, call: Callable[["APIClient", T, images.Say], str], what: T, report: Report
    ) -> str:
        """Run *call*, one at a time for each image's name: the second then finds it built."""
        loop = asyncio.get_running_loop()

        def say(text: str) -> None:
            # Nobody listens any more once the loop has been closed.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(report, text)

        lock = self._preparing.setdefault(name, anyio.Lock())
        async with lock:
            try:
                return await self._preparations.submit(call, self._client, what, say)
            except Exception as error:
                if not _from_engine(error):
                    raise
                cause = problems.engine_says(error)
                raise problems.engine_gone(f"{name} cannot be prepared", cause) from error

    async def _undo(self, starting: "asyncio.Future[_Started]") -> None:
        with anyio.move_on_after(CLEANUP_SECONDS, shield=True):
            # Asked for as a set so that its error, if it has one, is not raised here.
            await asyncio.wait({starting})
            if starting.exception() is None:
                starting.result().output.close()
                await self._threads.submit(
                    remove_container, self._client, starting.result().container
                )

    def _visible_pid(self, inspected: Mapping[str, Any]) -> int | None:
        # Behind another kernel or process namespace the number means another process, or none.
        return inspected["State"].get("Pid") or None if self._network.kind == "bridge" else None


@dataclass(frozen=True, slots=True)
class _Started:
    container: str
    inspected: Mapping[str, Any]
    output: socket.socket


def _surroundings(engine: Engine) -> tuple[Network, Owner]:
    own = own_container(engine.client)
    network = find_network(engine.client, remote_host=engine.remote_host, own=own)
    return network, current_owner(os.getpid(), own)


def _prepared(image: Image) -> Prepared:
    return Prepared(handle=image, digest=image.id)


def _build_folder(
    client: "APIClient", what: tuple[DockerfileFolder, Owner], say: images.Say
) -> str:
    workload, owner = what
    try:
        context = folder_context(Path(workload.folder))
        return images.build(client, workload.image, workload.folder, context, owner, say)
    except OSError as error:
        raise problems.build_failed(workload.folder, str(error), []) from error


def _build_function(
    client: "APIClient", parts: tuple[str, FunctionProject, FunctionCode, Owner], say: images.Say
) -> str:
    name, project, code, owner = parts
    base_id = images.image_id(client, BASE_IMAGE) or images.pull(client, BASE_IMAGE, say)
    base = BASE_IMAGE
    try:
        if code.site_packages is not None:
            context = dependencies_context(code.site_packages, base_id)
            base = f"{_LOCAL_NAMES}/dependencies:{context.digest()[:16]}"
            dependencies = f"the dependencies of {name}"
            base_id = images.build(client, base, dependencies, context, owner, say, steps=False)
        context = function_context(project, code, base, base_id)
        return images.build(client, name, project.folder, context, owner, say, steps=False)
    except OSError as error:
        raise problems.build_failed(project.folder, str(error), []) from error


def _start(client: "APIClient", instance: str, image: Image, settings: Settings) -> _Started:
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    try:
        host = client.create_host_config(**settings.host)
        container = str(client.create_container(host_config=host, **settings.container)["Id"])
    except (DockerException, RequestException, ValueError) as error:
        cause = problems.engine_says(error)
        raise problems.create_failed(instance, image.name, cause) from error
    output = None
    try:
        output = _attach(client, container)
        client.start(container)
        return _Started(container, client.inspect_container(container), output)
    except Exception as error:
        if output is not None:
            output.close()
        remove_container(client, container)
        if not _from_engine(error):
            raise
        cause = problems.engine_says(error)
        raise problems.start_failed(instance, image.name, cause) from error


def _attach(client: "APIClient", container: str) -> socket.socket:
    stream = client.attach_socket(container, params={"stdout": 1, "stderr": 1, "stream": 1})
    # The SDK gives a reader around its connection. Taking the descriptor out of it leaves the SDK
    # nothing to close, now or when the garbage is collected.
    connection: socket.socket = stream._sock
    output = socket.socket(fileno=connection.detach())
    output.setblocking(False)
    return output


def _from_engine(error: Exception) -> bool:
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    return isinstance(error, DockerException | RequestException)
