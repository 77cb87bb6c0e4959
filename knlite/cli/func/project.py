"""The function in a folder, for the verbs that work on one."""

import sys
from collections.abc import Mapping
from pathlib import Path

from knlite.cli.func.defaults import defaults
from knlite.errors import InvalidInput, NotFound
from knlite.functions import funcyaml
from knlite.functions.funcspec import FuncYaml
from knlite.functions.funcyaml import ProjectErrors


def function_in(folder: Path, environ: Mapping[str, str]) -> FuncYaml:
    """The function in *folder*; says on standard error which of its fields are not known.

    Raises ``NotFound`` (no function), ``InvalidInput``.
    """
    place = folder.absolute()
    if not place.is_dir():
        raise NotFound(f"{folder} is no folder", fix="give the folder of a function: --path FOLDER")
    if not (place / funcyaml.FILE).exists():
        raise _not_initialized(place)
    found = funcyaml.opened(place, environ)
    if isinstance(found, ProjectErrors):
        raise InvalidInput(str(found))
    for warning in found.warnings:
        sys.stderr.write(f"Warning: {warning}; it is kept, and has no effect\n")
    if not found.func.created:
        raise _not_initialized(place)
    return found.func


def namespace_of(func: FuncYaml | None, given: str, environ: Mapping[str, str]) -> str:
    """Where a function is or goes: as *given*, else as it says itself, else as all do."""
    own = (func.deploy.namespace or func.namespace) if func is not None else ""
    return given or own or defaults(environ).namespace or "default"


def _not_initialized(place: Path) -> NotFound:
    return NotFound(
        f"'{place}' does not contain an initialized function",
        cause=f"it has no {funcyaml.FILE}, or one that does not say when it was created",
        fix="knlite func create -l python NAME makes one; --path FOLDER names another folder",
    )
