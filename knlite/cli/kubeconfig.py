"""``knlite kubeconfig``: how kubectl and kn reach a running knlite.

``knlite up`` writes the same for as long as it runs, to a file that only its user may read: off
loopback it holds the token of the admin port. The other verbs read it there too.

Source: Kubernetes client-go ``clientcmd/api/v1`` (Config).
"""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from knlite.cli.privatefile import write_private
from knlite.errors import InvalidInput
from knlite.settings import Settings

NAME = "knlite"
"""Of the cluster, the user and the context."""


@dataclass(frozen=True, slots=True)
class Access:
    """Where the admin port is, and what it wants to see."""

    server: str
    token: str = field(default="", repr=False)


def show(settings: Settings, write: Path | None) -> None:
    """Print how to reach the admin port, or merge it into the file *write*."""
    access = find_access(settings)
    if write is None:
        sys.stdout.write(rendered(config_of(access)))
        return
    merge_into(write, access)
    sys.stderr.write(
        f'{write} has the context "{NAME}" for {access.server}, and it is the current one\n'
    )


def find_access(settings: Settings) -> Access:
    """What the knlite that runs on the admin port has written, else what it would write."""
    try:
        tree = yaml.safe_load(_live_file(settings).read_text(encoding="utf-8"))
        server = urlsplit(str(tree["clusters"][0]["cluster"]["server"]))
    except (OSError, yaml.YAMLError, LookupError, TypeError, ValueError):
        return Access(settings.admin)
    place = server.netloc.rpartition("@")[2]
    return Access(f"{server.scheme}://{place}", server.password or "")


@contextmanager
def written_kubeconfig(settings: Settings) -> Iterator[Path | None]:
    """A kubeconfig for as long as the context lasts; with a data directory it stays.

    None where it cannot be written, which is no reason not to run. The ports must be open already:
    else the file could be that of another knlite. Raises ``InvalidInput`` if nobody could know the
    token.
    """
    text = rendered(config_of(Access(settings.admin, settings.admin_token)))
    live = _live_file(settings)
    shown: Path | None = live
    try:
        write_private(live, text)
        if settings.data_dir is not None:
            shown = settings.data_dir.absolute() / "kubeconfig"
            write_private(shown, text)
    except OSError as exc:
        if settings.admin_token:
            raise InvalidInput(
                f"the token of the admin port cannot be written to {live}",
                cause=exc.strerror or str(exc),
                fix="set XDG_RUNTIME_DIR to a folder that can be written",
            ) from exc
        shown = None
    try:
        yield shown
    finally:
        with suppress(OSError):
            live.unlink(missing_ok=True)
            live.parent.rmdir()


def config_of(access: Access) -> dict[str, Any]:
    """A kubeconfig that holds nothing but knlite.

    The token stands in the address, as a password: what a kubeconfig says of its user is not sent
    over plain HTTP by Kubernetes' clients.
    """
    scheme, _, place = access.server.partition("://")
    server = f"{scheme}://{NAME}:{access.token}@{place}" if access.token else access.server
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": NAME, "cluster": {"server": server}}],
        "users": [{"name": NAME, "user": {}}],
        "contexts": [
            {"name": NAME, "context": {"cluster": NAME, "user": NAME, "namespace": "default"}}
        ],
        "current-context": NAME,
    }


def merge_into(file: Path, access: Access) -> None:
    """Add the context to *file*, or put it right; everything else in it stays.

    Raises ``InvalidInput`` if *file* is no kubeconfig, or cannot be read or written.
    """
    try:
        write_private(file, rendered(merged(_read(file), config_of(access))))
    except OSError as exc:
        raise InvalidInput(
            f"{file} cannot be written", cause=exc.strerror or str(exc), fix="choose another file"
        ) from exc


def merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """*old* with the entries of *new* in the place of those of the same name."""
    result = {"apiVersion": "v1", "kind": "Config", **old}
    for part in ("clusters", "users", "contexts"):
        names = {entry["name"] for entry in new[part]}
        kept = [
            entry
            for entry in old.get(part) or []
            if not (isinstance(entry, Mapping) and entry.get("name") in names)
        ]
        result[part] = [*kept, *new[part]]
    return {**result, "current-context": new["current-context"]}


def rendered(config: Mapping[str, Any]) -> str:
    """*config* as YAML."""
    return yaml.safe_dump(dict(config), sort_keys=False)


def _read(file: Path) -> Mapping[str, Any]:
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError as exc:
        raise InvalidInput(
            f"{file} is not a kubeconfig", cause="it is no text", fix="choose another file"
        ) from exc
    try:
        found = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as exc:
        raise InvalidInput(
            f"{file} is not a kubeconfig", cause="it is not valid YAML", fix="choose another file"
        ) from exc
    if found is None:
        return {}
    parts = ("clusters", "users", "contexts")
    if not isinstance(found, Mapping) or any(
        not isinstance(found.get(part) or [], list) for part in parts
    ):
        raise InvalidInput(
            f"{file} is not a kubeconfig",
            cause=f"it has not the lists {', '.join(parts)}",
            fix="choose another file",
        )
    return found


def _live_file(settings: Settings) -> Path:
    return settings.runtime_dir / str(settings.admin_port) / "kubeconfig"
