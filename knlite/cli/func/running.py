"""``func build``, ``run``, ``invoke``, ``deploy``, ``subscribe``, ``logs``: their options.

The work of each is in a module of its own. Source: Knative Functions reference §4.3.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from knlite.cli.doors import AdminPort, Json, explaining
from knlite.cli.func.goflags import GoFlags

Folder = Annotated[
    Path | None,
    typer.Option("--path", "-p", envvar="FUNC_PATH", help="The function's folder; else this one."),
]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", envvar="FUNC_VERBOSE", help="Say more.")]
Envs = Annotated[
    list[str] | None,
    typer.Option("--env", "-e", metavar="NAME=VALUE|NAME-", help="Set or unset; repeatable."),
]
Image = Annotated[
    str, typer.Option("--image", "-i", envvar="FUNC_IMAGE", help="Full name; wins over --registry.")
]
Registry = Annotated[
    str,
    typer.Option(
        "--registry", "-r", envvar="FUNC_REGISTRY", help="HOST/USER; the image is then .../NAME."
    ),
]
BaseImage = Annotated[str, typer.Option(help="What the image is built on.")]


class Builder(StrEnum):
    """What ``--builder`` takes."""

    pack = "pack"
    s2i = "s2i"
    host = "host"


Builders = Annotated[
    Builder | None,
    typer.Option("--builder", "-b", envvar="FUNC_BUILDER", help="All mean knlite's own."),
]


Platform = Annotated[
    str, typer.Option(envvar="FUNC_PLATFORM", help="For what machine; only this one's.")
]
Username = Annotated[str, typer.Option(envvar="FUNC_USERNAME", help="For --push.")]
Password = Annotated[
    str, typer.Option(envvar="FUNC_PASSWORD", help="For --push.", show_default=False)
]
Token = Annotated[str, typer.Option(envvar="FUNC_TOKEN", help="For --push.")]
# What only builders of func's know, and what images of knlite's do not depend on.
Ignored = Annotated[bool, typer.Option(hidden=True)]
IgnoredText = Annotated[str, typer.Option(hidden=True)]


def add_running_verbs(app: typer.Typer) -> None:
    """Give *app* the verbs."""
    for verb in (build, run, invoke, deploy, subscribe, logs):
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
        from knlite.cli.func.opened import open_function
        from knlite.cli.func.run import Wanted, runtime_for, seconds_of
        from knlite.cli.func.run import run as run_function

        opened = open_function(path, "run")
        wanted = Wanted(
            address=address,
            envs=env or (),
            runtime=runtime_for(container, builder.value if builder else opened.func.build.builder),
            builder=builder.value if builder else "",
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


def build(
    path: Folder = None,
    image: Image = "",
    registry: Registry = "",
    builder: Builders = None,
    base_image: BaseImage = "",
    push: Annotated[
        bool,
        typer.Option("--push/--no-push", "-u", envvar="FUNC_PUSH", help="Push the image, too."),
    ] = False,
    force: Annotated[bool, typer.Option("--build", help="Also if nothing has changed.")] = False,
    platform: Platform = "",
    username: Username = "",
    password: Password = "",
    token: Token = "",
    runtime: Annotated[
        str, typer.Option(envvar="KNLITE_RUNTIME", metavar="auto|docker|process", hidden=True)
    ] = "auto",
    build_timestamp: Ignored = False,
    registry_insecure: Ignored = False,
    builder_image: IgnoredText = "",
    registry_authfile: IgnoredText = "",
    verbose: Verbose = False,
) -> None:
    """Build the function: an image where an engine answers, else what its process needs.

    \b
    Examples:
      knlite func build
      knlite func build --registry ghcr.io/ada --push
    """
    with explaining():
        from knlite.cli.func.build import build_function
        from knlite.cli.func.building import credentials_of
        from knlite.cli.func.deploy import Options
        from knlite.cli.func.opened import open_function
        from knlite.settings import environment

        options = Options(
            image=image,
            registry=registry,
            builder=builder.value if builder else "",
            base_image=base_image,
            build="true" if force else "auto",
            push=push,
            credentials=credentials_of(username, password, token),
            verbose=verbose,
            environ=environment(),
        )
        build_function(open_function(path, "build"), options, runtime, platform)


def deploy(
    path: Folder = None,
    namespace: Annotated[
        str,
        typer.Option("--namespace", "-n", envvar="FUNC_NAMESPACE", help="Where it is deployed."),
    ] = "",
    image: Image = "",
    registry: Registry = "",
    build: Annotated[
        str,
        typer.Option(
            envvar="FUNC_BUILD", metavar="auto|true|false", help="auto: if it has changed."
        ),
    ] = "auto",
    builder: Builders = None,
    base_image: BaseImage = "",
    push: Annotated[
        bool,
        typer.Option(
            "--push/--no-push",
            "-u",
            envvar="FUNC_PUSH",
            help="Push the image to its registry; knlite runs it without.",
        ),
    ] = False,
    env: Envs = None,
    domain: Annotated[
        str, typer.Option(envvar="FUNC_DOMAIN", help="Label func.domain, for config-domain.")
    ] = "",
    service_account: Annotated[str, typer.Option(envvar="FUNC_SERVICE_ACCOUNT")] = "",
    image_pull_secret: Annotated[str, typer.Option(envvar="FUNC_IMAGE_PULL_SECRET")] = "",
    platform: Platform = "",
    deployer: Annotated[str, typer.Option(envvar="FUNC_DEPLOYER", hidden=True)] = "",
    username: Username = "",
    password: Password = "",
    token: Token = "",
    remote: Annotated[bool, typer.Option("--remote", "-R", hidden=True)] = False,
    git_url: Annotated[str, typer.Option("--git-url", "-g", hidden=True)] = "",
    git_branch: Annotated[str, typer.Option("--git-branch", "-t", hidden=True)] = "",
    git_dir: Annotated[str, typer.Option("--git-dir", "-d", hidden=True)] = "",
    registry_insecure: Annotated[
        bool | None, typer.Option("--registry-insecure/--no-registry-insecure", hidden=True)
    ] = None,
    management_disabled: Annotated[
        bool | None, typer.Option("--management-disabled/--no-management-disabled", hidden=True)
    ] = None,
    build_timestamp: Ignored = False,
    builder_image: IgnoredText = "",
    registry_authfile: IgnoredText = "",
    pvc_size: IgnoredText = "",
    remote_storage_class: IgnoredText = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print name, URL, image and revision as JSON.")
    ] = False,
    verbose: Verbose = False,
    admin_port: AdminPort = 8081,
) -> None:
    """Make the function a Service of a running knlite, with a Trigger for each subscription.

    \b
    Examples:
      knlite func deploy
      knlite func deploy --namespace shop -e GREETING=hello
    """
    with explaining():
        from knlite.cli.func.building import credentials_of, require_platform
        from knlite.cli.func.deploy import Options
        from knlite.cli.func.deploy import deploy as deploy_function
        from knlite.cli.func.opened import open_function
        from knlite.settings import environment

        require_platform(platform)
        options = Options(
            image=image,
            registry=registry,
            namespace=namespace,
            build=build,
            builder=builder.value if builder else "",
            base_image=base_image,
            push=push,
            credentials=credentials_of(username, password, token),
            envs=env or (),
            domain=domain,
            deployer=deployer,
            service_account=service_account,
            image_pull_secret=image_pull_secret,
            registry_insecure=registry_insecure,
            management_disabled=management_disabled,
            remote=remote,
            git=git_url or git_branch or git_dir,
            as_json=as_json,
            verbose=verbose,
            environ=environment(),
        )
        deploy_function(open_function(path, "deploy"), options, admin_port)


def subscribe(
    path: Folder = None,
    filter_: Annotated[
        list[str] | None,
        typer.Option(
            "--filter", "-f", metavar="ATTRIBUTE=VALUE", help="What it wants; repeatable."
        ),
    ] = None,
    source: Annotated[
        str, typer.Option("--source", "-s", envvar="FUNC_SOURCE", help="The Broker.")
    ] = "default",
    verbose: Verbose = False,
) -> None:
    """Have the function get events of a Broker, from its next deployment on.

    \b
    Example:
      knlite func subscribe --filter type=order.paid --source shop
    """
    with explaining():
        from knlite.cli.func.opened import open_function
        from knlite.cli.func.subscribe import subscribe as subscribe_function

        subscribe_function(open_function(path, "subscribe"), filter_ or (), source)


def logs(
    path: Folder = None,
    name: Annotated[
        str, typer.Option(envvar="FUNC_NAME", help="A function by its name instead.")
    ] = "",
    namespace: Annotated[
        str, typer.Option("--namespace", "-n", envvar="FUNC_NAMESPACE", help="Where it is.")
    ] = "",
    since: Annotated[
        str,
        typer.Option(
            envvar="FUNC_LOGS_SINCE", metavar="DURATION", help="What is not older: 90s, 5m."
        ),
    ] = "1m",
    follow: Annotated[
        bool, typer.Option("--follow/--no-follow", help="Go on with new lines until Ctrl-C.")
    ] = True,
    as_json: Json = False,
    verbose: Verbose = False,
    admin_port: AdminPort = 8081,
) -> None:
    """Print what the deployed function writes, until Ctrl-C.

    \b
    Example:
      knlite func logs --since 5m
    """
    with explaining():
        from knlite.cli.func.logs import show
        from knlite.settings import environment

        show(
            path, name, namespace, since, admin_port, environment(), follow=follow, as_json=as_json
        )
