"""What ``knlite up`` does when files change: applies manifests again, reloads code.

Files with mistakes change nothing.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import anyio

from knlite.emulator import Emulator
from knlite.errors import InvalidInput, KnliteError
from knlite.functions.ignore import is_code
from knlite.manifests import Project, read_project
from knlite.nearby import code_below
from knlite.watching import Watched, watch

_OF_CODE = frozenset({"func.yaml", "Dockerfile"})
"""What says how the code beside it is run."""

Say = Callable[[str, str], None]
"""Told of a text and its level."""


async def reapply(
    emulator: Emulator, paths: Sequence[Path], notice: Say, settled: anyio.Event
) -> None:
    """Go by what changes below *paths*, and where code lies that runs, once *settled*."""
    watched = Watched(is_code)
    deep = [path for path in paths if path.is_dir()]
    # The folder of a single manifest may be somebody's home.
    flat = [path.parent for path in paths if not path.is_dir()]
    emulator.reloader.report_to(lambda folders: watched.watch((*deep, *folders), flat))
    changed = _Changed(emulator, paths, notice, settled)
    try:
        await watch(watched, changed.tell, lambda text: notice(text, "warning"))
    except KnliteError as exc:
        # All else works without.
        notice(str(exc), "warning")


class _Changed:
    """Takes each batch of changes to whom it concerns."""

    def __init__(
        self, emulator: Emulator, paths: Sequence[Path], notice: Say, settled: anyio.Event
    ) -> None:
        self._emulator = emulator
        self._paths = paths
        self._notice = notice
        self._settled = settled
        self._before: list[str] | None = None
        """The complaints that there were, which are not repeated."""

    async def tell(self, changed: frozenset[Path]) -> None:
        """Code is looked at first, so that a manifest and its code change in one step."""
        early = not self._settled.is_set()
        await self._settled.wait()
        reloader = self._emulator.reloader
        folders = await reloader.look(changed, early=early)
        if any(map(_may_declare, changed)):
            if self._paths:
                # What a file with mistakes says of the code beside it is not known.
                folders -= self._apply_again(told=any(map(_is_manifest, changed)))
            elif any(path.name in _OF_CODE for path in changed):
                environ = self._emulator.settings.environ
                code = await anyio.to_thread.run_sync(code_below, Path(), environ)
                self._emulator.apply(Project((), code, ()), declares=False)
        reloader.write(folders)

    def _apply_again(self, *, told: bool) -> frozenset[Path]:
        """Where files with mistakes are; without any, what they say is applied, and *told*."""
        emulator, notice = self._emulator, self._notice
        try:
            project = read_project(self._paths, emulator.settings.environ)
            complaints = [*project.complaints, *emulator.check(project)]
        except InvalidInput as exc:
            notice(str(exc), "error")
            return frozenset()
        if complaints:
            texts = [str(complaint) for complaint in complaints]
            if texts != self._before:
                notice("\n".join(texts), "error")
                notice("nothing has been changed; save the corrected file", "warning")
            self._before = texts
            return frozenset(Path(each.file).resolve().parent for each in complaints)
        self._before = None
        if emulator.apply(project) and told:
            notice("manifests have changed and were applied again", "info")
        return frozenset()


def _may_declare(path: Path) -> bool:
    """Whether *path* is called as what says which objects there are, and where their code is; a
    folder may hold any."""
    if path.suffix or not is_code(path.name):
        return _is_manifest(path)
    return path.name in _OF_CODE or not path.is_file()


def _is_manifest(path: Path) -> bool:
    return path.suffix in {".yaml", ".yml", ".json"}
