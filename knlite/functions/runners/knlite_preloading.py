"""Loads modules ahead, and knows what that has left: for a process from which others are forked.

What cannot be undone in a fork makes the process unfit: threads, processes, open files. What can be
repeated there is kept: what was written, which variables were changed. Which variables were read
tells whether a fork would be as a start from the file.

Runs with the function's interpreter, so it needs the standard library only.
Not here: forking (``zygote.py``).
"""

from __future__ import annotations

import gc
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PROC = "/proc/self"
SAID_LIMIT = 64 * 1024
"""Bytes that loading may write to each stream and that instances repeat."""
WHOLE = "*"
"""Stands for all variables: a module has listed them."""
_FIXED = tuple(
    os.path.join(os.path.abspath(folder), "")
    for folder in (sys.prefix, sys.base_prefix, os.path.dirname(__file__))
)
"""Where files do not change."""


class Environ(type(os.environ)):  # type: ignore[misc]  # noqa: TID251
    """``os.environ`` that takes note of who reads what."""

    read: dict[str, str] = {}  # noqa: RUF012  There is one.
    loading = ""

    def __getitem__(self, name: str) -> str:
        Environ.read.setdefault(name, Environ.loading)
        return super().__getitem__(name)  # type: ignore[no-any-return]

    def __iter__(self) -> Any:
        Environ.read.setdefault(WHOLE, Environ.loading)
        return super().__iter__()


class Unfit(Exception):
    """Instances cannot be forked from here."""


class Modules:
    """All that have been loaded."""

    def __init__(self) -> None:
        self._environ = os.environ  # noqa: TID251
        self.told = dict(self._environ)
        """The variables of this process's start."""
        self.changed: dict[str, str | None] = {}
        """Those that modules have set, and removed."""
        self.said = [b"", b""]
        """What was written to stdout and stderr."""
        self.loaded: frozenset[str] = frozenset()
        self._sources: dict[str, tuple[int, int]] = {}
        """Files that may change, and as what they were loaded."""
        # Until instances enable it: what is loaded stays anyway.
        gc.disable()

    @property
    def read(self) -> dict[str, str]:
        """Variables that were read, and by which module; empty for the runner."""
        return Environ.read

    def load(self, modules: list[str], runner: str = "") -> Any:
        """Import *modules*; the *runner*, which is returned, before them. Raises ``Unfit``.

        What cannot be imported is left out.
        """
        self._begin()
        found: Any = None
        try:
            if runner:
                found = __import__(runner)
            for module in modules:
                Environ.loading = module
                _import(module)
                self._check(module)
            if hasattr(found, "warm"):
                Environ.loading = ""
                found.warm()
                self._check("the runner")
        finally:
            self._end()
        return found

    def has_changed(self) -> bool:
        """Whether files have changed since they were loaded."""
        return any(_version(file) != was for file, was in self._sources.items())

    def _begin(self) -> None:
        self._streams = [_capture(1), _capture(2)]
        self._kept = _open()
        self._children = _children()
        self._plain = type(self._environ)
        self._environ.__class__ = Environ

    def _end(self) -> None:
        """Keep what loading has left, for instances."""
        self._environ.__class__ = self._plain
        for index, stream in enumerate(self._streams):
            self.said[index] += _said(*stream)
        now = dict(self._environ)
        for name in now.keys() | self.told.keys():
            if now.get(name) != self.told.get(name):
                self.changed[name] = now.get(name)
        for name in sys.modules.keys() - self.loaded:
            file = getattr(sys.modules[name], "__file__", None) or ""
            if file and not os.path.abspath(file).startswith(_FIXED):
                self._sources.setdefault(file, _version(file))
        self.loaded = frozenset(sys.modules)
        gc.collect()
        # Else the collector writes to every object, and no page of them would stay shared.
        gc.freeze()

    def _check(self, module: str) -> None:
        if len(os.listdir(f"{PROC}/task")) > 1:
            raise Unfit(f"{module} starts a thread when it is imported")
        if _children() - self._children:
            raise Unfit(f"{module} starts a process when it is imported")
        for descriptor in sorted(_open() - self._kept):
            raise Unfit(f"{module} keeps {_target(descriptor)} open when it is imported")
        if WHOLE in Environ.read:
            raise Unfit(
                f"{Environ.read[WHOLE] or module} reads the whole environment when imported"
            )


def _import(name: str) -> None:
    """Import *name*, which may also be something that a module defines."""
    parent, _, last = name.rpartition(".")
    if parent and hasattr(sys.modules.get(parent), last):
        return
    try:
        __import__(name)
    except BaseException:  # noqa: BLE001
        return  # Whatever it is, the instances meet it too, and it belongs into their log.


def _capture(stream: int) -> tuple[int, int, int]:
    """Collect what is written to *stream*."""
    kept = os.dup(stream)
    held = os.memfd_create("said")
    os.dup2(held, stream)
    return stream, kept, held


def _said(stream: int, kept: int, held: int) -> bytes:
    """What has been collected; *stream* leads where it led before."""
    for each in (sys.stdout, sys.stderr):
        each.flush()
    os.dup2(kept, stream)
    os.close(kept)
    said = os.pread(held, SAID_LIMIT, 0)
    os.close(held)
    return said


def _open() -> set[int]:
    # Without the one by which they are listed, which is closed by now.
    listed = map(int, os.listdir(f"{PROC}/fd"))
    return {descriptor for descriptor in listed if _target(descriptor)}


def _target(descriptor: int) -> str:
    """What is open there; empty if nothing is."""
    try:
        return os.readlink(f"{PROC}/fd/{descriptor}")
    except OSError:
        return ""


def _version(file: str) -> tuple[int, int]:
    """What changes with the content of *file*."""
    try:
        found = os.stat(file)
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size


def _children() -> set[str]:
    try:
        with open(f"{PROC}/task/{os.getpid()}/children") as children:
            return set(children.read().split())
    except OSError:
        return set()
