"""The tree of a CESQL expression. Every node knows its place in the text.

A chain of AND, OR and XOR is one node with all its operands, however long it is, so that only real
nesting makes a tree deep.

Source: Eventing data plane reference §6.1, §6.2. Not here: reading text (``parser.py``).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal as OneOf
from typing import TypeAlias

Logical = OneOf["AND", "OR", "XOR"]
Compared = OneOf["=", "!=", "<", "<=", ">", ">="]
Calculated = OneOf["+", "-", "*", "/", "%"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Node:
    """*start* and *end* are offsets into the text, parentheses around the node included."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Literal(Node):
    """A string, a number, TRUE or FALSE."""

    value: str | int | bool


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Attribute(Node):
    """The value of a context attribute; the name is in lower case."""

    name: str


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Exists(Node):
    """``EXISTS name``."""

    name: str


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Not(Node):
    """``NOT x``; also ``x NOT LIKE p`` and ``x NOT IN s``."""

    operand: "Expression"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Minus(Node):
    """``-x``, where x is no number literal."""

    operand: "Expression"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Like(Node):
    """``x LIKE 'pattern'``."""

    operand: "Expression"
    pattern: str


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class In(Node):
    """``x IN (a, b)``."""

    operand: "Expression"
    members: tuple["Expression", ...]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Comparison(Node):
    """``<>`` is read as ``!=``."""

    operator: Compared
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Calculation(Node):
    """Integer arithmetic."""

    operator: Calculated
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Logic(Node):
    """``a AND b OR c``: *operators* has one less than *operands*.

    All three operators have the same precedence and group to the right: ``a AND (b OR c)``.
    """

    operands: tuple["Expression", ...]
    operators: tuple[Logical, ...]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Call(Node):
    """``FUNCTION(a, b)``; the name is in upper case and need not exist."""

    function: str
    arguments: tuple["Expression", ...]


Expression: TypeAlias = (
    Literal | Attribute | Exists | Not | Minus | Like | In | Comparison | Calculation | Logic | Call
)


class NotCESQL(ValueError):
    """A text is not an expression; the message says what is wrong, and in which column."""


def placed(node: Expression, start: int, end: int) -> Expression:
    """*node* at another place, with the parentheses around it."""
    return replace(node, start=start, end=end)


def parts(node: Expression) -> tuple[Expression, ...]:
    """The expressions that *node* is made of, in the order of the text."""
    match node:
        case Not(operand=operand) | Minus(operand=operand) | Like(operand=operand):
            return (operand,)
        case In(operand=operand, members=members):
            return (operand, *members)
        case Comparison(left=left, right=right) | Calculation(left=left, right=right):
            return (left, right)
        case Logic(operands=operands):
            return operands
        case Call(arguments=arguments):
            return arguments
        case Literal() | Attribute() | Exists():
            return ()


def walk(root: Expression) -> Iterator[tuple[Expression, int]]:
    """*root* and everything in it, each with its depth (1 for *root*)."""
    # No recursion: it is asked whether the tree is too deep for that.
    waiting = [(root, 1)]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        waiting.extend((part, depth + 1) for part in reversed(parts(node)))


def mixed(root: Expression) -> Logic | None:
    """The first chain in which different operators meet, so that their grouping matters."""
    for node, _ in walk(root):
        if isinstance(node, Logic) and len(set(node.operators)) > 1:
            return node
    return None
