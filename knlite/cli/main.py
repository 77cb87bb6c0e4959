"""The ``knlite`` command: its verbs and their options.

Each verb's work is in a module of its own, imported when the verb is used: ``knlite --help`` should
not load an HTTP server.

Exit codes: 0 done; 1 something failed; 2 what was given is wrong (options, manifests); 3 the named
object does not exist; 4 what has to answer does not (a running knlite, an engine). ``send``,
``explain --dry-run`` and ``replay`` have two more (``eventverbs.py``).
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from knlite import __version__
from knlite.cli.bench.verb import add_bench_verb
from knlite.cli.doors import AdminAddress, AdminPort, Json, Namespace, explaining
from knlite.cli.eventverbs import add_event_verbs
from knlite.cli.func.verbs import add_func_verbs
from knlite.cli.invokeverb import add_invoke_verb
from knlite.cli.pruneverb import add_prune_verb
from knlite.cli.top.verb import add_top_verb
from knlite.cli.upverb import Overrides, RuntimeOption, add_up_verb

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    # As wide as the terminal, up to where lines are too long to read.
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    help="Knative Serving and Eventing in one process, on one machine, without Kubernetes.",
)


class Output(StrEnum):
    """What ``get -o`` takes."""

    table = "table"
    yaml = "yaml"
    json = "json"


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"knlite {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Knative Serving and Eventing in one process, on one machine, without Kubernetes."""


add_up_verb(app)


@app.command()
def get(
    kind: Annotated[
        str, typer.Argument(help="A kind (ksvc, revision, broker, …), or KIND/NAME.")
    ] = "ksvc",
    name: Annotated[str, typer.Argument(help="One object of that kind.")] = "",
    namespace: Annotated[
        str, typer.Option("--namespace", "-n", help="Only this namespace (all, unless NAME).")
    ] = "",
    output: Annotated[Output, typer.Option("--output", "-o", help="How to print.")] = Output.table,
    as_json: Json = False,
    admin_port: AdminPort = 8081,
) -> None:
    """Show objects of a running knlite.

    \b
    Examples:
      knlite get
      knlite get trigger -n brokered
      knlite get ksvc web -n direct -o yaml
    """
    with explaining():
        from knlite.cli.get import show

        wanted = Output.json if as_json else output
        show(kind, name, namespace, wanted.value, admin_port)


@app.command()
def logs(
    name: Annotated[
        str, typer.Argument(help="A Knative Service, or another object that runs code.")
    ],
    namespace: Namespace = "default",
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with new lines until Ctrl-C.")
    ] = False,
    tail: Annotated[int | None, typer.Option(min=0, help="Only the last lines.")] = None,
    as_json: Json = False,
    admin_port: AdminPort = 8081,
) -> None:
    """Print what the instances of a service, a Deployment, a Job or a Pod wrote.

    \b
    Example:
      knlite logs process -n direct -f
    """
    with explaining():
        from knlite.cli.logs import show

        show(name, namespace, admin_port, follow=follow, tail=tail, as_json=as_json)


@app.command()
def delete(
    kind: Annotated[str, typer.Argument(help="A kind, or KIND/NAME.")],
    name: Annotated[str, typer.Argument(help="The object to delete.")] = "",
    namespace: Namespace = "default",
    as_json: Json = False,
    admin_port: AdminPort = 8081,
) -> None:
    """Delete an object of a running knlite, and what belongs to it.

    \b
    Example:
      knlite delete ksvc hello-python
    """
    with explaining():
        from knlite.cli.delete import delete as delete_object

        delete_object(kind, name, namespace, admin_port, as_json=as_json)


add_top_verb(app)


@app.command()
def restart(
    name: Annotated[str, typer.Argument(help="A Knative Service.")],
    namespace: Namespace = "default",
    as_json: Json = False,
    admin_port: AdminPort = 8081,
) -> None:
    """Give a Service of a running knlite new instances, one after the other.

    Each is ready before the one that it replaces goes, so no request fails. Revisions and traffic
    stay as they are.

    \b
    Example:
      knlite restart hello-python
    """
    with explaining():
        from knlite.cli.restart import restart as restart_service

        restart_service(name, namespace, admin_port, as_json=as_json)


add_event_verbs(app)
add_invoke_verb(app)
add_bench_verb(app)
add_func_verbs(app)
add_prune_verb(app)


@app.command()
def kubeconfig(
    write: Annotated[
        Path | None,
        typer.Option(
            "--write",
            metavar="PATH",
            help='Add the context "knlite" to this file instead; what else is in it stays.',
        ),
    ] = None,
    admin_port: AdminPort = 8081,
    admin_address: AdminAddress = "127.0.0.1",
) -> None:
    """Print how kubectl and kn reach a running knlite.

    \b
    Examples:
      knlite kubeconfig > knlite.kubeconfig
      export KUBECONFIG=$PWD/knlite.kubeconfig
      kubectl get ksvc
    \b
      knlite kubeconfig --write ~/.kube/config
      kubectl --context knlite get ksvc
    """
    with explaining():
        from knlite.cli.kubeconfig import show
        from knlite.settings import Settings

        show(Settings(admin_address=admin_address, admin_port=admin_port), write)


@app.command()
def doctor(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[PATH…]", help="Also say what would run how, and why."),
    ] = None,
    port: Annotated[int, typer.Option(envvar="KNLITE_PORT", min=1, max=65535)] = 8080,
    tls_port: Annotated[int, typer.Option(envvar="KNLITE_TLS_PORT", min=1, max=65535)] = 8443,
    admin_port: AdminPort = 8081,
    runtime: Annotated[RuntimeOption, typer.Option(envvar="KNLITE_RUNTIME")] = RuntimeOption.auto,
    set_: Overrides = None,
    as_json: Json = False,
) -> None:
    """Look at this machine: engine, ports, functions, servers; say what would run how, and why.

    \b
    Example:
      knlite doctor examples/
    """
    with explaining():
        from knlite.cli.doctor import examine
        from knlite.settings import Settings, parse_overrides

        settings = Settings(
            port=port,
            tls_port=tls_port,
            admin_port=admin_port,
            runtime=runtime.value,
            overrides=parse_overrides(tuple(set_ or ())),
        )
        raise typer.Exit(examine(paths or [], settings, as_json=as_json))
