"""A layer of an image as a tar archive that is the same wherever and whenever it is made.

Entries are sorted by path; times are the epoch, owners numbers, modes one of three. So neither the
order of a folder, nor ``touch``, nor a umask, nor the user who builds changes the layer's digest.
The archive is USTAR; a name that does not fit into it gets a PAX header of its own.

Source: OCI image specification, "Image Layer Filesystem Changeset"; Knative Functions reference
Part 6. Not here: which files go into it (``sourcetree.py``, ``dependencies.py``).
"""

import hashlib
import io
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

SPOOL_BYTES = 8 * 1024 * 1024
"""Layers up to this size are made in memory, larger ones in a temporary file."""
IN_MEMORY = 1024 * 1024
"""Files up to this size are read before their size is written, so that one that is being saved
cannot break the archive."""
KEPT = "layers"
"""Below the cache: archives of layers that are large and seldom change."""
_FOLDER, _FILE, _PROGRAM, _LINK = 0o755, 0o644, 0o755, 0o777


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder."""


@dataclass(frozen=True, slots=True)
class File:
    """A file: its bytes, or where they lie."""

    content: bytes | Path
    executable: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link."""

    target: str


Entry = Folder | File | Link


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer; *made_by* tells people what it holds."""

    diff_id: str
    """``sha256:…`` of the archive."""
    made_by: str
    archive: Path | IO[bytes]
    """Where the archive lies, or itself, to be read from its beginning."""

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """The archive at its beginning."""
        if isinstance(self.archive, Path):
            with self.archive.open("rb") as file:
                yield file
        else:
            self.archive.seek(0)
            yield self.archive

    def close(self) -> None:
        """Give back an archive that is kept nowhere else."""
        if not isinstance(self.archive, Path):
            self.archive.close()


def layer(entries: Iterable[tuple[str, Entry]], made_by: str, *, owner: int = 0) -> Layer:
    """The layer of *entries*, by their paths in the image (relative, with slashes).

    Folders that lead to them are made. All belong to the user and group *owner*. Who gets it closes
    it. Raises ``OSError`` if a file cannot be read, or changes while it is.
    """
    # Closed with the layer.
    spool = tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES)  # noqa: SIM115
    try:
        write(spool, entries, owner=owner)
        return Layer(_digest(spool), made_by, spool)
    except BaseException:
        spool.close()
        raise


def kept_layer(
    place: Path, made_by: str, found: Callable[[], Iterable[tuple[str, Entry]]]
) -> Layer:
    """The layer whose archive is kept at *place*; made of the entries *found* if it is not there.

    Its digest is kept beside it. Raises what *found* does, and ``OSError``.
    """
    named = place.with_suffix(".id")
    with suppress(FileNotFoundError):
        diff_id = named.read_text()
        # A run that was killed may have left one that is cut off.
        if len(diff_id) == len("sha256:") + 64 and place.exists():
            return Layer(diff_id, made_by, place)
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=place.parent, prefix="draft.", delete=False) as draft:
        file = Path(draft.name)
        try:
            write(draft, found())
            draft.flush()
            made = layer_file(file, made_by)
            file.replace(place)
        except BaseException:
            file.unlink(missing_ok=True)
            raise
    named.write_text(made.diff_id)
    return Layer(made.diff_id, made_by, place)


def layer_file(path: Path, made_by: str) -> Layer:
    """The layer whose archive lies at *path*."""
    with path.open("rb") as file:
        return Layer(_digest(file), made_by, path)


def write(out: IO[bytes], entries: Iterable[tuple[str, Entry]], *, owner: int = 0) -> None:
    """Write the archive of *entries* to *out*."""
    found = dict(entries)
    for path in list(found):
        for parent in _parents(path):
            found.setdefault(parent, Folder())
    with tarfile.open(
        fileobj=out,
        mode="w",
        format=tarfile.PAX_FORMAT,
        encoding="utf-8",
        errors="surrogateescape",
    ) as archive:
        # By parts rather than by characters: a folder comes before what is in it.
        for path in sorted(found, key=lambda each: each.split("/")):
            _add(archive, path, found[path], owner)


def _digest(file: IO[bytes]) -> str:
    file.seek(0)
    total = hashlib.sha256()
    while block := file.read(1 << 18):
        total.update(block)
    return f"sha256:{total.hexdigest()}"


def _parents(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[: depth + 1]) for depth in range(len(parts))]


def _add(archive: tarfile.TarFile, path: str, entry: Entry, owner: int) -> None:
    member = tarfile.TarInfo(path)
    member.uid = member.gid = owner
    match entry:
        case Folder():
            member.type, member.mode = tarfile.DIRTYPE, _FOLDER
            archive.addfile(member)
        case Link(target):
            member.type, member.mode, member.linkname = tarfile.SYMTYPE, _LINK, target
            archive.addfile(member)
        case File(content, executable):
            member.mode = _PROGRAM if executable else _FILE
            if isinstance(content, Path) and content.stat().st_size <= IN_MEMORY:
                content = content.read_bytes()
            if isinstance(content, bytes):
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
                return
            with content.open("rb") as file:
                member.size = file.seek(0, io.SEEK_END)
                file.seek(0)
                archive.addfile(member, file)
