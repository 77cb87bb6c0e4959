"""Connections of HTTP/2 to one server: one, as long as it has room for all calls.

It is made for the first call. Calls that find no room (the server limits how many streams there may
be, or takes no more) wait for a place, or for another connection, whichever comes first. What is
idle is closed by one timer; an unused pool has none.

A call that the server has certainly not acted on is sent once more (RFC 9113 §8.7). All others fail
with their connection: a proxy cannot know whether they may be repeated.

Source: RFC 9113 §9.1 (connection management), §5.1.2 (concurrency).
"""

import asyncio
from collections import deque

from knlite.dataplane.wire.call import Coming, Headers, Receiver
from knlite.dataplane.wire.dial import dial
from knlite.dataplane.wire.failures import Broken, Failure
from knlite.dataplane.wire.http2_client import Http2Call, Http2ClientConnection
from knlite.serving.instance import Address

IDLE_SECONDS = 60.0
"""A connection without calls costs little, and making one is a round trip for the next call."""
STREAMS_ASSUMED = 100
"""Streams that are begun before the server has said how many it takes; RFC 9113 §6.5.2 recommends
that it be no less."""

_CLOSED = "the connection pool was closed"


class Http2Pool:
    """The way to one server; implements ``call.Upstream``. Belongs to the running loop."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._loop = asyncio.get_running_loop()
        self._connections: list[Http2ClientConnection] = []
        self._waiting: deque[Http2Call] = deque()
        self._dials: set[asyncio.Task[Failure | None]] = set()
        """At most one that has not ended."""
        self._sweeper: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def quiet(self) -> bool:
        """There is no connection, and none is being made."""
        return not self._connections and not self._dials

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
    ) -> Http2Call:
        """Send a request. *upgrade* is left out, as any server may (RFC 9110 §7.8)."""
        call = Http2Call(self, method, target, [*headers, *also], body, receiver)
        for connection in self._connections:
            if connection.room > 0:
                connection.begin(call)
                return call
        self._wait(call)
        return call

    def close(self) -> None:
        """Cut everything; whatever runs fails as ``Broken``."""
        self._closed = True
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        for task in self._dials:
            task.cancel()
        for connection in tuple(self._connections):
            connection.abort(_CLOSED)
        self._fail_waiting(Broken(_CLOSED))

    async def aclose(self) -> None:
        """The same, and wait until nothing of it runs any more."""
        self.close()
        await asyncio.gather(*self._dials, return_exceptions=True)

    # What calls and connections tell.

    def free(self, connection: Http2ClientConnection) -> None:
        self._fill(connection)
        if connection.idle and not self._closed:
            connection.idle_since = self._loop.time()
            if self._sweeper is None:
                self._sweeper = self._loop.call_later(IDLE_SECONDS, self._sweep)

    def lost(self, connection: Http2ClientConnection) -> None:
        if connection in self._connections:
            self._connections.remove(connection)
        self._dial()

    def repeat(self, call: Http2Call) -> None:
        self._wait(call)

    # Waiting

    def _wait(self, call: Http2Call) -> None:
        if self._closed:
            self._loop.call_soon(call.failed, Broken(_CLOSED))
            return
        self._waiting.append(call)
        self._dial()

    def _fill(self, connection: Http2ClientConnection) -> None:
        """Begin what waits, as far as *connection* has room."""
        waiting = self._waiting
        while waiting and connection.room > 0:
            call = waiting.popleft()
            if not call.over:
                connection.begin(call)
                call.begun_late()

    def _fail_waiting(self, failure: Failure) -> None:
        waiting, self._waiting = self._waiting, deque()
        for call in waiting:
            call.failed(failure)

    # Dialling

    def _dial(self) -> None:
        if not self._waiting or self._dials or self._closed:
            return
        # One task for each connection, not for each request; owned here, ended by aclose.
        dial = self._loop.create_task(self._connect())
        self._dials.add(dial)
        dial.add_done_callback(self._dialled)

    def _dialled(self, dial: asyncio.Task[Failure | None]) -> None:
        # Before anybody hears of it: who fails may be followed by another call.
        self._dials.discard(dial)
        if dial.cancelled():
            return
        failure = dial.result()
        if failure is None:
            # Some may have found no room.
            self._dial()
        else:
            self._dial_failed(failure)

    async def _connect(self) -> Failure | None:
        # The next connection will have the limit of those before it.
        assumed = min([STREAMS_ASSUMED, *(known.allowed for known in self._connections)])
        connection = await dial(
            self.address, lambda: Http2ClientConnection(self._loop, self, assumed)
        )
        if not isinstance(connection, Http2ClientConnection):
            return connection
        if self._closed:
            connection.abort(_CLOSED)
            return Broken(_CLOSED)
        if connection.over:
            return Broken("the server closed the connection at once")
        self._connections.append(connection)
        self.free(connection)
        return None

    def _dial_failed(self, failure: Failure) -> None:
        """All that wait fail, unless a place may still become free for them."""
        if not any(not connection.idle for connection in self._connections):
            self._fail_waiting(failure)

    def _sweep(self) -> None:
        self._sweeper = None
        now = self._loop.time()
        idle = [connection for connection in self._connections if connection.idle]
        for connection in idle:
            if connection.idle_since + IDLE_SECONDS <= now:
                connection.close()
        left = [connection.idle_since for connection in idle if not connection.over]
        if left:
            self._sweeper = self._loop.call_at(min(left) + IDLE_SECONDS, self._sweep)
