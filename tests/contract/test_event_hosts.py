"""Events at hosts of their own, through a real gateway (Eventing data plane reference §1.1, §8)."""

import random
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest

from knlite.clock import SystemClock
from knlite.dataplane.activator import Activator
from knlite.dataplane.eventingress import EventIngress
from knlite.dataplane.gateway import Gateway
from knlite.dataplane.sender import Answered, EventSender
from knlite.eventing.topology import Resource, Topology
from knlite.eventlog.memory import MemoryEngine
from knlite.eventlog.port import Cursor, Reader
from knlite.facts import EventAccepted, Fact
from knlite.serving.instance import Address

pytestmark = pytest.mark.anyio

EVENT = "ce-specversion: 1.0\r\nce-id: 1\r\nce-source: /s\r\nce-type: t\r\n"
HOST = "pipe-kn-channel.shop.svc.cluster.local"


@asynccontextmanager
async def opened() -> AsyncIterator[tuple[Address, Cursor, EventSender]]:
    """A gateway with a broker ``shop/main`` and a channel ``shop/pipe``, which has a reader."""
    clock, facts, draw = SystemClock(), list[Fact](), random.Random(1)
    ingress = EventIngress(clock, facts.append, {"memory": MemoryEngine()})
    gateway = Gateway(Activator(clock, facts.append, draw), ingress, draw, complain=print)
    broker = Resource(kind="Broker", namespace="shop", name="main", uid="1")
    channel = Resource(kind="InMemoryChannel", namespace="shop", name="pipe", uid="2")
    ingress.topology_changed(Topology({each.key: each for each in (broker, channel)}))
    cursor = ingress.inbox_of(channel.key).log.open(Reader("reader"), "start")
    listening = socket.create_server(("127.0.0.1", 0))
    sender = EventSender(gateway)
    async with anyio.create_task_group() as group:
        await group.start(gateway.run, [listening])
        yield Address(*listening.getsockname()), cursor, sender
        await sender.aclose()
        group.cancel_scope.cancel()


async def post(address: Address, host: str, path: str, method: str = "POST") -> tuple[int, str]:
    async with await anyio.connect_tcp(*address) as stream:
        await stream.send(
            f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{EVENT}"
            "Content-Length: 4\r\nConnection: close\r\n\r\ndata".encode()
        )
        answer = b""
        with anyio.fail_after(10):
            async for data in stream:
                answer += data
    return int(answer.split()[1]), answer.partition(b"\r\n\r\n")[2].decode()


@pytest.mark.parametrize(
    ("host", "path"),
    [
        (HOST, "/"),
        (f"{HOST}:8080", "/"),
        ("pipe-kn-channel.shop", "/"),
        ("pipe-kn-channel.shop.svc", "/?a=b"),
        ("imc-dispatcher.knative-eventing.svc.cluster.local", "/shop/pipe"),
        ("localhost", "/ns/shop/channels/pipe"),
        ("127.0.0.1:8080", "/ns/shop/channels/pipe"),
        # As a local process writes the host of a channel that it cannot resolve.
        ("localhost", "/ns/shop/services/pipe-kn-channel/"),
    ],
)
async def test_a_channel_has_many_addresses(host: str, path: str) -> None:
    async with opened() as (address, cursor, _):
        assert await post(address, host, path) == (202, "")
        found = cursor.take()
        assert found is not None
        assert found.record.event.data == b"data"


@pytest.mark.parametrize(
    ("host", "path", "status", "said"),
    [
        ("gone-kn-channel.shop", "/", 500, "there is no channel shop/gone\n"),
        ("localhost", "/ns/shop/channels/gone", 500, "there is no channel shop/gone\n"),
        (HOST, "/more", 500, "/more is no address of channel shop/pipe, / is\n"),
        ("imc-dispatcher.knative-eventing", "/shop", 400, "the path must be /NAMESPACE/CHANNEL\n"),
        ("localhost", "/ns/shop/brokers/gone", 404, "there is no broker shop/gone\n"),
    ],
)
async def test_who_sends_to_nowhere_is_told(host: str, path: str, status: int, said: str) -> None:
    async with opened() as (address, _, _):
        assert await post(address, host, path) == (status, said)


async def test_hosts_that_are_nobodys_get_the_usual_page() -> None:
    async with opened() as (address, _, _):
        status, text = await post(address, "pipe.shop.example.com", "/")
        assert status == 404
        assert "channel" not in text


@pytest.mark.parametrize(
    "url",
    [
        f"http://{HOST}",
        "http://pipe-kn-channel.shop/",
        "http://broker-ingress.knative-eventing.svc.cluster.local/shop/main",
        "http://broker-ingress.knative-eventing/shop/main",
    ],
)
async def test_an_event_on_its_way_needs_no_connection(url: str) -> None:
    async with opened() as (_, _, sender):
        headers = [tuple(line.split(": ")) for line in EVENT.split("\r\n") if line]
        answered = await sender.send(url, headers, b"data", 5)  # type: ignore[arg-type]
        assert isinstance(answered, Answered)
        assert answered.status == 202


async def test_who_sends_from_here_is_told_what_names_the_event_and_says_who_it_is() -> None:
    clock, facts, draw = SystemClock(), list[Fact](), random.Random(1)
    ingress = EventIngress(clock, facts.append, {"memory": MemoryEngine()})
    gateway = Gateway(Activator(clock, facts.append, draw), ingress, draw, complain=print)
    channel = Resource(kind="InMemoryChannel", namespace="shop", name="pipe", uid="2")
    ingress.topology_changed(Topology({channel.key: channel}))
    sender = EventSender(gateway)
    async with anyio.create_task_group() as group:
        await group.start(gateway.run, [socket.create_server(("127.0.0.1", 0))])
        headers = [tuple(line.split(": ")) for line in EVENT.split("\r\n") if line]
        headers.append(("User-Agent", "reply of subscription shop/s"))
        answered = await sender.send(f"http://{HOST}/", headers, b"data", 5)  # type: ignore[arg-type]
        await sender.aclose()
        group.cancel_scope.cancel()
    (fact,) = facts
    assert isinstance(fact, EventAccepted)
    assert isinstance(answered, Answered)
    assert answered.arrival == fact.arrival
    assert fact.sender == "reply of subscription shop/s"


async def test_a_host_that_is_served_later_is_known_then() -> None:
    clock, facts, draw = SystemClock(), list[Fact](), random.Random(1)
    ingress = EventIngress(clock, facts.append, {"memory": MemoryEngine()})
    gateway = Gateway(Activator(clock, facts.append, draw), ingress, draw, complain=print)
    assert not gateway.serves("transform.shop")
    gateway.event_hosts.serve("transform.shop", ingress.to_channels)
    assert gateway.serves("transform.shop")
    gateway.event_hosts.leave("transform.shop")
    assert not gateway.serves("transform.shop")


async def test_an_address_is_good_for_more_than_one_event() -> None:
    async with opened() as (address, _, _):
        for _ in range(3):
            assert await post(address, "localhost", "/ns/shop/brokers/main") == (202, "")
            assert (await post(address, "localhost", "/ns/shop/brokers/gone"))[0] == 404
