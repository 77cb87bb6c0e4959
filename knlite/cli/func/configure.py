"""``knlite func config``: lists and edits variables, labels, volumes and git of ``func.yaml``.

Source: Knative Functions reference §4.3; knative/func cmd/config_envs.go, config_labels.go,
config_volumes.go.
Differs: to remove what is not there is an error; ``func`` says nothing.
"""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec
import typer
from msgspec.structs import replace

from knlite.cli.func.opened import open_function
from knlite.errors import InvalidInput, NotFound
from knlite.functions import funcyaml
from knlite.functions.funcproblems import KEY, LOCAL, WHOLE, volume_words
from knlite.functions.funcspec import (
    EmptyDir,
    Env,
    FuncYaml,
    Git,
    Label,
    PersistentVolumeClaim,
    Volume,
)

T = TypeVar("T")

_KINDS = {"secret": "Secret", "configMap": "ConfigMap"}
NO_ENVS = "There aren't any configured Environment variables"
NO_LABELS = "No labels defined"
NO_VOLUMES = "There aren't any configured Volume mounts"


def list_envs(folder: Path, *, as_json: bool) -> None:
    """Print the variables."""
    envs = _func(folder).run.envs
    _list("Configured Environment variables:", NO_ENVS, envs, env_words, as_json=as_json)


def list_labels(folder: Path, *, as_json: bool) -> None:
    """Print the labels."""
    _list("Labels:", NO_LABELS, _func(folder).deploy.labels, label_words, as_json=as_json)


def list_volumes(folder: Path) -> None:
    """Print the volumes."""
    volumes = _func(folder).run.volumes
    _list("Configured Volumes mounts:", NO_VOLUMES, volumes, volume_words, as_json=False)


def list_git(folder: Path) -> None:
    """Print where builds on a cluster get the source."""
    git = _func(folder).build.git
    if not git.url:
        typer.echo("There isn't any configured Git repository")
        return
    typer.echo(f"Git repository: {git.url}")
    if git.revision:
        typer.echo(f"Git branch:     {git.revision}")
    if git.context_dir:
        typer.echo(f"Git directory:  {git.context_dir}")


def add_env(folder: Path, name: str | None, value: str | None) -> None:
    """A variable more. Raises ``InvalidInput``, as all below."""
    func = _func(folder)
    envs = (*func.run.envs, Env(name=name, value=value))
    _save(folder, replace(func, run=replace(func.run, envs=envs)))
    typer.echo("Environment variable entry was added to the function configuration")


def remove_env(folder: Path, name: str) -> None:
    """The variable *name* less; with an empty one, ask which."""
    func = _func(folder)
    words = "Which Environment variables do you want to remove?"
    index = _index(
        func.run.envs, [each.name or "" for each in func.run.envs], name, words, env_words, NO_ENVS
    )
    _save(folder, replace(func, run=replace(func.run, envs=_without(func.run.envs, index))))
    typer.echo("Environment variable entry was removed from the function configuration")


def add_label(folder: Path, key: str | None, value: str | None) -> None:
    """A label more."""
    func = _func(folder)
    labels = (*func.deploy.labels, Label(key=key, value=value))
    _save(folder, replace(func, deploy=replace(func.deploy, labels=labels)))
    typer.echo("Label entry was added to the function configuration")


def remove_label(folder: Path, key: str) -> None:
    """The label *key* less; with an empty one, ask which."""
    func = _func(folder)
    labels = func.deploy.labels
    words = "Which labels do you want to remove?"
    index = _index(labels, [each.key or "" for each in labels], key, words, label_words, NO_LABELS)
    _save(folder, replace(func, deploy=replace(func.deploy, labels=_without(labels, index))))
    typer.echo("Label entry was removed from the function configuration")


def add_volume(
    folder: Path,
    *,
    kind: str,
    source: str,
    mount_path: str,
    read_only: bool,
    size: str,
    medium: str,
) -> None:
    """A volume more; *kind* is ``configmap``, ``secret``, ``pvc`` or ``emptydir``."""
    if not mount_path.startswith("/"):
        raise InvalidInput(
            "--mount-path is required and must be an absolute path", cause=f"given is {mount_path}"
        )
    if kind != "emptydir" and not source:
        raise InvalidInput(f"--source is required for {kind}", fix=f"give the name of the {kind}")
    volume = Volume(path=mount_path)
    match kind:
        case "configmap":
            volume = replace(volume, config_map=source)
        case "secret":
            volume = replace(volume, secret=source)
        case "pvc":
            claim = PersistentVolumeClaim(claim_name=source, read_only=read_only)
            volume = replace(volume, persistent_volume_claim=claim)
        case _:
            empty = EmptyDir(medium=medium, size_limit=size or None)
            volume = replace(volume, empty_dir=empty)
    func = _func(folder)
    volumes = (*func.run.volumes, volume)
    _save(folder, replace(func, run=replace(func.run, volumes=volumes)))
    typer.echo("Volume entry was added to the function configuration")


def remove_volume(folder: Path, mount_path: str) -> None:
    """The volume at *mount_path* less; with an empty one, ask which."""
    func = _func(folder)
    volumes = func.run.volumes
    words = "Which Volume do you want to remove?"
    index = _index(
        volumes, [each.path or "" for each in volumes], mount_path, words, volume_words, NO_VOLUMES
    )
    _save(folder, replace(func, run=replace(func.run, volumes=_without(volumes, index))))
    typer.echo("Volume entry was removed from the function configuration")


def set_git(folder: Path, url: str, revision: str, context_dir: str) -> None:
    """Where builds on a cluster get the source; what is not given stays."""
    func = _func(folder)
    given = func.build.git
    git = Git(
        url=url or given.url,
        revision=revision or given.revision,
        context_dir=context_dir or given.context_dir,
    )
    if not git.url:
        raise InvalidInput("which repository?", fix="give its URL: --git-url URL")
    _save(folder, replace(func, build=replace(func.build, git=git)))
    typer.echo("Git repository was set in the function configuration")


def remove_git(folder: Path) -> None:
    """No source for builds on a cluster any more."""
    func = _func(folder)
    _save(folder, replace(func, build=replace(func.build, git=Git())))
    typer.echo("Git repository was removed from the function configuration")


def env_words(env: Env) -> str:
    """*env* as ``func`` lists it."""
    value = env.value or ""
    if env.name is None:
        whole = WHOLE.fullmatch(value)
        return f'All key=value pairs from {_KINDS[whole[1]]} "{whole[2]}"' if whole else ""
    if key := KEY.fullmatch(value):
        place = f'key "{key[3]}" from {_KINDS[key[1]]} "{key[2]}"'
        return f'Env "{env.name}" with value set from {place}'
    if local := LOCAL.fullmatch(value):
        return f'Env "{env.name}" with value set from local env variable "{local[1]}"'
    return f'Env "{env.name}" with value "{value}"'


def label_words(label: Label) -> str:
    """*label* as ``func`` lists it."""
    if label.value is None:
        return f'Label with key "{label.key}"'
    if local := LOCAL.fullmatch(label.value):
        from_local = f'value set from local env variable "{local[1]}"'
        return f'Label with key "{label.key}" and {from_local}'
    return f'Label with key "{label.key}" and value "{label.value}"'


def _func(folder: Path) -> FuncYaml:
    return open_function(folder, "config").func


def _save(folder: Path, func: FuncYaml) -> None:
    funcyaml.save(folder, func)


def _list(
    head: str, none: str, entries: Sequence[T], words: Callable[[T], str], *, as_json: bool
) -> None:
    if as_json:
        typer.echo(json.dumps(msgspec.to_builtins(entries)))
        return
    typer.echo(head if entries else none)
    for entry in entries:
        typer.echo(f" -  {words(entry)}")


def _index(
    entries: Sequence[T],
    names: list[str],
    name: str,
    question: str,
    words: Callable[[T], str],
    none: str,
) -> int:
    """Which of *entries* goes: the one called *name*, or the one that a person chooses."""
    if name:
        if name not in names:
            raise NotFound(f"there is no {name}", fix="look with: knlite func config")
        return names.index(name)
    if not entries:
        raise NotFound(none)
    if not sys.stdin.isatty():
        raise InvalidInput("which one?", fix=f"say it; there are: {', '.join(filter(None, names))}")
    typer.echo(question)
    for number, entry in enumerate(entries, start=1):
        typer.echo(f"  {number}) {words(entry)}")
    chosen: int = typer.prompt("Number", type=int)
    if not 1 <= chosen <= len(entries):
        raise InvalidInput(f"there is no number {chosen}")
    return chosen - 1


def _without(entries: tuple[T, ...], index: int) -> tuple[T, ...]:
    return (*entries[:index], *entries[index + 1 :])
