"""What a run is told from outside: flags, environment, places on disk; the only reader of both.

Not here: Knative's own configuration (``kinds/config``), which ``--set`` and ConfigMaps fill.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Literal

from knlite.errors import InvalidInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One run of knlite."""

    address: str = "127.0.0.1"
    """Where the gateway listens."""
    port: int = 8080
    tls_port: int = 8443
    """Where the gateway speaks HTTPS, while a domain has a certificate."""
    admin_address: str = "127.0.0.1"
    """Where the admin port listens; off loopback it wants a token."""
    admin_port: int = 8081
    admin_token: str = field(default="", repr=False)
    """What every request to the admin port must carry; empty for none."""
    runtime: str = "auto"
    """``auto``, ``docker`` or ``process``."""
    data_dir: Path | None = None
    """Where objects and logs are kept across runs; None keeps them in memory only."""
    cache_dir: Path = field(default_factory=lambda: default_cache_dir(os.environ))
    """Where function environments live; safe to delete when knlite does not run."""
    runtime_dir: Path = field(default_factory=lambda: default_runtime_dir(os.environ))
    """What belongs to runs that are running: a kubeconfig for each admin port."""
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)
    """The environment of this process: where the engine is, what local programs inherit."""
    watch: bool = True
    """Whether changes of files are followed."""
    reload: Literal["new-revision", "in-place"] = "new-revision"
    """What a change of local code leads to."""
    debug: bool = False
    """Whether functions may show their tracebacks to clients."""
    memory: int | None = None
    """Bytes that frozen instances may hold; None: a quarter of what this machine has."""
    freezer: Literal["engine", "cgroup"] = "engine"
    """Who freezes containers: the engine, or their control group directly where it is local."""
    limits: tuple[str, ...] = ()
    """``NAME=VALUE`` texts from ``--limit``: what clients may send, and how slowly."""
    overrides: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    """ConfigMap to key to value, from ``--set``; wins over ConfigMaps in files. There may be a
    password among them."""
    front: tuple[str, str] | None = None
    """Namespace and name of the Service that gets requests for hosts that nobody has, such as
    localhost; None where these are for the index."""

    @property
    def gateway(self) -> str:
        """The URL by which programs of this machine reach the gateway."""
        return _url(self.address, self.port)

    @property
    def admin(self) -> str:
        """The URL of the admin port for programs of this machine, and of the console."""
        return _url(self.admin_address, self.admin_port)


def _url(address: str, port: int) -> str:
    host = "127.0.0.1" if address in {"0.0.0.0", "::"} else address
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def environment() -> dict[str, str]:
    """The environment of this process."""
    return dict(os.environ)


def default_runtime() -> str:
    """``$KNLITE_RUNTIME``, else ``auto``."""
    return os.environ.get("KNLITE_RUNTIME") or "auto"


def default_cache_dir(environ: Mapping[str, str]) -> Path:
    """``$XDG_CACHE_HOME/knlite``, else ``~/.cache/knlite``."""
    base = environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "knlite"


def default_runtime_dir(environ: Mapping[str, str]) -> Path:
    """``$XDG_RUNTIME_DIR/knlite``, else ``run`` below the cache."""
    base = environ.get("XDG_RUNTIME_DIR")
    return Path(base) / "knlite" if base else default_cache_dir(environ) / "run"


def is_loopback(address: str) -> bool:
    """Whether only programs of this machine reach *address*."""
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def parse_overrides(texts: tuple[str, ...]) -> dict[str, dict[str, str]]:
    """``config-NAME.KEY=VALUE`` texts by ConfigMap; raises ``InvalidInput``."""
    overrides: dict[str, dict[str, str]] = {}
    for text in texts:
        name_and_key, equals, value = text.partition("=")
        name, dot, key = name_and_key.partition(".")
        if not (equals and dot and name and key):
            raise InvalidInput(
                f"--set {text!r} cannot be read",
                cause="it has not the form CONFIGMAP.KEY=VALUE",
                fix="write for example --set config-autoscaler.stable-window=6s",
            )
        overrides.setdefault(name.strip(), {})[key.strip()] = value.strip()
    return overrides


_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,9})?)(?:([KMGT])i?)?B?", re.IGNORECASE | re.ASCII)
_STEPS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}


def parse_size(option: str, text: str) -> int:
    """The bytes that *text* says; K, M, G and T are powers of 1024. Raises ``InvalidInput``."""
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise InvalidInput(
            f"{option} {text!r} is no size",
            cause="it is not a number with K, M, G or T behind it",
            fix=f"write for example {option} 1G",
        )
    return int(float(found[1]) * 1024 ** _STEPS[(found[2] or "").upper()])
