"""``knlite func config``: lists and edits variables, labels, volumes and git of ``func.yaml``.

Source: Knative Functions reference §4.3; knative/func cmd/config_envs.go, config_labels.go,
config_volumes.go.
Differs: to remove what is not there is an error; ``func`` says nothing. What was done is said for
flags, too. Of a new entry nobody is asked where it goes: it comes last.
"""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import typer
from msgspec.structs import asdict, replace

from knlite.cli.func.opened import open_function
from knlite.errors import InvalidInput, NotFound
from knlite.functions import funcyaml
from knlite.functions.funcproblems import KEY, KINDS, LOCAL, WHOLE, volume_words
from knlite.functions.funcspec import (
    EmptyDir,
    Env,
    FuncYaml,
    Git,
    Label,
    PersistentVolumeClaim,
    Volume,
)
from knlite.functions.yamltree import printable

Entry = TypeVar("Entry", bound=Env | Label | Volume)

NO_ENVS = "There aren't any configured Environment variables"
NO_LABELS = "No labels defined"
NONE_TO_REMOVE = "There aren't any configured labels"
NO_VOLUMES = "There aren't any configured Volume mounts"


def list_envs(folder: Path, *, as_json: bool) -> None:
    """Print the variables."""
    envs = _func(folder).run.envs
    if as_json:
        _print_json(envs)
    else:
        _list("Configured Environment variables:", NO_ENVS, envs, env_words)


def list_labels(folder: Path, *, as_json: bool) -> None:
    """Print the labels."""
    labels = _func(folder).deploy.labels
    if as_json:
        _print_json(labels)
    else:
        _list("Labels:", NO_LABELS, labels, label_words)


def list_volumes(folder: Path) -> None:
    """Print the volumes."""
    volumes = _func(folder).run.volumes
    _list("Configured Volumes mounts:", NO_VOLUMES, volumes, volume_words)


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
    names = [each.key or "" for each in labels]
    index = _index(labels, names, key, words, label_words, NONE_TO_REMOVE)
    _save(folder, replace(func, deploy=replace(func.deploy, labels=_without(labels, index))))
    typer.echo("Label was removed from the function configuration")


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
    if not mount_path:
        raise InvalidInput("--mount-path is required", fix="say where it is mounted: -m /etc/data")
    _require_absolute(mount_path)
    if kind != "emptydir" and not source:
        raise InvalidInput(f"--source is required for {kind} volumes")
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
    typer.echo(f"Added: {volume_words(volume)}")


def remove_volume(folder: Path, mount_path: str) -> None:
    """The volume at *mount_path* less; with an empty one, ask which."""
    func = _func(folder)
    volumes = func.run.volumes
    paths = [each.path or "" for each in volumes]
    if mount_path and mount_path not in paths:
        _require_absolute(mount_path)
        raise NotFound(f"no volume found with mount path: {mount_path}")
    words = "Which Volume do you want to remove?"
    index = _index(volumes, paths, mount_path, words, volume_words, NO_VOLUMES)
    _save(folder, replace(func, run=replace(func.run, volumes=_without(volumes, index))))
    typer.echo("Volume entry was removed from the function configuration")
    typer.echo(f"Removed volume at path: {printable(paths[index])}")


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
        return f'All key=value pairs from {KINDS[whole[1]]} "{whole[2]}"' if whole else ""
    if key := KEY.fullmatch(value):
        place = f'key "{key[3]}" from {KINDS[key[1]]} "{key[2]}"'
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


def _require_absolute(mount_path: str) -> None:
    if not mount_path.startswith("/"):
        raise InvalidInput("mount path must be an absolute path (start with /)")


def _func(folder: Path) -> FuncYaml:
    return open_function(folder, "config").func


def _save(folder: Path, func: FuncYaml) -> None:
    funcyaml.save(folder, func)


def _list(head: str, none: str, entries: Sequence[Entry], words: Callable[[Entry], str]) -> None:
    typer.echo(head if entries else none)
    for entry in entries:
        typer.echo(f" -  {printable(words(entry))}")


def _print_json(entries: Sequence[Env | Label]) -> None:
    """As ``func`` encodes them: with the names of Go's fields, null for what is not there."""
    typer.echo(
        json.dumps(
            [
                {name.capitalize(): value for name, value in asdict(entry).items()}
                for entry in entries
            ]
        )
    )


def _index(
    entries: Sequence[Entry],
    names: list[str],
    name: str,
    question: str,
    words: Callable[[Entry], str],
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
        typer.echo(f"  {number}) {printable(words(entry))}")
    chosen: int = typer.prompt("Number", type=int)
    if not 1 <= chosen <= len(entries):
        raise InvalidInput(f"there is no number {chosen}")
    return chosen - 1


def _without(entries: tuple[Entry, ...], index: int) -> tuple[Entry, ...]:
    return (*entries[:index], *entries[index + 1 :])
