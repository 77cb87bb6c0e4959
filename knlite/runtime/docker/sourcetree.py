"""The files of a folder as the entries of a layer, and which trees no image is made of.

A link is kept if it stays in the folder, whatever is there; one that is absolute or leaves the
folder would mean another thing in the image, or carry in what is not the function's. Sockets and
the like are nobody's code and are left out.

Source: Knative Functions reference §4.8 (links, as func's host builder), §4.7 (what is ignored).
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from posixpath import join, normpath

from knlite.functions.ignore import Ignored
from knlite.runtime.docker.layer import Entry, File, Folder, Link


class UnfitLink(ValueError):
    """A link that leads out of its folder."""

    def __init__(self, path: str, target: str) -> None:
        super().__init__(f"{path} is a link to {target}")
        self.path, self.target = path, target


def entries(root: Path, leave_out: Ignored, *, below: str) -> Iterator[tuple[str, Entry]]:
    """What is in *root*, placed *below* a path of the image, in no particular order.

    Raises ``OSError``, and ``UnfitLink`` for a link that leads out of *root*.
    """
    yield below, Folder()
    yield from _entries(root, "", leave_out, below)


def _entries(
    root: Path, inside: str, leave_out: Ignored, below: str
) -> Iterator[tuple[str, Entry]]:
    with os.scandir(root / inside) as found:
        listed = list(found)
    for each in listed:
        path = join(inside, each.name)
        folder = each.is_dir(follow_symlinks=False)
        if leave_out(path, folder):
            continue
        try:
            mode = each.stat(follow_symlinks=False).st_mode
        except FileNotFoundError:
            continue  # Gone since.
        if stat.S_ISLNK(mode):
            yield f"{below}/{path}", _link(path, os.readlink(each.path))
        elif folder:
            yield f"{below}/{path}", Folder()
            yield from _entries(root, path, leave_out, below)
        elif stat.S_ISREG(mode):
            # Whoever may run it may: what a umask left of the bits is not the author's wish.
            yield f"{below}/{path}", File(Path(each.path), executable=bool(mode & 0o111))


def _link(path: str, target: str) -> Link:
    led = normpath(join(path, "..", target))
    if target.startswith("/") or led == ".." or led.startswith("../"):
        raise UnfitLink(path, target)
    return Link(target)
