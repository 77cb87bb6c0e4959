"""Brings events from the logs of brokers to the subscribers of their triggers.

One lane per trigger: it reads the log with a cursor of its own, judges each event, and delivers
several at a time, so that one that waits for its next attempt holds up no other. A trigger whose
subscriber is not known keeps its events.

Source: Eventing data plane reference §2.5 (one branch), §3, §4, §7.
Differs: upstream leaves the error extensions out of a dead letter when the reply was at fault
(502); here every dead letter says what failed.
Not here: rules (``eventing``), HTTP (``sender.py``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import anyio
from anyio.abc import TaskGroup, TaskStatus

from knlite.clock import Clock
from knlite.dataplane.broker_ingress import BrokerIngress
from knlite.eventing import delivery
from knlite.eventing.cloudevent import Malformed
from knlite.eventing.delivery import DeliveryPolicy
from knlite.eventing.destinations import broker_url
from knlite.eventing.extensions import dead_letter
from knlite.eventing.filters.attributes import Attributes
from knlite.eventing.headers import NAMESPACE, PREFER_REPLY, passing
from knlite.eventing.httpcodec import decode, encode_binary, encode_structured, is_event
from knlite.eventing.inflight import Inflight
from knlite.eventing.topology import BrokerPlan, Topology, TriggerPlan
from knlite.eventlog.port import Cursor, EventLog, Record
from knlite.facts import DeliveryAttempted, DeliveryOutcome, Publish, TriggerEvaluated

AT_ONCE = 100
"""Events of one trigger that may be on their way, waits for the next attempt included."""

Leg = Literal["subscriber", "reply", "dead letter sink"]
BAD_REPLY = 502


@dataclass(frozen=True, slots=True)
class Answered:
    """An HTTP answer."""

    status: int
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """There was no answer."""

    why: str


class Sender(Protocol):
    """Who speaks HTTP."""

    async def send(
        self,
        url: str,
        headers: Sequence[tuple[str, str]],
        body: bytes,
        timeout: float,  # noqa: ASYNC109  a value of the manifest, and its end is an answer
    ) -> Answered | Unanswered:
        """POST *body* to *url*; never raises for what may go wrong on the way."""
        ...


class Dispatcher:
    """All lanes of a run."""

    def __init__(
        self, ingress: BrokerIngress, sender: Sender, clock: Clock, publish: Publish
    ) -> None:
        self._ingress = ingress
        self._sender = sender
        self._clock = clock
        self._publish = publish
        self._lanes: dict[str, _Lane] = {}
        self._known: set[str] = set()
        self._topology = Topology()
        self._group: TaskGroup | None = None

    def topology_changed(self, topology: Topology) -> None:
        """These are the brokers and triggers now."""
        self._topology = topology
        self._ingress.topology_changed(topology)
        if self._group is not None:
            self._adapt(self._group)

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Deliver until cancelled."""
        async with anyio.create_task_group() as self._group:
            self._adapt(self._group)
            task_status.started()
            await anyio.sleep_forever()

    def _adapt(self, group: TaskGroup) -> None:
        wanted: dict[str, tuple[BrokerPlan, TriggerPlan]] = {
            f"{broker.uid}/{trigger.uid}": (broker, trigger)
            for broker in self._topology.brokers.values()
            for trigger in broker.triggers
        }
        for key in self._lanes.keys() - wanted.keys():
            self._lanes.pop(key).end()
        for key, (broker, trigger) in wanted.items():
            lane = self._lanes.get(key)
            if lane is not None:
                lane.replan(trigger)
                continue
            log = self._ingress.log_of(broker.namespace, broker.name)
            if log is None:
                continue
            # Triggers that come with their broker see all that it ever takes.
            at: Literal["start", "end"] = "end" if broker.uid in self._known else "start"
            lane = self._lanes[key] = _Lane(broker, trigger, log, key, log.open(key, at))
            group.start_soon(self._run_lane, lane, name=f"trigger {trigger.name}")
        self._known = {broker.uid for broker in self._topology.brokers.values()}

    async def _run_lane(self, lane: "_Lane") -> None:
        with lane.scope:
            async with anyio.create_task_group() as workers:
                while True:
                    taken = lane.cursor.take()
                    if taken is None:
                        await lane.cursor.wait()
                        continue
                    position, record = taken
                    lane.inflight.begin(position)
                    if self._wanted(lane, position, record):
                        await lane.places.acquire()
                        target = await self._resolved(lane, position, record)
                        workers.start_soon(self._deliver, lane, position, record, target)
                    else:
                        lane.done(position)

    def _wanted(self, lane: "_Lane", position: int, record: Record) -> bool:
        verdict = Attributes(lane.plan.attributes).judge(record.event)
        self._publish(
            TriggerEvaluated(
                at=self._clock.wall(),
                namespace=lane.plan.namespace,
                broker=lane.broker.name,
                trigger=lane.plan.name,
                position=position,
                event_id=record.event.id,
                matched=verdict.matched,
                why=verdict.why,
            )
        )
        return verdict.matched

    async def _resolved(self, lane: "_Lane", position: int, record: Record) -> str:
        if lane.plan.subscriber is None:
            why = "its subscriber does not exist yet; the event is kept"
            self._tell(lane, position, record, "subscriber", "", 0, 0, "waiting", why)
        while lane.plan.subscriber is None:
            lane.changed = anyio.Event()
            await lane.changed.wait()
        return lane.plan.subscriber

    async def _deliver(self, lane: "_Lane", position: int, record: Record, target: str) -> None:
        """One branch: subscriber, its reply, or the dead letter sink."""
        encode = encode_structured if lane.plan.policy.structured else encode_binary
        headers, body = encode(record.event)
        sent = [*self._travelling(lane, record.headers), PREFER_REPLY, *headers]
        attempt = _Attempt("subscriber", target, sent, body)
        answer = await self._attempts(lane, position, record, attempt)
        failure: Answered | Unanswered | None = None if _succeeded(answer) else answer
        if isinstance(answer, Answered) and failure is None and is_event(answer.headers):
            target = broker_url(lane.broker.namespace, lane.broker.name)
            failure = await self._reply(lane, position, record, answer, target)
        if failure is not None:
            await self._dead_letter(lane, position, record, failure, target)
        # Not in a finally: what is cut off halfway is not done with.
        lane.places.release()
        lane.done(position)

    async def _reply(
        self, lane: "_Lane", position: int, record: Record, answer: Answered, target: str
    ) -> Answered | Unanswered | None:
        """Hand what the subscriber answered to the broker; None when that has worked."""
        event = decode(answer.headers, answer.body)
        if isinstance(event, Malformed):
            # Cannot happen: ``_judged`` has looked at it.
            return Unanswered(event.why)
        policy, tries = lane.plan.policy, 0
        while True:
            tries += 1
            taken = await self._ingress.accept(
                lane.broker.namespace,
                lane.broker.name,
                event,
                record.ttl - 1,
                passing(answer.headers),
            )
            result = delivery.judge(taken.status)
            again = result == "retry" and tries <= policy.retry
            outcome: DeliveryOutcome = (
                "delivered" if result == "delivered" else "retrying" if again else "failed"
            )
            why = taken.body.decode(errors="replace").strip()
            self._tell(lane, position, record, "reply", target, tries, taken.status, outcome, why)
            if result == "delivered":
                return None
            refused = Answered(taken.status, taken.headers, taken.body)
            if not again:
                return refused
            await self._pause(policy, tries, refused)

    async def _dead_letter(
        self,
        lane: "_Lane",
        position: int,
        record: Record,
        answer: Answered | Unanswered,
        target: str,
    ) -> None:
        sink = lane.plan.dead_letter_sink
        if sink is None:
            return
        status, body = 0, b""
        match answer:
            case Answered(status, _, body):
                pass
            case Unanswered(why):
                body = f"dispatch error: {why}".encode()
        event = dead_letter(record.event, record.ttl, target, status, body)
        headers, content = encode_binary(event)
        sent = [*self._travelling(lane, record.headers), *headers]
        attempt = _Attempt("dead letter sink", sink, sent, content)
        await self._attempts(lane, position, record, attempt)

    async def _attempts(
        self, lane: "_Lane", position: int, record: Record, attempt: "_Attempt"
    ) -> Answered | Unanswered:
        """Send until it works, cannot work, or has been tried often enough."""
        policy, tries = lane.plan.policy, 0
        while True:
            tries += 1
            began = self._clock.now()
            answer = await self._sender.send(
                attempt.target, attempt.headers, attempt.body, policy.timeout
            )
            seconds = self._clock.now() - began
            answer, status, why = _judged(answer, attempt.leg)
            result = delivery.judge(status)
            again = result == "retry" and tries <= policy.retry
            outcome = _outcome(attempt.leg, result, again=again)
            self._tell(
                lane, position, record, attempt.leg, attempt.target, tries, status, outcome, why,
                seconds,
            )  # fmt: skip
            if not again:
                return answer
            await self._pause(policy, tries, answer)

    async def _pause(
        self, policy: DeliveryPolicy, tries: int, answer: Answered | Unanswered
    ) -> None:
        seconds = delivery.backoff(policy, tries)
        if isinstance(answer, Answered):
            asked = next((v for n, v in answer.headers if n.lower() == "retry-after"), None)
            seconds = delivery.wait(policy, tries, answer.status, asked, self._clock.wall())
        await self._clock.sleep_until(self._clock.now() + seconds)

    def _travelling(
        self, lane: "_Lane", headers: Sequence[tuple[str, str]]
    ) -> list[tuple[str, str]]:
        return [*headers, (NAMESPACE, lane.plan.namespace)]

    def _tell(
        self,
        lane: "_Lane",
        position: int,
        record: Record,
        leg: Leg,
        target: str,
        attempt: int,
        status: int,
        outcome: DeliveryOutcome,
        why: str,
        seconds: float = 0.0,
    ) -> None:
        self._publish(
            DeliveryAttempted(
                at=self._clock.wall(),
                namespace=lane.plan.namespace,
                broker=lane.broker.name,
                trigger=lane.plan.name,
                position=position,
                event_id=record.event.id,
                event_type=record.event.type,
                leg=leg,
                target=target,
                attempt=attempt,
                status=status,
                outcome=outcome,
                why=why,
                seconds=seconds,
            )
        )


@dataclass(frozen=True, slots=True)
class _Attempt:
    leg: Leg
    target: str
    headers: Sequence[tuple[str, str]]
    body: bytes


class _Lane:
    """One trigger at work."""

    def __init__(
        self, broker: BrokerPlan, plan: TriggerPlan, log: EventLog, key: str, cursor: Cursor
    ) -> None:
        self.broker = broker
        self.plan = plan
        self.cursor = cursor
        self.inflight = Inflight(0)
        self.places = anyio.Semaphore(AT_ONCE)
        self.scope = anyio.CancelScope()
        self.changed = anyio.Event()
        self._log = log
        self._key = key

    def replan(self, plan: TriggerPlan) -> None:
        """Go on as *plan* says."""
        self.plan = plan
        self.changed.set()

    def done(self, position: int) -> None:
        """Nothing more happens to the event at *position*."""
        self.cursor.ack(self.inflight.end(position))

    def end(self) -> None:
        """The trigger is gone, and so is what was on its way."""
        self.scope.cancel()
        self._log.close(self._key)


def _judged(answer: Answered | Unanswered, leg: Leg) -> tuple[Answered | Unanswered, int, str]:
    """The answer as it counts, its status (0 for none), and what is wrong with it."""
    match answer:
        case Unanswered(why):
            return answer, 0, why
        case Answered(status, headers, body):
            if leg == "subscriber" and 200 <= status < 300:
                if is_event(headers):
                    event = decode(headers, body)
                    if isinstance(event, Malformed):
                        why = f"its reply is not a CloudEvent: {event.why}"
                        return Answered(BAD_REPLY), BAD_REPLY, why
                elif body:
                    why = "its reply has a body that is not a CloudEvent"
                    return Answered(BAD_REPLY), BAD_REPLY, why
            text = body[:200].decode(errors="replace").strip()
            return answer, status, "" if status < 300 else text


def _succeeded(answer: Answered | Unanswered) -> bool:
    return isinstance(answer, Answered) and 200 <= answer.status < 300


def _outcome(leg: Leg, result: delivery.Result, *, again: bool) -> DeliveryOutcome:
    if result == "delivered":
        return "dead-lettered" if leg == "dead letter sink" else "delivered"
    return "retrying" if again else "failed"
