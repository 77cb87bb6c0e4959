"""``knlite func config`` on a terminal: asks what to change, and then for its parts."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import typer

from knlite.cli.func import configure
from knlite.errors import InvalidInput

_SUBJECTS = ("Git", "Environment variables", "Volumes", "Labels")
_DONE = ("Add", "Remove", "List")


def run(folder: Path) -> None:
    """Ask, and do it. Raises ``InvalidInput`` where nobody can be asked."""
    _assert_somebody("knlite func config envs|labels|volumes [add|remove], or config git set")
    subject = _chosen("What do you want to configure?", _SUBJECTS, 1)
    done = _chosen("What operation do you want to perform?", _DONE, 3)
    _ACTIONS[subject, done](folder)


def add_env(folder: Path) -> None:
    """Ask for a variable, and add it."""
    _assert_somebody("--name NAME --value VALUE")
    name = typer.prompt("Please specify the Environment variable name")
    hint = "text, {{ env:X }}, {{ secret:NAME:KEY }} or {{ configMap:NAME:KEY }}"
    configure.add_env(folder, name, typer.prompt(f"Its value ({hint})"))


def add_label(folder: Path) -> None:
    """Ask for a label, and add it."""
    _assert_somebody("--name NAME --value VALUE")
    key = typer.prompt("Please specify the label key")
    value = typer.prompt("Please specify the label value", default="", show_default=False)
    configure.add_label(folder, key, value or None)


def add_volume(folder: Path) -> None:
    """Ask for a volume, and add it."""
    _assert_somebody("--type configmap|secret|pvc|emptydir --source NAME --mount-path PATH")
    options = ("configmap", "secret", "pvc", "emptydir")
    kind = _chosen("What do you want to mount as a Volume?", options, 1)
    source = typer.prompt(f"Which {kind}") if kind != "emptydir" else ""
    path = typer.prompt(f"Please specify the path where the {kind} should be mounted")
    read_only = kind == "pvc" and typer.confirm("Is this volume read-only?")
    configure.add_volume(
        folder,
        kind=kind,
        source=source,
        mount_path=path,
        read_only=read_only,
        size="",
        medium="",
    )


def _assert_somebody(fix: str) -> None:
    if not sys.stdin.isatty():
        raise InvalidInput("there is nobody to ask: standard input is no terminal", fix=fix)


def _chosen(question: str, options: tuple[str, ...], default: int) -> str:
    typer.echo(question)
    for number, option in enumerate(options, start=1):
        typer.echo(f"  {number}) {option}")
    number = int(typer.prompt("Number", type=int, default=default))
    if not 1 <= number <= len(options):
        raise InvalidInput(f"there is no number {number}")
    return options[number - 1]


def _set_git(folder: Path) -> None:
    url = typer.prompt("URL of the Git repository")
    branch = typer.prompt("Its branch", default="", show_default=False)
    configure.set_git(folder, url, branch, "")


_ACTIONS: Mapping[tuple[str, str], Callable[[Path], None]] = {
    ("Git", "Add"): _set_git,
    ("Git", "Remove"): configure.remove_git,
    ("Git", "List"): configure.list_git,
    ("Environment variables", "Add"): add_env,
    ("Environment variables", "Remove"): lambda folder: configure.remove_env(folder, ""),
    ("Environment variables", "List"): lambda folder: configure.list_envs(folder, as_json=False),
    ("Volumes", "Add"): add_volume,
    ("Volumes", "Remove"): lambda folder: configure.remove_volume(folder, ""),
    ("Volumes", "List"): configure.list_volumes,
    ("Labels", "Add"): add_label,
    ("Labels", "Remove"): lambda folder: configure.remove_label(folder, ""),
    ("Labels", "List"): lambda folder: configure.list_labels(folder, as_json=False),
}
