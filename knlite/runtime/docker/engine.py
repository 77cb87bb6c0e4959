"""Which container engine answers, and if none does, why not and what to do about it.

Looked for in the order of the ``docker`` command: ``DOCKER_HOST``; the context that
``DOCKER_CONTEXT`` or ``~/.docker/config.json`` selects; the usual sockets; then Podman's. What was
chosen by name is not replaced by something that merely happens to answer.

The Docker SDK takes some 50 ms to import, so it is imported only once a socket has accepted a
connection, and never on the event loop. What is not here: what the engine is used for
(``runtime.py``), how containers and the gateway see each other (``network.py``).
"""

import hashlib
import json
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from anyio import to_thread

if TYPE_CHECKING:
    from docker import APIClient

ANSWER_SECONDS = 3.0
"""How long an engine may take to accept a connection and to say what it is."""
CALL_SECONDS = 60.0
"""How long any single call may take; builds and pulls are not bounded."""
CONNECTIONS = 32
"""Connections that are kept open to the engine; more than worker threads exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """An engine that answered."""

    url: str
    """``unix:///var/run/docker.sock`` or ``tcp://127.0.0.1:2375``."""
    found: str
    """What led to it: ``DOCKER_HOST``, ``context "desktop"``, ``default socket``."""
    name: str
    """``Docker 20.10.24``, ``Podman 4.9.3``."""
    remote_host: bool
    """Its containers run behind another kernel or network namespace: a virtual machine (Docker
    Desktop, Podman machine) or a rootless engine. Their own addresses cannot be reached."""
    init: bool
    """It has an init program for containers."""
    client: "APIClient"
    """Blocking: for worker threads only."""


@dataclass(frozen=True, slots=True)
class NoEngine:
    """No engine can be used; *why* is a sentence for a person, *fix* what to do."""

    why: str
    fix: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place where an engine may listen; *named* if the user chose it."""

    url: str
    found: str
    named: bool = False


async def find_engine(environ: Mapping[str, str]) -> Engine | NoEngine:
    """Find the engine; takes milliseconds when there is none, a few seconds at most."""
    return await to_thread.run_sync(_find, environ, abandon_on_cancel=True)


def candidates(environ: Mapping[str, str]) -> tuple[Candidate, ...] | NoEngine:
    """Where to look, best first."""
    if host := environ.get("DOCKER_HOST"):
        return (Candidate(host, "DOCKER_HOST", named=True),)
    home = Path(environ.get("HOME") or "/")
    folder = Path(environ.get("DOCKER_CONFIG") or home / ".docker")
    context = environ.get("DOCKER_CONTEXT") or _current_context(folder)
    if context not in ("", "default"):
        url = _context_url(folder, context)
        if url is None:
            return NoEngine(
                f'the Docker context "{context}" names no engine',
                "choose another with `docker context use`, or set DOCKER_HOST",
            )
        return (Candidate(url, f'context "{context}"', named=True),)
    runtime = environ.get("XDG_RUNTIME_DIR")
    docker = [Path("/var/run/docker.sock"), home / ".docker/run/docker.sock"]
    podman = [Path("/run/podman/podman.sock")]
    if runtime:
        docker.append(Path(runtime) / "docker.sock")
        podman.insert(0, Path(runtime) / "podman/podman.sock")
    podman.append(home / ".local/share/containers/podman/machine/podman.sock")
    return tuple(
        Candidate(f"unix://{path}", found)
        for paths, found in ((docker, "default socket"), (podman, "Podman's socket"))
        for path in paths
    )


def _current_context(folder: Path) -> str:
    try:
        config = json.loads((folder / "config.json").read_text())
        return str(config.get("currentContext", ""))
    except (OSError, ValueError, AttributeError):
        return ""


def _context_url(folder: Path, context: str) -> str | None:
    digest = hashlib.sha256(context.encode()).hexdigest()
    try:
        meta = json.loads((folder / "contexts/meta" / digest / "meta.json").read_text())
        return str(meta["Endpoints"]["docker"]["Host"]) or None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _find(environ: Mapping[str, str]) -> Engine | NoEngine:
    places = candidates(environ)
    if isinstance(places, NoEngine):
        return places
    refused: NoEngine | None = None
    for place in places:
        outcome = _knock(place)
        if outcome is None:
            found = _ask(place)
            if isinstance(found, Engine):
                return found
            refused = refused or found
        elif place.named or not outcome.why.endswith("does not exist"):
            refused = refused or outcome
    return refused or NoEngine(
        "no container engine was found: neither Docker's nor Podman's socket exists",
        "install and start Docker (https://docs.docker.com/engine/install) or Podman, "
        "or run with --runtime process",
    )


def _knock(place: Candidate) -> NoEngine | None:
    """Whether something accepts connections there; None if so."""
    parts = urlsplit(place.url)
    if parts.scheme == "unix":
        address: str | tuple[str, int] = parts.path
        family = socket.AF_UNIX
    elif parts.scheme in ("tcp", "http") and _loopback(parts.hostname):
        address = (parts.hostname or "127.0.0.1", parts.port or 2375)
        family = socket.AF_INET
    else:
        return NoEngine(
            f"the engine at {place.url} ({place.found}) is on another machine, "
            "and its containers cannot reach this one's gateway",
            "use an engine on this machine: unset DOCKER_HOST, or `docker context use default`",
        )
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.settimeout(ANSWER_SECONDS)
        try:
            probe.connect(address)
        except FileNotFoundError:
            return NoEngine(
                f"{parts.path} ({place.found}) does not exist",
                "start the engine, or correct what names this socket",
            )
        except PermissionError:
            return NoEngine(
                f"this user may not open {parts.path} ({place.found})",
                "join the group that owns it (`sudo usermod -aG docker $USER`, then log in again)",
            )
        except OSError as error:
            return NoEngine(
                f"nothing answers at {place.url} ({place.found}): {error}",
                "start the engine (`sudo systemctl start docker`, or open Docker Desktop)",
            )
    return None


def _loopback(host: str | None) -> bool:
    return host is not None and (host == "localhost" or host.startswith("127."))


def _ask(place: Candidate) -> Engine | NoEngine:
    # The SDK reports the same trouble by its own, requests' or urllib3's classes.
    import docker
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    try:
        hello = docker.APIClient(place.url, version="auto", timeout=int(ANSWER_SECONDS))
        info = hello.info()
        version = str(hello.api_version)
        hello.close()
        client = docker.APIClient(
            place.url, version=version, timeout=int(CALL_SECONDS), max_pool_size=CONNECTIONS
        )
    except (DockerException, RequestException, ValueError) as error:
        return NoEngine(
            f"what listens at {place.url} ({place.found}) does not answer as an engine: {error}",
            "restart the engine, and see whether `docker info` works",
        )
    if info.get("OSType", "linux") != "linux":
        return NoEngine(
            f"the engine at {place.url} runs {info['OSType']} containers",
            "switch it to Linux containers",
        )
    return Engine(
        url=place.url,
        found=place.found,
        name=_name(info),
        remote_host=_elsewhere(info),
        init=bool(info.get("InitBinary")),
        client=client,
    )


def _name(info: Mapping[str, object]) -> str:
    # Podman's compatible API has no product name in `info`, but its own build tool's.
    podman = "buildahVersion" in info or "podman" in str(info.get("DefaultRuntime", "")).lower()
    release = str(info.get("ServerVersion", "")).partition("+")[0]
    return f"{'Podman' if podman else 'Docker'} {release}".strip()


def _elsewhere(info: Mapping[str, object]) -> bool:
    options = info.get("SecurityOptions")
    rootless = isinstance(options, list) and any("rootless" in str(o) for o in options)
    desktop = "Docker Desktop" in str(info.get("OperatingSystem", ""))
    return sys.platform != "linux" or rootless or desktop
