"""One event on its way to one egress: to the subscriber, with its reply, or as a dead letter.

Each leg has attempts of its own, all by the delivery that the egress has at that moment, so that
who corrects a Trigger helps the events that are being tried.

Source: Eventing data plane reference §2.5 (one branch), §3, §4.
Differs: upstream leaves the error extensions out of a dead letter when the reply was at fault
(502); here every dead letter says what failed. Upstream asks the filter again at each attempt; here
the one in force at an event's arrival decides.
Not here: rules (``eventing``), HTTP (``sender.py``), how many at once (``lane.py``).
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from knlite.clock import Clock
from knlite.dataplane.bearer import NO_TOKENS, Tokens, bearing
from knlite.dataplane.eventingress import EventIngress
from knlite.dataplane.sender import Answered, Sender, Unanswered
from knlite.eventing import delivery, trace
from knlite.eventing.cloudevent import CloudEvent, Malformed
from knlite.eventing.extensions import dead_letter
from knlite.eventing.headers import NAMESPACE, PREFER_REPLY, passing
from knlite.eventing.httpcodec import (
    carrying,
    decode,
    encode_binary,
    encode_structured,
    is_event,
    wire_form,
)
from knlite.eventing.identities import subject_of
from knlite.eventing.topology import Egress, Resource
from knlite.eventlog.port import Taken
from knlite.facts import DeliveryAttempted, DeliveryLeg, DeliveryOutcome, Publish

BAD_REPLY = 502
BODY_SHOWN = 1024
"""Bytes of a failing answer that are told."""

Headers = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Ways:
    """What every branch needs on its way."""

    ingress: EventIngress
    sender: Sender
    clock: Clock
    publish: Publish
    bits: trace.Bits
    tokens: Tokens = NO_TOKENS


class Lane(Protocol):
    """Whose branch it is."""

    resource: Resource
    egress: Egress
    """As it is now."""

    async def subscribed(self) -> Egress:
        """The egress as soon as its subscriber is known."""
        ...


@dataclass(frozen=True, slots=True)
class _Failure:
    target: str
    answer: Answered | Unanswered


class _Sent(NamedTuple):
    """What became of one attempt."""

    target: str
    answer: Answered | Unanswered
    arrival: int = 0


class Branch:
    """One event and one egress."""

    def __init__(self, lane: Lane, taken: Taken, ways: Ways) -> None:
        self._lane = lane
        self._record = taken.record
        self._again = taken.again
        self._ways = ways
        self._of_broker = lane.resource.kind == "Broker"
        headers = self._record.headers
        self._parent = headers[-1][1]
        """The ``traceparent`` that came with the event, which ingress puts at the end."""
        self._trace = self._parent
        """That of the last attempt."""
        owner = lane.egress if self._of_broker else lane.resource
        self._travelling = (*headers[:-1], (NAMESPACE, owner.namespace))

    async def run(self) -> None:
        """Deliver, and return when nothing more is to be done."""
        if self._lane.egress.has_subscriber:
            failure = await self._call()
        else:
            headers, body = encode_binary(self._record.event)
            failure = await self._forward([*self._travelling, *headers], body)
        if failure is not None and self._lane.egress.dead_letter_sink is not None:
            await self._bury(failure)

    async def _call(self) -> _Failure | None:
        """Ask the subscriber; an event in its answer goes where replies go."""
        record, event = self._record, self._record.event
        plain = [*self._travelling, PREFER_REPLY]

        async def send(egress: Egress, parent: str) -> _Sent:
            sent = [*plain, (trace.TRACEPARENT, parent)]
            if egress.subscriber_audience:
                sent.append(self._bearing(egress, egress.subscriber_audience))
            also: Sequence[tuple[bytes, bytes]] = ()
            if egress.policy.structured:
                headers, body = encode_structured(event)
                sent += headers
            else:
                record.wire = record.wire or wire_form(event)
                also, body = record.wire
            target = egress.subscriber or ""
            answer = await self._ways.sender.send(
                target,
                sent,
                body,
                egress.policy.timeout,
                egress.subscriber_ca_certs,
                also,
            )
            return _Sent(target, answer)

        sent = await self._attempts("subscriber", send)
        answer = sent.answer
        if not isinstance(answer, Answered) or not 200 <= answer.status < 300:
            return _Failure(sent.target, answer)
        if not is_event(answer.headers):
            return None
        if self._of_broker:
            return await self._enter(answer)
        if self._lane.egress.reply is None:
            return None
        reply = decode(answer.headers, answer.body)
        if isinstance(reply, Malformed):
            why = f"the reply is not a CloudEvent: {reply.why}"
            target = self._lane.egress.reply
            ended = self._lane.egress.dead_letter_sink is None
            self._tell("reply", target, 1, 0, "failed", why, ended=ended)
            return _Failure(target, Unanswered(why))
        headers = [*passing(answer.headers), (NAMESPACE, self._lane.resource.namespace)]
        return await self._forward([*headers, *carrying(answer.headers)], answer.body)

    async def _enter(self, answer: Answered) -> _Failure | None:
        """Hand what the subscriber answered to the broker."""
        resource, egress = self._lane.resource, self._lane.egress
        event = decode(answer.headers, answer.body)
        # ``_judged`` has looked at it.
        assert isinstance(event, CloudEvent)
        target = egress.reply or ""
        others = (h for h in self._record.headers if h[0] in trace.CARRIED)
        headers = (*passing(answer.headers), *others, (trace.TRACEPARENT, self._trace))
        who = f"reply of {egress.kind.lower()} {egress.namespace}/{egress.name}"

        async def send(_: Egress, __: str) -> _Sent:
            subject = subject_of(egress.namespace, egress.account)
            taken = await self._ways.ingress.accept(
                resource.key, event, self._record.ttl - 1, headers, who, subject=subject
            )
            answered = Answered(taken.status, taken.headers, taken.body)
            return _Sent(target, answered, taken.arrival)

        return _failure(await self._attempts("reply", send))

    async def _forward(self, headers: Headers, body: bytes) -> _Failure | None:
        """Send an event to where a Subscription's replies go."""

        async def send(egress: Egress, parent: str) -> _Sent:
            target = egress.reply or ""
            sent = [*headers, (trace.TRACEPARENT, parent)]
            if egress.reply_audience:
                sent.append(self._bearing(egress, egress.reply_audience))
            answer = await self._ways.sender.send(
                target,
                sent,
                body,
                egress.policy.timeout,
                egress.reply_ca_certs,
            )
            return _Sent(target, answer)

        return _failure(await self._attempts("reply", send))

    async def _bury(self, failure: _Failure) -> None:
        """Send the event to the dead letter sink, with what is known of the failure."""
        if isinstance(failure.answer, Answered):
            status, body = failure.answer.status, failure.answer.body
        else:
            status, body = 0, f"dispatch error: {failure.answer.why}".encode()
        ttl = self._record.ttl if self._of_broker else None
        event = dead_letter(self._record.event, ttl, failure.target, status, body)
        headers, content = encode_binary(event)

        async def send(egress: Egress, parent: str) -> _Sent:
            target = egress.dead_letter_sink or ""
            sent = [*self._travelling, *headers, (trace.TRACEPARENT, parent)]
            if egress.dead_letter_audience:
                sent.append(self._bearing(egress, egress.dead_letter_audience))
            answer = await self._ways.sender.send(
                target,
                sent,
                content,
                egress.policy.timeout,
                egress.dead_letter_ca_certs,
            )
            return _Sent(target, answer)

        await self._attempts("dead letter sink", send)

    async def _attempts(
        self, leg: DeliveryLeg, send: Callable[[Egress, str], Awaitable[_Sent]]
    ) -> _Sent:
        """Send until it works, cannot work, or has been tried often enough."""
        clock, tries = self._ways.clock, 0
        while True:
            tries += 1
            egress = self._lane.egress
            if leg == "subscriber" and egress.subscriber is None:
                why = "its subscriber does not exist yet; the event is kept"
                self._tell(leg, "", tries - 1, 0, "waiting", why)
                egress = await self._lane.subscribed()
            elif tries > 1 and not _target(leg, egress):
                why = f"the {leg} was taken away while it was tried"
                ended = leg == "dead letter sink" or egress.dead_letter_sink is None
                self._tell(leg, "", tries, 0, "failed", why, ended=ended)
                return _Sent("", Unanswered(why))
            self._trace = trace.child(self._parent, self._ways.bits)
            began = clock.now()
            sent = await send(egress, self._trace)
            seconds = clock.now() - began
            answer, status, why = self._judged(sent.answer, leg)
            result = delivery.judge(status)
            policy = self._lane.egress.policy
            next_in = None
            if result == "retry" and tries <= policy.retry:
                next_in = self._pause(policy, tries, answer)
            self._tell(
                leg, sent.target, tries, status, _outcome(leg, result, next_in), why, seconds,
                next_in, answer, sent.arrival, ended=next_in is None and self._is_last(leg, answer),
            )  # fmt: skip
            if next_in is None:
                return _Sent(sent.target, answer)
            await clock.sleep_until(clock.now() + next_in)

    def _bearing(self, egress: Egress, audience: str) -> tuple[str, str]:
        """The header with the token for *audience*."""
        return bearing(self._ways.tokens, egress.namespace, egress.account, audience)

    def _is_last(self, leg: DeliveryLeg, answer: Answered | Unanswered) -> bool:
        """Whether neither a reply nor a dead letter follows the last attempt of *leg*."""
        egress = self._lane.egress
        if not isinstance(answer, Answered) or not 200 <= answer.status < 300:
            return leg == "dead letter sink" or egress.dead_letter_sink is None
        if leg != "subscriber":
            return True
        return not is_event(answer.headers) or (not self._of_broker and egress.reply is None)

    def _pause(
        self, policy: delivery.DeliveryPolicy, tries: int, answer: Answered | Unanswered
    ) -> float:
        if isinstance(answer, Unanswered):
            return delivery.backoff(policy, tries)
        asked = next((v for n, v in answer.headers if n.lower() == "retry-after"), None)
        return delivery.wait(policy, tries, answer.status, asked, self._ways.clock.wall())

    def _judged(
        self, answer: Answered | Unanswered, leg: DeliveryLeg
    ) -> tuple[Answered | Unanswered, int, str]:
        """The answer as it counts, its status (0 for none), and what is wrong with it."""
        match answer:
            case Unanswered(why):
                return answer, 0, why
            case Answered(status, headers, body):
                if leg == "subscriber" and self._of_broker and 200 <= status < 300:
                    why = _unfit(headers, body)
                    if why:
                        return Answered(BAD_REPLY, (), b"", answer.instance), BAD_REPLY, why
                text = "" if status < 300 else body[:200].decode(errors="replace").strip()
                return answer, status, text

    def _tell(
        self,
        leg: DeliveryLeg,
        target: str,
        attempt: int,
        status: int,
        outcome: DeliveryOutcome,
        why: str,
        seconds: float = 0.0,
        next_in: float | None = None,
        answer: Answered | Unanswered | None = None,
        reply_arrival: int = 0,
        *,
        ended: bool = False,
    ) -> None:
        resource, egress = self._lane.resource, self._lane.egress
        instance, body = "", b""
        if isinstance(answer, Answered):
            instance = answer.instance
            body = b"" if answer.status < 300 else answer.body[:BODY_SHOWN]
        self._ways.publish(
            DeliveryAttempted(
                self._ways.clock.wall(),
                resource.kind,
                resource.namespace,
                resource.name,
                egress.kind,
                egress.namespace,
                egress.name,
                egress.uid,
                self._record.arrival,
                self._record.event.id,
                self._record.event.type,
                leg,
                target,
                attempt,
                status,
                outcome,
                why,
                seconds,
                instance,
                next_in,
                self._again,
                body,
                reply_arrival,
                ended,
            )
        )


def _target(leg: DeliveryLeg, egress: Egress) -> str | None:
    match leg:
        case "subscriber":
            return egress.subscriber
        case "reply":
            return egress.reply
        case "dead letter sink":
            return egress.dead_letter_sink


def _failure(sent: _Sent) -> _Failure | None:
    answer = sent.answer
    if isinstance(answer, Answered) and 200 <= answer.status < 300:
        return None
    return _Failure(sent.target, answer)


def _unfit(headers: Sequence[tuple[str, str]], body: bytes) -> str:
    """What is wrong with a subscriber's answer to a broker, which is an event or has no body."""
    if not is_event(headers):
        return "its reply has a body that is not a CloudEvent" if body else ""
    event = decode(headers, body)
    return f"its reply is not a CloudEvent: {event.why}" if isinstance(event, Malformed) else ""


def _outcome(leg: DeliveryLeg, result: delivery.Result, next_in: float | None) -> DeliveryOutcome:
    if result == "delivered":
        return "dead-lettered" if leg == "dead letter sink" else "delivered"
    return "failed" if next_in is None else "retrying"
