"""Deliveries that their subscribers did not take, and whether somebody has sent them again.

Here are also those that no dead letter sink took, as there was none or as it failed too: they are
lost to everybody else.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from knlite.eventlog.history import BY_HAND, Happened, is_trouble
from knlite.facts import DeliveryAttempted
from knlite.telemetry.stories import Place, State
from knlite.telemetry.xray import states


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One event at one egress."""

    arrival: int
    at: datetime
    """When it was given up."""
    id: str
    source: str
    type: str
    to: Place
    """What the event was sent to."""
    egress: Place
    """Who did not take it."""
    uid: str
    state: State
    status: int
    why: str
    attempts: int
    """At the subscriber."""
    sink: str
    """The dead letter sink that has it; empty if none has."""
    again: int = 0
    """The arrival of the latest repetition …"""
    again_state: State | None = None
    """… and what has become of it."""

    @property
    def is_repeated(self) -> bool:
        """Whether a repetition has come that far that it stands for this one.

        One that has failed is a dead letter itself.
        """
        return self.again_state is not None and self.again_state not in _NEVER_TRIED


_NEVER_TRIED: frozenset[State] = frozenset(("unmatched", "gone", "cut off"))


def dead_letters(
    happened: Happened, again: Sequence[Happened], present: frozenset[str]
) -> list[DeadLetter]:
    """Those of one event; *again* is what repeats it, the oldest first."""
    by_uid: dict[str, list[DeliveryAttempted]] = {}
    for fact in happened.attempts:
        if fact.egress_kind != BY_HAND:
            by_uid.setdefault(fact.egress_uid, []).append(fact)
    repeated: dict[str, tuple[int, State]] = {}
    for each in again:
        for uid, state in states(each, present).items():
            repeated[uid] = (each.accepted.arrival, state)
    return [
        _dead_letter(happened, facts, repeated.get(uid))
        for uid, facts in by_uid.items()
        if is_trouble(facts[-1])
    ]


def _dead_letter(
    happened: Happened, facts: Sequence[DeliveryAttempted], repeated: tuple[int, State] | None
) -> DeadLetter:
    event, last = happened.accepted, facts[-1]
    tries = [fact for fact in facts if fact.leg != "dead letter sink" and fact.attempt]
    cause = tries[-1] if tries else last
    taken = last.outcome == "dead-lettered"
    return DeadLetter(
        arrival=event.arrival,
        at=last.at,
        id=event.attributes.get("id", ""),
        source=event.attributes.get("source", ""),
        type=event.attributes.get("type", ""),
        to=Place(event.kind, event.namespace, event.name),
        egress=Place(last.egress_kind, last.egress_namespace, last.egress_name),
        uid=last.egress_uid,
        state="dead-lettered" if taken else "failed",
        status=cause.status,
        why=cause.why,
        attempts=max((fact.attempt for fact in tries), default=0),
        sink=last.target if taken else "",
        again=repeated[0] if repeated else 0,
        again_state=repeated[1] if repeated else None,
    )
