"""The way in for events (Eventing data plane reference §1.1, §1.2)."""

from datetime import UTC, datetime

import pytest

from knlite.dataplane.broker_ingress import BrokerIngress
from knlite.eventing.topology import BrokerPlan, Topology
from knlite.eventlog.memory import MemoryLog
from knlite.facts import EventAccepted, EventRefused, Fact

pytestmark = pytest.mark.anyio

EVENT = [("Ce-Specversion", "1.0"), ("Ce-Id", "1"), ("Ce-Source", "/s"), ("Ce-Type", "t")]
TTL = "Ce-Knativebrokerttl"


class StoppedClock:
    def now(self) -> float:
        return 0.0

    def wall(self) -> datetime:
        return datetime(2026, 1, 2, tzinfo=UTC)


def ingress(facts: list[Fact] | None = None, max_events: int = 10) -> BrokerIngress:
    heard = [] if facts is None else facts
    found = BrokerIngress(StoppedClock(), heard.append, lambda: MemoryLog(max_events))  # type: ignore[arg-type]  # it never waits
    plan = BrokerPlan(namespace="default", name="b", uid="u")
    found.topology_changed(Topology({("default", "b"): plan}))
    return found


@pytest.mark.parametrize(
    ("method", "namespace", "broker", "headers", "status"),
    [
        pytest.param("POST", "default", "b", EVENT, 202, id="accepted"),
        pytest.param("POST", "default", "b/", EVENT, 202, id="one slash more"),
        pytest.param("OPTIONS", "default", "b", [], 200, id="webhook handshake"),
        pytest.param("GET", "default", "b", EVENT, 405, id="method"),
        pytest.param("POST", "", "", EVENT, 404, id="no path"),
        pytest.param("POST", "default", "", EVENT, 400, id="half a path"),
        pytest.param("POST", "default", "b/c", EVENT, 400, id="too long a path"),
        pytest.param("POST", "default", "none", EVENT, 404, id="no such broker"),
        pytest.param("POST", "default", "none", [], 400, id="a bad event is told first"),
        pytest.param("POST", "default", "b", [*EVENT, ("Ce-Knativebrokerttl", "1")], 400, id="TTL"),
        pytest.param(
            "POST", "default", "b", [*EVENT, ("Ce-Knativebrokerttl", "2")], 202, id="TTL 2"
        ),
    ],
)
async def test_the_order_of_decisions(
    method: str, namespace: str, broker: str, headers: list[tuple[str, str]], status: int
) -> None:
    answer = await ingress().receive(namespace, broker, method, headers, b"")
    assert answer.status == status
    assert ("Allow", "POST, OPTIONS") in answer.headers


async def test_the_handshake_allows_every_sender() -> None:
    headers = dict((await ingress().receive("default", "b", "OPTIONS", [], b"")).headers)
    assert headers["WebHook-Allowed-Origin"] == "*"
    assert headers["WebHook-Allowed-Rate"] == "*"


async def test_a_full_log_asks_the_sender_to_come_back() -> None:
    broker = ingress(max_events=0)
    log = broker.log_of("default", "b")
    assert log is not None
    log.open("a", "start")
    answer = await broker.receive("default", "b", "POST", EVENT, b"")
    assert answer.status == 503
    assert dict(answer.headers)["Retry-After"]


async def test_what_happened_is_a_fact_with_its_reason() -> None:
    facts: list[Fact] = []
    broker = ingress(facts)
    await broker.receive("default", "b", "POST", EVENT, b"")
    await broker.receive("default", "b", "POST", [], b"")
    accepted, refused = facts
    assert isinstance(accepted, EventAccepted)
    assert (accepted.event_id, accepted.event_type) == ("1", "t")
    assert isinstance(refused, EventRefused)
    assert "not a CloudEvent" in refused.why


async def test_a_broker_that_was_made_anew_begins_empty() -> None:
    broker = ingress()
    before = broker.log_of("default", "b")
    plan = BrokerPlan(namespace="default", name="b", uid="another")
    broker.topology_changed(Topology({("default", "b"): plan}))
    assert broker.log_of("default", "b") is not before
    broker.topology_changed(Topology())
    assert broker.log_of("default", "b") is None
