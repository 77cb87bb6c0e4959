"""The relay: one exchange with a client carried by one call to a server.

Bodies pass in both directions as they come, trailers and interim answers too, and each side is read
no faster than the other takes it. If the client leaves, the call is cancelled. If the server fails
before its head, the client's exchange is still unanswered and the owner may answer it; after the
head only a cut connection tells the client the truth. When the server switches protocols, the two
connections become a splice, and the relay lasts as long as it.

Source: Knative reference §3.3, §3.6 (no buffering, no retries once bytes were sent); RFC 9110 §6.5,
§7.6, §7.8, §15.2.
Not here: headers of the request (``headers.py``), timeouts, capacity, which server (the callers).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from knlite.dataplane.wire.call import Call, Coming, Upstream
from knlite.dataplane.wire.exchange import Exchange, Header, Headers
from knlite.dataplane.wire.failures import Failure


@dataclass(frozen=True, slots=True)
class ClientLeft:
    """The client went away before its answer was complete."""

    why: str


class Owner(Protocol):
    """Who started a relay. Exactly one of ``done`` and ``broke_off`` is called, later, once."""

    def first_byte(self, status: int) -> Sequence[Header]:
        """The answer's head has come; return what is to be added to its headers."""
        ...

    def done(self) -> None:
        """The answer has passed completely."""
        ...

    def broke_off(self, why: ClientLeft | Failure) -> None:
        """The client left, or the server failed.

        After a Failure, ``exchange.started`` says whether an answer had begun: if so, the client's
        connection has been cut; if not, the owner has to answer.
        """
        ...


class Relay:
    """A running relay: takes the client's request and the server's answer."""

    # Defaults live in the class, so that making a relay costs only what differs.
    call: Call | None = None
    status = 0
    """Of the answer, once its head has come."""
    now: Callable[[], float] | None = None
    """Set by whoever wants to know ``progressed``; most do not."""
    progressed = 0.0
    """When something of the answer was written last."""
    received = 0
    """Bytes of the request's body."""
    sent = 0
    """Bytes of the answer's body."""
    switched_over = False
    """The two connections are a splice now."""
    _over = False

    def __init__(self, exchange: Exchange, owner: Owner) -> None:
        self._exchange = exchange
        self._owner = owner

    def begin(
        self, upstream: Upstream, target: bytes, headers: Headers, also: Headers = ()
    ) -> None:
        """Send the request on to *upstream*.

        *headers* and *also* are what the server gets (``headers.to_instance``); *target* may differ
        from the exchange's own. Raises ValueError for a header that cannot be sent.
        """
        exchange = self._exchange
        length = exchange.length
        if length == 0:
            self.call = upstream.send(
                exchange.method, target, headers, self, upgrade=exchange.upgrade, also=also
            )
            exchange.attend(self)
            return
        call = self.call = upstream.send(
            exchange.method, target, headers, self, body=Coming(length), also=also
        )
        if not call.ready:
            exchange.pause()
        exchange.attend(self)
        exchange.receive()

    def cancel(self) -> None:
        """Stop; the owner hears nothing more. The exchange is the owner's to answer or to abort."""
        self._over = True
        call, self.call = self.call, None
        if call is not None:
            call.cancel()

    # The client: exchange.Taker

    def body(self, data: bytes) -> None:
        self.received += len(data)
        if self.call is not None:
            self.call.write(data)

    def body_end(self, trailers: Headers) -> None:
        if self.call is not None:
            self.call.end(trailers)

    def client_left(self, why: str) -> None:
        """The client is gone: nobody wants the answer."""
        if not self._over:
            self.cancel()
            self._owner.broke_off(ClientLeft(why))

    def client_full(self) -> None:
        if self.call is not None:
            self.call.pause()

    def client_ready(self) -> None:
        if self.call is not None:
            self.call.resume()

    # The server: call.Receiver

    def server_full(self) -> None:
        self._exchange.pause()

    def server_ready(self) -> None:
        self._exchange.resume()

    def interim(self, status: int, reason: bytes, headers: list[Header]) -> None:
        if not self._over:
            self._exchange.inform(status, reason, headers)

    def answered(self, status: int, reason: bytes, headers: list[Header], body: bytes) -> None:
        if self._over:
            return
        self._over = True
        # The two refer to each other; so they need not wait for the garbage collector.
        self.call = None
        self.status = status
        self.sent = len(body)
        added = self._owner.first_byte(status)
        self._exchange.respond(status, [*headers, *added] if added else headers, body, reason)
        self._owner.done()

    def head(self, status: int, reason: bytes, headers: list[Header], length: int | None) -> None:
        if self._over:
            return
        self.status = status
        if self.now is not None:
            self.progressed = self.now()
        headers = [*headers, *self._owner.first_byte(status)]
        self._exchange.start(status, reason, headers, length=length)

    def switched(self, reason: bytes, headers: list[Header]) -> None:
        if self._over:
            return
        self.status = 101
        self.switched_over = True
        self._exchange.switch(reason, [*headers, *self._owner.first_byte(101)])
        self._exchange.receive()

    def data(self, data: bytes) -> None:
        if not self._over:
            if self.now is not None:
                self.progressed = self.now()
            self.sent += len(data)
            self._exchange.write(data)

    def end(self, trailers: Headers) -> None:
        if not self._over:
            self._over = True
            self.call = None
            self._exchange.end(trailers)
            self._owner.done()

    def failed(self, failure: Failure) -> None:
        if not self._over:
            self._over = True
            self.call = None
            if self._exchange.started:
                self._exchange.abort()
            self._owner.broke_off(failure)
