"""Connections to one server, kept alive between requests.

A request takes the connection that was used last (the least likely to have been closed by the
server), or a new one. There is no upper bound unless the pool is given one: whoever calls knows how
many requests the server may have at once. At the bound requests wait for a connection, in their
order. What is idle is closed by one timer; an unused pool has none.

A request whose kept connection turns out to be closed before any byte of an answer is sent once
more, on a new one, if it may be repeated: its method is idempotent, or its body has not been
touched (RFC 9110 §9.2.2, RFC 9112 §9.3.1).

Not here: sharing pools by address (``dataplane/fetch.py`` does it for foreign URLs).
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Sequence

from knlite.dataplane.wire.call import Coming, Receiver
from knlite.dataplane.wire.dial import dial
from knlite.dataplane.wire.failures import Broken
from knlite.dataplane.wire.http1_client import ClientConnection, ClientTunnel, Http1Call, Meaning
from knlite.dataplane.wire.repetition import Repetitions
from knlite.serving.instance import Address

IDLE_SECONDS = 4.0
"""Below the 5 s after which Node and uvicorn close, so that we are the ones who close."""
IDLE_LIMIT = 256
"""Idle connections that are kept; one more is closed."""


class Http1Pool:
    """The way to one server; implements ``call.Upstream``. Belongs to the running loop."""

    def __init__(
        self, address: Address, *, tls: ssl.SSLContext | None = None, most: int | None = None
    ) -> None:
        """*most* connections are open at once; None: as many as are needed."""
        self.address = address
        self._most = most
        self._waiting: deque[Http1Call] = deque()
        """Requests for which there is no connection yet."""
        self._tls = tls
        self._loop = asyncio.get_running_loop()
        self._idle: list[ClientConnection] = []
        """Used last at the end."""
        self._all: set[ClientConnection] = set()
        self._tunnels: set[ClientTunnel] = set()
        self._dials: set[asyncio.Task[None]] = set()
        self._sweeper: asyncio.TimerHandle | None = None
        self._closed = False
        self._repetitions: Repetitions[Meaning] = Repetitions()

    @property
    def quiet(self) -> bool:
        """There is no connection, and none is being made."""
        return not (self._all or self._dials or self._tunnels)

    def send(
        self,
        method: bytes,
        target: bytes,
        headers: Sequence[tuple[bytes, bytes]],
        receiver: Receiver,
        *,
        body: bytes | Coming = b"",
        upgrade: bytes = b"",
        also: Sequence[tuple[bytes, bytes]] = (),
    ) -> Http1Call:
        """Send a request; *receiver* is called later, never from within this call.

        *headers* and *also* are sent as given, with Host; Content-Length, Transfer-Encoding and
        Connection follow from *body* and *upgrade* and must not be among them. Raises ValueError
        if a header contains a line end.
        """
        call = Http1Call(method, target, headers, body, receiver, upgrade, also)
        while self._idle:
            connection = self._idle.pop()
            if not connection.closing:
                connection.begin(call)
                call.started(connection)
                return call
        if self._most is None or len(self._all) + len(self._dials) < self._most:
            self._dial(call)
        else:
            self._waiting.append(call)
        return call

    def close(self) -> None:
        """Cut everything; whatever runs fails as ``Broken``."""
        self._closed = True
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        self._idle.clear()
        for task in self._dials:
            task.cancel()
        while self._waiting:
            self._waiting.popleft().failed(Broken("the connection pool was closed"))
        for connection in tuple(self._all):
            connection.fail(Broken("the connection pool was closed"))
        for tunnel in tuple(self._tunnels):
            tunnel.fail(Broken("the connection pool was closed"))

    async def aclose(self) -> None:
        """The same, and wait until nothing of it runs any more."""
        self.close()
        await asyncio.gather(*self._dials, return_exceptions=True)

    # What connections tell.

    def opened(self, connection: ClientConnection) -> None:
        self._all.add(connection)

    def free(self, connection: ClientConnection) -> None:
        following = self._following() if self._waiting else None
        if following is not None:
            connection.begin(following)
            following.connected(connection)
            return
        if self._closed or len(self._idle) >= IDLE_LIMIT:
            connection.close()
            return
        connection.idle_since = self._loop.time()
        self._idle.append(connection)
        if self._sweeper is None:
            self._sweeper = self._loop.call_later(IDLE_SECONDS, self._sweep)

    def lost(self, connection: ClientConnection) -> None:
        if connection not in self._all:
            return
        self._all.remove(connection)
        if not connection.busy and connection in self._idle:
            self._idle.remove(connection)
        self._replace()

    def tunnelled(self, tunnel: ClientTunnel, open_: bool) -> None:
        if open_:
            self._tunnels.add(tunnel)
        else:
            self._tunnels.discard(tunnel)

    def repeat(self, call: Http1Call) -> None:
        call.retried = True
        self._dial(call)

    def _dial(self, call: Http1Call) -> None:
        if self._closed:
            self._loop.call_soon(call.failed, Broken("the connection pool was closed"))
            return
        # One task for each connection, not for each request; owned here, ended by aclose.
        dial = self._loop.create_task(self._connect(call))
        self._dials.add(dial)
        dial.add_done_callback(self._dials.discard)

    async def _connect(self, call: Http1Call) -> None:
        try:
            made = await dial(
                self.address, lambda: ClientConnection(self, self._repetitions), tls=self._tls
            )
        except asyncio.CancelledError:
            call.failed(Broken("the connection pool was closed"))
            raise
        if not isinstance(made, ClientConnection):
            self._replace()
            call.failed(made)
        elif call.over:
            self.free(made)
        else:
            made.begin(call)
            call.connected(made)

    def _replace(self) -> None:
        """There is one connection less, and room for another."""
        following = self._following()
        if following is not None:
            self._dial(following)

    def _following(self) -> Http1Call | None:
        while self._waiting:
            call = self._waiting.popleft()
            if not call.over:
                return call
        return None

    def _sweep(self) -> None:
        self._sweeper = None
        oldest_kept = self._loop.time() - IDLE_SECONDS
        kept = [c for c in self._idle if c.idle_since > oldest_kept]
        stale = self._idle[: len(self._idle) - len(kept)]
        self._idle = kept
        for connection in stale:
            connection.close()
        if kept:
            self._sweeper = self._loop.call_at(kept[0].idle_since + IDLE_SECONDS, self._sweep)
