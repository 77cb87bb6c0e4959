"""The functions of CESQL. A name may stand for several, told apart by their number of arguments.

Source: Eventing data plane reference §6.6.
Differs: texts are counted in characters, as the specification has it, where upstream counts bytes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from knlite.eventing.cesql.values import (
    Flaw,
    Type,
    Value,
    as_integer,
    as_text,
    as_truth,
    shown,
    type_name,
)
from knlite.eventing.correlation import verified
from knlite.kinds.cesql.numbers import LEAST, MOST


@dataclass(frozen=True, slots=True)
class Function:
    """*parameters* are cast to their types before *apply* sees them; None takes any value.

    *rest*, if it is given, is the type of all further arguments.
    """

    returns: Type
    parameters: tuple[Type | None, ...]
    # The number and the types of arguments are what ``parameters`` says.
    apply: Callable[..., Value | Flaw]
    rest: Type | None = None
    secret: frozenset[int] = frozenset()
    """Arguments that nobody is shown who asks why, counted from 0."""

    def takes(self, count: int) -> bool:
        """Whether it can be called with *count* arguments."""
        least = len(self.parameters)
        return count >= least if self.rest is not None else count == least

    def parameter(self, index: int) -> Type | None:
        """The type of argument *index*, counted from 0."""
        return self.parameters[index] if index < len(self.parameters) else self.rest


def function_of(name: str, count: int) -> Function | None:
    """The function of that name (in upper case) that takes *count* arguments."""
    return next((each for each in FUNCTIONS.get(name, ()) if each.takes(count)), None)


def _absolute(number: int) -> Value | Flaw:
    if number == LEAST:
        return Flaw("math", f"the absolute value of {LEAST} does not fit into 32 bits", MOST)
    return abs(number)


def _joined(separator: str, *texts: str) -> str:
    return separator.join(texts)


def _left(text: str, count: int) -> Value | Flaw:
    return text[:count] if count >= 0 else _negative(count, text)


def _right(text: str, count: int) -> Value | Flaw:
    if count < 0:
        return _negative(count, text)
    return text[len(text) - count :] if count < len(text) else text


def _substring(text: str, position: int, count: int | None = None) -> Value | Flaw:
    if position == 0:
        return ""
    if abs(position) > len(text):
        why = f"position {position} lies outside a text of {len(text)} characters"
        return Flaw("functionEvaluation", why, "")
    if count is not None and count < 0:
        return _negative(count, "")
    start = position - 1 if position > 0 else len(text) + position
    return text[start:] if count is None else text[start : start + count]


def _negative(count: int, value: str) -> Flaw:
    return Flaw("functionEvaluation", f"a number of characters cannot be {count}", value)


def _cast(wanted: Type, cast: Callable[[Value], Value | None]) -> Function:
    def apply(value: Value) -> Value | Flaw:
        result = cast(value)
        if result is None:
            why = f"{shown(value)} cannot be cast to {type_name(wanted)}"
            return Flaw("cast", why, wanted())
        return result

    return Function(wanted, (None,), apply)


def _castable(cast: Callable[[Value], Value | None]) -> Function:
    return Function(bool, (None,), lambda value: cast(value) is not None)


def _plain(returns: Type, apply: Callable[..., Any], *parameters: Type) -> Function:
    return Function(returns, parameters, apply)


FUNCTIONS: Mapping[str, tuple[Function, ...]] = {
    "ABS": (_plain(int, _absolute, int),),
    "LENGTH": (_plain(int, len, str),),
    "CONCAT": (Function(str, (), lambda *texts: "".join(texts), rest=str),),
    "CONCAT_WS": (Function(str, (str,), _joined, rest=str),),
    "LOWER": (_plain(str, str.lower, str),),
    "UPPER": (_plain(str, str.upper, str),),
    "TRIM": (_plain(str, str.strip, str),),
    "LEFT": (_plain(str, _left, str, int),),
    "RIGHT": (_plain(str, _right, str, int),),
    "SUBSTRING": (
        _plain(str, _substring, str, int),
        _plain(str, _substring, str, int, int),
    ),
    "INT": (_cast(int, as_integer),),
    "BOOL": (_cast(bool, as_truth),),
    "STRING": (_cast(str, as_text),),
    "IS_INT": (_castable(as_integer),),
    "IS_BOOL": (_castable(as_truth),),
    "KN_VERIFY_CORRELATION_ID": (
        Function(bool, (str, str, str, str, int, int), verified, secret=frozenset((3,))),
    ),
}
