"""CESQL operators as functions of an event.

An expression is compiled once into closures; each gives a value, or the fault that kept it from
having one. Nothing is raised: an event that lacks an attribute costs no more than another.

Source: Eventing data plane reference §6.3-§6.6, §6.8; docs/adr/0025.
"""

from collections.abc import Callable
from typing import TypeAlias

from knlite.eventing.cesql.functions import function_of
from knlite.eventing.cesql.like import pattern_of
from knlite.eventing.cesql.lookup import reader_of
from knlite.eventing.cesql.values import (
    Fault,
    Flaw,
    Type,
    Value,
    as_integer,
    as_text,
    as_truth,
    cast_to,
    shown,
    type_name,
)
from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.filters.words import cut
from knlite.kinds.cesql.numbers import wrapped
from knlite.kinds.cesql.syntax import (
    Attribute,
    Calculated,
    Calculation,
    Call,
    Compared,
    Comparison,
    Exists,
    Expression,
    In,
    Like,
    Literal,
    Logic,
    Minus,
    Not,
)

Run: TypeAlias = Callable[[CloudEvent], Value | Fault]


def compiled(node: Expression) -> Run:
    """*node* as a function."""
    match node:
        case Literal(value=value):
            return lambda event: value
        case Attribute():
            return _attribute(node)
        case Exists(name=name):
            read = reader_of(name)
            return lambda event: read(event) is not None
        case Not():
            return _not(node)
        case Minus():
            return _minus(node)
        case Like():
            return _like(node)
        case In():
            return _in(node)
        case Comparison(operator=("=" | "!=") as operator):
            return _equality(node, wanted=operator == "=")
        case Comparison():
            return _ordering(node)
        case Calculation():
            return _calculation(node)
        case Logic():
            return _logic(node)
        case Call():
            return _call(node)


def _attribute(node: Attribute) -> Run:
    read = reader_of(node.name)
    absent = Fault("missingAttribute", f"{cut(node.name)} is missing", node, value=False)

    def run(event: CloudEvent) -> Value | Fault:
        value = read(event)
        return absent if value is None else value

    return run


def _not(node: Not) -> Run:
    operand = compiled(node.operand)
    literal = node.operand.value if isinstance(node.operand, Literal) else ""
    if not isinstance(literal, str) and literal not in {0, 1}:
        # The test kit wants a value and a fault here, against the table of casts.
        fault = Fault("cast", f"{literal} is neither 0 nor 1", node, value=True)
        return lambda event: fault

    def run(event: CloudEvent) -> Value | Fault:
        value = operand(event)
        if isinstance(value, Fault):
            return value
        truth = as_truth(value)
        return _no_cast(node, bool, value) if truth is None else not truth

    return run


def _minus(node: Minus) -> Run:
    operand = compiled(node.operand)

    def run(event: CloudEvent) -> Value | Fault:
        value = operand(event)
        if isinstance(value, Fault):
            return value
        number = as_integer(value)
        return _no_cast(node, int, value) if number is None else wrapped(-number)

    return run


def _like(node: Like) -> Run:
    operand = compiled(node.operand)
    matches = pattern_of(node.pattern).matches

    def run(event: CloudEvent) -> Value | Fault:
        value = operand(event)
        return value if isinstance(value, Fault) else matches(as_text(value))

    return run


def _in(node: In) -> Run:
    operand = compiled(node.operand)
    members = [compiled(member) for member in node.members]

    def run(event: CloudEvent) -> Value | Fault:
        value = operand(event)
        if isinstance(value, Fault):
            return value
        for member in members:
            other = member(event)
            if isinstance(other, Fault):
                return other
            same = cast_to(value.__class__, other)
            if same is None:
                return _no_cast(node, value.__class__, other)
            if same == value:
                return True
        return False

    return run


def _equality(node: Comparison, *, wanted: bool) -> Run:
    left, right = compiled(node.left), compiled(node.right)

    def run(event: CloudEvent) -> Value | Fault:
        value = left(event)
        if isinstance(value, Fault):
            return value
        other = right(event)
        if isinstance(other, Fault):
            return other
        same = cast_to(other.__class__, value)
        if same is None:
            return _no_cast(node, other.__class__, value)
        return (same == other) is wanted

    return run


def _ordering(node: Comparison) -> Run:
    return _of_integers(node, node.left, node.right, _ORDERINGS[node.operator])


def _calculation(node: Calculation) -> Run:
    if node.operator in {"+", "-", "*"}:
        return _of_integers(node, node.left, node.right, _CALCULATIONS[node.operator])
    by_zero = Fault("math", "division by 0", node, value=0)
    calculate = _CALCULATIONS[node.operator]
    return _of_integers(
        node,
        node.left,
        node.right,
        lambda left, right: calculate(left, right) if right else by_zero,
    )


def _of_integers(
    node: Expression,
    left_node: Expression,
    right_node: Expression,
    operate: Callable[[int, int], Value | Fault],
) -> Run:
    left, right = compiled(left_node), compiled(right_node)

    def run(event: CloudEvent) -> Value | Fault:
        first = left(event)
        if isinstance(first, Fault):
            return first
        second = right(event)
        if isinstance(second, Fault):
            return second
        one, other = as_integer(first), as_integer(second)
        if one is None:
            return _no_cast(node, int, first)
        if other is None:
            return _no_cast(node, int, second)
        return operate(one, other)

    return run


def _quotient(left: int, right: int) -> int:
    # Towards zero, where Python's // goes down.
    size = abs(left) // abs(right)
    return wrapped(size if (left < 0) == (right < 0) else -size)


_ORDERINGS: dict[Compared, Callable[[int, int], bool]] = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}
_CALCULATIONS: dict[Calculated, Callable[[int, int], int]] = {
    "+": lambda left, right: wrapped(left + right),
    "-": lambda left, right: wrapped(left - right),
    "*": lambda left, right: wrapped(left * right),
    "/": _quotient,
    "%": lambda left, right: wrapped(left - right * _quotient(left, right)),
}


def _logic(node: Logic) -> Run:
    """``a AND (b OR (c XOR d))``, evaluated in a loop: only XOR has to remember anything."""
    *steps, last = [compiled(operand) for operand in node.operands]
    chain = list(zip(steps, node.operators, strict=True))

    def run(event: CloudEvent) -> Value | Fault:
        flipped = False
        for operand, operator in chain:
            value = operand(event)
            if isinstance(value, Fault):
                return value
            truth = as_truth(value)
            if truth is None:
                return _no_cast(node, bool, value)
            if operator == "XOR":
                flipped ^= truth
            elif truth is (operator == "OR"):
                return truth ^ flipped
        value = last(event)
        if isinstance(value, Fault):
            return value
        truth = as_truth(value)
        return _no_cast(node, bool, value) if truth is None else truth ^ flipped

    return run


def _call(node: Call) -> Run:
    function = function_of(node.function, len(node.arguments))
    if function is None:
        count = len(node.arguments)
        arguments = f"{count} argument{'' if count == 1 else 's'}"
        why = f"there is no function {cut(node.function)} with {arguments}"
        missing = Fault("missingFunction", why, node, value=False)
        return lambda event: missing
    apply = function.apply
    arguments_of = [
        (compiled(argument), function.parameter(index))
        for index, argument in enumerate(node.arguments)
    ]

    def run(event: CloudEvent) -> Value | Fault:
        values: list[Value] = []
        for argument, wanted in arguments_of:
            value = argument(event)
            if isinstance(value, Fault):
                return value
            fitting = value if wanted is None else cast_to(wanted, value)
            if fitting is None:
                fault = _no_cast(node, wanted or str, value)
                return Fault(fault.kind, fault.why, node, function.returns())
            values.append(fitting)
        result = apply(*values)
        if isinstance(result, Flaw):
            return Fault(result.kind, result.why, node, result.value)
        return result

    return run


def _no_cast(node: Expression, wanted: Type, value: Value) -> Fault:
    zero = 0 if isinstance(node, Calculation | Minus) else False
    return Fault("cast", f"{shown(value)} cannot be cast to {type_name(wanted)}", node, zero)
