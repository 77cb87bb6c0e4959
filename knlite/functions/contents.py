"""The content address of a folder of code: changes when, and only when, a file of it does.

Not here: which files count (``ignore.py``), what watches folders (``watching.py``).
"""

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from knlite.functions.funccode import FILE as FUNC_YAML
from knlite.functions.funccode import essence
from knlite.functions.ignore import Ignored, ignored

LARGE = 1024 * 1024
"""Bytes from which on a file is data rather than code, and is known by its size and time."""


def digest(folder: Path, *more: str, leave_out: Ignored | None = None) -> str:
    """``sha256:…`` over names, modes and bytes of the files in *folder*, and over *more*.

    *leave_out* is the rule for what does not count; else the one of the folder itself.
    """
    content = hashlib.sha256("\0".join(more).encode())
    for path in files(folder, leave_out or ignored(folder)):
        try:
            _add(content, folder, path)
        except OSError:
            continue  # Gone since, or not ours to read: whoever runs it will say so.
    return f"sha256:{content.hexdigest()}"


def combined(code: str, *more: str) -> str:
    """``sha256:…`` over the digest *code* and *more*: for a folder whose digest is known."""
    content = "\0".join((code, *more)).encode()
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def files(folder: Path, leave_out: Ignored) -> Iterator[str]:
    """The files of *folder* that count, as paths with slashes, in order.

    Links to folders are among them, and are not followed: they may lead in a circle.
    """
    for directory, folders, names in os.walk(folder):
        prefix = Path(directory).relative_to(folder).as_posix()
        prefix = "" if prefix == "." else f"{prefix}/"
        links = [name for name in folders if Path(directory, name).is_symlink()]
        folders[:] = sorted(
            name for name in folders if name not in links and not leave_out(prefix + name, True)
        )
        for name in sorted((*names, *links)):
            if not leave_out(prefix + name, False):
                yield prefix + name


def led(folder: Path, link: Path) -> str:
    """Where a *link* in *folder* leads: from the folder on if it stays inside, else absolute."""
    target, inside = link.resolve(), folder.resolve()
    if target.is_relative_to(inside):
        return target.relative_to(inside).as_posix()
    return str(target)


def _add(content: "hashlib._Hash", folder: Path, path: str) -> None:
    # No Path here: making one takes as long as reading a small file, and there may be thousands.
    file = os.path.join(folder, path)
    found = os.stat(file)
    if stat.S_ISDIR(found.st_mode):
        target = led(folder, folder / path)
        content.update(f"\0{path}\0{target}\0".encode("utf-8", "surrogateescape"))
        return
    if not stat.S_ISREG(found.st_mode):
        return  # A socket or a pipe.
    executable = bool(found.st_mode & stat.S_IXUSR)
    header = f"\0{path}\0{executable}\0".encode("utf-8", "surrogateescape")
    if found.st_size > LARGE:
        content.update(header + f"{found.st_size} {found.st_mtime_ns}".encode())
        return
    with open(file, "rb", buffering=0) as stream:
        data = stream.readall()
    content.update(header + hashlib.sha256(essence(data) if path == FUNC_YAML else data).digest())
