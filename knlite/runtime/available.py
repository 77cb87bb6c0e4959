"""Which runtimes a run has: those that ``--runtime`` allows, as far as they are there.

Not here: which of them runs what (``serving/workload.py``).
"""

import uuid
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from knlite.errors import Unreachable
from knlite.listening import LOOPBACK
from knlite.runtime.port import Runtime
from knlite.serving.workload import RuntimeName
from knlite.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Available:
    """The runtimes of a run, by name."""

    runtimes: Mapping[RuntimeName, Runtime]
    no_engine: str = ""
    """Why there is no container engine among them; empty if there is."""
    no_freezer: str = ""
    """Why containers are not frozen as was asked for, and how they are; empty if they are."""
    bridges: Collection[str] = ()
    """Hosts of this machine by which containers reach the gateway."""


@asynccontextmanager
async def open_runtimes(
    settings: Settings,
    *,
    port: int,
    inner_port: int,
    hosts: Callable[[], Iterable[str]],
) -> AsyncIterator[Available]:
    """The runtimes that *settings* allow; given back with the context.

    Containers reach the gateway on *port*, local processes on *inner_port* of loopback. *hosts*
    lists the cluster's names that containers shall resolve. Raises ``Unreachable`` if an engine was
    asked for and there is none, ``InstanceFailed`` if one has stopped answering.
    """
    runtimes: dict[RuntimeName, Runtime] = {}
    no_engine = "knlite was told to use local processes only (--runtime process)"
    no_freezer = ""
    bridges: Collection[str] = ()
    async with AsyncExitStack() as stack:
        # Imported when needed: a run of processes only has no use for the engine's SDK.
        if settings.runtime != "docker":
            from knlite.runtime.process.runtime import ProcessRuntime

            processes = ProcessRuntime(
                gateway_port=inner_port,
                cache_dir=settings.cache_dir,
                owner=uuid.uuid4().hex,
                environ=settings.environ,
                debug=settings.debug,
                # The other half at least is for instances that are frozen.
                memory=None if settings.memory is None else settings.memory // 2,
            )
            stack.push_async_callback(processes.aclose)
            runtimes["process"] = processes
        if settings.runtime != "process":
            from knlite.runtime.docker.engine import Engine, find_engine
            from knlite.runtime.docker.freezer import unusable
            from knlite.runtime.docker.function_code import code_in
            from knlite.runtime.docker.runtime import open_runtime

            engine = await find_engine(settings.environ)
            if isinstance(engine, Engine):
                docker = await open_runtime(
                    engine,
                    gateway_port=port,
                    hosts=hosts,
                    function_code=code_in(
                        settings.cache_dir, settings.environ, debug=settings.debug
                    ),
                    by_cgroup=settings.freezer == "cgroup",
                )
                if settings.freezer == "cgroup":
                    why = unusable()
                    if engine.remote_host or docker.network.kind != "bridge":
                        why = "the processes of containers cannot be seen from here"
                    no_freezer = why and f"{why}; the engine pauses containers (--freezer engine)"
                stack.push_async_callback(docker.aclose)
                runtimes["docker"] = docker
                # An engine in a virtual machine leads to this one's loopback, where nothing tells
                # its containers from a person (docs/adr/0015).
                bridges = docker.bind_addresses() or (LOOPBACK,)
                no_engine = ""
            elif settings.runtime == "docker":
                raise Unreachable("no container engine answers", cause=engine.why, fix=engine.fix)
            else:
                no_engine = engine.why
        yield Available(
            runtimes=runtimes, no_engine=no_engine, no_freezer=no_freezer, bridges=bridges
        )
