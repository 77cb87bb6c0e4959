"""Builds a function: an image where there is an engine, else the environment of a process.

The runtime that will run it is asked to prepare it, so that a deployment finds all of it done.

Source: Knative Functions reference §4.3 (build), §4.7.
Not here: how an image or an environment is made (``runtime/``, ``functions/``).
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from platform import machine

import anyio
import anyio.to_thread

from knlite.cli.progress import Steps
from knlite.errors import InvalidInput, KnliteError, Unreachable
from knlite.functions import snapshot
from knlite.functions.built import is_built, stamp
from knlite.functions.project import ProjectError, read
from knlite.runtime.available import open_runtimes
from knlite.serving.workload import FunctionProject, RuntimeName
from knlite.settings import Settings

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
UP_TO_DATE = "function up-to-date. Force rebuild with --build"


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What a build has come to."""

    image: str
    runtime: RuntimeName
    code: str
    """The digest of the function's code, of which there is a snapshot."""
    digest: str
    """Of what was made: the image's, or that of the code and of what it depends on."""


def build(
    folder: Path,
    image: str,
    *,
    runtime: str,
    base_image: str = "",
    force: bool = True,
    push: bool = False,
    credentials: Mapping[str, str] | None = None,
) -> Built:
    """Build the function in *folder* for *runtime* (``auto``, ``docker`` or ``process``).

    Without *force* only if it has changed. Raises ``KnliteError``.
    """
    settings = Settings(runtime=runtime)
    project = read(folder, settings.environ)
    if isinstance(project, ProjectError):
        raise InvalidInput(str(project))
    project = replace(project, image=image, base_image=base_image or project.base_image)

    with Steps() as steps:
        return anyio.run(
            partial(_make, settings, project, steps, force=force, push=push, auth=credentials)
        )


def credentials_of(username: str, password: str, token: str) -> dict[str, str] | None:
    """For a push, beside what the engine's own configuration has; None for that alone."""
    if token:
        return {"registrytoken": token}
    return {"username": username, "password": password} if username else None


async def _make(
    settings: Settings,
    project: FunctionProject,
    steps: Steps,
    *,
    force: bool,
    push: bool,
    auth: Mapping[str, str] | None,
) -> Built:
    folder = Path(project.folder)
    taken = await snapshot.take(folder, name=project.name, cache_dir=settings.cache_dir)
    project = replace(project, code=taken.digest)
    async with open_runtimes(settings, port=0, inner_port=0, hosts=tuple) as available:
        name: RuntimeName = "docker" if "docker" in available.runtimes else "process"
        if push and name != "docker":
            raise Unreachable(
                f"{project.image} cannot be pushed",
                cause=f"there is no image: {available.no_engine}",
                fix="start Docker or Podman, or leave --push away: knlite runs it without",
            )
        told = _stamp(taken.digest, name, project.base_image)
        fresh = not force and is_built(folder, project.image, told)
        if not fresh:
            steps("Building function image" if name == "docker" else "Preparing the function")
        # Also what is up to date: it costs little, and somebody may have removed the image.
        prepared = await available.runtimes[name].prepare(project, steps)
        try:
            await anyio.to_thread.run_sync(stamp, folder, project.image, told)
        except OSError as error:
            raise KnliteError(
                f"{project.image} is built, but that cannot be written down", cause=str(error)
            ) from error
        if push:
            from knlite.runtime.docker.push import push as push_image

            await push_image(settings.environ, project.image, auth, steps)
    steps.done()
    sys.stderr.write(f"{UP_TO_DATE if fresh else f'🙌 Function built: {project.image}'}\n")
    if push:
        sys.stderr.write(f"Function image pushed: {project.image}\n")
    return Built(image=project.image, runtime=name, code=taken.digest, digest=prepared.digest)


def say_builder(builder: str) -> None:
    """Say what comes of the builders that func has."""
    if builder in {"pack", "s2i"}:
        sys.stderr.write(f"knlite builds functions itself; --builder {builder} means just that\n")


def require_platform(platform: str) -> None:
    """Raises ``InvalidInput`` for another one than this machine's."""
    own = f"linux/{_ARCHITECTURES.get(machine().lower(), machine().lower())}"
    if platform not in {"", own}:
        raise InvalidInput(
            f"the platform {platform} cannot be built here",
            cause=f"dependencies are installed on this machine, for {own}",
            fix="leave --platform away, or build on such a machine",
        )


def _stamp(code: str, runtime: str, base_image: str) -> str:
    # What was built for the other runtime, or on another base, is none for this one.
    return f"{code} {runtime} {base_image}".strip()
