"""A request on its way to a server, as its sender holds it, whatever version of HTTP carries it.

Who sends hands in a ``Receiver`` and gets a ``Call``. All methods are synchronous and may be called
from any callback; a receiver is called later, never from within ``send``.

Implemented by ``http1_client.py`` and ``http2_client.py``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from knlite.dataplane.wire.failures import Failure
from knlite.serving.instance import Address

Headers = Sequence[tuple[bytes, bytes]]
"""Names as they were written, in their order."""


class Receiver(Protocol):
    """Takes an answer: ``answered``, or ``head``, pieces and ``end``.

    Headers are given as they came, but for those that are about the connection or the framing.

    After ``answered``, ``end`` or ``failed`` nothing more is called.
    """

    def interim(self, status: int, reason: bytes, headers: list[tuple[bytes, bytes]]) -> None:
        """Take an interim answer (1xx) other than 100 and 101; the final one follows."""
        ...

    def head(
        self, status: int, reason: bytes, headers: list[tuple[bytes, bytes]], length: int | None
    ) -> None:
        """Take the final answer's head; *length* is None if the body's end is not known yet."""
        ...

    def answered(
        self, status: int, reason: bytes, headers: list[tuple[bytes, bytes]], body: bytes
    ) -> None:
        """Take a final answer that has come whole: *body* is all of it, and as long as said."""
        ...

    def switched(self, reason: bytes, headers: list[tuple[bytes, bytes]]) -> None:
        """The server has switched protocols (101): pieces in both directions are now its bytes."""
        ...

    def data(self, data: bytes) -> None:
        """Take the next piece of the body, never empty."""
        ...

    def end(self, trailers: Headers) -> None:
        """The answer is complete."""
        ...

    def failed(self, failure: Failure) -> None:
        """There will be no answer, or not the rest of it."""
        ...

    def server_full(self) -> None:
        """The request's body comes faster than it can be sent: stop until ``server_ready``."""
        ...

    def server_ready(self) -> None:
        """More of the request's body may be written."""
        ...


@dataclass(frozen=True, slots=True)
class Coming:
    """A request's body that is written to the call; *length* None if it is not known."""

    length: int | None


class Call(Protocol):
    """A request on its way, and its answer."""

    @property
    def ready(self) -> bool:
        """Whether the body may be written now; if not, ``server_ready`` says when."""
        ...

    def write(self, data: bytes) -> None:
        """Send a piece of the body, which is not empty."""
        ...

    def end(self, trailers: Headers = ()) -> None:
        """The body is complete."""
        ...

    def pause(self) -> None:
        """Stop reading the answer. What has been read from the socket still arrives."""
        ...

    def resume(self) -> None:
        """Read on."""
        ...

    def cancel(self) -> None:
        """Give up; the receiver hears nothing more. No effect when it is over."""
        ...


class Upstream(Protocol):
    """The way to one server."""

    @property
    def address(self) -> Address:
        """Where the server listens."""
        ...

    def send(
        self,
        method: bytes,
        target: bytes,
        headers: Headers,
        receiver: Receiver,
        *,
        body: bytes | Coming = b"",
        upgrade: bytes = b"",
        also: Headers = (),
    ) -> Call:
        """Send a request.

        *also* are further headers, of this request only where *headers* serve several. They have a
        Host, and neither framing nor hop-by-hop headers but ``TE: trailers`` and
        ``Trailer``. *upgrade* is the protocol that is asked for; only HTTP/1.1 can switch.
        Raises ValueError if a header contains a line end.
        """
        ...

    def close(self) -> None:
        """Cut everything; whatever runs fails as ``Broken``."""
        ...

    async def aclose(self) -> None:
        """The same, and wait until nothing of it runs any more."""
        ...
