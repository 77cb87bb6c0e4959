"""What the answer to one attempt means: for the retries, for the reply, for those who watch.

Source: Eventing data plane reference §2.2, §2.3.
Not here: statuses that are tried again, and when (``eventing/delivery.py``).
"""

import msgspec

from knlite.dataplane.sender import Answered, Unanswered
from knlite.eventing import delivery
from knlite.eventing.cloudevent import CloudEvent, Malformed
from knlite.eventing.httpcodec import decode, is_event
from knlite.facts import DeliveryLeg, DeliveryOutcome

BAD_REPLY = 502


class Judged(msgspec.Struct, frozen=True):
    """An answer as it counts."""

    answer: Answered | Unanswered
    status: int
    """0 for none."""
    why: str
    """What is wrong with it."""
    reply: CloudEvent | Malformed | None
    """What a subscriber has answered; Malformed only where nobody minds but who replies."""

    @property
    def fine(self) -> bool:
        """Whether the attempt has worked."""
        return 200 <= self.status < 300


def judged(answer: Answered | Unanswered, leg: DeliveryLeg, *, of_broker: bool) -> Judged:
    """Judge *answer*; brokers want nothing but events from subscribers, channels do not mind."""
    if isinstance(answer, Unanswered):
        return Judged(answer, 0, answer.why, None)
    status, body = answer.status, answer.body
    if not 200 <= status < 300:
        return Judged(answer, status, body[:200].decode(errors="replace").strip(), None)
    if leg != "subscriber":
        return Judged(answer, status, "", None)
    reply = decode(answer.headers, body) if is_event(answer.headers) else None
    if not of_broker:
        return Judged(answer, status, "", reply)
    if isinstance(reply, Malformed):
        why = f"its reply is not a CloudEvent: {reply.why}"
    elif reply is None and body:
        why = "its reply has a body that is not a CloudEvent"
    else:
        return Judged(answer, status, "", reply)
    return Judged(Answered(BAD_REPLY, (), b"", answer.instance), BAD_REPLY, why, None)


def outcome_of(leg: DeliveryLeg, result: delivery.Result, next_in: float | None) -> DeliveryOutcome:
    """How those who watch are told *result*, with a next attempt or without."""
    if result == "delivered":
        return "dead-lettered" if leg == "dead letter sink" else "delivered"
    return "failed" if next_in is None else "retrying"
