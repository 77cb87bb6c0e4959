"""Snapshots of code that no program is made of any more are removed: each save leaves one.

Not here: what else is in the cache, which ``knlite prune`` removes.
"""

import weakref
from contextlib import suppress
from pathlib import Path

import anyio.to_thread

from knlite.errors import KnliteError
from knlite.functions import cachecontents
from knlite.functions.cacheuse import CacheUse, pruning, used
from knlite.functions.snapshot import FOLDER
from knlite.runtime.process.programs import Program


class Superseded:
    """Knows the programs of a run by the folders that they run in."""

    def __init__(self, cache_dir: Path, use: CacheUse) -> None:
        self._cache_dir = cache_dir
        self._use = use
        self._programs: dict[Path, list[weakref.ref[Program]]] = {}

    def know(self, program: Program) -> None:
        """*program* can be started from now on, for as long as anybody has it."""
        self._programs.setdefault(program.folder, []).append(weakref.ref(program))

    async def forget(self, program: Program) -> None:
        """Nobody starts *program* any more; nor does it run."""
        name = f"{FOLDER}/{program.folder.name}"
        if self._cache_dir / name != program.folder:
            return
        others = [
            each
            for each in self._programs.pop(program.folder, [])
            if each() is not None and each() is not program
        ]
        if others:
            self._programs[program.folder] = others
            return
        with suppress(KnliteError, OSError):
            async with pruning(self._cache_dir):
                self._use.forget(name)
                if name in await anyio.to_thread.run_sync(used, self._cache_dir):
                    return
                away = cachecontents.take_out(self._cache_dir, [name])
            await anyio.to_thread.run_sync(cachecontents.remove, away)
