"""A request of knlite's own to something behind its gateway, without a connection in between.

It looks to the gateway like one that has come from inside the cluster, so that whoever answers
(an instance, a broker, a page) needs no second way; and it costs neither a socket nor a parser.

Not here: which requests go this way (``sender.py``).
"""

import asyncio
from collections.abc import Sequence

from knlite.dataplane.wire.exchange import Header, Headers, Taker
from knlite.serving.instance import Address


class InnerExchange:
    """Implements ``exchange.Exchange``."""

    # What is the same for all of them lives in the class.
    http_version = "1.1"
    upgrade = b""
    client = Address("127.0.0.1", 0)
    started = False
    finished = False
    gone: str | None = None
    status = 0
    """Of the answer."""
    instance = ""
    """The instance that was asked, if any."""
    arrival = 0
    """What names the event, if a broker or a channel has taken it."""
    failure = ""
    """Why there is no answer, or not all of it."""
    _taker: Taker | None = None
    _paused = False
    _wanted = False

    def __init__(
        self,
        method: bytes,
        host: bytes,
        target: bytes,
        headers: Sequence[Header],
        body: bytes,
        limit: int,
        over: asyncio.Future[None],
    ) -> None:
        """*limit* is how many bytes the answer may have.

        *over* is done when the answer is complete, or when there will be none.
        """
        self.method = method
        self.host = host
        self.target = target
        self.headers = [(b"Host", host), *headers]
        self.length: int | None = len(body)
        self.answered: Sequence[Header] = ()
        """The headers of the answer."""
        self._over = over
        self._body: bytes | None = body
        self._pieces: list[bytes] = []
        self._left = self._limit = limit

    @property
    def answer(self) -> bytes:
        """The answer's body."""
        return b"".join(self._pieces)

    @property
    def too_large(self) -> bool:
        """Whether the answer has exceeded its limit."""
        return self._left < 0

    def leave(self, why: str) -> None:
        """Nobody waits for the answer any more."""
        if not self.finished and self.gone is None:
            self.gone = why
            self._end(why)
            if self._taker is not None:
                self._taker.client_left(why)

    # exchange.Exchange

    def attend(self, taker: Taker) -> None:
        self._taker = taker
        if self.gone is not None:
            taker.client_left(self.gone)

    def receive(self) -> None:
        self._wanted = True
        self._hand_over()

    def pause(self) -> None:
        self._paused = True

    def resume(self) -> None:
        self._paused = False
        if self._wanted:
            self._hand_over()

    def inform(self, status: int, reason: bytes, headers: Headers) -> None:
        """Only the final answer counts."""

    def start(self, status: int, reason: bytes, headers: Headers, *, length: int | None) -> None:
        if self.gone is None:
            self.started = True
            self.status = status
            self.answered = headers

    def write(self, data: bytes) -> None:
        self._left -= len(data)
        if self._left < 0:
            self._pieces.clear()
            self._end(f"the answer is larger than {self._limit} bytes")
            self.leave(self.failure)
        elif not self.finished:
            self._pieces.append(data)

    def end(self, trailers: Headers = ()) -> None:
        self._end("")

    def switch(self, reason: bytes, headers: Headers) -> None:
        """Nobody asks for it."""

    def respond(
        self, status: int, headers: Headers = (), body: bytes = b"", reason: bytes | None = None
    ) -> None:
        self.start(status, b"", headers, length=len(body))
        self.write(body)
        self._end("")

    def abort(self) -> None:
        self._end("the answer was cut off")

    def _end(self, failure: str) -> None:
        if not self._over.done():
            self.finished = not failure
            self.failure = failure
            self._over.set_result(None)

    def _hand_over(self) -> None:
        taker, body = self._taker, self._body
        if taker is None or body is None or self._paused or self.gone is not None:
            return
        self._body = None
        if body:
            taker.body(body)
        taker.body_end(())
