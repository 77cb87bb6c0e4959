"""Which files below some folders have changed, told once they have been quiet for a moment.

On Linux the kernel says so (inotify) and nothing runs meanwhile; elsewhere ``watchfiles`` does. A
file counts when whoever writes it has closed it, or has renamed it into its place, so nobody hears
of half a save. Links to folders are not followed.

Source: inotify(7).
Not here: what a change means (``cli/reapply.py``).
"""

import ctypes
import ctypes.util
import errno
import os
import struct
import sys
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from pathlib import Path

import anyio
import anyio.to_thread

from knlite.errors import KnliteError

QUIET = 0.02
"""Seconds without a change after which a save counts as done: editors write in several steps."""
LONGEST = 0.5
"""Seconds after which what has changed so far is told, though more may come."""

Enters = Callable[[str], bool]
"""Whether what is in a folder of this name is watched."""
Tell = Callable[[frozenset[Path]], Awaitable[None]]
"""Hears which files and folders have changed."""


class Watched:
    """Folders to watch, which may become others while they are watched."""

    def __init__(self, enters: Enters) -> None:
        """Folders below are watched if *enters* says so of their name."""
        self.enters = enters
        self.deep: frozenset[Path] = frozenset()
        """With all that is below them."""
        self.flat: frozenset[Path] = frozenset()
        """Only the files that are in them: they may be somebody's home."""
        self.others = anyio.Event()
        """Set, and replaced, when other folders are to be watched."""

    def watch(self, deep: Iterable[Path], flat: Iterable[Path] = ()) -> None:
        """Watch these from now on."""
        deep, flat = frozenset(map(_real, deep)), frozenset(map(_real, flat))
        if (deep, flat) != (self.deep, self.flat):
            self.deep, self.flat = deep, flat
            self.others.set()
            self.others = anyio.Event()

    def counts(self, folder: Path) -> bool:
        """Whether the files in *folder* are watched."""
        return folder in self.flat or self.holds(folder)

    def holds(self, folder: Path) -> bool:
        """Whether *folder* is watched with all that is below it."""
        # Upwards: there may be thousands of roots, but few folders around one.
        for each in (folder, *folder.parents):
            if each in self.deep:
                return True
            if not self.enters(each.name):
                return False
        return False


async def watch(watched: Watched, tell: Tell, complain: Callable[[str], None]) -> None:
    """*tell* what has changed below *watched*, each time something has, until cancelled.

    A folder stands for all that may be below it. What changes while *tell* is at work is told
    afterwards. *complain* hears what cannot be watched. Raises ``KnliteError``.
    """
    if sys.platform == "linux":
        await _by_kernel(watched, tell, complain)
    else:
        await _by_watchfiles(watched, tell)


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


async def _by_watchfiles(watched: Watched, tell: Tell) -> None:
    from watchfiles import awatch

    def wanted(_change: object, path: str) -> bool:
        return watched.counts(Path(path).parent)

    while True:
        roots, over = [*watched.deep, *watched.flat], anyio.Event()
        async with anyio.create_task_group() as group:
            group.start_soon(_forward, watched.others, over)
            if not roots:
                await over.wait()
                continue
            async for batch in awatch(
                *roots,
                step=int(QUIET * 1000),
                watch_filter=wanted,
                recursive=bool(watched.deep),
                stop_event=over,
            ):
                await tell(frozenset(Path(path) for _, path in batch))
            group.cancel_scope.cancel()


async def _forward(others: anyio.Event, over: anyio.Event) -> None:
    """The thread that watches hears of a cancellation only so."""
    try:
        await others.wait()
    finally:
        over.set()


_ATTRIB, _CLOSE_WRITE, _MOVED_FROM, _MOVED_TO = 0x4, 0x8, 0x40, 0x80
_CREATE, _DELETE, _OVERFLOW, _IGNORED = 0x100, 0x200, 0x4000, 0x8000
_ONLYDIR, _ISDIR = 0x01000000, 0x40000000
_MASK = _ATTRIB | _CLOSE_WRITE | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE
_EVENT = struct.Struct("iIII")
_READ = 65_536


async def _by_kernel(watched: Watched, tell: Tell, complain: Callable[[str], None]) -> None:
    tree, complained = _Tree(watched), False
    try:
        while True:
            others = watched.others
            # Looking through a large project takes its time.
            found = await anyio.to_thread.run_sync(tree.follow)
            if tree.unwatched and not complained:
                complained = True
                complain(
                    f"there are more folders than can be watched, {tree.unwatched} among them:"
                    " raise fs.inotify.max_user_watches (sysctl)"
                )
            if not found:
                await _readable(tree.descriptor, others)
                found = tree.read()
            with anyio.move_on_after(LONGEST if found else 0):
                await _quiet(tree, found)
            if found:
                await tell(frozenset(found))
    finally:
        tree.close()


async def _quiet(tree: "_Tree", found: set[Path]) -> None:
    """Add to *found* until nothing more comes for a moment."""
    while True:
        with anyio.move_on_after(QUIET):
            await anyio.wait_readable(tree.descriptor)
            found |= tree.read()
            continue
        return


async def _readable(descriptor: int, others: anyio.Event) -> None:
    """Return when there is something to read, or *others* is set."""
    async with anyio.create_task_group() as group:

        async def wait() -> None:
            await others.wait()
            group.cancel_scope.cancel()

        group.start_soon(wait)
        await anyio.wait_readable(descriptor)
        group.cancel_scope.cancel()


class _Tree:
    """Folders that the kernel watches for us."""

    def __init__(self, watched: Watched) -> None:
        self._libc = ctypes.CDLL(ctypes.util.find_library("c") or None, use_errno=True)
        self._watched = watched
        self.unwatched: Path | None = None
        """One that the kernel has no room for."""
        self.descriptor = int(self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
        if self.descriptor < 0:
            raise KnliteError(
                "changed files cannot be noticed",
                cause=os.strerror(ctypes.get_errno()),
                fix="raise fs.inotify.max_user_instances (sysctl), or use --no-watch",
            )
        self._roots: tuple[frozenset[Path], frozenset[Path]] | None = None
        self._missed = False
        """Whether the kernel could not keep all that has happened."""
        self._folders: dict[int, Path] = {}
        self._numbers: dict[Path, int] = {}

    def close(self) -> None:
        os.close(self.descriptor)

    def follow(self) -> set[Path]:
        """Watch what is to be watched now; folders that come later count as changed."""
        deep, flat = roots = self._watched.deep, self._watched.flat
        if roots == self._roots:
            return set()
        known = frozenset[Path]() if self._roots is None else self._roots[0]
        come = set() if self._roots is None else set(deep - known)
        if self._missed:
            come = {*deep, *flat}
        self._roots, self._missed = roots, False
        beside = {root.parent for root in (*deep, *flat)}
        for folder in tuple(self._numbers):
            if folder not in beside and not self._watched.counts(folder):
                self._leave(folder)
        for root in deep - known:
            self._enter_all(root)
        # Those beside them tell when a root that was removed is there again.
        for folder in (*flat, *beside):
            self._enter(folder)
        return come

    def read(self) -> set[Path]:
        """What has changed by what the kernel says now."""
        found: set[Path] = set()
        while True:
            try:
                data = os.read(self.descriptor, _READ)
            except BlockingIOError:
                return found
            at = 0
            while at < len(data):
                number, mask, _, length = _EVENT.unpack_from(data, at)
                at += _EVENT.size
                name = os.fsdecode(data[at : at + length].rstrip(b"\0"))
                at += length
                self._take(number, mask, name, found)

    def _take(self, number: int, mask: int, name: str, found: set[Path]) -> None:
        if mask & _OVERFLOW:
            # Folders may have come and gone untold: all are to be entered anew.
            for each in tuple(self._numbers):
                self._leave(each)
            self._roots, self._missed = None, True
            return
        folder = self._folders.get(number)
        if mask & _IGNORED:
            if folder is not None and self._numbers.get(folder) == number:
                del self._numbers[folder]
            self._folders.pop(number, None)
            return
        if folder is None or not name:
            return
        path = folder / name
        if mask & _ISDIR:
            self._folder_changed(path, mask, found)
        elif self._watched.counts(folder) and not (mask & _CREATE and not _is_whole(path)):
            found.add(path)

    def _folder_changed(self, path: Path, mask: int, found: set[Path]) -> None:
        if not self._watched.counts(path):
            return
        if mask & (_MOVED_FROM | _DELETE):
            for folder in tuple(self._numbers):
                if folder.is_relative_to(path):
                    self._leave(folder)
            found.add(path)
        elif mask & (_CREATE | _MOVED_TO):
            if self._watched.holds(path):
                self._enter_all(path)
            else:
                self._enter(path)
            found.add(path)

    def _enter_all(self, root: Path) -> None:
        left = [root]
        while left:
            folder = left.pop()
            # Entered before it is read: what comes in between is found, or told, or both.
            self._enter(folder)
            with suppress(OSError), os.scandir(folder) as entries:
                left += (
                    Path(entry.path)
                    for entry in entries
                    if self._watched.enters(entry.name) and entry.is_dir(follow_symlinks=False)
                )

    def _enter(self, folder: Path) -> None:
        if folder in self._numbers:
            return
        number = int(
            self._libc.inotify_add_watch(self.descriptor, os.fsencode(folder), _MASK | _ONLYDIR)
        )
        if number >= 0:
            self._folders[number] = folder
            self._numbers[folder] = number
        elif ctypes.get_errno() == errno.ENOSPC:
            self.unwatched = folder

    def _leave(self, folder: Path) -> None:
        number = self._numbers.pop(folder)
        self._folders.pop(number, None)
        self._libc.inotify_rm_watch(self.descriptor, number)


def _is_whole(path: Path) -> bool:
    """Whether what has just been made is not about to be written: it is a link."""
    try:
        found = path.lstat()
    except OSError:
        return False
    return path.is_symlink() or found.st_nlink > 1
