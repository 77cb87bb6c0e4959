"""``knlite prune`` and its options; the work is in ``prune.py``."""

from typing import Annotated

import typer

from knlite.cli.doors import Json, explaining


def add_prune_verb(app: typer.Typer) -> None:
    """Give *app* the verb."""
    app.command()(prune)


def prune(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Remove without asking.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would go.")] = False,
    everything: Annotated[
        bool,
        typer.Option(
            "--all",
            "-a",
            help="Also images that still have their name, and those made with another cache.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Remove environments, packages, sources and images that no running knlite uses.

    Shows first what would go and how large it is. All of it is made again when it is needed, for
    which packages may have to be fetched.

    \b
    Example:
      knlite prune --dry-run
    """
    with explaining():
        from knlite.cli.prune import run
        from knlite.settings import Settings

        code = run(Settings(), yes=yes, dry_run=dry_run, everything=everything, as_json=as_json)
    raise typer.Exit(code)
