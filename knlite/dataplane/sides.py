"""Who asks the gateway, and which hosts they know: those outside, those inside, events, HTTPS.

Source: Knative reference §5; knlite's addresses, README "Addresses".
Not here: where a request goes that no revision's host takes (``gateway.py``).
"""

from collections.abc import Callable
from typing import Protocol

from knlite.dataplane.activator import Activator
from knlite.dataplane.headers import with_set
from knlite.dataplane.innerexchange import InnerExchange
from knlite.dataplane.request import HTTP, HTTPS, TEXT, Request
from knlite.dataplane.wire.exchange import Exchange, Headers
from knlite.dataplane.wire.framing import lookup
from knlite.serving.instance import Endpoint, RevisionName
from knlite.serving.routing import DISABLED, Backends, RoutingTable

TAG_HEADER = b"knative-serving-tag"


class Answering(Protocol):
    """Who hands requests to instances."""

    def handle(
        self,
        exchange: Exchange,
        name: RevisionName,
        target: bytes,
        host: bytes,
        headers: Headers,
        route_tag: str = DISABLED,
        proto: bytes = HTTP,
    ) -> None:
        """Answer *exchange* by an instance of revision *name*."""
        ...


class Side:
    """Those who come from outside, or those from inside the cluster, and the hosts they know."""

    def __init__(
        self,
        activator: Answering,
        draw: Callable[[], float],
        otherwise: Callable[[Exchange, RoutingTable], None],
    ) -> None:
        self._activator = activator
        self._random = draw
        self._otherwise = otherwise
        self.table = RoutingTable()

    def handle(self, exchange: Exchange) -> None:
        """Send *exchange* on its way."""
        host = exchange.host
        backends = self.table.find(host)
        if backends is None:
            self._otherwise(exchange, self.table)
        elif backends.append:
            self._with_tag(exchange, backends)
        else:
            # Most requests.
            revision = backends.pick(self._random)
            self._activator.handle(exchange, revision, exchange.target, host, exchange.headers)

    def _with_tag(self, exchange: Exchange, backends: Backends) -> None:
        """Where requests may ask for a tag by a header."""
        tagged = backends.under(lookup(exchange.headers, TAG_HEADER))
        headers = with_set(exchange.headers, tagged.append)
        revision = tagged.pick(self._random)
        self._activator.handle(
            exchange, revision, exchange.target, exchange.host, headers, tagged.route_tag
        )


class SecureSide:
    """Those who come by HTTPS, where only hosts with a certificate are served (RFC 9110 §7.4)."""

    def __init__(self, activator: Activator, draw: Callable[[], float]) -> None:
        self._activator = activator
        self._random = draw
        self.table = RoutingTable()

    def handle(self, exchange: Exchange) -> None:
        """Send *exchange* on its way."""
        backends = self.table.find(exchange.host)
        if backends is None:
            # 421: a client that has come by another host's connection makes one of its own.
            text = "no DomainMapping gives this host a certificate\n"
            exchange.respond(421, TEXT, text.encode())
            return
        tagged = backends.under(lookup(exchange.headers, TAG_HEADER))
        self._activator.handle(
            exchange,
            tagged.pick(self._random),
            exchange.target,
            exchange.host,
            with_set(exchange.headers, tagged.append),
            tagged.route_tag,
            HTTPS,
        )


class OfEvents:
    """Implements ``Answering`` for requests that carry events."""

    def __init__(self, activator: Activator) -> None:
        self._activator = activator

    def handle(
        self,
        exchange: Exchange,
        name: RevisionName,
        target: bytes,
        host: bytes,
        headers: Headers,
        route_tag: str = DISABLED,
        proto: bytes = HTTP,
    ) -> None:
        self._activator.handle(exchange, name, target, host, headers, route_tag, proto, OfEvent)


class OfEvent(Request):
    """A request that carries an event, whose sender is told which instance gets it."""

    def _forward(self, endpoint: Endpoint) -> None:
        if isinstance(self._exchange, InnerExchange):
            self._exchange.instance = endpoint.instance
        super()._forward(endpoint)
