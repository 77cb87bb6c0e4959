"""What a request asks for beside its object: the query of reads, writes and deletions.

Source: Kubernetes meta/v1 ListOptions, CreateOptions, UpdateOptions, PatchOptions, DeleteOptions.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast, get_args

from starlette.requests import Request

from knlite.apiserver.tables import Included
from knlite.errors import InvalidInput
from knlite.registry.deletion import Propagation
from knlite.registry.write import FieldValidation, Write

MANAGER_LENGTH = 128
"""The longest name of a field manager."""


def flag(request: Request, name: str) -> bool:
    """Whether a parameter is set to something that means yes. Raises ``InvalidInput``."""
    value = request.query_params.get(name, "")
    if value in {"1", "true", "True", "TRUE", "t", "T"}:
        return True
    if value in {"", "0", "false", "False", "FALSE", "f", "F"}:
        return False
    raise InvalidInput(f'invalid value "{value}" for {name}: it is true or false')


def number(request: Request, name: str) -> int | None:
    """A parameter that is a number, not negative. Raises ``InvalidInput``."""
    value = request.query_params.get(name, "")
    if not value:
        return None
    if not (value.isascii() and value.isdecimal() and len(value) <= 18):
        raise InvalidInput(f'invalid value "{value}" for {name}: it is a number, not negative')
    return int(value)


def since(request: Request) -> int:
    """The ``resourceVersion`` to begin after; 0 for the present. Raises ``InvalidInput``."""
    value = request.query_params.get("resourceVersion", "")
    if not value:
        return 0
    if not (value.isascii() and value.isdecimal() and len(value) <= 18):
        text = f'resourceVersion: Invalid value: "{value}": must be a non-negative integer'
        raise InvalidInput(text)
    return int(value)


def included(request: Request) -> Included:
    """How much of each object a Table shall hold. Raises ``InvalidInput``."""
    value = request.query_params.get("includeObject") or "Metadata"
    return cast("Included", _one_of(value, get_args(Included), "includeObject"))


def writing(request: Request, warn: Callable[[str], None]) -> Write:
    """How the client wants its object written. Raises ``InvalidInput``."""
    validation = request.query_params.get("fieldValidation") or "Warn"
    return Write(
        dry_run=_dry_run(request.query_params.getlist("dryRun")),
        manager=manager(request),
        warn=warn,
        field_validation=cast(
            "FieldValidation", _one_of(validation, get_args(FieldValidation), "fieldValidation")
        ),
    )


def manager(request: Request) -> str:
    """Who writes: the ``fieldManager``, else the program that the client says it is."""
    given = request.query_params.get("fieldManager", "")
    if len(given) > MANAGER_LENGTH:
        raise InvalidInput(f"fieldManager: Too long: may not be more than {MANAGER_LENGTH} bytes")
    agent = request.headers.get("user-agent", "").partition("/")[0]
    printable = "".join(letter for letter in agent if letter.isprintable())
    return given or printable[:MANAGER_LENGTH] or "unknown"


@dataclass(frozen=True, slots=True)
class Deleting:
    """How something is to be deleted."""

    propagation: Propagation = "Background"
    dry_run: bool = False
    uid: str = ""
    resource_version: str = ""


def deleting(request: Request, body: Any) -> Deleting:
    """What DeleteOptions in the *body* (None if there is none) and the query say.

    Raises ``InvalidInput``.
    """
    tree: Mapping[str, Any] = body if isinstance(body, Mapping) else {}
    policy = tree.get("propagationPolicy") or request.query_params.get("propagationPolicy")
    orphans = tree.get("orphanDependents")
    if orphans is None and request.query_params.get("orphanDependents"):
        orphans = flag(request, "orphanDependents")
    if policy is None and orphans:
        policy = "Orphan"
    wanted = tree.get("preconditions")
    preconditions: Mapping[str, Any] = wanted if isinstance(wanted, Mapping) else {}
    dry_run = tree.get("dryRun")
    asked = dry_run if isinstance(dry_run, list) else request.query_params.getlist("dryRun")
    return Deleting(
        propagation=cast(
            "Propagation",
            _one_of(policy or "Background", get_args(Propagation), "propagationPolicy"),
        ),
        dry_run=_dry_run(asked),
        uid=str(preconditions.get("uid") or ""),
        resource_version=str(preconditions.get("resourceVersion") or ""),
    )


def _dry_run(values: list[Any]) -> bool:
    for value in values:
        _one_of(value, ("All",), "dryRun")
    return bool(values)


def _one_of(value: object, choices: tuple[str, ...], name: str) -> str:
    if value not in choices:
        shown = ", ".join(f'"{choice}"' for choice in choices)
        raise InvalidInput(f'{name}: Unsupported value: "{value}": supported values: {shown}')
    return str(value)
