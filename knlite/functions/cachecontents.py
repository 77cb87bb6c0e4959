"""What the cache holds, how large it is, and removing what nobody uses.

An entry is a file or folder below one of the folders of the cache; everything in them can be made
again. Locks stay when what they guard has been made; what is half made was left by runs that were
killed: they have neither a use nor a name that counts.

Not here: who uses what (``cacheuse.py``), images in an engine, asking the user (``cli/prune.py``).
"""

import os
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

KINDS: Mapping[str, str] = {
    "environments": "Python environments",
    "site-packages": "packages for images",
    "layers": "layers of images",
    "bases": "what is known of base images",
    "node-modules": "packages of Node.js functions",
    "node-functions": "Node.js functions with their packages",
    "go-functions": "compiled Go functions",
    "sources": "snapshots of sources",
}
"""Folders of the cache, and what people call what is in them."""
LEFT_BEHIND = ".pruned."
"""Before the name of the folder into which a prune moves what it removes."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Something in the cache."""

    name: str
    """``environments/3f2a``: what ``cacheuse.py`` calls it."""
    size: int
    """Bytes on the disk."""
    leftover: bool = False
    """Whether a killed run has left it half made."""


def entries(cache_dir: Path) -> list[Entry]:
    """Everything in the cache, by name. Blocks."""
    found = []
    for kind in KINDS:
        for path in _listed(cache_dir / kind):
            leftover = path.suffix in (".lock", ".draft", ".id") or _is_draft(path.name)
            if path.suffix == ".id":
                continue  # Goes with its layer.
            found.append(Entry(f"{kind}/{path.name}", size(path), leftover))
    found += [
        Entry(path.name, size(path), leftover=True)
        for path in _listed(cache_dir)
        if path.name.startswith(LEFT_BEHIND)
    ]
    return found


def unused(found: Iterable[Entry], used: Collection[str]) -> list[Entry]:
    """Those that no run uses."""
    return [each for each in found if each.name not in used]


def take_out(cache_dir: Path, names: Iterable[str]) -> Path:
    """Move the entries of these *names* out of the way, at once; returns where to.

    To be called while nothing is prepared. Blocks. Raises ``OSError``.
    """
    away = Path(mkdtemp(prefix=LEFT_BEHIND, dir=cache_dir))
    for number, name in enumerate(names):
        path = cache_dir / name
        if path.exists() or path.is_symlink():
            path.rename(away / str(number))
        path.with_suffix(".id").unlink(missing_ok=True)
    return away


def remove(away: Path) -> None:
    """Remove what ``take_out`` has moved. Blocks. Raises ``OSError``."""
    # Go makes what it downloads read-only, which keeps a folder from being emptied.
    for folder, folders, _ in os.walk(away):
        for name in folders:
            inside = Path(folder, name)
            if not inside.is_symlink() and not os.access(inside, os.W_OK | os.X_OK):
                inside.chmod(0o700)
    shutil.rmtree(away)


def size(path: Path) -> int:
    """Bytes that *path* and what is in it take on the disk; 0 for what is gone since."""
    return sum(_blocks(each) for each in _all(path))


def _all(path: Path) -> Iterator[str]:
    yield str(path)
    if path.is_symlink() or not path.is_dir():
        return
    for folder, folders, files in os.walk(path):
        yield from (os.path.join(folder, name) for name in (*folders, *files))


def _blocks(path: str) -> int:
    try:
        return os.lstat(path).st_blocks * 512
    except FileNotFoundError:
        return 0


def _is_draft(name: str) -> bool:
    """Whether it is on the way to its place: ``mkdtemp`` adds a part to its name."""
    parts = name.split(".")
    return parts[0] == "draft" or (len(parts) > 1 and parts[-1] not in ("lock", "tar", "json"))


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
