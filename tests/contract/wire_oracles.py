"""What any bytes must lead to, as functions that assert: for the fuzzer and for its kept findings.

* Nothing escapes, and whatever began ends.
* Where reads end does not matter.
* Where another parser (h11) understands the same bytes, it finds the same messages with the same
  ends. It may refuse what we take, and we may refuse what it takes; but never may both take the
  same bytes for different messages.
* What is sent on for a request is one request to that parser, and means the same.
"""

import random
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import h11

from knlite.dataplane.wire.call import Coming
from knlite.dataplane.wire.exchange import Exchange, Headers
from knlite.dataplane.wire.failures import Failure
from knlite.dataplane.wire.framing import (
    Framing,
    answer_framing,
    answer_head,
    last_chunk,
    request_framing,
    request_head,
)
from knlite.dataplane.wire.http1_client import ClientConnection, ClientTunnel, Http1Call
from knlite.dataplane.wire.http1_server import Http1Connection
from knlite.dataplane.wire.limits import Limits
from tests.contract.wire_ends import Loop, Transport

Header = tuple[bytes, bytes]
LARGE = 1 << 24
"""For h11, whose limits are not in question."""
OURS = frozenset((b"host", b"te"))
"""Headers that may differ from what was sent: Host follows the target, TE is cut to trailers."""


@dataclass
class Message:
    """A request or an answer, as one parser sees it."""

    first: tuple[object, ...]
    """Method and target, or the status."""
    headers: list[Header] = field(default_factory=list)
    body: bytes = b""
    trailers: list[Header] = field(default_factory=list)
    whole: bool = False


def check_server(data: bytes) -> None:
    """Whatever a client sends."""
    ours, stayed = _serve(data, [])
    for cuts in _cuts(data):
        again, _ = _serve(data, cuts)
        _agree_on_whole(again, ours, "in pieces")
    later, _ = _serve(data, _cuts(data)[-1], at_once=False)
    _agree_on_whole(later, ours, "answered later")
    theirs, refused = _theirs(data)
    for number, request in enumerate(ours):
        if not request.whole:
            break
        if number >= len(theirs):
            assert refused, f"h11 waits for more of {request}"
            break
        _same(request, theirs[number], refused and number == len(theirs) - 1)
        _check_sent_on(request)
    if stayed and not refused and all(request.whole for request in ours):
        assert len(theirs) <= len(ours), f"h11 sees more: {theirs[len(ours) :]}"


def check_client(data: bytes) -> None:
    """Whatever a server answers; the first byte says to what."""
    if not data:
        return
    method, upgrade = _ASKED[data[0] % len(_ASKED)]
    data = data[1:]
    ours, kept = _ask(method, upgrade, data, [])
    for cuts in _cuts(data):
        again, _ = _ask(method, upgrade, data, cuts)
        if again.whole and ours.whole:
            assert again == ours, f"in pieces {again}, else {ours}"
    if not ours.whole or ours.first == (101,):
        return
    theirs, rest = _their_answer(method, data)
    if theirs is None:
        return
    assert theirs.first == ours.first, f"{ours} is {theirs} to h11"
    assert theirs.body == ours.body, f"{ours} is {theirs} to h11"
    if theirs.whole and kept:
        assert not rest.strip(b"\r\n"), f"{rest!r} is left on a connection that stays"


def check_framing(data: bytes) -> None:
    """Whatever heads a parser hands on: rules never raise, and what is written is one head."""
    lines = data.split(b"\n")
    method, _, target = (lines[0] or b"GET /").partition(b" ")
    headers = [(name, value) for name, _, value in (line.partition(b":") for line in lines[1:])]
    for version in ("1.1", "1.0"):
        digits = all(
            value.strip(b" \t").isdigit()
            for name, value in headers
            if name.lower() == b"content-length"
        )
        if not digits:
            # The parser lets nothing else through.
            return
        found = request_framing(method, target, version, headers)
        answer_framing(headers)
        if isinstance(found, Framing):
            try:
                head = request_head(method, target, found.headers, b"")
                answer_head(200, b"OK", found.headers, b"")
                last_chunk(found.headers)
            except ValueError:
                continue
            assert head.count(b"\r\n") == head.count(b"\n") == len(found.headers) + 2


CHECKS = {"server": check_server, "client": check_client, "framing": check_framing}
_ASKED = ((b"GET", b""), (b"HEAD", b""), (b"POST", b""), (b"GET", b"x"))


def _cuts(data: bytes) -> Sequence[list[int]]:
    """Where to end reads: at every byte if they are few, after heads, and at random."""
    draw = random.Random(zlib.crc32(data))
    last = len(data)
    heads = [found.end() for found in re.finditer(b"\r\n\r\n", data) if found.end() < last]
    some = (
        sorted({draw.randrange(1, last) for _ in range(draw.randrange(1, 8))}) if last > 1 else []
    )
    return ([*range(1, last)], heads, some) if last < 400 else (heads, some)


def _pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    return [data[begin:end] for begin, end in pairwise([0, *cuts, len(data)]) if begin < end]


def _agree_on_whole(some: list[Message], others: list[Message], how: str) -> None:
    """Where both have a whole message, it is the same."""
    for one, other in zip(some, others, strict=False):
        if one.whole and other.whole:
            assert one == other, f"{how} {one}, else {other}"


class _Taker:
    """Takes a request and answers it, at once or later, when it is whole."""

    def __init__(self, exchange: Exchange, request: Message, at_once: bool) -> None:
        self.exchange, self.request, self.at_once = exchange, request, at_once
        self.left = False

    def body(self, data: bytes) -> None:
        assert data
        assert not self.left
        assert not self.request.whole
        self.request.body += data

    def body_end(self, trailers: Headers) -> None:
        assert not self.left
        assert not self.request.whole
        self.request.trailers = list(trailers)
        self.request.whole = True
        if self.at_once:
            self.answer()

    def answer(self) -> None:
        self.exchange.respond(200, (), b"ok")

    @property
    def waits(self) -> bool:
        """Its answer is due."""
        return self.request.whole and not (self.exchange.finished or self.left)

    def client_left(self, why: str) -> None:
        assert not self.left
        self.left = True

    def client_full(self) -> None:
        raise AssertionError("nothing is full")

    def client_ready(self) -> None:
        raise AssertionError("nothing was full")


def _serve(data: bytes, cuts: list[int], *, at_once: bool = True) -> tuple[list[Message], bool]:
    """Our requests, and whether the connection would read on."""
    loop, transport = Loop(), Transport()
    requests: list[Message] = []
    takers: list[_Taker] = []

    def handler(exchange: Exchange) -> None:
        first = (exchange.method, exchange.target, exchange.http_version)
        request = Message(first, list(exchange.headers))
        requests.append(request)
        assert not any(taker.waits for taker in takers)
        taker = _Taker(exchange, request, at_once)
        takers.append(taker)
        exchange.attend(taker)
        exchange.receive()

    gone: list[object] = []
    connections: set[object] = set()
    connection = Http1Connection(loop, handler, Limits(), connections, gone.append)  # type: ignore[arg-type]  # what it needs of one
    connection.connection_made(transport)
    for piece in _pieces(data, cuts):
        while not (transport.reading or transport.closed):
            # Until something is answered.
            assert takers[-1].waits
            takers[-1].answer()
        if transport.closed:
            break
        connection.data_received(piece)
    while takers and takers[-1].waits:
        takers[-1].answer()
    assert transport.reading or transport.closed
    stayed = not (transport.closed or transport.eof)
    connection.connection_lost(None)
    assert gone == [connection]
    assert not loop.reported, loop.reported
    assert not loop.pending()
    assert not transport.late
    for taker in takers:
        assert taker.exchange.finished or taker.left
    return requests, stayed


def _theirs(data: bytes) -> tuple[list[Message], bool]:
    """The requests that h11 sees, and whether it has refused or closed after them."""
    parser = h11.Connection(h11.SERVER, max_incomplete_event_size=LARGE)
    parser.receive_data(data)
    found: list[Message] = []
    while True:
        try:
            event = parser.next_event()
        except h11.RemoteProtocolError:
            return found, True
        if isinstance(event, h11.Request):
            version = event.http_version.decode()
            found.append(Message((event.method, event.target, version), list(event.headers)))
        elif isinstance(event, h11.Data):
            found[-1].body += event.data
        elif isinstance(event, h11.EndOfMessage):
            found[-1].trailers = list(event.headers)
            found[-1].whole = True
            parser.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
            parser.send(h11.EndOfMessage())
            if parser.our_state is not h11.DONE or parser.their_state is not h11.DONE:
                return found, True
            parser.start_next_cycle()
        else:
            return found, False


def _same(ours: Message, theirs: Message, refused: bool) -> None:
    """*refused*: h11 has refused the rest of it."""
    assert ours.first == theirs.first, f"{ours} is {theirs} to h11"
    if theirs.whole or not refused:
        assert theirs.whole, f"h11 waits for more of {ours}"
        assert ours.body == theirs.body, f"{ours} is {theirs} to h11"
        assert _plain(ours.trailers) == _plain(theirs.trailers), f"{ours} is {theirs} to h11"
    known = _plain(theirs.headers)
    for header in _plain(ours.headers):
        assert header[0] in OURS or header in known, f"{header} is none to h11: {known}"


def _plain(headers: Sequence[Header]) -> list[Header]:
    return [(name.lower(), value.strip(b" \t")) for name, value in headers]


class _Nobody:
    """A receiver and a keeper that does nothing."""

    def __getattr__(self, name: str) -> object:
        return lambda *_: None


def _check_sent_on(request: Message) -> None:
    """What an instance gets is one request and the same."""
    method, target, _ = request.first
    assert isinstance(method, bytes)
    assert isinstance(target, bytes)
    headers = request.headers
    if not target.startswith(b"/") and target != b"*":
        authority = target.partition(b"://")[2].partition(b"/")[0].partition(b"?")[0]
        assert [value for name, value in headers if name.lower() == b"host"] == [authority]
    if not any(name.lower() == b"host" for name, _ in headers):
        headers = [(b"Host", b"a"), *headers]
    for body in (request.body, Coming(None)):
        call = Http1Call(method, target, headers, body, _Nobody(), b"")
        sent = call.opening
        if isinstance(body, Coming):
            sent += b"%x\r\n%b\r\n" % (len(request.body), request.body) if request.body else b""
            sent += last_chunk(request.trailers)
        seen, _ = _theirs(sent)
        assert len(seen) == 1, f"{sent!r} is {seen}"
        assert seen[0].whole
        assert seen[0].first == (method, target, "1.1")
        assert seen[0].body == request.body


@dataclass
class _Receiver:
    """Takes an answer."""

    answer: Message = field(default_factory=lambda: Message((0,)))
    over: bool = False
    failed_for: Failure | None = None

    def interim(self, status: int, reason: bytes, headers: list[Header]) -> None:
        assert not self.over
        assert 100 <= status < 200
        answer_head(status, reason, headers, b"")

    def head(self, status: int, reason: bytes, headers: list[Header], length: int | None) -> None:
        assert not self.over
        assert self.answer.first == (0,)
        assert status >= 200
        answer_head(status, reason, headers, b"")
        self.answer.first = (status,)
        self.answer.headers = headers

    def answered(self, status: int, reason: bytes, headers: list[Header], body: bytes) -> None:
        self.head(status, reason, headers, len(body))
        self.answer.body = body
        self.end(())

    def switched(self, reason: bytes, headers: list[Header]) -> None:
        assert not self.over
        answer_head(101, reason, headers, b"")
        self.answer.first = (101,)
        self.answer.headers = headers

    def data(self, data: bytes) -> None:
        assert data
        assert not self.over
        assert self.answer.first != (0,)
        self.answer.body += data

    def end(self, trailers: Headers) -> None:
        assert not self.over
        assert self.answer.first != (0,)
        last_chunk(trailers)
        self.answer.trailers = list(trailers)
        self.answer.whole = self.over = True

    def failed(self, failure: Failure) -> None:
        assert not self.over
        self.over = True
        self.failed_for = failure

    def server_full(self) -> None: ...

    def server_ready(self) -> None: ...


@dataclass
class _Keeper:
    """Notes whether a connection stays."""

    kept: int = 0
    dropped: bool = False

    def opened(self, connection: ClientConnection) -> None: ...

    def free(self, connection: ClientConnection) -> None:
        assert not self.dropped
        self.kept += 1

    def lost(self, connection: ClientConnection) -> None:
        self.dropped = True

    def tunnelled(self, tunnel: ClientTunnel, open_: bool) -> None: ...

    def repeat(self, call: Http1Call) -> None:
        raise AssertionError("its first request is never repeated")


def _ask(method: bytes, upgrade: bytes, data: bytes, cuts: list[int]) -> tuple[Message, bool]:
    """The answer as we see it, and whether the connection would take another request."""
    transport, keeper, receiver = Transport(), _Keeper(), _Receiver()
    connection = ClientConnection(keeper)
    connection.connection_made(transport)
    call = Http1Call(method, b"/", [(b"Host", b"a")], b"", receiver, upgrade)
    connection.begin(call)
    call.started(connection)
    for piece in _pieces(data, cuts):
        if transport.closed:
            break
        assert transport.reading
        transport.protocol(connection).data_received(piece)
    kept = keeper.kept == 1 and not (keeper.dropped or transport.closed)
    if not transport.closed:
        transport.protocol(connection).eof_received()
    transport.protocol(connection).connection_lost(None)
    assert receiver.over
    return receiver.answer, kept


def _their_answer(method: bytes, data: bytes) -> tuple[Message | None, bytes]:
    """The answer that h11 sees if it does not refuse it, and what it has not read."""
    parser = h11.Connection(h11.CLIENT, max_incomplete_event_size=LARGE)
    parser.send(h11.Request(method=method, target="/", headers=[("Host", "a")]))
    parser.send(h11.EndOfMessage())
    parser.receive_data(data)
    answer: Message | None = None
    ended = False
    while True:
        try:
            event = parser.next_event()
        except h11.RemoteProtocolError:
            return None, b""
        if isinstance(event, h11.Response):
            answer = Message((event.status_code,), list(event.headers))
        elif isinstance(event, h11.Data):
            assert answer is not None
            answer.body += event.data
        elif isinstance(event, h11.EndOfMessage):
            assert answer is not None
            answer.whole = True
            return answer, parser.trailing_data[0]
        elif event is h11.NEED_DATA and not ended:
            ended = True
            parser.receive_data(b"")
        elif not isinstance(event, h11.InformationalResponse):
            return None, b""
