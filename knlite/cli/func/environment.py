"""``knlite func environment``.

Source: Knative Functions reference §4.3; knative/func cmd/environment.go.
Differs: the images of builders are not there; ``Function`` has the names of ``func.yaml``, and only
what is set; passwords and tokens are left out.
"""

import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from knlite import __version__
from knlite.cli.client import Client
from knlite.cli.func.defaults import defaults, namespace_of
from knlite.cli.func.describe import description
from knlite.cli.func.templates import known
from knlite.cli.kubeconfig import find_access
from knlite.errors import NotFound, Unreachable
from knlite.functions import funcyaml
from knlite.functions.funcspec import SPEC_VERSION, FuncYaml
from knlite.settings import Settings


def show(path: Path, form: str, admin_port: int) -> None:
    """Print all that decides what functions do here; *form* is ``json`` or ``yaml``."""
    settings = Settings(admin_port=admin_port)
    templates = known("")
    usual = defaults(settings.environ)
    found: dict[str, Any] = {
        "Version": f"knlite {__version__}",
        "SpecVersion": SPEC_VERSION,
        "Languages": sorted(templates),
        "Templates": templates,
        "Environment": sorted(
            f"{name}={value}" for name, value in settings.environ.items() if _is_shown(name)
        ),
        "Cluster": find_access(settings).server,
        "Defaults": {
            _spelled(field.encode_name, form): getattr(usual, field.name)
            for field in msgspec.structs.fields(usual)
        },
    }
    func = funcyaml.load(path, settings.environ) if (path / funcyaml.FILE).exists() else None
    if isinstance(func, FuncYaml):
        found["Function"] = msgspec.to_builtins(func)
        instance = _instance(func, settings, admin_port)
        if instance is not None:
            found["Instance"] = instance
    if form == "yaml":
        import yaml

        yaml.safe_dump(json.loads(json.dumps(found)), sys.stdout, sort_keys=False)
    else:
        json.dump(found, sys.stdout, indent=2)
        sys.stdout.write("\n")


def _spelled(name: str, form: str) -> str:
    """*name* of ``config.yaml`` as func's *form* has it: Go's own names in JSON."""
    return name[0].upper() + name[1:] if form == "json" else name


def _is_shown(name: str) -> bool:
    return name.startswith("FUNC_") and not name.endswith(("PASSWORD", "TOKEN", "SECRET"))


def _instance(func: FuncYaml, settings: Settings, admin_port: int) -> dict[str, Any] | None:
    namespace = namespace_of(func, "", settings.environ)
    try:
        return description(Client(admin_port), func.name, namespace)
    except (NotFound, Unreachable):
        return None
