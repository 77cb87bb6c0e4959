"""One request to any URL, with its whole answer: how events reach their subscribers.

The same client as the relay, with a pool for each origin; pools that have no connection left are
forgotten when another is made. Names are resolved by the loop at each new connection.

Not here: retries and what an answer means (``eventing/delivery.py``).
"""

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple
from urllib.parse import quote, urlsplit

from knlite.dataplane.wire.failures import Broken, Failure, TimedOut
from knlite.dataplane.wire.framing import Headers, lookup
from knlite.dataplane.wire.http1_pool import Http1Pool
from knlite.errors import InvalidInput
from knlite.serving.instance import Address

CONNECTIONS = 256
"""To one server at once.

A hundred triggers may have a hundred events each on their way to the same server; to make
thousands of connections takes longer than to wait for one.
"""


class Origin(NamedTuple):
    """Whom to connect to."""

    scheme: Literal["http", "https"]
    host: str
    port: int

    @property
    def authority(self) -> bytes:
        """What Host says; the usual port is left out."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = _PORTS[self.scheme]
        return (host if self.port == usual else f"{host}:{self.port}").encode()


class Response(NamedTuple):
    """A whole answer."""

    status: int
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes

    def header(self, name: bytes) -> bytes | None:
        """Return the first value of *name*, which is given in lower case."""
        return lookup(self.headers, name)


@dataclass(frozen=True, slots=True)
class CutOff:
    """An answer whose head has come, and not all of its body."""

    status: int
    why: str


LATE = TimedOut("no complete answer in time")
"""What ``fetch`` returns when its own time is over."""


def split_url(url: str) -> tuple[Origin, bytes]:
    """Return the origin and the request target of *url*. Raises InvalidInput."""
    try:
        parts = urlsplit(url)
        port = parts.port
        host = (parts.hostname or "").encode("idna" if "[" not in parts.netloc else "ascii")
    except ValueError as exc:
        raise InvalidInput(f"{url!r} is not a URL", cause=str(exc)) from exc
    scheme: Literal["http", "https"] = "https" if parts.scheme == "https" else "http"
    if parts.scheme != scheme or not host:
        raise InvalidInput(f"{url!r} is not an absolute http or https URL")
    target = quote(parts.path or "/", safe=_AS_IS)
    if parts.query:
        target += "?" + quote(parts.query, safe=_AS_IS)
    return Origin(scheme, host.decode(), port or _PORTS[scheme]), target.encode()


class Pools:
    """A pool for each origin."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self._pools: dict[Origin, Http1Pool] = {}

    def of(self, origin: Origin) -> Http1Pool:
        """Return the pool of *origin*."""
        pool = self._pools.get(origin)
        if pool is None:
            self._pools = {key: pool for key, pool in self._pools.items() if not pool.quiet}
            tls = None
            if origin.scheme == "https":
                # Reading the system's certificates takes some 20 ms: only when it is needed.
                tls = self._tls = self._tls or ssl.create_default_context()
            pool = self._pools[origin] = Http1Pool(
                Address(origin.host, origin.port), tls=tls, most=CONNECTIONS
            )
        return pool

    @property
    def quiet(self) -> bool:
        """There is no connection, and none is being made."""
        return all(pool.quiet for pool in self._pools.values())

    async def aclose(self) -> None:
        """Close all pools; whatever runs fails as ``Broken``."""
        for pool in tuple(self._pools.values()):
            await pool.aclose()
        self._pools.clear()


async def fetch(
    pools: Pools,
    method: bytes,
    origin: Origin,
    target: bytes,
    headers: Headers,
    body: bytes,
    *,
    timeout: float,  # noqa: ASYNC109 - a value of the manifest, and its end is an answer
    limit: int,
) -> Response | CutOff | Failure:
    """Send *body* and return the answer, of at most *limit* bytes.

    ``LATE`` is returned when *timeout* seconds have passed before it is complete. Host is added
    unless *headers* has it. Cancelling cuts the connection.
    """
    if lookup(headers, b"host") is None:
        headers = [(b"Host", origin.authority), *headers]
    loop = asyncio.get_running_loop()
    whole = _WholeAnswer(limit, loop.create_future())
    call = pools.of(origin).send(method, target, headers, whole, body=body)
    # One timer and one future, where a cancel scope and an event would take four times as long.
    timer = loop.call_later(timeout, whole.failed, LATE)
    try:
        await whole.over
    finally:
        timer.cancel()
        call.cancel()
    failure = whole.failure
    if failure is not None:
        cut = whole.status and failure is not LATE and not whole.too_large
        return CutOff(whole.status, failure.why) if cut else failure
    return Response(whole.status, whole.headers, b"".join(whole.pieces))


class _WholeAnswer:
    def __init__(self, limit: int, over: asyncio.Future[None]) -> None:
        self.over = over
        self.failure: Failure | None = None
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.pieces: list[bytes] = []
        self._left = limit
        self._limit = limit

    def interim(self, status: int, reason: bytes, headers: list[tuple[bytes, bytes]]) -> None:
        """Only the final answer counts."""

    def answered(
        self, status: int, reason: bytes, headers: list[tuple[bytes, bytes]], body: bytes
    ) -> None:
        self.head(status, reason, headers, len(body))
        self.data(body)
        self.end(())

    def head(
        self, status: int, reason: bytes, headers: list[tuple[bytes, bytes]], length: int | None
    ) -> None:
        self.status = status
        self.headers = headers

    def switched(self, reason: bytes, headers: list[tuple[bytes, bytes]]) -> None:
        """Nobody asks for it."""

    def data(self, data: bytes) -> None:
        self._left -= len(data)
        if self._left >= 0:
            self.pieces.append(data)
        elif self.failure is None:
            self.pieces.clear()
            self.failed(Broken(f"the answer is larger than {self._limit} bytes"))

    def end(self, trailers: Headers) -> None:
        self._end()

    def failed(self, failure: Failure) -> None:
        if self.failure is None:
            self.failure = failure
        self._end()

    @property
    def too_large(self) -> bool:
        """Whether the answer has exceeded its limit."""
        return self._left < 0

    def _end(self) -> None:
        if not self.over.done():
            self.over.set_result(None)

    def server_full(self) -> None:
        """The body is whole already."""

    def server_ready(self) -> None:
        """The body is whole already."""


_PORTS = {"http": 80, "https": 443}
_AS_IS = "!#$%&'()*+,/:;=?@[]~"
