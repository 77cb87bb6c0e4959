"""``func run`` and ``invoke``: their options.

The work of each is in a module of its own. Source: Knative Functions reference §4.3.
"""

from typing import Annotated

import typer

from knlite.cli.doors import AdminPort, explaining
from knlite.cli.func.goflags import GoFlags
from knlite.cli.func.options import (
    BaseImage,
    Builders,
    Envs,
    Folder,
    Image,
    Registry,
    Verbose,
)


def add_running_verbs(app: typer.Typer) -> None:
    """Give *app* the verbs."""
    for verb in (run, invoke):
        app.command(cls=GoFlags)(verb)


def run(
    path: Folder = None,
    env: Envs = None,
    address: Annotated[
        str,
        typer.Option(
            envvar="FUNC_ADDRESS", help="HOST:PORT; else 127.0.0.1:8080, or a free port there."
        ),
    ] = "",
    container: Annotated[
        bool | None,
        typer.Option(
            "--container/--no-container",
            help="In a container, or as a local process; as --runtime of knlite up if not given.",
        ),
    ] = None,
    builder: Builders = None,
    image: Image = "",
    registry: Registry = "",
    base_image: BaseImage = "",
    build: Annotated[str, typer.Option(hidden=True)] = "auto",
    builder_image: Annotated[str, typer.Option(hidden=True)] = "",
    watch: Annotated[
        bool, typer.Option("--watch/--no-watch", help="Run what is saved, as soon as it is.")
    ] = True,
    start_timeout: Annotated[
        str, typer.Option(envvar="FUNC_START_TIMEOUT", metavar="DURATION", help="As 90s, 2m.")
    ] = "",
    as_json: Annotated[
        bool, typer.Option("--json", envvar="FUNC_JSON", help="Print where it runs as JSON.")
    ] = False,
    verbose: Verbose = False,
) -> None:
    """Run the function on this machine until Ctrl-C; what is saved runs at once.

    \b
    Examples:
      knlite func run
      knlite func run --address 127.0.0.1:9000 -e GREETING=hello
    """
    with explaining():
        from knlite.cli.func.defaults import defaults
        from knlite.cli.func.opened import open_function
        from knlite.cli.func.run import Wanted, runtime_for, seconds_of
        from knlite.cli.func.run import run as run_function
        from knlite.settings import environment

        opened = open_function(path, "run")
        chosen, own = builder.value if builder else "", opened.func.build.builder
        wanted = Wanted(
            address=address,
            envs=env or (),
            runtime=runtime_for(container, chosen or own or defaults(environment()).builder),
            builder=chosen,
            image=image,
            registry=registry,
            base_image=base_image,
            start_seconds=seconds_of(start_timeout),
            watch=watch,
            as_json=as_json,
        )
        raise typer.Exit(run_function(opened, wanted))


def invoke(
    path: Folder = None,
    target: Annotated[
        str,
        typer.Option(
            "--target",
            "-t",
            envvar="FUNC_TARGET",
            metavar="local|remote|URL",
            help="Which instance; the local one if there is one, else the deployed one.",
        ),
    ] = "",
    format_: Annotated[
        str,
        typer.Option(
            "--format",
            "-f",
            envvar="FUNC_FORMAT",
            metavar="http|cloudevent",
            help="As the function's template has it, if not given.",
        ),
    ] = "",
    id_: Annotated[
        str, typer.Option("--id", envvar="FUNC_ID", help="Of the event; made up if not given.")
    ] = "",
    source: Annotated[
        str, typer.Option(envvar="FUNC_SOURCE", help="Where the event has happened.")
    ] = "/boson/fn",
    type_: Annotated[
        str, typer.Option("--type", envvar="FUNC_TYPE", help="Of the event.")
    ] = "boson.fn",
    data: Annotated[
        str, typer.Option(envvar="FUNC_DATA", help="What is sent.")
    ] = '{"message":"Hello World"}',
    file: Annotated[
        str, typer.Option(envvar="FUNC_FILE", help="A file to send instead; any bytes.")
    ] = "",
    content_type: Annotated[
        str, typer.Option(envvar="FUNC_CONTENT_TYPE", help="Of what is sent.")
    ] = "application/json",
    request_type: Annotated[
        str, typer.Option(envvar="FUNC_REQUEST_TYPE", metavar="POST|GET", help="The method.")
    ] = "POST",
    extension: Annotated[
        list[str] | None,
        typer.Option("--extension", "-e", metavar="KEY=VALUE", help="Of the event; repeatable."),
    ] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", "-i", envvar="FUNC_INSECURE", help="Trust any server.")
    ] = False,
    verbose: Verbose = False,
    admin_port: AdminPort = 8081,
) -> None:
    """Send the function a request, or an event, and print its answer.

    \b
    Examples:
      knlite func invoke
      knlite func invoke --data '{"name": "Ada"}' --target remote
      knlite func invoke -f cloudevent --type order.paid --file order.json
    """
    with explaining():
        from knlite.cli.func.invoke import Message
        from knlite.cli.func.invoke import invoke as invoke_function
        from knlite.cli.func.opened import open_function

        message = Message(
            format=format_,
            id=id_,
            source=source,
            type=type_,
            data=data,
            file=file,
            content_type=content_type,
            method=request_type,
            extensions=extension or (),
        )
        code = invoke_function(
            open_function(path, "invoke"),
            target,
            message,
            admin_port,
            insecure=insecure,
            verbose=verbose,
        )
        raise typer.Exit(code)
