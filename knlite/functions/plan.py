"""How a function project is run, by its language: what to make for it, and the words that start it.

A plan is read from the folder's files; what it needs (an environment, compiled code) is made once
and cached, by content. Words may hold ``$PORT`` and other variables, which are known at a start.

Source: Knative Functions reference §4.2 (runtimes), §2.6 and §3.3 (Python), Part 7.
Not here: what each language needs (``python.py``, ``procfile.py``, …); starting (``runtime/``).
"""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import assert_never

import anyio.to_thread

from knlite.errors import InstanceFailed
from knlite.functions import environment, golang, node, procfile, python
from knlite.functions.golang import GoPlan
from knlite.functions.making import Making
from knlite.functions.node import NodePlan
from knlite.functions.preloads import preloads
from knlite.functions.procfile import ProcfilePlan
from knlite.functions.python import PythonPlan
from knlite.serving.workload import FunctionProject

Plan = PythonPlan | NodePlan | GoPlan | ProcfilePlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Warm:
    """What a parent process may have loaded already when an instance is forked from it."""

    interpreter: tuple[str, ...]
    """The program and its flags."""
    runner: Path
    """Its ``main`` is called with *arguments*."""
    arguments: tuple[str, ...]
    imports: tuple[str, ...]
    """Modules that importing the function loads besides its own, and that its runner loads for a
    first request; what is missing does not matter."""
    key: str
    """Instances with the same one can share a parent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A function that can be started."""

    words: tuple[str, ...]
    described: str
    """What it depends on besides the files in its folder and their names."""
    envs: Mapping[str, str] = field(default_factory=dict, repr=False)
    expands: bool = False
    """Whether *words* may hold ``$PORT`` and other variables."""
    warm: Warm | None = None
    folder: Path | None = None
    """Where it runs, if not in the folder of the plan."""


def told(origin: Path | str, *, debug: bool) -> Mapping[str, str]:
    """What the runner of a function in *origin* is told by variables.

    *debug* lets answers show tracebacks.
    """
    return {
        "KNLITE_LOG_MARKS": "1",
        "KNLITE_ORIGIN": str(origin),
        **({"KNLITE_DEBUG": "1"} if debug else {}),
    }


def plan(folder: Path, project: FunctionProject) -> Plan:
    """How to run *project*, whose files are in *folder*. Blocks. Raises ``InstanceFailed``."""
    with _known_as(folder, project.folder):
        return _plan(folder, project)


def _plan(folder: Path, project: FunctionProject) -> Plan:
    if project.language == "python" and python.recognized(folder):
        return python.plan(folder, project.invoke)
    command = procfile.read(folder)
    if command is not None:
        listed = python.listed(folder) if project.language == "python" else ()
        return replace(command, requirements=listed)
    if project.language == "python":
        return python.plan(folder, project.invoke)
    if project.language in ("node", "typescript"):
        return node.plan(folder, project.language)
    if project.language == "go":
        return golang.plan(folder, project.invoke)
    raise InstanceFailed(
        "FunctionNotSupported",
        f"a {project.language} function cannot run as a process",
        cause=f"knlite knows no way to start it, and {folder} has no Procfile",
        fix="write a Procfile with a line such as 'web: ./server --port $PORT', or run knlite with "
        "--runtime docker and a Dockerfile in the folder",
    )


async def make(planned: Plan, making: Making, *, debug: bool) -> Made:
    """Make what *planned* needs. Raises ``InstanceFailed``.

    *debug* lets answers show tracebacks.
    """
    with _known_as(making.folder, making.origin):
        match planned:
            case ProcfilePlan():
                return await _program(planned, making)
            case NodePlan():
                ready = await node.make(planned, making)
                words, envs = ready.words, told(making.origin, debug=debug)
                return Made(words=words, described="\n".join(words), envs=envs, folder=ready.folder)
            case GoPlan():
                program = str(await golang.make(planned, making))
                envs = told(making.origin, debug=debug)
                return Made(words=(program,), described=program, envs=envs)
            case PythonPlan():
                return await _python(planned, making, debug=debug)
            case _:
                assert_never(planned)


async def _program(planned: ProcfilePlan, making: Making) -> Made:
    envs: Mapping[str, str] = {}
    if planned.requirements:
        installed = await _environment(planned.requirements, making)
        inherited = making.environ.get("PATH", os.defpath)
        envs = {"PATH": f"{installed.parent}{os.pathsep}{inherited}"}
    described = "\n".join((*planned.words, "", *planned.requirements))
    return Made(words=planned.words, described=described, envs=envs, expands=True)


async def _python(planned: PythonPlan, making: Making, *, debug: bool) -> Made:
    # Without requirements -S keeps this interpreter's packages, which are knlite's, out of
    # sight, and saves the time of looking for them.
    interpreter: tuple[str, ...] = (sys.executable, "-S")
    if planned.requirements:
        interpreter = (str(await _environment(planned.requirements, making)),)
    arguments = (str(making.folder), *planned.arguments[1:])
    imports = await anyio.to_thread.run_sync(preloads, making.folder, planned)
    warm = Warm(
        interpreter=interpreter,
        runner=planned.runner,
        arguments=arguments,
        imports=imports,
        key="\n".join((*interpreter, str(planned.runner), *imports)),
    )
    return Made(
        words=(*interpreter, str(python.START), planned.runner.stem, *arguments),
        described="\n".join((sys.version, *planned.requirements)),
        envs=told(making.origin, debug=debug),
        warm=warm,
    )


async def _environment(requirements: tuple[str, ...], making: Making) -> Path:
    """The interpreter of an environment with *requirements*."""
    return await environment.ensure(
        requirements,
        folder=making.origin,
        name=making.name,
        cache_dir=making.cache_dir,
        environ=making.environ,
        report=making.report,
    )


@contextmanager
def _known_as(folder: Path, origin: Path | str) -> Iterator[None]:
    """Have errors name *origin*: *folder* may be a copy that nobody knows of."""
    try:
        yield
    except InstanceFailed as error:
        what, cause, fix = (
            text.replace(str(folder), str(origin)) for text in (error.what, error.cause, error.fix)
        )
        raise InstanceFailed(error.reason, what, cause=cause, fix=fix) from error
