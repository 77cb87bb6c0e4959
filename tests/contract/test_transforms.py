"""Eventing reference §13: what an EventTransform answers, with real expressions."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import anyio
import pytest

from knlite.clock import LoopClock
from knlite.dataplane import transforms as transforms_module
from knlite.dataplane.eventhosts import Answer
from knlite.dataplane.sender import Answered, Unanswered
from knlite.dataplane.transforms import EventTransforms
from knlite.eventing.authorization import Guard
from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.httpcodec import decode
from knlite.eventing.transforms import TransformPlan
from knlite.facts import EventRefused, Fact
from knlite.issuer import Issuer

SINK = "http://sink.example"
CALL = '{"specversion": "1.0", "id": id, "source": source, "type": type & ".loud"}'
LOUD = {"specversion": "1.0", "id": "1", "source": "/s", "type": "a.loud"}
EVENT_TYPE = ("Content-Type", "application/cloudevents+json")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Sink:
    """Stands for the network: answers with what it is told to, and keeps what it has been sent."""

    def __init__(self, outcome: Answered | Unanswered) -> None:
        self.outcome = outcome
        self.sent: list[tuple[str, dict[str, str], bytes]] = []

    async def send(
        self,
        url: str,
        headers: Sequence[tuple[str, str]],
        body: bytes,
        timeout: float,  # noqa: ASYNC109
        ca_certs: str = "",
        also: Sequence[tuple[bytes, bytes]] = (),
    ) -> Answered | Unanswered:
        self.sent.append((url, dict(headers), body))
        return self.outcome


@asynccontextmanager
async def serving(plan: TransformPlan, sink: Sink | None = None) -> AsyncIterator[EventTransforms]:
    clock = LoopClock(datetime(2026, 1, 1, tzinfo=UTC))
    facts: list[Fact] = []
    network = sink or Sink(Unanswered("there is no network"))
    transforms = EventTransforms(network, clock, facts.append)
    transforms.transforms_changed({"shout-jsonata.shop": plan})
    async with anyio.create_task_group() as group:
        await group.start(transforms.run)
        with anyio.fail_after(30):
            yield transforms
        group.cancel_scope.cancel()


async def post(transforms: EventTransforms, token: str = "") -> Answer:
    headers = [("Ce-Specversion", "1.0"), ("Ce-Id", "1"), ("Ce-Source", "/s"), ("Ce-Type", "a")]
    if token:
        headers.append(("Authorization", f"Bearer {token}"))
    return await transforms.at("shop", "shout")("POST", "/", headers, b"", "")


async def answer(plan: TransformPlan, sink: Sink | None = None) -> Answer:
    async with serving(plan, sink) as transforms:
        return await post(transforms)


async def test_without_a_sink_the_result_is_the_answer() -> None:
    found = await answer(TransformPlan(expression=CALL))
    assert (found.status, tuple(found.headers)) == (200, (EVENT_TYPE,))
    assert json.loads(found.body) == LOUD


async def test_jsonata_direct() -> None:
    """Upstream's feature of that name (``test/rekt/features/eventtransform``)."""
    expression = """
{
    "specversion": "1.0",
    "id": id,
    "type": "transformed-event",
    "source": source,
    "reason": data.reason,
    "message": data.message,
\t"kind": "input",
    "data": $
}
"""
    headers = [
        ("Ce-Specversion", "1.0"),
        ("Ce-Id", "1"),
        ("Ce-Source", "my-source"),
        ("Ce-Type", "my-type"),
        ("Ce-Time", "2026-01-01T00:00:00Z"),
        ("Content-Type", "application/json"),
    ]
    async with serving(TransformPlan(expression=expression)) as transforms:
        at = transforms.at("shop", "shout")
        body = b'{"reason": "test-reason", "message": "test-message"}'
        found = await at("POST", "/", headers, body, "")
    event = decode(found.headers, found.body)
    assert isinstance(event, CloudEvent)
    assert (event.id, event.source, event.type) == ("1", "my-source", "transformed-event")
    assert event.attributes["reason"] == "test-reason"
    assert event.attributes["message"] == "test-message"
    data = json.loads(event.data or b"")
    assert (data["type"], data["data"]["reason"]) == ("my-type", "test-reason")


async def test_jsonata_sink_reply_transform() -> None:
    """The same of that name: the answer keeps what the sink says, with an extension."""
    reply = (
        '{"specversion": "1.0", "id": id, "type": type, "source": source, "kind": kind, "data": $}'
    )
    said = [
        ("ce-specversion", "1.0"),
        ("ce-id", "2"),
        ("ce-source", "reply-source"),
        ("ce-type", "reply-type"),
        ("ce-kind", "made"),
        ("content-type", "application/json"),
    ]
    sink = Sink(Answered(200, said, b'{"reason": "reply-reason"}'))
    found = await answer(TransformPlan(expression=CALL, sink=SINK, reply=reply), sink)
    event = decode(found.headers, found.body)
    assert isinstance(event, CloudEvent)
    assert (event.source, event.type) == ("reply-source", "reply-type")
    assert event.attributes["kind"] == "made"
    assert b"reply-reason" in (event.data or b"")


async def test_with_a_sink_the_result_goes_there_and_its_answer_comes_back() -> None:
    sink = Sink(Answered(201, [("ce-id", "2"), ("Content-Type", "a/b"), ("X-Other", "1")], b"hi"))
    found = await answer(TransformPlan(expression=CALL, sink=SINK), sink)
    assert found == Answer(201, (("ce-id", "2"), ("Content-Type", "a/b")), b"hi")
    ((url, headers, body),) = sink.sent
    assert (url, headers["Content-Type"], json.loads(body)) == (SINK, EVENT_TYPE[1], LOUD)
    assert "traceparent" in headers


async def test_the_sinks_answer_is_transformed() -> None:
    sink = Sink(Answered(202, [("Content-Type", "application/json")], b'{"n": 1}'))
    plan = TransformPlan(expression=CALL, sink=SINK, reply='{"m": n + 1}')
    found = await answer(plan, sink)
    assert found == Answer(202, (("Content-Type", "application/json"),), b'{"m":2}')


async def test_the_sinks_answer_is_dropped_but_for_its_status() -> None:
    sink = Sink(Answered(503, [("Content-Type", "a/b")], b"no"))
    found = await answer(TransformPlan(expression=CALL, sink=SINK, discard=True), sink)
    assert found == Answer(503)


@pytest.mark.parametrize(
    ("plan", "outcome", "why"),
    [
        pytest.param(
            TransformPlan(expression="data"), Unanswered(""), "it is undefined", id="no result"
        ),
        pytest.param(
            TransformPlan(expression=CALL, sink=SINK),
            Unanswered("connection refused"),
            "does not answer: connection refused",
            id="no sink",
        ),
        pytest.param(
            TransformPlan(expression=CALL, sink=SINK),
            Answered(302, [("Location", "/elsewhere")]),
            "answers with a redirect (302)",
            id="redirect",
        ),
        pytest.param(
            TransformPlan(expression=CALL, sink=SINK, reply='$error("ach")'),
            Answered(200),
            "ach",
            id="no reply",
        ),
    ],
)
async def test_what_fails_is_500_with_its_reason(
    plan: TransformPlan, outcome: Answered | Unanswered, why: str
) -> None:
    found = await answer(plan, Sink(outcome))
    assert found.status == 500
    assert why in dict(found.headers)["Reason"]
    assert why in found.body.decode()


async def test_only_post_to_the_root_is_a_transformation() -> None:
    async with serving(TransformPlan(expression=CALL)) as transforms:
        at = transforms.at("shop", "shout")
        assert (await at("GET", "/readyz", (), b"", "")).body == b"READY"
        assert (await at("GET", "/healthz", (), b"", "")).body == b"OK"
        for method, path in (("GET", "/"), ("POST", "/else"), ("PUT", "/")):
            found = await at(method, path, (), b"", "")
            assert found.status == 404
        other = transforms.at("shop", "other")
        assert (await other("POST", "/", (), b"", "")).status == 404


async def test_requests_that_wait_are_bounded_by_their_bytes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transforms_module, "MOST_BYTES", 100)
    async with serving(TransformPlan(expression=CALL)) as transforms:
        statuses: list[int] = []

        async def send(size: int) -> None:
            found = await transforms.at("shop", "shout")("POST", "/", (), b"1" * size, "")
            statuses.append(found.status)

        async with anyio.create_task_group() as group:
            for size in (200, 1, 200):
                group.start_soon(send, size)
        await send(200)
    assert sorted(statuses) == [200, 200, 503, 503]


async def test_a_changed_expression_counts_at_once() -> None:
    async with serving(TransformPlan(expression='{"n": 1}')) as transforms:
        assert (await post(transforms)).body == b'{"n":1}'
        transforms.transforms_changed({"shout-jsonata.shop": TransformPlan(expression='{"n": 2}')})
        assert (await post(transforms)).body == b'{"n":2}'
        transforms.transforms_changed({})
        assert (await post(transforms)).status == 404


async def test_one_that_is_guarded_asks_for_a_token_and_sends_one() -> None:
    issuer = Issuer(lambda: datetime(2026, 1, 1, tzinfo=UTC))
    facts: list[Fact] = []
    sink = Sink(Answered(202))
    audience = "eventing.knative.dev/eventtransform/shop/shout"
    plan = TransformPlan(
        expression=CALL,
        sink="http://sink.test/",
        whose=("shop", "shout"),
        guard=Guard(audience, "shop", "allow-same-namespace"),
        account="shout-oidc",
        audience="sink",
    )
    transforms = EventTransforms(
        sink, LoopClock(datetime(2026, 1, 1, tzinfo=UTC)), facts.append, issuer
    )
    transforms.transforms_changed({"shout-jsonata.shop": plan})
    async with anyio.create_task_group() as group:
        await group.start(transforms.run)
        with anyio.fail_after(30):
            assert (await post(transforms)).status == 401
            assert (await post(transforms, issuer.issue("other", "web", [audience]))).status == 403
            assert (await post(transforms, issuer.issue("shop", "web", [audience]))).status == 202
        group.cancel_scope.cancel()
    assert [fact.status for fact in facts if isinstance(fact, EventRefused)] == [401, 403]
    ((_, headers, _),) = sink.sent
    token = headers["Authorization"].removeprefix("Bearer ")
    assert issuer.subject(token, "sink") == "system:serviceaccount:shop:shout-oidc"
