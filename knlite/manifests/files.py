"""Which files below some paths matter to knlite.

Not here: what is in them (``documents.py``, ``functions/project.py``).
"""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from knlite.errors import InvalidInput

_SUFFIXES = frozenset((".yaml", ".yml", ".json"))
_OTHERS = re.compile(
    r"func\.ya?ml|(docker-)?compose[\w.-]*\.ya?ml|kustomization\.ya?ml|[\w.-]*lock.*"
    r"|package\.json|tsconfig[\w.-]*\.json"
)
"""Files with these suffixes that are well known for something else."""
_SKIPPED_FOLDERS = frozenset(("node_modules", "__pycache__", "venv", "target", "vendor"))


@dataclass(frozen=True, slots=True)
class Found:
    """The files below some paths that matter to knlite."""

    manifests: tuple[Path, ...]
    functions: tuple[Path, ...]
    """``func.yaml`` files."""
    dockerfiles: tuple[Path, ...]


def find(paths: Sequence[Path]) -> Found:
    """The files below *paths*, in a stable order. Raises ``InvalidInput`` if one is missing."""
    manifests: dict[Path, None] = {}
    others: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            for file in _walk(path):
                if is_manifest(file):
                    manifests[file] = None
                else:
                    others[file] = None
        elif path.is_file():
            manifests[path] = None
            # The code of a single manifest lies beside it, or one folder below.
            beside = [*path.parent.glob("*"), *path.parent.glob("*/func.yaml")]
            others.update((file, None) for file in sorted(beside) if file.is_file())
        else:
            raise InvalidInput(
                f"{path} does not exist",
                fix="give a folder with manifests, or a file: knlite up examples/",
            )
    return Found(
        manifests=tuple(manifests),
        functions=tuple(file for file in others if file.name == "func.yaml"),
        dockerfiles=tuple(file for file in others if file.name == "Dockerfile"),
    )


def is_searched(name: str) -> bool:
    """Whether a file or folder called *name* may hold something of a project's author."""
    return not name.startswith(".") and name not in _SKIPPED_FOLDERS


def is_manifest(file: Path) -> bool:
    """Whether *file* is called as a manifest may be."""
    return file.suffix in _SUFFIXES and _OTHERS.fullmatch(file.name) is None


def _walk(folder: Path) -> Iterator[Path]:
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError:
        return  # Gone since it was found, or not ours to read.
    for entry in entries:
        if not is_searched(entry.name):
            continue
        # A link to a folder is not followed: it may lead in a circle.
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path))
        elif _is_file(entry):
            yield Path(entry.path)


def _is_file(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_file()
    except OSError:
        return False  # A link to where we may not look.
