"""Instances as containers of an engine that answers.

Joins the parts of this folder into ``port.Runtime``. The SDK blocks, so every call to it runs in
one of a bounded number of threads; output is read on the event loop.

Source: Knative reference §4 (runtime contract), §3.8 (shutdown).
Not here: which revisions run in containers (``serving/workload.py``), probing (the caller).
"""

import os
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, TypeVar

from knlite.runtime.docker import problems
from knlite.runtime.docker.engine import Engine
from knlite.runtime.docker.function_image import FunctionCodes
from knlite.runtime.docker.leftovers import release, sweep
from knlite.runtime.docker.network import (
    Network,
    extra_hosts,
    find_network,
    own_container,
)
from knlite.runtime.docker.owner import Owner, current_owner
from knlite.runtime.docker.pod import Pod, Surroundings, image_of
from knlite.runtime.docker.preparing import Preparing, from_engine
from knlite.runtime.docker.threads import Threads
from knlite.runtime.port import Instance, Launch, Logs, Prepared, Report
from knlite.serving.vantage import ByHost, Vantage
from knlite.serving.volume import FileVolume
from knlite.serving.workload import (
    Workload,
)

if TYPE_CHECKING:
    pass

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
    by_cgroup: bool = False,
) -> "DockerRuntime":
    """The runtime on *engine*.

    *hosts* lists the cluster's host names that containers shall resolve, asked at each start;
    *function_code* installs what a function project needs; *by_cgroup* has containers frozen by
    their control groups where that is possible. Raises ``InstanceFailed`` if the engine
    stopped answering.
    """
    threads = Threads("docker", CALLS)
    try:
        network, owner = await threads.submit(_look_around, engine)
    except Exception as error:
        if not from_engine(error):
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
        by_cgroup=by_cgroup,
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
        by_cgroup: bool = False,
    ) -> None:
        self._engine = engine
        self._client = engine.client
        self._network = network
        self._owner = owner
        self._gateway_port = gateway_port
        self._hosts = hosts
        self._threads = threads
        self._preparing = Preparing(engine.client, function_code, owner)
        self._pods: dict[str, Pod] = {}
        """Instances that have been started, until they are discarded."""
        self._surroundings = Surroundings(
            client=engine.client,
            threads=threads,
            commands=Threads("docker-exec", COMMANDS),
            network=network,
            owner=owner,
            init=engine.init,
            by_cgroup=by_cgroup,
        )

    @property
    def vantage(self) -> Vantage:
        return ByHost(self._gateway_port)

    @property
    def warmed(self) -> int:
        return 0

    @property
    def network(self) -> Network:
        """How containers and gateway see each other."""
        return self._network

    def bind_addresses(self) -> tuple[str, ...]:
        """Addresses, besides loopback, on which the gateway must listen for containers."""
        return self._network.bind_addresses()

    async def prepare(self, workload: Workload, report: Report) -> Prepared:
        return await self._preparing.prepare(workload, report)

    async def forget(self, prepared: Prepared, kept: Collection[Prepared]) -> None:
        await self._preparing.forget(prepared, kept)

    async def start(self, launch: Launch, logs: Logs) -> Instance:
        env: dict[str, str] = {}
        for container in (*launch.init, *launch.containers):
            env.update(image_of(container).envs)
            env.update(container.env)
        pod = self._pods.get(launch.instance) or Pod(self._surroundings, launch)
        self._pods[launch.instance] = pod
        hosts = extra_hosts(env, self._hosts(), self._network.gateway)
        return await pod.start(launch, logs, hosts)

    async def refresh(self, instance: str, volumes: Mapping[str, FileVolume]) -> None:
        pod = self._pods.get(instance)
        if pod is not None:
            await pod.refresh(volumes)

    async def discard(self, instance: str) -> None:
        pod = self._pods.pop(instance, None)
        if pod is not None and pod.lasting:
            await pod.remove()

    async def release(self, volume: str) -> bool:
        return await self._threads.submit(release, self._client, volume)

    async def sweep(self) -> tuple[str, ...]:
        left = await self._threads.submit(sweep, self._client, self._owner)
        superseded = await self._preparing.sweep()
        return (*left, *(f"superseded image {each[7:19]}" for each in superseded))

    async def aclose(self) -> None:
        self._preparing.close()
        await self._threads.submit(self._client.close)


def _look_around(engine: Engine) -> tuple[Network, Owner]:
    own = own_container(engine.client)
    network = find_network(engine.client, remote_host=engine.remote_host, own=own)
    return network, current_owner(os.getpid(), own)
