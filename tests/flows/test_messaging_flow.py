"""Channels, Subscriptions, Sequences and Parallels as people write them, with events in them.

The reconcilers, the topology that follows, the ingress and the dispatcher are real; subscribers
answer as the test says (Eventing reference §5 to §7, Eventing data plane reference §2.3, §4.1).
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import anyio
import pytest

from knlite.clock import LoopClock
from knlite.dataplane.bearer import NO_TOKENS, Tokens
from knlite.dataplane.dispatcher import Dispatcher
from knlite.dataplane.eventingress import EventIngress
from knlite.dataplane.sender import Answered, Unanswered
from knlite.eventing.channels import CHANNEL_ENDING
from knlite.eventing.cloudevent import CloudEvent
from knlite.eventing.credentials import credited
from knlite.eventing.httpcodec import encode_binary
from knlite.eventing.resources import topology
from knlite.eventlog.memory import MemoryEngine
from knlite.facts import Fact
from knlite.kinds.flows.parallel import Parallel
from knlite.kinds.flows.sequence import Sequence as KnativeSequence
from knlite.kinds.messaging.subscription import Subscription
from knlite.kinds.meta import Object
from tests.flows.eventflow import (
    STARTED,
    Call,
    RecordingSender,
    always,
    event,
    joined,
    reply,
    settled,
)
from tests.unit.eventing.reconcilers.plane import FLOWS, NAMESPACE, Plane, document, ref

A, B, C, SINK, END = (f"http://{name}.test/" for name in ("a", "b", "c", "sink", "end"))


class Shop:
    """What was applied, at work; what is sent to a channel comes back in, as by the gateway."""

    def __init__(self, plane: Plane | None = None, tokens: Tokens = NO_TOKENS) -> None:
        clock = LoopClock(STARTED)
        self.facts: list[Fact] = []
        self.plane = plane or Plane()
        engines = {"memory": MemoryEngine()}
        self.ingress = EventIngress(clock, self.facts.append, engines, tokens=tokens)
        self.subscribers = RecordingSender(clock)
        self.dispatcher = Dispatcher(self.ingress, self, clock, self.facts.append, tokens=tokens)

    async def send(
        self,
        url: str,
        headers: Sequence[tuple[str, str]],
        body: bytes,
        timeout: float,  # noqa: ASYNC109  the signature of the contract
        ca_certs: str = "",
        also: Sequence[tuple[bytes, bytes]] = (),
    ) -> Answered | Unanswered:
        """The sender of the dispatcher."""
        headers = joined(headers, also)
        label, _, rest = urlsplit(url).netloc.partition(".")
        channel = label.removesuffix(CHANNEL_ENDING)
        if channel == label:
            return await self.subscribers.send(url, headers, body, timeout, ca_certs)
        answering = self.ingress.channel_at(rest.partition(".")[0], channel)
        return Answered((await answering("POST", "/", list(headers), body, "")).status)

    def apply(self, *trees: Mapping[str, object]) -> None:
        """Make it so, and tell the data plane."""
        self.plane.apply(*trees)
        self.push()

    def push(self) -> None:
        """Tell the data plane how everything is now, settled or not."""
        view = self.plane.registry.view
        self.dispatcher.topology_changed(credited(topology(view), view))

    def delete(self, kind: type[Object], name: str) -> None:
        """The same for what shall go."""
        self.plane.delete(kind, name)
        self.push()

    def answer(self, url: str, how: Callable[[Call], Answered | Unanswered]) -> None:
        """What the subscriber at *url* answers; the others say 200 and nothing."""
        self.subscribers.script[url] = how

    async def put(self, channel: str, sent: CloudEvent, *also: tuple[str, str]) -> int:
        """Send an event to *channel* and wait until everything has come to rest."""
        headers, body = encode_binary(sent)
        answering = self.ingress.channel_at(NAMESPACE, channel)
        status = (await answering("POST", "/", [*headers, *also], body, "")).status
        await settled()
        return status

    def got(self, url: str) -> list[str]:
        """The ids of the events that came to *url*."""
        return [call.id for call in self.subscribers.to(url)]


@asynccontextmanager
async def opened(
    *trees: Mapping[str, object], plane: Plane | None = None, tokens: Tokens = NO_TOKENS
) -> AsyncIterator[Shop]:
    shop = Shop(plane, tokens)
    shop.apply(*trees)
    async with anyio.create_task_group() as group:
        await group.start(shop.dispatcher.run)
        yield shop
        group.cancel_scope.cancel()


def adding(letter: str) -> Callable[[Call], Answered]:
    """Answers with the event that came, and one letter more in its id."""
    return lambda call: reply(event(call.id + letter))


def subscription(name: str, channel: dict[str, str], uri: str, **spec: object) -> dict[str, object]:
    return document("Subscription", name, channel=channel, subscriber={"uri": uri}, **spec)


async def test_a_channel_with_two_subscriptions_and_replies() -> None:
    orders, done = ref("Channel", "orders"), ref("Channel", "done")
    async with opened(
        document("Channel", "orders"),
        document("Channel", "done"),
        subscription("a", orders, A, reply={"ref": done}),
        subscription("b", orders, B, reply={"uri": END}),
        subscription("c", done, C),
    ) as shop:
        shop.answer(A, adding("a"))
        shop.answer(B, adding("b"))
        assert await shop.put("orders", event("1")) == 202
        assert (shop.got(A), shop.got(B)) == (["1"], ["1"])
        assert (shop.got(C), shop.got(END)) == (["1a"], ["1b"])
        shop.delete(Subscription, "a")
        await shop.put("orders", event("2"))
        assert (shop.got(A), shop.got(B), shop.got(C)) == (["1"], ["1", "2"], ["1a"])


def sequence(*uris: str) -> dict[str, object]:
    steps = [{"uri": uri} for uri in uris]
    return document("Sequence", "q", FLOWS, steps=steps, reply={"uri": END})


async def test_a_sequence_of_three_steps_and_what_happens_when_they_change_places() -> None:
    async with opened(sequence(A, B, C)) as shop:
        for uri, letter in ((A, "a"), (B, "b"), (C, "c")):
            shop.answer(uri, adding(letter))
        assert await shop.put("q-kn-sequence-0", event("1")) == 202
        assert shop.got(END) == ["1abc"]
        shop.apply(sequence(C, A, B))
        await shop.put("q-kn-sequence-0", event("2"))
        assert shop.got(END)[1:] == ["2cab"]
        shop.apply(sequence(B))
        await shop.put("q-kn-sequence-0", event("3"))
        assert shop.got(END)[2:] == ["3b"]
        assert await shop.put("q-kn-sequence-1", event("4")) == 500


async def test_a_step_that_answers_nothing_ends_a_sequence() -> None:
    async with opened(sequence(A, B)) as shop:
        await shop.put("q-kn-sequence-0", event("1"))
        assert (shop.got(A), shop.got(B)) == (["1"], [])


async def test_a_parallel_with_and_without_filters() -> None:
    branches = [
        {"filter": {"uri": A}, "subscriber": {"uri": B}},
        {"subscriber": {"uri": C}, "reply": {"uri": SINK}},
    ]
    async with opened(
        document("Parallel", "p", FLOWS, branches=branches, reply={"uri": END})
    ) as shop:
        shop.answer(
            A, lambda call: reply(call.event) if call.id.startswith("yes") else Answered(200)
        )
        shop.answer(B, adding("b"))
        shop.answer(C, adding("c"))
        for number in ("yes", "no"):
            assert await shop.put("p-kn-parallel", event(number)) == 202
        assert shop.got(A) == ["yes", "no"]
        assert (shop.got(B), shop.got(END)) == (["yes"], ["yesb"])
        assert (shop.got(C), shop.got(SINK)) == (["yes", "no"], ["yesc", "noc"])


@pytest.mark.parametrize(
    ("own", "letters", "tries"),
    [
        pytest.param(None, {SINK: ["1"]}, 3, id="all-the-channels"),
        pytest.param({"retry": 0}, {SINK: ["1"]}, 1, id="its-own-retries-the-channels-sink"),
        pytest.param({"deadLetterSink": {"uri": END}}, {END: ["1"]}, 1, id="its-own-sink"),
    ],
)
async def test_dead_letters_of_a_channel_and_of_a_subscription(
    own: object, letters: dict[str, list[str]], tries: int
) -> None:
    delivery = {"retry": 2, "deadLetterSink": {"uri": SINK}}
    spec = {} if own is None else {"delivery": own}
    async with opened(
        document("Channel", "orders", delivery=delivery),
        subscription("a", ref("Channel", "orders"), A, **spec),
    ) as shop:
        shop.answer(A, always(Answered(503)))
        await shop.put("orders", event("1"))
        assert len(shop.got(A)) == tries
        assert {uri: shop.got(uri) for uri in (SINK, END) if shop.got(uri)} == letters


async def test_channels_with_names_of_any_length_find_each_other() -> None:
    name = "n" * 40
    flow = sequence(A, B)
    flow["metadata"] = {"name": name, "namespace": NAMESPACE}
    async with opened(flow) as shop:
        shop.answer(A, adding("a"))
        assert await shop.put(f"{name}-kn-sequence-0", event("1")) == 202
        assert shop.got(B) == ["1a"]


async def test_what_is_deleted_takes_no_events_any_more() -> None:
    parallel = document("Parallel", "p", FLOWS, branches=[{"subscriber": {"uri": B}}])
    async with opened(sequence(A), parallel) as shop:
        shop.delete(KnativeSequence, "q")
        shop.delete(Parallel, "p")
        assert await shop.put("q-kn-sequence-0", event("1")) == 500
        assert await shop.put("p-kn-parallel", event("1")) == 500
        assert shop.ingress.resources() == ()


async def test_events_wait_for_a_subscriber_that_appears_later() -> None:
    orders = ref("Channel", "orders")
    later = document("Subscription", "a", channel=orders, subscriber={"ref": ref("Channel", "x")})
    async with opened(document("Channel", "orders"), later) as shop:
        await shop.put("orders", event("1"))
        shop.apply(document("Channel", "x"), subscription("b", ref("Channel", "x"), B))
        await shop.put("orders", event("2"))
        assert shop.got(B) == ["1", "2"]
        shop.delete(Subscription, "a")
        await shop.put("orders", event("3"))
        assert shop.got(B) == ["1", "2"]
