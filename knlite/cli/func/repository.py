"""``knlite func repository``: repositories of templates that are kept for a person.

Each is a folder below ``~/.config/func/repositories``, the same that ``func`` uses.
"""

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import typer

from knlite.cli.func.defaults import repositories_folder
from knlite.errors import Conflict, InvalidInput, KnliteError, NotFound
from knlite.functions.templaterepository import fetch, in_folder, without_password
from knlite.settings import environment

_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,62}", re.ASCII)
_URL = re.compile(r"^\s*url = (\S+)$", re.MULTILINE)


def show(*, verbose: bool) -> None:
    """Print their names."""
    typer.echo("default")
    folder = repositories_folder(environment())
    entries = sorted(folder.iterdir()) if folder.is_dir() else []
    for entry in entries:
        if entry.is_dir() and not entry.name.startswith("."):
            url = _url(entry) if verbose else ""
            typer.echo(f"{entry.name}\t{url}" if url else entry.name)


def add(name: str, url: str) -> None:
    """Keep what is at *url* as *name*. Raises ``InvalidInput``, ``Conflict``, ``KnliteError``."""
    environ = environment()
    place = _free(name, environ)
    # Fetched beside its place, so that it is there whole or not at all.
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".", dir=place.parent) as made:
            fetched = Path(made) / "repository"
            fetch(url, fetched, environ)
            in_folder(fetched)
            fetched.rename(place)
    except OSError as error:
        raise KnliteError(f"cannot keep the repository {name}", cause=str(error)) from error
    typer.echo(f"Repository added: {name}")


def rename(old: str, new: str) -> None:
    """Call *old* *new*. Raises ``NotFound``, ``InvalidInput``, ``Conflict``, ``KnliteError``."""
    environ = environment()
    kept, free = _kept(old, environ), _free(new, environ)
    try:
        kept.rename(free)
    except OSError as error:
        raise KnliteError(f"the repository {old} cannot be renamed", cause=str(error)) from error
    typer.echo("Repository renamed")


def remove(name: str) -> None:
    """Delete *name*. Raises ``NotFound``, ``InvalidInput``, ``KnliteError``."""
    place = _kept(name, environment())
    try:
        if place.is_symlink():
            place.unlink()
        else:
            shutil.rmtree(place)
    except OSError as error:
        raise KnliteError(f"the repository {name} cannot be removed", cause=str(error)) from error
    typer.echo("Repository removed")


def _free(name: str, environ: Mapping[str, str]) -> Path:
    place = _place(name, environ)
    if place.exists():
        raise Conflict(
            f"repository '{name}' already exists", fix=f"knlite func repository remove {name}"
        )
    return place


def _kept(name: str, environ: Mapping[str, str]) -> Path:
    place = _place(name, environ)
    if not place.is_dir():
        raise NotFound(f"repository '{name}' not found", fix="knlite func repository list")
    return place


def _place(name: str, environ: Mapping[str, str]) -> Path:
    if name == "default" or not _NAME.fullmatch(name):
        cause = "it comes with knlite" if name == "default" else "letters, digits, dots and dashes"
        raise InvalidInput(f"no repository can be called '{name}'", cause=cause)
    return repositories_folder(environ) / name


def _url(folder: Path) -> str:
    """Where git has cloned it from, without a password."""
    config = folder / ".git" / "config"
    found = _URL.search(config.read_text(errors="replace")) if config.is_file() else None
    return without_password(found[1]) if found else ""
