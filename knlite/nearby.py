"""Where the code of Services lies below a folder whose manifests somebody else applies.

``knlite up`` without a path starts nothing by itself: kubectl and kn bring the objects. They send
no files, so the code that belongs to them is looked for below the folder that knlite was started
in, by the same rules as for paths that it is given. Manifests that are found say where the code of
their Services is, and nothing else; mistakes in them are for whoever applies them.

Source: knlite's own; ``serving/workload.py`` chooses among what is found.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from knlite.functions.project import ProjectError
from knlite.functions.project import read as read_function
from knlite.manifests.declared import files_of, folders_of, load
from knlite.manifests.documents import MAX_BYTES
from knlite.manifests.files import is_manifest, is_searched
from knlite.serving.workload import Sources

LOOKED_AT = 20_000
"""Files, at most: the folder may be somebody's home."""
_GROUPS = (
    b"serving.knative.dev/",
    b"sources.knative.dev/",
    b"sinks.knative.dev/",
    b"knlite.dev/",
)
"""In manifests of what runs code: Knative's groups, or an annotation that says how."""


def code_below(folder: Path, environ: Mapping[str, str]) -> Sources:
    """The function projects, Dockerfiles and commands below *folder*.

    Function projects may refer to variables of *environ*.
    """
    # Nothing but files: a pipe of that name would keep its reader waiting.
    files = tuple(file for file in _files(folder) if _says_something(file) and file.is_file())
    read = (read_function(file.parent, environ) for file in files if file.name == "func.yaml")
    manifests = (file for file in files if is_manifest(file) and _is_ours(file))
    declared = load(manifests).declared
    return Sources(
        projects=tuple(each for each in read if not isinstance(each, ProjectError)),
        folders=folders_of(declared),
        manifests=files_of(declared),
        dockerfiles=frozenset(
            str(file.parent.resolve()) for file in files if file.name == "Dockerfile"
        ),
    )


def _files(folder: Path) -> Iterator[Path]:
    left = LOOKED_AT
    for here, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if is_searched(name))
        for name in sorted(files):
            left -= 1
            if left < 0:
                return
            yield Path(here) / name


def _says_something(file: Path) -> bool:
    """Whether *file* is called as one that tells where code is."""
    return file.name in {"func.yaml", "Dockerfile"} or is_manifest(file)


def _is_ours(file: Path) -> bool:
    """Whether *file* may say where code is; parsing all others of a home would take long."""
    try:
        if file.stat().st_size > MAX_BYTES:
            return False
        content = file.read_bytes()
    except OSError:
        return False
    return any(group in content for group in _GROUPS)
