"""``knlite func languages`` and ``knlite func templates``."""

import json

import typer

from knlite.cli.func.defaults import repositories_folder
from knlite.errors import InvalidInput
from knlite.functions.templaterepository import Repository, in_folder, opened
from knlite.settings import environment


def show_languages(repository: str, *, as_json: bool) -> None:
    """Print the languages, one a line."""
    languages = sorted(known(repository))
    typer.echo(json.dumps(languages, indent=2) if as_json else "\n".join(languages))


def show_templates(language: str, repository: str, *, as_json: bool) -> None:
    """Print the templates, of all languages or of one."""
    templates = known(repository)
    if language:
        if language not in templates:
            raise InvalidInput(
                f"The language runtime '{language}' is not recognized.",
                cause=f"Available language runtimes are: {', '.join(sorted(templates))}",
            )
        names = templates[language]
        typer.echo(json.dumps(names, indent=2) if as_json else "\n".join(names))
        return
    if as_json:
        typer.echo(json.dumps(templates, indent=2))
        return
    rows = [(name, each) for name, names in sorted(templates.items()) for each in names]
    width = max(len("LANGUAGE"), *(len(name) for name, _ in rows)) if rows else len("LANGUAGE")
    typer.echo(f"{'LANGUAGE'.ljust(width)}   TEMPLATE")
    for name, each in rows:
        typer.echo(f"{name.ljust(width)}   {each}")


def known(repository: str) -> dict[str, list[str]]:
    """The names of templates by language; those of added repositories as ``REPOSITORY/NAME``."""
    environ = environment()
    with opened(repository, environ) as templates:
        found = _names(templates, "")
    folder = repositories_folder(environ)
    if not repository and folder.is_dir():
        for entry in sorted(folder.iterdir()):
            if entry.is_dir() and not entry.name.startswith("."):
                for language, names in _names(in_folder(entry), f"{entry.name}/").items():
                    found.setdefault(language, []).extend(names)
    return found


def _names(repository: Repository, prefix: str) -> dict[str, list[str]]:
    return {
        language: [prefix + name for name in repository.of(language)]
        for language in repository.languages
    }
