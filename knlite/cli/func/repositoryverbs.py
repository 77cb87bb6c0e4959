"""The group ``knlite func repository`` and its verbs.

Source: Knative Functions reference §4.2; knative/func cmd/repository.go.
"""

from typing import Annotated

import typer

from knlite.cli.doors import explaining
from knlite.cli.func.goflags import GoFlags
from knlite.cli.func.options import Verbose

Name = Annotated[str, typer.Argument(help="What it is called here, as in -t NAME/TEMPLATE.")]


def add_repository_verbs(func_app: typer.Typer) -> None:
    """Give *func_app* the group ``repository``."""
    group = typer.Typer(no_args_is_help=True, help="Keep repositories of templates.")
    for verb, names in (
        (list_, ("list",)),
        (add, ("add",)),
        (rename, ("rename",)),
        (remove, ("remove", "rm")),
    ):
        for index, name in enumerate(names):
            group.command(name, cls=GoFlags, hidden=index > 0)(verb)
    for index, name in enumerate(("repository", "repo", "repositories")):
        func_app.add_typer(group, name=name, hidden=index > 0)


def list_(verbose: Verbose = False) -> None:
    """List the repositories; with -v where they came from.

    \b
    Example:
      knlite func repository list -v
    """
    with explaining():
        from knlite.cli.func.repository import show

        show(verbose=verbose)


def add(
    name: Name,
    url: Annotated[
        str, typer.Argument(help="A folder, or what git can clone, with a branch behind #.")
    ],
    verbose: Verbose = False,
) -> None:
    """Keep the templates of a repository.

    \b
    Example:
      knlite func repository add ours https://example.com/templates.git#main
    """
    with explaining():
        from knlite.cli.func.repository import add as keep

        keep(name, url)


def rename(
    old: Annotated[str, typer.Argument(help="What it is called.")],
    new: Annotated[str, typer.Argument(help="What it is to be called.")],
    verbose: Verbose = False,
) -> None:
    """Call a repository by another name.

    \b
    Example:
      knlite func repository rename ours theirs
    """
    with explaining():
        from knlite.cli.func.repository import rename as call

        call(old, new)


def remove(name: Name, verbose: Verbose = False) -> None:
    """Keep a repository no longer; functions made of it stay.

    \b
    Example:
      knlite func repository remove ours
    """
    with explaining():
        from knlite.cli.func.repository import remove as drop

        drop(name)
