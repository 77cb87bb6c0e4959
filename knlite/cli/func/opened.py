"""The function that a verb builds, runs or deploys, and what its image is called."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from knlite.cli.func.project import function_in
from knlite.functions.declared import LOCAL_REGISTRY
from knlite.functions.funcspec import FuncYaml


@dataclass(frozen=True, slots=True)
class Opened:
    """A function and its folder."""

    folder: Path
    func: FuncYaml


def open_function(path: Path | None, environ: Mapping[str, str]) -> Opened:
    """The function in *path*, else in the current folder. Raises ``NotFound``, ``InvalidInput``."""
    folder = (path or Path()).resolve()
    func = function_in(folder, environ)
    if not func.name:
        func = msgspec.structs.replace(func, name=folder.name)
    return Opened(folder, func)


def image_of(func: FuncYaml, registry: str = "") -> str:
    """The image's name, in *registry* if func.yaml gives none.

    One that stays on this machine if nothing says where it belongs.
    """
    if registry and not func.full_image:
        func = msgspec.structs.replace(func, registry=registry)
    return func.full_image or f"{LOCAL_REGISTRY}/{func.name}:latest"
