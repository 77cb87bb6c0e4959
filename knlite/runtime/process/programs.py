"""What is started for a workload: words, folder, variables; and making them ready.

Not here: starting it (``instance.py``); how a function is run (``functions/plan.py``).
"""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import assert_never

import anyio.to_thread

from knlite.errors import InstanceFailed
from knlite.functions import plan, snapshot
from knlite.functions.making import Making
from knlite.functions.plan import Warm
from knlite.runtime.port import Log, Report
from knlite.serving.workload import (
    DockerfileFolder,
    FunctionProject,
    LocalCommand,
    StoredImage,
    Workload,
)


@dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True)
class Program:
    """A program that can be started any number of times."""

    words: tuple[str, ...]
    folder: Path
    """Where it runs."""
    origin: Path
    """The user's folder, which *folder* may be a copy of."""
    envs: Mapping[str, str] = field(default_factory=dict, repr=False)
    expands: bool = False
    """Whether words may hold ``$PORT`` and other variables, and are followed by arguments."""
    snapshot: Path | None = None
    """The copy of the user's folder that it was made of."""
    code: str = ""
    """The digest of what is in that copy."""
    warm: Warm | None = None
    """What it can be forked from."""

    def in_its_words(self, log: Log) -> Log:
        """*log* with the files that a person knows in the place of copies of them."""
        copy, known = str(self.folder), str(self.origin)
        if copy == known:
            return log
        return lambda stream, line: log(stream, line.replace(copy, known))


async def program_of(
    workload: Workload,
    *,
    cache_dir: Path,
    environ: Mapping[str, str],
    debug: bool,
    report: Report,
) -> tuple[Program, str]:
    """The program of *workload*, and what its content address covers besides its folder.

    *debug* lets a function's answers show tracebacks. Raises ``InstanceFailed``.
    """
    match workload:
        case FunctionProject():
            return await _of_function(workload, cache_dir, environ, report, debug=debug)
        case LocalCommand():
            return _of_command(workload), workload.command
        case DockerfileFolder() | StoredImage():
            raise InstanceFailed(
                "ContainerEngineMissing",
                "an image cannot run as a process",
                fix="start a container engine and run knlite with --runtime docker, or "
                "annotate the Service with knlite.dev/command",
            )
        case _:
            assert_never(workload)


async def _of_function(
    project: FunctionProject,
    cache_dir: Path,
    environ: Mapping[str, str],
    report: Report,
    *,
    debug: bool,
) -> tuple[Program, str]:
    origin = await anyio.to_thread.run_sync(_existing, project.folder)
    taken = await snapshot.take(origin, name=project.name, cache_dir=cache_dir, code=project.code)
    folder = taken.folder
    if instead := taken.instead_of(project.code):
        report(instead)
    planned = await anyio.to_thread.run_sync(plan.plan, folder, project)
    making = Making(
        name=project.name,
        folder=folder,
        origin=origin,
        cache_dir=cache_dir,
        environ={**environ, **project.build_envs},
        report=report,
    )
    made = await plan.make(planned, making, debug=debug)
    program = Program(
        snapshot=taken.folder,
        code=taken.digest,
        words=made.words,
        folder=made.folder or folder,
        origin=origin,
        envs={**made.envs, **project.envs},
        expands=made.expands,
        warm=made.warm,
    )
    return program, "\n".join((made.described, *sorted(project.envs)))


def _of_command(workload: LocalCommand) -> Program:
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
    folder = _existing(workload.folder)
    return Program(words=words, folder=folder, origin=folder, expands=True)


def _existing(folder: str) -> Path:
    path = Path(folder).resolve()
    if not path.is_dir():
        raise InstanceFailed(
            "FolderMissing",
            f"{folder} is not a folder",
            fix="correct the annotation knlite.dev/workdir, or bring the folder back",
        )
    return path
