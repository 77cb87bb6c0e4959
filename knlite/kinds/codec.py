"""JSON tree to frozen struct and back: the only place that touches raw dicts of objects.

Decoding reports *all* wrong types and unknown fields of a document at once, each with its path, in
the words of a Kubernetes API server with ``fieldValidation=Strict``. ``null`` counts as absent, as
it does for fields that are not nullable.

Source: Kubernetes structural schemas (pruning, ``must be of type``) and strict decoding texts.
Not here: which values are allowed (each kind's ``validated``).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import inspect

from knlite.kinds.meta import Fields

T = TypeVar("T", bound=Fields)

_INDEX = re.compile(r"\[\d+\]")
_INT64 = range(-(2**63), 2**63)
_GO = {"boolean": "bool", "integer": "int64", "number": "float64"}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with the shape of a document: where, and in which words."""

    path: str
    text: str
    in_go: str = ""
    """The same in the words of a Go decoder, which reads core kinds; only for wrong types."""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Decoded(Generic[T]):
    """The struct, unless there are problems."""

    value: T | None
    problems: tuple[Problem, ...] = ()
    unknown: tuple[str, ...] = ()
    """What was pruned, in the words of field validation: ``unknown field "spec.bogus"``."""


def decode(kind: type[T], tree: object, *, strict: bool = True) -> Decoded[T]:
    """Decode *tree* (as ``json.loads`` gives it) into *kind*.

    With ``strict=False`` unknown fields are pruned in silence, as a cluster does for clients that
    do not ask for strict validation; wrong types are problems in either case, and so are unknown
    fields of a struct whose ``never_pruned`` says what would be wrong without them.
    """
    found = _Found(strict)
    shaped = _shape(_type_info(kind), tree, "", found)
    pruned = tuple(found.unknown)
    if found.problems:
        return Decoded(None, tuple(found.problems), pruned)
    return Decoded(msgspec.convert(shaped, kind), unknown=pruned)


def encode(value: Fields) -> dict[str, Any]:
    """*value* as a JSON tree, without the fields that have their default."""
    tree: dict[str, Any] = msgspec.to_builtins(value)
    return tree


@lru_cache(maxsize=512)
def _type_info(kind: type[Fields]) -> inspect.Type:
    return inspect.type_info(kind)


class _Found:
    """What is noted while a document is walked through."""

    def __init__(self, strict: bool) -> None:
        self.strict = strict
        self.problems: list[Problem] = []
        self.unknown: list[str] = []
        self.field = ("", "")
        """The struct that is being read and the path of its field, as Go remembers them."""


def _shape(info: inspect.Type, value: object, path: str, found: _Found) -> object:
    match info:
        case inspect.StructType():
            if isinstance(value, Mapping):
                return dict(_members(info, value, path, found))
            return _wrong(value, "object", path, found)
        case inspect.DictType(value_type=item):
            if isinstance(value, Mapping):
                return {
                    str(key): _shape(item, member, f"{path}.{key}", found)
                    for key, member in value.items()
                    if member is not None
                }
            return _wrong(value, "object", path, found)
        case inspect.VarTupleType(item_type=item) | inspect.ListType(item_type=item):
            if isinstance(value, Sequence) and not isinstance(value, str | bytes):
                return [
                    _shape(item, member, f"{path}[{index}]", found)
                    for index, member in enumerate(value)
                ]
            return _wrong(value, "array", path, found)
        case inspect.UnionType(types=choices):
            return _one_of(choices, value, path, found)
        case inspect.LiteralType() | inspect.StrType():
            return value if isinstance(value, str) else _wrong(value, "string", path, found)
        case inspect.BoolType():
            return value if isinstance(value, bool) else _wrong(value, "boolean", path, found)
        case inspect.IntType(le=most):
            if not isinstance(value, int) or isinstance(value, bool) or value not in _INT64:
                return _wrong(value, "integer", path, found)
            if most is not None and not -most - 1 <= value <= most:
                return _wrong(value, f"int{most.bit_length() + 1}", path, found)
            return value
        case inspect.FloatType():
            if isinstance(value, int | float) and not isinstance(value, bool):
                return float(value)
            return _wrong(value, "number", path, found)
        case _:
            return value


def _members(
    info: inspect.StructType,
    value: Mapping[object, object],
    path: str,
    found: _Found,
) -> Iterator[tuple[str, object]]:
    fields = {field.encode_name: field for field in info.fields}
    for key, member in value.items():
        name = str(key)
        where = f"{path}.{name}" if path else name
        field = fields.get(name)
        if field is None:
            found.unknown.append(f'unknown field "{where}"')
            if found.strict:
                found.problems.append(Problem(where, _unknown(name, where, fields)))
            elif why := getattr(info.cls, "never_pruned", ""):
                text = f'{where}: Invalid value: "{name}": there is no such field, and {why}'
                found.problems.append(Problem(where, text + _meant(name, fields)))
        elif member is not None:
            found.field = (info.cls.__name__, where)
            yield name, _shape(field.type, member, where, found)
    for name, field in fields.items():
        if field.required and value.get(name) is None:
            where = f"{path}.{name}" if path else name
            found.problems.append(Problem(where, f"{where}: Required value"))


def _one_of(
    choices: Sequence[inspect.Type],
    value: object,
    path: str,
    found: _Found,
) -> object:
    candidates = [choice for choice in choices if not isinstance(choice, inspect.NoneType)]
    if len(candidates) == 1:
        return _shape(candidates[0], value, path, found)
    for choice in candidates:
        attempt = _Found(found.strict)
        attempt.field = found.field
        shaped = _shape(choice, value, path, attempt)
        if not attempt.problems:
            found.unknown.extend(attempt.unknown)
            return shaped
    return _wrong(value, " or ".join(_noun(choice) for choice in candidates), path, found)


def _wrong(value: object, wanted: str, path: str, found: _Found) -> object:
    """Note the problem; what stands in for the value is never used."""
    name = _type_name(value)
    text = f'{path}: Invalid value: "{name}": {path} in body must be of type {wanted}: "{name}"'
    found.problems.append(Problem(path, text, _in_go(name, wanted, found)))
    return None


def _in_go(name: str, wanted: str, found: _Found) -> str:
    holder, field = found.field
    value = "number" if name == "integer" else "bool" if name == "boolean" else name
    place = f"{holder}.{_INDEX.sub('', field)}"
    return (
        f"cannot unmarshal {value} into Go struct field {place} of type {_GO.get(wanted, wanted)}"
    )


def _unknown(name: str, where: str, fields: Mapping[str, inspect.Field]) -> str:
    text = f'strict decoding error: unknown field "{where}"'
    return text + _meant(name, fields)


def _meant(name: str, fields: Mapping[str, inspect.Field]) -> str:
    close = get_close_matches(name, fields, n=1)
    return f' (did you mean "{close[0]}"?)' if close else ""


def _noun(info: inspect.Type) -> str:
    match info:
        case inspect.IntType():
            return "integer"
        case inspect.FloatType():
            return "number"
        case inspect.BoolType():
            return "boolean"
        case inspect.StrType() | inspect.LiteralType():
            return "string"
        case inspect.VarTupleType() | inspect.ListType():
            return "array"
        case _:
            return "object"


def _type_name(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            # What is too large becomes a float when a cluster decodes it.
            return "integer" if value in _INT64 else "number"
        case float():
            return "number"
        case str():
            return "string"
        case Mapping():
            return "object"
        case _:
            return "array"
