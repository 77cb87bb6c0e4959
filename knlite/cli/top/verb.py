"""``knlite top``: its options."""

import sys
from typing import Annotated

import typer

from knlite.cli.doors import AdminPort, explaining


def add_top_verb(app: typer.Typer) -> None:
    """Make it a verb of *app*."""

    @app.command()
    def top(
        as_json: Annotated[
            bool,
            typer.Option("--json", help="Print each message of the live feed as a line instead."),
        ] = False,
        topics: Annotated[
            list[str] | None,
            typer.Option("--topic", help="With --json: only these topics; repeatable."),
        ] = None,
        admin_port: AdminPort = 8081,
    ) -> None:
        """Watch a running knlite: services, instances, cold starts, events.

        \b
        Examples:
          knlite top
          ssh -t build-machine knlite top
          knlite top --json --topic load --topic instances
        """
        with explaining():
            from knlite.cli.top.open import look

            look(admin_port, topics or (), as_json=as_json, terminal=sys.stdout.isatty())
