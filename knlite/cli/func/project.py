"""The function in a folder, for the verbs that work on one.

Differs: a ``func.yaml`` that does not say when it was created, as one written by hand, makes a
function, too; for ``func`` it is none.
"""

import sys
from collections.abc import Mapping
from pathlib import Path

from msgspec.structs import replace

from knlite.cli.func.defaults import defaults
from knlite.errors import InvalidInput, NotFound
from knlite.functions import funcyaml
from knlite.functions.funcproblems import name_problem
from knlite.functions.funcspec import FuncYaml
from knlite.functions.funcyaml import ProjectErrors


def function_in(folder: Path, environ: Mapping[str, str]) -> FuncYaml:
    """The function in *folder*; says on standard error which of its fields are not known.

    Without a name it has its folder's. Raises ``NotFound`` (no function), ``InvalidInput``.
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
    func = found.func
    return func if func.name else replace(func, name=_name_of(place))


def namespace_of(func: FuncYaml | None, given: str, environ: Mapping[str, str]) -> str:
    """Where a function is or goes: as *given*, else as it says itself, else as all do."""
    own = (func.deploy.namespace or func.namespace) if func is not None else ""
    return given or own or defaults(environ).namespace or "default"


def _name_of(place: Path) -> str:
    if problem := name_problem(place.name):
        raise InvalidInput(problem, fix=f"give it a name in {place / funcyaml.FILE}")
    return place.name


def _not_initialized(place: Path) -> NotFound:
    return NotFound(
        f"'{place}' does not contain an initialized function",
        cause=f"it has no {funcyaml.FILE}",
        fix="knlite func create -l python NAME makes one; --path FOLDER names another folder",
    )
