"""A started container, until nothing of it is left.

Its end is noticed by the end of its attached output, which the engine closes with the container;
only then a thread asks for the exit code. Nothing waits, polls or listens for it before.
"""

import asyncio
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import anyio

from knlite.runtime.docker.freezer import Freezer, freezer_of
from knlite.runtime.docker.remove import remove_container
from knlite.runtime.docker.termination import termination_message
from knlite.runtime.docker.threads import Threads
from knlite.runtime.lastwords import LastWords
from knlite.runtime.port import ContainerLaunch, Exit

if TYPE_CHECKING:
    from docker import APIClient

NO_CGROUP = "its control group cannot be used from here, so the engine pauses it"
KILLED = 128 + 9
UNKNOWN = 255
"""Exit code of a container whose engine went away with it."""
_ENGINE_RETRIES = 15
_RETRY_SECONDS = 1.0


class Running:
    """One container of an instance."""

    def __init__(
        self,
        client: "APIClient",
        threads: Threads,
        *,
        id: str,  # noqa: A002  the engine's word
        launch: ContainerLaunch,
        stop_signal: str,
        log: LastWords,
        pid: int | None = None,
    ) -> None:
        """With the *pid* of its first process here it is frozen by its control group, if it can
        be."""
        self._pid = pid
        self._freezer: Freezer | None = None
        """By which it is frozen, unless that was the engine."""
        self.id = id
        self.name = launch.name
        loop = asyncio.get_running_loop()
        self.exit: asyncio.Future[Exit] = loop.create_future()
        """How it ended."""
        self.gone: asyncio.Future[None] = loop.create_future()
        """Done when the engine does not know it any more, or keeps it for another start."""
        self.kept = False
        """Whether it is, or is to be, kept when it has ended."""
        self.frozen = False
        self._client = client
        self._threads = threads
        self._launch = launch
        self._stop_signal = stop_signal
        self._log = log
        self._loop = loop

    async def pause(self) -> None:
        """Freeze it, if it runs and can be frozen; ``frozen`` says so."""
        if self.frozen or self.exit.done():
            return
        if self._pid is not None:
            freezer = freezer_of(self.id, self._pid)
            if freezer is not None and await freezer.freeze():
                self._freezer = freezer
            else:
                self._pid = None
                self._log("stderr", f"knlite: {NO_CGROUP}")
        # To the end, so that it is known whether it has to be thawed to be stopped.
        with anyio.CancelScope(shield=True):
            self.frozen = self._freezer is not None or await self._asked(self._client.pause)

    async def unpause(self) -> None:
        """Let it go on, if it is frozen; ``frozen`` then says whether it still is."""
        if self._freezer is not None:
            self.frozen = not self._freezer.thaw()
            if not self.frozen:
                self._freezer = None
        elif self.frozen:
            self.frozen = not await self._asked(self._client.unpause)

    async def terminate(self) -> None:
        """Ask it to end, if it runs."""
        if not self.exit.done():
            await self._signal(self._stop_signal)

    async def kill(self) -> None:
        """End it, if it runs."""
        if not self.exit.done():
            await self._signal("SIGKILL")

    def output_ended(self) -> None:
        """The engine has closed the attached output: learn why, then remove the container, unless
        it is kept."""
        # Not one of the bounded threads: a program may close its own output and live on.
        threading.Thread(target=self._settle, name="docker-exit", daemon=True).start()

    async def _signal(self, signal: str) -> None:
        await self._asked(self._client.kill, signal)

    async def _asked(self, call: Callable[..., None], *args: str) -> bool:
        """Whether the engine has done it to this container."""
        from docker.errors import APIError
        from requests.exceptions import RequestException

        try:
            await self._threads.submit(call, self.id, *args)
        except (APIError, RequestException):
            # It has ended in between, or the engine is away: both are seen by ``_settle``.
            return False
        return True

    def _settle(self) -> None:
        self._call(self._ended, self._how_it_ended())
        if not self.kept:
            remove_container(self._client, self.id)
        self._call(self._removed)

    def _how_it_ended(self) -> Exit:
        from docker.errors import APIError, NotFound
        from requests.exceptions import RequestException

        for _ in range(_ENGINE_RETRIES):
            try:
                code = int(self._client.wait(self.id, timeout=None)["StatusCode"])
                state = self._client.inspect_container(self.id)["State"]
                message = termination_message(self._client, self.id, self._launch.termination_path)
            except NotFound:
                return Exit(KILLED, self.name)
            except (APIError, RequestException):
                threading.Event().wait(_RETRY_SECONDS)
            else:
                return Exit(code, self.name, bool(state.get("OOMKilled")), message)
        return Exit(UNKNOWN, self.name)

    def _call(self, callback: Callable[..., None], *args: object) -> None:
        try:
            self._loop.call_soon_threadsafe(callback, *args)
        except RuntimeError:
            return  # The loop has been closed; nobody waits any more.

    def _ended(self, how: Exit) -> None:
        if how.oom:
            self._log("stderr", "knlite: killed for exceeding its memory limit (OOMKilled)")
        if not how.message and how.code and self._launch.termination_from_log:
            how = Exit(how.code, how.container, how.oom, self._log.text())
        if not self.exit.done():
            self.exit.set_result(how)

    def _removed(self) -> None:
        if not self.gone.done():
            self.gone.set_result(None)
