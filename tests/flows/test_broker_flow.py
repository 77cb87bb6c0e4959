"""From a broker to its triggers, on virtual time (Eventing data plane reference §2 to §4)."""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio

from knlite.clock import LoopClock
from knlite.dataplane.broker_ingress import BrokerIngress
from knlite.dataplane.dispatcher import Answered, Dispatcher, Unanswered
from knlite.eventing.delivery import DeliveryPolicy
from knlite.eventing.topology import BrokerPlan, Topology, TriggerPlan
from knlite.facts import DeliveryAttempted, Fact, TriggerEvaluated
from tests.flows.cell import STARTED, on_virtual_time

A, B, SINK = "http://a/", "http://b/", "http://sink/"
EVENT = [("Ce-Specversion", "1.0"), ("Ce-Id", "1"), ("Ce-Source", "/s"), ("Ce-Type", "order")]
THREE = DeliveryPolicy(retry=3, policy="exponential", delay=0.2)

Answers = Callable[[int], Answered | Unanswered]


@dataclass
class Sent:
    at: float
    url: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Flow:
    """A broker with triggers, and subscribers that answer as a test says."""

    clock: LoopClock
    facts: list[Fact] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    answers: dict[str, Answers] = field(default_factory=dict)
    tries: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    triggers: dict[str, TriggerPlan] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ingress = BrokerIngress(self.clock, self.facts.append)
        self.dispatcher = Dispatcher(self.ingress, self, self.clock, self.facts.append)

    async def send(
        self,
        url: str,
        headers: Sequence[tuple[str, str]],
        body: bytes,
        timeout: float,  # noqa: ASYNC109  the shape of Sender
    ) -> Answered | Unanswered:
        found = {name.lower(): value for name, value in headers}
        self.sent.append(Sent(round(self.clock.now(), 6), url, found, body))
        self.tries[url] += 1
        return self.answers.get(url, lambda _: Answered(202))(self.tries[url])

    def trigger(
        self,
        name: str,
        subscriber: str | None,
        attributes: dict[str, str] | None = None,
        policy: DeliveryPolicy = THREE,
        dead_letter_sink: str | None = None,
    ) -> None:
        self.triggers[name] = TriggerPlan(
            namespace="default",
            name=name,
            uid=name,
            attributes=attributes or {},
            subscriber=subscriber,
            policy=policy,
            dead_letter_sink=dead_letter_sink,
        )
        self.tell()

    def tell(self) -> None:
        plan = BrokerPlan(
            namespace="default", name="b", uid="b", triggers=tuple(self.triggers.values())
        )
        self.dispatcher.topology_changed(Topology({("default", "b"): plan}))

    async def event(self, *more: tuple[str, str], body: bytes = b"{}") -> int:
        headers = [*EVENT, ("Content-Type", "application/json"), *more]
        return (await self.ingress.receive("default", "b", "POST", headers, body)).status

    async def advance(self, seconds: float) -> None:
        await self.clock.sleep_until(self.clock.now() + seconds)

    def to(self, url: str) -> list[Sent]:
        return [each for each in self.sent if each.url == url]

    def outcomes(self, trigger: str) -> list[tuple[str, str]]:
        return [
            (fact.leg, fact.outcome)
            for fact in self.facts
            if isinstance(fact, DeliveryAttempted) and fact.trigger == trigger
        ]


@asynccontextmanager
async def flow() -> AsyncIterator[Flow]:
    found = Flow(LoopClock(STARTED))
    found.tell()
    async with anyio.create_task_group() as group:
        await group.start(found.dispatcher.run)
        yield found
        group.cancel_scope.cancel()


def reply(event_type: str, **headers: str) -> Answered:
    answer = [
        ("Ce-Specversion", "1.0"),
        ("Ce-Id", "r"),
        ("Ce-Source", "/r"),
        ("Ce-Type", event_type),
    ]
    return Answered(200, [*answer, *headers.items()], b"")


@on_virtual_time
async def test_every_matching_trigger_gets_the_event_once() -> None:
    async with flow() as run:
        run.trigger("a", A)
        run.trigger("b", B, {"type": "order"})
        run.trigger("c", SINK, {"type": "other"})
        assert await run.event() == 202
        await run.advance(1)
        assert (len(run.to(A)), len(run.to(B)), len(run.to(SINK))) == (1, 1, 0)
        judged = {f.trigger: f.matched for f in run.facts if isinstance(f, TriggerEvaluated)}
        assert judged == {"a": True, "b": True, "c": False}


@on_virtual_time
async def test_the_request_has_the_headers_of_the_reference() -> None:
    async with flow() as run:
        run.trigger("a", A)
        await run.event(("X-Request-Id", "r1"), ("Authorization", "secret"), ("knative-x", "y"))
        await run.advance(1)
        (sent,) = run.to(A)
        assert sent.headers["prefer"] == "reply"
        assert sent.headers["kn-namespace"] == "default"
        assert sent.headers["x-request-id"] == "r1"
        assert sent.headers["knative-x"] == "y"
        assert "authorization" not in sent.headers
        assert "ce-knativearrivaltime" in sent.headers
        assert "ce-knativebrokerttl" not in sent.headers


@on_virtual_time
async def test_a_failing_subscriber_is_tried_again_at_the_exact_times() -> None:
    async with flow() as run:
        run.trigger("a", A)
        run.answers[A] = lambda n: Answered(202 if n == 3 else 503)
        await run.event()
        await run.advance(10)
        assert [each.at for each in run.to(A)] == [0.0, 0.2, 0.6]
        assert run.outcomes("a") == [
            ("subscriber", "retrying"), ("subscriber", "retrying"), ("subscriber", "delivered"),
        ]  # fmt: skip


@on_virtual_time
async def test_what_cannot_be_delivered_goes_to_the_dead_letter_sink_with_the_reason() -> None:
    async with flow() as run:
        run.trigger("a", A, dead_letter_sink=SINK)
        run.answers[A] = lambda _: Answered(503, (), b"busy")
        await run.event()
        await run.advance(10)
        assert [each.at for each in run.to(A)] == [0.0, 0.2, 0.6, 1.4]
        (letter,) = run.to(SINK)
        assert letter.headers["ce-knativeerrordest"] == A
        assert letter.headers["ce-knativeerrorcode"] == "503"
        assert letter.headers["ce-id"] == "1"
        assert "prefer" not in letter.headers
        assert run.outcomes("a")[-1] == ("dead letter sink", "dead-lettered")


@on_virtual_time
async def test_an_answer_that_will_not_change_is_not_asked_for_again() -> None:
    async with flow() as run:
        run.trigger("a", A, dead_letter_sink=SINK)
        run.answers[A] = lambda _: Answered(400)
        await run.event()
        await run.advance(10)
        assert (len(run.to(A)), len(run.to(SINK))) == (1, 1)


@on_virtual_time
async def test_no_answer_counts_as_500() -> None:
    async with flow() as run:
        run.trigger("a", A, policy=DeliveryPolicy(), dead_letter_sink=SINK)
        run.answers[A] = lambda _: Unanswered("connection refused")
        await run.event()
        await run.advance(1)
        assert run.to(SINK)[0].headers["ce-knativeerrorcode"] == "500"


@on_virtual_time
async def test_a_reply_goes_through_the_broker_with_less_time_to_live() -> None:
    async with flow() as run:
        run.trigger("a", A, {"type": "order"})
        run.trigger("b", B, {"type": "shipped"})
        run.answers[A] = lambda _: reply("shipped")
        await run.event()
        await run.advance(1)
        assert len(run.to(A)) == 1
        assert run.to(B)[0].headers["ce-type"] == "shipped"
        assert ("reply", "delivered") in run.outcomes("a")


@on_virtual_time
async def test_a_loop_of_replies_ends_with_the_time_to_live() -> None:
    async with flow() as run:
        run.trigger("a", A, policy=DeliveryPolicy(), dead_letter_sink=SINK)
        run.answers[A] = lambda _: reply("order")
        await run.event(("Ce-Knativebrokerttl", "4"))
        await run.advance(5)
        assert len(run.to(A)) == 3
        assert len(run.to(SINK)) == 1


@on_virtual_time
async def test_a_body_that_is_no_event_is_a_failure() -> None:
    async with flow() as run:
        run.trigger("a", A, dead_letter_sink=SINK)
        run.answers[A] = lambda _: Answered(200, [("Content-Type", "text/plain")], b"thanks")
        await run.event()
        await run.advance(10)
        assert (len(run.to(A)), len(run.to(SINK))) == (4, 1)


@on_virtual_time
async def test_an_event_is_kept_until_its_subscriber_exists() -> None:
    async with flow() as run:
        run.trigger("a", None)
        for _ in range(3):
            assert await run.event() == 202
        await run.advance(3600)
        assert run.sent == []
        assert run.outcomes("a") == [("subscriber", "waiting")]
        run.trigger("a", A)
        await run.advance(1)
        assert len(run.to(A)) == 3


@on_virtual_time
async def test_an_event_that_waits_for_its_next_attempt_holds_up_no_other() -> None:
    async with flow() as run:
        run.trigger("a", A)
        run.answers[A] = lambda n: Answered(503 if n == 1 else 202)
        await run.event()
        await run.advance(0.1)
        await run.event()
        await run.advance(1)
        assert [each.at for each in run.to(A)] == [0.0, 0.1, 0.2]


@on_virtual_time
async def test_a_trigger_that_comes_later_sees_only_what_comes_later() -> None:
    async with flow() as run:
        run.trigger("a", A)
        await run.event()
        await run.advance(1)
        run.trigger("b", B)
        await run.event()
        await run.advance(1)
        assert (len(run.to(A)), len(run.to(B))) == (2, 1)


@on_virtual_time
async def test_a_deleted_trigger_gets_nothing_more() -> None:
    async with flow() as run:
        run.trigger("a", A)
        run.answers[A] = lambda _: Answered(503)
        await run.event()
        await run.advance(0.1)
        run.triggers.clear()
        run.tell()
        await run.advance(10)
        assert len(run.to(A)) == 1
