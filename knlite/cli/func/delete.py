"""``knlite func delete``: takes a function from a running knlite; its folder stays.

Source: Knative Functions reference §4.3; knative/func cmd/delete.go, pkg/functions/client.go
(Remove).
"""

import sys
from pathlib import Path

import typer
from msgspec.structs import replace

from knlite.cli.client import Client
from knlite.cli.func.defaults import namespace_of
from knlite.cli.func.describe import deployed
from knlite.cli.func.opened import Opened, open_function
from knlite.cli.words import resolve
from knlite.errors import NotFound
from knlite.functions import funcyaml
from knlite.settings import environment


def run(name: str, path: Path | None, namespace: str, admin_port: int, *, confirm: bool) -> None:
    """Undeploy the function called *name*, or, with an empty one, the one in *path*.

    Raises ``InvalidInput``, ``NotFound``, ``Unreachable``.
    """
    if name:
        namespace = namespace_of(None, namespace, environment())
        _undeploy(name, namespace, admin_port, confirm=confirm)
        return
    opened = open_function(path, "delete")
    func = opened.func
    _undeploy(func.name, _deployed_in(opened), admin_port, confirm=confirm)
    deploy = replace(func.deploy, namespace="", deployer="")
    funcyaml.save(opened.folder, replace(func, deploy=deploy))


def _undeploy(name: str, namespace: str, admin_port: int, *, confirm: bool) -> None:
    client = Client(admin_port)
    deployed(client, name, namespace)
    if confirm and sys.stdin.isatty():
        typer.confirm(f'Undeploy function "{name}" from namespace "{namespace}"?', abort=True)
    # What belongs to the Service, its Triggers among it, goes with it.
    client.delete(resolve("ksvc", "")[0], namespace, name)
    typer.echo(f"Removed function '{name}' from namespace '{namespace}'")


def _deployed_in(opened: Opened) -> str:
    """The namespace; raises ``NotFound`` if it was not deployed from there.

    What is called like it elsewhere may be somebody else's.
    """
    func = opened.func
    if not func.deploy.namespace:
        raise NotFound(
            f'function "{func.name}" is not deployed',
            cause=f"{opened.folder / funcyaml.FILE} has no deploy.namespace",
            fix=f"if it is, say where: knlite func delete {func.name} -n NAMESPACE",
        )
    return func.deploy.namespace
