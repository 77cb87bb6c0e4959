"""Has the images that instances are to be started from: found, pulled or built, one at a time each.

What a run uses is noted in its cache, so that a prune leaves it alone; what a revision that is gone
has used alone is removed.

Not here: how each kind of image comes about (``images.py``, ``function_image.py``).
"""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

import anyio
import anyio.to_thread

from knlite.errors import InstanceFailed, KnliteError
from knlite.functions import cacheuse, snapshot
from knlite.functions.cacheuse import CacheUse, names_in, pruning
from knlite.runtime.docker import function_image, images, problems, unused
from knlite.runtime.docker.container import Image
from knlite.runtime.docker.context import folder_context
from knlite.runtime.docker.dependencies import layer_place
from knlite.runtime.docker.function_image import FunctionCodes, Parts, Target
from knlite.runtime.docker.imageconfig import BaseImage
from knlite.runtime.docker.images import Stored
from knlite.runtime.docker.loading import Loader
from knlite.runtime.docker.owner import Owner
from knlite.runtime.docker.threads import Threads
from knlite.runtime.port import Prepared, Report
from knlite.serving.workload import (
    DockerfileFolder,
    FunctionProject,
    LocalCommand,
    StoredImage,
    Workload,
)

if TYPE_CHECKING:
    from docker import APIClient

T = TypeVar("T")
R = TypeVar("R")

PREPARATIONS = 2
"""Builds and pulls at a time, in threads of their own so that they never hold up a start."""
_LOCAL_NAMES = "knlite.local"


class Preparing:
    """The images of one run, in one engine."""

    def __init__(self, client: "APIClient", codes: FunctionCodes, owner: Owner) -> None:
        self._client = client
        self._codes = codes
        self._owner = owner
        self._loader = Loader(client)
        self._use = CacheUse(codes.cache_dir)
        self._threads = Threads("docker-prepare", PREPARATIONS)
        self._turns: dict[str, anyio.Lock] = {}
        self._given_up: set[str] = set()
        """Ids of images that no revision of this run needs, but a container may still use."""

    async def prepare(self, workload: Workload, report: Report) -> Prepared:
        """As ``port.Runtime.prepare``."""
        if isinstance(workload, StoredImage) and not self._use.possible:
            # Nothing is made for it, and nobody can prune there.
            return await self._prepare(workload, report)
        async with self._use.preparing():
            prepared = await self._prepare(workload, report)
            handle = prepared.handle
            if isinstance(handle, Image):
                made = not isinstance(workload, StoredImage)
                await anyio.to_thread.run_sync(self._note, handle.id, made)
        return prepared

    async def forget(self, prepared: Prepared, kept: Collection[Prepared]) -> None:
        """As ``port.Runtime.forget``. What is in somebody's hands now, the next sweep removes."""
        image = prepared.handle
        if not isinstance(image, Image):
            return
        others = [each.handle for each in kept if isinstance(each.handle, Image)]
        if image.snapshot and all(each.snapshot != image.snapshot for each in others):
            await self._use.drop([image.snapshot])
        if any(each.id == image.id for each in others):
            return
        self._given_up.add(image.id)
        with contextlib.suppress(KnliteError, OSError):
            # Not for longer than it takes: whoever saves a file waits for it.
            async with pruning(self._codes.cache_dir, patience=0.0):
                await self._remove_given_up()

    async def sweep(self) -> list[str]:
        """Remove images that have lost their name and nobody uses; their ids."""
        with contextlib.suppress(KnliteError, OSError):
            async with pruning(self._codes.cache_dir, patience=0.0):
                return await self._remove_superseded()
        return []

    def close(self) -> None:
        """It uses no images any more."""
        self._use.close()

    async def _remove_given_up(self) -> None:
        cache_dir = self._codes.cache_dir
        for image in tuple(self._given_up):
            self._use.forget(unused.use_name(image))
        in_use = await anyio.to_thread.run_sync(cacheuse.used, cache_dir)
        try:
            for image in sorted(self._given_up):
                removal = unused.remove_if_unused
                if await self._threads.submit(removal, self._client, cache_dir, image, in_use):
                    self._given_up.discard(image)
        except Exception as error:
            if not from_engine(error):
                raise

    async def _remove_superseded(self) -> list[str]:
        cache_dir = self._codes.cache_dir
        in_use = await anyio.to_thread.run_sync(cacheuse.used, cache_dir)
        removal = self._threads.submit(unused.remove_superseded, self._client, cache_dir, in_use)
        try:
            return await removal
        except Exception as error:
            if not from_engine(error):
                raise
            return []

    def _note(self, image: str, made: bool) -> None:
        name = unused.use_name(image)
        if made:
            unused.note_made(self._codes.cache_dir, image)
        self._use.note([name])
        self._given_up.discard(image)

    async def _prepare(self, workload: Workload, report: Report) -> Prepared:
        match workload:
            case StoredImage():
                name = workload.reference
                image = await self._in_turn(name, images.stored_image, workload, report)
                return _prepared(image, name)
            case DockerfileFolder():
                return await self._prepare_folder(workload, report)
            case FunctionProject():
                return await self._prepare_function(workload, report)
            case LocalCommand(command):
                raise InstanceFailed(
                    "UnsupportedWorkload",
                    f"The command `{command}` cannot run in a container",
                    cause="it names no image",
                    fix="run with --runtime auto or process, or give the service a Dockerfile",
                )

    async def _prepare_folder(self, workload: DockerfileFolder, report: Report) -> Prepared:
        image = await self._in_turn(workload.image, _build_folder, (workload, self._owner), report)
        return _prepared(image, workload.image)

    async def _prepare_function(self, project: FunctionProject, report: Report) -> Prepared:
        name = project.image or f"{_LOCAL_NAMES}/{project.name}:latest"
        if await anyio.Path(project.folder, "Dockerfile").exists():
            folder = DockerfileFolder(project.folder, name)
            image = await self._in_turn(name, _build_folder, (folder, self._owner), report)
            return _prepared(image, name, project.envs)
        base = function_image.base_of(project)
        if not base:
            raise problems.no_base(project.folder, project.name, project.language)
        cache_dir, origin = self._codes.cache_dir, Path(project.folder)
        await anyio.to_thread.run_sync(function_image.check_links, origin)
        taken = await snapshot.take(
            origin, name=project.name, cache_dir=cache_dir, code=project.code
        )
        if instead := taken.instead_of(project.code):
            report(instead)
        asked = (project, cache_dir, self._owner)
        found, target = await self._in_turn(base, _find_target, asked, report)
        code = await self._codes.code_of(project, taken.folder, target, report)
        parts = Parts(
            project=project, source=taken.folder, name=name, base=found, target=target, code=code
        )
        kept = [taken.folder, code.source or taken.folder, *code.trees.values()]
        if code.site_packages is not None:
            # Without them an edit would need the network again.
            kept += [code.site_packages, layer_place(cache_dir, code.site_packages, found)]
        await anyio.to_thread.run_sync(self._use.note_paths, [str(path) for path in kept])
        what = (self._loader, parts, cache_dir, self._owner)
        image = await self._in_turn(name, _build_function, what, report)
        (snapshot_name,) = names_in(cache_dir, [str(taken.folder)])
        return _prepared(image, name, {**code.told, **project.envs}, snapshot_name)

    async def _in_turn(
        self,
        name: str,
        call: Callable[["APIClient", T, images.Say], R],
        what: T,
        report: Report,
    ) -> R:
        """Run *call*, one at a time for each image's name: the second then finds it built."""
        loop = asyncio.get_running_loop()

        def say(text: str, share: float | None = None) -> None:
            told = (text,) if share is None else (text, share)
            # Nobody listens any more once the loop has been closed.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(report, *told)

        async with self._turns.setdefault(name, anyio.Lock()):
            try:
                return await self._threads.submit(call, self._client, what, say)
            except Exception as error:
                if not from_engine(error):
                    raise
                cause = problems.engine_says(error)
                raise problems.engine_gone(f"{name} cannot be prepared", cause) from error


def from_engine(error: Exception) -> bool:
    """Whether *error* is the SDK's."""
    from docker.errors import DockerException, StreamParseError
    from requests.exceptions import RequestException

    # The last one is what the SDK makes of an answer that is cut off.
    return isinstance(error, DockerException | RequestException | StreamParseError)


def _prepared(
    image: Stored, name: str, envs: Mapping[str, str] = MappingProxyType({}), snapshot_: str = ""
) -> Prepared:
    made = Image(id=image.id, name=name, user=image.user, envs=envs, snapshot=snapshot_)
    return Prepared(made, image.digest)


def _build_folder(
    client: "APIClient", what: tuple[DockerfileFolder, Owner], say: images.Say
) -> Stored:
    workload, owner = what
    try:
        context = folder_context(Path(workload.folder))
        return images.build(client, workload.image, workload.folder, context, owner, say)
    except OSError as error:
        raise problems.build_failed(workload.folder, str(error), []) from error


def _find_target(
    client: "APIClient", what: tuple[FunctionProject, Path, Owner], say: images.Say
) -> tuple[BaseImage, Target]:
    project, cache_dir, owner = what
    return function_image.target_of(client, project, cache_dir, owner, say)


def _build_function(
    client: "APIClient", what: tuple[Loader, Parts, Path, Owner], say: images.Say
) -> Stored:
    loader, parts, cache_dir, owner = what
    return function_image.build(client, loader, parts, cache_dir, owner, say)
