"""What the image of a Python function needs: its runner, and its requirements for that image.

Joins ``functions/`` with ``function_image.py``.
"""

from collections.abc import Mapping
from pathlib import Path

from knlite.errors import InstanceFailed
from knlite.functions import environment, plan, python
from knlite.runtime.docker.function_image import (
    FUNCTION_FOLDER,
    PYTHON_VERSION,
    CodeOf,
    FunctionCode,
)
from knlite.runtime.port import Report
from knlite.serving.workload import FunctionProject


def code_in(cache_dir: Path, environ: Mapping[str, str], *, debug: bool = False) -> CodeOf:
    """Installs requirements below *cache_dir*, once for each set of them.

    With *debug* functions show their tracebacks to clients.
    """

    async def code_of(project: FunctionProject, report: Report) -> FunctionCode:
        if project.language != "python":
            raise InstanceFailed(
                "BuildFailed",
                f"knlite cannot build a {project.language} function",
                fix=f"add a Dockerfile to {project.folder}",
            )
        folder = Path(project.folder)
        planned = python.plan(folder, project.invoke)
        packages = None
        if planned.requirements:
            packages = await environment.site_packages(
                planned.requirements,
                python_version=PYTHON_VERSION,
                folder=folder,
                name=project.name,
                cache_dir=cache_dir,
                environ=environ,
                report=report,
            )
        arguments = (FUNCTION_FOLDER, *planned.arguments[1:])
        return FunctionCode(
            runner=planned.runner,
            arguments=arguments,
            site_packages=packages,
            envs=plan.told(project.folder, debug=debug),
        )

    return code_of
