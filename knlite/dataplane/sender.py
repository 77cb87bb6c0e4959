"""Sends events on their way: to whoever is behind this machine's own gateway, or to any URL.

Names of the cluster and of ``*.localhost`` are nobody's but ours, and so are the domains that the
gateway serves. They are not resolved: such a request is handed to the gateway as it is, and costs
no connection.

Source: Eventing data plane reference §2.1, §2.2 (redirects, answers that break off); Go's net/http.
Not here: retries, and what an answer means (``eventing/delivery.py``).
"""

import asyncio
import ipaddress
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Protocol
from urllib.parse import urljoin, urlsplit

import anyio.to_thread
import msgspec

from knlite.dataplane.fetch import LATE, CutOff, Origin, Pools, Response, fetch, split_url
from knlite.dataplane.innerexchange import InnerExchange
from knlite.errors import InvalidInput
from knlite.serving.vantage import CLUSTER_DOMAIN

MAX_REPLY = 32 * 1024 * 1024
"""Bytes; a reply becomes an event of its own."""
MAX_REDIRECTS = 10

Headers = Sequence[tuple[bytes, bytes]]


class Answered(msgspec.Struct, frozen=True):
    """An HTTP answer."""

    status: int
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""
    instance: str = ""
    """Which instance of a service gave it, where that is known."""
    arrival: int = 0
    """What names the event, where a broker or a channel of this run has taken it."""


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
        also: Headers = (),
    ) -> Answered | Unanswered:
        """POST *body* to *url*; never raises for what may go wrong on the way.

        *ca_certs* is PEM: who may vouch for the server, beside whom the machine trusts. *also* are
        headers as a connection takes them, which several requests share.
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
        self._loop = asyncio.get_running_loop()
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
        also: Headers = (),
    ) -> Answered | Unanswered:
        """POST *body* to *url*."""
        try:
            sent = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
            outcome = await self._follow(url, [*also, *sent], body, timeout, ca_certs)
        except ValueError as exc:
            # A header or a Location that cannot be written is no reason to stop the platform.
            return Unanswered(f"cannot be sent: {exc}")
        if outcome is _LATE:
            return Unanswered(f"no complete answer within {timeout:g} s")
        return outcome

    async def _follow(
        self,
        url: str,
        headers: Headers,
        body: bytes,
        timeout: float,  # noqa: ASYNC109  as above
        ca_certs: str,
    ) -> Answered | Unanswered:
        """Send, and go where answers send us, as Go's client does."""
        method, due = b"POST", self._loop.time() + timeout
        outcome = await self._once(method, url, headers, body, timeout, ca_certs)
        for _ in range(MAX_REDIRECTS):
            location = _location(outcome)
            if not location or isinstance(outcome, Unanswered):
                return outcome
            if outcome.status not in _AS_IT_WAS:
                method, body = b"GET", b""
            there = urljoin(url, location)
            if urlsplit(there).netloc != urlsplit(url).netloc:
                # A token is for whom it was sent to.
                headers = [each for each in headers if each[0].lower() != b"authorization"]
            url = there
            left = due - self._loop.time()
            outcome = await self._once(method, url, headers, body, left, ca_certs)
        if _location(outcome):
            return Unanswered(f"stopped after {MAX_REDIRECTS} redirects")
        return outcome

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

    async def _once(
        self,
        method: bytes,
        url: str,
        headers: Headers,
        body: bytes,
        timeout: float,  # noqa: ASYNC109  as above
        ca_certs: str,
    ) -> Answered | Unanswered:
        try:
            way = _way(url)
            pools = self._pools
            if ca_certs and way.origin.scheme == "https":
                pools = await self._pools_for(ca_certs)
        except InvalidInput as exc:
            return Unanswered(str(exc))
        if way.ours or (way.ours is None and self._gateway.serves(way.origin.host)):
            return await self._ask(method, way, headers, body, timeout)
        sent = [(b"Host", way.authority), *headers]
        outcome = await fetch(
            pools, method, way.origin, way.target, sent, body, timeout=timeout, limit=MAX_REPLY
        )
        match outcome:
            case Response(status, answered, content):
                return Answered(status, _text(answered), content)
            case CutOff(status):
                # Upstream takes the status for the answer, and nothing for its body.
                return Answered(status)
            case _:
                return _LATE if outcome is LATE else Unanswered(outcome.why)

    async def _ask(
        self,
        method: bytes,
        way: "_Way",
        headers: Headers,
        body: bytes,
        timeout: float,  # noqa: ASYNC109  as above
    ) -> Answered | Unanswered:
        over = self._loop.create_future()
        exchange = InnerExchange(method, way.authority, way.target, headers, body, MAX_REPLY, over)
        timer = self._loop.call_later(timeout, exchange.leave, "its time is over")
        try:
            self._gateway.ask(exchange)
            await over
        finally:
            timer.cancel()
            exchange.leave("the event's sender has given up")
        if exchange.finished:
            return Answered(
                exchange.status,
                _text(exchange.answered),
                exchange.answer,
                exchange.instance,
                exchange.arrival,
            )
        if exchange.gone == "its time is over":
            return _LATE
        if exchange.started and not exchange.too_large:
            return Answered(exchange.status, (), b"", exchange.instance)
        return Unanswered(exchange.failure)

    async def _pools_for(self, ca_certs: str) -> Pools:
        """The connections to servers whom *ca_certs* vouch for. Raises ``InvalidInput``."""
        pools = self._trusting.get(ca_certs)
        if pools is None:
            # Reading the system's certificates takes some 20 ms.
            context = await anyio.to_thread.run_sync(_trusting, ca_certs)
            self._trusting = {each: p for each, p in self._trusting.items() if not p.quiet}
            pools = self._trusting.setdefault(ca_certs, Pools(context))
        return pools


class _Way(NamedTuple):
    """Where a URL leads."""

    origin: Origin
    authority: bytes
    target: bytes
    ours: bool | None
    """Nobody but our own gateway answers there; None if only the gateway can say."""


@lru_cache(maxsize=1024)
def _way(url: str) -> _Way:
    """Raises ``InvalidInput``."""
    origin, target = split_url(url)
    return _Way(origin, origin.authority, target, _is_ours(origin.host))


def _location(outcome: Answered | Unanswered) -> str:
    """Where an answer sends us; empty if it does not."""
    if isinstance(outcome, Unanswered) or outcome.status not in _REDIRECTS:
        return ""
    return next((value for name, value in outcome.headers if name.lower() == "location"), "")


def _trusting(ca_certs: str) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context()
        context.load_verify_locations(cadata=ca_certs)
    except (ssl.SSLError, ValueError) as exc:
        raise InvalidInput("the CACerts of the destination cannot be used", cause=str(exc)) from exc
    return context


def _text(headers: Sequence[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]


def _is_ours(host: str) -> bool | None:
    if host.endswith((f".{CLUSTER_DOMAIN}", ".localhost", ".svc")):
        return True
    # An address is no name that the gateway could serve.
    return False if _is_address(host) else None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


_LATE = Unanswered("no complete answer in time")
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_AS_IT_WAS = frozenset((307, 308))
"""Those after which the same request is sent again; after the others it is a GET."""
