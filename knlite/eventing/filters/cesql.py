"""The ``cesql`` dialect: an expression is true, and nothing went wrong.

Source: Eventing data plane reference §5.3, §6.4.
Differs: a value that is no Boolean fails. Upstream breaks the connection there.
"""

from dataclasses import dataclass

from knlite.eventing.cesql.clues import clues_of
from knlite.eventing.cesql.explain import deciding, explained
from knlite.eventing.cesql.program import Program
from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.filters.clue import Clue
from knlite.eventing.filters.outcome import Finding, Outcome


@dataclass(frozen=True, slots=True)
class CESQL:
    """An expression that parses."""

    program: Program
    path: str

    def outcome(self, event: CloudEvent) -> Outcome:
        return self.program.run(event) is True

    def finding(self, event: CloudEvent) -> Finding:
        return Finding(
            self.program.matches(event),
            explained(self.program, event),
            self.path,
            deciding(self.program, event, self.path),
        )

    def clues(self) -> tuple[Clue, ...]:
        return clues_of(self.program.root)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An expression that does not parse: it was stored by an earlier version that could read it."""

    why: str
    path: str

    def outcome(self, event: CloudEvent) -> Outcome:
        return False

    def finding(self, event: CloudEvent) -> Finding:
        return Finding(False, f"the expression cannot be read: {self.why}", self.path)

    def clues(self) -> tuple[Clue, ...]:
        return ()
