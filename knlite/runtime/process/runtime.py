"""Runs function projects and plain commands as processes of this machine.

Source: Knative reference §4 (runtime contract); knlite README, "Where the code of a service comes
from".
Differs: a process shares the machine: it gets a port of its own instead of the container's, and its
file system, network and (unless knlite runs as root) user are those of whoever runs knlite. Limits
are not enforced: those that the kernel knows for one process count what it reserves rather than
what it uses, so they would end programs that a container keeps. ``serving/support.py`` tells which
fields of a manifest are refused for that, and which have no effect.
"""

import os
import re
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import assert_never

import anyio
import anyio.lowlevel
import anyio.to_thread

from knlite.errors import InstanceFailed
from knlite.functions import contents, environment, python
from knlite.runtime.lastwords import LastWords
from knlite.runtime.port import Launch, Logs, Prepared, Report
from knlite.runtime.process import owner as owners
from knlite.runtime.process.files import Files
from knlite.runtime.process.guard import Guard
from knlite.runtime.process.instance import ProcessInstance
from knlite.runtime.process.ports import Ports
from knlite.runtime.process.started import spawn
from knlite.serving.instance import Address
from knlite.serving.vantage import ByPath
from knlite.serving.volume import FileVolume
from knlite.serving.workload import (
    DockerfileFolder,
    FunctionProject,
    LocalCommand,
    StoredImage,
    Workload,
)

LOOPBACK = "127.0.0.1"
NOT_INHERITED = frozenset(
    {"PYTHONHOME", "PYTHONPATH", "PYTHONSAFEPATH", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__"}
)
"""What would make an instance use knlite's own Python environment."""

_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|([A-Za-z_]\w*))")


class ProcessRuntime:
    """Programs as process groups.

    *environ* is what instances inherit (``PATH``, ``HOME``, …); *owner* names this run.
    """

    def __init__(
        self, *, gateway_port: int, cache_dir: Path, owner: str, environ: Mapping[str, str]
    ) -> None:
        self.vantage = ByPath(f"http://{LOOPBACK}:{gateway_port}")
        self._cache_dir = cache_dir
        self._environ = {k: v for k, v in environ.items() if k not in NOT_INHERITED}
        self._marker = owners.marker(owner)
        self._files = Files(cache_dir / "volumes", self._marker)
        self._ports = Ports()
        self._guard = Guard()

    async def prepare(self, workload: Workload, report: Report) -> Prepared:
        """Install what a function requires; a command needs nothing."""
        match workload:
            case FunctionProject():
                program, extra = await self._prepare_function(workload, report)
            case LocalCommand():
                program, extra = _prepare_command(workload), workload.command
            case DockerfileFolder() | StoredImage():
                raise InstanceFailed(
                    "ContainerEngineMissing",
                    "an image cannot run as a process",
                    fix="start a container engine and run knlite with --runtime docker, or "
                    "annotate the Service with knlite.dev/command",
                )
            case _:
                assert_never(workload)
        digest = await anyio.to_thread.run_sync(contents.digest, program.folder, extra)
        return Prepared(program, digest)

    async def start(self, launch: Launch, logs: Logs) -> ProcessInstance:
        """Start the program, on a port of its own if it has one."""
        container = launch.serving
        program = container.prepared.handle
        if not isinstance(program, _Program):
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
            **(_listening(port) if port else {}),
            owners.VARIABLE: self._marker,
        }
        words = list(program.words)
        if program.expands:
            words = [_expand(word, env) for word in (*words, *container.args)]
        process = spawn(words, program.folder, env, user=user, group=group)
        log = LastWords(logs(container.name))
        instance = ProcessInstance(
            process,
            Address(LOOPBACK, port),
            self._guard.drop,
            container=container.name,
            folder=program.folder,
            env=env,
            words=log if container.termination_from_log else None,
        )
        try:
            self._guard.add(process.pid)
            instance.watch(log)
        except BaseException:
            instance.kill()
            raise
        return instance

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
        """End the guard."""
        await anyio.to_thread.run_sync(self._guard.close)
        await anyio.to_thread.run_sync(self._files.close)

    async def _prepare_function(
        self, project: FunctionProject, report: Report
    ) -> tuple["_Program", str]:
        if project.language != "python":
            raise InstanceFailed(
                "FunctionNotSupported",
                f"a {project.language} function cannot run as a process",
                fix="run knlite with --runtime docker, which builds an image of it, or annotate "
                "the Service with knlite.dev/command and a command that listens on $PORT",
            )
        folder = await anyio.to_thread.run_sync(_existing, project.folder)
        plan = await anyio.to_thread.run_sync(python.plan, folder, project.invoke)
        # Without requirements -S keeps this interpreter's packages, which are knlite's, out of
        # sight, and saves the time of looking for them.
        interpreter = [sys.executable, "-S"]
        if plan.requirements:
            installed = await environment.ensure(
                plan.requirements,
                folder=folder,
                name=project.name,
                cache_dir=self._cache_dir,
                environ=self._environ,
                report=report,
            )
            interpreter = [str(installed)]
        words = (*interpreter, str(plan.runner), *plan.arguments)
        described = "\n".join((sys.version, *plan.requirements, *sorted(project.envs)))
        return _Program(words=words, folder=folder, envs=project.envs), described


@dataclass(frozen=True, slots=True, kw_only=True)
class _Program:
    words: tuple[str, ...]
    folder: Path
    envs: Mapping[str, str] = field(default_factory=dict)
    expands: bool = False
    """Whether words may hold ``$PORT`` and other variables, and are followed by arguments."""


def _listening(port: int) -> Mapping[str, str]:
    """How the program learns its *port*: as in a container, and what func's runtimes for Go,
    Python and Node read instead."""
    return {
        "PORT": str(port),
        "LISTEN_ADDRESS": f"{LOOPBACK}:{port}",
        "FUNC_PORT": str(port),
    }


def _prepare_command(workload: LocalCommand) -> _Program:
    try:
        words = tuple(shlex.split(workload.command))
    except ValueError as error:
        raise InstanceFailed(
            "InvalidCommand",
            f"the command {workload.command!r} cannot be read",
            cause=str(error),
            fix="correct the annotation knlite.dev/command",
        ) from error
    if not words:
        raise InstanceFailed(
            "InvalidCommand",
            "the command is empty",
            fix="correct the annotation knlite.dev/command",
        )
    return _Program(words=words, folder=_existing(workload.folder), expands=True)


def _existing(folder: str) -> Path:
    path = Path(folder).resolve()
    if not path.is_dir():
        raise InstanceFailed(
            "FolderMissing",
            f"{folder} is not a folder",
            fix="correct the annotation knlite.dev/workdir, or bring the folder back",
        )
    return path


def _expand(word: str, env: Mapping[str, str]) -> str:
    """*word* with ``$NAME`` and ``${NAME}`` replaced; unknown names stay for a shell to read."""
    return _VARIABLE.sub(lambda found: env.get(found[1] or found[2], found[0]), word)
