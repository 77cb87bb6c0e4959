"""The content address of a folder of code: changes when, and only when, a file of it does.

Not here: what watches folders (hot reload).
"""

import hashlib
import os
from pathlib import Path

LEFT_OUT = frozenset({"__pycache__", "node_modules", "venv"})
"""Made from the code, not code; so is every name that begins with a dot."""

LARGE = 1024 * 1024
"""Bytes from which on a file is data rather than code, and is known by its size and time."""


def digest(folder: Path, *more: str) -> str:
    """``sha256:…`` over names, modes and bytes of the files in *folder*, and over *more*."""
    content = hashlib.sha256("\0".join(more).encode())
    for directory, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if _counts(name))
        for name in sorted(filter(_counts, files)):
            file = Path(directory) / name
            if not file.is_file():
                continue  # A socket, or a link to nothing.
            executable = os.access(file, os.X_OK)
            content.update(f"\0{file.relative_to(folder)}\0{executable}\0".encode())
            found = file.stat()
            if found.st_size > LARGE:
                content.update(f"{found.st_size} {found.st_mtime_ns}".encode())
                continue
            with file.open("rb") as stream:
                content.update(hashlib.file_digest(stream, "sha256").digest())
    return f"sha256:{content.hexdigest()}"


def _counts(name: str) -> bool:
    return not name.startswith(".") and name not in LEFT_OUT
