"""What ``knlite up`` does when files change: applies manifests again, reloads code.

Files with mistakes change nothing.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import anyio

from knlite.emulator import Emulator
from knlite.errors import InvalidInput, KnliteError
from knlite.functions.ignore import is_code
from knlite.manifests.documents import Complaint
from knlite.manifests.project import Project, read_project
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
        self._mistakes: list[str] = []
        """The complaints that there are, which are not repeated."""
        self._refused: frozenset[Path] = frozenset()
        """Where files with mistakes are: what these say of the code beside them is not known."""

    async def tell(self, changed: frozenset[Path]) -> None:
        """Go by what has *changed*; what fails of it is said, and ends no watching."""
        try:
            await self._go_by(changed)
        except KnliteError as exc:
            self._notice(str(exc), "error")

    async def _go_by(self, changed: frozenset[Path]) -> None:
        """Code is looked at first, so that a manifest and its code change in one step."""
        early = not self._settled.is_set()
        await self._settled.wait()
        emulator, reloader = self._emulator, self._emulator.reloader
        changes = await reloader.look(changed, early=early)
        declaring = any(map(_may_declare, changed))
        mistakes = self._mistakes
        project = await self._declared(changed) if declaring else None
        held = changes.keys() & self._refused
        if held and self._mistakes == mistakes:
            folders = ", ".join(sorted(map(str, held)))
            self._notice(
                f"what is new in {folders} waits until these mistakes are gone:", "warning"
            )
            self._notice("\n".join(self._mistakes), "error")
        changes = {folder: each for folder, each in changes.items() if folder not in held}
        reloader.take(changes)
        if project is not None:
            different = emulator.apply(project, declares=bool(self._paths))
            if different and self._paths and any(map(_is_manifest, changed)):
                self._notice("manifests have changed and were applied again", "info")
        reloader.write(changes)

    async def _declared(self, changed: frozenset[Path]) -> Project | None:
        """What the files say now; None if that is nothing new, or has mistakes."""
        environ = self._emulator.settings.environ
        if not self._paths:
            if all(path.name not in _OF_CODE for path in changed):
                return None
            return Project((), await anyio.to_thread.run_sync(code_below, Path(), environ), ())
        try:
            project = await anyio.to_thread.run_sync(read_project, self._paths, environ)
        except InvalidInput as exc:
            self._notice(str(exc), "error")
            return None
        complaints = [*project.complaints, *self._emulator.check(project)]
        mistakes = [str(each) for each in complaints]
        if mistakes and mistakes != self._mistakes:
            self._notice("\n".join(mistakes), "error")
            self._notice("nothing has been changed; save the corrected file", "warning")
        self._mistakes = mistakes
        self._refused = _folders_of(complaints)
        return None if complaints else project


def _folders_of(complaints: Iterable[Complaint]) -> frozenset[Path]:
    return frozenset(Path(each.file).resolve().parent for each in complaints)


def _may_declare(path: Path) -> bool:
    """Whether *path* is called as what says which objects there are, and where their code is; a
    folder may hold any."""
    if path.suffix or not is_code(path.name):
        return _is_manifest(path)
    return path.name in _OF_CODE or not path.is_file()


def _is_manifest(path: Path) -> bool:
    return path.suffix in {".yaml", ".yml", ".json"}
