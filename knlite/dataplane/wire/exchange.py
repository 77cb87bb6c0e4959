"""A request whose head is complete, and the way to answer it, whatever version of HTTP carried it.

A handler gets an ``Exchange``, and hands in a ``Taker`` if it wants the body or wants to know when
the client leaves. All methods are synchronous and may be called from any callback. Once the client
has gone, those that write do nothing, so that a handler needs no second branch.

Framing belongs to the wire: headers given to ``start`` or ``respond`` must not name Content-Length,
Transfer-Encoding or Connection.

Implemented by ``http1_exchange.py`` and ``http2_exchange.py``.
"""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Protocol

from knlite.serving.instance import Address

Header = tuple[bytes, bytes]
Headers = Sequence[Header]
"""Names as they were written, in their order."""

HOLD_LIMIT = 64 * 1024
"""Bytes of a body that wait for a taker before reading pauses."""


class Taker(Protocol):
    """Who answers an exchange. After ``client_left`` nothing more is called."""

    def body(self, data: bytes) -> None:
        """Take the next piece of the request's body, never empty."""
        ...

    def body_end(self, trailers: Headers) -> None:
        """The request's body is complete."""
        ...

    def client_left(self, why: str) -> None:
        """The client went away before its answer was complete."""
        ...

    def client_full(self) -> None:
        """The answer comes faster than the client takes it: stop until ``client_ready``."""
        ...

    def client_ready(self) -> None:
        """More of the answer may be written."""
        ...


class Exchange(Protocol):
    """A request whose head is complete, and the way to answer it."""

    method: bytes
    target: bytes
    """As it was written; always with a leading ``/`` unless absolute or ``*``."""
    http_version: str
    """``1.0``, ``1.1`` or ``2``."""
    headers: list[Header]
    """As they came, but for those that are about the connection or the framing (RFC 9110 §7.6.1).

    With HTTP/2 the names are in lower case, and Host is made of ``:authority``.
    """
    host: bytes
    """Of the Host header, or of the target in absolute form."""
    length: int | None
    """Bytes of the body; 0 if none comes, None if it is not known."""
    upgrade: bytes
    """The protocol that the client asks to switch to, empty if it does not (RFC 9110 §7.8)."""
    client: Address
    """The other end of the connection."""
    started: bool
    """The answer's head has been sent."""
    finished: bool
    """The answer is complete."""
    gone: str | None
    """Why the client is not there any more, if so."""

    def attend(self, taker: Taker) -> None:
        """Tell *taker* what becomes of the client; at once if it has left already."""
        ...

    def receive(self) -> None:
        """Hand the body to the taker from now on, beginning with what has come already.

        Asks a client that waits for it (Expect: 100-continue) to send the body.
        """
        ...

    def pause(self) -> None:
        """Stop reading the body. What has been read from the socket still arrives."""
        ...

    def resume(self) -> None:
        """Read on."""
        ...

    def inform(self, status: int, reason: bytes, headers: Headers) -> None:
        """Send an interim answer (1xx, RFC 9110 §15.2); nothing to a client of HTTP/1.0."""
        ...

    def start(self, status: int, reason: bytes, headers: Headers, *, length: int | None) -> None:
        """Send the answer's head; *length* is None if the body's is not known.

        To HEAD and with 304, *length* is what a GET would get, or None if that is not known.
        Raises ValueError, and sends nothing, if a header contains a line end.
        """
        ...

    def write(self, data: bytes) -> None:
        """Send a piece of the body. Dropped where the answer must not have one."""
        ...

    def end(self, trailers: Headers = ()) -> None:
        """The answer is complete. Cuts it visibly if it is shorter than announced."""
        ...

    def switch(self, reason: bytes, headers: Headers) -> None:
        """Answer 101: from now on pieces in both directions are bytes of the other protocol."""
        ...

    def respond(
        self, status: int, headers: Headers = (), body: bytes = b"", reason: bytes | None = None
    ) -> None:
        """Send a whole answer; *reason* replaces the usual words for *status*."""
        ...

    def abort(self) -> None:
        """Cut the answer, so that the client sees that it is not complete."""
        ...


Handler = Callable[[Exchange], None]
"""Called when the head of a request is complete; must not block."""


def path_of(target: bytes) -> bytes:
    """The target's path, always beginning with ``/`` (but ``*`` for OPTIONS)."""
    if not target.startswith(b"/") and b"://" in target:
        target = b"/" + target.partition(b"://")[2].partition(b"?")[0].partition(b"/")[2]
    return target.partition(b"?")[0]


def query_of(target: bytes) -> bytes:
    """What follows the target's ``?``."""
    return target.partition(b"?")[2]


def departure(exc: Exception | None) -> str:
    """Why a client has left, by what its connection was lost with."""
    return "the client closed the connection" if exc is None else str(exc) or type(exc).__name__


def reason_of(status: int) -> bytes:
    """Return the usual words for *status*, empty if it has none."""
    return _REASONS.get(status, b"")


_REASONS = {status.value: status.phrase.encode() for status in HTTPStatus}
