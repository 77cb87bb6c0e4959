"""One broker or channel at work on jumping time: the real ingress, log and dispatcher.

Only HTTP is a recording sender, which answers as the test says.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import anyio

from knlite.clock import LoopClock
from knlite.dataplane.dispatcher import Dispatcher
from knlite.dataplane.eventingress import EventIngress
from knlite.dataplane.sender import Answered, Unanswered
from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.delivery import DeliveryPolicy
from knlite.eventing.filters.attributes import Attributes
from knlite.eventing.httpcodec import decode, encode_binary
from knlite.eventing.topology import Egress, Resource, ResourceKey, Topology
from knlite.eventlog.memory import MemoryEngine, MemoryLog
from knlite.eventlog.port import Engine
from knlite.facts import DeliveryAttempted, Fact, Publish

STARTED = datetime(2024, 5, 1, 12, tzinfo=UTC)
A, B, SINK = "http://a.test/", "http://b.test/", "http://sink.test/"
BROKER = "http://broker-ingress.knative-eventing.svc.cluster.local/default/main"
MAIN = ResourceKey("Broker", "default", "main")
PIPE = ResourceKey("InMemoryChannel", "default", "pipe")
RETRIES = DeliveryPolicy(retry=3, policy="exponential", delay=0.2)

Reply = Answered | Unanswered


@dataclass(frozen=True)
class Call:
    at: float
    url: str
    headers: Sequence[tuple[str, str]]
    event: CloudEvent
    timeout: float

    @property
    def id(self) -> str:
        return self.event.id


class RecordingSender:
    """Answers as *script* says, 200 without a body where it says nothing."""

    def __init__(self, clock: LoopClock) -> None:
        self.calls: list[Call] = []
        self.script: dict[str, Callable[[Call], Reply | float]] = {}
        self.until: dict[str, anyio.Event] = {}
        """What calls wait for, before they are answered."""
        self._clock = clock

    async def send(
        self,
        url: str,
        headers: Sequence[tuple[str, str]],
        body: bytes,
        timeout: float,  # noqa: ASYNC109  the signature of the contract
        ca_certs: str = "",
        also: Sequence[tuple[bytes, bytes]] = (),
    ) -> Reply:
        headers = joined(headers, also)
        event = decode(headers, body)
        assert isinstance(event, CloudEvent)
        call = Call(self._clock.now(), url, headers, event, timeout)
        self.calls.append(call)
        if url in self.until:
            await self.until[url].wait()
        answer = self.script.get(url, lambda _: Answered(200))(call)
        if isinstance(answer, float):
            await anyio.sleep(answer)
            return Answered(200)
        return answer

    def to(self, url: str) -> list[Call]:
        """What was sent to *url*."""
        return [call for call in self.calls if call.url == url]


def joined(
    headers: Sequence[tuple[str, str]], also: Sequence[tuple[bytes, bytes]]
) -> list[tuple[str, str]]:
    """All headers of a request, as text."""
    shared = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in also)
    return [*headers, *shared]


class Flow:
    """One broker ``default/main`` at work, or one channel ``default/pipe``."""

    def __init__(self, **engines: Callable[[Publish, LoopClock], Engine]) -> None:
        self.clock = LoopClock(STARTED)
        self.facts: list[Fact] = []
        self.sender = RecordingSender(self.clock)
        made = {name: make(self.facts.append, self.clock) for name, make in engines.items()}
        self.ingress = EventIngress(
            self.clock, self.facts.append, {"memory": MemoryEngine(), **made}
        )
        self.dispatcher = Dispatcher(self.ingress, self.sender, self.clock, self.facts.append)

    def triggers(self, *egresses: Egress) -> None:
        """The broker has these triggers from now on."""
        resource = Resource(
            kind="Broker", namespace="default", name="main", uid="broker", egresses=egresses
        )
        self.dispatcher.topology_changed(Topology({MAIN: resource}))

    def subscriptions(self, *egresses: Egress) -> None:
        """The channel has these subscriptions from now on."""
        resource = Resource(
            kind="InMemoryChannel", namespace="default", name="pipe", uid="pipe", egresses=egresses
        )
        self.dispatcher.topology_changed(Topology({PIPE: resource}))

    async def put(self, event: CloudEvent, *headers: tuple[str, str]) -> int:
        """Send *event* to the channel."""
        sent, body = encode_binary(event)
        answering = self.ingress.channel_at("default", "pipe")
        return (await answering("POST", "/", [*sent, *headers], body, "")).status

    async def post(self, event: CloudEvent, *headers: tuple[str, str]) -> int:
        """Send *event* to the broker."""
        sent, body = encode_binary(event)
        answer = await self.ingress.to_broker(
            "default", "main", "POST", "/default/main", [*sent, *headers], body
        )
        return answer.status

    def outcomes(self) -> list[tuple[str, int, str]]:
        return [
            (fact.leg, fact.status, fact.outcome)
            for fact in self.facts
            if isinstance(fact, DeliveryAttempted)
        ]

    def kept(self, resource: ResourceKey = MAIN) -> int:
        """How many events the log in memory still holds."""
        log = self.ingress.inbox_of(resource).log
        assert isinstance(log, MemoryLog)
        return len(log)


@asynccontextmanager
async def flowing(*egresses: Egress) -> AsyncIterator[Flow]:
    flow = Flow()
    flow.triggers(*egresses)
    async with anyio.create_task_group() as group:
        await group.start(flow.dispatcher.run)
        yield flow
        group.cancel_scope.cancel()


@asynccontextmanager
async def piping(*egresses: Egress) -> AsyncIterator[Flow]:
    flow = Flow()
    flow.subscriptions(*egresses)
    async with anyio.create_task_group() as group:
        await group.start(flow.dispatcher.run)
        yield flow
        group.cancel_scope.cancel()


async def settled() -> None:
    """Time enough for all retries of a test; it jumps."""
    await anyio.sleep(3600)


def trigger(name: str, subscriber: str | None, **changes: object) -> Egress:
    egress = Egress(
        kind="Trigger",
        namespace="default",
        name=name,
        uid=name,
        subscriber=subscriber,
        reply=BROKER,
    )
    return replace(egress, **changes)


def subscription(name: str, subscriber: str | None, **changes: object) -> Egress:
    egress = Egress(
        kind="Subscription",
        namespace="default",
        name=name,
        uid=name,
        subscriber=subscriber,
        has_subscriber=subscriber is not None,
    )
    return replace(egress, **changes)


def only(**attributes: str) -> dict[str, object]:
    """The filter of a trigger that wants just these."""
    return {"filter": Attributes(attributes), "filter_spec": str(attributes)}


def event(number: str = "1", **attributes: str) -> CloudEvent:
    least = {"specversion": "1.0", "id": number, "source": "/s", "type": "t"}
    return CloudEvent({**least, **attributes}, "text/plain", b"data")


def always(answer: Reply) -> Callable[[Call], Reply]:
    return lambda _: answer


def in_turn(*answers: Reply) -> Callable[[Call], Reply]:
    rest = iter(answers)
    return lambda _: next(rest)


def reply(event: CloudEvent, *headers: tuple[str, str]) -> Answered:
    sent, body = encode_binary(event)
    return Answered(200, [*sent, *headers], body)
