"""The order in which a broker decides (Eventing data plane reference §1.1, §1.2)."""

from datetime import UTC, datetime, timedelta

import pytest

from knlite.clock import LoopClock
from knlite.dataplane.eventhosts import Answer
from knlite.dataplane.eventingress import EventIngress
from knlite.eventing.topology import Resource, ResourceKey, Topology
from knlite.eventlog.bounds import Bounds
from knlite.eventlog.memory import MemoryEngine
from knlite.eventlog.port import Cursor, Reader
from knlite.facts import EventAccepted, EventRefused, Fact

MAIN = ResourceKey("Broker", "default", "main")
NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
GOOD = [("ce-specversion", "1.0"), ("ce-id", "1"), ("ce-source", "/s"), ("ce-type", "t")]
BAD = GOOD[:-1]


class Entrance:
    """A broker ``default/main`` whose log holds two events, with one reader."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        engines = {"memory": MemoryEngine(Bounds(queued_events=2))}
        self.ingress = EventIngress(LoopClock(NOW), self.facts.append, engines)
        self.appoint("uid")
        self.cursor = self.reader()

    def appoint(self, uid: str) -> None:
        resource = Resource(kind="Broker", namespace="default", name="main", uid=uid)
        self.ingress.topology_changed(Topology({MAIN: resource}))

    def reader(self) -> Cursor:
        return self.ingress.inbox_of(MAIN).log.open(Reader("reader"), "start")

    async def ask(
        self,
        method: str = "POST",
        namespace: str = "default",
        broker: str = "main",
        headers: list[tuple[str, str]] = GOOD,
        body: bytes = b"",
    ) -> Answer:
        return await self.ingress.to_broker(namespace, broker, method, "", headers, body)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def entrance(anyio_backend: str) -> Entrance:
    return Entrance()


async def test_an_event_is_kept_before_it_is_accepted(entrance: Entrance) -> None:
    answer = await entrance.ask(
        headers=[*GOOD, ("X-Request-Id", "r"), ("Cookie", "c"), ("ce-knativebrokerttl", "9")],
        body=b"data",
    )
    assert (answer.status, answer.body) == (202, b"")
    found = entrance.cursor.take()
    assert found is not None
    record = found.record
    attributes = dict(record.event.attributes)
    arrival = datetime.fromisoformat(attributes.pop("knativearrivaltime"))
    assert abs(arrival - NOW) < timedelta(minutes=1)
    assert attributes == {"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}
    assert record.event.data == b"data"
    assert record.ttl == 8
    assert record.headers[:-1] == (("X-Request-Id", "r"),)
    assert record.headers[-1][0] == "traceparent"
    (fact,) = entrance.facts
    assert isinstance(fact, EventAccepted)
    assert (fact.arrival, fact.attributes["id"]) == (record.arrival, "1")
    assert fact.readers == ("reader",)


@pytest.mark.parametrize(
    ("method", "namespace", "broker", "headers", "status"),
    [
        pytest.param("OPTIONS", "default", "main", GOOD, 200, id="options"),
        pytest.param("OPTIONS", "", "", BAD, 200, id="options wins over all"),
        pytest.param("GET", "default", "main", GOOD, 405, id="method"),
        pytest.param("PUT", "", "", BAD, 405, id="method before path"),
        pytest.param("POST", "", "", GOOD, 404, id="root"),
        pytest.param("POST", "", "", BAD, 404, id="root before event"),
        pytest.param("POST", "default", "", GOOD, 400, id="one segment"),
        pytest.param("POST", "default", "main/more", GOOD, 400, id="three segments"),
        pytest.param("POST", "default", "main//", GOOD, 400, id="two trailing slashes"),
        pytest.param("POST", "default", "main/", GOOD, 202, id="one trailing slash"),
        pytest.param("POST", "default", "main", BAD, 400, id="event"),
        pytest.param("POST", "default", "other", BAD, 400, id="event before broker"),
        pytest.param("POST", "default", "other", GOOD, 404, id="broker"),
        pytest.param("POST", "other", "main", GOOD, 404, id="namespace"),
        pytest.param("POST", "default", "main?x=y", GOOD, 404, id="query is part of the name"),
        pytest.param(
            "POST", "default", "other", [*GOOD, ("ce-knativebrokerttl", "1")], 404,
            id="broker before time to live",
        ),
        pytest.param(
            "POST", "default", "main", [*GOOD, ("ce-knativebrokerttl", "1")], 400,
            id="time to live",
        ),
        pytest.param(
            "POST", "default", "main", [*GOOD, ("ce-knativebrokerttl", "2")], 202,
            id="time to live for one round",
        ),
    ],
)  # fmt: skip
async def test_the_order_of_decisions(
    entrance: Entrance,
    method: str,
    namespace: str,
    broker: str,
    headers: list[tuple[str, str]],
    status: int,
) -> None:
    answer = await entrance.ask(method, namespace, broker, headers)
    assert answer.status == status
    assert ("Allow", "POST, OPTIONS") in answer.headers
    assert (entrance.cursor.take() is not None) is (status == 202)
    refusals = [fact.status for fact in entrance.facts if isinstance(fact, EventRefused)]
    assert refusals == ([status] if status >= 400 else [])
    assert bool(answer.body) is (status >= 400)


async def test_options_allow_webhooks_from_anywhere(entrance: Entrance) -> None:
    headers = dict((await entrance.ask("OPTIONS")).headers)
    assert headers["WebHook-Allowed-Origin"] == "*"
    assert headers["WebHook-Allowed-Rate"] == "*"


async def test_a_full_log_asks_the_sender_to_come_back(entrance: Entrance) -> None:
    assert [(await entrance.ask()).status for _ in range(2)] == [202, 202]
    answer = await entrance.ask()
    assert answer.status == 503
    assert dict(answer.headers)["Retry-After"] == "1"
    refused = entrance.facts[-1]
    assert isinstance(refused, EventRefused)
    assert (refused.status, refused.event_id) == (503, "1")
    found = entrance.cursor.take()
    assert found is not None
    entrance.cursor.done(found.position)
    assert (await entrance.ask()).status == 202


async def test_a_broker_that_is_gone_is_unknown(entrance: Entrance) -> None:
    entrance.ingress.topology_changed(Topology())
    assert (await entrance.ask()).status == 404


async def test_a_broker_that_has_just_come_or_gone_is_heard_of_first(entrance: Entrance) -> None:
    entrance.ingress.topology_changed(Topology())
    entrance.ingress.ask_first(lambda: entrance.appoint("new"))
    assert (await entrance.ask()).status == 202
    entrance.ingress.ask_first(lambda: entrance.ingress.topology_changed(Topology()))
    assert (await entrance.ask()).status == 404


async def test_a_broker_keeps_its_events_until_it_is_replaced(entrance: Entrance) -> None:
    await entrance.ask()
    entrance.appoint("uid")
    assert entrance.reader().take() is not None
    await entrance.ask()
    entrance.appoint("another")
    assert entrance.reader().take() is None


# Channels.


class Channel:
    """A channel ``default/pipe`` with one reader."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.ingress = EventIngress(
            LoopClock(NOW), self.facts.append, {"memory": MemoryEngine(Bounds(queued_events=2))}
        )
        key = ResourceKey("InMemoryChannel", "default", "pipe")
        resource = Resource(
            kind="InMemoryChannel", namespace="default", name="pipe", uid="uid", engine="sqlite"
        )
        self.ingress.topology_changed(Topology({key: resource}))
        self.cursor = self.ingress.inbox_of(key).log.open(Reader("reader"), "start")

    async def by_host(self, method: str, name: str, path: str, *headers: tuple[str, str]) -> Answer:
        answering = self.ingress.channel_at("default", name)
        return await answering(method, path, headers, b"data", "127.0.0.1:5")

    async def by_path(self, method: str, path: str, *headers: tuple[str, str]) -> Answer:
        return await self.ingress.to_channels(method, path, headers, b"data", "127.0.0.1:5")


@pytest.fixture
async def channel(anyio_backend: str) -> Channel:
    return Channel()


async def test_a_channel_keeps_an_event_as_it_came(channel: Channel) -> None:
    own = ("ce-knativebrokerttl", "9")
    answer = await channel.by_host("POST", "pipe", "/", *GOOD, own, ("User-Agent", "curl/8"))
    assert (answer.status, answer.body) == (202, b"")
    found = channel.cursor.take()
    assert found is not None
    assert found.record.event.attributes == {
        "specversion": "1.0",
        "id": "1",
        "source": "/s",
        "type": "t",
        "knativebrokerttl": "9",
    }
    (fact,) = channel.facts
    assert isinstance(fact, EventAccepted)
    assert (fact.kind, fact.name, fact.sender) == (
        "InMemoryChannel", "pipe", "127.0.0.1:5 curl/8",
    )  # fmt: skip
    assert answer.arrival == fact.arrival


@pytest.mark.parametrize(
    ("method", "name", "path", "headers", "status", "allow"),
    [
        pytest.param("POST", "other", "/", GOOD, 500, False, id="unknown channel"),
        pytest.param("GET", "other", "/", GOOD, 500, False, id="unknown before method"),
        pytest.param("OPTIONS", "other", "/", GOOD, 500, False, id="unknown before webhook"),
        pytest.param("OPTIONS", "pipe", "/", BAD, 200, True, id="webhook"),
        pytest.param("PUT", "pipe", "/", GOOD, 405, True, id="method"),
        pytest.param("POST", "pipe", "/", BAD, 400, True, id="event"),
        pytest.param("POST", "pipe", "/more", GOOD, 500, False, id="path"),
        pytest.param("POST", "pipe", "/?a=b", GOOD, 202, True, id="query"),
    ],
)
async def test_the_order_in_which_a_channel_decides(
    channel: Channel,
    method: str,
    name: str,
    path: str,
    headers: list[tuple[str, str]],
    status: int,
    allow: bool,
) -> None:
    answer = await channel.by_host(method, name, path, *headers)
    assert answer.status == status
    assert (("Allow", "POST, OPTIONS") in answer.headers) is allow
    assert bool(answer.body) is (status >= 400)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        pytest.param("/default/pipe", 202, id="channel"),
        pytest.param("/default/pipe/", 202, id="trailing slash"),
        pytest.param("/default/other", 500, id="unknown channel"),
        pytest.param("/default", 400, id="one segment"),
        pytest.param("/default/pipe/more", 400, id="three segments"),
        pytest.param("/", 400, id="root"),
    ],
)
async def test_the_host_of_all_channels(channel: Channel, path: str, status: int) -> None:
    assert (await channel.by_path("POST", path, *GOOD)).status == status


async def test_arrivals_rise_also_when_the_time_of_day_does_not(entrance: Entrance) -> None:
    arrivals = [(await entrance.ask()).arrival for _ in range(2)]
    assert arrivals == sorted(set(arrivals))
