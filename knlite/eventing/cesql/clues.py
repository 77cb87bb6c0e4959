"""What an event must have for an expression to be true, as far as that can be read off its text.

Only comparisons of an attribute with a string literal tell, alone, in a set, and where AND or OR
joins them.
"""

from knlite.eventing.filters.clue import Clue
from knlite.kinds.cesql.syntax import Attribute, Comparison, Expression, In, Literal, Logic

_SEEN_DIFFERENTLY = frozenset(("datamediatype", "schemaurl"))
"""Attributes that CESQL and the other dialects see differently."""


def clues_of(node: Expression) -> tuple[Clue, ...]:
    """All of them are true of every event for which *node* is true."""
    match node:
        case Comparison(operator="=", left=Attribute(name=name), right=Literal(value=str(text))):
            return _clues(name, text)
        case In(operand=Attribute(name=name), members=members):
            texts = [each.value for each in members if isinstance(each, Literal)]
            known = [text for text in texts if isinstance(text, str)]
            return _clues(name, *known) if len(known) == len(members) else ()
        case Logic(operands=operands, operators=operators):
            clues = clues_of(operands[-1])
            # From the right, as the operators group.
            for operand, operator in zip(operands[-2::-1], reversed(operators), strict=True):
                first = clues_of(operand)
                if operator == "AND":
                    clues = (*first, *clues)
                elif operator == "OR" and first and clues:
                    clues = (min(first, key=len) | min(clues, key=len),)
                else:
                    clues = ()
            return clues
        case _:
            return ()


def _clues(name: str, *texts: str) -> tuple[Clue, ...]:
    if name in _SEEN_DIFFERENTLY:
        return ()
    return (frozenset((name, text) for text in texts),)
