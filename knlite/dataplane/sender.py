"""Sends events on their way: to whoever is behind this machine's own gateway, or to any URL.

Names of the cluster and of ``*.localhost`` are nobody's but ours, and so are the domains that the
gateway serves. They are not resolved: such a request is handed to the gateway as it is, and costs
no connection.

Source: Eventing data plane reference §2.1, §2.2 (redirects, answers that break off); Go's net/http.
Not here: retries, and what an answer means (``eventing/delivery.py``).
"""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urljoin

import anyio
import anyio.to_thread

from knlite.dataplane.fetch import CutOff, Origin, Pools, Response, fetch, split_url
from knlite.dataplane.innerexchange import InnerExchange
from knlite.errors import InvalidInput
from knlite.serving.vantage import CLUSTER_DOMAIN

MAX_REPLY = 32 * 1024 * 1024
"""Bytes; a reply becomes an event of its own."""
MAX_REDIRECTS = 10

Headers = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Answered:
    """An HTTP answer."""

    status: int
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""
    instance: str = ""
    """Which instance of a service gave it, where that is known."""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """There was no answer."""

    why: str


class Sender(Protocol):
    """Who speaks HTTP."""

    async def send(
        self,
        url: str,
        headers: Sequence[tuple[str, str]],
        body: bytes,
        timeout: float,  # noqa: ASYNC109  a value of the manifest, and its end is an answer
        ca_certs: str = "",
    ) -> Answered | Unanswered:
        """POST *body* to *url*; never raises for what may go wrong on the way.

        *ca_certs* is PEM: who may vouch for the server, beside whom the machine trusts.
        """
        ...


class Gateway(Protocol):
    """What is behind the gateway, as those inside the cluster see it."""

    def serves(self, host: str) -> bool:
        """Whether *host* is somebody's here."""
        ...

    def ask(self, exchange: InnerExchange) -> None:
        """Answer *exchange*, and tell it which instance does."""
        ...


class EventSender:
    """Implements ``Sender``."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._pools = Pools()
        self._trusting: dict[str, Pools] = {}
        """Those to servers for whom a Destination vouches, by its certificates."""

    async def send(
        self,
        url: str,
        headers: Sequence[tuple[str, str]],
        body: bytes,
        timeout: float,  # noqa: ASYNC109  a value of the manifest, and its end is an answer
        ca_certs: str = "",
    ) -> Answered | Unanswered:
        """POST *body* to *url*."""
        sent = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        with anyio.move_on_after(timeout):
            return await self._follow(url, sent, body, ca_certs)
        return Unanswered(f"no complete answer within {timeout:g} s")

    async def post(
        self,
        url: str,
        headers: Sequence[tuple[str, str]],
        body: bytes,
        timeout: float,  # noqa: ASYNC109  as above
    ) -> tuple[int, bytes, str]:
        """As ``send``, for who wants plain values: status (0: none), body, why there is none."""
        match await self.send(url, headers, body, timeout):
            case Answered(status, _, answer):
                return status, answer, ""
            case Unanswered(why):
                return 0, b"", why

    async def aclose(self) -> None:
        """Close all connections."""
        for pools in (self._pools, *self._trusting.values()):
            await pools.aclose()

    async def _follow(
        self, url: str, headers: Headers, body: bytes, ca_certs: str
    ) -> Answered | Unanswered:
        """Send, and go where the answer sends us, as Go's client does."""
        method = b"POST"
        for _ in range(MAX_REDIRECTS + 1):
            try:
                origin, target = split_url(url)
                pools = await self._pools_for(origin, ca_certs)
            except InvalidInput as exc:
                return Unanswered(str(exc))
            if _is_ours(origin.host) or self._gateway.serves(origin.host):
                answer = await self._ask(method, origin.authority, target, headers, body)
            else:
                answer = await _fetch(pools, method, origin, target, headers, body)
            if isinstance(answer, Unanswered) or answer.status not in _REDIRECTS:
                return answer
            location = next((v for n, v in answer.headers if n.lower() == "location"), "")
            if not location:
                return answer
            url = urljoin(url, location)
            if answer.status not in _AS_IT_WAS:
                method, body = b"GET", b""
        return Unanswered(f"stopped after {MAX_REDIRECTS} redirects")

    async def _ask(
        self, method: bytes, host: bytes, target: bytes, headers: Headers, body: bytes
    ) -> Answered | Unanswered:
        exchange = InnerExchange(method, host, target, headers, body, MAX_REPLY)
        self._gateway.ask(exchange)
        try:
            await exchange.over.wait()
        finally:
            exchange.leave("the event's sender has given up")
        if not exchange.failure:
            return Answered(
                exchange.status, _text(exchange.answered), exchange.answer, exchange.instance
            )
        if exchange.started:
            return Answered(exchange.status, (), b"", exchange.instance)
        return Unanswered(exchange.failure)

    async def _pools_for(self, origin: Origin, ca_certs: str) -> Pools:
        """The connections to servers whom *ca_certs* vouch for. Raises ``InvalidInput``."""
        if not ca_certs or origin.scheme == "http":
            return self._pools
        pools = self._trusting.get(ca_certs)
        if pools is None:
            # Reading the system's certificates takes some 20 ms.
            context = await anyio.to_thread.run_sync(_trusting, ca_certs)
            self._trusting = {each: p for each, p in self._trusting.items() if not p.quiet}
            pools = self._trusting.setdefault(ca_certs, Pools(context))
        return pools


async def _fetch(
    pools: Pools, method: bytes, origin: Origin, target: bytes, headers: Headers, body: bytes
) -> Answered | Unanswered:
    sent = [(b"Host", origin.authority), *headers]
    outcome = await fetch(pools, method, origin, target, sent, body, limit=MAX_REPLY)
    if isinstance(outcome, Response):
        return Answered(outcome.status, _text(outcome.headers), outcome.body)
    if isinstance(outcome, CutOff):
        # Upstream takes the status for the answer, and nothing for its body.
        return Answered(outcome.status)
    return Unanswered(outcome.why)


def _trusting(ca_certs: str) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context()
        context.load_verify_locations(cadata=ca_certs)
    except (ssl.SSLError, ValueError) as exc:
        raise InvalidInput("the CACerts of the destination cannot be used", cause=str(exc)) from exc
    return context


def _text(headers: Sequence[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]


def _is_ours(host: str) -> bool:
    return host.endswith((f".{CLUSTER_DOMAIN}", ".localhost", ".svc"))


_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_AS_IT_WAS = frozenset((307, 308))
"""Those after which the same request is sent again; after the others it is a GET."""
