"""A person's request to something behind the gateway, without a connection in between.

The answer is whatever has come when its time is over, or when it has its most bytes: what a person
looks at may be the beginning of an answer that never ends.

Not here: which host and what of (``console/invocation.py``).
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple

from knlite.dataplane.innerexchange import InnerExchange
from knlite.dataplane.wire.exchange import Headers
from knlite.errors import Unreachable


class Invoked(NamedTuple):
    """What came back."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes
    cut: str
    """Why that is not all of the body; empty if it is."""
    first_byte: float
    """Seconds from the request to the head of the answer, as is the next to its end."""
    seconds: float
    instance: str
    """Empty if none was asked."""


class Invoker:
    """Hands requests to the gateway."""

    def __init__(self, ask: Callable[[InnerExchange], None]) -> None:
        self._ask = ask

    async def invoke(
        self,
        method: str,
        host: str,
        target: str,
        headers: Sequence[tuple[str, str]],
        body: bytes,
        *,
        timeout: float,  # noqa: ASYNC109  what has come by then is an answer
        limit: int,
    ) -> Invoked:
        """Ask, for at most *timeout* seconds and *limit* bytes of body.

        Texts are Latin-1, and what they say can be written as a request. Raises ``Unreachable`` if
        no answer has begun. Cancelling ends the request.
        """
        loop = asyncio.get_running_loop()
        over = loop.create_future()
        exchange = _Asked(
            method.encode("latin-1"),
            host.encode("latin-1"),
            target.encode("latin-1"),
            [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers],
            body,
            limit,
            over,
        )
        began = loop.time()
        timer = loop.call_later(timeout, exchange.leave, f"its time was over: {timeout:g} s")
        try:
            self._ask(exchange)
            await over
        finally:
            timer.cancel()
            exchange.leave("whoever asked has gone")
        if not exchange.started:
            raise Unreachable(f"{host} has not answered", cause=exchange.failure)
        return Invoked(
            exchange.status,
            [(name.decode("latin-1"), each.decode("latin-1")) for name, each in exchange.answered],
            exchange.answer,
            exchange.failure,
            exchange.head_at - began,
            loop.time() - began,
            exchange.instance,
        )


class _Asked(InnerExchange):
    """One of them, which keeps the beginning of an answer that is too long."""

    head_at = 0.0

    def start(self, status: int, reason: bytes, headers: Headers, *, length: int | None) -> None:
        super().start(status, reason, headers, length=length)
        self.head_at = asyncio.get_running_loop().time()

    def write(self, data: bytes) -> None:
        if self._over.done():
            return
        room = self._left
        super().write(data[:room])
        if len(data) > room:
            self.leave(f"it has more than {self._limit} bytes")
