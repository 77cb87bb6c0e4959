"""Applies manifests again when their files change; files with mistakes change nothing."""

from collections.abc import Callable, Sequence
from pathlib import Path

import anyio

from knlite.emulator import Emulator
from knlite.errors import InvalidInput
from knlite.manifests import read_project

WATCH_STEP = 300
"""Milliseconds between looks at what the file system has reported."""

Say = Callable[[str, str], None]
"""Told of a text and its level."""


async def reapply(
    emulator: Emulator, paths: Sequence[Path], notice: Say, settled: anyio.Event
) -> None:
    """Apply again whenever a file changes, once *settled*; files with mistakes change nothing."""
    if not paths:
        await anyio.sleep_forever()
    from watchfiles import awatch

    folders = [path if path.is_dir() else path.parent for path in paths]
    # The folder of a single manifest may be somebody's home.
    deep = any(path.is_dir() for path in paths)
    over = anyio.Event()
    async with anyio.create_task_group() as group:
        group.start_soon(_set_at_the_end, over)
        changes = awatch(
            *folders, step=WATCH_STEP, watch_filter=_is_yaml, recursive=deep, stop_event=over
        )
        before: list[str] | None = None
        async for _ in changes:
            await settled.wait()
            before = _apply_again(emulator, paths, notice, before)


async def _set_at_the_end(over: anyio.Event) -> None:
    """What watches is a thread, which hears of a cancellation only so; else seconds later."""
    try:
        await anyio.sleep_forever()
    finally:
        over.set()


def _apply_again(
    emulator: Emulator,
    paths: Sequence[Path],
    notice: Say,
    before: list[str] | None,
) -> list[str] | None:
    """The complaints that there are now; those that were there *before* are not repeated."""
    try:
        project = read_project(paths, emulator.settings.environ)
        complaints = [*project.complaints, *emulator.check(project)]
    except InvalidInput as exc:
        notice(str(exc), "error")
        return before
    if complaints:
        texts = [str(complaint) for complaint in complaints]
        if texts != before:
            notice("\n".join(texts), "error")
            notice("nothing has been changed; save the corrected file", "warning")
        return texts
    if emulator.apply(project):
        notice("manifests have changed and were applied again", "info")
    return None


def _is_yaml(_change: object, path: str) -> bool:
    return path.endswith((".yaml", ".yml", ".json", "Dockerfile"))
