"""Events that are not in the log, though somebody may ask for them: refused, or sent elsewhere.

The last of them are remembered by id, to say what became of them.
"""

from knlite.errors import NotFound
from knlite.facts import EventRefused, SourceSent

REMEMBERED = 256
_LONGEST_ID = 256


class Elsewhere:
    """What is known of them, the oldest first."""

    def __init__(self) -> None:
        self._of: dict[str, EventRefused | SourceSent] = {}

    def note(self, fact: EventRefused | SourceSent) -> None:
        """Remember *fact*, in place of an earlier one about the same id."""
        event_id = fact.event_id
        if event_id and len(event_id) <= _LONGEST_ID:
            self._of.pop(event_id, None)
            self._of[event_id] = fact
            if len(self._of) > REMEMBERED:
                del self._of[next(iter(self._of))]

    def why_not_here(self, event_id: str) -> NotFound | None:
        """Why the event of that id is not in the log, where that is known."""
        fact = self._of.get(event_id)
        return None if fact is None else _not_here(fact)


def _not_here(fact: EventRefused | SourceSent) -> NotFound:
    """Why an event is not in the log."""
    place = f"{fact.kind} {fact.namespace}/{fact.name}"
    what, when = f'event "{fact.event_id}" is not in the log', f"{fact.at:%H:%M:%S} UTC"
    match fact:
        case EventRefused():
            return NotFound(
                f"{what}: {place} has refused it at {when} with {fact.status}",
                cause=fact.why,
                fix="correct that, and send it again",
            )
        case SourceSent(outcome="failed"):
            return NotFound(
                f"{what}: {place} has given it up at {when} after {fact.attempts} attempts",
                cause=f"{fact.target}: {fact.why}",
                fix="give the source a Broker for its sink, which tries for longer and tells more",
            )
        case SourceSent():
            return NotFound(
                f"{what}: {place} has sent it past all brokers, and it was taken at {when}",
                cause=f"{fact.target} answered {fact.status} to attempt {fact.attempts}",
                fix="give the source a Broker for its sink, which tells more",
            )
