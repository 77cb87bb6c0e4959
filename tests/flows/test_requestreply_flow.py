"""A request that goes through a broker and comes back as a reply, on jumping time.

Eventing reference §13. The real ingress, log, dispatcher, filters and reconciler; only HTTP is
replaced, by calls.
"""

import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import anyio
import pytest
from msgspec.structs import replace as with_fields

from knlite.clock import LoopClock
from knlite.dataplane import requestreply
from knlite.dataplane.dispatcher import Dispatcher
from knlite.dataplane.eventhosts import Answer
from knlite.dataplane.eventingress import EventIngress
from knlite.dataplane.requestreply import RequestReplyIngress
from knlite.dataplane.sender import Answered, Unanswered
from knlite.eventing.authorization import Grant, Guard
from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.filters.attributes import Attributes
from knlite.eventing.filters.build import filter_of
from knlite.eventing.httpcodec import decode, encode_binary
from knlite.eventing.reconcilers.requestreply import reconcile
from knlite.eventing.requestreplies import request_replies
from knlite.eventing.topology import Egress, Resource, ResourceKey, Topology
from knlite.eventlog.memory import MemoryEngine
from knlite.facts import EventRefused, Fact
from knlite.issuer import Issuer
from knlite.kinds.addressable import Addressable
from knlite.kinds.conditions import Condition
from knlite.kinds.config.bundle import Config
from knlite.kinds.eventing.broker import Broker, BrokerStatus
from knlite.kinds.eventing.requestreply import RequestReply, RequestReplySpec, defaulted
from knlite.kinds.eventing.trigger import Trigger
from knlite.kinds.kreference import KReference
from knlite.kinds.meta import ObjectMeta
from knlite.reconcile import key_of
from tests.flows.eventflow import joined
from tests.unit.fake_view import FakeView

STARTED = datetime(2026, 1, 1, tzinfo=UTC)
SERVICE = "http://service.test/"
BROKER = "http://broker-ingress.knative-eventing.svc.cluster.local/shop/default"
MAIN = ResourceKey("Broker", "shop", "default")
PLAIN = {"specversion": "1.0", "id": "1", "source": "/caller", "type": "question"}

Service = Callable[[CloudEvent], Answered | Unanswered | float]


def answering(event: CloudEvent) -> Answered:
    """A service that repeats the correlation id as the reply id."""
    attributes = {
        "specversion": "1.0",
        "id": f"re-{event.id}",
        "source": "/service",
        "type": "answer",
        "replyid": event.attributes["correlationid"],
    }
    return Answered(200, *encode_binary(CloudEvent(attributes, "text/plain", b"42")))


def view_with(timeout: str) -> tuple[FakeView, Trigger]:
    """A RequestReply as the control plane leaves it, and the Trigger for its replies."""
    ready = (Condition(type="Ready", status="True"),)
    meta = ObjectMeta(name="default", namespace="shop")
    status = BrokerStatus(conditions=ready, address=Addressable(url=BROKER))
    broker = Broker(metadata=meta, status=status)
    ref = KReference(api_version="eventing.knative.dev/v1", kind="Broker", name="default")
    meta = ObjectMeta(name="ask", namespace="shop", uid="uid-1")
    spec = RequestReplySpec(broker_ref=ref, timeout=timeout)
    obj = defaulted(RequestReply(metadata=meta, spec=spec), None, Config())
    view = FakeView(broker, obj)
    view.apply(reconcile(key_of(obj), view, STARTED))
    (trigger,) = view.listed(Trigger, "shop")
    view.put(with_fields(trigger, status=with_fields(trigger.status, conditions=ready)))
    return view, trigger


class Flow:
    """A broker with a service and a RequestReply."""

    def __init__(self, service: Service, timeout: str) -> None:
        self.clock = LoopClock(STARTED)
        self.facts: list[Fact] = []
        self.seen: list[CloudEvent] = []
        self._service = service
        self.ingress = EventIngress(self.clock, self.facts.append, {"memory": MemoryEngine()})
        self.dispatcher = Dispatcher(self.ingress, self, self.clock, self.facts.append)
        self.issuer = Issuer(self.clock.wall)
        self.requests = RequestReplyIngress(
            self.ingress, self.clock, random.Random(1), self.facts.append, self.issuer
        )
        view, self.trigger = view_with(timeout)
        self.plans = request_replies(view)
        self.requests.request_replies_changed(self.plans)
        question = Egress(
            kind="Trigger",
            namespace="shop",
            name="service",
            uid="service",
            filter=Attributes({"type": "question"}),
            subscriber=SERVICE,
            reply=BROKER,
        )
        replies = replace(
            question,
            name="replies",
            uid="replies",
            filter=filter_of(self.trigger.spec),
            subscriber=self.trigger.spec.subscriber.uri,
        )
        resource = Resource(
            kind="Broker", namespace="shop", name="default", uid="b", egresses=(question, replies)
        )
        self.dispatcher.topology_changed(Topology({MAIN: resource}))
        self.ingress.topology_changed(Topology({MAIN: resource}))

    async def send(
        self,
        url: str,
        headers: Sequence[tuple[str, str]],
        body: bytes,
        timeout: float,  # noqa: ASYNC109  the signature of the contract
        ca_certs: str = "",
        also: Sequence[tuple[bytes, bytes]] = (),
    ) -> Answered | Unanswered:
        headers = joined(headers, also)
        if url != SERVICE:
            path = url.partition("svc.cluster.local")[2]
            answer = await self.requests.receive("POST", path, headers, body, "")
            return Answered(answer.status, answer.headers, answer.body)
        event = decode(headers, body)
        assert isinstance(event, CloudEvent)
        self.seen.append(event)
        answered = self._service(event)
        if isinstance(answered, float):
            await anyio.sleep(answered)
            return answering(event)
        return answered

    async def ask(self, path: str = "/shop/ask", token: str = "", **attributes: str) -> Answer:
        headers, body = encode_binary(CloudEvent({**PLAIN, **attributes}))
        if token:
            headers.append(("Authorization", f"Bearer {token}"))
        return await self.requests.receive("POST", path, headers, body, "127.0.0.1:5000")


@asynccontextmanager
async def flowing(service: Service, held: str = "PT30S") -> AsyncIterator[Flow]:
    flow = Flow(service, held)
    async with anyio.create_task_group() as group:
        await group.start(flow.dispatcher.run)
        yield flow
        group.cancel_scope.cancel()


async def test_the_reply_is_the_answer() -> None:
    async with flowing(answering) as flow:
        answer = await flow.ask()
    assert answer.status == 200
    reply = decode(answer.headers, answer.body)
    assert isinstance(reply, CloudEvent)
    assert (reply.id, reply.type, reply.data) == ("re-1", "answer", b"42")
    (event,) = flow.seen
    assert event.attributes["correlationid"].startswith("1:")
    assert reply.attributes["replyid"] == event.attributes["correlationid"]


async def test_requests_with_the_same_id_each_get_their_own_reply() -> None:
    answers: list[Answer] = []
    async with flowing(answering) as flow, anyio.create_task_group() as group:

        async def ask() -> None:
            answers.append(await flow.ask())

        for _ in range(5):
            group.start_soon(ask)
    assert [answer.status for answer in answers] == [200] * 5
    assert len({event.attributes["correlationid"] for event in flow.seen}) == 5


async def test_without_a_reply_the_answer_is_504_after_the_timeout() -> None:
    async with flowing(lambda _: Answered(202), "PT5S") as flow:
        began = flow.clock.now()
        answer = await flow.ask()
        assert flow.clock.now() - began == pytest.approx(5, abs=0.001)
    assert (answer.status, answer.body) == (504, b"no reply has come within 5 s\n")


async def test_a_reply_that_comes_too_late_is_taken_and_goes_to_nobody() -> None:
    async with flowing(lambda _: 8.0, "PT5S") as flow:
        assert (await flow.ask()).status == 504
        await anyio.sleep(60)
        assert (await flow.ask(id="2")).status == 504


async def test_a_reply_that_somebody_has_made_up_goes_to_nobody() -> None:
    async with flowing(lambda _: Answered(202), "PT5S") as flow:
        forged = await flow.ask("/shop/ask/reply", replyid="1:AAAA:0")
        assert forged.status == 400
        assert (await flow.ask("/shop/ask/reply")).status == 400


async def test_one_who_leaves_gives_the_place_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requestreply, "MOST_WAITING", 1)
    async with flowing(lambda _: Answered(202)) as flow:
        with anyio.move_on_after(1):
            await flow.ask()
        async with anyio.create_task_group() as group:
            group.start_soon(flow.ask)
            await anyio.sleep(1)
            answer = await flow.ask(id="2")
            assert answer.status == 503
            assert ("Retry-After", "1") in answer.headers
            group.cancel_scope.cancel()


async def test_a_broker_that_is_gone_is_no_fault_of_the_client() -> None:
    async with flowing(answering) as flow:
        flow.ingress.topology_changed(Topology())
        answer = await flow.ask()
    assert (answer.status, answer.body) == (500, b"there is no broker shop/default\n")


async def test_what_is_no_request_is_refused() -> None:
    async with flowing(answering) as flow:
        receive = flow.requests.receive
        assert (await receive("OPTIONS", "/shop/ask", (), b"", "")).status == 200
        assert (await receive("GET", "/shop/ask", (), b"", "")).status == 405
        assert (await receive("POST", "/", (), b"", "")).status == 404
        assert (await receive("POST", "/shop", (), b"", "")).status == 400
        assert (await receive("POST", "/shop/ask", (), b"", "")).status == 400
        assert (await flow.ask("/shop/other")).status == 404


async def test_one_that_is_guarded_asks_for_a_token_and_for_what_its_broker_asks() -> None:
    audience = "eventing.knative.dev/requestreply/shop/ask"
    grant = Grant("p", ("system:serviceaccount:shop:web",))
    guard = Guard(audience, "shop", "allow-all", (grant,))
    async with flowing(answering) as flow:
        plans = {key: replace(plan, guard=guard) for key, plan in flow.plans.items()}
        flow.requests.request_replies_changed(plans)
        assert (await flow.ask()).status == 401
        mail = flow.issuer.issue("shop", "mail", [audience])
        assert (await flow.ask(token=mail)).status == 403
        web = flow.issuer.issue("shop", "web", [audience])
        assert (await flow.ask(token=web)).status == 200
        refused = [fact for fact in flow.facts if isinstance(fact, EventRefused)]
    assert [(fact.kind, fact.status) for fact in refused] == [
        ("RequestReply", 401),
        ("RequestReply", 403),
    ]
