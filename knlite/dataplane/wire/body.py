"""Taking a request's body whole, up to a limit."""

from collections.abc import Callable
from dataclasses import dataclass

from knlite.dataplane.wire.exchange import Exchange, Headers


@dataclass(frozen=True, slots=True)
class TooLarge:
    """The body is larger than *limit* bytes and was not kept."""

    limit: int


def read_body(
    exchange: Exchange,
    limit: int,
    done: Callable[[bytes | TooLarge], None],
    left: Callable[[], None] | None = None,
) -> None:
    """Call *done* with the whole body, or as soon as it is known to exceed *limit* bytes.

    It is not called at all if the client leaves before. *left* is called when the client leaves,
    before that or while its answer is waited for.
    """
    if exchange.length is not None and exchange.length > limit:
        done(TooLarge(limit))
    else:
        exchange.attend(_WholeBody(limit, done, left))
        exchange.receive()


class _WholeBody:
    """Implements ``exchange.Taker``; the answer is short, so its flow does not matter."""

    __slots__ = ("_done", "_left", "_limit", "_pieces", "_size")

    def __init__(
        self,
        limit: int,
        done: Callable[[bytes | TooLarge], None],
        left: Callable[[], None] | None,
    ) -> None:
        self._limit = limit
        self._done = done
        self._left = left
        self._pieces: list[bytes] | None = []
        self._size = 0

    def body(self, data: bytes) -> None:
        if self._pieces is None:
            return
        self._size += len(data)
        if self._size > self._limit:
            self._pieces = None
            self._done(TooLarge(self._limit))
        else:
            self._pieces.append(data)

    def body_end(self, trailers: Headers) -> None:
        pieces, self._pieces = self._pieces, None
        if pieces is not None:
            self._done(b"".join(pieces))

    def client_left(self, why: str) -> None:
        self._pieces = None
        if self._left is not None:
            self._left()

    def client_full(self) -> None:
        pass

    def client_ready(self) -> None:
        pass
