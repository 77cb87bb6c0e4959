"""``knlite func delete``: takes a function from a running knlite; its folder stays.

Source: Knative Functions reference §4.3; knative/func cmd/delete.go.
"""

import sys
from pathlib import Path

import typer
from msgspec.structs import replace

from knlite.cli.client import Client
from knlite.cli.func.describe import deployed, wanted
from knlite.cli.func.opened import open_function
from knlite.cli.words import resolve
from knlite.functions import funcyaml


def run(name: str, path: Path | None, namespace: str, admin_port: int, *, confirm: bool) -> None:
    """Undeploy the function called *name*, or the one in *path*.

    Raises ``InvalidInput``, ``NotFound``, ``Unreachable``.
    """
    by_folder = not name
    name, namespace = wanted(name, path, namespace)
    client = Client(admin_port)
    deployed(client, name, namespace)
    if confirm and sys.stdin.isatty():
        typer.confirm(f'Undeploy function "{name}" from namespace "{namespace}"?', abort=True)
    # What belongs to the Service, its Triggers among it, goes with it.
    client.delete(resolve("ksvc", "")[0], namespace, name)
    if by_folder:
        opened = open_function(path, "delete")
        func = opened.func
        funcyaml.save(
            opened.folder, replace(func, deploy=replace(func.deploy, namespace="", deployer=""))
        )
    typer.echo(f"Removed function '{name}' from namespace '{namespace}'")
