"""Why an expression is true or false of an event: the part that decided, and what stood there.

Source: the order of evaluation, Eventing data plane reference §6.4, §6.5.
"""

from collections.abc import Iterator
from itertools import islice

from knlite.eventing.cesql.functions import function_of
from knlite.eventing.cesql.lookup import reader_of
from knlite.eventing.cesql.operators import compiled
from knlite.eventing.cesql.program import Program
from knlite.eventing.cesql.values import Fault, Value, as_truth, shown
from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.filters.filter import MOST_PARTS, Part
from knlite.eventing.filters.words import cut
from knlite.kinds.cesql.syntax import Attribute, Call, Exists, Expression, Logic, Not, walk

_PARTS = 5
"""Parts of an expression that are told, where several decided together."""


def explained(program: Program, event: CloudEvent) -> str:
    """A sentence such as ``type = 'x' is false: type is "y"``."""
    value = program.run(event)
    parts = list(_deciding(program.root, event))
    told = "; ".join(_part(part, program.text, event) for part in parts[:_PARTS])
    if len(parts) > _PARTS:
        told += f"; and {len(parts) - _PARTS} more"
    if isinstance(value, Fault) and isinstance(value.by, Logic):
        return f"{told}, and {value.why}"
    return told if isinstance(value, bool | Fault) else f"{told}; a Boolean is wanted"


def deciding(program: Program, event: CloudEvent, path: str) -> tuple[Part, ...]:
    """The parts that are told there, by their place in the text of the expression at *path*."""
    return tuple(
        Part(path, _truth(part, event), _seen(part, event), part.start, part.end)
        for part in islice(_deciding(program.root, event), MOST_PARTS)
    )


def _truth(node: Expression, event: CloudEvent) -> bool | None:
    value = compiled(node)(event)
    return value if isinstance(value, bool) else None


def _seen(node: Expression, event: CloudEvent) -> dict[str, str | None]:
    names = (each.name for each, _ in walk(node) if isinstance(each, Exists | Attribute))
    found: dict[str, str | None] = {}
    for name in dict.fromkeys(names):
        value: Value | None = reader_of(name)(event)
        found[cut(name)] = None if value is None else cut(_text(value))
    return found


def _text(value: Value) -> str:
    return value if isinstance(value, str) else shown(value)


def _deciding(node: Expression, event: CloudEvent) -> Iterator[Expression]:
    """The smallest parts of *node* that made it what it is."""
    match node:
        case Not(operand=Not() | Logic() as operand):
            yield from _deciding(operand, event)
        case Logic(operands=operands):
            for each in _deciding_operands(node, event):
                yield from _deciding(operands[each], event)
        case _:
            yield node


def _deciding_operands(node: Logic, event: CloudEvent) -> Iterator[int]:
    """Those without which the value could have been another one."""
    last = len(node.operands) - 1
    for index, operand in enumerate(node.operands):
        value = compiled(operand)(event)
        truth = None if isinstance(value, Fault) else as_truth(value)
        if truth is None:
            yield index
            return
        operator = node.operators[index] if index < last else ""
        if index == last or (operator != "XOR" and truth is (operator == "OR")):
            # Here the evaluation ended. Before it, every AND was true and every OR was false.
            counted = ("XOR", "AND") if truth else ("XOR", "OR")
            yield from (i for i in range(index) if node.operators[i] in counted)
            yield index
            return


def _part(node: Expression, text: str, event: CloudEvent) -> str:
    written = cut(" ".join(_shown_text(node, text).split()))
    value = compiled(node)(event)
    if isinstance(value, Fault):
        return f"{written} has an error: {value.why}"
    seen = ", ".join(_attributes(node, event))
    return f"{written} is {shown(value)}" + (f": {seen}" if seen else "")


def _shown_text(node: Expression, text: str) -> str:
    """*node* as it stands in *text*, without the arguments that nobody is shown."""
    shown_text, end = "", node.start
    for call in (each for each, _ in walk(node) if isinstance(each, Call)):
        function = function_of(call.function, len(call.arguments))
        for index in sorted(() if function is None else function.secret):
            hidden = call.arguments[index]
            if hidden.start >= end:
                shown_text += f"{text[end : hidden.start]}…"
                end = hidden.end
    return shown_text + text[end : node.end]


def _attributes(node: Expression, event: CloudEvent) -> Iterator[str]:
    """The values of the attributes in *node*; of one that stands alone there is no more to say."""
    names = dict.fromkeys(
        each.name
        for each, _ in walk(node)
        if isinstance(each, Exists) or (isinstance(each, Attribute) and each is not node)
    )
    for name in names:
        value: Value | None = reader_of(name)(event)
        yield f"{cut(name)} is missing" if value is None else f"{cut(name)} is {shown(value)}"
