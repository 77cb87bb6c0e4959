"""The ``all`` dialect, and the list of filters itself: no member fails.

Source: Eventing data plane reference §5.3.
Differs: members keep their order. Upstream moves those that often fail to the front, which can be
seen only where one of them says nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.filters.clue import Clue
from knlite.eventing.filters.outcome import Dialect, Finding, Outcome, joined, parts_of


@dataclass(frozen=True, slots=True)
class All:
    """Without a failure it says what its last member says; without members, nothing."""

    members: Sequence[Dialect]
    path: str

    def outcome(self, event: CloudEvent) -> Outcome:
        outcome = None
        for member in self.members:
            outcome = member.outcome(event)
            if outcome is False:
                return False
        return outcome

    def finding(self, event: CloudEvent) -> Finding:
        findings: list[Finding] = []
        for member in self.members:
            finding = member.finding(event)
            if finding.outcome is False:
                return finding
            findings.append(finding)
        if len(findings) == 1:
            return findings[0]
        outcome = findings[-1].outcome if findings else None
        why = joined(findings, "; ") or "it has no members"
        return Finding(outcome, why, self.path, parts_of(findings))

    def clues(self) -> tuple[Clue, ...]:
        return tuple(clue for member in self.members for clue in member.clues())
