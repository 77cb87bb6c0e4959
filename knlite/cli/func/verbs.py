"""The group ``knlite func`` and its verbs that create, configure and show functions.

Flags, meanings and texts are those of ``func``; each verb's work is in a module of its own. Every
flag can be given as ``FUNC_`` and its name, too.

Source: Knative Functions reference §4.3; knative/func cmd/.
Not here: what builds, runs and deploys (``running.py``, ``shipping.py``).
"""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path as FilePath
from typing import Annotated

import typer

from knlite.cli.doors import AdminPort, explaining
from knlite.cli.func.configverbs import add_config_verbs
from knlite.cli.func.goflags import GoFlags, is_given
from knlite.cli.func.options import Folder, Namespace, Verbose
from knlite.cli.func.repositoryverbs import add_repository_verbs
from knlite.cli.func.running import add_running_verbs
from knlite.cli.func.shipping import add_shipping_verbs


class Output(StrEnum):
    """What ``-o`` takes."""

    human = "human"
    plain = "plain"
    json = "json"
    yaml = "yaml"
    url = "url"


class Form(StrEnum):
    """What ``environment -f`` takes."""

    json = "json"
    yaml = "yaml"


Name = Annotated[
    str, typer.Argument(metavar="NAME", help="A function; else the one in the current folder.")
]
OutputOption = Annotated[
    Output, typer.Option("--output", "-o", envvar="FUNC_OUTPUT", help="How to print.")
]
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
    func_app = typer.Typer(no_args_is_help=True, help="Create, run, change and ship functions.")
    _add(func_app, create, "create", "init")
    add_running_verbs(func_app)
    add_shipping_verbs(func_app)
    _add(func_app, list_, "list", "ls")
    _add(func_app, describe, "describe", "info", "desc")
    _add(func_app, delete, "delete", "rm")
    _add(func_app, languages, "languages")
    _add(func_app, templates, "templates")
    _add(func_app, environment, "environment", "env")
    _add(func_app, version, "version")
    add_config_verbs(func_app)
    add_repository_verbs(func_app)
    app.add_typer(func_app, name="func")


def _add(func_app: typer.Typer, verb: Callable[..., None], *names: str) -> None:
    """Give *func_app* the verb, which is listed by the first of its names."""
    for index, name in enumerate(names):
        func_app.command(name, cls=GoFlags, hidden=index > 0)(verb)


def create(
    folder: Annotated[
        FilePath | None,
        typer.Argument(metavar="PATH", help="The new folder; its name is the function's."),
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
        from knlite.settings import environment as environ

        usual = defaults(environ())
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


def list_(
    context: typer.Context,
    namespace: Namespace = "",
    all_namespaces: Annotated[
        bool,
        typer.Option(
            "--all-namespaces", "-A", envvar="FUNC_ALL_NAMESPACES", help="In all namespaces."
        ),
    ] = False,
    output: OutputOption = Output.human,
    verbose: Verbose = False,
    admin_port: AdminPort = 8081,
) -> None:
    """List the functions of a running knlite.

    \b
    Examples:
      knlite func list
      knlite func list --all-namespaces --output json
    """
    with explaining():
        from knlite.cli.func.defaults import namespace_of
        from knlite.cli.func.listing import show
        from knlite.errors import InvalidInput
        from knlite.settings import environment as environ

        if all_namespaces and is_given(context, "namespace"):
            raise InvalidInput("both --namespace and --all-namespaces specified")
        place = "" if all_namespaces else namespace_of(None, namespace, environ())
        show(place, output.value, admin_port)


def describe(
    context: typer.Context,
    name: Name = "",
    path: Folder = None,
    namespace: Namespace = "",
    output: OutputOption = Output.human,
    verbose: Verbose = False,
    admin_port: AdminPort = 8081,
) -> None:
    """Show a function of a running knlite.

    \b
    Examples:
      knlite func describe
      knlite func describe hello -o url
    """
    with explaining():
        from knlite.cli.func.describe import show

        path, namespace = _either(context, name, path, namespace)
        show(name, path, namespace, output.value, admin_port)


def delete(
    context: typer.Context,
    name: Name = "",
    path: Folder = None,
    namespace: Namespace = "",
    all_: Annotated[
        str,
        typer.Option(
            "--all",
            "-a",
            envvar="FUNC_ALL",
            help="Taken, and without effect: here nothing else is made for a function.",
        ),
    ] = "true",
    confirm: Confirm = False,
    verbose: Verbose = False,
    admin_port: AdminPort = 8081,
) -> None:
    """Undeploy a function; its folder stays.

    \b
    Examples:
      knlite func delete
      knlite func delete hello -n apps
    """
    with explaining():
        from knlite.cli.func.defaults import defaults
        from knlite.cli.func.delete import run
        from knlite.settings import environment as environ

        path, namespace = _either(context, name, path, namespace)
        asks = confirm or defaults(environ()).confirm
        run(name, path, namespace, admin_port, confirm=asks)


def _either(
    context: typer.Context, name: str, path: FilePath | None, namespace: str
) -> tuple[FilePath | None, str]:
    """A folder, or a namespace: what *name*, or its absence, leaves of the two.

    Raises ``InvalidInput`` if the other one is given.
    """
    from knlite.errors import InvalidInput

    if name:
        if is_given(context, "path"):
            raise InvalidInput("cannot specify both name and path")
        return None, namespace
    if is_given(context, "namespace"):
        raise InvalidInput("must also specify a name when specifying namespace")
    return path, ""


def environment(
    form: Annotated[
        Form, typer.Option("--format", "-f", envvar="FUNC_FORMAT", help="json or yaml.")
    ] = Form.json,
    path: Folder = None,
    verbose: Verbose = False,
    admin_port: AdminPort = 8081,
) -> None:
    """Show versions, languages, templates, defaults.

    \b
    Example:
      knlite func environment -f yaml
    """
    with explaining():
        from knlite.cli.func.environment import show

        show(path or FilePath(), form.value, admin_port)


def version(verbose: Verbose = False) -> None:
    """Print the version, and that of func.yaml.

    \b
    Example:
      knlite func version
    """
    from knlite import __version__
    from knlite.functions.funcspec import SPEC_VERSION

    typer.echo(f"knlite {__version__}" + (f"\nfunc.yaml {SPEC_VERSION}" if verbose else ""))
