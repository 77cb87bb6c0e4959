"""Which parts of the cache running knlites use, so that ``knlite prune`` leaves them alone.

Each run has a file in which it notes what it uses, and which it keeps locked for as long as it
lives; the kernel gives the lock back however it ends. While code is prepared, a lock that all share
keeps a prune out: so nothing goes between being found and being noted, and whatever looks half made
to a prune is what a killed run has left.

Not here: what is removed (``cachecontents.py``).
"""

import fcntl
import os
import threading
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import mkstemp

import anyio.to_thread

from knlite.clock import SystemClock
from knlite.errors import KnliteError
from knlite.functions import cachecontents, cachefault

FOLDER = "uses"
"""Below the cache: the files of runs."""
_GATE = "prune.lock"
RETRY = 0.02
"""Seconds between two looks at a lock that a prune holds, which takes milliseconds."""
PATIENCE = 10.0
"""Seconds that a prune waits for preparations to end."""


class CacheUse:
    """What one run uses of the cache in *cache_dir*."""

    def __init__(self, cache_dir: Path) -> None:
        self._cache_dir = cache_dir
        self._file: int | None = None
        self._noted: dict[str, int] = {}
        """What it uses, and how many notes there were when it said so last."""
        self._notes = 0
        self._writing = threading.Lock()

    @asynccontextmanager
    async def preparing(self) -> AsyncIterator[None]:
        """While this lasts nothing is pruned.

        Raises ``InstanceFailed`` if the cache cannot be written, now or by what is done meanwhile.
        """
        try:
            gate = _opened(self._cache_dir)
            clock = SystemClock()
            try:
                while not _locked(gate, fcntl.LOCK_SH):
                    await clock.sleep_until(clock.now() + RETRY)
                yield
            finally:
                os.close(gate)
        except OSError as error:
            raise cachefault.not_written(error, self._cache_dir) from error

    @property
    def possible(self) -> bool:
        """Whether there is a cache that can be written."""
        try:
            os.close(_opened(self._cache_dir))
        except OSError:
            return False
        return True

    @property
    def notes(self) -> int:
        """How often something was noted: a moment, for ``drop``."""
        return self._notes

    def note(self, names: Iterable[str]) -> None:
        """It uses the entries with these *names*, such as ``environments/3f2a``, until it ends.

        To be called while preparing, from any thread. Raises ``OSError``.
        """
        # Several prepare at a time, each in a thread.
        with self._writing:
            self._notes += 1
            noted = dict.fromkeys(names, self._notes)
            new = sorted(noted.keys() - self._noted.keys())
            if new:
                self._append(new)
            self._noted.update(noted)

    def _append(self, names: Sequence[str]) -> None:
        if self._file is None:
            folder = self._cache_dir / FOLDER
            folder.mkdir(parents=True, exist_ok=True)
            self._file, _ = mkstemp(dir=folder)
            fcntl.flock(self._file, fcntl.LOCK_EX)
        os.write(self._file, "".join(f"{name}\n" for name in names).encode())

    def note_paths(self, texts: Iterable[str]) -> None:
        """The same for all entries that lie at or above one of *texts*, whatever else they are.

        With those that their links lead to, as to the modules of a Node.js function.
        """
        names = names_in(self._cache_dir, texts)
        linked = [target for name in names for target in _linked(self._cache_dir / name)]
        self.note([*names, *names_in(self._cache_dir, linked)])

    def forget(self, name: str) -> None:
        """It does not use *name* any more. To be called while preparing, or pruning."""
        if self._file is None or name not in self._noted:
            return
        del self._noted[name]
        os.ftruncate(self._file, 0)
        text = "".join(f"{each}\n" for each in sorted(self._noted))
        os.pwrite(self._file, text.encode(), 0)
        os.lseek(self._file, 0, os.SEEK_END)

    async def drop(self, names: Sequence[str], since: int | None = None) -> None:
        """It does not use *names* any more; removes those of them that no other run uses.

        Those stay that were noted again when there had been more than *since* ``notes``. While code
        is prepared all stay, for a prune to remove. Raises nothing.
        """
        with suppress(KnliteError, OSError):
            async with pruning(self._cache_dir, patience=0.0):
                away = await anyio.to_thread.run_sync(self._take_out, names, since)
            await anyio.to_thread.run_sync(cachecontents.remove, away)

    def _take_out(self, names: Sequence[str], since: int | None) -> Path:
        if since is not None:
            names = [name for name in names if self._noted.get(name, 0) <= since]
        for name in names:
            self.forget(name)
        still = used(self._cache_dir)
        return cachecontents.take_out(
            self._cache_dir, [name for name in names if name not in still]
        )

    def close(self) -> None:
        """It uses nothing any more."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
            self._noted.clear()


def names_in(cache_dir: Path, texts: Iterable[str]) -> list[str]:
    """The names of the entries in which those of *texts* lie that are paths in the cache."""
    beginning = f"{cache_dir}{os.sep}"
    inside = [text.removeprefix(beginning) for text in texts if text.startswith(beginning)]
    return ["/".join(path.split(os.sep)[:2]) for path in inside]


def _linked(folder: Path) -> list[str]:
    """Where the links in *folder* lead, not those further down."""
    try:
        return [os.readlink(each) for each in os.scandir(folder) if each.is_symlink()]
    except (FileNotFoundError, NotADirectoryError):
        return []


def used(cache_dir: Path) -> frozenset[str]:
    """The names of what running knlites use; forgets those that have ended."""
    names: set[str] = set()
    for file in _files(cache_dir / FOLDER):
        try:
            descriptor = os.open(file, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            continue  # Gone since.
        try:
            if _locked(descriptor, fcntl.LOCK_EX):
                file.unlink(missing_ok=True)
            else:
                names.update(file.read_text(errors="replace").split("\n"))
        finally:
            os.close(descriptor)
    return frozenset(names - {""})


@asynccontextmanager
async def pruning(cache_dir: Path, patience: float = PATIENCE) -> AsyncIterator[None]:
    """While this lasts no code is prepared.

    Raises ``KnliteError`` if that goes on for more than *patience* seconds.
    """
    clock = SystemClock()
    deadline = clock.now() + patience
    gate = _opened(cache_dir)
    try:
        while not _locked(gate, fcntl.LOCK_EX):
            if clock.now() >= deadline:
                raise KnliteError(
                    "the cache is being filled",
                    cause="a running knlite builds or installs what a function needs",
                    fix="prune again when it is done",
                )
            await clock.sleep_until(clock.now() + RETRY)
        yield
    finally:
        os.close(gate)


def _opened(cache_dir: Path) -> int:
    # Not in a thread: what is opened there for somebody who is cancelled nobody closes.
    cache_dir.mkdir(parents=True, exist_ok=True)
    return os.open(cache_dir / _GATE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)


def _locked(descriptor: int, how: int) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
        return True
    return False


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except FileNotFoundError:
        return []
