"""A function's code as it was at one moment, so that a revision runs what it was made of.

A snapshot is never changed: it is filled beside its place and then renamed into it, and its name is
the digest of what is in it. Runs share them.

Links to files become files. A link to a folder leads where it led: what is there is not part of the
project, and neither kept nor watched.

Source: knlite's own; on a cluster the image is the snapshot.
Not here: which files count (``ignore.py``), which revision runs what (``runtime/``).
"""

import os
import re
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

import anyio
import anyio.to_thread

from knlite.errors import InstanceFailed
from knlite.functions import cachefault
from knlite.functions.contents import LARGE, digest, files, led
from knlite.functions.ignore import Ignored, ignored

FOLDER = "sources"
"""Below the cache."""

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The code that was in *origin*, the author's folder, and is in *folder* for good."""

    folder: Path
    origin: Path
    digest: str

    def instead_of(self, code: str) -> str:
        """What to say if this is not what has the digest *code*, which was asked for."""
        if code in ("", self.digest):
            return ""
        return f"the code of this revision is gone; it runs what is in {self.origin} now"


async def take(
    folder: Path, *, name: str, cache_dir: Path, code: str = "", leave_out: Ignored | None = None
) -> Snapshot:
    """The code in *folder* as it is now, of the function called *name*.

    With *code* it is the snapshot of that digest, if there still is one. *leave_out* is the rule
    for what does not count; else the one of the folder itself. Raises ``InstanceFailed``.
    """
    return await anyio.to_thread.run_sync(_take, folder, name, cache_dir, code, leave_out)


def _take(
    folder: Path, name: str, cache_dir: Path, code: str, leave_out: Ignored | None
) -> Snapshot:
    kept = _kept(cache_dir, code)
    if kept is not None:
        return Snapshot(kept, folder, code)
    try:
        return _taken(folder, cache_dir, _but(cache_dir, folder, leave_out or ignored(folder)))
    except OSError as error:
        if cachefault.of_cache(error, cache_dir):
            raise cachefault.not_written(error, cache_dir) from error
        raise InstanceFailed(
            "SourcesUnreadable",
            f"the code of function {name} cannot be copied",
            cause=f"{error.filename or folder}: {error.strerror}",
            fix=f"make all files in {folder} readable, or name those that the function does not"
            " need in .funcignore",
        ) from error


def _kept(cache_dir: Path, code: str) -> Path | None:
    """Where the snapshot with the digest *code* is; None if there is none.

    *code* may be anything: whoever writes a manifest can write an annotation.
    """
    kept = _place(cache_dir, code)
    return kept if _DIGEST.fullmatch(code) and kept.is_dir() else None


def _place(cache_dir: Path, code: str) -> Path:
    return cache_dir / FOLDER / code.removeprefix("sha256:")[:32]


def _taken(folder: Path, cache_dir: Path, leave_out: Ignored) -> Snapshot:
    found = digest(folder, leave_out=leave_out)
    kept = _place(cache_dir, found)
    if kept.is_dir():
        return Snapshot(kept, folder, found)
    kept.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(mkdtemp(prefix="draft.", dir=kept.parent))
    try:
        paths = tuple(files(folder, leave_out))
        for inside in {path.rpartition("/")[0] for path in paths}:
            (draft / inside).mkdir(parents=True, exist_ok=True)
        for path in paths:
            _copy(folder, path, draft)
        # What has been copied is what counts: the folder may have changed meanwhile.
        found = digest(draft, leave_out=_nothing)
        kept = _place(cache_dir, found)
        if not kept.is_dir():
            draft.chmod(folder.stat().st_mode & 0o777 | 0o700)
            try:
                draft.rename(kept)
            except OSError:
                if not kept.is_dir():  # Another run was faster.
                    raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return Snapshot(kept, folder, found)


def _but(cache_dir: Path, folder: Path, leave_out: Ignored) -> Ignored:
    """*leave_out*, and the cache, should it lie in *folder*: a snapshot must not hold itself."""
    cache = cache_dir.resolve()
    if not cache.is_relative_to(inside := folder.resolve()):
        return leave_out
    kept = cache.relative_to(inside).as_posix()
    return lambda path, is_folder: path == kept or leave_out(path, is_folder)


def _nothing(_path: str, _is_folder: bool) -> bool:
    return False


def _copy(folder: Path, path: str, draft: Path) -> None:
    file, to = os.path.join(folder, path), os.path.join(draft, path)
    try:
        found = os.stat(file)
        if stat.S_ISDIR(found.st_mode):
            target = _beside(path, led(folder, folder / path))
            os.symlink(target, to, target_is_directory=True)
        elif stat.S_ISREG(found.st_mode) and not _shared(found, path, draft):
            _copy_file(file, to)
    except FileNotFoundError:
        return  # A link to nothing, or gone since.


def _copy_file(file: str, to: str) -> None:
    """With its times, which tell what has been compiled from it, and its permissions."""
    with open(file, "rb", buffering=0) as source, open(to, "xb") as copy:
        found = os.fstat(source.fileno())
        shutil.copyfileobj(source, copy, min(found.st_size, LARGE) or 1)
        # Else closing it would be a change.
        copy.flush()
        os.fchmod(copy.fileno(), stat.S_IMODE(found.st_mode))
        os.utime(copy.fileno(), ns=(found.st_atime_ns, found.st_mtime_ns))


def _shared(found: os.stat_result, path: str, draft: Path) -> bool:
    """Whether *draft* has a large file from another snapshot, where it is the same by what a digest
    goes by: nobody wants half a gigabyte copied with every save."""
    if found.st_size <= LARGE:
        return False
    for other in draft.parent.iterdir():
        try:
            there = (other / path).lstat()
            alike = (there.st_size, there.st_mtime_ns) == (found.st_size, found.st_mtime_ns)
            if other != draft and alike and there.st_mode == found.st_mode:
                os.link(other / path, draft / path, follow_symlinks=False)
                return True
        except OSError:
            continue  # Not in that one, or going.
    return False


def _beside(path: str, target: str) -> str:
    """*target* as a link at *path* has to say it; one that leaves the project is absolute."""
    return target if target.startswith("/") else "../" * path.count("/") + target
