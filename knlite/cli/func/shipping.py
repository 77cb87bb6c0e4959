"""``func build``, ``deploy``, ``subscribe``, ``logs``: their options.

The work of each is in a module of its own. Source: Knative Functions reference §4.3.
"""

from typing import Annotated

import typer

from knlite.cli.doors import AdminPort, Json, explaining
from knlite.cli.func.goflags import GoFlags
from knlite.cli.func.options import (
    BaseImage,
    Builders,
    Envs,
    Folder,
    Ignored,
    IgnoredText,
    Image,
    Namespace,
    Password,
    Platform,
    Registry,
    Token,
    Username,
    Verbose,
)


def add_shipping_verbs(app: typer.Typer) -> None:
    """Give *app* the verbs."""
    for verb in (build, deploy, subscribe, logs):
        app.command(cls=GoFlags)(verb)


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
    namespace: Namespace = "",
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
    namespace: Namespace = "",
    since: Annotated[
        str,
        typer.Option(
            envvar=["FUNC_LOGS_SINCE", "FUNC_SINCE"],
            metavar="DURATION",
            help="What is not older: 90s, 5m.",
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
