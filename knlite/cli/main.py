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

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    # As wide as the terminal, up to where lines are too long to read.
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    help="Knative Serving and Eventing in one process, on one machine, without Kubernetes.",
)


class RuntimeOption(StrEnum):
    """What ``--runtime`` takes."""

    auto = "auto"
    docker = "docker"
    process = "process"


class FreezerOption(StrEnum):
    """What ``--freezer`` takes."""

    engine = "engine"
    cgroup = "cgroup"


class ReloadOption(StrEnum):
    """What ``--reload`` takes."""

    new_revision = "new-revision"
    in_place = "in-place"


class Output(StrEnum):
    """What ``get -o`` takes."""

    table = "table"
    yaml = "yaml"
    json = "json"


Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="CONFIGMAP.KEY=VALUE",
        help="Set a key of a ConfigMap of the platform, as config-autoscaler.stable-window=6s or"
        " kafka-broker-config.bootstrap.servers=HOST:PORT.",
    ),
]
"""``--set``."""


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


@app.command()
def up(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[PATH…]", help="Folders or files: manifests, functions."),
    ] = None,
    port: Annotated[
        int, typer.Option(envvar="KNLITE_PORT", min=1, max=65535, help="Port of the gateway.")
    ] = 8080,
    tls_port: Annotated[
        int,
        typer.Option(
            envvar="KNLITE_TLS_PORT",
            min=1,
            max=65535,
            help="Port of the gateway for HTTPS, open while a DomainMapping has a certificate.",
        ),
    ] = 8443,
    admin_port: AdminPort = 8081,
    runtime: Annotated[
        RuntimeOption,
        typer.Option(
            envvar="KNLITE_RUNTIME",
            help="auto: containers where an engine answers, else local processes.",
        ),
    ] = RuntimeOption.auto,
    address: Annotated[
        str,
        typer.Option(
            envvar="KNLITE_ADDRESS", help="Where the gateway listens; loopback unless told."
        ),
    ] = "127.0.0.1",
    admin_address: AdminAddress = "127.0.0.1",
    data_dir: Annotated[
        Path | None,
        typer.Option(
            envvar="KNLITE_DATA_DIR",
            help="Keep objects and logs in this folder; a later run goes on with them.",
        ),
    ] = None,
    debug: Annotated[
        bool, typer.Option("--debug", help="Let functions show their tracebacks in answers.")
    ] = False,
    memory: Annotated[
        str,
        typer.Option(
            envvar="KNLITE_MEMORY",
            metavar="SIZE",
            help="What frozen instances may hold altogether (512M, 2G); a quarter of what this"
            " machine has unless told.",
        ),
    ] = "",
    freezer: Annotated[
        FreezerOption,
        typer.Option(
            envvar="KNLITE_FREEZER",
            help="How containers are frozen: engine has the engine pause them; cgroup writes to"
            " their control group where that is possible, which is quicker.",
        ),
    ] = FreezerOption.engine,
    watch: Annotated[
        bool,
        typer.Option(
            "--watch/--no-watch", help="Apply manifests and reload code when their files change."
        ),
    ] = True,
    reload: Annotated[
        ReloadOption,
        typer.Option(
            help="new-revision: changed code becomes a revision, which gets the traffic once it is"
            " ready. in-place: new instances take the place of the old ones.",
        ),
    ] = ReloadOption.new_revision,
    set_: Overrides = None,
    limit: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="Set how much clients may send (head-bytes=131072, body-seconds=300) or how many"
            " events may wait for delivery in a broker (queued-events=1000, queued-bytes=1000000),"
            " or is kept of those that came (history-bytes=100000000, history-seconds=86400).",
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print every fact as one line of JSON, for scripts.")
    ] = False,
) -> None:
    """Run the manifests and functions below PATH until Ctrl-C.

    Manifests that change on disk are applied again, and code that changes is live at once. Without
    PATH, kubectl, kn and knlite func deploy bring everything;
    code that belongs to it is looked for below the current folder.

    \b
    Examples:
      knlite up hello/
      knlite up examples/ --set config-autoscaler.stable-window=6s
    """
    with explaining():
        from dataclasses import replace

        from knlite.cli.admintoken import admin_token
        from knlite.cli.up import run
        from knlite.settings import Settings, parse_overrides, parse_size

        settings = Settings(
            address=address,
            port=port,
            tls_port=tls_port,
            admin_address=admin_address,
            admin_port=admin_port,
            runtime=runtime.value,
            data_dir=data_dir,
            watch=watch,
            reload="in-place" if reload is ReloadOption.in_place else "new-revision",
            debug=debug,
            memory=parse_size("--memory", memory) if memory else None,
            freezer="cgroup" if freezer is FreezerOption.cgroup else "engine",
            limits=tuple(limit or ()),
            overrides=parse_overrides(tuple(set_ or ())),
        )
        settings = replace(settings, admin_token=admin_token(settings))
        raise typer.Exit(run(paths or [], settings, as_json=as_json))


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
