"""Tables: the columns that ``kubectl get`` prints, and an object's metadata alone.

Source: Kubernetes meta/v1 Table and PartialObjectMetadata; ``apimachinery/pkg/util/duration``
(ages); the columns of each kind are in the catalog.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec

from knlite.apiserver.documents import encoded, pieces
from knlite.kinds.columns import AGE, NAME, Column
from knlite.kinds.kindinfo import KindInfo
from knlite.kinds.meta import Object, ObjectMeta

Included = Literal["Metadata", "Object", "None"]

_NAME_TEXT = (
    "Name must be unique within a namespace. Is required when creating resources, although some"
    " resources may allow a client to request the generation of an appropriate name automatically."
    " Name is primarily intended for creation idempotence and configuration definition. Cannot be"
    " updated. More info:"
    " https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names"
)


class Definition(msgspec.Struct, frozen=True):
    """The head of one column."""

    name: str
    type: str
    format: str
    description: str
    priority: int


class Partial(msgspec.Struct, frozen=True, rename="camel"):
    """PartialObjectMetadata."""

    kind: str
    api_version: str
    metadata: ObjectMeta


class Row(msgspec.Struct, frozen=True, omit_defaults=True):
    """One object: *object* is Partial, the encoded object, or None."""

    cells: list[Any]
    object: Any = None


def table(
    info: KindInfo,
    objects: Sequence[Object],
    *,
    metadata: dict[str, Any],
    include: Included,
    version: str,
    now: datetime,
    heads: bool = True,
) -> Iterator[bytes]:
    """*objects* of one kind as a Table of meta.k8s.io/*version*, a batch of rows at a time.

    Without *heads* the columns are those of the Table before.
    """
    beginning = {
        "kind": "Table",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": metadata,
        "columnDefinitions": definitions(info) if heads else None,
    }
    yield from pieces(
        msgspec.json.encode(beginning)[:-1] + b',"rows":[',
        objects,
        lambda obj: msgspec.json.encode(
            Row(cells(info, obj, now), _included(info, obj, include, version))
        ),
    )


def definitions(info: KindInfo) -> tuple[Definition, ...]:
    """The heads of a kind's columns."""
    return tuple(
        Definition(column.name, "string", "name", _NAME_TEXT, column.priority)
        if column.name == NAME.name
        else Definition(column.name, column.type, "", column.name, column.priority)
        for column in columns_of(info)
    )


def columns_of(info: KindInfo) -> tuple[Column, ...]:
    """All columns: the name and, as for a custom kind without any other, its age.

    The name is the first, unless the kind has it in another place, as Events do.
    """
    if any(column.name == NAME.name for column in info.columns):
        return info.columns
    return (NAME, *(info.columns or (AGE,)))


def cells(info: KindInfo, obj: Object, now: datetime) -> list[Any]:
    """The cells of *obj*, for each column."""
    return [_cell(column, obj, now) for column in columns_of(info)]


def partial(info: KindInfo, obj: Object, version: str) -> Partial:
    """The metadata of *obj* alone. *version* is that of meta.k8s.io."""
    return Partial("PartialObjectMetadata", f"meta.k8s.io/{version}", obj.metadata)


def age(since: str, now: datetime) -> str:
    """The time between an RFC 3339 time and *now*, as kubectl words it (``5m3s``, ``2d``)."""
    if not since:
        return "<unknown>"
    try:
        seconds = int((now - datetime.fromisoformat(since)).total_seconds())
    except ValueError:
        return "<unknown>"
    return human_duration(seconds)


def human_duration(seconds: int) -> str:
    """*seconds* in one or two units, fewer the longer it is."""
    if seconds < -1:
        return "<invalid>"
    if seconds < 60 * 2:
        return f"{max(seconds, 0)}s"
    minutes = seconds // 60
    if minutes < 10:
        return f"{minutes}m" + (f"{seconds % 60}s" if seconds % 60 else "")
    if minutes < 60 * 3:
        return f"{minutes}m"
    hours = minutes // 60
    if hours < 8:
        return f"{hours}h" + (f"{minutes % 60}m" if minutes % 60 else "")
    if hours < 48:
        return f"{hours}h"
    days = hours // 24
    if hours < 24 * 8:
        return f"{days}d" + (f"{hours % 24}h" if hours % 24 else "")
    if days < 365 * 2:
        return f"{days}d"
    years = days // 365
    if days < 365 * 8:
        return f"{years}y" + (f"{days % 365}d" if days % 365 else "")
    return f"{years}y"


def _cell(column: Column, obj: Object, now: datetime) -> Any:
    value = column.cell(obj)
    if column.type == "date":
        return age(value, now)
    if column.type == "integer":
        return int(value) if value.lstrip("-").isdigit() else None
    return value


def _included(info: KindInfo, obj: Object, include: Included, version: str) -> Any:
    match include:
        case "Object":
            return msgspec.Raw(encoded(info, obj))
        case "Metadata":
            return partial(info, obj, version)
        case "None":
            return None
