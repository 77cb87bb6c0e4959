"""The ``any`` dialect: a member passes.

Source: Eventing data plane reference §5.3.
Differs: members keep their order. Upstream moves those that often pass to the front, which can be
seen only where one of them says nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.filters.clue import Clue
from knlite.eventing.filters.outcome import Dialect, Finding, Outcome, joined, parts_of


@dataclass(frozen=True, slots=True)
class Any:
    """If no member passes it says what its last one says; without members, nothing."""

    members: Sequence[Dialect]
    path: str

    def outcome(self, event: CloudEvent) -> Outcome:
        outcome = None
        for member in self.members:
            outcome = member.outcome(event)
            if outcome:
                return True
        return outcome

    def finding(self, event: CloudEvent) -> Finding:
        findings: list[Finding] = []
        for member in self.members:
            finding = member.finding(event)
            if finding.outcome:
                return finding
            findings.append(finding)
        if len(findings) == 1:
            return findings[0]
        outcome = findings[-1].outcome if findings else None
        why = joined(findings, "; ") or "it has no members"
        return Finding(outcome, why, self.path, parts_of(findings))

    def clues(self) -> tuple[Clue, ...]:
        """One clue, if every member has some: whoever passes, passes by one of them."""
        clues = [min(member.clues(), key=len, default=None) for member in self.members]
        known = [clue for clue in clues if clue is not None]
        return (frozenset().union(*known),) if known and len(known) == len(clues) else ()
