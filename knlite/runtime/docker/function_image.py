"""The image of a function project, from layers that are made here: nothing runs to build it.

Lowest first: the base; the packages; the runner; the function's own files. So what changes most
often is the last, and a saved file sends one small layer. The image's id is the hash of what was
put together (``imageconfig.py``): the same project is the same image on every machine.

The program is user 1000's, as in func's images, and so are the function's files.

Source: Knative Functions reference §4.8 (func's host builder), Part 6 (layers without a build).
Not here: what a language needs (``function_code.py``), how an engine gets it (``loading.py``).
"""

import hashlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from knlite import __version__
from knlite.functions import cachefault
from knlite.functions.ignore import ignored
from knlite.functions.report import Report
from knlite.runtime.docker import images, problems
from knlite.runtime.docker.base import SCRATCH, BasePython, find_base, python_of
from knlite.runtime.docker.dependencies import SITE_PACKAGES, dependencies_layer
from knlite.runtime.docker.imageconfig import (
    BaseImage,
    LayerLine,
    ProgramConfig,
    config_of,
)
from knlite.runtime.docker.images import Stored
from knlite.runtime.docker.layer import KEPT, Entry, File, Layer, kept_layer, layer
from knlite.runtime.docker.loading import Loader
from knlite.runtime.docker.owner import OWNER, Owner
from knlite.runtime.docker.sourcetree import UnfitLink, entries
from knlite.serving.workload import FunctionProject

if TYPE_CHECKING:
    from docker import APIClient

BASE_IMAGE = "python:3.11-slim"
"""What Python functions are put on unless they name another base."""
BASES: Mapping[str, str] = {
    "python": BASE_IMAGE,
    "node": "node:20-slim",
    "typescript": "node:20-slim",
    "go": SCRATCH,
}
"""By language."""
FUNCTION_FOLDER = "/function"
"""Where the function lies in its image; also its working directory."""
RUNNER_FOLDER = "/opt/knlite/runner"
USER = 1000
"""Whose the program and the function's files are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What the code has to run on."""

    architecture: str
    """``amd64``."""
    python: BasePython | None = None
    """The Python of the base, for functions that are written in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionCode:
    """What a function project needs besides its own files."""

    command: tuple[str, ...]
    """What serves it on ``$PORT`` of all interfaces, as seen inside the image."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Variables that are part of the image."""
    told: Mapping[str, str] = field(default_factory=dict)
    """Variables that are given to each start; they may name this machine's folders."""
    runner: tuple[Path, ...] = ()
    """Files that lie in RUNNER_FOLDER."""
    site_packages: Path | None = None
    """A folder with the packages, for the Python of the base."""
    trees: Mapping[str, Path] = field(default_factory=dict)
    """Folders or files of this machine by their place in the image, such as ``node_modules``.
    Those in the cache are never changed: their name is their content's."""
    source: Path | None = None
    """The function's files, if they are not just the project's."""


CodeOf = Callable[[FunctionProject, Path, Target, Report], Awaitable[FunctionCode]]
"""Installs or compiles what a project needs, whose files are in the given folder, a copy of the
project's. Raises ``InstanceFailed``."""


@dataclass(frozen=True, slots=True)
class FunctionCodes:
    """How the code of functions comes about, and where what is made of it is kept."""

    code_of: CodeOf
    cache_dir: Path


def base_of(project: FunctionProject) -> str:
    """The image that *project* is put on; empty if it has to name one."""
    return project.base_image or BASES.get(project.language, "")


def target_of(
    client: "APIClient", project: FunctionProject, cache_dir: Path, owner: Owner, say: images.Say
) -> tuple[BaseImage, Target]:
    """The base of *project*, and what its code has to run on. Blocks. Raises ``InstanceFailed``."""
    reference = base_of(project)
    base = find_base(client, reference, say)
    python = None
    if project.language == "python":
        python = python_of(client, base, reference, cache_dir, {OWNER: owner.encode()})
    return base, Target(architecture=base.architecture, python=python)


def check_links(folder: Path) -> None:
    """Raise ``InstanceFailed`` if a link leads out of *folder*.

    The copy that an image is made of holds the files that links lead to: what lies elsewhere on
    this machine would be carried into the image unseen.
    """
    try:
        for _ in entries(folder, ignored(folder), below="f"):
            pass
    except UnfitLink as link:
        raise problems.links_out(str(folder), link.path, link.target) from link
    except OSError as error:
        raise problems.unreadable(str(folder), str(error)) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Everything that the image of one function is made of."""

    project: FunctionProject
    source: Path
    """Its files: a copy that is not changed."""
    name: str
    """The image's."""
    base: BaseImage
    target: Target
    code: FunctionCode


def build(
    client: "APIClient",
    loader: Loader,
    parts: Parts,
    cache_dir: Path,
    owner: Owner,
    say: images.Say,
) -> Stored:
    """The image of *parts*, in the engine. Blocks. Raises ``InstanceFailed``."""
    folder = parts.project.folder
    try:
        with ExitStack() as opened:
            layers: list[Layer] = []
            for made in _layers(client, parts, cache_dir, owner, say):
                opened.callback(made.close)
                layers.append(made)
            lines = [LayerLine(each.diff_id, each.made_by) for each in layers]
            config = config_of(parts.base, lines, _program(parts))
            return loader.load(parts.name, folder, parts.base, layers, config, say)
    except UnfitLink as link:
        raise problems.links_out(folder, link.path, link.target) from link
    except OSError as error:
        if cachefault.of_cache(error, cache_dir):
            raise cachefault.not_written(error, cache_dir) from error
        raise problems.unreadable(folder, str(error)) from error


def _layers(
    client: "APIClient", parts: Parts, cache_dir: Path, owner: Owner, say: images.Say
) -> Iterator[Layer]:
    """Lowest first."""
    code = parts.code
    if code.site_packages is not None and parts.target.python is not None:
        yield dependencies_layer(
            client,
            code.site_packages,
            parts.base,
            parts.target.python,
            cache_dir,
            {OWNER: owner.encode()},
            lambda: say(f"compiling the packages of {parts.name}"),
        )
    for place in sorted(code.trees):
        yield _tree_layer(place, code.trees[place], cache_dir)
    if code.runner:
        below = RUNNER_FOLDER.strip("/")
        files: list[tuple[str, Entry]] = [
            (f"{below}/{each.name}", File(each)) for each in code.runner
        ]
        yield layer(files, "runner")
    source = code.source or parts.source
    found = entries(source, ignored(source), below=FUNCTION_FOLDER.strip("/"))
    yield layer(found, "function", owner=USER)


def _tree_layer(place: str, tree: Path, cache_dir: Path) -> Layer:
    below = place.strip("/")

    def found() -> Iterator[tuple[str, Entry]]:
        if tree.is_dir():
            return entries(tree, _nothing, below=below)
        executable = bool(tree.stat().st_mode & 0o111)
        return iter([(below, File(tree, executable=executable))])

    if not tree.is_relative_to(cache_dir):
        return layer(found(), place)
    name = hashlib.sha256(f"{place}\0{tree}".encode()).hexdigest()[:24]
    return kept_layer(cache_dir / KEPT / f"{name}.tar", place, found)


def _nothing(_path: str, _is_folder: bool) -> bool:
    return False


def _program(parts: Parts) -> ProgramConfig:
    project = parts.project
    return ProgramConfig(
        command=parts.code.command,
        env=parts.code.env,
        working_dir=FUNCTION_FOLDER,
        user=f"{USER}:{USER}",
        labels={
            "function.knative.dev/name": project.name,
            "function.knative.dev/runtime": project.language,
            # As func names the version of what serves the function.
            "middleware-version": f"knlite-{__version__}",
        },
    )


PYTHON_ENV: Mapping[str, str] = {
    "ADDRESS": "0.0.0.0",
    "PYTHONPATH": SITE_PACKAGES,
    "PYTHONUNBUFFERED": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
}
"""For the runner of Python functions."""
