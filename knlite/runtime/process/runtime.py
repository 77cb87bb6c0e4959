"""Runs function projects and plain commands as processes of this machine.

Source: Knative reference §4 (runtime contract); knlite README, "Where the code of a service comes
from".
Differs: a process shares the machine: it gets a port of its own instead of the container's, and its
file system, network and (unless knlite runs as root) user are those of whoever runs knlite. What
leaves the process group of its instance (a daemon) lives until the run ends. Limits
are not enforced: those that the kernel knows for one process count what it reserves rather than
what it uses, so they would end programs that a container keeps. ``serving/support.py`` tells which
fields of a manifest are refused for that, and which have no effect.
"""

import os
import re
from collections.abc import Collection, Mapping
from contextlib import nullcontext
from pathlib import Path
from weakref import WeakSet

import anyio
import anyio.lowlevel
import anyio.to_thread

from knlite.errors import InstanceFailed
from knlite.functions import contents
from knlite.functions.cacheuse import CacheUse, names_in
from knlite.runtime.lastwords import LastWords
from knlite.runtime.port import Launch, Logs, Prepared, Report
from knlite.runtime.process import owner as owners
from knlite.runtime.process.files import Files
from knlite.runtime.process.guard import Guard
from knlite.runtime.process.instance import ProcessInstance
from knlite.runtime.process.ports import Ports
from knlite.runtime.process.programs import Program, program_of
from knlite.runtime.process.started import Started, spawn
from knlite.runtime.process.zygotes import Zygotes
from knlite.serving.instance import Address
from knlite.serving.vantage import ByPath
from knlite.serving.volume import FileVolume
from knlite.serving.workload import LocalCommand, Workload

LOOPBACK = "127.0.0.1"
EVERYWHERE = frozenset({"0.0.0.0", "::", "[::]"})
NOT_INHERITED = frozenset(
    {"PYTHONHOME", "PYTHONPATH", "PYTHONSAFEPATH", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__"}
)
"""What would make an instance use knlite's own Python environment."""

OF_CODE = frozenset({"sources", "node-functions", "go-functions"})
"""Folders of the cache that hold something for each content of a function."""

_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|([A-Za-z_]\w*))")


class ProcessRuntime:
    """Programs as process groups.

    *environ* is what instances inherit (``PATH``, ``HOME``, …); *owner* names this run; with
    *debug* functions show their tracebacks to clients. Processes from which instances are forked
    may hold *memory* bytes altogether.
    """

    def __init__(
        self,
        *,
        gateway_port: int,
        cache_dir: Path,
        owner: str,
        environ: Mapping[str, str],
        debug: bool = False,
        memory: int | None = None,
    ) -> None:
        self.vantage = ByPath(f"http://{LOOPBACK}:{gateway_port}")
        self._cache_dir = cache_dir
        self._debug = debug
        self._environ = {k: v for k, v in environ.items() if k not in NOT_INHERITED}
        self._marker = owners.marker(owner)
        self._files = Files(cache_dir / "volumes", self._marker)
        self._use = CacheUse(cache_dir)
        self._instances: dict[str, WeakSet[ProcessInstance]] = {}
        """Those that may run, by the digest of their code."""
        self._ports = Ports()
        self._guard = Guard()
        inherited = {**self._environ, "PYTHONUNBUFFERED": "1", owners.VARIABLE: self._marker}
        self.zygotes = Zygotes(inherited, self._guard.add, self._guard.drop, memory)

    @property
    def warmed(self) -> int:
        """What zygotes held when they had been loaded."""
        return sum(self.zygotes.sizes().values())

    async def prepare(self, workload: Workload, report: Report) -> Prepared:
        """Install what a function requires; a command needs nothing, not even a cache."""
        preparing = nullcontext() if isinstance(workload, LocalCommand) else self._use.preparing()
        async with preparing:
            program, extra = await program_of(
                workload,
                cache_dir=self._cache_dir,
                # So that the next run finds what a killed one was building.
                environ={**self._environ, owners.VARIABLE: self._marker},
                debug=self._debug,
                report=report,
            )
            folders = (str(program.folder), str(program.snapshot or ""))
            texts = (*program.words, *folders, *program.envs.values())
            await anyio.to_thread.run_sync(self._use.note_paths, texts)
            if program.code:
                digest = contents.combined(program.code, extra)
            else:
                digest = await anyio.to_thread.run_sync(contents.digest, program.folder, extra)
        if program.warm is not None:
            self.zygotes.warm(program.warm)
        return Prepared(program, digest)

    async def forget(self, prepared: Prepared, kept: Collection[Prepared]) -> None:
        """Remove its snapshot and what was made of it, once its instances have ended.

        An environment stays: it is what the next edit needs again.
        """
        needed = {name for each in kept for name in self._of_its_code(each)}
        gone = [name for name in self._of_its_code(prepared) if name not in needed]
        if not gone:
            return
        # Its last request may take long, and the same code be saved and prepared again meanwhile.
        since = self._use.notes
        await self._ended(prepared.digest)
        await self._use.drop(gone, since)

    async def _ended(self, digest: str) -> None:
        """Return when the instances of the code *digest* that run now have ended."""
        for instance in list(self._instances.get(digest, ())):
            await instance.wait()
        if not self._instances.get(digest):
            self._instances.pop(digest, None)

    def _of_its_code(self, prepared: Prepared) -> list[str]:
        """The entries of the cache that change with every edit."""
        program = prepared.handle
        if not isinstance(program, Program):
            raise TypeError("prepared by another runtime")
        texts = [*program.words, str(program.folder), str(program.snapshot or "")]
        names = dict.fromkeys(names_in(self._cache_dir, texts))
        return [name for name in names if name.partition("/")[0] in OF_CODE]

    async def start(self, launch: Launch, logs: Logs) -> ProcessInstance:
        """Start the program, on a port of its own if it has one."""
        try:
            return await self._start(launch, logs)
        except OSError as error:
            raise InstanceFailed(
                "StartError",
                f"{launch.instance} cannot be started",
                cause=str(error),
                fix="allow more open files (ulimit -n) and processes (ulimit -u)",
            ) from error

    async def _start(self, launch: Launch, logs: Logs) -> ProcessInstance:
        container = launch.serving
        program = container.prepared.handle
        if not isinstance(program, Program):
            raise TypeError("prepared by another runtime")
        await anyio.lowlevel.checkpoint_if_cancelled()
        port = self._ports.take() if launch.port else 0
        user, group = container.security.user, container.security.group
        if user is not None and user == os.geteuid():
            user = group = None
        told = container.env
        if container.mounts:
            # To the end, so that what is cut off leaves no files that nobody knows of.
            with anyio.CancelScope(shield=True):
                told = {**told, **await anyio.to_thread.run_sync(self._files.lay_out, launch, user)}
        env = {
            **self._environ,
            "PYTHONUNBUFFERED": "1",
            **program.envs,
            **told,
            **(_listening(port, told.get("ADDRESS", "")) if port else {}),
            owners.VARIABLE: self._marker,
        }
        _require_passable(env)
        words = list(program.words)
        if program.expands:
            words = [_expand(word, env) for word in (*words, *container.args)]
        process, origin = await self._begin(program, words, env, user, group)
        log = LastWords(logs(container.name))
        instance = ProcessInstance(
            process,
            Address(LOOPBACK, port),
            self._guard.drop,
            container=container.name,
            folder=program.folder,
            env=env,
            origin=origin,
            words=log if container.termination_from_log else None,
        )
        try:
            if origin != "forked":  # The guard knew of that one before it began.
                self._guard.add(process.pid)
            instance.watch(program.in_its_words(log))
        except BaseException:
            instance.kill()
            raise
        self._instances.setdefault(container.prepared.digest, WeakSet()).add(instance)
        return instance

    async def _begin(
        self,
        program: Program,
        words: list[str],
        env: Mapping[str, str],
        user: int | None,
        group: int | None,
    ) -> tuple[Started, str]:
        """The program, forked if it can be, and what its start was."""
        if program.warm is None:
            return spawn(words, program.folder, env, user=user, group=group), "spawned"
        forked = await self.zygotes.fork(program.warm, program.folder, env, user, group)
        if not isinstance(forked, str):
            return forked, "forked"
        spawned = spawn(words, program.folder, env, user=user, group=group)
        return spawned, f"spawned: {forked}" if forked else "spawned"

    async def refresh(self, instance: str, volumes: Mapping[str, FileVolume]) -> None:
        """Nothing: what a process has of volumes is as it was at its start."""

    async def discard(self, instance: str) -> None:
        """Remove its files; what else it leaves behind is in the folders of this machine."""
        await anyio.to_thread.run_sync(self._files.remove, instance)

    async def release(self, volume: str) -> bool:
        """Nothing: processes have no volumes."""
        return True

    async def sweep(self) -> tuple[str, ...]:
        """Kill processes of runs that have ended, and remove their files."""
        await anyio.to_thread.run_sync(self._files.sweep)
        return await anyio.to_thread.run_sync(owners.sweep)

    async def aclose(self) -> None:
        """End the zygotes, what has left its instance's group, and the guard."""
        await self.zygotes.aclose()
        self._use.close()
        await anyio.to_thread.run_sync(owners.end, self._marker)
        await anyio.to_thread.run_sync(self._guard.close)
        await anyio.to_thread.run_sync(self._files.close)


def _listening(port: int, address: str) -> Mapping[str, str]:
    """How the program learns its *port*: as in a container, and what func's runtimes for Go,
    Python and Node read instead.

    Where the variable ADDRESS, which func's deployments set, means all interfaces of a container,
    it is loopback: those of the machine are anybody's.
    """
    return {
        **({"ADDRESS": LOOPBACK} if address in EVERYWHERE else {}),
        "PORT": str(port),
        "LISTEN_ADDRESS": f"{LOOPBACK}:{port}",
        "FUNC_PORT": str(port),
    }


def _require_passable(env: Mapping[str, str]) -> None:
    """Raise ``InstanceFailed`` if a program cannot be given all of *env*."""
    for name, value in env.items():
        try:
            passable = b"\0" not in os.fsencode(f"{name}{value}")
        except UnicodeEncodeError:
            passable = False
        if not passable:
            # Not the value, which may be a password.
            raise InstanceFailed(
                "StartError",
                f"no program can be given the variable {name!r}",
                cause="its value holds a zero byte, or half of a character",
                fix="mount what is not text as a file, or encode it",
            )


def _expand(word: str, env: Mapping[str, str]) -> str:
    """*word* with ``$NAME`` and ``${NAME}`` replaced; unknown names stay for a shell to read."""
    return _VARIABLE.sub(lambda found: env.get(found[1] or found[2], found[0]), word)
