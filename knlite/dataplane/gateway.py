"""The front door: looks where a request goes, and hands it to the activator, a broker, or a page.

Source: Knative reference §5; knlite's addresses, README "Addresses".
Not here: the table (``serving/routing.py``), bytes (``wire``).
"""

import random
import socket
from collections.abc import Callable, Sequence, Set
from functools import partial

import anyio
from anyio.abc import TaskGroup, TaskStatus

from knlite.dataplane import pages
from knlite.dataplane.activator import Activator
from knlite.dataplane.eventhosts import EventHosts, Handler
from knlite.dataplane.eventingress import EventIngress
from knlite.dataplane.handling import Handling
from knlite.dataplane.headers import with_set
from knlite.dataplane.innerexchange import InnerExchange
from knlite.dataplane.request import TEXT
from knlite.dataplane.serveringress import serve_server_hosts
from knlite.dataplane.sides import TAG_HEADER, OfEvents, SecureSide, Side
from knlite.dataplane.wire.body import TooLarge, read_body
from knlite.dataplane.wire.exchange import Exchange, Headers, path_of, query_of
from knlite.dataplane.wire.framing import lookup
from knlite.dataplane.wire.limits import Limits
from knlite.dataplane.wire.listener import Entrance, serve
from knlite.eventing.channels import ALL_CHANNELS, CHANNEL_ENDING
from knlite.eventing.requestreplies import HOST as REQUEST_REPLY_HOST
from knlite.eventing.serverhosts import KAFKA_SINKS
from knlite.eventing.transforms import transform_host
from knlite.serving.instance import Address
from knlite.serving.routing import (
    InsideOnly,
    Nowhere,
    RoutingTable,
    ToBroker,
    ToHTTPS,
    ToIndex,
    ToRevision,
)
from knlite.serving.vantage import BROKER_HOSTS, CLUSTER_DOMAIN

MAX_EVENT = 32 * 1024 * 1024
"""Bytes of one request to a broker; a broker in memory must not be filled by a single sender.

Differs: upstream's ingress takes any size.
"""
MEMO = 1024
MEMO_TARGET = 256
"""How many addresses are remembered, and of what length: a sender may ask for any."""
CLOSING = 1.0
"""Seconds that running answers get when the run ends."""
_HTML = (
    (b"Content-Type", b"text/html; charset=utf-8"),
    (b"Content-Security-Policy", b"default-src 'none'; style-src 'unsafe-inline'"),
)

_Received = tuple[Exchange, Handler, str, bytes]
"""A request with its body, who answers it, and the path that they get."""


class Gateway:
    """Answers every request that reaches the gateway's port."""

    def __init__(
        self,
        activator: Activator,
        events: EventIngress,
        draw: random.Random,
        limits: Limits | None = None,
        tls_port: int = 443,
        *,
        complain: Callable[[str], None],
        front: tuple[str, str] | None = None,
    ) -> None:
        """HTTPS is on *tls_port*; *complain* is told of requests that a defect has ended.

        *front* is the route (namespace, name) that gets what comes from outside for unknown hosts.
        """
        self._activator = activator
        self._events = events
        self.event_hosts = EventHosts()
        """Who takes events at hosts of their own."""
        self.event_hosts.serve_all(CHANNEL_ENDING, events.channel_at)
        self.event_hosts.serve(ALL_CHANNELS, events.to_channels)
        serve_server_hosts(self.event_hosts, events)
        self._random = draw.random
        self._limits = limits
        self._complain = complain
        self._front = front
        self.outside = Side(activator, draw.random, self._by_other_addresses)
        """Who answers those who come from outside."""
        self.inside = Side(activator, draw.random, self._by_other_addresses)
        self.events = Side(OfEvents(activator), draw.random, self._by_other_addresses)
        """Who answers events that go on their way here."""
        self._listing: tuple[tuple[str, str], ...] = ()
        self.secure = SecureSide(activator, draw.random)
        """Who answers those who come from outside by HTTPS."""
        self._tls_port = "" if tls_port == 443 else f":{tls_port}"
        self._brokers: dict[tuple[bytes, bytes], tuple[Handler, str]] = {}
        """Who answers, and for which path, by Host and target: what senders repeat."""
        self._foreign: set[str] = set()
        """Hosts of subscribers that are not served here."""
        self._generation = 0
        self._group: TaskGroup | None = None
        self._handling: Handling[_Received] | None = None

    def routes_changed(self, table: RoutingTable, listing: tuple[tuple[str, str], ...]) -> None:
        """This is the table now, seen from outside; *listing* is (what, URL) of what people use."""
        self.outside.table = table.fronted(*self._front) if self._front else table
        self.secure.table = table.secure()
        self.inside.table = self.events.table = table.inside()
        self._listing = listing
        self._brokers.clear()
        self._foreign.clear()

    def serves(self, host: str) -> bool:
        """Whether *host* is somebody's here, seen from inside the cluster."""
        if self._generation != self.event_hosts.generation:
            self._generation = self.event_hosts.generation
            self._foreign.clear()
        if host in self._foreign:
            return False
        if (
            self.inside.table.find(host.encode("latin-1", "replace")) is not None
            or host in BROKER_HOSTS
            or self.event_hosts.find(host) is not None
        ):
            return True
        if len(self._foreign) < MEMO:
            self._foreign.add(host)
        return False

    def ask(self, exchange: InnerExchange) -> None:
        """Send an event, or a request of knlite's own, on its way.

        *exchange* is told which instance gets it.
        """
        self.events.handle(exchange)

    async def run(
        self,
        listening: Sequence[socket.socket],
        inside: Set[Address] = frozenset(),
        *,
        task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED,
    ) -> None:
        """Answer on *listening* until cancelled.

        Whoever connects to one of the addresses *inside* is in the cluster.
        """
        entrance = Entrance(self.inside.handle, inside) if inside else None
        async with anyio.create_task_group() as self._group:
            self._handling = Handling(self._group, self._take)
            server = await serve(self.outside.handle, listening, self._limits, entrance)
            task_status.started()
            try:
                await anyio.sleep_forever()
            finally:
                with anyio.CancelScope(shield=True):
                    await server.aclose(CLOSING)
                    await self._activator.aclose()

    def _by_other_addresses(self, exchange: Exchange, table: RoutingTable) -> None:
        known = self._brokers.get((exchange.host, exchange.target))
        if known is not None:
            # Most events.
            self._receive(exchange, *known)
            return
        authority = exchange.host.decode("latin-1")
        handler = self.event_hosts.find(authority)
        if handler is not None:
            self._receive(exchange, handler, exchange.target.decode("latin-1"))
            return
        path = path_of(exchange.target).decode("latin-1")
        tag = lookup(exchange.headers, TAG_HEADER)
        match table.match(authority, path, self._random(), tag):
            case ToRevision(revision, rest, host, append, route_tag):
                target, name, headers = _way(exchange, rest, host)
                headers = with_set(headers, append)
                self._activator.handle(exchange, revision, target, name, headers, route_tag)
            case ToBroker(namespace, broker):
                handler = partial(self._events.to_broker, namespace, broker)
                if len(self._brokers) < MEMO and len(exchange.target) < MEMO_TARGET:
                    self._brokers[exchange.host, exchange.target] = (handler, path)
                self._receive(exchange, handler, path)
            case Nowhere() if (named := _event_host(path)) is not None and (
                handler := self.event_hosts.find(named[0])
            ) is not None:
                self._receive(exchange, handler, named[1])
            case ToIndex() if self._front is not None:
                # Its route is still to come: whoever waits for it shall not take a page for it.
                exchange.respond(503, (*TEXT, (b"Retry-After", b"1")), b"it is not ready yet\n")
            case ToIndex():
                self._index(exchange)
            case ToHTTPS(host):
                _send_on(exchange, f"https://{host}{self._tls_port}")
            case InsideOnly(name, public):
                text = pages.inside_only(name, public, self._listing)
                exchange.respond(404, TEXT, text.encode())
            case _:
                urls = [
                    url for _, url in self._listing if table.is_inside or CLUSTER_DOMAIN not in url
                ]
                text = pages.not_found(authority, path, urls)
                exchange.respond(404, TEXT, text.encode())

    def _index(self, exchange: Exchange) -> None:
        if exchange.method not in {b"GET", b"HEAD"}:
            exchange.respond(405, ((b"Allow", b"GET, HEAD"), *TEXT), b"method not allowed\n")
        elif b"text/html" in (lookup(exchange.headers, b"accept") or b""):
            exchange.respond(200, _HTML, pages.index(self._listing).encode())
        else:
            exchange.respond(200, TEXT, pages.plain_index(self._listing).encode())

    def _receive(self, exchange: Exchange, handler: Handler, path: str) -> None:
        def received(body: bytes | TooLarge) -> None:
            if isinstance(body, TooLarge):
                text = f"the event is larger than {body.limit} bytes\n".encode()
                exchange.respond(413, TEXT, text)
            elif there is not None and self._group is not None:
                given = (exchange, handler, path, body)
                self._group.start_soon(self._take_while_there, there, given)
            elif self._handling is not None:
                self._handling.begin((exchange, handler, path, body))

        there = anyio.CancelScope() if self.event_hosts.waits(handler) else None
        read_body(exchange, MAX_EVENT, received, None if there is None else there.cancel)

    async def _take_while_there(self, there: anyio.CancelScope, received: _Received) -> None:
        with there:
            await self._take(received)

    async def _take(self, received: _Received) -> None:
        exchange, handler, path, body = received
        where = exchange.client
        # Who sends from here has no port, and says who it is.
        client = f"{where.host}:{where.port}" if where.port else ""
        try:
            method = exchange.method.decode("latin-1")
            answer = await handler(method, path, _text(exchange.headers), body, client)
            headers = [
                (name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers
            ]
        except Exception as exc:  # noqa: BLE001  one request must not stop the platform
            host = exchange.host.decode("latin-1")
            why = f"knlite has a bug that a request to {host}{path} has met"
            self._complain(f"{why}: {type(exc).__name__}: {exc}")
            exchange.respond(500, TEXT, f"{why}\n".encode())
            return
        if answer.arrival and isinstance(exchange, InnerExchange):
            exchange.arrival = answer.arrival
        exchange.respond(answer.status, headers, answer.body)


def _text(headers: Headers) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]


def _event_host(path: str) -> tuple[str, str] | None:
    """The host that a path address stands for, and the path there."""
    parts = path.split("/", 5)
    if len(parts) < 5 or parts[1] != "ns":
        return None
    namespace, collection, name = parts[2:5]
    rest = f"/{parts[5]}" if len(parts) > 5 else "/"
    match collection:
        case "services":
            return f"{name}.{namespace}", rest
        case "channels":
            return f"{name}{CHANNEL_ENDING}.{namespace}", rest
        case "kafkasinks":
            return KAFKA_SINKS, f"/{namespace}/{name}{rest}".rstrip("/")
        case "eventtransforms":
            return transform_host(namespace, name), rest
        case "requestreplies":
            return REQUEST_REPLY_HOST, f"/{namespace}/{name}{rest}".rstrip("/")
        case _:
            return None


def _send_on(exchange: Exchange, url: str) -> None:
    """Answer that it is to be asked for at *url*."""
    path, query = path_of(exchange.target), query_of(exchange.target)
    # "OPTIONS *" asks about the server, which has no address of its own.
    location = url.encode() + (b"/" if path == b"*" else path) + (b"?" + query if query else b"")
    exchange.respond(301, ((b"Location", location), *TEXT), b"")


def _way(exchange: Exchange, rest: str, host: str) -> tuple[bytes, bytes, Headers]:
    """Target, Host and headers as the instance is to see them of a request by a path address."""
    if not host:
        return exchange.target, exchange.host, exchange.headers
    target = rest.encode("latin-1")
    query = query_of(exchange.target)
    if query or exchange.target.endswith(b"?"):
        target += b"?" + query
    others = [header for header in exchange.headers if header[0].lower() != b"host"]
    name = host.encode("latin-1")
    return target, name, [(b"Host", name), *others]
