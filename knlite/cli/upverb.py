"""``knlite up`` and its options; the work is in ``up.py``."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from knlite.cli.doors import AdminAddress, AdminPort, explaining


class RuntimeOption(StrEnum):
    """What ``--runtime`` takes."""

    auto = "auto"
    docker = "docker"
    process = "process"


class LogFormatOption(StrEnum):
    """What ``--log-format`` takes."""

    text = "text"
    json = "json"


class FreezerOption(StrEnum):
    """What ``--freezer`` takes."""

    engine = "engine"
    cgroup = "cgroup"


class ReloadOption(StrEnum):
    """What ``--reload`` takes."""

    new_revision = "new-revision"
    in_place = "in-place"


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


def add_up_verb(app: typer.Typer) -> None:
    """Give *app* the verb."""
    app.command()(up)


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
    log_format: Annotated[
        LogFormatOption,
        typer.Option(
            envvar="KNLITE_LOG_FORMAT",
            help="json: each line at the terminal is one JSON object, for what collects logs.",
        ),
    ] = LogFormatOption.text,
) -> None:
    """Run the manifests and functions below PATH until Ctrl-C.

    Manifests that change on disk are applied again, and code that changes is live at once. Without
    PATH, kubectl, kn and knlite func deploy bring everything; code that belongs to it is looked for
    below the current folder.

    \b
    Examples:
      knlite up hello/
      knlite up examples/ --set config-autoscaler.stable-window=6s
    """
    with explaining():
        from dataclasses import replace

        from knlite.cli.admintoken import admin_token
        from knlite.cli.jsonlog import JSONLog
        from knlite.cli.screen import JSONLines, Screen
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
        show = JSONLog if log_format is LogFormatOption.json else Screen
        raise typer.Exit(run(paths or [], settings, JSONLines if as_json else show))
