import pytest

from knlite.facts import Fact, RequestDone, SourceSent
from knlite.telemetry.live.flow import Flow
from tests.flows.conftest import JumpingLoop
from tests.unit.telemetry.eventfacts import accepted, attempted, egress
from tests.unit.telemetry.live.looked import NOW, Stage

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "asyncio", {"loop_factory": JumpingLoop}


def request(status: int = 200, service: str = "web") -> RequestDone:
    return RequestDone(NOW, "default", service, "web-00001", "web-1", "GET", status, 0.1, False)


def sent(outcome: str) -> SourceSent:
    return SourceSent(
        at=NOW,
        kind="PingSource",
        namespace="ns",
        name="ping",
        event_id="1",
        event_type="t",
        target="http://x",
        attempts=1,
        status=0,
        outcome="failed" if outcome == "failed" else "delivered",
    )


async def counts(*facts: Fact) -> dict[str, list[int]]:
    stage = Stage()
    flow = Flow(stage.live, stage.bus)
    for fact in (egress("a"), egress("b")):
        flow.note(fact)
    with stage.looking("flow") as sight:
        for fact in facts:
            stage.bus.publish(fact)
        found: dict[str, list[int]] = (await sight.next())["counts"]
        return found


async def test_requests_are_counted_by_service_and_5xx_are_failures() -> None:
    found = await counts(request(), request(500), request(404), request(service="shop"))
    assert found == {
        "Service/default/web|requests": [3, 1],
        "Service/default/shop|requests": [1, 0],
    }


@pytest.mark.parametrize(
    ("sender", "key"),
    [
        ("127.0.0.1:5123 curl/8.1", "Broker/ns/b|in:"),
        ("pingsource ns/ping", "Broker/ns/b|in:PingSource/ns/ping"),
        ("reply of trigger ns/t", "Broker/ns/b|in:Trigger/ns/t"),
        ("dead letter sink of trigger ns/t", "Broker/ns/b|in:Trigger/ns/t"),
        ("10.0.0.9:1 pingsource ns/ping", "Broker/ns/b|in:"),
        ("nosuchkind ns/ping", "Broker/ns/b|in:"),
        ("knlite send", "Broker/ns/b|in:"),
    ],
)
async def test_an_event_comes_in_from_the_object_that_sent_it_or_from_outside(
    sender: str, key: str
) -> None:
    assert (await counts(accepted(readers=(), sender=sender))) == {key: [1, 0]}


async def test_an_event_is_counted_at_each_trigger_that_wants_it() -> None:
    found = await counts(accepted(readers=("a", "b")), accepted(readers=("b", "unknown")))
    assert found["Trigger/ns/a|in"] == [1, 0]
    assert found["Trigger/ns/b|in"] == [2, 0]


async def test_each_leg_of_a_delivery_is_counted_and_what_only_waits_is_not() -> None:
    found = await counts(
        attempted(outcome="retrying"),
        attempted(outcome="failed"),
        attempted(outcome="delivered"),
        attempted(outcome="delivered", leg="reply"),
        attempted(outcome="dead-lettered", leg="dead letter sink"),
        attempted(outcome="waiting", egress="b"),
    )
    assert found == {
        "Trigger/ns/a|subscriber": [3, 2],
        "Trigger/ns/a|reply": [1, 0],
        "Trigger/ns/a|dead letter sink": [1, 0],
    }


async def test_what_sources_send_is_counted() -> None:
    assert await counts(sent("delivered"), sent("failed")) == {"PingSource/ns/ping|sends": [2, 1]}


async def test_what_an_earlier_run_took_does_not_come_in_again() -> None:
    found = await counts(accepted(again=True), request())
    assert list(found) == ["Service/default/web|requests"]


async def test_counting_ends_with_the_last_who_looks_and_begins_anew() -> None:
    stage = Stage()
    Flow(stage.live, stage.bus)
    with stage.looking("flow"):
        stage.bus.publish(request())
    stage.bus.publish(request())
    with stage.looking("flow") as sight:
        stage.bus.publish(request())
        assert await sight.next() == {"counts": {"Service/default/web|requests": [1, 0]}}
        assert await sight.nothing()
