"""The image of a Python function project: base, dependencies, runner, the function itself.

Dependencies are installed on the host and copied in, since a build step may have no network and a
slim base no pip. They form an image of their own, so that an edit of the function sends and builds
only the function: measured 0.1 s instead of 1.1 to 1.4 s with 20 MB of dependencies.

What the dependencies are, which runner loads the function and where it lies are asked from
outside (``FunctionCode``). Source: Knative reference, images of functions.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from knlite.functions.python import SHARED
from knlite.runtime.docker.context import Context, Entry, folder_entries
from knlite.runtime.port import Report
from knlite.serving.workload import FunctionProject

BASE_IMAGE = "python:3.11-slim"
PYTHON_VERSION = "3.11"
"""Dependencies have to be installed for this version, and for Linux."""
FUNCTION_FOLDER = "/function"
"""Where the function lies in its image; also its working directory."""
_SITE_PACKAGES = "/opt/knlite/site-packages"
_RUNNER_FOLDER = "/opt/knlite"
_IGNORED = (".git", ".func", ".venv", "**/__pycache__", "**/*.pyc", "**/node_modules")


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionCode:
    """What a function project needs besides its own files."""

    runner: Path
    """The program that loads the function and serves it on ``$ADDRESS`` (all
    interfaces, as ``func deploy`` sets it) and ``$PORT``."""
    arguments: tuple[str, ...] = (FUNCTION_FOLDER,)
    """Its arguments, as seen inside the image."""
    site_packages: Path | None = None
    """A folder with the installed dependencies, for PYTHON_VERSION on Linux."""
    envs: Mapping[str, str] = field(default_factory=dict)
    """What the runner is told at a start; not part of the image."""


CodeOf = Callable[[FunctionProject, Report], Awaitable[FunctionCode]]
"""Installs what a project needs. Raises ``InstanceFailed``."""


def dependencies_context(site_packages: Path, base_id: str) -> Context:
    """The context of the image that holds the dependencies.

    They are compiled in it: the interpreter of the image is not knlite's, and without compiled
    files each cold start would compile them anew.
    """
    dockerfile = (
        f"FROM {BASE_IMAGE}\n"
        f"COPY site-packages {_SITE_PACKAGES}\n"
        f"RUN python3 -m compileall -q --invalidation-mode unchecked-hash {_SITE_PACKAGES} "
        "|| true\n"
    )
    ignored = ("**/__pycache__", "**/*.pyc", ".lock")
    files = folder_entries(site_packages, ignored, below="site-packages/", keep=".keep")
    return Context((Entry("Dockerfile", text=dockerfile), *files), salt=base_id)


def function_context(
    project: FunctionProject, code: FunctionCode, base: str, base_id: str
) -> Context:
    """The context of the function's image, on top of *base*."""
    command = json.dumps(["python3", f"{_RUNNER_FOLDER}/{code.runner.name}", *code.arguments])
    dockerfile = (
        f"FROM {base}\n"
        f"ENV ADDRESS=0.0.0.0 PYTHONPATH={_SITE_PACKAGES}\n"
        "ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1\n"
        f"WORKDIR {FUNCTION_FOLDER}\n"
        f"COPY runner {_RUNNER_FOLDER}\n"
        f"COPY function {FUNCTION_FOLDER}\n"
        "ENTRYPOINT []\n"
        f"CMD {command}\n"
    )
    folder = Path(project.folder)
    entries = folder_entries(folder, [*_IGNORED, *_funcignore(folder)], below="function/")
    runner = [Entry(f"runner/{file.name}", file) for file in (code.runner, *SHARED)]
    return Context((Entry("Dockerfile", text=dockerfile), *runner, *entries), salt=base_id)


def _funcignore(folder: Path) -> list[str]:
    """``.funcignore`` in the words of a ``.dockerignore``: names without a slash match anywhere."""
    try:
        lines = [line.strip() for line in (folder / ".funcignore").read_text().splitlines()]
    except FileNotFoundError:
        return []
    patterns = []
    for line in lines:
        if not line or line.startswith("#"):
            continue
        mark, path = ("!", line[1:]) if line.startswith("!") else ("", line)
        anywhere = "/" not in path.rstrip("/")
        path = path.strip("/")
        patterns += [f"{mark}{path}"] + ([f"{mark}**/{path}"] if anywhere else [])
    return patterns
