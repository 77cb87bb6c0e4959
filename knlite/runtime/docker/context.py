"""Build contexts: what the engine is sent to make an image of, and a hash of it.

The hash covers paths, modes and contents but not times, which is also what the engine's own build
cache looks at. An image carries the hash of its context as a label, so an unchanged folder is
recognised without sending it.

Source: Dockerfile reference, ".dockerignore file"; the matching itself is the Docker SDK's.
"""

import hashlib
import io
import os
import stat
import tarfile
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

SPOOL_BYTES = 8 * 1024 * 1024
"""Contexts up to this size are made in memory, larger ones in a temporary file."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One path of a context: from a file of this machine, or from *text*."""

    path: str
    source: Path | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """Everything that makes an image."""

    entries: tuple[Entry, ...]
    dockerfile: str = "Dockerfile"
    salt: str = ""
    """Goes into the hash: what the build depends on besides the files."""

    def digest(self) -> str:
        """Hexadecimal SHA-256."""
        total = hashlib.sha256(f"{self.dockerfile}\0{self.salt}\0".encode())
        for entry in self.entries:
            total.update(_fingerprint(entry))
        return total.hexdigest()

    def tar(self) -> IO[bytes]:
        """The archive, open at its beginning; the caller closes it."""
        spool = tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES)  # noqa: SIM115
        with tarfile.open(fileobj=spool, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for entry in self.entries:
                _add(archive, entry)
        spool.seek(0)
        return spool


def folder_context(folder: Path, dockerfile: str = "Dockerfile", salt: str = "") -> Context:
    """All files of *folder* but those that its ``.dockerignore`` names."""
    ignore = [".dockerignore"] if (folder / ".dockerignore").exists() else []
    patterns = [line for path in ignore for line in _patterns(folder / path)]
    return Context(tuple(folder_entries(folder, patterns, keep=dockerfile)), dockerfile, salt)


def folder_entries(
    folder: Path, ignored: Iterable[str], *, below: str = "", keep: str = "Dockerfile"
) -> list[Entry]:
    """The files of *folder* in a stable order, placed *below* a path of the context.

    *ignored* are patterns of a ``.dockerignore``; *keep* is never ignored.
    """
    from docker.utils.build import exclude_paths

    paths = sorted(exclude_paths(str(folder), list(ignored), dockerfile=keep))
    return [Entry(f"{below}{path}", folder / path) for path in paths if path]


def _patterns(file: Path) -> list[str]:
    lines = (line.strip() for line in file.read_text().splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _fingerprint(entry: Entry) -> bytes:
    if entry.source is None:
        kind, mode, content = "file", 0o644, hashlib.sha256(entry.text.encode()).digest()
    else:
        status = entry.source.lstat()
        mode = stat.S_IMODE(status.st_mode)
        if stat.S_ISLNK(status.st_mode):
            kind, mode, content = "link", 0, os.readlink(entry.source).encode()
        elif stat.S_ISDIR(status.st_mode):
            kind, content = "folder", b""
        elif stat.S_ISREG(status.st_mode):
            kind = "file"
            with entry.source.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").digest()
        else:
            kind, content = "other", b""
    head = f"{entry.path}\0{kind}\0{mode:o}\0{len(content)}\0".encode(errors="surrogateescape")
    return head + content


def _add(archive: tarfile.TarFile, entry: Entry) -> None:
    if entry.source is None:
        data = entry.text.encode()
        member = tarfile.TarInfo(entry.path)
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
        return
    if stat.S_ISSOCK(entry.source.lstat().st_mode):
        return  # No archive can hold one.
    found = archive.gettarinfo(str(entry.source), entry.path)
    if not (found.isfile() or found.isdir() or found.issym() or found.islnk()):
        return
    found.uid = found.gid = 0
    found.uname = found.gname = "root"
    if found.islnk():
        # A second name of a file that is in the archive already: sent again, whatever the order.
        found.type, found.linkname = tarfile.REGTYPE, ""
        found.size = entry.source.stat().st_size
    if found.isfile():
        with entry.source.open("rb") as file:
            archive.addfile(found, file)
    else:
        archive.addfile(found)
