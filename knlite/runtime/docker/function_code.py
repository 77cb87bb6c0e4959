"""What the image of a Python function needs: its runner, and its requirements for that image.

Joins ``functions/`` with ``function_image.py``.
"""

from collections.abc import Mapping
from pathlib import Path

from knlite.errors import InstanceFailed
from knlite.functions import environment, python
from knlite.runtime.docker.function_image import (
    FUNCTION_FOLDER,
    PYTHON_VERSION,
    CodeOf,
    FunctionCode,
)
from knlite.runtime.port import Report
from knlite.serving.workload import FunctionProject


def code_in(cache_dir: Path, environ: Mapping[str, str]) -> CodeOf:
    """Installs requirements below *cache_dir*, once for each set of them."""

    async def code_of(project: FunctionProject, report: Report) -> FunctionCode:
        if project.language != "python":
            raise InstanceFailed(
                "BuildFailed",
                f"knlite cannot build a {project.language} function",
                fix=f"add a Dockerfile to {project.folder}",
            )
        folder = Path(project.folder)
        plan = python.plan(folder, project.invoke)
        packages = None
        if plan.requirements:
            packages = await environment.site_packages(
                plan.requirements,
                python_version=PYTHON_VERSION,
                folder=folder,
                name=project.name,
                cache_dir=cache_dir,
                environ=environ,
                report=report,
            )
        arguments = (FUNCTION_FOLDER, *plan.arguments[1:])
        return FunctionCode(runner=plan.runner, arguments=arguments, site_packages=packages)

    return code_of
