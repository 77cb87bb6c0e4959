"""The function that a verb of ``func`` is about."""

import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec

from knlite.errors import InvalidInput
from knlite.functions import funcyaml
from knlite.functions.funcspec import FuncYaml
from knlite.settings import environment


@dataclass(frozen=True, slots=True)
class Opened:
    """A function and its folder."""

    folder: Path
    func: FuncYaml


def open_function(path: Path | None, command: str) -> Opened:
    """The function in *path*, else in the current folder, with warnings on standard error.

    Raises ``InvalidInput``, whose advice is for ``func`` *command*.
    """
    folder = (path or Path()).resolve()
    if not (folder / funcyaml.FILE).is_file():
        raise InvalidInput(
            f"'{folder}' does not contain an initialized function",
            cause=f"there is no {funcyaml.FILE}",
            fix=f"make one (knlite func create -l python {folder.name or 'NAME'}), "
            f"or say where it is: knlite func {command} --path FOLDER",
        )
    found = funcyaml.opened(folder, environment())
    if isinstance(found, funcyaml.ProjectErrors):
        raise InvalidInput(str(found), fix=f"correct {folder / funcyaml.FILE}")
    for warning in found.warnings:
        sys.stderr.write(f"warning: {warning}\n")
    return Opened(folder, found.func)


def image_of(func: FuncYaml, registry: str = "") -> str:
    """The image's name, in *registry* if func.yaml gives none.

    One that stays on this machine if nothing says where it belongs.
    """
    if registry and not func.full_image:
        func = msgspec.structs.replace(func, registry=registry)
    return func.image_here
