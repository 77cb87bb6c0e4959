"""``knlite invoke`` and its options; the work is in ``invoke.py``."""

from typing import Annotated

import typer

from knlite.cli.doors import AdminPort, Header, Json, Method, Namespace, explaining


def add_invoke_verb(app: typer.Typer) -> None:
    """Give *app* the verb."""
    app.command()(invoke)


def invoke(
    target: Annotated[
        str,
        typer.Argument(metavar="TARGET", help="A Service; or what --to takes."),
    ] = "",
    namespace: Namespace = "default",
    to: Annotated[
        str,
        typer.Option(metavar="service/NAME|broker/NAME|URL", help="Where it goes."),
    ] = "",
    data: Annotated[
        str,
        typer.Option("--data", "-d", metavar="TEXT|@FILE", help="The data; @- is standard input."),
    ] = "",
    path: Annotated[str, typer.Option(help="Path and query behind a Service's URL.")] = "",
    method: Method = "",
    header: Header = None,
    content_type: Annotated[
        str, typer.Option(help="Of the data; JSON or plain text if it is not given.")
    ] = "",
    type_: Annotated[
        str, typer.Option("--type", help="Send an event of this type (binary mode).")
    ] = "",
    source: Annotated[str, typer.Option(help="Where the event has happened.")] = "",
    subject: Annotated[str, typer.Option(help="What it has happened to.")] = "",
    id_: Annotated[str, typer.Option("--id", help="Of the event; made up if not given.")] = "",
    ext: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="An extension of the event; repeatable."),
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Status and headers too, on standard error.")
    ] = False,
    as_json: Json = False,
    admin_port: AdminPort = 8081,
) -> None:
    """Send a request, or an event, to a Service of a running knlite, and print the answer.

    With --json also status, headers and times, those of a cold start by its stages.

    \b
    Exit codes: 0 it was answered with success (a broker: 202); 1 with anything else
    \b
    Examples:
      knlite invoke hello-python
      knlite invoke hello-python -d '{"name": "Ada"}' --json
      knlite invoke --to broker/default --type order.paid -d @order.json
    """
    with explaining():
        from knlite.cli.invoke import Written
        from knlite.cli.invoke import invoke as invoke_target
        from knlite.errors import InvalidInput

        if target and to:
            raise InvalidInput(f'both "{target}" and --to {to} say where it goes', fix="give one")
        written = Written(
            data=data,
            content_type=content_type,
            method=method,
            headers=header or (),
            type=type_,
            source=source,
            id=id_,
            subject=subject,
            extensions=ext or (),
        )
        raise typer.Exit(
            invoke_target(
                target or to,
                namespace,
                path,
                written,
                admin_port,
                as_json=as_json,
                verbose=verbose,
            )
        )
