"""Sends events on their way: to this machine's own gateway, or to any URL.

Names of the cluster and of ``*.localhost`` are nobody's but ours, and so are the domains that the
gateway serves. They are not resolved: such a request goes to the gateway over loopback, with the
name as its Host.

Not here: retries, and what an answer means (``eventing/delivery.py``).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from knlite.dataplane.fetch import Origin, Pools, Response, fetch, split_url
from knlite.errors import InvalidInput
from knlite.serving.instance import Address
from knlite.serving.vantage import CLUSTER_DOMAIN

MAX_REPLY = 32 * 1024 * 1024
"""Bytes; a reply becomes an event of its own."""


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


class LoopbackSender:
    """Implements ``Sender``."""

    def __init__(self, gateway: Address, serves: Callable[[str], bool]) -> None:
        """*serves* tells whether the gateway knows a host."""
        self._serves = serves
        self._gateway = Origin("http", gateway.host, gateway.port)
        self._pools = Pools()

    async def send(
        self,
        url: str,
        headers: Sequence[tuple[str, str]],
        body: bytes,
        timeout: float,  # noqa: ASYNC109  a value of the manifest, and its end is an answer
        ca_certs: str = "",
    ) -> Answered | Unanswered:
        """POST *body* to *url*."""
        try:
            origin, target = split_url(url)
        except InvalidInput as exc:
            return Unanswered(str(exc))
        sent = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        sent.insert(0, (b"Host", origin.authority))
        ours = _is_ours(origin.host) or self._serves(origin.host)
        to = self._gateway if ours else origin
        outcome = await fetch(
            self._pools, b"POST", to, target, sent, body, timeout=timeout, limit=MAX_REPLY
        )
        if not isinstance(outcome, Response):
            return Unanswered(outcome.why)
        answered = [
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in outcome.headers
        ]
        return Answered(outcome.status, answered, outcome.body)

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
        await self._pools.aclose()


def _is_ours(host: str) -> bool:
    return host.endswith((f".{CLUSTER_DOMAIN}", ".localhost", ".svc"))
