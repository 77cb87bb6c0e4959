"""What the image of a function needs, by its language: made outside, with what is cached.

Joins ``functions/`` with ``function_image.py``.
"""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import assert_never

import anyio.to_thread
import certifi

from knlite.functions import environment, golang, node, plan, procfile
from knlite.functions.golang import GoPlan
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
        making = _Making(project, folder, target, cache_dir, building, report)
        match planned:
            case ProcfilePlan():
                return await making.program(planned)
            case PythonPlan():
                code = await making.python(planned)
            case NodePlan():
                code = await making.node(planned)
            case GoPlan():
                code = await making.go(planned)
            case _:
                assert_never(planned)
        return replace(code, told=plan.told(project.folder, debug=debug))

    return FunctionCodes(code_of, cache_dir)


@dataclass(frozen=True, slots=True)
class _Making:
    """One function, whose files are in *folder*, and what is needed to make its code."""

    project: FunctionProject
    folder: Path
    target: Target
    cache_dir: Path
    environ: Mapping[str, str]
    report: Report

    async def program(self, planned: ProcfilePlan) -> FunctionCode:
        command = _expanded(planned.words)
        packages = await self._packages(planned.requirements)
        if packages is None:
            return FunctionCode(command=command)
        # Scripts name the interpreter that installed them: python -m is what works here.
        return FunctionCode(command=command, env=PYTHON_ENV, site_packages=packages)

    async def _packages(self, requirements: tuple[str, ...]) -> Path | None:
        python = self.target.python
        if not requirements or python is None:
            return None
        return await environment.site_packages(
            requirements,
            python_version=python.version,
            platform=python.platform(self.target.architecture),
            folder=Path(self.project.folder),
            name=self.project.name,
            cache_dir=self.cache_dir,
            environ=self.environ,
            report=self.report,
        )

    async def python(self, planned: PythonPlan) -> FunctionCode:
        python = self.target.python
        if python is None:
            raise TypeError("a Python function needs a Python")
        packages = await self._packages(planned.requirements)
        runner = f"{RUNNER_FOLDER}/{planned.runner.name}"
        return FunctionCode(
            command=(python.program, runner, FUNCTION_FOLDER, *planned.arguments[1:]),
            env=PYTHON_ENV,
            runner=(planned.runner, *SHARED),
            site_packages=packages,
        )

    async def node(self, planned: NodePlan) -> FunctionCode:
        made = await node.make(
            planned,
            folder=self.folder,
            origin=Path(self.project.folder),
            name=self.project.name,
            cache_dir=self.cache_dir,
            environ=self.environ,
            report=self.report,
        )
        flags = made.words[1 : made.words.index(str(node.RUNNER))]
        runner = f"{RUNNER_FOLDER}/{node.RUNNER.name}"
        modules = await anyio.to_thread.run_sync((made.folder / MODULES).resolve)
        return FunctionCode(
            command=("node", *flags, runner, FUNCTION_FOLDER, planned.entry),
            runner=(node.RUNNER,),
            trees={f"{FUNCTION_FOLDER}/{MODULES}": modules},
            source=made.folder,
        )

    async def go(self, planned: GoPlan) -> FunctionCode:
        made = await golang.make(
            planned,
            folder=self.folder,
            origin=Path(self.project.folder),
            name=self.project.name,
            cache_dir=self.cache_dir,
            environ=self.environ,
            report=self.report,
            static=True,
        )
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
