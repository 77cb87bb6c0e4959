"""Both ends of HTTP/1.1, driven by whatever may happen in whatever order.

Reads end anywhere; answers come whole, in pieces or not at all; either side stops reading, leaves,
is late or talks nonsense. Always: exchanges begin in their order and one at a time, each ends
exactly once, reading stops where it should, nothing is written after the end, and no exception
escapes.
"""

import re

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from knlite.dataplane.wire.call import Coming
from knlite.dataplane.wire.exchange import HOLD_LIMIT, Exchange, Headers
from knlite.dataplane.wire.failures import Broken, Failure, Refused
from knlite.dataplane.wire.http1_client import ClientConnection, Http1Call
from knlite.dataplane.wire.http1_pool import Http1Pool
from knlite.dataplane.wire.http1_server import Http1Connection
from knlite.dataplane.wire.limits import Limits
from knlite.serving.instance import Address
from tests.contract.wire_ends import Loop, Transport

SETTINGS = settings(
    max_examples=120,
    stateful_step_count=40,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.filter_too_much],
)
LIMITS = Limits(head_seconds=3, body_seconds=5, idle_seconds=20)


class Client:
    """Takes what an exchange tells, and remembers what it has asked for."""

    def __init__(self, exchange: Exchange, number: int) -> None:
        self.exchange = exchange
        self.number = number
        self.data = b""
        self.ended = 0
        self.left: list[str] = []
        self.paused = False
        self.receiving = False

    def body(self, data: bytes) -> None:
        assert data
        assert self.receiving
        assert not self.ended
        assert not self.left
        self.data += data

    def body_end(self, trailers: Headers) -> None:
        assert self.receiving
        assert not self.left
        self.ended += 1

    def client_left(self, why: str) -> None:
        assert not self.exchange.finished
        self.left.append(why)

    def client_full(self) -> None:
        assert not self.left

    def client_ready(self) -> None:
        assert not self.left

    @property
    def over(self) -> bool:
        return self.exchange.finished or self.exchange.gone is not None


KINDS: dict[str, tuple[bytes, bytes]] = {
    "get": (b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n", b""),
    "head": (b"HEAD /%d HTTP/1.1\r\nHost: a\r\n\r\n", b""),
    "post": (b"POST /%d HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", b"hello"),
    "large": (
        b"POST /%%d HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (2 * HOLD_LIMIT)
        + b"x" * 2 * HOLD_LIMIT,
        b"x" * 2 * HOLD_LIMIT,
    ),
    "chunked": (
        b"POST /%d HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nT: u\r\n\r\n",
        b"hello",
    ),
    "expecting": (
        b"POST /%d HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
        b"hello",
    ),
    "asking": (b"GET /%d HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", b""),
    "asking-with-body": (
        b"POST /%d HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n"
        b"Content-Length: 5\r\n\r\nhello",
        b"hello",
    ),
    "old": (b"GET /%d HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", b""),
    "closing": (b"GET /%d HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", b""),
}
MODES = ["wait", "attend", "receive", "receive", "answer", "answer", "fail"]
NONSENSE = {
    "no-host": b"GET / HTTP/1.1\r\n\r\n",
    "space": b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    "chunk": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
    "nul": b"\0\0\0\0",
    "endless": b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000,
}


class Server(RuleBasedStateMachine):
    """One client's connection."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = Loop()
        self.transport = Transport()
        self.gone: list[object] = []
        self.connections: set[object] = set()
        self.clients: list[Client] = []
        self.coming = b""
        """What the client has sent and nobody has read."""
        self.bodies: list[bytes] = []
        """Of all requests that were sent, in their order."""
        self.sane = True
        """Everything sent so far means something."""
        self.mode = "wait"
        self.failed = 0
        self.ended = False
        """The client sends nothing more."""
        self.lost = False
        self.connection = Http1Connection(
            self.loop,  # type: ignore[arg-type]  # what it needs of one
            self.handle,
            LIMITS,
            self.connections,
            self.leave,
        )
        self.connection.connection_made(self.transport)

    def leave(self, connection: object) -> None:
        self.gone.append(connection)
        self.connections.remove(connection)

    def handle(self, exchange: Exchange) -> None:
        assert all(client.over for client in self.clients)
        client = Client(exchange, len(self.clients))
        self.clients.append(client)
        match self.mode:
            case "answer":
                self.answer(client, 5)
            case "fail":
                self.failed += 1
                raise LookupError
            case "attend":
                exchange.attend(client)
            case "receive":
                client.receiving = True
                exchange.attend(client)
                exchange.receive()
            case _:
                pass

    def answer(self, client: Client, size: int) -> None:
        client.exchange.respond(200, [(b"N", b"%d" % client.number)], b"x" * size)

    @property
    def current(self) -> Client | None:
        last = self.clients[-1] if self.clients else None
        return last if last is not None and not last.over else None

    # The client

    @initialize(
        kinds=st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=3),
        mode=st.sampled_from(MODES),
    )
    def begins(self, kinds: list[str], mode: str) -> None:
        self.some_are_served(kinds, 1000, mode, False)

    @precondition(lambda self: not self.lost and len(self.bodies) < 12)
    @rule(kind=st.sampled_from(sorted(KINDS)), count=st.integers(1, 3))
    def client_asks(self, kind: str, count: int) -> None:
        for _ in range(count):
            request, body = KINDS[kind]
            self.coming += request % len(self.bodies)
            self.bodies.append(body)

    @precondition(lambda self: self.readable and len(self.bodies) < 12)
    @rule(
        kinds=st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=3),
        size=st.sampled_from([3, 50, 1000, 1000, 65536]),
        mode=st.sampled_from(MODES),
        answered=st.booleans(),
    )
    def some_are_served(self, kinds: list[str], size: int, mode: str, answered: bool) -> None:
        """What usually happens, without anything in between."""
        self.mode = mode
        for kind in kinds:
            self.client_asks(kind, 1)
        while self.coming and self.readable:
            self.some_is_read(size)
            if answered and self.current is not None:
                self.answers(5)

    @precondition(lambda self: not self.lost and self.sane and self.clients)
    @rule(kind=st.sampled_from(sorted(NONSENSE)))
    def client_talks_nonsense(self, kind: str) -> None:
        self.coming += NONSENSE[kind]
        self.sane = False

    @precondition(lambda self: self.coming and self.readable)
    @rule(size=st.one_of(st.integers(1, 60), st.sampled_from([1000, 65536, 1 << 20])))
    def some_is_read(self, size: int) -> None:
        piece, self.coming = self.coming[:size], self.coming[size:]
        self.transport.protocol(self.connection).data_received(piece)

    @precondition(lambda self: not (self.lost or self.transport.full))
    @rule()
    def client_does_not_read(self) -> None:
        self.transport.full = True
        self.transport.protocol(self.connection).pause_writing()

    @precondition(lambda self: self.transport.full and not self.lost)
    @rule()
    def client_reads_again(self) -> None:
        self.transport.full = False
        self.transport.protocol(self.connection).resume_writing()

    @precondition(lambda self: self.readable and len(self.clients) > 1)
    @rule()
    def client_closes(self) -> None:
        self.coming = b""
        self.ended = True
        if not self.transport.protocol(self.connection).eof_received():
            self.transport.closed = True

    @precondition(lambda self: not self.lost and len(self.clients) > 1)
    @rule(why=st.sampled_from([None, ConnectionResetError()]))
    def connection_is_lost(self, why: Exception | None) -> None:
        self.lose(why)

    @property
    def readable(self) -> bool:
        ended = self.ended or self.lost or self.transport.closed
        return not ended and self.transport.reading

    # The handler

    @rule(mode=st.sampled_from(MODES))
    def handler_changes(self, mode: str) -> None:
        self.mode = mode

    @precondition(lambda self: self.current is not None)
    @rule(size=st.integers(0, 9))
    def answers(self, size: int) -> None:
        client = self.current
        assert client is not None
        if not client.exchange.started:
            self.answer(client, size)

    @precondition(lambda self: self.current is not None)
    @rule(length=st.sampled_from([None, None, 0, 3]))
    def begins_to_answer(self, length: int | None) -> None:
        client = self.current
        assert client is not None
        if not client.exchange.started:
            client.exchange.inform(103, b"", [(b"X", b"y")])
            headers = [(b"N", b"%d" % client.number)]
            client.exchange.start(200, b"OK", headers, length=length)

    @precondition(lambda self: self.current is not None and self.current.exchange.started)
    @rule(size=st.integers(0, 3))
    def goes_on(self, size: int) -> None:
        assert self.current is not None
        self.current.exchange.write(b"x" * size)

    @precondition(lambda self: self.current is not None and self.current.exchange.started)
    @rule()
    def ends(self) -> None:
        assert self.current is not None
        self.current.exchange.end([(b"T", b"u")])

    @precondition(lambda self: self.current is not None)
    @rule()
    def cuts(self) -> None:
        assert self.current is not None
        self.current.exchange.abort()

    @precondition(lambda self: self.current is not None and self.current.exchange.upgrade)
    @rule()
    def switches(self) -> None:
        client = self.current
        assert client is not None
        if not (client.exchange.started or client.receiving):
            client.receiving = True
            self.sane = False
            client.exchange.attend(client)
            client.exchange.switch(b"", [(b"N", b"%d" % client.number)])
            client.exchange.receive()

    @precondition(lambda self: self.current is not None and not self.current.receiving)
    @rule()
    def wants_the_body(self) -> None:
        client = self.current
        assert client is not None
        client.receiving = True
        client.exchange.attend(client)
        client.exchange.receive()

    @precondition(lambda self: self.current is not None)
    @rule()
    def pauses(self) -> None:
        assert self.current is not None
        self.current.paused = True
        self.current.exchange.pause()

    @precondition(lambda self: self.current is not None)
    @rule()
    def resumes(self) -> None:
        assert self.current is not None
        self.current.paused = False
        self.current.exchange.resume()

    @precondition(lambda self: any(client.exchange.gone for client in self.clients))
    @rule()
    def writes_to_nobody(self) -> None:
        """Once the client has gone, what writes does nothing."""
        before = len(self.transport.written)
        client = next(client for client in self.clients if client.exchange.gone)
        exchange = client.exchange
        if not exchange.started:
            exchange.inform(103, b"", ())
            exchange.start(200, b"OK", (), length=None)
        exchange.write(b"x")
        exchange.end()
        exchange.pause()
        exchange.resume()
        assert len(self.transport.written) == before

    # Time and the server

    @rule(seconds=st.sampled_from([0.5, 2, 4, 30]))
    def time_passes(self, seconds: float) -> None:
        self.loop.advance(seconds)

    @precondition(lambda self: self.connections and len(self.clients) > 1)
    @rule()
    def server_shuts(self) -> None:
        for connection in tuple(self.connections):
            connection.shut()  # type: ignore[attr-defined]  # a connection

    # Always

    @invariant()
    def always(self) -> None:
        if self.transport.aborted and not self.lost:
            # The loop says so in its next turn.
            self.lose(None)
        self.exchanges_begin_in_their_order()
        self.answers_are_in_their_order()
        self.bodies_are_what_was_sent()
        self.a_paused_body_is_not_read()
        self.who_waits_for_a_request_reads()
        assert not self.transport.late
        assert len(self.loop.reported) == self.failed

    def exchanges_begin_in_their_order(self) -> None:
        if self.sane:
            for client in self.clients:
                assert client.exchange.target == b"/%d" % client.number
        for client in self.clients[:-1]:
            assert client.over

    def answers_are_in_their_order(self) -> None:
        numbers = [int(n) for n in re.findall(rb"\r\nN: (\d+)\r\n", self.transport.written)]
        assert numbers == sorted(set(numbers))
        assert self.transport.written.count(b"HTTP/1.1 100 ") <= len(self.bodies)

    def bodies_are_what_was_sent(self) -> None:
        for client in self.clients:
            assert len(client.left) <= 1
            assert client.ended <= 1
            if self.sane:
                assert self.bodies[client.number].startswith(client.data)
                if client.ended:
                    assert client.data == self.bodies[client.number]

    def a_paused_body_is_not_read(self) -> None:
        client = self.current
        if client is not None and client.paused and not self.transport.closed:
            exchange = client.exchange
            assert exchange.body_complete or not self.transport.reading  # type: ignore[attr-defined]

    def who_waits_for_a_request_reads(self) -> None:
        if self.current is None and not self.transport.full:
            assert self.transport.reading or self.transport.closed

    def lose(self, why: Exception | None) -> None:
        self.lost = self.transport.closed = True
        self.transport.protocol(self.connection).connection_lost(why)

    def teardown(self) -> None:
        # Whoever is closed hears so.
        if not self.lost:
            self.lose(None)
        assert all(client.over for client in self.clients)
        for client in self.clients:
            if client.exchange.gone is not None and client.left:
                assert not client.exchange.finished
        assert len(self.gone) == 1
        assert not self.connections
        assert not self.loop.pending()
        assert not self.loop.reported[self.failed :]


class Asker:
    """Takes an answer."""

    def __init__(self, number: int, method: bytes, upgrade: bytes) -> None:
        self.number = number
        self.method = method
        self.upgrade = upgrade
        self.call: Http1Call
        self.sending = True
        """Still within ``send``, which calls nothing."""
        self.heads = 0
        self.body = b""
        self.over = 0
        self.why: Failure | None = None
        self.cancelled = False
        self.switched_over = False

    def alive(self) -> None:
        assert not self.sending
        assert not self.over
        assert not self.cancelled

    def interim(self, status: int, reason: bytes, headers: Headers) -> None:
        self.alive()
        assert not self.heads
        self.own(headers)

    def head(self, status: int, reason: bytes, headers: Headers, length: int | None) -> None:
        self.alive()
        self.own(headers)
        self.heads += 1
        assert self.heads == 1

    def answered(self, status: int, reason: bytes, headers: Headers, body: bytes) -> None:
        self.head(status, reason, headers, len(body))
        self.body = body
        self.over += 1

    def switched(self, reason: bytes, headers: Headers) -> None:
        self.head(101, reason, headers, None)
        self.switched_over = True

    def data(self, data: bytes) -> None:
        self.alive()
        assert data
        assert self.heads
        self.body += data

    def end(self, trailers: Headers) -> None:
        self.alive()
        assert self.heads
        self.over += 1

    def failed(self, failure: Failure) -> None:
        self.alive()
        self.over += 1
        self.why = failure

    def server_full(self) -> None:
        self.alive()

    def server_ready(self) -> None:
        self.alive()

    def own(self, headers: Headers) -> None:
        """Whatever comes is the answer to this request and to no other."""
        assert [value for name, value in headers if name == b"N"] == [b"%d" % self.number]


ANSWERS = {
    "length": b"HTTP/1.1 200 OK\r\nN: %d\r\nContent-Length: 5\r\n\r\nhello",
    "empty": b"HTTP/1.1 200 OK\r\nN: %d\r\nContent-Length: 0\r\n\r\n",
    "chunks": b"HTTP/1.1 200 OK\r\nN: %d\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3\r\nhel\r\n2\r\nlo\r\n0\r\nT: u\r\n\r\n",
    "closing": b"HTTP/1.1 200 OK\r\nN: %d\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello",
    "old": b"HTTP/1.0 200 OK\r\nN: %d\r\nContent-Length: 5\r\n\r\nhello",
    "until-close": b"HTTP/1.1 200 OK\r\nN: %d\r\n\r\nhello",
    "204": b"HTTP/1.1 204 No\r\nN: %d\r\n\r\n",
    "304": b"HTTP/1.1 304 Not\r\nN: %d\r\nContent-Length: 5\r\n\r\n",
    "early": b"HTTP/1.1 103 E\r\nN: %d\r\n\r\n",
    "continue": b"HTTP/1.1 100 C\r\nN: %d\r\n\r\n",
    "switch": b"HTTP/1.1 101 S\r\nN: %d\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nhello",
    "two": b"HTTP/1.1 200 OK\r\nN: %d\r\nContent-Length: 5\r\n\r\nhello"
    b"HTTP/1.1 200 OK\r\nN: 999\r\nContent-Length: 5\r\n\r\nhello",
    "more": b"HTTP/1.1 200 OK\r\nN: %d\r\nContent-Length: 4\r\n\r\nhello",
    "nonsense": b"HTTP/1.1 200 OK\r\nN: %d\r\nContent-Length: -1\r\n\r\n",
}


INTERIM = ("early", "continue")


class DirectPool(Http1Pool):
    """A pool whose connections are made when the machine says so."""

    def __init__(self) -> None:
        super().__init__(Address("127.0.0.1", 1))
        self.dialing: list[Http1Call] = []

    def _dial(self, call: Http1Call) -> None:
        self.dialing.append(call)


class Link:
    """A connection to a server, and what the server has said that is not read yet."""

    def __init__(self, pool: Http1Pool) -> None:
        self.connection = ClientConnection(pool)
        self.transport = Transport()
        self.connection.connection_made(self.transport)
        self.coming = b""
        self.answered = -1
        """The number of the request that it has answered last."""
        self.lost = False

    @property
    def asked(self) -> int:
        """The number of the request that it got last, or -1."""
        numbers = re.findall(rb"[A-Z]+ /(\d+) HTTP/1.1\r\n", self.transport.written)
        return int(numbers[-1]) if numbers else -1

    @property
    def readable(self) -> bool:
        return not (self.lost or self.transport.closed) and self.transport.reading

    def read(self, data: bytes) -> None:
        self.transport.protocol(self.connection).data_received(data)

    def lose(self, why: Exception | None) -> None:
        self.lost = self.transport.closed = True
        self.transport.protocol(self.connection).connection_lost(why)


class Servers(RuleBasedStateMachine):
    """The connections to one server."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = DirectPool()
        self.askers: list[Asker] = []
        self.links: list[Link] = []

    def running(self) -> list[Asker]:
        return [asker for asker in self.askers if not (asker.over or asker.cancelled)]

    def link(self, number: int) -> Link | None:
        live = [link for link in self.links if not link.lost]
        return live[number % len(live)] if live else None

    @rule(
        method=st.sampled_from([b"GET", b"GET", b"HEAD", b"POST", b"PUT"]),
        body=st.sampled_from([b"", b"", b"hi", Coming(2), Coming(None)]),
        upgrade=st.sampled_from([b"", b"", b"x"]),
    )
    def asks(self, method: bytes, body: bytes | Coming, upgrade: bytes) -> None:
        upgrade = b"" if body else upgrade
        asker = Asker(len(self.askers), method, upgrade)
        self.askers.append(asker)
        target = b"/%d" % asker.number
        asker.call = self.pool.send(
            method, target, [(b"Host", b"a")], asker, body=body, upgrade=upgrade
        )
        asker.sending = False

    @rule(
        method=st.sampled_from([b"GET", b"GET", b"HEAD", b"POST"]),
        kind=st.sampled_from(sorted(ANSWERS)),
        size=st.sampled_from([1, 9, 60, 1000, 1000, 1000]),
        count=st.integers(1, 3),
    )
    def one_is_answered(self, method: bytes, kind: str, size: int, count: int) -> None:
        """What usually happens, without anything in between."""
        for _ in range(count):
            self.asks(method, b"", b"x" if kind == "switch" else b"")
            if self.pool.dialing:
                self.pool.dialing.insert(0, self.pool.dialing.pop())
                self.a_connection_is_made(True)
            asker = self.askers[-1]
            link = next(link for link in self.links if link.connection is asker.call.connection)
            link.coming = ANSWERS[kind] % asker.number
            link.answered = asker.number
            while link.coming and link.readable:
                self.read_some(link, size)

    @precondition(lambda self: self.pool.dialing)
    @rule(works=st.sampled_from([True, True, False]))
    def a_connection_is_made(self, works: bool) -> None:
        """As the end of ``Http1Pool._connect``."""
        call = self.pool.dialing.pop(0)
        if not works:
            call.failed(Refused("no"))
            return
        link = Link(self.pool)
        self.links.append(link)
        if call.over:
            self.pool.free(link.connection)
        else:
            link.connection.begin(call)
            call.connected(link.connection)

    @precondition(lambda self: self.running())
    @rule(which=st.integers(0, 3), size=st.integers(1, 2))
    def body_goes_on(self, which: int, size: int) -> None:
        call = self.running()[which % len(self.running())].call
        if not call.sent:
            call.write(b"x" * size)

    @precondition(lambda self: self.running())
    @rule(which=st.integers(0, 3))
    def body_ends(self, which: int) -> None:
        self.running()[which % len(self.running())].call.end()

    @precondition(lambda self: self.running())
    @rule(which=st.integers(0, 3), wanted=st.booleans())
    def asker_reads_or_not(self, which: int, wanted: bool) -> None:
        call = self.running()[which % len(self.running())].call
        call.resume() if wanted else call.pause()

    @precondition(lambda self: self.running())
    @rule(which=st.integers(0, 3))
    def asker_leaves(self, which: int) -> None:
        asker = self.running()[which % len(self.running())]
        asker.cancelled = True
        asker.call.cancel()

    @precondition(lambda self: self.links)
    @rule(which=st.integers(0, 3), kind=st.sampled_from(sorted(ANSWERS)))
    def server_answers(self, which: int, kind: str) -> None:
        link = self.link(which)
        # A server that says the next answer before it was asked is believed; so it does not here.
        if link is not None and link.asked > link.answered and link.connection.busy:
            link.coming += ANSWERS[kind] % link.asked
            if kind not in INTERIM:
                link.answered = link.asked

    @precondition(lambda self: any(link.coming and link.readable for link in self.links))
    @rule(which=st.integers(0, 3), size=st.sampled_from([1, 9, 40, 60, 1000, 1000, 1000]))
    def some_is_read(self, which: int, size: int) -> None:
        ready = [link for link in self.links if link.coming and link.readable]
        self.read_some(ready[which % len(ready)], size)

    def read_some(self, link: Link, size: int) -> None:
        piece, link.coming = link.coming[:size], link.coming[size:]
        link.read(piece)
        if not link.connection.busy and link.transport.protocol(link.connection) is link.connection:
            # The rest would come while nobody has asked.
            if link.coming and link.readable:
                link.read(link.coming)
                assert link.transport.closed
            link.coming = b""

    @rule(which=st.integers(0, 3))
    def server_speaks_unasked(self, which: int) -> None:
        link = self.link(which)
        if link is not None and link.readable and not link.connection.busy:
            link.read(ANSWERS["length"] % 999)
            assert link.transport.closed

    @rule(which=st.integers(0, 3), full=st.booleans())
    def server_takes_or_not(self, which: int, full: bool) -> None:
        link = self.link(which)
        if link is not None and link.transport.full is not full:
            link.transport.full = full
            protocol = link.transport.protocol(link.connection)
            protocol.pause_writing() if full else protocol.resume_writing()

    @rule(which=st.integers(0, 3))
    def server_closes(self, which: int) -> None:
        link = self.link(which)
        if link is not None and link.readable:
            link.coming = b""
            if not link.transport.protocol(link.connection).eof_received():
                link.transport.closed = True

    @rule(which=st.integers(0, 3), why=st.sampled_from([None, ConnectionResetError()]))
    def a_connection_is_lost(self, which: int, why: Exception | None) -> None:
        link = self.link(which)
        if link is not None:
            link.coming = b""
            link.lose(why)

    @invariant()
    def always(self) -> None:
        for link in self.links:
            assert not link.transport.late
            if not (link.connection.busy or link.transport.closed):
                # So it hears when the server leaves.
                assert link.transport.reading
        for asker in self.askers:
            assert asker.over <= 1
            if asker.over and asker.why is None and not asker.switched_over:
                assert b"hello".startswith(asker.body)
                assert asker.method != b"HEAD" or not asker.body

    def teardown(self) -> None:
        dialing, self.pool.dialing = self.pool.dialing, []
        for call in dialing:
            call.failed(Broken("closed"))
        self.pool.close()
        for link in self.links:
            if not link.lost:
                link.lose(None)
        for call in self.pool.dialing:
            # Sent once more when a connection was lost.
            call.failed(Broken("closed"))
        for asker in self.askers:
            assert asker.over + asker.cancelled == 1
        assert self.pool.quiet


def test_the_server_side() -> None:
    run_state_machine_as_test(Server, settings=SETTINGS)


def served(*reads: bytes) -> tuple[Http1Connection, Transport, Loop, list[Exchange]]:
    """A connection that has read *reads*, and the exchanges that have begun."""
    loop, transport = Loop(), Transport()
    begun: list[Exchange] = []
    connection = Http1Connection(loop, begun.append, LIMITS, set(), lambda _: None)  # type: ignore[arg-type]  # what it needs of one
    connection.connection_made(transport)
    for read in reads:
        connection.data_received(read)
    return connection, transport, loop, begun


GET = KINDS["get"][0]


def test_a_head_in_two_reads_is_not_late_while_its_switch_waits_for_an_answer() -> None:
    asking = KINDS["asking"][0] % 0
    connection, transport, loop, begun = served(asking[:9], asking[9:])
    loop.advance(LIMITS.head_seconds + 1)
    begun[0].respond(200, (), b"no")
    assert transport.written.count(b"HTTP/1.1") == 1
    connection.data_received(GET % 1)
    assert begun[1].target == b"/1"


def test_a_refusal_does_not_cut_the_answer_before_it_when_it_has_to_wait() -> None:
    _, transport, loop, begun = served(GET % 0 + NONSENSE["no-host"])
    begun[0].start(200, b"OK", (), length=None)
    loop.advance(3 * LIMITS.idle_seconds)
    begun[0].write(b"still there")
    begun[0].end()
    assert transport.written.index(b"still there") < transport.written.index(b"HTTP/1.1 400 ")


def test_a_refusal_that_waits_is_not_written_after_the_end() -> None:
    connection, transport, _, _ = served()
    connection.pause_writing()
    connection.data_received(b"NONSENSE / HTTP/1.1\r\n\r\n")
    connection.shut()
    connection.resume_writing()
    assert transport.closed
    assert not transport.late


def test_the_rest_of_a_body_is_read_after_an_answer_that_came_before_anybody_wanted_it() -> None:
    large = KINDS["large"][0] % 0
    connection, transport, _, begun = served(large[:-1])
    assert not transport.reading
    begun[0].respond(503)
    assert transport.reading
    connection.data_received(large[-1:])
    connection.data_received(GET % 1)
    assert begun[1].target == b"/1"


def test_a_head_has_its_limit_also_behind_the_end_of_another_message() -> None:
    head = b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * LIMITS.head_bytes + b"\r\n\r\n"
    for at in (10, 60_000, len(head) - 1):
        first = KINDS["post"][0] % 0
        connection, transport, _, begun = served(first + head[:at])
        begun[0].respond(200)
        connection.data_received(head[at:])
        assert transport.written.count(b"HTTP/1.1 431 ") == 1
        assert len(begun) == 1


@pytest.mark.anyio
async def test_the_client_side() -> None:
    run_state_machine_as_test(Servers, settings=SETTINGS)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
