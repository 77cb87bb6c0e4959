"""What ``func`` is told once for all functions: ``~/.config/func/config.yaml``.

What counts, in this order: a flag, its ``FUNC_`` variable, ``func.yaml``, this file, the default of
``func``.

Source: Knative Functions reference §4.3; knative/func pkg/config/config.go.
"""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from knlite.errors import InvalidInput
from knlite.functions.funcspec import FuncYaml
from knlite.kinds.meta import Fields


class Defaults(Fields):
    """The file's fields."""

    builder: str = "pack"
    confirm: bool = False
    deployer: str = "knative"
    language: str = ""
    namespace: str = ""
    registry: str = ""
    registry_insecure: bool = False
    verbose: bool = False


def config_folder(environ: Mapping[str, str]) -> Path:
    """Where ``func`` keeps what belongs to a person."""
    base = environ.get("XDG_CONFIG_HOME") or str(Path(environ.get("HOME") or "/") / ".config")
    return Path(base) / "func"


def repositories_folder(environ: Mapping[str, str]) -> Path:
    """Where ``func repository add`` puts templates."""
    given = environ.get("FUNC_REPOSITORIES_PATH")
    return Path(given) if given else config_folder(environ) / "repositories"


def defaults(environ: Mapping[str, str]) -> Defaults:
    """What the file says; func's own defaults without it. Raises ``InvalidInput``."""
    file = config_folder(environ) / "config.yaml"
    if not file.is_file():
        return Defaults()
    # Most people have none, and YAML takes its time.
    from knlite.functions.yamltree import Unreadable, parsed, text_of

    try:
        text = text_of(file)
        tree = parsed(text).tree if text.strip() else {}
        given = {key: value for key, value in tree.items() if value is not None}
        return msgspec.convert(given, Defaults, strict=False)
    except Unreadable as error:
        raise InvalidInput(f"{file}:{error.line}: {error}") from error
    except msgspec.ValidationError as error:
        raise InvalidInput(f"{file}: {error}") from error


def namespace_of(func: FuncYaml | None, given: str, environ: Mapping[str, str]) -> str:
    """Where a function is or goes: as *given*, else as it says itself, else as all do."""
    own = (func.deploy.namespace or func.namespace) if func is not None else ""
    return given or own or defaults(environ).namespace or "default"
