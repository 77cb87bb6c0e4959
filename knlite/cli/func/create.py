"""``knlite func create``: a new function of a template."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from knlite.cli.func.defaults import repositories_folder
from knlite.clock import present
from knlite.errors import InvalidInput
from knlite.functions.creation import assert_free, create
from knlite.functions.templaterepository import Repository, Template, built_in, in_folder, opened
from knlite.settings import environment


def run(path: Path, language: str, template: str, repository: str, *, confirm: bool) -> None:
    """Make the function. Raises ``InvalidInput``, ``Conflict``, ``KnliteError``."""
    place = Path(os.path.abspath(path))
    # What takes long comes after what may be wrong.
    assert_free(place)
    with _repository(repository, template) as (templates, name):
        if confirm:
            place, language, name = _confirmed(place, language, name, templates, repository)
        chosen = find(templates, language, name)
        create(place, chosen, created=present().isoformat(timespec="microseconds"))
    typer.echo(f"Created {chosen.language} function in {place}")


def find(templates: Repository, language: str, name: str) -> Template:
    """The template, or what there is instead. Raises ``InvalidInput``."""
    known = "".join(f"\n           {each}" for each in templates.languages)
    if not language:
        raise InvalidInput(
            "Missing required language",
            cause=f"you need to specify which programming language to use, one of{known}",
            fix="knlite func create --language python myfunction",
        )
    if language not in templates.languages:
        raise InvalidInput(
            f"The language runtime '{language}' is not recognized.",
            cause=f"Available language runtimes are:{known}",
        )
    found = templates.find(language, name)
    if found is None:
        names = "".join(f"\n           {each}" for each in templates.of(language))
        raise InvalidInput(
            f"The template '{name}' was not found for language runtime '{language}'.",
            cause=f"Available templates for this language runtime are:{names}",
        )
    return found


@contextmanager
def _repository(uri: str, template: str) -> Iterator[tuple[Repository, str]]:
    """Where *template* is looked for, and its name there."""
    environ = environment()
    if uri:
        with opened(uri, environ) as repository:
            yield repository, template
        return
    name, slash, rest = template.partition("/")
    if not slash or name == "default":
        yield built_in(), rest or template
        return
    folder = repositories_folder(environ) / name
    if name.startswith(".") or not folder.is_dir():
        raise InvalidInput(
            f"there is no template repository {name}",
            cause=f"{repositories_folder(environ)} has no such folder",
            fix=f"add it with: knlite func repository add {name} URL",
        )
    yield in_folder(folder), rest


def _confirmed(
    place: Path, language: str, template: str, templates: Repository, repository: str
) -> tuple[Path, str, str]:
    if sys.stdin.isatty():
        place = Path(typer.prompt("Function Path", default=str(place))).absolute()
        shown = ", ".join(templates.languages)
        language = typer.prompt(f"Language Runtime ({shown})", default=language or None)
        if language in templates.languages:  # Else it is refused.
            shown = ", ".join(templates.of(language))
            template = typer.prompt(f"Template ({shown})", default=template)
        return place, language, template
    typer.echo(f"Path:         {place}\nLanguage:     {language}")
    if repository:
        typer.echo(f"Repository:   {repository}")
    typer.echo(f"Template:     {template}")
    return place, language, template
