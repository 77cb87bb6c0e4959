"""The values of CESQL, how one type is cast into another, and what goes wrong.

A cast that fails gives None, and the operator that asked for it says what that means.

Source: Eventing data plane reference §6.3, §6.4.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from knlite.eventing.filters.words import quoted
from knlite.kinds.cesql.numbers import integer_of
from knlite.kinds.cesql.syntax import Expression

Value: TypeAlias = str | int | bool
Type: TypeAlias = type[str] | type[int] | type[bool]

FaultKind = Literal["math", "cast", "missingAttribute", "missingFunction", "functionEvaluation"]


@dataclass(frozen=True, slots=True, eq=False)
class Fault:
    """What an evaluation comes to when it cannot go on.

    It travels up through all operators as it is. *by* is the expression that could not be
    evaluated, and *value* what that one is worth all the same if it stands alone.
    """

    kind: FaultKind
    why: str
    by: Expression
    value: Value


@dataclass(frozen=True, slots=True)
class Flaw:
    """Why a function cannot work with its arguments, and its value all the same."""

    kind: FaultKind
    why: str
    value: Value


def as_text(value: Value) -> str:
    """*value* cast to String, which always works."""
    if value.__class__ is str:
        return value
    if value is True:
        return "true"
    return "false" if value is False else str(value)


def as_integer(value: Value) -> int | None:
    """*value* cast to Integer."""
    return integer_of(value) if isinstance(value, str) else int(value)


def as_truth(value: Value) -> bool | None:
    """*value* cast to Boolean."""
    if not isinstance(value, str):
        return value != 0
    lowered = value.lower()
    return True if lowered == "true" else False if lowered == "false" else None


def cast_to(wanted: Type, value: Value) -> Value | None:
    """*value* as a value of type *wanted*."""
    if value.__class__ is wanted:
        return value
    if wanted is str:
        return as_text(value)
    return as_integer(value) if wanted is int else as_truth(value)


def type_name(wanted: Type) -> str:
    """As the language calls it."""
    return {str: "String", int: "Integer", bool: "Boolean"}[wanted]


def shown(value: Value) -> str:
    """*value* as one would write it in an expression."""
    return quoted(value) if isinstance(value, str) else as_text(value)
