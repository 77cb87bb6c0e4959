"""The fields of a ``func.yaml`` by their types: which are not known, and what their scalars mean.

Source: YAML 1.1 types (bool, int, float), as knative/func's decoder (gopkg.in/yaml.v2) reads them.
Not here: what may stand in the fields (``funcproblems.py``).
"""

import re
from collections.abc import Iterator, Mapping, Sequence

import yaml
from msgspec.inspect import (
    BoolType,
    FloatType,
    IntType,
    StructType,
    Type,
    UnionType,
    VarTupleType,
    type_info,
)

from knlite.functions.funcspec import FuncYaml
from knlite.functions.yamltree import Place

_TRUE = frozenset(("y", "yes", "true", "on"))
_FALSE = frozenset(("n", "no", "false", "off"))
_NUMBER = re.compile(r"[-+.\w]{1,64}", re.ASCII)
"""What may be a number in any of YAML's ways to write one."""


def unknown(tree: Mapping[str, object]) -> list[Place]:
    """Where *tree* has fields that ``func.yaml`` has not."""
    return list(_unknown(tree, type_info(FuncYaml), ()))


def typed(tree: Mapping[str, object]) -> object:
    """*tree*, whose scalars are text, with booleans and numbers where fields take them.

    Nulls are left out, as Go's decoder takes them for nothing; text that is no such thing stays.
    """
    return _typed(tree, type_info(FuncYaml))


def _unknown(value: object, kind: Type, place: Place) -> Iterator[Place]:
    kind = _without_none(kind)
    if isinstance(kind, StructType) and isinstance(value, Mapping):
        known = {field.encode_name: field.type for field in kind.fields}
        for key, inner in value.items():
            if key in known:
                yield from _unknown(inner, known[key], (*place, key))
            else:
                yield (*place, key)
    elif isinstance(kind, VarTupleType) and isinstance(value, Sequence):
        for index, inner in enumerate(value):
            yield from _unknown(inner, kind.item_type, (*place, index))


def _typed(value: object, kind: Type | None) -> object:
    kind = _without_none(kind) if kind is not None else None
    if isinstance(value, Mapping):
        known = (
            {field.encode_name: field.type for field in kind.fields}
            if isinstance(kind, StructType)
            else {}
        )
        return {
            key: _typed(each, known.get(key)) for key, each in value.items() if each is not None
        }
    if isinstance(value, list):
        item = kind.item_type if isinstance(kind, VarTupleType) else None
        return [{} if each is None else _typed(each, item) for each in value]
    if isinstance(value, str):
        if isinstance(kind, BoolType):
            return _boolean(value)
        if isinstance(kind, IntType | FloatType):
            return _number(value)
    return value


def _without_none(kind: Type) -> Type:
    """Of ``X | None``, X."""
    if not isinstance(kind, UnionType):
        return kind
    (inner,) = (each for each in kind.types if type(each).__name__ != "NoneType")
    return inner


def _boolean(text: str) -> bool | str:
    word = text.lower()
    return True if word in _TRUE else False if word in _FALSE else text


def _number(text: str) -> float | str:
    if not _NUMBER.fullmatch(text):
        return text
    try:
        found = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        return text
    return found if type(found) in {int, float} else text
