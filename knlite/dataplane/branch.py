"""One event on its way to one egress: to the subscriber, with its reply, or as a dead letter.

Each leg has attempts of its own, all by the delivery that the egress has at that moment, so that
who corrects a Trigger helps the events that are being tried.

Source: Eventing data plane reference §2.5 (one branch), §3, §4.
Differs: upstream leaves the error extensions out of a dead letter when the reply was at fault
(502); here every dead letter says what failed. Upstream asks the filter again at each attempt; here
the one in force at an event's arrival decides. A subscriber that does not resolve is a 404 to
upstream, tried again and buried; here the event waits until there is one.
Not here: rules (``eventing``), HTTP (``sender.py``), how many at once (``lane.py``).
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from knlite.clock import Clock
from knlite.dataplane.bearer import NO_TOKENS, Tokens, bearing
from knlite.dataplane.eventingress import EventIngress
from knlite.dataplane.judgment import Judged, judged, outcome_of
from knlite.dataplane.sender import Answered, Sender, Unanswered
from knlite.errors import Unavailable
from knlite.eventing import delivery, trace
from knlite.eventing.cloudevent import CloudEvent, Malformed
from knlite.eventing.extensions import dead_letter
from knlite.eventing.headers import NAMESPACE, PREFER_REPLY, passing
from knlite.eventing.httpcodec import (
    carrying,
    encode_binary,
    encode_structured,
    wire_form,
)
from knlite.eventing.identities import subject_of
from knlite.eventing.topology import ON_SERVERS, Egress, Resource
from knlite.eventlog.port import Cursor, Taken
from knlite.facts import DeliveryAttempted, DeliveryLeg, DeliveryOutcome, Publish

_NO_SUBSCRIBER = "its subscriber, or its dead letter sink, does not exist yet; the event is kept"
_PAUSED = "nobody is to be sent anything for now (spec.consumers is 0); the event is kept"
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

    cursor: Cursor
    """What its events are taken from."""

    buries: bool
    """Its dead letters are kept by the engine, and brought from there."""

    async def subscribed(self) -> Egress:
        """The egress as soon as its subscriber is known, or it has none any more."""
        ...

    async def sinking(self) -> Egress:
        """The egress as soon as its dead letter sink is known."""
        ...


@dataclass(frozen=True, slots=True)
class _Failure:
    target: str
    answer: Answered | Unanswered


class _Sent(msgspec.Struct, frozen=True):
    """What became of one attempt."""

    target: str
    answer: Answered | Unanswered


class _Ended(msgspec.Struct, frozen=True):
    """What became of all attempts of one leg."""

    target: str
    judged: Judged

    @property
    def failure(self) -> _Failure | None:
        """What a dead letter tells, if the leg has failed."""
        return None if self.judged.fine else _Failure(self.target, self.judged.answer)


class Branch:
    """One event and one egress."""

    def __init__(self, lane: Lane, taken: Taken, ways: Ways) -> None:
        self._lane = lane
        self._record = taken.record
        self._event = taken.record.event
        if lane.egress.overrides:
            self._event = self._event.with_attributes(**lane.egress.overrides)
        self._position = taken.position
        self._again = taken.again
        self._ways = ways
        self._of_broker = lane.resource.kind == "Broker"
        self._shows_ttl = self._of_broker and lane.resource.engine not in ON_SERVERS
        headers = self._record.headers
        self._parent = headers[-1][1]
        """The ``traceparent`` that came with the event, which ingress puts at the end."""
        owner = lane.egress if self._of_broker else lane.resource
        self._travelling = (*headers[:-1], (NAMESPACE, owner.namespace))
        egress = lane.egress
        self._who = f"{egress.kind.lower()} {egress.namespace}/{egress.name}"

    async def run(self) -> bool:
        """Deliver, and return when nothing more is to be done; whether anybody has it."""
        egress = await self._subscribed(0)
        if egress.has_subscriber:
            failure = await self._call()
        else:
            headers, body = encode_binary(self._event)
            failure = await self._forward([*self._travelling, *headers], body)
        if failure is not None and self._lane.egress.dead_letter_sink is not None:
            return await self._bury(failure)
        return failure is None

    async def dead(self) -> bool:
        """Bring what has been kept as a dead letter to the dead letter sink; whether it is there.

        As upstream, it is tried as often as the event was, and no more.
        """
        headers, content = encode_binary(self._event)
        await self._lane.sinking()
        ended = await self._post("dead letter sink", [*self._travelling, *headers], content)
        return ended.judged.fine

    async def _subscribed(self, tried: int) -> Egress:
        """The egress as it is, or as soon as its subscriber is known."""
        egress = self._lane.egress
        if egress.subscriber is None and egress.has_subscriber:
            why = _PAUSED if egress.paused else _NO_SUBSCRIBER
            self._tell("subscriber", "", tried, 0, "waiting", why)
            egress = await self._lane.subscribed()
        return egress

    async def _call(self) -> _Failure | None:
        """Ask the subscriber; an event in its answer goes where replies go."""
        record, event = self._record, self._event
        plain = [*self._travelling, PREFER_REPLY]

        also: Sequence[tuple[bytes, bytes]] = ()
        if self._lane.egress.policy.structured:
            headers, body = encode_structured(event)
            plain += headers
        elif event is record.event:
            record.wire = record.wire or wire_form(event)
            also, body = record.wire
        else:
            also, body = wire_form(event)
        ended = await self._post("subscriber", plain, body, also)
        answer, reply = ended.judged.answer, ended.judged.reply
        if not ended.judged.fine or reply is None or not isinstance(answer, Answered):
            return ended.failure
        target = self._lane.egress.reply
        if target is None:
            return None
        if isinstance(reply, Malformed):
            why = f"the reply is not a CloudEvent: {reply.why}"
            over = self._lane.egress.dead_letter_sink is None
            self._tell("reply", target, 1, 0, "failed", why, ended=over)
            return _Failure(target, Unanswered(why))
        if self._of_broker:
            return await self._enter(reply, answer)
        headers = [*passing(answer.headers), (NAMESPACE, self._lane.resource.namespace)]
        return await self._forward([*headers, *carrying(answer.headers)], answer.body)

    async def _enter(self, event: CloudEvent, answer: Answered) -> _Failure | None:
        """Hand what the subscriber answered to the broker."""
        resource, egress = self._lane.resource, self._lane.egress
        target = egress.reply or ""
        others = (h for h in self._record.headers if h[0] in trace.CARRIED)
        passed = (*passing(answer.headers), *others)
        who = f"reply of {self._who}"

        async def send(_: Egress, parent: str) -> _Sent:
            subject = subject_of(egress.namespace, egress.account)
            headers = (*passed, (trace.TRACEPARENT, parent))
            taken = await self._ways.ingress.accept(
                resource.key, event, self._record.ttl - 1, headers, who, subject=subject
            )
            answer = Answered(taken.status, taken.headers, taken.body, arrival=taken.arrival)
            return _Sent(target, answer)

        return (await self._attempts("reply", send)).failure

    async def _forward(self, headers: Headers, body: bytes) -> _Failure | None:
        """Send an event to where a Subscription's replies go."""
        return (await self._post("reply", headers, body)).failure

    async def _bury(self, failure: _Failure) -> bool:
        """Send the event to the dead letter sink, with what is known of the failure."""
        if isinstance(failure.answer, Answered):
            status, body = failure.answer.status, failure.answer.body
        else:
            status, body = 0, f"dispatch error: {failure.answer.why}".encode()
        ttl = self._record.ttl if self._shows_ttl else None
        event = dead_letter(self._event, ttl, failure.target, status, body)
        if self._lane.buries:
            # Told before: it may be at the sink before the server confirms that it has it.
            why = "it goes into the queue of dead letters, and is brought to the sink from there"
            sink = self._lane.egress.dead_letter_sink or ""
            self._tell("dead letter sink", sink, 0, 0, "waiting", why)
        try:
            if await self._lane.cursor.bury(self._position, event):
                return True
        except Unavailable:
            # What does not get into the queue of dead letters goes where that would be brought to.
            pass
        headers, content = encode_binary(event)

        ended = await self._post("dead letter sink", [*self._travelling, *headers], content)
        return ended.judged.fine

    async def _post(
        self,
        leg: DeliveryLeg,
        headers: Headers,
        body: bytes,
        also: Sequence[tuple[bytes, bytes]] = (),
    ) -> "_Ended":
        """Send by HTTP to where *leg* leads, which may be another place at each attempt."""

        # Who takes it in here tells it in its story.
        who = self._who if leg == "subscriber" else f"{leg} of {self._who}"

        async def send(egress: Egress, parent: str) -> _Sent:
            target, ca_certs, audience = _target(leg, egress)
            sent = [("User-Agent", who), *headers, (trace.TRACEPARENT, parent)]
            if audience:
                whose = (egress.namespace, egress.account)
                sent.append(bearing(self._ways.tokens, *whose, audience))
            answer = await self._ways.sender.send(
                target or "", sent, body, egress.policy.timeout, ca_certs, also
            )
            return _Sent(target or "", answer)

        return await self._attempts(leg, send)

    async def _attempts(
        self, leg: DeliveryLeg, send: Callable[[Egress, str], Awaitable[_Sent]]
    ) -> "_Ended":
        """Send until it works, cannot work, or has been tried often enough."""
        clock, tries = self._ways.clock, 0
        while True:
            tries += 1
            egress = self._lane.egress
            if leg == "subscriber":
                egress = await self._subscribed(tries - 1)
            if tries > 1 and not _target(leg, egress)[0]:
                why = f"the {leg} was taken away while it was tried"
                ended = leg == "dead letter sink" or egress.dead_letter_sink is None
                self._tell(leg, "", tries, 0, "failed", why, ended=ended)
                return _Ended("", judged(Unanswered(why), leg, of_broker=self._of_broker))
            parent = trace.child(self._parent, self._ways.bits)
            began = clock.now()
            sent = await send(egress, parent)
            seconds = clock.now() - began
            found = judged(sent.answer, leg, of_broker=self._of_broker)
            result = delivery.judge(found.status)
            policy = self._lane.egress.policy
            next_in = None
            if result == "retry" and tries <= policy.retry:
                next_in = self._pause(policy, tries, found.answer)
            self._tell(
                leg, sent.target, tries, found.status, outcome_of(leg, result, next_in), found.why,
                seconds, next_in, found.answer,
                ended=next_in is None and self._is_last(leg, found), span=parent,
            )  # fmt: skip
            if next_in is None:
                return _Ended(sent.target, found)
            await clock.sleep_until(clock.now() + next_in)

    def _is_last(self, leg: DeliveryLeg, found: Judged) -> bool:
        """Whether neither a reply nor a dead letter follows the last attempt of *leg*."""
        egress = self._lane.egress
        if found.fine:
            return found.reply is None or egress.reply is None
        return leg == "dead letter sink" or egress.dead_letter_sink is None

    def _pause(
        self, policy: delivery.DeliveryPolicy, tries: int, answer: Answered | Unanswered
    ) -> float:
        if isinstance(answer, Unanswered):
            return delivery.backoff(policy, tries)
        asked = next((v for n, v in answer.headers if n.lower() == "retry-after"), None)
        return delivery.wait(policy, tries, answer.status, asked, self._ways.clock.wall())

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
        *,
        ended: bool = False,
        span: str = "",
    ) -> None:
        resource, egress = self._lane.resource, self._lane.egress
        instance, body, entered = "", b"", 0
        if isinstance(answer, Answered):
            instance, entered = answer.instance, answer.arrival
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
                entered,
                ended,
                span or trace.child(self._parent, self._ways.bits),
            )
        )


def _target(leg: DeliveryLeg, egress: Egress) -> tuple[str | None, str, str]:
    """The URL, the certificates that vouch for it, and to whom a token for it is addressed."""
    match leg:
        case "subscriber":
            return egress.subscriber, egress.subscriber_ca_certs, egress.subscriber_audience
        case "reply":
            return egress.reply, egress.reply_ca_certs, egress.reply_audience
        case "dead letter sink":
            return egress.dead_letter_sink, egress.dead_letter_ca_certs, egress.dead_letter_audience
