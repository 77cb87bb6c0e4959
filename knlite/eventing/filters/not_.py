"""The ``not`` dialect: the other way round, but nothing stays nothing.

Source: Eventing data plane reference §5.3.
"""

from dataclasses import dataclass

from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.filters.clue import Clue
from knlite.eventing.filters.outcome import Dialect, Finding, Outcome


@dataclass(frozen=True, slots=True)
class Not:
    """*member* None: what stands there was thrown away, and this says nothing."""

    member: Dialect | None
    path: str

    def outcome(self, event: CloudEvent) -> Outcome:
        outcome = self.member.outcome(event) if self.member is not None else None
        return None if outcome is None else not outcome

    def finding(self, event: CloudEvent) -> Finding:
        if self.member is None:
            return Finding(None, "it negates nothing", self.path)
        if isinstance(self.member, Not) and self.member.member is not None:
            # Nobody wants to read that something is not what is not wanted.
            return self.member.member.finding(event)
        finding = self.member.finding(event)
        outcome = None if finding.outcome is None else not finding.outcome
        if outcome is False:
            why = f"{finding.why}, and that is not wanted"
            return Finding(False, why, finding.path, finding.parts)
        return Finding(outcome, finding.why, finding.path, finding.parts)

    def clues(self) -> tuple[Clue, ...]:
        return ()
