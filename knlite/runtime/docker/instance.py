"""A started container, until nothing of it is left.

Its end is noticed by the end of its attached output, which the engine closes with the container;
only then a thread asks for the exit code. Nothing waits, polls or listens for it before.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from knlite.runtime.docker.command import run_command
from knlite.runtime.docker.network import parse_listeners
from knlite.runtime.docker.threads import Threads
from knlite.runtime.docker.usage import used
from knlite.runtime.port import ExecResult, Exit, Log, Usage
from knlite.serving.instance import Address

if TYPE_CHECKING:
    from docker import APIClient

KILLED = 128 + 9
UNKNOWN = 255
"""Exit code of a container whose engine went away with it."""
REMOVE_SECONDS = 30.0
"""How long a killed container may take to be gone."""
_ENGINE_RETRIES = 15
_RETRY_SECONDS = 1.0


class DockerInstance:
    """Implements ``port.Instance``."""

    def __init__(
        self,
        client: "APIClient",
        threads: Threads,
        *,
        container: str,
        address: Address,
        stop_signal: str,
        pid: int | None,
        log: Log,
        name: str,
    ) -> None:
        self._client = client
        self._threads = threads
        self._container = container
        self._address = address
        self._stop_signal = stop_signal
        self._pid = pid
        self._log = log
        self._name = name
        loop = asyncio.get_running_loop()
        self._loop = loop
        self._exit: asyncio.Future[Exit] = loop.create_future()
        self._gone: asyncio.Future[None] = loop.create_future()

    @property
    def address(self) -> Address:
        return self._address

    @property
    def label(self) -> str:
        return f"container {self._container[:8]}"

    async def wait(self) -> Exit:
        return await asyncio.shield(self._exit)

    async def stop(self, grace: float) -> None:
        try:
            if not self._exit.done():
                await self._signal(self._stop_signal)
                with anyio.move_on_after(grace):
                    await asyncio.shield(self._exit)
        finally:
            with anyio.move_on_after(REMOVE_SECONDS, shield=True):
                if not self._exit.done():
                    await self._signal("SIGKILL")
                await asyncio.shield(self._gone)

    async def exec(self, container: str, command: Sequence[str], seconds: float) -> ExecResult:
        if self._exit.done():
            return ExecResult(1, "the container has ended")
        running = self._threads.submit(run_command, self._client, self._container, command)
        with anyio.move_on_after(seconds):
            return await running
        return ExecResult(None, "")

    async def usage(self) -> Usage | None:
        if self._exit.done():
            return None
        return await self._threads.submit(used, self._client, self._container)

    async def listening(self) -> tuple[Address, ...] | None:
        if self._pid is None or self._exit.done():
            return None
        return await self._threads.submit(_listeners, self._pid)

    def output_ended(self) -> None:
        """The engine has closed the attached output: learn why, then remove the container."""
        # Not one of the bounded threads: a program may close its own output and live on.
        threading.Thread(target=self._settle, name="docker-exit", daemon=True).start()

    async def _signal(self, signal: str) -> None:
        from docker.errors import APIError
        from requests.exceptions import RequestException

        try:
            await self._threads.submit(self._client.kill, self._container, signal)
        except (APIError, RequestException):
            # It has ended in between, or the engine is away: both are seen by ``_settle``.
            return

    def _settle(self) -> None:
        exited, oom = self._exit_code()
        self._call(self._ended, exited, oom)
        remove_container(self._client, self._container)
        self._call(self._removed)

    def _exit_code(self) -> tuple[Exit, bool]:
        from docker.errors import APIError, NotFound
        from requests.exceptions import RequestException

        for _ in range(_ENGINE_RETRIES):
            try:
                code = int(self._client.wait(self._container, timeout=None)["StatusCode"])
                state = self._client.inspect_container(self._container)["State"]
            except NotFound:
                return Exit(KILLED), False
            except (APIError, RequestException):
                threading.Event().wait(_RETRY_SECONDS)
            else:
                oom = bool(state.get("OOMKilled"))
                return Exit(code, self._name, oom), oom
        return Exit(UNKNOWN), False

    def _call(self, callback: Callable[..., None], *args: object) -> None:
        try:
            self._loop.call_soon_threadsafe(callback, *args)
        except RuntimeError:
            return  # The loop has been closed; nobody waits any more.

    def _ended(self, exited: Exit, oom: bool) -> None:
        if oom:
            self._log("stderr", "knlite: killed for exceeding its memory limit (OOMKilled)")
        if not self._exit.done():
            self._exit.set_result(exited)

    def _removed(self) -> None:
        if not self._gone.done():
            self._gone.set_result(None)


def remove_container(client: "APIClient", container: str) -> bool:
    """Kill and remove; whether it was there. Blocks."""
    from docker.errors import APIError
    from requests.exceptions import RequestException

    try:
        client.remove_container(container, force=True, v=True)
    except (APIError, RequestException):
        # Gone already, or being removed by somebody else; what stays is the next sweep's.
        return False
    return True


def _listeners(pid: int) -> tuple[Address, ...] | None:
    try:
        tables = [Path(f"/proc/{pid}/net/{name}").read_text() for name in ("tcp", "tcp6")]
    except OSError:
        return None
    return tuple(address for table in tables for address in parse_listeners(table))
