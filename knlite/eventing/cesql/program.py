"""A CESQL expression that can be asked about events.

Source: Eventing data plane reference §6.4. Not here: what each operator does (``operators.py``).
"""

from dataclasses import dataclass
from functools import lru_cache

from knlite.eventing.cesql.functions import function_of
from knlite.eventing.cesql.operators import Run, compiled
from knlite.eventing.cesql.values import Fault, Value
from knlite.eventing.cloudevent import CloudEvent
from knlite.kinds.cesql.parser import parse
from knlite.kinds.cesql.syntax import Calculation, Call, Expression, Minus


@dataclass(frozen=True, slots=True)
class Result:
    """What an expression comes to; with a fault, mostly the zero of its type."""

    value: Value
    fault: Fault | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """An expression, compiled."""

    text: str
    root: Expression
    run: Run

    def matches(self, event: CloudEvent) -> bool:
        """Whether *event* makes the expression true; with a fault, or as a text, it is not."""
        return self.run(event) is True

    def evaluate(self, event: CloudEvent) -> Result:
        """The value for *event*, and what went wrong."""
        result = self.run(event)
        if not isinstance(result, Fault):
            return Result(result)
        return Result(result.value if result.by is self.root else _zero(self.root), result)


# All triggers are looked at whenever one of them changes.
@lru_cache(maxsize=4096)
def program_of(text: str) -> Program:
    """*text*, compiled. Raises ``NotCESQL``."""
    root = parse(text)
    return Program(text, root, compiled(root))


def _zero(node: Expression) -> Value:
    """What the outermost operator gives when something inside it has failed."""
    match node:
        case Calculation() | Minus():
            return 0
        case Call(function=name, arguments=arguments):
            function = function_of(name, len(arguments))
            return False if function is None else function.returns()
        case _:
            return False
