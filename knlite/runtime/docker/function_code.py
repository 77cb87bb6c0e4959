"""What the image of a function needs, by its language: made outside, with what is cached.

Joins ``functions/`` with ``function_image.py``.
"""

import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import anyio.to_thread

from knlite.errors import InstanceFailed
from knlite.functions import environment, procfile, python
from knlite.functions.plan import told
from knlite.runtime.docker.function_image import (
    FUNCTION_FOLDER,
    PYTHON_ENV,
    RUNNER_FOLDER,
    FunctionCode,
    FunctionCodes,
    Target,
)
from knlite.runtime.port import Report
from knlite.serving.workload import FunctionProject


def code_in(cache_dir: Path, environ: Mapping[str, str], *, debug: bool = False) -> FunctionCodes:
    """Installs requirements below *cache_dir*, once for each set of them.

    With *debug* functions show their tracebacks to clients.
    """

    async def code_of(
        project: FunctionProject, folder: Path, target: Target, report: Report
    ) -> FunctionCode:
        if project.language == "python" and target.python is not None:
            code = await _python(project, folder, target, cache_dir, environ, report)
            return replace(code, told=told(project.folder, debug=debug))
        found = await anyio.to_thread.run_sync(procfile.read, folder)
        if found is None:
            raise InstanceFailed(
                "BuildFailed",
                f"knlite does not know how a {project.language} function is started",
                cause=f"{project.folder} has neither a Dockerfile nor a Procfile",
                fix="write a Dockerfile, or a Procfile with a line such as "
                "'web: ./server --port $PORT'",
            )
        return FunctionCode(command=_expanded(found.words))

    return FunctionCodes(code_of, cache_dir)


async def _python(
    project: FunctionProject,
    folder: Path,
    target: Target,
    cache_dir: Path,
    environ: Mapping[str, str],
    report: Report,
) -> FunctionCode:
    interpreter = target.python
    if interpreter is None:
        raise TypeError("a Python function needs a Python")
    plan = await anyio.to_thread.run_sync(python.plan, folder, project.invoke)
    packages = None
    if plan.requirements:
        packages = await environment.site_packages(
            plan.requirements,
            python_version=interpreter.version,
            platform=interpreter.platform(target.architecture),
            folder=Path(project.folder),
            name=project.name,
            cache_dir=cache_dir,
            environ=environ,
            report=report,
        )
    program = f"{RUNNER_FOLDER}/{plan.runner.name}"
    return FunctionCode(
        command=(interpreter.program, program, FUNCTION_FOLDER, *plan.arguments[1:]),
        env=PYTHON_ENV,
        runner=(plan.runner, *python.SHARED),
        site_packages=packages,
    )


def _expanded(words: tuple[str, ...]) -> tuple[str, ...]:
    """*words* with their variables read when the container starts, which takes a shell."""
    if not any("$" in word for word in words) or words[0] == "/bin/sh":
        return words
    line = " ".join(word if "$" in word else shlex.quote(word) for word in words)
    return ("/bin/sh", "-c", f"exec {line}")
