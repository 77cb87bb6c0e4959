"""What the image of a function needs, by its language: made outside, with what is cached.

Joins ``functions/`` with ``function_image.py``.
"""

import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import assert_never

import anyio.to_thread
import certifi

from knlite.functions import environment, golang, node, plan, procfile
from knlite.functions.golang import GoPlan
from knlite.functions.making import Making
from knlite.functions.node import NodePlan
from knlite.functions.procfile import ProcfilePlan
from knlite.functions.python import SHARED, PythonPlan
from knlite.runtime.docker import problems
from knlite.runtime.docker.function_image import (
    BASES,
    FUNCTION_FOLDER,
    PYTHON_ENV,
    RUNNER_FOLDER,
    FunctionCode,
    FunctionCodes,
    Target,
)
from knlite.runtime.port import Report
from knlite.serving.workload import FunctionProject

CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
"""Where Go programs look for those of authorities."""
MODULES = "node_modules"


def code_in(cache_dir: Path, environ: Mapping[str, str], *, debug: bool = False) -> FunctionCodes:
    """Installs requirements below *cache_dir*, once for each set of them.

    With *debug* functions show their tracebacks to clients.
    """

    async def code_of(
        project: FunctionProject, folder: Path, target: Target, report: Report
    ) -> FunctionCode:
        unknown = project.language not in BASES
        if unknown and await anyio.to_thread.run_sync(procfile.read, folder) is None:
            raise problems.no_command(project.folder, project.name, project.language)
        planned = await anyio.to_thread.run_sync(plan.plan, folder, project)
        # build.buildEnvs: an index of packages, a proxy.
        building = {**environ, **project.build_envs}
        making = Making(
            name=project.name,
            folder=folder,
            origin=Path(project.folder),
            cache_dir=cache_dir,
            environ=building,
            report=report,
        )
        code = await _code(planned, making, target)
        if isinstance(planned, ProcfilePlan):
            return code
        return replace(code, told=plan.told(project.folder, debug=debug))

    return FunctionCodes(code_of, cache_dir)


async def _code(planned: plan.Plan, making: Making, target: Target) -> FunctionCode:
    match planned:
        case ProcfilePlan():
            return await _program(planned, making, target)
        case PythonPlan():
            return await _python(planned, making, target)
        case NodePlan():
            return await _node(planned, making)
        case GoPlan():
            return await _go(planned, making)
        case _:
            assert_never(planned)


async def _program(planned: ProcfilePlan, making: Making, target: Target) -> FunctionCode:
    command = _expanded(planned.words)
    packages = await _packages(planned.requirements, making, target)
    if packages is None:
        return FunctionCode(command=command)
    # Scripts name the interpreter that installed them: python -m is what works here.
    return FunctionCode(command=command, env=PYTHON_ENV, site_packages=packages)


async def _python(planned: PythonPlan, making: Making, target: Target) -> FunctionCode:
    if target.python is None:
        raise TypeError("a Python function needs a Python")
    packages = await _packages(planned.requirements, making, target)
    runner = f"{RUNNER_FOLDER}/{planned.runner.name}"
    return FunctionCode(
        command=(target.python.program, runner, FUNCTION_FOLDER, *planned.arguments[1:]),
        env=PYTHON_ENV,
        runner=(planned.runner, *SHARED),
        site_packages=packages,
    )


async def _packages(requirements: tuple[str, ...], making: Making, target: Target) -> Path | None:
    if not requirements or target.python is None:
        return None
    return await environment.site_packages(
        requirements,
        python_version=target.python.version,
        platform=target.python.platform(target.architecture),
        folder=making.origin,
        name=making.name,
        cache_dir=making.cache_dir,
        environ=making.environ,
        report=making.report,
    )


async def _node(planned: NodePlan, making: Making) -> FunctionCode:
    made = await node.make(planned, making)
    flags = made.words[1 : made.words.index(str(node.RUNNER))]
    runner = f"{RUNNER_FOLDER}/{node.RUNNER.name}"
    modules = await anyio.to_thread.run_sync((made.folder / MODULES).resolve)
    return FunctionCode(
        command=("node", *flags, runner, FUNCTION_FOLDER, planned.entry),
        runner=(node.RUNNER,),
        trees={f"{FUNCTION_FOLDER}/{MODULES}": modules},
        source=made.folder,
    )


async def _go(planned: GoPlan, making: Making) -> FunctionCode:
    made = await golang.make(planned, making, static=True)
    program = f"{RUNNER_FOLDER}/function"
    return FunctionCode(
        command=(program,),
        # Those of knlite's own packages: the same on every machine.
        trees={program: made, CERTIFICATES: Path(certifi.where())},
    )


def _expanded(words: tuple[str, ...]) -> tuple[str, ...]:
    """*words* with their variables read when the container starts, which takes a shell."""
    if not any("$" in word for word in words) or words[0] == "/bin/sh":
        return words
    line = " ".join(word if "$" in word else shlex.quote(word) for word in words)
    return ("/bin/sh", "-c", f"exec {line}")
