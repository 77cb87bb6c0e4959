"""The group ``knlite func config`` and its verbs.

Source: Knative Functions reference §4.3; knative/func cmd/config.go.
"""

from enum import StrEnum
from pathlib import Path as FilePath
from typing import Annotated

import typer

from knlite.cli.doors import explaining
from knlite.cli.func.goflags import GoFlags
from knlite.cli.func.options import Verbose

Path = Annotated[
    FilePath, typer.Option("--path", "-p", envvar="FUNC_PATH", help="The function's folder.")
]
Name = Annotated[str | None, typer.Option("--name", help="Its name.")]
Value = Annotated[
    str | None, typer.Option("--value", help="Its value; {{ env:NAME }} takes a local variable's.")
]
MountPath = Annotated[str, typer.Option("--mount-path", "-m", help="Where it is mounted.")]
HERE = FilePath()


class Listed(StrEnum):
    """What ``-o`` of a list takes."""

    human = "human"
    json = "json"


class VolumeType(StrEnum):
    """What ``volumes add --type`` takes."""

    configmap = "configmap"
    secret = "secret"
    pvc = "pvc"
    emptydir = "emptydir"


ListedOption = Annotated[
    Listed, typer.Option("--output", "-o", envvar="FUNC_OUTPUT", help="human or json.")
]


def add_config_verbs(func_app: typer.Typer) -> None:
    """Give *func_app* the group ``config``."""
    config = typer.Typer(invoke_without_command=True, callback=menu)
    for names, listed, verbs in (
        (("envs", "env"), envs, (("add", envs_add), ("remove", envs_remove))),
        (("labels", "label"), labels, (("add", labels_add), ("remove", labels_remove))),
        (("volumes", "volume"), volumes, (("add", volumes_add), ("remove", volumes_remove))),
        (("git",), git, (("set", git_set), ("remove", git_remove))),
    ):
        group = typer.Typer(invoke_without_command=True, callback=listed)
        for verb, command in verbs:
            group.command(verb, cls=GoFlags)(command)
            if verb == "remove":
                group.command("rm", cls=GoFlags, hidden=True)(command)
        for index, name in enumerate(names):
            config.add_typer(group, name=name, hidden=index > 0)
    func_app.add_typer(config, name="config")


def menu(context: typer.Context, path: Path = HERE, verbose: Verbose = False) -> None:
    """Configure a function; alone, it asks what.

    \b
    Examples:
      knlite func config
      knlite func config envs add --name GREETING --value hello
    """
    if context.invoked_subcommand is not None:
        return
    with explaining():
        from knlite.cli.func.configmenu import run

        run(path)


def envs(
    context: typer.Context,
    path: Path = HERE,
    output: ListedOption = Listed.human,
    verbose: Verbose = False,
) -> None:
    """List the variables of a function, or change them.

    \b
    Examples:
      knlite func config envs
      knlite func config envs add --name USER --value '{{ env:LOCAL_USER }}'
      knlite func config envs remove --name USER
    """
    if context.invoked_subcommand is None:
        with explaining():
            from knlite.cli.func.configure import list_envs

            list_envs(path, as_json=output is Listed.json)


def envs_add(
    name: Name = None, value: Value = None, path: Path = HERE, verbose: Verbose = False
) -> None:
    """Add a variable; without a name, all keys of a Secret or ConfigMap.

    \b
    Examples:
      knlite func config envs add --name GREETING --value hello
      knlite func config envs add --name TOKEN --value '{{ secret:tokens:one }}'
      knlite func config envs add --value '{{ configMap:settings }}'
    """
    with explaining():
        if name is None and value is None:
            from knlite.cli.func import configmenu

            configmenu.add_env(path)
            return
        from knlite.cli.func.configure import add_env

        add_env(path, name, value)


def envs_remove(name: Name = None, path: Path = HERE, verbose: Verbose = False) -> None:
    """Remove a variable.

    \b
    Example:
      knlite func config envs remove --name GREETING
    """
    with explaining():
        from knlite.cli.func.configure import remove_env

        remove_env(path, name or "")


def labels(
    context: typer.Context,
    path: Path = HERE,
    output: ListedOption = Listed.human,
    verbose: Verbose = False,
) -> None:
    """List the labels of a function, or change them.

    \b
    Examples:
      knlite func config labels
      knlite func config labels add --name team --value shop
    """
    if context.invoked_subcommand is None:
        with explaining():
            from knlite.cli.func.configure import list_labels

            list_labels(path, as_json=output is Listed.json)


def labels_add(
    name: Name = None, value: Value = None, path: Path = HERE, verbose: Verbose = False
) -> None:
    """Add a label.

    \b
    Example:
      knlite func config labels add --name team --value shop
    """
    with explaining():
        if name is None and value is None:
            from knlite.cli.func import configmenu

            configmenu.add_label(path)
            return
        from knlite.cli.func.configure import add_label

        add_label(path, name, value)


def labels_remove(name: Name = None, path: Path = HERE, verbose: Verbose = False) -> None:
    """Remove a label.

    \b
    Example:
      knlite func config labels remove --name team
    """
    with explaining():
        from knlite.cli.func.configure import remove_label

        remove_label(path, name or "")


def volumes(context: typer.Context, path: Path = HERE, verbose: Verbose = False) -> None:
    """List the volumes of a function, or change them.

    \b
    Examples:
      knlite func config volumes
      knlite func config volumes add --type secret --source tokens --mount-path /etc/tokens
    """
    if context.invoked_subcommand is None:
        with explaining():
            from knlite.cli.func.configure import list_volumes

            list_volumes(path)


def volumes_add(
    kind: Annotated[
        VolumeType | None, typer.Option("--type", "-t", help="What it comes from.")
    ] = None,
    source: Annotated[
        str, typer.Option("--source", "-s", help="Name of the ConfigMap, Secret or claim.")
    ] = "",
    mount_path: MountPath = "",
    read_only: Annotated[
        bool, typer.Option("--read-only", "-r", help="Of a claim: only to read.")
    ] = False,
    size: Annotated[str, typer.Option(help="Of an emptydir: its limit, as 1Gi.")] = "",
    medium: Annotated[str, typer.Option(help="Of an emptydir: Memory.")] = "",
    path: Path = HERE,
    verbose: Verbose = False,
) -> None:
    """Add a volume.

    \b
    Examples:
      knlite func config volumes add -t configmap -s settings -m /etc/settings
      knlite func config volumes add -t emptydir -m /tmp/cache --size 1Gi --medium Memory
    """
    with explaining():
        if kind is None:
            from knlite.cli.func import configmenu

            configmenu.add_volume(path)
            return
        from knlite.cli.func.configure import add_volume

        add_volume(
            path,
            kind=kind.value,
            source=source,
            mount_path=mount_path,
            read_only=read_only,
            size=size,
            medium=medium,
        )


def volumes_remove(mount_path: MountPath = "", path: Path = HERE, verbose: Verbose = False) -> None:
    """Remove a volume.

    \b
    Example:
      knlite func config volumes remove --mount-path /etc/settings
    """
    with explaining():
        from knlite.cli.func.configure import remove_volume

        remove_volume(path, mount_path)


def git(context: typer.Context, path: Path = HERE, verbose: Verbose = False) -> None:
    """Show git settings for builds on a cluster, or change them.

    Nothing here uses them.

    \b
    Example:
      knlite func config git set --git-url https://example.com/shop.git --git-branch main
    """
    if context.invoked_subcommand is None:
        with explaining():
            from knlite.cli.func.configure import list_git

            list_git(path)


def git_set(
    url: Annotated[str, typer.Option("--git-url", "-g", envvar="FUNC_GIT_URL", help="URL.")] = "",
    branch: Annotated[
        str, typer.Option("--git-branch", "-t", envvar="FUNC_GIT_BRANCH", help="Branch or tag.")
    ] = "",
    directory: Annotated[
        str, typer.Option("--git-dir", "-d", envvar="FUNC_GIT_DIR", help="Folder inside it.")
    ] = "",
    path: Path = HERE,
    verbose: Verbose = False,
) -> None:
    """Set where builds on a cluster get the source.

    \b
    Example:
      knlite func config git set --git-url https://example.com/shop.git
    """
    with explaining():
        from knlite.cli.func.configure import set_git

        set_git(path, url, branch, directory)


def git_remove(path: Path = HERE, verbose: Verbose = False) -> None:
    """Remove where builds on a cluster get the source.

    \b
    Example:
      knlite func config git remove
    """
    with explaining():
        from knlite.cli.func.configure import remove_git

        remove_git(path)
