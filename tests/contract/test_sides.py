"""Two sides of one gateway: outside and inside (Knative reference §5.2, trap 26; ADR 0015)."""

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
from knlite.facts import Fact
from knlite.kinds.serving.ingress import Ingress, IngressSpec, Rule, Split
from knlite.serving.instance import Address, RevisionName, RevisionSettings, Sample
from knlite.serving.routingtable import routing_table

pytestmark = pytest.mark.anyio

WEB, HIDDEN = RevisionName("default", "web-00001"), RevisionName("default", "hidden-00001")
LISTING = (("Service default/web", "http://web.default.localhost:8080"),)


class Asked:
    """Which revisions were asked for; none of them has an instance."""

    def __init__(self) -> None:
        self.revisions: list[RevisionName] = []

    def waiting(self, revision: RevisionName) -> None:
        self.revisions.append(revision)

    def demand(self, revision: RevisionName, sample: Sample) -> None:
        pass


def rules(name: str, *public: str) -> Ingress:
    splits = (Split(service_namespace="default", service_name=f"{name}-00001", percent=100),)
    hosts = tuple(f"{name}.default{suffix}" for suffix in ("", ".svc", ".svc.cluster.local"))
    inner = Rule(hosts=hosts, visibility="ClusterLocal", splits=splits)
    return Ingress(
        spec=IngressSpec(rules=(inner, *(Rule(hosts=(each,), splits=splits) for each in public)))
    )


@asynccontextmanager
async def opened(
    gateways: list[Gateway] | None = None, front: tuple[str, str] | None = None
) -> AsyncIterator[tuple[Address, Address, Asked]]:
    """A gateway: where it listens for those outside and those inside, and who was asked for."""
    clock, facts, draw = SystemClock(), list[Fact](), random.Random(1)
    activator = Activator(clock, facts.append, draw)
    events = EventIngress(clock, facts.append, {})
    gateway = Gateway(activator, events, draw, complain=print, front=front)
    if gateways is not None:
        gateways.append(gateway)
    mapped = Rule(hosts=("shop.example.com",), rewrite_host="hidden.default.svc.cluster.local")
    ingresses = [
        rules("web", "web.default.localhost"),
        rules("hidden"),
        Ingress(spec=IngressSpec(rules=(mapped,))),
    ]
    table = routing_table(ingresses, {}, {}, [], frozenset((WEB, HIDDEN)))
    gateway.routes_changed(table, LISTING)
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    outer, inner = (Address(*each.getsockname()) for each in sockets)
    asked = Asked()
    activator.report_to(asked)
    for revision in (WEB, HIDDEN):
        activator.settings_changed(revision, RevisionSettings(service="", timeout=0.05))
    async with anyio.create_task_group() as group:
        await group.start(activator.run)
        await group.start(gateway.run, sockets, frozenset((inner,)))
        yield outer, inner, asked
        group.cancel_scope.cancel()


async def ask(address: Address, host: str, path: str = "/") -> tuple[int, str]:
    async with await anyio.connect_tcp(*address) as stream:
        await stream.send(
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
        )
        answer = b""
        with anyio.fail_after(10):
            async for data in stream:
                answer += data
    return int(answer.split()[1]), answer.partition(b"\r\n\r\n")[2].decode()


@pytest.mark.parametrize(
    ("host", "path", "outside", "inside"),
    [
        ("web.default.localhost", "/", WEB, WEB),
        ("web.default", "/", None, WEB),
        ("web.default.svc", "/", None, WEB),
        ("web.default.svc.cluster.local", "/", None, WEB),
        ("hidden.default.svc.cluster.local", "/", None, HIDDEN),
        ("hidden-00001.default.svc.cluster.local", "/", None, HIDDEN),
        ("hidden-00001.default", "/", None, HIDDEN),
        ("other-00001.default.svc.cluster.local", "/", None, None),
        ("localhost", "/ns/default/services/web/x", WEB, WEB),
        ("localhost", "/ns/default/services/hidden/x", None, HIDDEN),
        ("localhost", "/ns/default/services/hidden-00001/x", None, HIDDEN),
        ("shop.example.com", "/", HIDDEN, HIDDEN),
    ],
)
async def test_names_of_the_cluster_are_known_inside_only(
    host: str, path: str, outside: RevisionName | None, inside: RevisionName | None
) -> None:
    async with opened() as (outer, inner, asked):
        for address, expected in ((outer, outside), (inner, inside)):
            asked.revisions.clear()
            status, _ = await ask(address, host, path)
            # One that is held gets its timeout, since nothing starts here.
            assert (status, asked.revisions) == ((504, [expected]) if expected else (404, []))


@pytest.mark.parametrize(
    ("host", "path", "outside", "inside"),
    [
        ("localhost:8080", "/any/path", HIDDEN, None),
        ("192.0.2.7", "/", HIDDEN, None),
        ("localhost", "/ns/default/services/web/x", HIDDEN, WEB),
        ("web.default.localhost", "/", WEB, WEB),
    ],
)
async def test_who_comes_from_outside_for_nobody_gets_the_service_in_front(
    host: str, path: str, outside: RevisionName, inside: RevisionName | None
) -> None:
    async with opened(front=("default", "hidden")) as (outer, inner, asked):
        for address, expected in ((outer, outside), (inner, inside)):
            asked.revisions.clear()
            await ask(address, host, path)
            assert asked.revisions == ([expected] if expected else [])


async def test_until_the_service_in_front_is_there_nobody_takes_a_page_for_it() -> None:
    async with opened(front=("default", "to-come")) as (outer, _, _):
        status, text = await ask(outer, "127.0.0.1:8080")
        assert (status, text) == (503, "it is not ready yet\n")


async def test_who_asks_from_outside_is_told_where_to_go() -> None:
    async with opened() as (outer, _, _):
        _, text = await ask(outer, "web.default.svc.cluster.local:8080")
        assert text == (
            "web.default.svc.cluster.local is a name inside the cluster: only services reach it,"
            " as on Knative\nfrom here it is http://web.default.localhost:8080\n"
        )
        _, text = await ask(outer, "hidden.default")
        assert "it has no address outside" in text


async def test_a_side_belongs_to_the_connection_and_not_to_the_first_request() -> None:
    async with opened() as (outer, inner, _):
        host = "hidden.default.svc.cluster.local"
        assert (await ask(inner, host))[0] == 504
        assert (await ask(outer, host))[0] == 404
        assert (await ask(inner, host))[0] == 504


@pytest.mark.parametrize(
    ("url", "asked_for"),
    [
        ("http://hidden.default.svc.cluster.local/x", HIDDEN),
        ("http://shop.example.com:8080/x", HIDDEN),
        ("http://web.default.localhost/x", WEB),
    ],
)
async def test_events_go_to_the_gateway_for_every_host_that_it_serves(
    url: str, asked_for: RevisionName
) -> None:
    gateways: list[Gateway] = []
    async with opened(gateways) as (_, _, asked):
        sender = EventSender(gateways[0])
        answer = await sender.send(url, [], b"", 10)
        await sender.aclose()
        assert isinstance(answer, Answered)
        assert (answer.status, asked.revisions) == (504, [asked_for])
