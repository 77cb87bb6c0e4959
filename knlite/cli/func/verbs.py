"""The group ``knlite func`` and its verbs that create, configure and show functions.

Flags, meanings and texts are those of ``func``; each verb's work is in a module of its own. Every
flag can be given as ``FUNC_`` and its name, too.

Source: Knative Functions reference §4.3; knative/func cmd/.
Not here: what builds, runs and deploys (``running.py``).
"""

from pathlib import Path as FilePath
from typing import Annotated

import typer

from knlite.cli.doors import explaining
from knlite.cli.func.running import add_running_verbs

Path = Annotated[
    FilePath,
    typer.Option("--path", "-p", envvar="FUNC_PATH", help="The function's folder."),
]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", envvar="FUNC_VERBOSE", help="Say more.")]
Confirm = Annotated[
    bool, typer.Option("--confirm", "-c", envvar="FUNC_CONFIRM", help="Ask before it is done.")
]
Repository = Annotated[
    str,
    typer.Option(
        "--repository",
        "-r",
        envvar="FUNC_REPOSITORY",
        metavar="URI",
        help="Take templates from this folder or git repository (a branch behind #).",
    ),
]
FuncJson = Annotated[bool, typer.Option("--json", envvar="FUNC_JSON", help="Print JSON.")]


def add_func_verbs(app: typer.Typer) -> None:
    """Give *app* the group ``func``."""
    func_app = typer.Typer(no_args_is_help=True, help="Create, run and change functions.")
    func_app.command()(create)
    func_app.command("init", hidden=True)(create)
    func_app.command()(languages)
    func_app.command()(templates)
    app.add_typer(func_app, name="func")
    add_running_verbs(func_app)


def create(
    folder: Annotated[
        FilePath | None,
        typer.Argument(metavar="[PATH]", help="The new folder; its name is the function's."),
    ] = None,
    language: Annotated[
        str, typer.Option("--language", "-l", envvar="FUNC_LANGUAGE", help="python, node, go, …")
    ] = "",
    template: Annotated[
        str,
        typer.Option("--template", "-t", envvar="FUNC_TEMPLATE", help="http, cloudevents, …"),
    ] = "http",
    repository: Repository = "",
    path: Annotated[
        FilePath | None,
        typer.Option("--path", "-p", envvar="FUNC_PATH", help="The same as PATH."),
    ] = None,
    confirm: Confirm = False,
    verbose: Verbose = False,
) -> None:
    """Create a function in PATH, or in the current folder.

    \b
    Examples:
      knlite func create -l python hello
      knlite func create -l go -t cloudevents orders
      knlite func create -l python -t parliament-http web
    """
    with explaining():
        from knlite.cli.func.create import run
        from knlite.cli.func.defaults import defaults
        from knlite.settings import Settings

        usual = defaults(Settings().environ)
        given = [each for each in (path, folder) if each is not None and each != FilePath()]
        run(
            given[0] if given else FilePath(),
            language or usual.language,
            template,
            repository,
            confirm=confirm or usual.confirm,
        )


def languages(
    as_json: FuncJson = False, repository: Repository = "", verbose: Verbose = False
) -> None:
    """List the languages that functions can be created in.

    \b
    Example:
      knlite func languages --json
    """
    with explaining():
        from knlite.cli.func.templates import show_languages

        show_languages(repository, as_json=as_json)


def templates(
    language: Annotated[str, typer.Argument(help="Only of this language.")] = "",
    as_json: FuncJson = False,
    repository: Repository = "",
    verbose: Verbose = False,
) -> None:
    """List the templates that functions can be created from.

    \b
    Examples:
      knlite func templates
      knlite func templates python --json
    """
    with explaining():
        from knlite.cli.func.templates import show_templates

        show_templates(language, repository, as_json=as_json)
