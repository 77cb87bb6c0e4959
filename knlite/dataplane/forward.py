"""The relay: one exchange with a client carried by one exchange with a server.

Bodies pass in both directions as they come, and each side is read no faster than the other takes
it. If the client leaves, the server's connection is cut. If the server fails before its head, the
client's exchange is still unanswered and the caller may answer it; after the head only a cut
connection tells the client the truth.

Source: Knative reference §3.3, §3.6 (no buffering, no retries once bytes were sent); RFC 9110 §7.6.
Trailers are dropped in both directions; gRPC, which needs them, does not speak HTTP/1.1.
Not here: headers of the request (``headers.py``), timeouts, capacity, which server (the callers).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from knlite.dataplane.headers import Header, relayed
from knlite.dataplane.wire.failures import Failure
from knlite.dataplane.wire.http1_client import ClientExchange, Coming
from knlite.dataplane.wire.http1_exchange import Exchange
from knlite.dataplane.wire.http1_pool import Pool


@dataclass(frozen=True, slots=True)
class Relayed:
    """The answer has passed completely."""

    status: int


@dataclass(frozen=True, slots=True)
class ClientLeft:
    """The client went away before its answer was complete."""

    why: str


Done = Relayed | ClientLeft | Failure
"""How a relay ended. After a Failure, ``exchange.started`` says whether an answer had begun: if so,
the connection has been cut; if not, the caller has to answer."""


def forward(
    exchange: Exchange,
    pool: Pool,
    headers: Sequence[Header],
    *,
    on_done: Callable[[Done], None],
    on_first_byte: Callable[[], None] | None = None,
    target: bytes | None = None,
    extra: Sequence[Header] = (),
) -> "Relay":
    """Send *exchange* on to *pool* and its answer back; *on_done* is called once, later.

    *headers* is what the server gets, as ``headers.to_instance`` or ``headers.relayed`` make it.
    *target* replaces the request's own. *extra* is added to the answer's headers. *on_first_byte*
    is called when the answer's head has been written.
    """
    relay = Relay(exchange, on_done, on_first_byte, extra)
    length = exchange.length
    upstream = pool.send(
        exchange.method,
        exchange.target if target is None else target,
        headers,
        relay,
        body=Coming(length) if length != 0 else b"",
    )
    relay.upstream = upstream
    exchange.flow(upstream.pause, upstream.resume)
    if length != 0:
        upstream.flow(exchange.pause, exchange.resume)
        exchange.receive(_Upload(upstream))
    exchange.on_gone(relay.client_left)
    return relay


class Relay:
    """A running relay; takes the server's answer."""

    __slots__ = (
        "_done",
        "_exchange",
        "_extra",
        "_on_done",
        "_on_first_byte",
        "_status",
        "pieces",
        "upstream",
    )

    def __init__(
        self,
        exchange: Exchange,
        on_done: Callable[[Done], None],
        on_first_byte: Callable[[], None] | None,
        extra: Sequence[Header],
    ) -> None:
        self._exchange = exchange
        self._on_done = on_done
        self._on_first_byte = on_first_byte
        self._extra = extra
        self._status = 0
        self._done = False
        self.pieces = 0
        """Grows whenever something of the answer is written; an idle timer compares it."""
        self.upstream: ClientExchange | None = None

    def cancel(self) -> None:
        """Stop; *on_done* is not called. The exchange is the caller's to answer or to abort."""
        self._done = True
        upstream, self.upstream = self.upstream, None
        if upstream is not None:
            upstream.cancel()

    def client_left(self, why: str) -> None:
        """The client is gone: nobody wants the answer."""
        if not self._done:
            self.cancel()
            self._on_done(ClientLeft(why))

    def head(self, status: int, reason: bytes, headers: list[Header], length: int | None) -> None:
        if self._done:
            return
        self._status = status
        self.pieces += 1
        answer = relayed(headers)
        answer += self._extra
        self._exchange.start(status, reason, answer, length=length)
        if self._on_first_byte is not None:
            self._on_first_byte()

    def data(self, data: bytes) -> None:
        if not self._done:
            self.pieces += 1
            self._exchange.write(data)

    def end(self) -> None:
        if not self._done:
            self._done = True
            # The two refer to each other; so they need not wait for the garbage collector.
            self.upstream = None
            self._exchange.end()
            self._on_done(Relayed(self._status))

    def failed(self, failure: Failure) -> None:
        if not self._done:
            self._done = True
            self.upstream = None
            if self._exchange.started:
                self._exchange.abort()
            self._on_done(failure)


class _Upload:
    """Takes the client's body for the server."""

    __slots__ = ("data", "end")

    def __init__(self, upstream: ClientExchange) -> None:
        self.data = upstream.write
        self.end = upstream.end

    def gone(self, why: str) -> None:
        """``Relay.client_left`` does what there is to do."""
