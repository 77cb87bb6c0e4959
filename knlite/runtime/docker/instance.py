"""An instance: its containers together, until nothing of them is left."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio

from knlite.runtime.docker import problems
from knlite.runtime.docker.command import run_command
from knlite.runtime.docker.network import parse_listeners
from knlite.runtime.docker.running import Running
from knlite.runtime.docker.threads import Threads
from knlite.runtime.docker.usage import used
from knlite.runtime.port import ExecResult, Exit, Usage
from knlite.serving.instance import Address

if TYPE_CHECKING:
    from docker import APIClient

REMOVE_SECONDS = 30.0
"""How long killed containers may take to be gone."""


class DockerInstance:
    """Implements ``port.Instance``; *containers* has the serving one first."""

    def __init__(
        self,
        client: "APIClient",
        threads: Threads,
        commands: Threads,
        *,
        containers: Sequence[Running],
        address: Address,
        pid: int | None,
        parked: Callable[[], None],
    ) -> None:
        """*parked* is called when its containers have ended and are kept."""
        self._parked = parked
        self._client = client
        self._threads = threads
        self._commands = commands
        self._containers = containers
        self._address = address
        self._pid = pid

    @property
    def address(self) -> Address:
        return self._address

    @property
    def origin(self) -> str:
        """``container``."""
        return "container"

    @property
    def label(self) -> str:
        return f"container {self._containers[0].id[:8]}"

    async def wait(self) -> Exit:
        if len(self._containers) == 1:
            return await asyncio.shield(self._containers[0].exit)
        ends = [each.exit for each in self._containers]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        return next(end.result() for end in ends if end.done())

    async def stop(self, grace: float) -> None:
        await stop_containers(self._containers, grace)

    async def park(self, grace: float) -> None:
        for each in self._containers:
            each.kept = True
        try:
            await stop_containers(self._containers, grace)
        finally:
            self._parked()

    async def freeze(self) -> bool:
        await _each(Running.pause, self._containers)
        if all(each.frozen for each in self._containers):
            return True
        await _each(Running.unpause, self._containers)
        return False

    async def thaw(self) -> None:
        await _each(Running.unpause, self._containers)
        if any(each.frozen and not each.exit.done() for each in self._containers):
            raise problems.thaw_failed(self._containers[0].name)

    async def exec(self, container: str, command: Sequence[str], seconds: float) -> ExecResult:
        found = next((each for each in self._containers if each.name == container), None)
        if found is None or found.exit.done():
            return ExecResult(1, f"container {container} does not run")
        return await self._commands.submit(run_command, self._client, found.id, command, seconds)

    async def usage(self) -> Usage | None:
        of_each = [
            await self._threads.submit(used, self._client, each.id)
            for each in self._containers
            if not each.exit.done()
        ]
        known = [each for each in of_each if each is not None]
        if not known:
            return None
        return Usage(
            sum(each.cpu_seconds for each in known), sum(each.memory_bytes for each in known)
        )

    async def listening(self) -> tuple[Address, ...] | None:
        if self._pid is None or self._containers[0].exit.done():
            return None
        return await self._threads.submit(_listeners, self._pid)


async def stop_containers(containers: Sequence[Running], grace: float) -> None:
    """End *containers* side by side: their stop signal, up to *grace* seconds, SIGKILL."""
    try:
        await _each(Running.unpause, containers)
        await _each(Running.terminate, containers)
        running = [each.exit for each in containers if not each.exit.done()]
        if running:
            # Waiting for a set cancels none of them when the time is over.
            await asyncio.wait(running, timeout=grace)
    finally:
        with anyio.move_on_after(REMOVE_SECONDS, shield=True):
            await _each(Running.kill, containers)
            if containers:
                await asyncio.wait([each.gone for each in containers])


async def _each(
    act: Callable[[Running], Coroutine[Any, Any, None]], containers: Sequence[Running]
) -> None:
    async with anyio.create_task_group() as group:
        for each in containers:
            group.start_soon(act, each)


def _listeners(pid: int) -> tuple[Address, ...] | None:
    try:
        tables = [Path(f"/proc/{pid}/net/{name}").read_text() for name in ("tcp", "tcp6")]
    except OSError:
        return None
    return tuple(address for table in tables for address in parse_listeners(table))
